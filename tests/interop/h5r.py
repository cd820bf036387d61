"""h5r through its C ABI, for the scripts beside this one: the library is their first argument."""
import ctypes
import sys

import h5py

H5R = ctypes.CDLL(sys.argv[1])
H5R.h5r_last_error.restype = ctypes.c_char_p
H5R.h5r_root.restype = ctypes.c_void_p
H5R.h5r_root.argtypes = [ctypes.c_void_p]
I32 = ctypes.c_int32
U64 = ctypes.c_uint64
U64S = ctypes.POINTER(U64)
# The newest format but "latest" that this libhdf5 writes.
NEWEST = "v114" if hasattr(h5py.h5f, "LIBVER_V114") else "v110"
UNLIMITED = 2**64 - 1
COMPACT, CONTIGUOUS, CHUNKED = range(3)


class Selection(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_size_t)] + [(name, U64S) for name in ("start", "stride", "count", "block")]


class CreateOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("cache_bytes", U64)]
    _fields_ += [(name, I32) for name in ("exclusive", "format", "locking", "durability")]
    _fields_ += [("links", I32 * 3), ("attributes", I32 * 3), ("threads", ctypes.c_uint32), ("reserved", I32)]

    def __init__(self, cache_bytes=64 << 20, **others):
        others = {"links": (8, 6, 0), "attributes": (8, 6, 0)} | others
        super().__init__(struct_size=ctypes.sizeof(CreateOptions), cache_bytes=cache_bytes, **others)


class Filter(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32), ("optional", ctypes.c_uint32)]
    _fields_ += [("parameters", ctypes.POINTER(ctypes.c_uint32)), ("count", ctypes.c_size_t)]


class DatasetOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("max_dims", U64S), ("chunk", U64S), ("fill_value", ctypes.c_void_p)]
    _fields_ += [("fill_type", U64)]
    _fields_ += [(name, I32) for name in ("layout", "allocation", "fill_time", "is_null")]
    _fields_ += [("attributes", I32 * 3), ("reserved", I32)]
    _fields_ += [(name, I32) for name in ("deflate", "shuffle", "fletcher32", "reserved_2")]
    _fields_ += [("filters", ctypes.POINTER(Filter)), ("filter_count", ctypes.c_size_t)]

    def __init__(self, chunk=None, max_dims=None, layout=CONTIGUOUS, **others):
        """Lists, and no layout where there is a chunk."""
        super().__init__(struct_size=ctypes.sizeof(DatasetOptions), attributes=(8, 6, 0), **others)
        self.layout = CHUNKED if chunk else layout
        self.chunk, self.max_dims = (array(extents) if extents else None for extents in (chunk, max_dims))


def ok(status):
    if status != 0:
        raise RuntimeError(H5R.h5r_last_error().decode())


def array(values):
    return (U64 * len(values))(*values)


def pointer(values):
    return values.ctypes.data_as(ctypes.c_void_p)


class File:
    """An open file of h5r."""

    def __init__(self, path, create=False):
        """`create` may be options."""
        self.handle = ctypes.c_void_p()
        options = ctypes.byref(create) if isinstance(create, CreateOptions) else None
        ok((H5R.h5r_create if create else H5R.h5r_open)(path.encode(), options, ctypes.byref(self.handle)))
        self.root = ctypes.c_void_p(H5R.h5r_root(self.handle))

    def close(self):
        ok(H5R.h5r_check(self.handle))
        ok(H5R.h5r_close(self.handle))

    def open(self, name):
        found = ctypes.c_void_p()
        ok(H5R.h5r_object_open(self.root, name.encode(), ctypes.byref(found)))
        return found

    def type(self, name):
        token = U64()
        ok(H5R.h5r_object_type(self.open(name), ctypes.byref(token)))
        return token

    def create(self, name, token, dims, **options):
        """With fields of DatasetOptions."""
        options = DatasetOptions(**options)
        made = ctypes.c_void_p()
        ok(H5R.h5r_dataset_create(self.root, name.encode(), token, ctypes.c_size_t(len(dims)), array(dims),
                                  ctypes.byref(options), ctypes.byref(made)))
        return made
