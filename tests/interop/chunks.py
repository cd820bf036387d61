#!/usr/bin/env python3
"""Chunked datasets between libhdf5 (h5py, in this process) and h5r (through its C ABI).

usage: chunks.py LIBRARY FOLDER [SEED]

Every index, filter and several types and shapes: what h5py writes, h5r reads value for value, whole and in random
hyperslabs.
"""
import ctypes
import os
import random
import sys

import h5py
import numpy as np

H5R = ctypes.CDLL(sys.argv[1])
FOLDER = sys.argv[2]
RANDOM = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
H5R.h5r_last_error.restype = ctypes.c_char_p
H5R.h5r_root.restype = ctypes.c_void_p
H5R.h5r_root.argtypes = [ctypes.c_void_p]
U64S = ctypes.POINTER(ctypes.c_uint64)


class Selection(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_size_t)] + [(name, U64S) for name in ("start", "stride", "count", "block")]


def ok(status):
    if status != 0:
        raise RuntimeError(H5R.h5r_last_error().decode())


def array(values):
    return (ctypes.c_uint64 * len(values))(*values)


class File:
    """An open file of h5r."""

    def __init__(self, path):
        self.handle = ctypes.c_void_p()
        ok(H5R.h5r_open(path.encode(), None, ctypes.byref(self.handle)))
        self.root = ctypes.c_void_p(H5R.h5r_root(self.handle))

    def close(self):
        ok(H5R.h5r_check(self.handle))
        ok(H5R.h5r_close(self.handle))

    def open(self, name):
        dataset = ctypes.c_void_p()
        ok(H5R.h5r_object_open(self.root, name.encode(), ctypes.byref(dataset)))
        return dataset


def token(dtype):
    """The constant of a predefined type, from the header."""
    dtype = np.dtype(dtype)
    name = "H5R_" + {"i": "I", "u": "U", "f": "F"}[dtype.kind] + str(8 * dtype.itemsize)
    name += "_BE" if dtype.byteorder == ">" else ""
    return ctypes.c_uint64(TYPES[name])


def types():
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/h5r.h")
    found = {}
    for line in open(header):
        words = line.split()
        if len(words) == 3 and words[0] == "#define" and words[1].startswith(("H5R_I", "H5R_U", "H5R_F")):
            try:
                found[words[1]] = int(words[2].rstrip("uULl"), 0)
            except ValueError:
                pass
    return found


TYPES = types()


def slabs(shape):
    """A random selection: as h5r takes it, and as indices for numpy."""
    start, stride, count, block, indices = [], [], [], [], []
    for extent in shape:
        s = RANDOM.randrange(extent)
        b = min(RANDOM.choice([1, 1, 2, 5, 100]), extent - s)
        st = b + RANDOM.choice([0, 0, 1, 3, 40])
        c = RANDOM.randint(1, (extent - s - b) // st + 1)
        start.append(s), stride.append(st), count.append(c), block.append(b)
        indices.append(np.array([s + i * st + j for i in range(c) for j in range(b)]))
    selection = Selection(len(shape), array(start), array(stride), array(count), array(block))
    return selection, np.ix_(*indices)


def read(dataset, dtype, shape, selection=None):
    out = np.full(shape, 0x55, dtype)
    pointer = ctypes.byref(selection) if selection else None
    ok(H5R.h5r_dataset_read(dataset, token(dtype), pointer, out.ctypes.data_as(ctypes.c_void_p)))
    return out


FILTERS = {
    "plain": {},
    "deflate": {"compression": "gzip", "compression_opts": 4},
    "shuffle_deflate": {"compression": "gzip", "compression_opts": 6, "shuffle": True},
    "fletcher32": {"fletcher32": True},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
    "shuffle_lzf_fletcher32": {"compression": "lzf", "shuffle": True, "fletcher32": True},
}
SHAPES = [
    ((100,), (None,), (7,)),
    ((100,), (100,), (100,)),
    ((5000,), (5000,), (2,)),
    ((3000,), (9000,), (1,)),
    ((40, 33), (40, 33), (8, 33)),
    ((40, 33), (41, None), (9, 5)),
    ((40, 33), (None, 33), (4, 33)),
    ((40, 33), (None, None), (3, 4)),
    ((11, 12, 13), (None, 12, None), (4, 5, 6)),
    ((11, 12, 13), (11, 12, 13), (4, 12, 13)),
    ((3, 4, 5, 6), (None, 4, 5, 6), (2, 3, 2, 6)),
    ((200000,), (None,), (13,)),
]
DTYPES = ["<i4", ">i2", "<f8", "<u1", ">f4", "<i8"]


def data(shape, dtype, noise):
    count = int(np.prod(shape))
    values = np.arange(count, dtype="i8") * 3 % 101
    if noise:
        values = np.random.default_rng(RANDOM.randrange(1 << 30)).integers(0, 127, count)
    return values.astype(dtype).reshape(shape)


def write_with_libhdf5(path, libver):
    """Datasets of every kind; some written in full, some in parts, some with a fill value. Returns what they hold."""
    expected = {}
    with h5py.File(path, "w", libver=libver) as file:
        for number, (shape, maxshape, chunks) in enumerate(SHAPES):
            for name, options in FILTERS.items():
                dtype = np.dtype(RANDOM.choice(DTYPES))
                fill = RANDOM.choice([None, 7])
                key = f"{number}_{name}"
                dataset = file.create_dataset(
                    key, shape, dtype, maxshape=maxshape, chunks=chunks, fillvalue=fill, **options
                )
                values = data(shape, dtype, RANDOM.random() < 0.3)
                if RANDOM.random() < 0.5:
                    dataset[...] = values
                else:
                    whole = np.full(shape, fill or 0, dtype)
                    for _ in range(3):
                        corner = tuple(slice(a := RANDOM.randrange(n), RANDOM.randint(a + 1, n)) for n in shape)
                        dataset[corner] = values[corner]
                        whole[corner] = values[corner]
                    values = whole
                expected[key] = values
    return expected


def check_reading(path, expected):
    file = File(path)
    for key, values in expected.items():
        dataset = file.open(key)
        assert np.array_equal(read(dataset, values.dtype, values.shape), values), key
        for _ in range(5):
            selection, indices = slabs(values.shape)
            part = values[indices]
            memory = RANDOM.choice([values.dtype, values.dtype, np.dtype("<f8"), np.dtype(">i4")])
            found = read(dataset, memory, part.shape, selection)
            assert np.array_equal(found, part.astype(memory)), (key, memory)
        ok(H5R.h5r_object_close(dataset))
    file.close()


def reading():
    for libver in (("earliest", "v108"), ("v108", "v108"), ("v110", "v110"), ("latest", "latest")):
        path = os.path.join(FOLDER, f"chunks_{libver[1]}.h5")
        expected = write_with_libhdf5(path, libver)
        try:
            check_reading(path, expected)
        except RuntimeError as error:
            if libver[0] == "earliest" and "superblock" in str(error):
                print(f"{libver}: {error}")
                continue
            raise
        print(f"{libver}: {len(expected)} datasets of libhdf5 {h5py.version.hdf5_version} are read")


reading()
