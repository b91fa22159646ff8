"""Launches a kernel of an unchanged Python file as Triton would, through Nereid.

A case calls `t.launch(grid, *args, **kwargs)` with numpy arrays and Python
values. From them the harness derives what Triton's launcher derives (an array
is a pointer, 1 and None become constants, a float is fp32), has `nereid`
compile the kernel into a pack and launches it through the C library. Every
array lies between guard zones, which are checked after the launch.
"""

import json
import os
import subprocess
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "conformance"))

CASES = []


def case(file, kernel, variant="", refused=None):
    """Registers a case. `refused`: why the compiler must refuse the kernel."""

    def register(function):
        CASES.append(Case(file, kernel, variant, refused, function))
        return function

    return register


class Case:

    def __init__(self, file, kernel, variant, refused, function):
        self.file, self.kernel, self.variant = file, kernel, variant
        self.refused, self.function = refused, function
        self.corpus = function.__module__.split(".")[0]  # "liger" or "tutorials"

    @property
    def label(self):
        return f"{self.file}:{self.kernel}" + (f" [{self.variant}]" if self.variant else "")


class Refused(Exception):
    """The compiler refused the kernel; the text is its message."""


class Absent(Exception):
    """The corpus has no such file or kernel."""


class Mismatch(Exception):
    """A result differs from its reference."""


class DType:
    """A dtype given as a compile-time argument: `t.dtype("fp32")`."""

    LANGUAGE = {"fp32": "tl.float32", "fp16": "tl.float16", "bf16": "tl.bfloat16"}

    def __init__(self, word):
        self.word = word

    def __repr__(self):
        return self.LANGUAGE[self.word]


class Descriptor:
    """A host-side tensor descriptor of a C-contiguous array."""

    def __init__(self, array, block, word=None):
        self.array, self.block = array, block
        self.word = word or WORDS[array.dtype.name]  # fp8 arrays are uint8 to numpy


WORDS = {
    "float32": "fp32", "float16": "fp16", "float64": "fp64", "bool": "i1", "int8": "i8",
    "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "u8", "uint16": "u16",
    "uint32": "u32", "uint64": "u64",
}


def BLOCK(n):
    """The next power of two."""
    return 1 << (n - 1).bit_length()


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def silu(v):
    return v * sigmoid(v)


