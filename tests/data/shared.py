"""Writes shared_list.h5, shared_tree.h5 and shared_old.h5, whose object header messages are shared: with libhdf5 2.0.0."""

import ctypes

import h5py
import numpy as np
from h5py import h5f, h5p

DATASPACE, DATATYPE, FILL, PIPELINE, ATTRIBUTE = 2, 8, 32, 2048, 4096
MOST = DATASPACE | DATATYPE | FILL | PIPELINE


def library():
    with open("/proc/self/maps") as maps:
        (path,) = {line.split()[-1] for line in maps if "/libhdf5-" in line}
    return ctypes.CDLL(path)


def contents(file):
    record = np.dtype([("a", "<i4"), ("b", "<f8")])
    file["type"] = record
    for number in range(6):
        group = file.create_group(f"group {number}")
        for name in range(12 if number % 2 else 3):
            group.attrs[f"common {name}"] = np.full(5, name, dtype="<f8")
        group.attrs["own"] = np.full(5, number, dtype="<i8")
        group.attrs["text"] = f"words of {number}"
        data = group.create_dataset("data", data=np.arange(24).reshape(4, 6), chunks=(2, 3), compression=4, fillvalue=-3)
        data.attrs.create("typed", np.array((number % 2, 2.5), dtype=record), dtype=file["type"])
    file.create_dataset("grows", shape=(4,), maxshape=(None,), chunks=(4,), dtype="<f4")


def make(name, bounds, indexes, list_max, tree_min):
    plist, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*bounds)
    hdf5, id = library(), ctypes.c_int64(plist.id)
    assert hdf5.H5Pset_shared_mesg_nindexes(id, len(indexes)) >= 0
    for number, types in enumerate(indexes):
        assert hdf5.H5Pset_shared_mesg_index(id, number, types, 8) >= 0
    assert hdf5.H5Pset_shared_mesg_phase_change(id, list_max, tree_min) >= 0
    with h5py.File(h5f.create(name.encode(), h5f.ACC_TRUNC, plist, access)) as file:
        contents(file)


LATEST = (h5f.LIBVER_V110, h5f.LIBVER_V110)
make("shared_list.h5", LATEST, [MOST, ATTRIBUTE], 100, 20)
make("shared_tree.h5", LATEST, [MOST | ATTRIBUTE], 0, 0)
make("shared_old.h5", (h5f.LIBVER_EARLIEST, h5f.LIBVER_V110), [MOST], 100, 20)
