#!/usr/bin/env python3
"""IR text that Triton itself dumps, compiled by Nereid: the second way in.

    tests/corpus/ttir.py --nereid build/bin/nereid --library build/lib/libnereid.so

For each case of common.py, and for cases of liger, the kernel is compiled
twice, from its source and from the text that PyPI's Triton prints for the same
launch. Both run on the same inputs: each must meet the case's reference. Where
they also agree bit by bit is counted; Triton 3.6 writes some operations in
another way than later versions, whose way is ours (-x, for one). Triton 3.6 is used where it is installed, else taken
from PyPI into --cache, as Liger-Kernel is; without Triton the exit status is 77.
No GPU and no PyTorch are needed: what host code imports is replaced by stubs.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import types

import numpy as np

from run import LIGER, fetch_liger  # before harness puts another run.py on the path
import harness

TRITON = "triton==3.6.0"
KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance", "kernels")
# Cases whose text is compiled unless --all is given: element-wise, rows,
# reductions, several outputs, atomics, loops, library functions, random access.
CHOSEN = ("_geglu_tanh_forward_kernel", "_swiglu_backward_kernel", "_layer_norm_forward_kernel",
          "_block_rms_norm_backward_kernel", "liger_cross_entropy_kernel", "_triton_rope", "_sparsemax_forward_kernel",
          "_group_norm_forward_kernel", "embedding_backward_kernel", "_kl_div_kernel")


def fetch_triton(cache):
    """None when Triton can be imported, else why not."""
    if importlib.util.find_spec("triton"):
        return None
    root = os.path.join(cache, TRITON.replace("==", "-"))
    if not os.path.isdir(os.path.join(root, "triton")):
        try:
            done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", root, TRITON],
                                  capture_output=True, text=True, timeout=600)
        except subprocess.TimeoutExpired:
            return "pip took more than ten minutes"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip brought nothing"])[-1]
    sys.path.insert(0, root)
    return None


class Stub:
    """Anything that host code asks for; false, so that no device seems to be there."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub()

    def __call__(self, *args, **kwargs):
        return Stub()

    def __bool__(self):
        return False

    def __mro_entries__(self, bases):
        return ()

    def __getitem__(self, index):
        return Stub()

    def __iter__(self):
        return iter(())

    def __ge__(self, other):
        return False

    __gt__ = __le__ = __lt__ = __ge__

    def __or__(self, other):
        return self

    __ror__ = __or__


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that are not there, for host code that only mentions them."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "torch_npu", "tilelang", "cutlass", "packaging", "peft"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__, module.__version__ = [], "2.9.0"
        if spec.name == "packaging":  # its `version` is the module below
            return module
        module.__getattr__ = lambda name: getattr(Stub(), name)
        if spec.name == "packaging.version":  # asked which Triton this is
            module.parse = module.Version = lambda text: tuple(map(int, re.findall(r"\d+", str(text))[:3]))
        return module

    def exec_module(self, module):
        pass


