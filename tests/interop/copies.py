#!/usr/bin/env python3
"""Copies of objects by h5r, judged by libhdf5: seeded random trees that h5py makes, copied within their file and to others.

usage: copies.py LIBRARY FOLDER [--seed N] [--rounds N]

Each round makes a file in one of libhdf5's formats: groups with and without creation order, compact and dense; datasets of every
layout, filtered, of fixed and variable length, of committed types, with references; attributes of all of these; hard links across
the tree and back up it, soft and external links. h5r copies the tree into the same file, into a new file of its own and into one
of h5py's; the addresses and lengths of h5py's have 8 or 4 bytes. Then: libhdf5 itself copies the same tree, and h5py compares h5r's copy with the source and, where references are
concerned, with libhdf5's copy; h5diff and h5dump 1.10.8 read both; the structure checker finds no fault and no lost space. At last h5py
changes source and copy in the same way, compares them again and deletes the copy. A failing round names its seed.
"""
import argparse
import ctypes
import os
import random
import shutil
import subprocess

import numpy as np

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
import h5py  # noqa: E402
from h5py import h5d, h5f, h5o, h5t  # noqa: E402
from h5r import H5R, I32, U64, CreateOptions, File, ok  # noqa: E402

# Free space below this is not worth a free-space manager (docs/design.md).
FORGOTTEN = 4096
IS_OLD = h5py.version.hdf5_version.startswith("1.10.")
# Bytes of addresses and of lengths. Where lengths have 4, libhdf5 does not open its own datasets with an extensible array.
SIZES = [(8, 8), (4, 8), (8, 8), (4, 4), (8, 4)]
FORMATS = [("earliest", "v108"), ("v108", "v108"), ("v110", "v110"), ("latest", "latest")]


KINDS = ("i", "i", "f", "S", "text", "record", "named", "named record", "ref", "enum", "list")


# Whether addresses and lengths have 8 bytes in all files of the round.
all_have_8 = True
# From 1.14.6 on libhdf5 does not read its own null references where addresses have 4 bytes, and no version copies them.
has_references = True


class Report(ctypes.Structure):
    names = ("errors", "warnings", "unchecked", "groups", "datasets", "named_types", "file_bytes", "allocated_bytes",
             "used_bytes", "free_bytes", "leaked_bytes", "redo_blocks", "redo_bytes")
    _fields_ = [("struct_size", ctypes.c_size_t)] + [(name, U64) for name in names]
    _fields_ += [(name, I32) for name in ("interrupted", "flags", "flags_cleared", "reserved")]


H5R.h5r_object_copy.argtypes = [ctypes.c_void_p, ctypes.c_char_p] * 2 + [ctypes.c_void_p]


def create(path, bounds, sizes):
    """A new file whose addresses and lengths have so many bytes."""
    creation, access = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    creation.set_sizes(*sizes)
    number = {"earliest": h5f.LIBVER_EARLIEST, "v108": h5f.LIBVER_V18, "v110": h5f.LIBVER_V110, "latest": h5f.LIBVER_LATEST}
    access.set_libver_bounds(*(number[bound] for bound in bounds))
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    return h5py.File(h5f.create(path.encode(), h5f.ACC_TRUNC, creation, access))


def copy(source, path, target, to):
    """By h5r, between open files."""
    ok(H5R.h5r_object_copy(source.root, path.encode(), target.root, to.encode(), None))


def leaked(path):
    """Bytes that nothing uses and no free-space manager lists, in a sound file."""
    report = Report(struct_size=ctypes.sizeof(Report))
    ok(H5R.h5r_check_path(path.encode(), None, ctypes.byref(report), None, None))
    assert report.errors == 0 and report.unchecked == 0, f"{path}: {report.errors} errors, {report.unchecked} unchecked"
    return report.leaked_bytes


# ---------------------------------------------------------------------------------------------------------------------
# What is copied


