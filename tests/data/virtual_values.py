#!/usr/bin/env python3
"""Virtual datasets of values of variable length and references that are in another file, made with h5py (libhdf5 2.0.0).

usage: virtual_values.py FOLDER   (virtual_values.h5, virtual_values_source.h5)
"""
import os
import sys

import h5py
import numpy as np

TEXT, LIST = h5py.string_dtype(), h5py.vlen_dtype("<i2")
RECORD = np.dtype([("n", "<i2"), ("text", TEXT)])
KINDS = {"texts": TEXT, "lists": LIST, "records": RECORD, "objects": h5py.ref_dtype, "regions": h5py.regionref_dtype}

os.chdir(sys.argv[1])
with h5py.File("virtual_values_source.h5", "w") as file:
    file["texts"] = np.array(["", "one", "two"], dtype=TEXT)
    file["records"] = np.array([(n, f"text {n}") for n in range(3)], dtype=RECORD)
    lists = file.create_dataset("lists", (3,), LIST)
    objects = file.create_dataset("objects", (3,), h5py.ref_dtype)
    regions = file.create_dataset("regions", (3,), h5py.regionref_dtype)
    for number in 1, 2:
        lists[number] = np.arange(number)
        objects[number] = lists.ref
        regions[number] = lists.regionref[:number]
with h5py.File("virtual_values.h5", "w", libver="v110") as file:
    for name, dtype in KINDS.items():
        layout = h5py.VirtualLayout((5,), dtype)
        layout[1:4] = h5py.VirtualSource("virtual_values_source.h5", name, (3,), dtype=dtype)
        file.create_virtual_dataset(name, layout)
