#!/usr/bin/env python3
"""Fill values of variable length: h5r writes, appends to, grows, shrinks and deletes such datasets of libhdf5's and its own, and
libhdf5 reads, overwrites and deletes what is left.

usage: fills.py LIBRARY FOLDER
"""
import ctypes
import os
import shutil
import sys

import h5py
import numpy as np

from h5r import CHUNKED, COMPACT, CONTIGUOUS, H5R, UNLIMITED, U64, File, Selection, array, ok

FOLDER = sys.argv[2]
FILL = "what was never written"
LAYOUTS = {
    "contiguous": {},
    "chunks": {"chunks": (3, 2), "maxshape": (None, None)},
    "deflated": {"chunks": (4, 5), "maxshape": (None, 5), "compression": 3},
    "large": {"chunks": (100, 5), "maxshape": (None, 5)},
    # Allocated early: an implicit index, where the format has it, and others.
    "implicit": {"chunks": (3, 2), "maxshape": (20, 5)},
    "early": {"chunks": (3, 2), "maxshape": (None, 5), "compression": 3},
}
ARE_EARLY = "implicit", "early"
SHAPE = (7, 5)
# H5R_ALLOCATION_EARLY
EARLY = 2


def selection(start, count):
    return Selection(2, array(start), None, array(count), None)


def write(dataset, token, values, start):
    rows, columns = np.shape(values)
    data = (ctypes.c_char_p * (rows * columns))(*(value.encode() for row in values for value in row))
    ok(H5R.h5r_dataset_write(dataset, token, ctypes.byref(selection(start, [rows, columns])), data))


def collections(path):
    """The global heap's collections in a file, and the objects in them."""
    content, found, objects = open(path, "rb").read(), 0, 0
    at = content.find(b"GCOL\1")
    while at >= 0:
        found, size, place = found + 1, int.from_bytes(content[at + 8:at + 16], "little"), at + 16
        while place + 16 <= at + size and content[place:place + 2] != b"\0\0":
            objects += 1
            place += 16 + (int.from_bytes(content[place + 8:place + 16], "little") + 7) // 8 * 8
        at = content.find(b"GCOL\1", at + 1)
    return found, objects


def make_by_h5py(path, bounds):
    with h5py.File(path, "w", libver=bounds) as file:
        for name, layout in LAYOUTS.items():

            def create(name, is_early=name in ARE_EARLY, layout=layout):
                plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                if is_early:
                    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                return file.create_dataset(name, SHAPE, h5py.string_dtype(), fillvalue=FILL, dcpl=plist, **layout)

            create(name)
            written = create(f"{name} written")
            written[2:4, 1:3] = "libhdf5"
        file["kept"] = ["this", "stays"]


def make_by_h5r(path):
    file = File(path, create=True)
    token = U64()
    ok(H5R.h5r_type_string_variable(0, 1, ctypes.byref(token)))
    fill = (ctypes.c_char_p * 1)(FILL.encode())
    options = {"fill_value": ctypes.cast(fill, ctypes.c_void_p)}
    for name in LAYOUTS:
        for name in name, f"{name} written":
            layout = LAYOUTS[name.split()[0]]
            shape = [UNLIMITED if most is None else most for most in layout["maxshape"]] if layout else None
            allocation = EARLY if name.split()[0] in ARE_EARLY else 0
            dataset = file.create(name, token, SHAPE, chunk=layout.get("chunks"), max_dims=shape, deflate=layout.get("compression", 0), allocation=allocation, **options)
            if name.endswith("written"):
                write(dataset, token, [["libhdf5"] * 2] * 2, [2, 1])
            ok(H5R.h5r_object_close(dataset))
    ok(H5R.h5r_object_close(file.create("contiguous early", token, SHAPE, allocation=EARLY, **options)))
    dataset = file.create("compact", token, [2, 3], layout=COMPACT, **options)
    write(dataset, token, [["one"]], [1, 1])
    kept = file.create("kept", token, [2, 1])
    write(kept, token, [["this"], ["stays"]], [0, 0])
    file.close()