class Maker:
    """A random tree below `top`."""

    def __init__(self, rng, top, is_latest):
        self.rng, self.top = rng, top
        self.groups, self.datasets = [top], []
        top["named"] = np.dtype("<i4")
        top["named record"] = np.dtype([("a", "<i2"), ("s", h5py.string_dtype())])
        top["named"].attrs["of the type"] = 5
        self.attributes(top)
        # Deflate is what layouts of version 5 are for, which only libhdf5 2 reads.
        self.is_latest = is_latest
        for number in range(25):
            group = rng.choice(self.groups)
            kind = rng.choice(("group", "group", "dataset", "dataset", "dataset", "dataset", "hard", "soft", "external"))
            getattr(self, kind)(group, f"{kind} {number}")
        self.many(rng.choice(self.groups))

    def group(self, parent, name):
        group = parent.create_group(name, track_order=self.rng.random() < 0.4)
        self.attributes(group)
        self.groups.append(group)

    def many(self, parent):
        """Dense, with holes in its heap."""
        group = parent.create_group("many", track_order=self.rng.random() < 0.5)
        for number in range(120):
            group[f"link {number}"] = h5py.SoftLink(f"somewhere/{number}")
            group.attrs[f"attribute {number}"] = np.arange(number % 17)
        for number in range(0, 120, 1 + self.rng.randrange(6)):
            del group[f"link {number}"]
            del group.attrs[f"attribute {number}"]
        self.groups.append(group)

    def hard(self, parent, name):
        parent[name] = self.rng.choice(self.groups + self.datasets)

    def soft(self, parent, name):
        parent[name] = h5py.SoftLink(self.rng.choice(("nowhere", "/tree/named", "group 1")))

    def external(self, parent, name):
        parent[name] = h5py.ExternalLink("other.h5", "/x")

    def values(self, shape, kinds=KINDS):
        """(type, elements)"""
        rng, count = self.rng, int(np.prod(shape))
        kind = rng.choice([kind for kind in kinds if kind != "ref" or has_references])
        numbers = np.array([rng.randrange(-99, 99) for _ in range(count)])
        texts = [f"text {n}" * abs(n % 5) for n in numbers]
        if kind == "text":
            return h5py.string_dtype(), np.array(texts, dtype=object).reshape(shape)
        if kind == "list":
            out = np.empty(count, dtype=object)
            out[:] = [np.arange(abs(n) % 9, dtype="<i2") for n in numbers]
            return h5py.vlen_dtype("<i2"), out.reshape(shape)
        if kind == "named record":
            dtype = np.dtype([("a", "<i2"), ("s", h5py.string_dtype())])
            return self.top[kind], np.array(list(zip(numbers, texts)), dtype=dtype).reshape(shape)
        if kind == "ref":
            targets = self.groups + self.datasets
            refs = np.empty(count, dtype=h5py.ref_dtype)
            refs[:] = [rng.choice(targets).ref if n % 3 else h5py.Reference() for n in numbers]
            return h5py.ref_dtype, refs.reshape(shape)
        dtype = {"i": ">i2", "f": "<f8", "S": "S7", "named": "<i4", "record": [("x", "<f4"), ("y", "<u1", (3,))],
                 "enum": h5py.enum_dtype({"a": -1, "b": 4}, basetype="<i2")}[kind]
        if kind == "record":
            values = np.zeros(count, dtype=dtype)
            values["x"], values["y"] = numbers, numbers[:, None] % 7
        else:
            values = np.array(texts if kind == "S" else numbers).astype(dtype)
        return (self.top["named"] if kind == "named" else np.dtype(dtype)), values.reshape(shape)

    def dataset(self, parent, name):
        rng = self.rng
        shape = tuple(rng.randrange(1, 12) for _ in range(rng.randrange(1, 4)))
        dtype, values = self.values(shape)
        keywords = {}
        if rng.random() < 0.6:
            keywords["chunks"] = tuple(rng.randrange(1, size + 1) for size in shape)
            unlimited = rng.choice((0, 0, 1, len(shape)))
            keywords["maxshape"] = tuple(None if n < unlimited else 2 * size for n, size in enumerate(shape))
            if rng.random() < 0.5 and not self.is_latest:
                keywords.update(compression="gzip", shuffle=True)
            keywords["fletcher32"] = rng.random() < 0.3 and values.dtype.kind not in "OV" and not self.is_latest
        elif rng.random() < 0.3:
            dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            dcpl.set_layout(h5d.COMPACT)
            keywords["dcpl"] = dcpl
        dataset = parent.create_dataset(name, shape, dtype, track_order=rng.random() < 0.3, **keywords)
        first = rng.randrange(shape[0] + 1)
        if values.dtype.kind == "O" and h5py.check_vlen_dtype(dataset.dtype) not in (None, str):
            for place in np.ndindex(shape):
                if place[0] >= first:
                    dataset[place] = values[place]
        elif first < shape[0]:
            dataset[first:] = values[first:]
        self.attributes(dataset)
        self.datasets.append(dataset)

    def attributes(self, object):
        for number in range(self.rng.choice((0, 1, 3, 3, 14))):
            shape = tuple(self.rng.randrange(1, 4) for _ in range(self.rng.randrange(3)))
            dtype, values = self.values(shape, KINDS[:-1])
            object.attrs.create(f"attribute {number}", values if shape else values[()], shape, dtype)


