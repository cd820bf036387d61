#!/usr/bin/env python3
"""Chunked datasets between libhdf5 (h5py, in this process) and h5r (through its C ABI).

usage: chunks.py LIBRARY FOLDER [SEED]

Every index, filter and several types and shapes: what h5py writes, h5r reads value for value, whole and in random
hyperslabs; what h5r writes, appends, shrinks and grows, h5py and h5dump read value for value; what either has changed in a
file of the other, both read.
"""
import ctypes
import os
import random
import subprocess
import sys

import h5py
import numpy as np

from h5r import H5R, U64, UNLIMITED, CreateOptions, File, Selection, array, ok, pointer

FOLDER = sys.argv[2]
os.makedirs(FOLDER, exist_ok=True)
RANDOM = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)


def token(dtype):
    """The constant of a predefined type, from the header."""
    dtype = np.dtype(dtype)
    name = "H5R_" + {"i": "I", "u": "U", "f": "F"}[dtype.kind] + str(8 * dtype.itemsize)
    name += "_BE" if dtype.byteorder == ">" else ""
    return U64(TYPES[name])


def types():
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/h5r.h")
    found = {}
    for line in open(header):
        words = line.split()
        if len(words) == 3 and words[0] == "#define" and words[1].startswith(("H5R_I", "H5R_U", "H5R_F")):
            try:
                found[words[1]] = int(words[2].rstrip("uULl"), 0)
            except ValueError:
                pass
    return found


TYPES = types()