class Oracle:
    """Triton's front end, for the text of one launch."""

    def __init__(self, search_path):
        from triton._C.libtriton import ir
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource, make_backend

        self.ir, self.ASTSource = ir, ASTSource
        self.target = GPUTarget("cuda", 90, 32)
        self.backend = make_backend(self.target)
        self.options = self.backend.parse_options({"sanitize_overflow": False, "enable_fp_fusion": True})
        sys.meta_path.append(Stubs())
        sys.path[:0] = search_path
        self.modules = {}

    def function(self, path, name):
        if path not in self.modules:
            spec = importlib.util.spec_from_file_location("corpus_" + str(len(self.modules)), path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self.modules[path] = module
        function = getattr(self.modules[path], name)
        while type(function).__name__ != "JITFunction":  # autotuned, heuristics
            function = function.fn
        return function

    def text(self, path, name, signature, constants):
        import triton.language as tl

        function = self.function(path, name)
        types_, values = {}, {}
        for i, parameter in enumerate(function.arg_names):
            if parameter in constants:
                value = constants[parameter]
                if isinstance(value, harness.DType):
                    value = eval(repr(value), {"tl": tl})
                types_[parameter], values[(i, )] = "constexpr", value
            elif parameter not in signature:
                types_[parameter], values[(i, )] = "constexpr", function.params[i].default
            elif signature[parameter].endswith(":1"):
                types_[parameter], values[(i, )] = "constexpr", 1
            else:
                types_[parameter] = signature[parameter]
        source = self.ASTSource(function, types_, values, {})
        context = self.ir.context()
        self.ir.load_dialects(context)
        self.backend.load_dialects(context)
        module = source.make_ir(self.target, self.options, self.backend.get_codegen_implementation(self.options),
                                self.backend.get_module_map(), context)
        return str(module)


class Trial(harness.Trial):
    """Runs every launch in both ways; with `from_source`, in one."""

    from_source = False

    def _execute(self, pack, name, grid, slots):
        session = self.session
        before = [raw.copy() for raw in self.guarded]
        super()._execute(pack, name, grid, slots)
        if self.from_source:
            return
        after = [raw.copy() for raw in self.guarded]
        for raw, old in zip(self.guarded, before):
            raw[:] = old
        path = os.path.join(session.root, self.case.file)
        text = session.oracle.text(path, name, self.signature, self.constants)
        file = os.path.join(session.folder, name + ".ttir")
        with open(file, "w") as out:
            out.write(text)
        copy = file.replace(".ttir", "-ttir.nrd")
        session.run("compile", file, "--target", session.target, "--emit", "nrd", "-o", copy)
        # A constant of 1 is no parameter of the text's kernel.
        dynamic = [(i, value) for i, (slot, value) in enumerate(
            (slot, value) for slot, value in slots if not self.signature[slot].endswith(":1"))]
        super()._execute(copy, name, grid, dynamic)
        # What follows in the case holds the text's results against the reference.
        session.equal += all(np.array_equal(raw, other) for raw, other in zip(self.guarded, after))
        os.remove(copy)
        session.texts += 1

    def launch(self, grid, *args, **kwargs):
        self.signature, self.constants = {}, {}
        parameters = self.session.parameters(os.path.join(self.session.root, self.case.file), self.case.kernel)
        values = dict(zip([p for p, _ in parameters], args))
        values.update({k: v for k, v in kwargs.items() if k in dict(parameters)})
        for parameter, is_constexpr in parameters:
            value = values.get(parameter, None)
            if isinstance(value, np.generic):
                value = value.item()
            if parameter not in values:
                continue
            if is_constexpr or value is None or isinstance(value, (str, harness.DType)):
                self.constants[parameter] = value
            else:
                self.signature[parameter] = self.word(value)
        super().launch(grid, *args, **kwargs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nereid", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--cache", default=os.path.join(
        os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "nereid-corpus"))
    parser.add_argument("--target", default="x86-64-v3")
    parser.add_argument("--only", default="", help="kernels whose name holds this word")
    parser.add_argument("--all", action="store_true", help="every case of liger")
    options = parser.parse_args()
    why = fetch_triton(options.cache)
    if why:
        print(f"{TRITON} could not be had, no text was tested: {why}")
        return 77
    root, why = fetch_liger(options.cache)
    if not root:
        print(f"{LIGER} could not be had, its kernels were not tested: {why}")

    import common  # noqa: F401 (registers its cases)
    import liger  # noqa: F401
    import nrd

    library = nrd.Library(options.library)
    failed = False
    oracle = Oracle([root] if root else [])
    corpora = [("common", KERNELS, [])]
    if root:
        corpora.append(("liger", os.path.join(root, "liger_kernel", "ops"), [root]))
    for corpus, folder, search in corpora:
        with tempfile.TemporaryDirectory() as packs:
            session = harness.Session(corpus, options.nereid, folder, packs, options.target, library, search)
            session.oracle, session.texts, session.equal = oracle, 0, 0
            compared, wrong, seen = 0, 0, set()
            for case in harness.CASES:
                if case.corpus != corpus or case.refused or options.only not in case.kernel:
                    continue
                if corpus == "liger" and not options.all and (case.kernel not in CHOSEN or case.kernel in seen):
                    continue
                seen.add(case.kernel)
                try:
                    with np.errstate(all="ignore"):
                        alone = Trial(session, case)
                        alone.from_source = True
                        case.function(alone)
                        case.function(Trial(session, case))
                    compared += 1
                except Exception as error:  # the oracle may raise anything
                    wrong += 1
                    print(f"  failed  {case.label}  {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                          flush=True)
            print(f"{corpus}: {compared} cases right from source and from text ({session.texts} texts, {session.equal} with "
                  f"the same bits), {wrong} failed", flush=True)
            failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
