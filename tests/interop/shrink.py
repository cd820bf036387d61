#!/usr/bin/env python3
"""Files of libhdf5 that shrink: h5r deletes datasets, the data of the others move into their space, and libhdf5 reads and
changes what is left.

usage: shrink.py LIBRARY FOLDER
"""
import os
import subprocess
import sys

import h5py
import numpy as np

from h5r import H5R, File, ok

FOLDER = sys.argv[2]
SHAPE = (2500, 40)
LAYOUTS = [
    {},
    {"chunks": (100, 40)},
    {"chunks": (100, 40), "maxshape": (None, 40)},
    {"chunks": (100, 40), "maxshape": (None, None), "compression": 3, "shuffle": True},
    {"chunks": SHAPE},
    {},
    {"chunks": (7, 40), "compression": 1},
    {"chunks": (50, 40), "fletcher32": True},
]
DELETED = (0, 2, 4)
KEPT = (1, 3, 5, 6, 7)


def create(path, bounds):
    """All datasets first, then their data."""
    values = np.random.default_rng(5).integers(0, 1 << 30, (len(LAYOUTS), *SHAPE)).astype("<i4")
    with h5py.File(path, "w", libver=bounds) as file:
        datasets = [file.create_dataset(f"d{n}", SHAPE, "<i4", **layout) for n, layout in enumerate(LAYOUTS)]
        for dataset, data in zip(datasets, values):
            dataset[...] = data
    return values


def delete(path):
    """In mode lazy, which has the file shrink when it is closed."""
    file = File(path)
    ok(H5R.h5r_set_lazy(file.handle, None))
    for number in DELETED:
        ok(H5R.h5r_link_delete(file.root, f"d{number}".encode()))
    file.close()


def compare(path, values):
    with h5py.File(path) as file:
        for number in KEPT:
            assert (file[f"d{number}"][...] == values[number]).all(), (path, number)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for bounds in ("earliest", "latest"), ("v108", "latest"), ("v110", "latest"), ("latest", "latest"):
        path = f"{FOLDER}/shrink_{bounds[0]}.h5"
        values = create(path, bounds)
        before = os.path.getsize(path)
        delete(path)
        after = os.path.getsize(path)
        assert after < before * 0.66, (path, before, after)
        compare(path, values)
        with h5py.File(path, "r+") as file:
            for number in KEPT:
                file[f"d{number}"][10:2000:7] = number
                values[number][10:2000:7] = number
            file["new"] = values[0]
        compare(path, values)
        if bounds[0] != "latest":
            subprocess.run(["h5dump", "-H", path], check=True, stdout=subprocess.DEVNULL)
        print(f"{bounds[0]}: {before} bytes, {after} after three of eight datasets were deleted")


main()
