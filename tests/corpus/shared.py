"""Writes the files of the corpus whose object header messages are shared in a table of the file (SOHM).

Usage: shared.py FOLDER
"""

import os
import sys

import numpy as np

import make

DATASPACE, DATATYPE, FILL, PIPELINE, ATTRIBUTE = 2, 8, 32, 2048, 4096
ALL = DATASPACE | DATATYPE | FILL | PIPELINE | ATTRIBUTE

# Name: the types and least sizes of each index, the most messages of a list, the fewest of a B-tree.
TABLES = {
    "list": ([(ALL, 10)], 5000, 40),
    "tree": ([(ALL, 10)], 0, 0),
    "small": ([(ALL, 1)], 8, 5),
    "types": ([(DATATYPE, 20), (DATASPACE | FILL, 8), (PIPELINE, 8), (ATTRIBUTE, 60)], 20, 10),
    "no_attributes": ([(ALL & ~ATTRIBUTE, 12)], 50, 40),
    "attributes": ([(ATTRIBUTE, 40)], 50, 40),
}


def contents(file):
    make.contents(file)
    # The same messages on many objects, compact and dense.
    for number in range(30):
        group = file.create_group(f"alike {number}")
        for name in range(3 + 9 * (number % 2)):
            group.attrs[f"common {name}"] = np.full(12, name, dtype="<f8")
        group.attrs["own"] = np.full(12, number, dtype="<i8")
        group.create_dataset("data", data=np.arange(24).reshape(4, 6) + number, chunks=(2, 3), compression=4, fillvalue=-3)
        group["data"].attrs.create("typed", np.array((number, 2.5, b"xyz", np.arange(6).reshape(2, 3)), dtype=make.RECORD),
                                   dtype=file["record type"])
        group["data"].attrs.create("typed too", np.zeros((), dtype=make.RECORD), dtype=file["record type"])
        group["data"].attrs["text"] = "the same words of variable length"
    growing = file.create_dataset("grows", shape=(4,), maxshape=(None,), chunks=(4,), dtype="<f4")
    growing.resize((9,))
    # What goes again: counts that have been higher.
    for number in range(0, 30, 7):
        del file[f"alike {number}"]
    for number in range(1, 30, 7):
        del file[f"alike {number}"].attrs["common 1"]


def main():
    os.chdir(sys.argv[1])
    for name, (indexes, list_max, tree_min) in TABLES.items():
        def shared(plist):
            library = make.loaded_library()
            def call(function, *arguments):
                if getattr(library, function)(make.ctypes.c_int64(plist.id), *arguments) < 0:
                    raise RuntimeError(function)
            call("H5Pset_shared_mesg_nindexes", len(indexes))
            for number, (types, size) in enumerate(indexes):
                call("H5Pset_shared_mesg_index", number, types, size)
            call("H5Pset_shared_mesg_phase_change", list_max, tree_min)
        # In object headers of version 1 libhdf5 (2.0.0) does not find its own shared messages again to delete them; where
        # attributes are shared it writes version 2 always.
        for bounds in make.ALL if name != "no_attributes" else make.ALL[1:]:
            make.make(f"shared_{name}_{bounds[0]}", bounds, shared, contents)


if __name__ == "__main__":
    main()
