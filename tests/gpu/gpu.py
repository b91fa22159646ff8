# gpu.py - run a kernel of a pack on numpy arrays, through the C runtime alone.
#
#   import gpu, numpy as np
#   device = gpu.open()                                # cuda:0, or the name in NRD_DEVICE
#   add = device.kernel("add.nrd", "add")
#   x = np.random.randn(1000)
#   out = add(grid=(1,), x_ptr=x, y_ptr=x, out_ptr=gpu.empty(1000), n=1000)["out_ptr"]
#   print(np.abs(out - 2 * x).max(), add.variant(), add.time(grid=(1,), x_ptr=x, ...))
#
# An array is converted to its slot's element type (bf16 and fp8 too; an array of
# their bits is taken as it is), copied to the device, and every array comes back
# after the launch: floats as float64, integers as they are. gpu.empty is poisoned, so that what was not written
# shows: NaN, or 0x5a in every byte.
import ctypes
import os
import pathlib
import re
import statistics
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "conformance")]

import nrd  # noqa: E402
from numeric import STORAGE, decode, encode, is_float, poison  # noqa: E402

LIBRARIES = (HERE / "lib/libnereid.so.0", HERE.parents[1] / "build/lib/libnereid.so")


class Empty:
    """A poisoned output."""

    def __init__(self, *shape):
        if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
            shape = shape[0]
        self.shape = shape


def empty(*shape):
    return Empty(*shape)


class Described:
    """An argument of a tensor descriptor: the array, and the tensor's shape and strides in elements if not its own."""

    def __init__(self, array, shape=None, strides=None):
        self.array, self.shape, self.strides = array, shape or array.shape, strides


def described(array, shape=None, strides=None):
    return Described(array, shape, strides)


def open(name=None, library=None):
    path = library or next((str(p) for p in LIBRARIES if p.exists()), "libnereid.so.0")
    return Device(nrd.Library(path), name or os.environ.get("NRD_DEVICE", "cuda:0"))


class Device:
    def __init__(self, library, name):
        self.library, self.name, self.packs = library, name, {}
        self.device = library.device(name)
        self.description = self.device.description
        self.handle = self.device.handle

    def kernel(self, pack, name):
        if pack not in self.packs:
            self.packs[pack] = self.library.pack(pack)
        return Kernel(self, self.packs[pack].kernel(self.device, name))


