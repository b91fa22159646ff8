"""Compares our tile IR with Triton's own for the same kernel and signature.

    python3 tests/corpus/compare_ttir.py [--diff] [--only WORD] [LIST.json...]

A development check, not a test: it needs the `triton` package, as the oracle.
Both texts go through Triton's own tile passes (inline, canonicalize, combine,
CSE), so that names, locations, and where a helper function begins do not
matter; then they must be equal. A list holds {"file", "kernel", "signature":
{name: type}, "constants": {name: value}}; without one the common kernels of
tests/conformance/kernels/tile_kernels.py are compared.
"""

import argparse
import difflib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FRONTEND = os.path.join(os.environ.get("NEREID_BUILD", os.path.join(ROOT, "build")), "bin", "nereid-frontend")

warnings.filterwarnings("ignore")


def load(path):
    spec = importlib.util.spec_from_file_location("kernels_" + re.sub(r"\W", "_", path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Triton:
    """Triton's front end and tile passes, without a GPU."""

    def __init__(self):
        from triton._C.libtriton import ir
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource, make_backend

        self.ir, self.ASTSource = ir, ASTSource
        self.target = GPUTarget("cuda", 90, 32)
        self.backend = make_backend(self.target)
        self.options = self.backend.parse_options({"sanitize_overflow": False, "enable_fp_fusion": True})

    def context(self):
        context = self.ir.context()
        self.ir.load_dialects(context)
        self.backend.load_dialects(context)
        return context

    def simplify(self, module):
        self.backend.make_ttir(module, {}, self.options, 90)
        return module.str_nodebug()

    def compile(self, function, signature, constants):
        types, values, attrs = {}, {}, {}
        for i, name in enumerate(function.arg_names):
            if name in constants:
                types[name], values[(i, )] = "constexpr", constants[name]
                continue
            text, _, hint = signature[name].partition(":")
            types[name] = "constexpr" if text == "None" else text
            if text == "None":
                values[(i, )] = None
            elif hint == "1":
                types[name], values[(i, )] = "constexpr", 1
            elif hint == "16":
                attrs[(i, )] = [["tt.divisibility", 16]]
        source = self.ASTSource(function, types, values, attrs)
        context = self.context()
        module = source.make_ir(self.target, self.options, self.backend.get_codegen_implementation(self.options),
                                self.backend.get_module_map(), context)
        return self.simplify(module)

    def read(self, text):
        text = re.sub(r"nrd\.(slot|index) = \d+ : i32(, )?|nrd\.field = \"\w+\"(, )?", "", text)
        text = re.sub(r", (?=})", "", text).replace(" {}", "")
        with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
            file.write(text)
            file.flush()
            context = self.context()
            module = self.ir.parse_mlir_module(file.name, context)
            module.context = context
            return self.simplify(module)


def ours(path, kernel, signature, constants):
    command = [FRONTEND, f"{path}:{kernel}"]
    command += [f"{name}={text}" for name, text in signature.items() if name not in constants]
    command += [f"{name}={value!r}" for name, value in constants.items()]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(result.stderr.strip() or f"exit {result.returncode}")
    return result.stdout


def normal(text):
    """Lines that are equal for equal IR: a constant is named by its value, since the passes leave
    constants in the order in which they were first made."""
    lines, constants = [], {}
    for line in text.splitlines():
        if "tt.func" in line:
            constants = {}
        made = re.match(r"\s*(%[\w-]+) = arith\.constant (.*)", line)
        if made:
            constants[made[1]] = f"<{made[2]}>"
            continue
        line = re.sub(r"%c[\w-]*", lambda use: constants.get(use[0], use[0]), line)
        if line.strip():
            lines.append(line.rstrip())
    return lines


def common_kernels():
    path = os.path.join(ROOT, "tests", "conformance", "kernels", "tile_kernels.py")

    def each(names, text):
        return {name: text for name in names.split()}

    for dtype in ("fp32", "fp16", "bf16"):
        pointer = "*" + dtype
        yield path, "vector_add", {**each("x_ptr y_ptr out_ptr", pointer + ":16"), "n": "i32:16"}, {"BLOCK": 1024}
        yield path, "row_softmax", {**each("out_ptr in_ptr", pointer + ":16"), **each("in_stride out_stride n_cols", "i32")}, {
            "BLOCK": 1024
        }
        yield path, "layer_norm", {
            **each("x_ptr w_ptr b_ptr y_ptr", pointer), "mean_ptr": "*fp32", "rstd_ptr": "*fp32",
            **each("stride n_cols", "i32:16"), "eps": "fp32"
        }, {"BLOCK": 512}
        yield path, "matmul", {
            **each("a_ptr b_ptr c_ptr", pointer), **each("M N K stride_am stride_bk stride_cm", "i32"),
            **each("stride_ak stride_bn stride_cn", "i32:1")
        }, {"BLOCK_M": 64, "BLOCK_N": 128, "BLOCK_K": 32, "GROUP_M": 8}
        yield path, "matmul", {
            **each("a_ptr b_ptr c_ptr", pointer),
            **each("M N K stride_am stride_bk stride_cm stride_ak stride_bn stride_cn", "i32")
        }, {"BLOCK_M": 64, "BLOCK_N": 128, "BLOCK_K": 32, "GROUP_M": 8}
        yield path, "matmul_desc", {**each("a_ptr b_ptr c_ptr", pointer), **each("M N K", "i32")}, {
            "BLOCK_M": 64, "BLOCK_N": 128, "BLOCK_K": 32, "GROUP_M": 8, "NUM_SMS": 132, "WARP_SPECIALIZE": False
        }
        for causal in (False, True):
            yield path, "attention_fwd", {
                **each("q_ptr k_ptr v_ptr o_ptr", pointer), "lse_ptr": "*fp32", "scale": "fp32", "seq": "i32"
            }, {"CAUSAL": causal, "HEAD_DIM": 64, "BLOCK_M": 64, "BLOCK_N": 32}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", nargs="*")
    parser.add_argument("--diff", action="store_true", help="print the differences")
    parser.add_argument("--only", default="", help="kernels whose name holds this word")
    args = parser.parse_args()
    cases = list(common_kernels()) if not args.lists else []
    for path in args.lists:
        with open(path) as file:
            for case in json.load(file):
                cases.append((os.path.join(os.path.dirname(os.path.abspath(path)), case["file"]), case["kernel"], case["signature"],
                              case.get("constants", {})))
    triton = Triton()
    modules, failed = {}, 0
    for path, kernel, signature, constants in cases:
        if args.only not in kernel:
            continue
        label = f"{os.path.basename(path)}:{kernel} {' '.join(signature.values())}"
        if path not in modules:
            modules[path] = load(path)
        try:
            theirs = normal(triton.compile(getattr(modules[path], kernel), signature, constants))
        except Exception as error:
            theirs = None
            print(f"(oracle refuses {label}: {str(error).splitlines()[-1] if str(error) else type(error).__name__})")
        try:
            mine = normal(triton.read(ours(path, kernel, signature, constants)))
        except Exception as error:
            mine = None
            print(f"{'ok  ' if theirs is None else 'FAIL'} {label}: {str(error).splitlines()[0]}")
            failed += theirs is not None
            if args.diff:
                print(error)
        if mine is None or theirs is None:
            continue
        equal = mine == theirs
        failed += not equal
        print(f"{'ok  ' if equal else 'DIFF'} {label}")
        if not equal and args.diff:
            print("\n".join(difflib.unified_diff(theirs, mine, "triton", "nereid", lineterm="")))
    print(f"{failed} of {len(cases)} differ" if failed else f"all {len(cases)} equal")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
