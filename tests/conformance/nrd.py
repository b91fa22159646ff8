# nrd.py - the C API of libnereid.so for Python, by ctypes: what the tests call.
import ctypes
from ctypes import POINTER, byref, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32, c_void_p

STATUS = ["OK", "INVALID_ARGUMENT", "NOT_FOUND", "INCOMPATIBLE", "CORRUPT", "OUT_OF_MEMORY", "UNAVAILABLE",
          "DRIVER_ERROR", "UNSUPPORTED", "UNTRUSTED", "KERNEL_FAILED"]


class Error(Exception):
    """A call that did not return NRD_OK: `.status` is its name without the prefix, the text is the message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = STATUS[status] if status < len(STATUS) else str(status)


class _Slot(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("type", c_char_p), ("doc", c_char_p), ("kind", c_int), ("bits", c_uint32),
                ("rank", c_uint32), ("is_signed", c_int), ("is_const", c_int), ("has_constant", c_int),
                ("constant", c_int64), ("constant_real", c_double)]


class _Variant(ctypes.Structure):
    _fields_ = [("target", c_char_p), ("symbol", c_char_p), ("config", c_uint32), ("predicate_count", c_uint32),
                ("block", c_uint32 * 3), ("cluster", c_uint32 * 3), ("shared_size", c_uint32),
                ("param_size", c_uint32), ("scratch_size", ctypes.c_uint64), ("image_size", ctypes.c_uint64),
                ("registers", c_uint32), ("spill_bytes", c_uint32), ("min_driver", c_uint32), ("runs_here", c_int)]


# name: result, arguments. Functions that return a status are checked by _call.
_FUNCTIONS = {
    "nrd_error_message": (c_char_p, []),
    "nrd_status_name": (c_char_p, [c_int]),
    "nrd_device_open": (c_int, [c_char_p, POINTER(c_void_p)]),
    "nrd_device_close": (None, [c_void_p]),
    "nrd_device_name": (c_char_p, [c_void_p]),
    "nrd_device_description": (c_char_p, [c_void_p]),
    "nrd_device_target": (c_char_p, [c_void_p]),
    "nrd_device_accepts": (c_int, [c_void_p, c_char_p]),
    "nrd_device_set_threads": (None, [c_void_p, c_uint32]),
    "nrd_device_synchronize": (c_int, [c_void_p]),
    "nrd_device_context": (c_void_p, [c_void_p]),
    "nrd_buffer_alloc": (c_int, [c_void_p, c_size_t, POINTER(c_void_p)]),
    "nrd_buffer_free": (None, [c_void_p, c_void_p]),
    "nrd_buffer_copy_to_device": (c_int, [c_void_p, c_void_p, c_void_p, c_size_t]),
    "nrd_buffer_copy_to_host": (c_int, [c_void_p, c_void_p, c_void_p, c_size_t]),
    "nrd_pack_open_file": (c_int, [c_char_p, c_void_p, POINTER(c_void_p)]),
    "nrd_pack_open_memory": (c_int, [c_void_p, c_size_t, c_void_p, POINTER(c_void_p)]),
    "nrd_pack_close": (None, [c_void_p]),
    "nrd_pack_kernel_count": (c_size_t, [c_void_p]),
    "nrd_pack_kernel_name": (c_int, [c_void_p, c_size_t, POINTER(c_char_p)]),
    "nrd_kernel_find": (c_int, [c_void_p, c_void_p, c_char_p, POINTER(c_void_p)]),
    "nrd_kernel_explain": (c_size_t, [c_void_p, c_void_p, c_char_p, c_size_t]),
    "nrd_kernel_slot_count": (c_size_t, [c_void_p]),
    "nrd_kernel_slot": (POINTER(_Slot), [c_void_p, c_size_t]),
    "nrd_kernel_variant": (POINTER(_Variant), [c_void_p, c_size_t]),
    "nrd_kernel_variant_count": (c_size_t, [c_void_p]),
    "nrd_call_create": (c_int, [c_void_p, POINTER(c_void_p)]),
    "nrd_call_destroy": (None, [c_void_p]),
    "nrd_call_set_pointer": (c_int, [c_void_p, c_uint32, c_void_p]),
    "nrd_call_set_int": (c_int, [c_void_p, c_uint32, c_int64]),
    "nrd_call_set_float": (c_int, [c_void_p, c_uint32, c_double]),
    "nrd_call_set_descriptor": (c_int, [c_void_p, c_uint32, c_void_p, POINTER(c_int64), POINTER(c_int64)]),
    "nrd_call_set_grid": (c_int, [c_void_p, c_uint32, c_uint32, c_uint32]),
    "nrd_call_set_config": (c_int, [c_void_p, c_uint32]),
    "nrd_call_bind": (c_int, [c_void_p]),
    "nrd_call_launch": (c_int, [c_void_p, c_void_p]),
    "nrd_call_variant": (c_int, [c_void_p, POINTER(c_uint32)]),
    "nrd_call_grid": (c_int, [c_void_p, POINTER(c_uint32)]),
}


class Library:
    """libnereid.so at `path`."""

    def __init__(self, path):
        self._dll = ctypes.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._dll, name)
            function.restype, function.argtypes = result, arguments

    def __getattr__(self, name):
        """library.device_open(...) is nrd_device_open with its status turned into an Error."""
        function = getattr(self._dll, "nrd_" + name)
        if _FUNCTIONS["nrd_" + name][0] is not c_int or name == "device_accepts":
            return function

        def checked(*arguments):
            status = function(*arguments)
            if status != 0:
                raise Error(status, self._dll.nrd_error_message().decode())

        return checked

    def device(self, name):
        return Device(self, name)

    def pack(self, path):
        handle = c_void_p()
        self.pack_open_file(str(path).encode(), None, byref(handle))
        return Pack(self, handle)

    def pack_from_bytes(self, data):
        """The bytes are kept alive with the pack: the library reads them where they stand."""
        buffer = ctypes.create_string_buffer(bytes(data), max(len(data), 1))
        handle = c_void_p()
        self.pack_open_memory(buffer, len(data), None, byref(handle))
        return Pack(self, handle, buffer)


class _Handle:
    """A handle that its `_end` function closes with the Python object."""

    handle = None

    def __init__(self, library, handle, *kept):
        self.library, self.handle, self._kept = library, handle, kept

    def close(self):
        if self.handle:
            self._end(self.handle)
            self.handle = None

    __del__ = close


class Device(_Handle):
    def __init__(self, library, name):
        handle = c_void_p()
        library.device_open(name.encode(), byref(handle))
        super().__init__(library, handle)

    def _end(self, handle):
        self.library.device_close(handle)

    @property
    def description(self):
        return self.library.device_description(self.handle).decode()

    @property
    def target(self):
        return self.library.device_target(self.handle).decode()

    def accepts(self, target):
        return bool(self.library.device_accepts(self.handle, target.encode()))

    def set_threads(self, count):
        self.library.device_set_threads(self.handle, count)


class Pack(_Handle):
    def _end(self, handle):
        self.library.pack_close(handle)

    def names(self):
        result = []
        for index in range(self.library.pack_kernel_count(self.handle)):
            name = c_char_p()
            self.library.pack_kernel_name(self.handle, index, byref(name))
            result.append(name.value.decode())
        return result

    def kernel(self, device, name):
        handle = c_void_p()
        self.library.kernel_find(self.handle, device.handle if device else None, name.encode(), byref(handle))
        return Kernel(self, device, handle)


class Kernel:
    """Borrowed from its pack."""

    def __init__(self, pack, device, handle):
        self.library, self.pack, self.device, self.handle = pack.library, pack, device, handle
        self.slots = [self.library.kernel_slot(handle, i).contents
                      for i in range(self.library.kernel_slot_count(handle))]
        self.slot_index = {slot.name.decode(): i for i, slot in enumerate(self.slots)}

    def variants(self):
        return [self.library.kernel_variant(self.handle, i).contents
                for i in range(self.library.kernel_variant_count(self.handle))]

    def explain(self):
        size = self.library.kernel_explain(self.handle, None, None, 0)
        buffer = ctypes.create_string_buffer(size + 1)
        self.library.kernel_explain(self.handle, None, buffer, size + 1)
        return buffer.value.decode()

    def call(self):
        handle = c_void_p()
        self.library.call_create(self.handle, byref(handle))
        return Call(self.library, handle, self)


class Call(_Handle):
    def _end(self, handle):
        self.library.call_destroy(handle)

    def _slot(self, slot):
        return self._kept[0].slot_index[slot] if isinstance(slot, str) else slot

    def set_pointer(self, slot, address):
        self.library.call_set_pointer(self.handle, self._slot(slot), address)

    def set_int(self, slot, value):
        self.library.call_set_int(self.handle, self._slot(slot), value)

    def set_float(self, slot, value):
        self.library.call_set_float(self.handle, self._slot(slot), value)

    def set_descriptor(self, slot, address, shape, strides=None):
        shape = (c_int64 * len(shape))(*shape)
        strides = (c_int64 * len(strides))(*strides) if strides is not None else None
        self.library.call_set_descriptor(self.handle, self._slot(slot), address, shape, strides)

    def set_grid(self, x, y=1, z=1):
        self.library.call_set_grid(self.handle, x, y, z)

    def set_config(self, config):
        self.library.call_set_config(self.handle, config)

    def bind(self):
        self.library.call_bind(self.handle)

    def launch(self):
        self.library.call_launch(self.handle, None)
        self.library.device_synchronize(self._kept[0].device.handle)

    def target(self):
        """Of the variant that the last bind chose."""
        index = c_uint32()
        self.library.call_variant(self.handle, byref(index))
        return self._kept[0].variants()[index.value].target.decode()