def softmax(v):
    e = np.exp(v - v.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def erf(v):
    from math import erf as scalar

    return np.vectorize(scalar)(v)


class Session:
    """The tool, the device and the folder that the corpus was unpacked into."""

    def __init__(self, corpus, nereid, root, folder, target, library, search_paths=()):
        self.corpus, self.nereid, self.root, self.folder = corpus, nereid, root, folder
        self.target, self.library = target, library
        self.device = library.device("cpu")
        self.search_paths = [root, *search_paths]
        self.listings, self.compiled, self.packs = {}, set(), 0
        os.makedirs(folder, exist_ok=True)

    def run(self, *arguments):
        """Runs the tool; its standard output, or Refused with its messages."""
        done = subprocess.run([self.nereid, *arguments], capture_output=True, text=True)
        if done.returncode == 1:
            raise Refused(done.stderr.strip())
        if done.returncode:
            raise RuntimeError(f"nereid {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def includes(self):
        return [word for path in self.search_paths for word in ("-I", path)]

    def parameters(self, path, kernel):
        """The kernel's parameters, in order: (name, is_constexpr)."""
        if path not in self.listings:
            if not os.path.isfile(path):
                raise Absent(f"no file '{os.path.relpath(path, self.root)}'")
            text = self.run("compile", path, "--list", "--json", *self.includes())
            self.listings[path] = {k["name"]: k for k in json.loads(text)}
        if kernel not in self.listings[path]:
            raise Absent(f"no kernel '{kernel}' in '{os.path.relpath(path, self.root)}'")
        return [(p["name"], p["constexpr"]) for p in self.listings[path][kernel]["parameters"]]


class Trial:
    """What a case receives as `t`: inputs, the launch, comparisons."""

    GUARD = 64
    GUARD_BYTE = 0xA5

    def __init__(self, session, case, seed=20260823):
        self.session, self.case = session, case
        self.rng = np.random.default_rng(seed)
        self.guarded = []
        self.launches = self.comparisons = 0

    # Inputs. Arrays are C-contiguous and stand between guard zones.

    def _allocate(self, shape, dtype):
        size = int(np.prod(shape, dtype=int)) * np.dtype(dtype).itemsize
        raw = np.full(size + 2 * self.GUARD, self.GUARD_BYTE, np.uint8)
        self.guarded.append(raw)
        return raw[self.GUARD:self.GUARD + size].view(dtype).reshape(shape)

    def array(self, values, dtype=np.float32):
        values = np.asarray(values)
        result = self._allocate(values.shape, dtype)
        result[...] = values
        return result

    def normal(self, *shape, dtype=np.float32):
        return self.array(self.rng.standard_normal(shape), dtype)

    def integers(self, low, high, shape, dtype):
        return self.array(self.rng.integers(low, high, shape), dtype)

    def zeros(self, *shape, dtype=np.float32):
        return self.array(np.zeros(shape), dtype)

    def poison(self, *shape, dtype=np.float32):
        """An output that the kernel must overwrite whole: filled with NaN."""
        return self.array(np.full(shape, np.nan), dtype)

    def dtype(self, word):
        return DType(word)

    def descriptor(self, array, block, word=None):
        return Descriptor(array, block, word)

    def f64(self, array):
        return array.astype(np.float64)

    # The launch.

    @staticmethod
    def word(value):
        """The type that Triton's launcher gives an argument."""
        if isinstance(value, np.ndarray):
            return "*" + WORDS[value.dtype.name]
        if isinstance(value, Descriptor):
            return f"tensordesc<{value.word}[{','.join(map(str, value.block))}]>"
        if isinstance(value, bool):
            return "i1"
        if isinstance(value, int):
            return ("i32" if -(2**31) <= value < 2**31 else "i64") + (":1" if value == 1 else "")
        return "fp32"

    def launch(self, grid, *args, **kwargs):
        session, name = self.session, self.case.kernel
        path = os.path.join(session.root, self.case.file)
        parameters = session.parameters(path, name)
        values = dict(zip([p for p, _ in parameters], args))
        options = {k: v for k, v in kwargs.items() if k not in dict(parameters)}
        values.update({k: v for k, v in kwargs.items() if k not in options})

        signature, constants, slots = [], [], []
        for parameter, is_constexpr in parameters:
            if parameter not in values:
                continue  # has a default
            value = values[parameter]
            if isinstance(value, np.generic):
                value = value.item()
            if is_constexpr or value is None or isinstance(value, (str, DType)):
                constants += ["--const", f"{parameter}={value!r}"]
            else:
                signature.append(f"{parameter}={self.word(value)}")
                slots.append((parameter, value))
        for option in ("num_warps", "num_stages"):
            if option in options:
                constants += ["--const", f"{option}={options[option]}"]

        session.packs += 1
        pack = os.path.join(session.folder, f"{session.packs}.nrd")
        session.run("compile", f"{path}:{name}", "--signature", ", ".join(signature), *constants,
                    "--target", session.target, "--emit", "nrd", "-o", pack, *session.includes())
        session.compiled.add((self.case.file, name))

        self._execute(pack, name, grid, slots)
        os.remove(pack)
        self.launches += 1
        for raw in self.guarded:
            if (raw[:self.GUARD] != self.GUARD_BYTE).any() or (raw[-self.GUARD:] != self.GUARD_BYTE).any():
                raise Mismatch("the kernel wrote outside an array")

    def _execute(self, path, name, grid, slots):
        session = self.session
        pack = session.library.pack(path)
        try:
            call = pack.kernel(session.device, name).call()
            for slot, value in slots:
                if isinstance(value, Descriptor):
                    call.set_descriptor(slot, value.array.ctypes.data, value.array.shape)
                elif isinstance(value, np.ndarray):
                    call.set_pointer(slot, value.ctypes.data)
                elif isinstance(value, float):
                    call.set_float(slot, value)
                else:
                    call.set_int(slot, value)
            call.set_grid(*grid)
            call.bind()
            call.launch()
            call.close()
        finally:
            pack.close()

    # Comparisons.

    def close(self, got, want, terms=1, scale=None):
        """Compares with a float64 reference.

        The bound is eps * (32 + 2 * terms) * (|want| + scale): 32 roundings
        of the operations around a sum of `terms` products, each of which can
        lose one unit in the last place of the largest value involved. `scale`
        is that value when it is larger than the results (cancellation).
        """
        self.comparisons += 1
        got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
        if got.shape != want.shape:
            raise AssertionError(f"shapes {got.shape} and {want.shape}: the case is wrong")
        finite = np.isfinite(want)
        if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
            raise Mismatch("infinities or NaNs differ")
        if not finite.any():
            return
        got, want = got[finite], want[finite]
        if scale is None:
            scale = np.abs(want).max()
        bound = np.finfo(np.float32).eps * (32 + 2 * terms) * (np.abs(want) + scale)
        bad = ~(np.abs(got - want) <= bound)
        if bad.any():
            where = int(np.flatnonzero(bad)[0])
            raise Mismatch(f"{bad.sum()} of {bad.size} values differ; value {where}: "
                           f"got {got.flat[where]!r}, expected {want.flat[where]!r}")

    def equal(self, got, want):
        self.comparisons += 1
        if not np.array_equal(got, want, equal_nan=np.issubdtype(np.asarray(want).dtype, np.floating)):
            differ = np.flatnonzero(np.asarray(got) != np.asarray(want))
            where = int(differ[0])
            raise Mismatch(f"{differ.size} values differ; value {where}: got {np.ravel(got)[where]!r}, "
                           f"expected {np.ravel(want)[where]!r}")
