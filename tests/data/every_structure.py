#!/usr/bin/env python3
"""Makes a small file with every structure that the checker knows, for tests/check.rs, and one with paged file space.

Usage: every_structure.py FOLDER (h5py 3 over libhdf5 2.0)

every_structure.h5   format 1.10, a superblock extension with persisted free-space managers, dense attributes and links with
                     creation order indexed, deep enough for internal nodes and indirect blocks, a huge attribute, a
                     continued object header, all chunk indexes, external files, variable-length values, a committed
                     datatype, several links to one object
paged.h5             paged file space with persisted free-space managers, and free space of every class
"""

import sys

import h5py
import numpy as np

with h5py.File(f"{sys.argv[1]}/every_structure.h5", "w", libver=("v110", "v110"), track_order=True,
               fs_strategy="fsm", fs_persist=True, fs_threshold=1) as f:
    group = f.create_group("group", track_order=True)
    for i in range(60):
        group.attrs.create(f"attribute{i}", np.arange(i % 20, dtype="<i4"))
        group[f"link{i}"] = h5py.SoftLink(f"/somewhere/{i}")
    group.attrs.create("huge", np.zeros(5000, "u1"))
    for i in range(0, 60, 3):
        del group.attrs[f"attribute{i}"]
    plain = f.create_group("plain")
    for i in range(7):
        plain.attrs.create(f"compact{i}", np.arange(i, dtype="<i4"))
    f["hard"] = plain
    plain["loop"] = group
    f["type"] = np.dtype("<f4")
    f.create_dataset("shares the type", data=np.zeros(4, "<f4"), dtype=f["type"])
    f.create_dataset("contiguous", data=np.arange(50, dtype="<i2"))
    f.create_dataset("fixed array", (40,), "u1", chunks=(1,))[::3] = 1
    f.create_dataset("paged", (1500,), "u1", chunks=(1,))[::100] = 1
    f.create_dataset("extensible array", (400,), "u1", chunks=(1,), maxshape=(None,))[::2] = 1
    f.create_dataset("b-tree", (15, 15), "u1", chunks=(1, 1), maxshape=(None, None))[::2] = 1
    f.create_dataset("filtered", (100,), "u1", chunks=(30,), maxshape=(None,), compression="gzip")[:] = 1
    f.create_dataset("single", (10,), "u1", chunks=(10,))[:] = 1
    f.create_dataset("external", (10,), "u1", external=[("external.bin", 0, 10)])
    f.create_dataset("strings", (3,), h5py.string_dtype())[:] = ["one", "two", "three"]

with h5py.File(f"{sys.argv[1]}/paged.h5", "w", libver=("v110", "v110"), fs_strategy="page", fs_persist=True, fs_threshold=1,
               fs_page_size=512) as f:
    for i in range(8):
        f.create_dataset(f"dataset{i}", data=np.arange(20 * i + 1, dtype="<i4"))
    for i in range(0, 8, 2):
        del f[f"dataset{i}"]
