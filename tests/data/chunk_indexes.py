#!/usr/bin/env python3
"""Makes small files with every kind of chunk index, filtered and not, partly allocated, and says what is in them.

usage: chunk_indexes.py FOLDER        (with h5py over libhdf5 2.0)

Writes chunks_v108.h5 (version 1 B-trees), chunks_v110.h5 (layout version 4), chunks_latest.h5 (layout version 5) and
chunks.txt, with a line per dataset: file, name, address of the object header, chunks, bytes of chunks, bytes of the index,
and an FNV-1a hash over all chunks' places, sizes, filter masks and addresses, in order of their places.
"""
import ctypes
import os
import sys

import h5py
import numpy as np

H5 = ctypes.CDLL(next(line.split()[-1] for line in open("/proc/self/maps") if "/libhdf5-" in line))


def native_info(dataset):
    buffer = ctypes.create_string_buffer(512)
    assert H5.H5Oget_native_info(ctypes.c_int64(dataset.id.id), buffer, ctypes.c_uint(0x10)) >= 0
    return int.from_bytes(buffer.raw[64:72], "little")


def fnv(values):
    state = 0xCBF29CE484222325
    for value in values:
        for byte in int(value).to_bytes(8, "little"):
            state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def describe(name, dataset, index_size):
    infos = [dataset.id.get_chunk_info(i) for i in range(dataset.id.get_num_chunks())]
    chunks = dataset.chunks

    def key(info):
        place = tuple(o // c for o, c in zip(info.chunk_offset, chunks))
        if len(place) == 2 and dataset.maxshape[1] is None and dataset.maxshape[0] is not None:
            # libhdf5 (2.2.0 still) counts wrongly when it iterates over an extensible array whose unlimited dimension is
            # not the first: it gives the chunk's number as its place.
            rows = -(-dataset.maxshape[0] // chunks[0])
            assert place[0] == 0
            place = (place[1] % rows, place[1] // rows)
            assert dataset[place[0] * chunks[0], place[1] * chunks[1]] == sum(place)
        return place

    infos.sort(key=key)
    values = [v for info in infos for v in (*key(info), info.size, info.filter_mask, info.byte_offset)]
    address = h5py.h5o.get_info(dataset.id).addr
    return f"{name} {dataset.name[1:]} {address} {len(infos)} {dataset.id.get_storage_size()} {index_size} {fnv(values):016x}"


def fill(file, name, shape, maxshape, chunks, where, filtered, early=False):
    space = h5py.h5s.create_simple(shape, tuple(h5py.h5s.UNLIMITED if m is None else m for m in maxshape))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunks)
    if filtered:
        plist.set_shuffle()
        plist.set_deflate(6)
    if early:
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    dataset = h5py.Dataset(h5py.h5d.create(file.id, name.encode(), h5py.h5t.STD_I16LE, space, plist))
    for place in where:
        corner = tuple(slice(p * c, min((p + 1) * c, s)) for p, c, s in zip(place, chunks, shape))
        shape_of = dataset[corner].shape
        dataset[corner] = np.arange(np.prod(shape_of)).reshape(shape_of) + sum(place)
    return dataset


def datasets(file, kinds):
    for filtered in (False, True):
        tail = "_deflate" if filtered else ""
        grid = [(i, j) for i in range(5) for j in range(7) if (i * j) % 3 != 1]
        if "btree1" in kinds:
            fill(file, "btree1" + tail, (20, 21), (20, 21), (4, 3), grid, filtered)
            fill(file, "btree1_deep" + tail, (1200,), (None,), (4,), [(i,) for i in range(0, 300, 2)], filtered)
            fill(file, "btree1_empty" + tail, (20,), (None,), (4,), [], filtered)
        if "v4" in kinds:
            fill(file, "single" + tail, (9, 8), (9, 8), (9, 8), [(0, 0)], filtered)
            fill(file, "single_empty" + tail, (9, 8), (9, 8), (9, 8), [], filtered)
            fill(file, "fixed" + tail, (18, 20), (20, 21), (4, 3), [p for p in grid if p[0] < 4], filtered)
            fill(file, "fixed_paged" + tail, (5000,), (5000,), (2,), [(0,), (7,), (1023,), (2050,), (2499,)], filtered)
            fill(file, "fixed_empty" + tail, (500,), (500,), (2,), [], filtered)
            fill(file, "extensible" + tail, (20, 21), (20, None), (4, 3), grid, filtered)
            fill(file, "extensible_row" + tail, (800,), (None,), (4,), [(i,) for i in range(0, 200, 3)], filtered)
            sparse = [(1,), (19,), (1000,), (5000,), (131200,), (132500,)]
            fill(file, "extensible_paged" + tail, (270000,), (None,), (2,), sparse, filtered)
            fill(file, "btree2" + tail, (40, 42), (None, None), (4, 3), [(i, j) for i in range(10) for j in range(14)], filtered)
            fill(file, "btree2_empty" + tail, (40, 42), (None, None), (4, 3), [], filtered)
    if "v4" in kinds:
        fill(file, "implicit", (18, 20), (20, 21), (4, 3), grid, False, early=True)
        fill(file, "implicit_untouched", (18,), (18,), (4,), [], False, early=True)


os.chdir(sys.argv[1])
with open("chunks.txt", "w") as out:
    for name, bounds, kinds in (
        ("chunks_v108.h5", ("v108", "v108"), ("btree1",)),
        ("chunks_v110.h5", ("v110", "v110"), ("v4",)),
        ("chunks_latest.h5", ("latest", "latest"), ("v4",)),
    ):
        # Free space is recorded from version 1.10 on, so that a test can see that nothing is lost.
        recorded = {} if "v108" in bounds else {"fs_strategy": "fsm", "fs_persist": True, "fs_threshold": 1}
        with h5py.File(name, "w", libver=bounds, **recorded) as file:
            datasets(file, kinds)
            # Asked after opening again, libhdf5 forgets 232 bytes of an extensible array's index block.
            sizes = {key: native_info(dataset) for key, dataset in file.items()}
        with h5py.File(name, "r") as file:
            for key, dataset in file.items():
                print(describe(name, dataset, sizes[key]), file=out)
