#!/usr/bin/env python3
# check_kernels.py - the six common kernels on three CPU levels: packed in 10 s, text of at most 64 KiB each, no
# register spilled in an innermost loop.
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import disassembly  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent / "conformance/kernels/tile_kernels.py"
LEVELS = ["x86-64-v2", "x86-64-v3", "x86-64-v4"]
PACK_SECONDS, TEXT_BYTES = 10.0, 64 * 1024
MATMUL = dict(BLOCK_M=128, BLOCK_N=128, BLOCK_K=32, GROUP_M=8)
# function: types of the parameters, constexpr values.
KERNELS = {
    "vector_add": (dict(x_ptr="*{t}", y_ptr="*{t}", out_ptr="*{t}", n="i32"), dict(BLOCK=1024)),
    "row_softmax": (dict(out_ptr="*{t}", in_ptr="*{t}", in_stride="i32", out_stride="i32", n_cols="i32"),
                    dict(BLOCK=4096)),
    "layer_norm": (dict(x_ptr="*{t}", w_ptr="*{t}", b_ptr="*{t}", y_ptr="*{t}", mean_ptr="*fp32", rstd_ptr="*fp32",
                        stride="i32", n_cols="i32", eps="fp32"), dict(BLOCK=4096)),
    "matmul": (dict(a_ptr="*{t}", b_ptr="*{t}", c_ptr="*{t}", M="i32", N="i32", K="i32", stride_am="i32",
                    stride_ak=1, stride_bk="i32", stride_bn=1, stride_cm="i32", stride_cn=1), MATMUL),
    "matmul_desc": (dict(a_ptr="*{t}", b_ptr="*{t}", c_ptr="*{t}", M="i32", N="i32", K="i32"),
                    dict(MATMUL, NUM_SMS=8, WARP_SPECIALIZE=False)),
    "attention_fwd": (dict(q_ptr="*{t}", k_ptr="*{t}", v_ptr="*{t}", o_ptr="*{t}", lse_ptr="*fp32", scale="fp32",
                           seq="i32"), dict(CAUSAL=True, HEAD_DIM=64, BLOCK_M=64, BLOCK_N=64)),
}


def toml(value):
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)


def manifest(dtype):
    lines = ["[pack]", 'name = "six"', f"targets = {json.dumps(LEVELS)}"]
    for function, (signature, constants) in KERNELS.items():
        lines += ["[[kernel]]", f'source = "{SOURCE}"', f'function = "{function}"', "[kernel.signature]"]
        lines += [f"{name} = {toml(kind.format(t=dtype) if isinstance(kind, str) else kind)}"
                  for name, kind in signature.items()]
        lines += ["[[kernel.config]]"] + [f"{name} = {toml(value)}" for name, value in constants.items()]
    return "\n".join(lines) + "\n"


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"error: {' '.join(map(str, command))} ended with status {done.returncode}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--objdump", default="llvm-objdump")
    parser.add_argument("--folder", default=".")
    parser.add_argument("--dtype", action="append", help="default: fp32, fp16, bf16")
    parser.add_argument("--verbose", "-v", action="store_true", help="print every loop that reads the stack")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    problems = []

    (folder / "six.toml").write_text(manifest("fp32"))
    began = time.time()
    run(options.tool, "build", folder / "six.toml", "-o", folder / "six.nrd", "--no-cache")
    packing = time.time() - began
    print(f"six kernels on {len(LEVELS)} levels packed in {packing:.2f} s (at most {PACK_SECONDS:.0f} s)")
    if packing > PACK_SECONDS:
        problems.append(f"packing took {packing:.2f} s")

    largest, reading = 0, []
    for dtype in options.dtype or ["fp32", "fp16", "bf16"]:
        for function, (signature, constants) in KERNELS.items():
            for level in LEVELS:
                what = f"{function} {dtype} {level}"
                image = folder / f"{function}-{dtype}-{level}.so"
                types = ", ".join(f"{name}={kind.format(t=dtype) if isinstance(kind, str) else kind}"
                                  for name, kind in signature.items())
                flags = [f"--const={name}={value}" for name, value in constants.items()]
                run(options.tool, "compile", f"{SOURCE}:{function}", "--signature", types, *flags, "--target", level,
                    "--emit", "obj", "-o", image)
                text = run(options.objdump, "-d", "--no-show-raw-insn", "-j", ".text", image)
                size = int(re.search(r"\.text\s+([0-9a-f]+)", run(options.objdump, "-h", image)).group(1), 16)
                largest = max(largest, size)
                if size > TEXT_BYTES:
                    problems.append(f"{what}: {size} bytes of text")
                for loop in disassembly.loops_with_stack_traffic(text):
                    where = f"{what}: innermost loop at {loop.address:x} ({loop.length} instructions)"
                    if loop.spills:
                        problems.append(f"{where}: {len(loop.spills)} spills: {loop.spills[0]}")
                    else:
                        reading.append(f"{where}: {len(loop.reloads)} reads: {loop.reloads[0]}")
    print(f"largest text {largest} bytes (at most {TEXT_BYTES})")
    print(f"{len(reading)} innermost loops read values of before the loop from the stack, none of them written there")
    if options.verbose:
        print("\n".join(reading))
    for problem in problems:
        print(f"error: {problem}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