class Kernel:
    def __init__(self, device, kernel):
        self.device, self.kernel = device, kernel
        self.call = kernel.call()
        self.memory = {}  # slot: (address, bytes)

    def __del__(self):
        for address, _ in self.memory.values():
            self.device.library.buffer_free(self.device.handle, address)

    def _element(self, name):
        text = self.kernel.slots[self.kernel.slot_index[name]].type.decode()
        return re.sub(r"^tensordesc<|^\*k?|\[.*$|>$", "", text)

    def _room(self, name, size):
        address, had = self.memory.get(name, (None, -1))
        if had < size:
            if address:
                self.device.library.buffer_free(self.device.handle, address)
            pointer = ctypes.c_void_p()
            self.device.library.buffer_alloc(self.device.handle, max(size, 1), ctypes.byref(pointer))
            self.memory[name] = (pointer.value, size)
        return self.memory[name][0]

    def set(self, grid, config=None, offsets=None, **arguments):
        """Copies and sets everything; `offsets` moves an array's start by so many elements from its 256-byte boundary.
        A number for a pointer slot is an address."""
        self.arrays = {}
        for name, value in arguments.items():
            tensor = value.array if isinstance(value, Described) else value
            if isinstance(tensor, (np.ndarray, Empty)):
                element = self._element(name)
                if isinstance(tensor, Empty):
                    stored = poison(element, int(np.prod(tensor.shape)))
                else:
                    stored = np.ascontiguousarray(tensor.reshape(-1))
                    bits = stored.dtype.kind == "u" and stored.dtype == STORAGE[element]
                    if not (bits and is_float(element)):
                        stored = encode(stored, element)
                shift = (offsets or {}).get(name, 0) * stored.itemsize
                address = self._room(name, stored.nbytes + shift) + shift
                if stored.nbytes:
                    self.device.library.buffer_copy_to_device(self.device.handle, address, stored.ctypes.data,
                                                              stored.nbytes)
                self.arrays[name] = (address, stored, element, tensor.shape)
                if isinstance(value, Described):
                    self.call.set_descriptor(name, address, value.shape, value.strides)
                else:
                    self.call.set_pointer(name, address)
            elif self.kernel.slots[self.kernel.slot_index[name]].kind == 0:
                self.call.set_pointer(name, int(value))
            elif isinstance(value, (float, np.floating)):
                self.call.set_float(name, float(value))
            else:
                self.call.set_int(name, int(value))
        if config is not None:
            self.call.set_config(config)
        if grid is not None:
            self.call.set_grid(*grid)
        self.call.bind()

    def __call__(self, grid=None, config=None, offsets=None, raw=False, **arguments):
        """Every array after the launch, by name. `raw`: as stored. grid None: the pack's own."""
        self.set(grid, config, offsets, **arguments)
        self.call.launch()
        result = {}
        for name, (address, stored, element, shape) in self.arrays.items():
            after = np.empty_like(stored)
            if after.nbytes:
                self.device.library.buffer_copy_to_host(self.device.handle, after.ctypes.data, address, after.nbytes)
            result[name] = (after if raw else decode(after, element)).reshape(shape)
        return result

    def variant(self):
        """What the last launch took, in words."""
        index = ctypes.c_uint32()
        self.device.library.call_variant(self.call.handle, ctypes.byref(index))
        v = self.kernel.variants()[index.value]
        return (f"variant {index.value}: {v.target.decode()}, config {v.config}, {v.predicate_count} predicates, "
                f"{v.block[0]} threads, {v.shared_size} B shared, {v.registers} registers, {v.spill_bytes} B spilled")

    def time(self, grid=None, config=None, repeats=20, launches=10, **arguments):
        """Median microseconds of a launch; the same data each time, so what fits stays in the caches."""
        self.set(grid, config, **arguments)
        timer = _Events(self.device) if self.device.name.startswith("cuda") else _Clock(self.device)
        launch, handle = self.device.library.call_launch, self.call.handle
        launch(handle, None)
        times = []
        for _ in range(repeats):
            timer.begin()
            for _ in range(launches):
                launch(handle, None)
            times.append(timer.end() / launches)
        return statistics.median(times)


class _Clock:
    def __init__(self, device):
        self.device = device

    def begin(self):
        self.started = time.perf_counter()

    def end(self):
        self.device.library.device_synchronize(self.device.handle)
        return (time.perf_counter() - self.started) * 1e6


class _Events:
    """Two events of the driver on the default stream."""

    def __init__(self, device):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        self.context = ctypes.c_void_p(device.library.device_context(device.handle))
        self.events = [ctypes.c_void_p(), ctypes.c_void_p()]
        with self:
            for event in self.events:
                self._ok(self.cuda.cuEventCreate(ctypes.byref(event), 0))

    def __enter__(self):
        self._ok(self.cuda.cuCtxPushCurrent_v2(self.context))

    def __exit__(self, *_):
        self.cuda.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))

    @staticmethod
    def _ok(result):
        if result:
            raise RuntimeError(f"the CUDA driver answered {result}")

    def begin(self):
        with self:
            self._ok(self.cuda.cuEventRecord(self.events[0], None))

    def end(self):
        elapsed = ctypes.c_float()
        with self:
            self._ok(self.cuda.cuEventRecord(self.events[1], None))
            self._ok(self.cuda.cuEventSynchronize(self.events[1]))
            self._ok(self.cuda.cuEventElapsedTime(ctypes.byref(elapsed), *self.events))
        return elapsed.value * 1e3
