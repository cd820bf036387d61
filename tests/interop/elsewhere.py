#!/usr/bin/env python3
"""Raw data in external files: h5r writes them, and libhdf5 reads them and writes on.

usage: elsewhere.py LIBRARY FOLDER
"""
import ctypes
import os
import sys

import h5py
import numpy as np

from h5r import H5R, File, Selection, array, ok, pointer

FOLDER = sys.argv[2]


def token(name):
    for line in open(os.path.join(os.path.dirname(__file__), "../../include/h5r.h")):
        words = line.split()
        if len(words) >= 3 and words[:2] == ["#define", name]:
            return ctypes.c_uint64(int(words[2]))
    raise KeyError(name)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    os.chdir(FOLDER)
    for name in "one.raw", "two.raw", "whole.raw":
        if os.path.exists(name):
            os.remove(name)
    values, number = np.arange(60, dtype="<i4").reshape(6, 10), token("H5R_I32")
    with h5py.File("elsewhere.h5", "w") as file:
        file.create_dataset("parts", (6, 10), "<i4", external=[("one.raw", 12, 100), ("two.raw", 0, h5py.h5f.UNLIMITED)])
        file.create_dataset("whole", (6, 10), ">f8", external=[("whole.raw", 0, 480)])
        file.create_dataset("short", (6, 10), "<i4", external=[("short.raw", 0, 240)])
    file = File("elsewhere.h5")
    parts, whole = file.open("parts"), file.open("whole")
    ok(H5R.h5r_dataset_write(parts, number, None, pointer(values)))
    some = Selection(2, array([1, 1]), array([2, 3]), array([2, 3]), array([1, 2]))
    new = np.arange(100, 112, dtype="<i4")
    ok(H5R.h5r_dataset_write(whole, number, ctypes.byref(some), pointer(new)))
    ok(H5R.h5r_dataset_write(parts, number, ctypes.byref(some), pointer(new)))
    file.close()
    expected = np.zeros((6, 10))
    for place, value in zip([(r, c + d) for r in (1, 3) for c in (1, 4, 7) for d in (0, 1)], new):
        values[place] = expected[place] = value
    assert os.path.getsize("one.raw") == 112 and os.path.getsize("two.raw") == 140
    with h5py.File("elsewhere.h5", "r+") as file:
        assert (file["parts"][...] == values).all(), file["parts"][...]
        assert (file["whole"][...] == expected).all(), file["whole"][...]
        file["whole"][5] = 7.5
        expected[5] = 7.5
    file, found = File("elsewhere.h5"), np.zeros((6, 10))
    ok(H5R.h5r_dataset_read(file.open("whole"), token("H5R_F64"), None, pointer(found)))
    assert (found == expected).all()
    assert not os.path.exists("short.raw")
    file.close()
    print(f"{FOLDER}/elsewhere.h5: external raw data are written as libhdf5 writes them")


if __name__ == "__main__":
    main()
