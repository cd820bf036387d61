#!/usr/bin/env python3
"""Writes the seed files of libhdf5 to fuzz/seeds (h5py is needed; 2.x writes every format). Those of h5r are written by
`cargo test --test hostile -- --ignored write_seeds`."""

import os

import h5py
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")


def fill(f, dense):
    f.attrs["text"] = "hello"
    f.attrs["number"] = np.arange(3, dtype=">i2")
    group = f.create_group("group", track_order=True)
    for number in range(12 if dense else 3):
        group.attrs[f"a{number}"] = number
        group[f"soft{number}"] = h5py.SoftLink("/group")
    group["external"] = h5py.ExternalLink("other.h5", "/x")
    f["type"] = np.dtype([("a", "<i4"), ("b", "S5"), ("c", "<f8", (2,))])
    f.create_dataset("contiguous", data=np.arange(6, dtype="i4").reshape(2, 3))
    f.create_dataset("committed", (2,), dtype=f["type"])
    f["hard"] = f["group"]
    f.create_dataset("text", data=["a", "bc"], dtype=h5py.string_dtype())
    f.create_dataset("enum", data=np.zeros(3, dtype=h5py.enum_dtype({"RED": 0, "BLUE": 1})))


def chunked(f):
    f.create_dataset("btree", data=np.arange(24, dtype="u1").reshape(4, 6), chunks=(2, 2), maxshape=(None, None))
    f.create_dataset("single", data=np.arange(8, dtype="u1"), chunks=(8,), compression="gzip")
    f.create_dataset("fixed", data=np.arange(12, dtype="u1"), chunks=(3,))
    f.create_dataset("extensible", data=np.arange(40, dtype="u1"), chunks=(2,), maxshape=(None,), shuffle=True)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    bounds = {"earliest": "earliest", "v108": ("v108", "v108"), "v110": ("v110", "v110"), "latest": ("latest", "latest")}
    for name, bound in bounds.items():
        for dense in [False, True]:
            path = os.path.join(FOLDER, f"libhdf5_{name}_{'dense' if dense else 'compact'}.h5")
            with h5py.File(path, "w", libver=bound) as f:
                fill(f, dense)
        with h5py.File(os.path.join(FOLDER, f"libhdf5_{name}_chunked.h5"), "w", libver=bound) as f:
            chunked(f)
    persisted = dict(fs_strategy="fsm", fs_persist=True)
    with h5py.File(os.path.join(FOLDER, "libhdf5_persisted.h5"), "w", libver=("v110", "v110"), **persisted) as f:
        f["a"] = np.zeros(300)
        f["b"] = np.zeros(300)
        del f["a"]
    for name in sorted(os.listdir(FOLDER)):
        print(os.path.getsize(os.path.join(FOLDER, name)), name)


main()
