#!/usr/bin/env python3
# gpu_compile_time.py - seconds from source to cubin: `nereid compile` beside triton.compile, in turns, no GPU needed.
#
# Ours is a whole process, start and all; Triton's is the call alone, after imports, with its cache off. Both get the same
# kernel, signature, constants and hints, and each side's own ptxas. Processor seconds are printed too, because wall time
# on a busy machine says little. `--json` rows: ratio is Triton's time over ours, so larger is better.
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = HERE.parent / "conformance/kernels"
BAR = 2.0
CASES = {
    "matmul": (dict(a_ptr="*fp16", b_ptr="*fp16", c_ptr="*fp16", M="i32", N="i32", K="i32", stride_am="i32", stride_ak=1,
                    stride_bk="i32", stride_bn=1, stride_cm="i32", stride_cn=1),
               dict(BLOCK_M=128, BLOCK_N=256, BLOCK_K=64, GROUP_M=8), 8, 3),
    "matmul_desc": (dict(a_ptr="*fp16", b_ptr="*fp16", c_ptr="*fp16", M="i32", N="i32", K="i32"),
                    dict(BLOCK_M=128, BLOCK_N=256, BLOCK_K=64, GROUP_M=8, NUM_SMS=132, WARP_SPECIALIZE=False), 8, 3),
    "attention_fwd": (dict(q_ptr="*fp16", k_ptr="*fp16", v_ptr="*fp16", o_ptr="*fp16", lse_ptr="*fp32", scale="fp32",
                           seq="i32"), dict(CAUSAL=True, HEAD_DIM=128, BLOCK_M=128, BLOCK_N=128), 8, 3),
}


def processor_seconds():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def timed(work):
    wall, used = time.perf_counter(), processor_seconds()
    work()
    return time.perf_counter() - wall, processor_seconds() - used


def ours(tool, name, folder):
    signature, constants, warps, stages = CASES[name]
    command = [tool, "compile", f"{KERNELS / 'tile_kernels.py'}:{name}", "--target", "sm_90a", "--emit", "obj", "-o",
               str(folder / "k.cubin"), "--num-warps", str(warps), "--num-stages", str(stages), "--signature",
               # ":16" is what Triton's launcher finds for aligned pointers and sizes.
               ", ".join(f"{n}={t}{':16' if t[0] == '*' or t == 'i32' else ''}" for n, t in signature.items()
                         if isinstance(t, str))]
    for n, value in list(constants.items()) + [(n, t) for n, t in signature.items() if isinstance(t, int)]:
        command += ["--const", f"{n}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {name}: {done.stderr.strip()[:600]}")


def triton_side():
    os.environ["TRITON_ALWAYS_COMPILE"] = "1"
    sys.path.insert(0, str(KERNELS))
    sys.dont_write_bytecode = True
    import tile_kernels
    import triton
    from triton.backends.compiler import GPUTarget

    def run(name):
        signature, constants, warps, stages = CASES[name]
        function = getattr(tile_kernels, name)
        fixed = dict(constants, **{n: t for n, t in signature.items() if isinstance(t, int)})
        types = {n: "constexpr" if n in fixed else signature[n] for n in function.arg_names}
        attributes = {(i,): [["tt.divisibility", 16]] for i, n in enumerate(function.arg_names)
                      if n not in fixed and (types[n][0] == "*" or types[n] == "i32")}
        source = triton.compiler.ASTSource(fn=function, signature=types, constexprs=fixed, attrs=attributes)
        compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32),
                                  options=dict(num_warps=warps, num_stages=stages))
        assert compiled.asm["cubin"]

    return run


def main():
    parser = argparse.ArgumentParser(description="Compile time beside Triton's.")
    parser.add_argument("--tool", default=str(HERE.parents[1] / "build/bin/nereid"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help=f"of {', '.join(CASES)}")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    theirs = triton_side()
    rows, failed = [], 0
    print(f"{'':16} {'ours':>7} {'Triton':>7} {'ratio':>6} {'bar':>4}    processor seconds: ours, Triton, ratio")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        os.environ["TRITON_CACHE_DIR"] = cache
        for name in options.only or CASES:
            theirs(name)
            ours(options.tool, name, pathlib.Path(folder))
            found = {"ours": [], "Triton": []}
            for _ in range(options.rounds):
                found["ours"].append(timed(lambda: ours(options.tool, name, pathlib.Path(folder))))
                found["Triton"].append(timed(lambda: theirs(name)))
            wall, used = ({side: statistics.median(pair[i] for pair in pairs) for side, pairs in found.items()}
                          for i in range(2))
            ratio = wall["Triton"] / wall["ours"]
            failed += ratio < BAR
            rows.append({"name": f"compile {name}", "ours": wall["ours"], "peer": wall["Triton"], "peer_name": "Triton",
                         "unit": "s", "ratio": ratio, "bar": BAR, "error": None})
            print(f"{name:16} {wall['ours']:7.2f} {wall['Triton']:7.2f} {ratio:6.2f} {BAR:4.1f}    {used['ours']:.2f}, "
                  f"{used['Triton']:.2f}, {used['Triton'] / used['ours']:.2f}" + ("" if ratio >= BAR else "   BELOW"))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
