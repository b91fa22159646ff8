# harness.py - what a test case is: its kernel, its tensors in guarded memory, and its float64 reference.
#
# A topic is a kernel file, kernels/<topic>.py (plain Triton, what a user would
# write), and cases/<topic>.py beside it:
#
#   from harness import *
#
#   @each(dtype=FLOATS, n=(1, 127, 4097), random=dict(n=sizes(1, 9000)))
#   def add(c, dtype, n):
#       x, y, out = c.normal(dtype, n), c.normal(dtype, n), c.empty(dtype, n)
#       c.launch("vector_add", x_ptr=x, y_ptr=y, out_ptr=out, n=n, const=dict(BLOCK=1024), grid=(cdiv(n, 1024),))
#       total = x.value + y.value
#       c.expect(out, total, rounding(dtype, total))
#
# `launch` is where a case parts in two: while the packs are planned it ends the
# case, so references are only computed where something runs.
import ctypes
import itertools
import json
import mmap
import os
import zlib

import numpy as np

from numeric import *  # noqa: F401,F403 - the cases use both through `from harness import *`
from numeric import STORAGE, decode, encode, is_float, poison

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def cdiv(a, b):
    return -(-a // b)


def next_power_of_2(n):
    return 1 << max(n - 1, 0).bit_length()


# --- Tensors ------------------------------------------------------------------


class Tensor:
    """Logical values of one element type, at strides (in elements) in a flat storage."""

    def __init__(self, type_name, shape, values=None, strides=None, output=False):
        self.type, self.output, self.points_to = type_name, output, ()
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if strides is None:
            strides = [int(np.prod(self.shape[i + 1:])) for i in range(len(self.shape))]
        self.strides = tuple(strides)
        self.index = np.zeros(self.shape, dtype=np.int64)
        for axis, stride in enumerate(self.strides):
            along = np.arange(self.shape[axis]) * stride
            self.index = self.index + along.reshape([-1 if i == axis else 1 for i in range(len(self.shape))])
        self.count = int(self.index.max()) + 1 if self.index.size else 1
        self.initial = poison(type_name, self.count)
        if values is not None:
            self.initial[self.index] = encode(np.broadcast_to(values, self.shape), type_name)

    @property
    def value(self):
        """What the kernel reads: the values after rounding to the type."""
        return decode(self.initial[self.index], self.type)


class Descriptor:
    """A host-side tensor descriptor argument over a tensor."""

    def __init__(self, tensor, block):
        self.tensor, self.block = tensor, tuple(block)


class GuardedMemory:
    """Host memory whose neighbouring pages may not be touched. `at_end`: the data ends where the guard page begins,
    which finds reads past the end but leaves it aligned to no more than its size; else it starts a page."""

    def __init__(self, initial, at_end):
        size = initial.nbytes
        pages = cdiv(size, PAGE) * PAGE
        self.map = mmap.mmap(-1, pages + 2 * PAGE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for guard in (self.base, self.base + PAGE + pages):
            if _libc.mprotect(guard, PAGE, 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self.bytes = np.frombuffer(self.map, dtype=np.uint8, count=pages, offset=PAGE)
        self.offset = pages - size if at_end else 0
        self.bytes[:] = 0xff
        self.bytes[self.offset:self.offset + size] = initial.view(np.uint8)
        self.before = self.bytes.copy()
        self.size, self.dtype = size, initial.dtype
        self.address = self.base + PAGE + self.offset

    def fetch(self):
        return self.bytes[self.offset:self.offset + self.size].view(self.dtype).copy()

    def outside_changed(self):
        """Bytes changed in the slack of the data's own pages."""
        changed = self.bytes != self.before
        changed[self.offset:self.offset + self.size] = False
        return int(np.count_nonzero(changed))


class DeviceMemory:
    """The same on a device without host pointers: one allocation with slack on both sides; none under a tool that knows
    allocations' ends (CONFORMANCE_SLACK=0)."""

    SLACK = int(os.environ.get("CONFORMANCE_SLACK", 4096))
    base = None

    def __init__(self, device, initial, at_end):
        self.device, self.dtype, self.size = device, initial.dtype, initial.nbytes
        self.offset = self.SLACK + (initial.dtype.itemsize if at_end else 0)
        self.before = np.full(self.offset + self.size + self.SLACK, 0xff, dtype=np.uint8)
        self.before[self.offset:self.offset + self.size] = initial.view(np.uint8)
        pointer = ctypes.c_void_p()
        device.library.buffer_alloc(device.handle, self.before.nbytes, ctypes.byref(pointer))
        self.base = pointer.value
        self.address = self.base + self.offset
        device.library.buffer_copy_to_device(device.handle, self.base, self.before.ctypes.data, self.before.nbytes)

    def fetch(self):
        self.after = np.empty_like(self.before)
        self.device.library.buffer_copy_to_host(self.device.handle, self.after.ctypes.data, self.base,
                                                self.after.nbytes)
        return self.after[self.offset:self.offset + self.size].view(self.dtype).copy()

    def outside_changed(self):
        changed = self.after != self.before
        changed[self.offset:self.offset + self.size] = False
        return int(np.count_nonzero(changed))

    def __del__(self):
        if self.base:
            self.device.library.buffer_free(self.device.handle, self.base)


# --- One case -----------------------------------------------------------------


class Planned(Exception):
    """Ends a case at its launch while packs are planned."""


class Spec:
    """What has to be compiled: one kernel of a pack. Equal specs share a kernel."""

    def __init__(self, source, function, signature, constants, fixed, warps):
        self.source, self.function, self.warps = source, function, warps
        self.signature, self.constants, self.fixed = signature, constants, fixed
        text = json.dumps([source, function, signature, constants, fixed, warps])
        self.name = f"{function}_{zlib.crc32(text.encode()):08x}"


class Case:
    """Given to the case functions: makes tensors, launches, takes expectations."""

    def __init__(self, topic, label, seed, device):
        self.topic, self.label, self.device = topic, label, device
        self.rng = np.random.default_rng([seed, zlib.crc32(f"{topic}/{label}".encode())])
        self.tensors, self.expected = {}, []
        self.spec, self.runner = None, None

    def dot_gamma(self, type_name, operations):
        """As gamma, for `tl.dot` of operands of this type at its default precision, with `operations` roundings."""
        if self.device.startswith("cpu") or type_name == "fp64":
            return gamma(operations, type_name if type_name == "fp64" else "fp32")
        if type_name.startswith("fp8"):
            # The matrix units of sm_89 and sm_90 align what they add up to the largest, and keep 13 bits behind its first.
            return operations * 2.0**-13
        # Matrix units cut off where others round. fp32 is tf32 by default: 11 bits of each operand, the rest dropped.
        return 2 * gamma(operations) + (2 * 2.0**-10 if type_name == "fp32" else 0.0)

    # Inputs.
    def tensor(self, type_name, values, shape=None, strides=None, output=False):
        values = np.asarray(values)
        return Tensor(type_name, values.shape if shape is None else shape, values, strides, output)

    def normal(self, type_name, shape, strides=None, scale=1.0, shift=0.0):
        return self.tensor(type_name, self.rng.standard_normal(shape) * scale + shift, strides=strides)

    def uniform(self, type_name, shape, low, high, strides=None):
        return self.tensor(type_name, self.rng.uniform(low, high, shape), strides=strides)

    def integers(self, type_name, shape, low=None, high=None, strides=None):
        """Uniform in [low, high], by default over the whole type."""
        if type_name == "i1":
            low, high, storage = 0, 1, np.uint8
        else:
            storage = STORAGE[type_name]
            info = np.iinfo(storage)
            low, high = info.min if low is None else low, info.max if high is None else high
        return self.tensor(type_name, self.rng.integers(low, high, shape, dtype=storage, endpoint=True),
                           strides=strides)

    def any(self, type_name, shape, strides=None):
        """Numbers of ordinary size of any type."""
        if is_float(type_name):
            return self.normal(type_name, shape, strides)
        return self.integers(type_name, shape, 0 if type_name[0] == "u" else -50, 50, strides)

    # Outputs.
    def empty(self, type_name, shape, strides=None):
        """Poisoned; every element must be written."""
        return Tensor(type_name, shape, None, strides, output=True)

    def addresses(self, *tensors):
        """A table of pointers: where each of the tensors lies, known only when the case runs."""
        table = Tensor("i64", len(tensors), np.zeros(len(tensors)))
        table.points_to = tensors
        return table

    def inout(self, type_name, values, strides=None):
        values = np.asarray(values)
        return Tensor(type_name, values.shape, values, strides, output=True)

    def launch(self, function, grid, const=None, types=None, fixed=None, warps=4, source=None, **arguments):
        """`arguments` by parameter name, in source order. Python numbers are i32 or fp32 unless `types` says else;
        `fixed` parameters are constants of the pack and take no part in the call."""
        types = types or {}
        signature = []
        for name, value in arguments.items():
            if isinstance(value, Tensor):
                self.tensors[name] = value
                self.tensors.update({f"{name}[{i}]": tensor for i, tensor in enumerate(value.points_to)})
                text = types.get(name, "*" + value.type)
            elif isinstance(value, Descriptor):
                self.tensors[name] = value.tensor
                text = f"tensordesc<{value.tensor.type}[{','.join(map(str, value.block))}]>"
            else:
                text = types.get(name, "fp32" if isinstance(value, float) else "i32")
            signature.append((name, text))
        self.spec = Spec(source or self.topic + ".py", function, signature, sorted((const or {}).items()),
                         sorted((fixed or {}).items()), warps)
        self.arguments = arguments
        self.grid = tuple(grid) + (1,) * (3 - len(grid))
        if self.runner is None:
            raise Planned()

    def expect(self, tensor, value, bound=0.0, written=None):
        """`bound`: largest allowed error, one number or one per element. `written`: where not set, the element must
        still be what it was."""
        self.expected.append((tensor, value, bound, written, None))

    def expect_where(self, tensor, value, sure, bound=0.0):
        """As expect; elements where `sure` is not set must be written, with any value."""
        self.expected.append((tensor, value, bound, None, sure))

    # Running, with a bound kernel from the runner.
    def run(self, kernel, at_end):
        memory, host_memory = {}, self.device.startswith("cpu")
        for name, tensor in reversed(self.tensors.items()):  # what a table points to lies before the table
            if tensor.points_to:
                tensor.initial[:] = [memory[f"{name}[{i}]"].address for i in range(len(tensor.points_to))]
            memory[name] = (GuardedMemory(tensor.initial, at_end) if host_memory else
                            DeviceMemory(kernel.device, tensor.initial, at_end))
        call = kernel.call()
        for name, value in self.arguments.items():
            if isinstance(value, Tensor):
                call.set_pointer(name, memory[name].address)
            elif isinstance(value, Descriptor):
                call.set_descriptor(name, memory[name].address, value.tensor.shape, value.tensor.strides)
            elif isinstance(value, float):
                call.set_float(name, value)
            else:
                call.set_int(name, int(value))
        call.set_grid(*self.grid)
        call.launch()
        problems = []
        expected = {id(tensor): row for tensor, *row in self.expected}
        for name, tensor in self.tensors.items():
            after = memory[name].fetch()
            if memory[name].outside_changed():
                problems.append(f"{name}: {memory[name].outside_changed()} bytes outside the tensor were written")
            outside = np.ones(tensor.count, dtype=bool)
            outside[tensor.index] = False
            if not _same(after[outside], tensor.initial[outside]):
                problems.append(f"{name}: elements between the tensor's own were written")
            if not tensor.output:
                if not _same(after, tensor.initial):
                    problems.append(f"{name}: an input was written")
                continue
            problems += _compare(name, tensor, after[tensor.index], *expected[id(tensor)])
        return problems, call.target()


def _same(a, b):
    return a.tobytes() == b.tobytes()


def _compare(name, tensor, after, value, bound, written, sure):
    before = tensor.initial[tensor.index]
    if written is None:
        written = np.ones(tensor.shape, dtype=bool)
    written = np.broadcast_to(written, tensor.shape)
    problems = []
    if not _same(after[~written], before[~written]):
        problems.append(f"{name}: elements that should be left alone were written")
    got = decode(after, tensor.type)
    if is_float(tensor.type):
        with np.errstate(invalid="ignore"):  # a signaling NaN is one too
            value = np.broadcast_to(np.asarray(value, dtype=np.float64), tensor.shape)
            right = (np.abs(got - value) <= bound) | (got == value) | (np.isnan(got) & np.isnan(value))
    else:
        value = np.broadcast_to(np.asarray(value).astype(STORAGE[tensor.type]), tensor.shape)
        right = got == value
    if sure is not None:
        right |= ~sure & (got == got)  # any value but the poison's NaN
    wrong = written & ~right
    if wrong.any():
        places = np.argwhere(wrong)
        shown = []
        bound = np.broadcast_to(bound, tensor.shape)
        for place in map(tuple, places[:4]):
            where = ",".join(map(str, place))
            tail = f" +- {float(bound[place]):.3g}" if is_float(tensor.type) else ""
            shown.append(f"[{where}] {got[place]!s}, expected {value[place]!s}{tail}")
        problems.append(f"{name} ({tensor.type}): {len(places)} of {tensor.index.size} wrong: " + "; ".join(shown))
    return problems


# --- Enumerating --------------------------------------------------------------


def sizes(low, high):
    """A random size, small ones as likely as large ones."""
    return lambda rng: int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))


def choice(*options):
    return lambda rng: options[rng.integers(len(options))]


def each(random=None, **lists):
    """Makes a function one case per combination of the lists; `random` says how random-shape mode draws parameters
    (those it does not name come from their lists)."""

    def decorate(function):
        function.case_lists = lists
        function.case_random = random
        return function

    return decorate


def combinations(function, random_count, rng):
    """The parameter sets of a case function: all of the lists, or random ones."""
    names = list(function.case_lists)
    if not random_count:
        for values in itertools.product(*function.case_lists.values()):
            yield dict(zip(names, values))
    elif function.case_random is not None:
        for _ in range(random_count):
            drawn = {name: options[rng.integers(len(options))] for name, options in function.case_lists.items()}
            drawn.update({name: draw(rng) for name, draw in function.case_random.items()})
            yield drawn


def cases_of(topic, module, seed, random_count):
    """Every case of a topic's module as (label, function, parameters), in a fixed order."""
    rng = np.random.default_rng([seed, zlib.crc32(topic.encode())])
    for name, function in list(vars(module).items()):
        if callable(function) and hasattr(function, "case_lists"):
            for parameters in combinations(function, random_count, rng):
                text = " ".join(f"{key}={_short(value)}" for key, value in parameters.items())
                yield f"{name} {text}".strip(), function, parameters


def _short(value):
    return value.__name__ if callable(value) else str(value).replace(" ", "")