# ---------------------------------------------------------------------------------------------------------------------
# What a copy is compared by


def address(object):
    return h5o.get_info(object.id).addr


def described(type):
    """A datatype without the version of its messages, which is another one where h5r changes a message for addresses of another size."""
    if all_have_8:
        return type.encode()
    kind = type.get_class()
    if kind == h5t.COMPOUND:
        return type.get_size(), [(type.get_member_name(n), type.get_member_offset(n), described(type.get_member_type(n)))
                                 for n in range(type.get_nmembers())]
    if kind == h5t.STRING and type.is_variable_str():
        return "text", type.get_cset(), type.get_strpad()
    if kind in (h5t.VLEN, h5t.ARRAY):
        return kind, type.get_array_dims() if kind == h5t.ARRAY else None, described(type.get_super())
    return type.encode()


def type_of(id):
    """The datatype in the file, and whether it is a committed one."""
    return id.get_type().committed(), described(id.get_type()) if not id.get_type().committed() else None


def plain(value, file):
    """A value in words; references by the names of what they lead to."""
    if isinstance(value, h5py.Reference):
        return file[value].name if value else "null"
    if isinstance(value, np.ndarray) and value.dtype.kind in "OV":
        return [plain(one, file) for one in value.reshape(-1)]
    if isinstance(value, np.void) and value.dtype.names:
        return [plain(value[name], file) for name in value.dtype.names]
    return value.tobytes() if isinstance(value, (np.ndarray, np.generic)) else value


def attribute_lines(object, lines):
    for name in object.attrs:
        id = object.attrs.get_id(name)
        lines.append((name, type_of(id), id.shape, plain(object.attrs[name], object.file)))


def fill_value(dataset):
    # The h5py of libhdf5 1.10.8 crashes where it reads one of variable length.
    return None if IS_OLD and dataset.dtype.hasobject else plain(dataset.fillvalue, dataset.file)


def bounds(dataset):
    """The maximal dimensions; libhdf5 takes "unlimited" for a number where lengths have 4 bytes."""
    return tuple(None if size == 0xffffffff else size for size in dataset.maxshape)


def dataset_lines(dataset, lines):
    lines.append((type_of(dataset.id), dataset.dtype, dataset.shape, bounds(dataset), dataset.chunks, dataset.compression,
                  dataset.compression_opts, dataset.shuffle, dataset.fletcher32, fill_value(dataset)))
    lines.append(plain(dataset[()], dataset.file))
    if dataset.chunks and not h5py.check_dtype(ref=dataset.dtype):
        chunks = [dataset.id.get_chunk_info(n) for n in range(dataset.id.get_num_chunks())]
        lines.append(sorted((chunk.chunk_offset, chunk.filter_mask) for chunk in chunks))
        if dataset.dtype.kind not in "OV":
            lines.append([dataset.id.read_direct_chunk(at) for at in sorted(chunk.chunk_offset for chunk in chunks)])


