#!/usr/bin/env python3
"""Makes a small file with every kind of dataset.

usage: datasets.py FOLDER        (with h5py over libhdf5 2.0)

Writes datasets.h5, and datasets.txt with a line per dataset: name, address of the object header, bytes of raw data.
"""
import os
import sys

import h5py
import numpy as np

os.chdir(sys.argv[1])
with h5py.File("datasets.h5", "w", libver=("v108", "v108")) as file:
    values = lambda count: np.arange(count) * 3 - 7
    file["native"] = values(20).astype("<i4").reshape(4, 5)
    file["swapped"] = values(20).astype(">i8").reshape(4, 5)
    file["floats"] = values(20).astype(">f4")
    file["scalar"] = np.int16(-7)
    file["null"] = h5py.Empty("i4")
    file["type"] = np.dtype("<i2")
    file.create_dataset("committed", (6,), file["type"], data=values(6))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((9,))
    compact = h5py.Dataset(h5py.h5d.create(file.id, b"compact", h5py.h5t.STD_I32LE, space, plist))
    compact[:] = values(9)
    file.create_dataset("filled", (2, 3), "<i4", fillvalue=42)
    file.create_dataset("chunked", data=values(20), chunks=(6,), dtype="<i4")
    file.create_dataset("external", (4,), "<i4", external=[("/dev/null", 0, 16)])
    file.create_dataset("enumeration", data=np.array([False, True, False]))
    file.create_dataset("variable", data=["a", "bc"], dtype=h5py.string_dtype())
with h5py.File("datasets.h5", "a", libver=("v110", "v110")) as file:
    layout = h5py.VirtualLayout((20,), "<i4")
    layout[:] = h5py.VirtualSource(".", "chunked", (20,))
    file.create_virtual_dataset("virtual", layout)
with h5py.File("datasets.h5", "r") as file, open("datasets.txt", "w") as out:
    for name, dataset in file.items():
        if isinstance(dataset, h5py.Dataset):
            size = 0 if name in ("external", "virtual") else dataset.id.get_storage_size()
            print(name, h5py.h5o.get_info(dataset.id).addr, size, file=out)
