#!/usr/bin/env python3
"""Files with addresses and lengths of other sizes, made with h5py (libhdf5 2.0.0): sizes.py FOLDER

sizes_4.h5    values of variable length, references and what contains them, in every layout, behind filters, as fill values and in
              attributes; addresses and lengths of 4 bytes
empty_4.h5    nothing; of 4 bytes
empty_2.h5    nothing; of 2 bytes
"""
import sys

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

TEXT = h5py.string_dtype()
RECORD = np.dtype([("n", "<i2"), ("text", TEXT), ("x", "<f8"), ("more", TEXT)])
RECORDS = np.array([(n, f"text {n}" * n, n / 2, "more" * (n % 3)) for n in range(7)], dtype=RECORD)


def create(path, size, version):
    creation, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    creation.set_sizes(size, size)
    access.set_libver_bounds(*version)
    return h5py.File(h5f.create(path.encode(), h5f.ACC_TRUNC, creation, access))


def fills(file, name, chunks):
    creation = h5p.create(h5p.DATASET_CREATE)
    creation.set_fill_value(np.array(b"what was not written", dtype=TEXT))
    if chunks:
        creation.set_chunk(chunks)
    dataset = h5d.create(file.id, name, h5t.py_create(TEXT, logical=True), h5s.create_simple((9,)), creation)
    h5py.Dataset(dataset)[2:4] = ["two", "three"]


def values(file):
    texts = ["", "one", "two " * 40, "three", "four"]
    file.create_dataset("texts", data=texts, dtype=TEXT)
    file.create_dataset("chunks", data=texts * 3, dtype=TEXT, chunks=(4,), maxshape=(None,))
    file.create_dataset("packed", data=texts * 3, dtype=TEXT, chunks=(15,), shuffle=True, compression="gzip", fletcher32=False)
    file.create_dataset("records", data=RECORDS)
    file.create_dataset("record chunks", data=RECORDS, chunks=(3,), shuffle=True, compression="gzip")
    creation = h5p.create(h5p.DATASET_CREATE)
    creation.set_chunk((3,))
    creation.set_filter(5, 1)
    record = h5t.py_create(RECORD, logical=True)
    h5py.Dataset(h5d.create(file.id, b"n-bit", record, h5s.create_simple((7,)), creation))[...] = RECORDS
    array = h5t.array_create(h5t.py_create(TEXT, logical=True), (2,))
    pairs = np.array([["a", "b"], ["c", "d" * 50], ["", "f"]], dtype=object)
    h5py.Dataset(h5d.create(file.id, b"pairs", array, h5s.create_simple((3,))))[...] = pairs
    lists = file.create_dataset("lists", (5,), h5py.vlen_dtype("<i2"))
    for number in range(1, 5):
        lists[number] = np.arange(number)
    nested = h5t.vlen_create(h5t.py_create(TEXT, logical=True))
    h5py.Dataset(h5d.create(file.id, b"nested", nested, h5s.create_simple((2,))))[0] = np.array(["p", "qq"], dtype=object)
    compact = h5p.create(h5p.DATASET_CREATE)
    compact.set_layout(h5d.COMPACT)
    file.create_dataset("compact", data=texts, dtype=TEXT, dcpl=compact)
    fills(file, b"filled", None)
    fills(file, b"filled chunks", (4,))
    file["type"] = RECORD
    file.create_dataset("of the type", data=RECORDS, dtype=file["type"])
    file["of the type"].attrs.create("records", RECORDS[:2], dtype=file["type"])


def references(file):
    region = file["texts"].regionref[1:3]
    for name, dtype, value in (("objects", h5py.ref_dtype, file["lists"].ref), ("regions", h5py.regionref_dtype, region)):
        file.create_dataset(name, (5,), dtype)[1] = value
        file.create_dataset(f"{name} chunks", (5,), dtype, chunks=(2,), shuffle=True, compression="gzip")[3] = value
        file[name].attrs.create("reference", value, dtype=dtype)
        record = np.dtype([("n", "<i2"), ("r", dtype), ("x", "<f8")])
        file.create_dataset(f"{name} in records", (2,), record)[1] = (3, value, 0.5)
        file.create_dataset(f"lists of {name}", (2,), h5py.vlen_dtype(dtype))[0] = [value, value]


def main(folder):
    with create(f"{folder}/sizes_4.h5", 4, (h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)) as file:
        values(file)
        references(file)
        group = file.create_group("group")
        for number in range(12):
            group.attrs[f"text {number}"] = f"value {number}" * number
        group.attrs["records"] = RECORDS
        layout = h5py.VirtualLayout((4,), "<i2")
        layout[...] = h5py.VirtualSource("elsewhere.h5", "data", (4,))
        file.create_virtual_dataset("virtual", layout)
    for size in 4, 2:
        create(f"{folder}/empty_{size}.h5", size, (h5f.LIBVER_V110, h5f.LIBVER_V110)).close()


main(sys.argv[1])