def tree(top):
    """Everything below an object, by path."""
    found, paths, waiting = {}, {}, [("", top)]
    while waiting:
        path, object = waiting.pop()
        paths[address(object)] = path
        lines = [h5o.get_info(object.id).rc if path else 1, type(object).__name__]
        attribute_lines(object, lines)
        if isinstance(object, h5py.Dataset):
            dataset_lines(object, lines)
        if isinstance(object, h5py.Datatype):
            lines.append(described(object.id))
        if isinstance(object, h5py.Group):
            for name in sorted(object):
                link = object.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    lines.append((name, link.path, getattr(link, "filename", None)))
                    continue
                below = object[name]
                if address(below) not in paths:
                    paths[address(below)] = f"{path}/{name}"
                    waiting.append((f"{path}/{name}", below))
                lines.append((name, paths[address(below)]))
            lines.append(list(object))
        found[path] = lines
    return found


def assert_equal(expected, found, what):
    assert expected.keys() == found.keys(), f"{what}: {sorted(expected.keys() ^ found.keys())}"
    for path, lines in expected.items():
        assert len(lines) == len(found[path]), f"{what}: {path}"
        for line, other in zip(lines, found[path]):
            assert line == other, f"{what}: {path}\n{line}\n{other}"


def modify(rng, top):
    """The same for the same seed and tree: attributes, data, extents, links."""
    groups, seen, waiting = [], set(), [top]
    while waiting:
        object = waiting.pop()
        if address(object) in seen:
            continue
        seen.add(address(object))
        for name in [name for name in object.attrs if rng.random() < 0.4]:
            del object.attrs[name]
        for number in range(rng.choice((0, 1, 12))):
            object.attrs[f"new {number}"] = np.arange(number)
        if isinstance(object, h5py.Dataset):
            if object.chunks and bounds(object)[0] is None and rng.random() < 0.5:
                object.resize(object.shape[0] + 3, 0)
            if object.dtype.kind in "if" and rng.random() < 0.7:
                # What libhdf5 writes beside it into contiguous data that have no space yet is what was in its memory.
                object[... if object.chunks is None else (..., slice(2))] = rng.randrange(90)
            if h5py.check_string_dtype(object.dtype) and object.dtype.kind == "O":
                object[...] = "changed"
        if isinstance(object, h5py.Group):
            groups.append(object)
            hard = [name for name in sorted(object) if isinstance(object.get(name, getlink=True), h5py.HardLink)]
            waiting += [object[name] for name in hard]
    for group in groups:
        names = sorted(group)
        for name in names:
            if rng.random() < 0.2 and not name.startswith("named"):
                del group[name]
        for number in range(rng.choice((0, 2, 15))):
            group[f"new {number}"] = h5py.SoftLink(f"to/{number}")


def h5tools(one, two, paths, is_old_enough):
    # Addresses of 4 bytes they read as well as 1.10.8 does: references in compounds and attributes make them fail or crash.
    if not is_old_enough or not all_have_8:
        return
    for path, object in ((one, paths[0]), (two, paths[1])):
        done = subprocess.run(["h5dump", "-g", object, path], capture_output=True, timeout=60)
        assert done.returncode == 0, f"h5dump {path}: {done.stderr[-400:]}"
    # Other names of the same object are not compared, and references of another file are null.
    done = subprocess.run(["h5diff", one, two, *paths], capture_output=True, text=True, timeout=60)
    differ = [line for line in done.stdout.splitlines() if "differences found" in line]
    assert done.returncode in (0, 1) and (one != two or not differ), f"h5diff: {done.stdout[-600:]} {done.stderr[-400:]}"