def change(path, model):
    file = File(path)
    token = file.type("contiguous")
    for name in [name for name in model if name != "compact"]:
        dataset, values = file.open(name), model[name]

        def put(start, text, rows, columns):
            write(dataset, token, [[f"{text} {r} {c}" for c in range(columns)] for r in range(rows)], start)
            values[start[0]:start[0] + rows, start[1]:start[1] + columns] = [[f"{text} {r} {c}" for c in range(columns)] for r in range(rows)]

        put([1, 2], "first", 2, 3)
        put([1, 3], "second", 4, 1)
        if "contiguous" not in name:
            # Appended, shrunk within a chunk and by chunks, and grown again.
            rows = [f"row {n}" for n in range(10)]
            ok(H5R.h5r_dataset_append(dataset, token, U64(2), (ctypes.c_char_p * 10)(*(row.encode() for row in rows))))
            values = np.concatenate([values, np.array(rows, dtype=object).reshape(2, 5)])
            for extent in (8, 5), (2, 5), (6, 5), (11, 5):
                ok(H5R.h5r_dataset_set_extent(dataset, array(extent)))
                grown = np.full(extent, FILL, dtype=object)
                rows = min(extent[0], len(values))
                grown[:rows] = values[:rows]
                values = grown
            put([6, 0], "third", 2, 4)
            put([10, 4], "fourth", 1, 1)
        ok(H5R.h5r_object_close(dataset))
        model[name] = values
    file.close()


def compare(path, model):
    # A copy, open for writing: to read an unwritten chunk, libhdf5 2.0.0 stores the fill value in the file.
    shutil.copy(path, f"{path}.read")
    with h5py.File(f"{path}.read", "r+") as file:
        for name, values in model.items():
            found = file[name].asstr()[...]
            assert found.shape == values.shape and (found == values).all(), (path, name, found, values)
            assert file[name].fillvalue == FILL.encode(), (path, name)


def by_libhdf5(path, model):
    """Every element is overwritten, which gives back what it owned: what others shared with it would be gone."""
    with h5py.File(path, "r+") as file:
        for name, values in model.items():
            values[::2] = "by libhdf5"
            file[name][::2] = "by libhdf5"
    compare(path, model)
    with h5py.File(path, "r+") as file:
        for name, values in model.items():
            if name not in ("contiguous", "contiguous written", "contiguous early", "compact"):
                file[name].resize(13, axis=0)
                values = np.concatenate([values, np.full((2, 5), FILL, dtype=object)])
                file[name][-1] = values[-1] = "last"
            file[name][0, 0] = values[0, 0] = "first"
            model[name] = values
    compare(path, model)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for bounds in ("earliest", "latest"), ("v110", "latest"), ("latest", "latest"), None:
        path = f"{FOLDER}/fills_{bounds[0] if bounds else 'h5r'}.h5"
        make_by_h5py(path, bounds) if bounds else make_by_h5r(path)
        model = {}
        for name in LAYOUTS:
            model[name] = np.full(SHAPE, FILL, dtype=object)
            model[f"{name} written"] = np.full(SHAPE, FILL, dtype=object)
            model[f"{name} written"][2:4, 1:3] = "libhdf5"
        if not bounds:
            model["contiguous early"] = np.full(SHAPE, FILL, dtype=object)
            model["compact"] = np.full((2, 3), FILL, dtype=object)
            model["compact"][1, 1] = "one"
        compare(path, model)
        change(path, model)
        compare(path, model)
        # What the fill values own stays, because libhdf5's copies of a dataset share it.
        deleted = f"{path}.deleted"
        for again in False, True:
            if again:
                by_libhdf5(path, model)
            shutil.copy(path, deleted)
            file = File(deleted)
            for name in model:
                ok(H5R.h5r_link_delete(file.root, name.encode()))
            file.close()
            found, objects = collections(deleted)
            if not again or not bounds:
                left = len(model) + 2
                assert objects == left, f"{deleted}: {objects} objects in {found} collections, {left} are in use"
        print(f"{path}: fill values of variable length are as libhdf5 has them")


if __name__ == "__main__":
    main()