def slabs(shape):
    """A random selection: as h5r takes it, and as indices for numpy."""
    start, stride, count, block, indices = [], [], [], [], []
    for extent in shape:
        s = RANDOM.randrange(extent)
        b = min(RANDOM.choice([1, 1, 2, 5, 100]), extent - s)
        st = b + RANDOM.choice([0, 0, 1, 3, 40])
        c = RANDOM.randint(1, (extent - s - b) // st + 1)
        start.append(s), stride.append(st), count.append(c), block.append(b)
        indices.append(np.array([s + i * st + j for i in range(c) for j in range(b)]))
    selection = Selection(len(shape), array(start), array(stride), array(count), array(block))
    return selection, np.ix_(*indices)


def read(dataset, dtype, shape, selection=None):
    out = np.full(shape, 0x55, dtype)
    pointer = ctypes.byref(selection) if selection else None
    ok(H5R.h5r_dataset_read(dataset, token(dtype), pointer, out.ctypes.data_as(ctypes.c_void_p)))
    return out


FILTERS = {
    "plain": {},
    "deflate": {"compression": "gzip", "compression_opts": 4},
    "shuffle_deflate": {"compression": "gzip", "compression_opts": 6, "shuffle": True},
    "fletcher32": {"fletcher32": True},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
    "shuffle_lzf_fletcher32": {"compression": "lzf", "shuffle": True, "fletcher32": True},
}
SHAPES = [
    ((100,), (None,), (7,)),
    ((100,), (100,), (100,)),
    ((5000,), (5000,), (2,)),
    ((3000,), (9000,), (1,)),
    ((40, 33), (40, 33), (8, 33)),
    ((40, 33), (41, None), (9, 5)),
    ((40, 33), (None, 33), (4, 33)),
    ((40, 33), (None, None), (3, 4)),
    ((11, 12, 13), (None, 12, None), (4, 5, 6)),
    ((11, 12, 13), (11, 12, 13), (4, 12, 13)),
    ((3, 4, 5, 6), (None, 4, 5, 6), (2, 3, 2, 6)),
    ((200000,), (None,), (13,)),
]
# Those of which chunks at the edges are not filtered, where the format has that.
EDGES = 1, 4, 5, 6, 7, 8, 9
DTYPES = ["<i4", ">i2", "<f8", "<u1", ">f4", "<i8"]


def data(shape, dtype, noise):
    count = int(np.prod(shape))
    values = np.arange(count, dtype="i8") * 3 % 101
    if noise:
        values = np.random.default_rng(RANDOM.randrange(1 << 30)).integers(0, 127, count)
    return values.astype(dtype).reshape(shape)


def write_with_libhdf5(path, libver):
    """Datasets of every kind; some written in full, some in parts, some with a fill value. Returns what they hold."""
    expected = {}
    with h5py.File(path, "w", libver=libver) as file:
        for number, (shape, maxshape, chunks) in enumerate(SHAPES):
            for name, options in FILTERS.items():
                dtype = np.dtype(RANDOM.choice(DTYPES))
                fill = RANDOM.choice([None, 7])
                key = f"{number}_{name}"
                dataset = file.create_dataset(
                    key, shape, dtype, maxshape=maxshape, chunks=chunks, fillvalue=fill, **options
                )
                values = data(shape, dtype, RANDOM.random() < 0.3)
                if RANDOM.random() < 0.5:
                    dataset[...] = values
                else:
                    whole = np.full(shape, fill or 0, dtype)
                    for _ in range(3):
                        corner = tuple(slice(a := RANDOM.randrange(n), RANDOM.randint(a + 1, n)) for n in shape)
                        dataset[corner] = values[corner]
                        whole[corner] = values[corner]
                    values = whole
                expected[key] = values
    return expected


def check_reading(path, expected):
    file = File(path)
    for key, values in expected.items():
        dataset = file.open(key)
        assert np.array_equal(read(dataset, values.dtype, values.shape), values), key
        for _ in range(5):
            selection, indices = slabs(values.shape)
            part = values[indices]
            memory = RANDOM.choice([values.dtype, values.dtype, np.dtype("<f8"), np.dtype(">i4")])
            found = read(dataset, memory, part.shape, selection)
            assert np.array_equal(found, part.astype(memory)), (key, memory)
        ok(H5R.h5r_object_close(dataset))
    file.close()


def reading():
    for libver in (("earliest", "v108"), ("v108", "v108"), ("v110", "v110"), ("latest", "latest")):
        path = os.path.join(FOLDER, f"chunks_{libver[1]}.h5")
        expected = write_with_libhdf5(path, libver)
        try:
            check_reading(path, expected)
        except RuntimeError as error:
            if libver[0] == "earliest" and "superblock" in str(error):
                print(f"{libver}: {error}")
                continue
            raise
        print(f"{libver}: {len(expected)} datasets of libhdf5 {h5py.version.hdf5_version} are read")


# H5R_ALLOCATION_DEFAULT, _LATE, _EARLY: chunks take space with the first write to each, to any, and without one.
ALLOCATIONS = {0: h5py.h5d.ALLOC_TIME_INCR, 1: h5py.h5d.ALLOC_TIME_LATE, 2: h5py.h5d.ALLOC_TIME_EARLY}


def creation(allocation, chunks=None):
    """For a dataset of libhdf5; with `chunks`, those at its edges are not filtered."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(ALLOCATIONS[allocation])
    if chunks:
        plist.set_chunk(chunks)
        # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
        assert ctypes.CDLL(h5py.h5p.__file__).H5Pset_chunk_opts(ctypes.c_int64(plist.id), 2) >= 0
    return plist


def create(file, name, shape, dtype, maxshape, chunks, fill, options):
    value = np.array([fill or 0], dtype)
    return file.create(
        name,
        token(dtype),
        shape,
        max_dims=[UNLIMITED if n is None else n for n in maxshape],
        chunk=chunks,
        fill_value=pointer(value) if fill is not None else None,
        deflate=options.get("compression_opts", 4 if options.get("compression") else 0),
        shuffle=int(options.get("shuffle", False)),
        fletcher32=int(options.get("fletcher32", False)),
        allocation=RANDOM.choice(list(ALLOCATIONS)),
    )


class Twin:
    """A dataset of h5r and what it must hold."""

    def __init__(self, dataset, values, maxshape, fill):
        self.dataset, self.values, self.maxshape, self.fill = dataset, values, maxshape, fill

    def write_part(self):
        if 0 in self.values.shape:
            return
        selection, indices = slabs(self.values.shape)
        memory = RANDOM.choice([self.values.dtype, np.dtype("<f8"), np.dtype(">i4")])
        part = data(self.values[indices].shape, memory, True)
        ok(H5R.h5r_dataset_write(self.dataset, token(memory), ctypes.byref(selection), pointer(part)))
        self.values[indices] = part.astype(self.values.dtype)

    def write_all(self):
        if 0 in self.values.shape:
            return
        self.values = data(self.values.shape, self.values.dtype, RANDOM.random() < 0.5)
        ok(H5R.h5r_dataset_write(self.dataset, token(self.values.dtype), None, pointer(self.values)))

    def resize(self):
        shape = []
        for extent, most in zip(self.values.shape, self.maxshape):
            most = extent + RANDOM.choice([3, 40]) if most is None else most
            shape.append(RANDOM.choice([extent, extent, RANDOM.randint(0, most), RANDOM.randint(extent // 2, most)]))
        ok(H5R.h5r_dataset_set_extent(self.dataset, array(shape)))
        values = np.full(shape, self.fill or 0, self.values.dtype)
        kept = tuple(slice(0, min(a, b)) for a, b in zip(shape, self.values.shape))
        values[kept] = self.values[kept]
        self.values = values

    def append(self):
        if self.maxshape[0] is not None:
            return
        rows = data((RANDOM.randint(1, 4),) + self.values.shape[1:], self.values.dtype, True)
        ok(H5R.h5r_dataset_append(self.dataset, token(rows.dtype), U64(rows.shape[0]), pointer(rows)))
        self.values = np.concatenate([self.values, rows])

    def check(self, key):
        found = read(self.dataset, self.values.dtype, self.values.shape)
        assert np.array_equal(found, self.values), key
        if 0 not in self.values.shape:
            selection, indices = slabs(self.values.shape)
            found = read(self.dataset, self.values.dtype, self.values[indices].shape, selection)
            assert np.array_equal(found, self.values[indices]), key


def change(file, twins, steps):
    for _ in range(steps):
        key = RANDOM.choice(list(twins))
        twin = twins[key]
        RANDOM.choice([twin.write_part, twin.write_part, twin.write_all, twin.resize, twin.append, twin.append])()
        if RANDOM.random() < 0.3:
            twin.check(key)
        if RANDOM.random() < 0.02:
            ok(H5R.h5r_flush(file.handle))
            ok(H5R.h5r_check(file.handle))


def judge(path, twins, old=True):
    """libhdf5 2.0 reads what h5r has written, and h5dump of 1.10 reads the file through, if it is not too new for that."""
    with h5py.File(path, "r") as file:
        for key, twin in twins.items():
            is_early = file[key].id.get_create_plist().get_alloc_time() == h5py.h5d.ALLOC_TIME_EARLY
            if is_early and file[key].size:
                blocks = [-(-n // chunk) for n, chunk in zip(file[key].shape, file[key].chunks)]
                assert file[key].id.get_num_chunks() == np.prod(blocks), key
            found = file[key][...]
            assert found.shape == twin.values.shape and np.array_equal(found, twin.values), key
            if 0 not in found.shape:
                corner = tuple(slice(RANDOM.randrange(n), n) for n in found.shape)
                assert np.array_equal(file[key][corner], twin.values[corner]), key
    if not old:
        return
    out = subprocess.run(["h5dump", "-y", path], capture_output=True)
    assert out.returncode == 0 and not out.stderr, out.stderr[-500:]


def modify_with_libhdf5(path, twins):
    """Parts are written, datasets grow and shrink."""
    with h5py.File(path, "r+") as file:
        for key, twin in twins.items():
            dataset = file[key]
            for _ in range(3):
                if RANDOM.random() < 0.5:
                    limits = [n + 20 if m is None else m for n, m in zip(dataset.shape, twin.maxshape)]
                    shape = [RANDOM.randint(0, limit) for limit in limits]
                    values = np.full(shape, twin.fill or 0, twin.values.dtype)
                    kept = tuple(slice(0, min(a, b)) for a, b in zip(shape, twin.values.shape))
                    values[kept] = twin.values[kept]
                    dataset.resize(shape)
                    twin.values = values
                if 0 not in dataset.shape:
                    corner = tuple(slice(a := RANDOM.randrange(n), RANDOM.randint(a + 1, n)) for n in dataset.shape)
                    part = data(twin.values[corner].shape, twin.values.dtype, True)
                    dataset[corner] = part
                    twin.values[corner] = part


def reopen(path, twins):
    file = File(path)
    for key, twin in twins.items():
        twin.dataset = file.open(key)
        twin.check(key)
    return file


def writing(format, name, rounds=3):
    path = os.path.join(FOLDER, f"written_{name}.h5")
    file, twins = File(path, CreateOptions(format=format)), {}
    for number, (shape, maxshape, chunks) in enumerate(SHAPES):
        for filters, options in FILTERS.items():
            if "lzf" in filters:
                continue
            dtype, fill = np.dtype(RANDOM.choice(DTYPES)), RANDOM.choice([None, 7])
            key = f"{number}_{filters}"
            dataset = create(file, key, shape, dtype, maxshape, chunks, fill, options)
            twins[key] = Twin(dataset, np.full(shape, fill or 0, dtype), maxshape, fill)
    for _ in range(rounds):
        change(file, twins, 300)
        file.close()
        judge(path, twins)
        modify_with_libhdf5(path, twins)
        file = reopen(path, twins)
    for key in list(twins)[::2]:
        ok(H5R.h5r_link_delete(file.root, key.encode()))
        del twins[key]
    change(file, twins, 200)
    file.close()
    judge(path, twins)
    print(f"{name}: what h5r wrote, libhdf5 {h5py.version.hdf5_version} and h5dump read, and the other way round")


def modifying(libver):
    """Files of libhdf5, changed by h5r."""
    path = os.path.join(FOLDER, f"modified_{libver[1]}.h5")
    twins = {}
    with h5py.File(path, "w", libver=libver) as file:
        for number, (shape, maxshape, chunks) in enumerate(SHAPES):
            for filters, options in FILTERS.items():
                if "lzf" in filters:
                    continue
                key, dtype, fill = f"{number}_{filters}", np.dtype(RANDOM.choice(DTYPES)), RANDOM.choice([None, 7])
                has_edges = libver[0] != "v108" and number in EDGES
                plist = creation(RANDOM.choice(list(ALLOCATIONS)), chunks if has_edges else None)
                dataset = file.create_dataset(
                    key, shape, dtype, maxshape=maxshape, chunks=chunks, fillvalue=fill, dcpl=plist, **options
                )
                values = np.full(shape, fill or 0, dtype)
                if RANDOM.random() < 0.7:
                    corner = tuple(slice(a := RANDOM.randrange(n), RANDOM.randint(a + 1, n)) for n in shape)
                    values[corner] = data(values[corner].shape, dtype, True)
                    dataset[corner] = values[corner]
                twins[key] = Twin(None, values, maxshape, fill)
    for _ in range(2):
        file = reopen(path, twins)
        change(file, twins, 500)
        file.close()
        judge(path, twins, libver[1] != "latest")
        modify_with_libhdf5(path, twins)
        judge(path, twins, libver[1] != "latest")
    print(f"{libver[1]}: files of libhdf5 {h5py.version.hdf5_version} are changed by h5r")


def early(path, made_by_h5r, shape, maxshape, chunks, fill, space):
    """A dataset whose chunks an implicit index finds, all of which are written."""
    values = data(shape, "<i4", True)
    if made_by_h5r:
        file = File(path, create=True)
        value = np.array([fill], "<i4")
        dataset = file.create("data", token("<i4"), shape, max_dims=maxshape, chunk=chunks, fill_value=pointer(value), allocation=2)
        ok(H5R.h5r_dataset_write(dataset, token("<i4"), None, pointer(values)))
        file.close()
    else:
        with h5py.File(path, "w", libver="latest" if not space else ("v110", "v110"), **space) as file:
            file.create_dataset("data", data=values, maxshape=maxshape, chunks=chunks, fillvalue=fill, dcpl=creation(2))
    return values


def places(path):
    """The chunks of the dataset, as libhdf5 lists and finds them: by their offsets, where they are."""
    with h5py.File(path, "r") as file:
        dataset = file["data"].id
        found = [dataset.get_chunk_info(n) for n in range(dataset.get_num_chunks())]
        assert all(chunk.filter_mask == 0 and chunk.size == 4 * np.prod(file["data"].chunks) for chunk in found)
        assert all(dataset.get_chunk_info_by_coord(chunk.chunk_offset) == chunk for chunk in found[:50])
        return {chunk.chunk_offset: chunk.byte_offset for chunk in found}


def resize(values, shape, fill):
    new = np.full(shape, fill, values.dtype)
    kept = tuple(slice(0, min(a, b)) for a, b in zip(shape, values.shape))
    new[kept] = values[kept]
    return new


def sound(path, expected=None):
    """h5r check finds nothing, also no bytes that are lost, and the values are these."""
    file = File(path)
    ok(H5R.h5r_check(file.handle))
    if expected is not None:
        found = read(file.open("data"), expected.dtype, expected.shape)
        assert np.array_equal(found, expected), path
    file.close()


def rewritten(name, made_by_h5r, shape, maxshape, chunks, space={}):
    """Chunks of an implicit index: h5r rewrites some, which move, and a fixed array finds all of them from then on."""
    path, fill = os.path.join(FOLDER, f"early_{name}.h5"), 7
    values = early(path, made_by_h5r, shape, maxshape, chunks, fill, space)
    before = places(path)
    # A part of one chunk.
    file, start, some = File(path), [n // 2 for n in shape], [1] * len(shape)
    part = Selection(len(shape), array(start), None, array(some), None)
    ok(H5R.h5r_dataset_write(file.open("data"), token("<i4"), ctypes.byref(part), pointer(np.array([-5], "<i4"))))
    values[tuple(start)] = -5
    file.close()
    after, written = places(path), tuple(at // n * n for at, n in zip(start, chunks))
    assert after.keys() == before.keys() and after[written] != before[written]
    crosses = lambda at: space and at % 512 + 4 * np.prod(chunks) > 512
    assert [at for at in before if before[at] != after[at] and at != written and not crosses(before[at])] == []
    assert not any(crosses(at) for at in after.values())
    sound(path, values)
    # libhdf5 reads it, copies it, writes to it, shrinks and grows it; h5r goes on.
    pages = {"page_buf_size": 4096} if space else {}
    smaller = tuple(n * 2 // 3 for n in shape)
    for turn in range(3):
        with h5py.File(path, "r+", **(pages if turn else {})) as file:
            dataset = file["data"]
            assert np.array_equal(dataset[...], values) and dataset.id.get_num_chunks() == len(places_of(shape, chunks))
            dataset[tuple(slice(n // 3, n) for n in shape)] = values[tuple(slice(n // 3, n) for n in shape)] = turn
            for extent in (smaller, maxshape, shape):
                dataset.resize(extent)
                values = resize(values, extent, fill)
                assert np.array_equal(dataset[...], values) and dataset.id.get_num_chunks() == len(places_of(extent, chunks))
            if turn == 0:
                file.copy("data", "copy")
                assert np.array_equal(file["copy"][...], values)
                del file["copy"]
        sound(path, values)
        file = File(path)
        dataset, whole = file.open("data"), values + turn
        for extent in (smaller, maxshape, shape):
            ok(H5R.h5r_dataset_set_extent(dataset, array(extent)))
            whole = resize(whole, extent, fill)
        values = whole
        ok(H5R.h5r_dataset_write(dataset, token("<i4"), None, pointer(values)))
        file.close()
        assert len(places(path)) == len(places_of(shape, chunks))
    repacked = path + ".repacked"
    for options in ([], ["-l", "data:CONTI"], ["-f", "data:GZIP=1"]):
        if not space:
            # Its own copy of libhdf5 is 1.10.8.
            done = subprocess.run(["h5repack", *options, path, repacked], capture_output=True, text=True)
            assert done.returncode == 0 and not done.stderr, done.stderr
            sound(repacked, values)
    with h5py.File(path, "r+", **pages) as file:
        del file["data"]
        file["new"] = values
    sound(path)


def places_of(shape, chunks):
    return list(np.ndindex(*(-(-n // chunk) for n, chunk in zip(shape, chunks))))


def implicit():
    for made_by_h5r in (False, True):
        who = "h5r" if made_by_h5r else "libhdf5"
        rewritten(f"fixed_{who}", made_by_h5r, (20, 30), (20, 30), (3, 7))
        rewritten(f"growing_{who}", made_by_h5r, (20, 30), (24, 41), (3, 7))
        rewritten(f"pages_{who}", made_by_h5r, (5000,), (6001,), (2,))
        rewritten(f"one_chunk_{who}", made_by_h5r, (9, 9), (10, 10), (10, 10))
    for chunks in (50,), (32,), (128,):
        space = {"fs_strategy": "page", "fs_page_size": 512, "fs_persist": True, "fs_threshold": 1}
        rewritten(f"paged_{chunks[0]}", False, (3000,), (3500,), chunks, space)
    print(f"chunks of implicit indexes are rewritten in new space, and libhdf5 {h5py.version.hdf5_version} goes on with them")


reading()
implicit()
writing(1, "v110")
writing(0, "v18")
for versions in (("v108", "v108"), ("v110", "v110"), ("latest", "latest")):
    modifying(versions)
