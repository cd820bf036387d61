#!/usr/bin/env python3
"""Version 2 B-trees that index chunks: h5r shrinks datasets in every mode, libhdf5 reads what each flush leaves, shrinks and
grows it further, and h5r goes on.

usage: chunk_trees.py LIBRARY FOLDER [SEED]

Read by h5dump (libhdf5 1.10.8) and h5py (2.0.0), changed by h5py.
"""
import itertools
import os
import random
import shutil
import subprocess
import sys

import numpy as np

from h5r import H5R, U64, UNLIMITED, File, array, ok, pointer

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
import h5py  # noqa: E402

FOLDER = sys.argv[2]
RANDOM = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
MODES = "none", "lazy", "incremental", "smart"


class ModeFile(File):
    def __init__(self, path, mode, create=False):
        super().__init__(path, create)
        if mode in ("lazy", "incremental"):
            ok(H5R.h5r_set_lazy(self.handle, None))
        if mode == "incremental":
            ok(H5R.h5r_set_incremental(self.handle, None))
        if mode == "smart":
            ok(H5R.h5r_set_smart(self.handle, None))
        self.dataset = None if create else self.open("d")

    def write_new(self, values, filtered):
        self.dataset = self.create("d", U64(3), values.shape, chunk=[1] * values.ndim, max_dims=[UNLIMITED] * values.ndim,
                                   fletcher32=int(filtered))
        ok(H5R.h5r_dataset_write(self.dataset, U64(3), None, pointer(values)))

    def resize(self, extent):
        ok(H5R.h5r_dataset_set_extent(self.dataset, array(extent)))

    def read(self, shape):
        out = np.zeros(shape, "<i4")
        ok(H5R.h5r_dataset_read(self.dataset, U64(3), None, pointer(out)))
        return out

    def flush(self):
        ok(H5R.h5r_flush(self.handle))
        ok(H5R.h5r_check(self.handle))


def resized(values, extent):
    made = np.zeros(extent, values.dtype)
    kept = tuple(slice(0, min(old, new)) for old, new in zip(values.shape, extent))
    made[kept] = values[kept]
    return made


def judge(path, values):
    with h5py.File(path) as file:
        assert (file["d"][...] == values).all()
    subprocess.run(["h5dump", "-d", "/d", "-o", path + ".bin", "-b", "LE", path], check=True, stdout=subprocess.DEVNULL)
    assert (np.fromfile(path + ".bin", "<i4").reshape(values.shape) == values).all()
    os.remove(path + ".bin")


def smaller(shape):
    """The next extent: one dimension at a time, sometimes by one, sometimes by much."""
    extent = list(shape)
    d = RANDOM.randrange(len(extent))
    extent[d] = max(2, min(extent[d] - 1, int(extent[d] * RANDOM.choice((1, 0.9, 0.5)))))
    return extent


def they_change(path, values):
    """h5py shrinks to almost nothing and grows again, with sparse nodes on its way."""
    with h5py.File(path, "r+") as file:
        dataset = file["d"]
        for _ in range(8):
            extent = smaller(values.shape)
            dataset.resize(extent)
            values = resized(values, extent)
        extent = [size + RANDOM.randrange(20) for size in values.shape]
        dataset.resize(extent)
        values = resized(values, extent)
        values[-1] = dataset[-1] = 7
        values[:, 0] = dataset[:, 0] = 8
    judge(path, values)
    return values


def chain(path, mode, filtered, by_h5r, shape):
    values = np.random.default_rng(RANDOM.randrange(1000)).integers(0, 1 << 30, shape).astype("<i4")
    if by_h5r:
        file = ModeFile(path, mode, create=True)
        file.write_new(values, filtered)
    else:
        with h5py.File(path, "w", libver=("v110", "v110")) as theirs:
            theirs.create_dataset("d", data=values, chunks=(1,) * len(shape), maxshape=(None,) * len(shape), fletcher32=filtered)
        file = ModeFile(path, mode)
    snapshot = path + ".copy"
    for turn in range(3):
        for step in range(6):
            extent = smaller(values.shape)
            file.resize(extent)
            values = resized(values, extent)
            if step % 3 == 2:
                file.flush()
                shutil.copyfile(path, snapshot)
                judge(snapshot, values)
                they_change(snapshot, values)
        assert (file.read(values.shape) == values).all()
        if turn == 1:
            ok(H5R.h5r_rebalance(file.handle))
        file.close()
        judge(path, values)
        values = they_change(path, values)
        file = ModeFile(path, mode)
        assert (file.read(values.shape) == values).all()
        ok(H5R.h5r_check(file.handle))
    file.close()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    chains = list(itertools.product(MODES, (False, True), (True, False), ((70, 80), (12, 15, 30))))
    for number, (mode, filtered, by_h5r, shape) in enumerate(chains):
        chain(f"{FOLDER}/trees.h5", mode, filtered, by_h5r, shape)
    print(f"chunk_trees: {len(chains)} files, three turns each, read and changed by libhdf5")


main()