def copied_by_libhdf5(source, target, format, sizes):
    """What libhdf5 makes of a copy; its name in `target`. 1.10.8 crashes where it copies such a tree to another file; then 2.0.0 does it.
    Where addresses have 4 bytes all four write beyond their memory; the tree without references is its own copy then."""
    if sizes != (8, 8):
        shutil.copy(source, target)
        return "tree"
    if not IS_OLD:
        with h5py.File(source, "r") as file, h5py.File(target, "w", libver=format) as other:
            file.copy("tree", other, "copy")
            return "copy"
    format = [bound if bound != "latest" else "v110" for bound in format]
    program = "import h5py, sys; h5py.File(sys.argv[1]).copy('tree', h5py.File(sys.argv[2], 'w', libver=tuple(sys.argv[3:])), 'copy')"
    python = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/python")
    subprocess.run([python, "2.0.0", "-c", program, source, target, *format], check=True, timeout=60)
    return "copy"


def one_round(folder, seed):
    rng = random.Random(seed)
    format = FORMATS[seed % len(FORMATS)]
    source, fresh, theirs, lib = (os.path.join(folder, f"{name}.h5") for name in ("source", "fresh", "theirs", "lib"))
    is_new = format[0] in ("v110", "latest")
    sizes, their_sizes = rng.choice(SIZES[:2] if is_new else SIZES), rng.choice(SIZES[:2] if is_new else SIZES)
    global all_have_8, has_references
    all_have_8 = has_references = sizes == their_sizes == (8, 8)
    with create(source, format, sizes) as file:
        Maker(rng, file.create_group("tree"), format[0] == "latest")
    with create(theirs, rng.choice(FORMATS), their_sizes) as file:
        file.create_group("before").attrs["a"] = 1
    name = copied_by_libhdf5(source, lib, format, sizes)
    with h5py.File(source, "r") as file, h5py.File(lib, "r") as other:
        expected, elsewhere = tree(file["tree"]), tree(other[name])
    before = {path: leaked(path) for path in (source, theirs)}
    before[fresh] = 0
    files = [File(source), File(fresh, True), File(theirs)]
    for file in files:
        copy(files[0], "tree", file, "copies/copy")
    copy(files[1], "copies/copy", files[1], "again")
    for file in files:
        file.close()
    for path, lost in before.items():
        what = f"{os.path.basename(path)}, {format}"
        after = leaked(path)
        assert after <= lost + FORGOTTEN, f"{what}: {lost} bytes were lost, now {after}"
        with h5py.File(path, "r") as file:
            assert_equal(expected if path == source else elsewhere, tree(file["copies/copy"]), what)
            if path == fresh:
                assert_equal(elsewhere, tree(file["again"]), what)
            if path == source:
                assert_equal(expected, tree(file["tree"]), what)
        h5tools(source, path, ("/tree", "/copies/copy"), format[0] != "latest" and path != theirs)
    number = rng.randrange(1 << 30)
    with h5py.File(lib, "r+") as file:
        modify(random.Random(number), file[name])
        expected = tree(file[name])
    for path in (fresh, theirs):
        with h5py.File(path, "r+") as file:
            modify(random.Random(number), file["copies/copy"])
        leaked(path)
        with h5py.File(path, "r+") as file:
            assert_equal(expected, tree(file["copies/copy"]), f"{os.path.basename(path)}, changed by libhdf5")
            del file["copies"]
        leaked(path)


