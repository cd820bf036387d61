#!/usr/bin/env python3
"""Datasets of libhdf5 whose chunks at the edges are not filtered, and of which none is written.

usage: unfiltered_edges.py FILE
"""
import ctypes
import sys

import h5py
import numpy as np

UNLIMITED = h5py.h5s.UNLIMITED
SHAPES = [
    ((30,), (40,), (4,)),
    ((9, 8), (9, 8), (9, 8)),
    ((40, 5), (UNLIMITED, 5), (3, 5)),
    ((20, 21), (20, UNLIMITED), (4, 3)),
    ((20, 21), (UNLIMITED, UNLIMITED), (4, 3)),
]


def create(file, name, dims, most, chunk, add_filters):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunk)
    plist.set_fill_value(np.array(7, "<i4"))
    add_filters(plist)
    # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
    assert ctypes.CDLL(h5py.h5p.__file__).H5Pset_chunk_opts(ctypes.c_int64(plist.id), 2) >= 0
    h5py.h5d.create(file.id, name, h5py.h5t.STD_I32LE, h5py.h5s.create_simple(dims, most), plist)


with h5py.File(sys.argv[1], "w", libver="v110") as file:
    for number, shape in enumerate(SHAPES):
        create(file, b"%d" % number, *shape, lambda plist: plist.set_deflate(4))
    # Scale-offset with 3 bits, which may not be skipped.
    create(file, b"strict", (2,), (UNLIMITED,), (4,), lambda plist: plist.set_filter(6, 0, (2, 3)))