def external_data(folder):
    """The copy of a dataset with raw data in external files has the same files."""
    values = np.arange(60, dtype="<i4").reshape(12, 5)
    for bounds in FORMATS:
        source, fresh = (f"{folder}/external {name}.h5" for name in ("source", "fresh"))
        parts = [(f"{folder}/part {number}.bin", 8 * number, size) for number, size in enumerate((100, h5py.h5f.UNLIMITED))]
        with h5py.File(source, "w", libver=bounds) as file:
            file.create_dataset("data", values.shape, "<i4", external=parts)[...] = values
        lost = leaked(source)
        from_file, to_file = File(source), File(fresh, create=True)
        copy(from_file, "data", from_file, "copy")
        copy(from_file, "copy", to_file, "copy")
        from_file.close()
        to_file.close()
        assert leaked(source) <= lost + FORGOTTEN and leaked(fresh) <= FORGOTTEN
        for path in source, fresh:
            with h5py.File(path, "r+") as file:
                assert file["copy"].external == parts and (file["copy"][...] == values).all(), bounds
                values[3] += 7
                file["copy"][3] = values[3]
        if bounds[0] != "latest":
            done = subprocess.run(["h5diff", source, fresh, "/data", "/copy"], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"h5diff: {done.stdout[-600:]} {done.stderr[-400:]}"
        with h5py.File(source) as file:
            assert (file["data"][...] == values).all()
        again = File(source)
        ok(H5R.h5r_link_delete(again.root, b"copy"))
        again.close()
        assert leaked(source) <= lost + FORGOTTEN
        with h5py.File(source) as file:
            assert file["data"].external == parts and (file["data"][...] == values).all()


def unfiltered_edges(folder):
    """Chunks at the edges that are stored without filters are filtered in the copy for libhdf5 1.8, whose format has no such edges."""
    values = np.arange(130, dtype="<i4").reshape(10, 13)
    source, old, new = (f"{folder}/edges {name}.h5" for name in ("source", "old", "new"))
    library, extents = ctypes.CDLL(h5py.h5p.__file__), {"fixed": (10, 13), "growing": (h5py.h5s.UNLIMITED,) * 2}
    with h5py.File(source, "w", libver="latest") as file:
        for name, most in extents.items():
            for filters in ("deflate",), ("shuffle",), ("shuffle", "deflate", "fletcher32"):
                creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                creation.set_chunk((4, 5))
                for set_filter in filters:
                    getattr(creation, f"set_{set_filter}")(*((6,) if set_filter == "deflate" else ()))
                # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
                assert library.H5Pset_chunk_opts(ctypes.c_int64(creation.id), 2) >= 0
                space = h5py.h5s.create_simple(values.shape, most)
                made = h5d.create(file.id, f"{name} {' '.join(filters)}".encode(), h5t.STD_I32LE, space, creation)
                made.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
        names = list(file)
    files = [File(source), File(old, create=CreateOptions(format=0)), File(new, create=True)]
    for name in names:
        for file in files[1:]:
            copy(files[0], name, file, name)
    for file in files:
        file.close()
    for path, options in (old, 0), (new, 2):
        assert leaked(path) <= FORGOTTEN
        content = open(path, "rb").read()
        assert content[8] == (2 if path == old else 3) and (b"FAHD" in content) == (b"BTHD" in content) == (path == new)
        with h5py.File(path, "r+") as file:
            for name in names:
                dataset, found = file[name], ctypes.c_uint()
                creation = dataset.id.get_create_plist()
                assert library.H5Pget_chunk_opts(ctypes.c_int64(creation.id), ctypes.byref(found)) >= 0
                assert found.value == options and (dataset[...] == values).all(), (path, name, found, dataset[...])
                dataset[7:, 8:] = -values[7:, 8:]
        with h5py.File(path) as file:
            changed = values.copy()
            changed[7:, 8:] *= -1
            assert all((file[name][...] == changed).all() for name in names), path
    subprocess.run(["h5dump", old], capture_output=True, check=True, timeout=60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=24)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for seed in range(options.seed, options.seed + options.rounds):
        try:
            one_round(options.folder, seed)
        except Exception:
            print(f"copies: failed with --seed {seed} --rounds 1", flush=True)
            raise
    external_data(options.folder)
    unfiltered_edges(options.folder)
    print(f"copies: {options.rounds} rounds, external data, and edges without filters")


if __name__ == "__main__":
    main()
