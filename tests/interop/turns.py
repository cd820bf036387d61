#!/usr/bin/env python3
"""h5r and libhdf5 take turns at changing one file, at random: after each session both must see what a plain model says.

usage: turns.py LIBRARY FOLDER [SEEDS [FIRST]]
"""
import ctypes
import os
import random
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

from h5r import H5R, I32, U64, CreateOptions, DatasetOptions, File, Selection, array, ok, pointer

FOLDER = Path(sys.argv[2])
SEEDS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
FIRST = int(sys.argv[4]) if len(sys.argv) > 4 else 0
SESSIONS, STEPS = 8, 25
PAIR = np.dtype({"names": ["a", "b"], "formats": ["<i2", "<f8"], "offsets": [0, 8], "itemsize": 16})
TEXT = h5py.string_dtype()
TOKENS = {np.dtype("i1"): 1, np.dtype("<i4"): 3, np.dtype("<i2"): 2, np.dtype("<f8"): 11, np.dtype(">i2"): 34}
# libhdf5 opens no file that is newer than its upper bound.
BOUNDS = [("earliest", "v110"), ("v108", "v110"), ("v110", "v110")]
OLD_BOUNDS = [("earliest", "v108"), ("v108", "v108")]


class Node:
    """An object of the model: `links` of a group to other nodes or, soft, to paths; `data` of a dataset."""

    def __init__(self, data=None, growing=False):
        self.attributes, self.data, self.growing = {}, data, growing
        self.links = {} if data is None else None


class OwnFault(Exception):
    """Libhdf5 could not close a file: there is nothing to compare."""


class Model:
    def __init__(self):
        self.root = Node()

    def places(self):
        """Every path to every object, through hard links."""
        found, left = {"/": self.root}, [("", self.root)]
        while left:
            at, group = left.pop()
            for name, node in group.links.items():
                if isinstance(node, Node):
                    found[f"{at}/{name}"] = node
                    if node.links is not None:
                        left.append((f"{at}/{name}", node))
        return found

    def link(self, path, node):
        parent, name = os.path.split(path)
        self.places()[parent].links[name] = node

    def unlink(self, path):
        parent, name = os.path.split(path)
        return self.places()[parent].links.pop(name)


def copied(node, known):
    """A copy of all below a node; what has several links there has them in the copy."""
    if id(node) not in known:
        copy = known[id(node)] = Node(None if node.data is None else node.data.copy(), node.growing)
        copy.attributes = dict(node.attributes)
        for name, other in (node.links or {}).items():
            copy.links[name] = copied(other, known) if isinstance(other, Node) else other
    return known[id(node)]


def below(node):
    """The objects at and below a node."""
    found, left = {}, [node]
    while left:
        node = left.pop()
        if id(node) not in found:
            found[id(node)] = node
            left += [other for other in (node.links or {}).values() if isinstance(other, Node)]
    return found


class Libhdf5:
    """The changes through h5py."""

    def __init__(self, path, rng):
        self.file = h5py.File(path, "r+", libver=rng.choice(BOUNDS))

    def close(self):
        try:
            self.file.close()
        except RuntimeError as error:
            if "Pinned entry count not decreasing" not in str(error):
                raise
            # Libhdf5 1.14.6 and 2.0.0 do this to their own files, once in 100 seeds, also where h5r never touched them.
            raise OwnFault() from error

    def flush(self, _):
        self.file.flush()

    def group(self, path, rng):
        self.file.create_group(path, track_order=rng.random() < 0.4)

    def dataset(self, path, data, chunk, maximum, packed, rng):
        options = {"chunks": chunk, "maxshape": maximum, "track_order": rng.random() < 0.4}
        if packed is not None:
            options |= {"compression": packed, "shuffle": True, "fletcher32": packed == 1 and data.dtype.kind != "O"}
        self.file.create_dataset(path, data=data, **options)

    def write(self, path, start, data):
        self.file[path][tuple(slice(at, at + length) for at, length in zip(start, data.shape))] = data

    def resize(self, path, shape):
        self.file[path].resize(shape)

    def attribute(self, path, name, value):
        attributes = self.file[path].attrs
        if name in attributes:
            del attributes[name]
        attributes.create(name, value, dtype=value.dtype)

    def drop(self, path, name):
        del self.file[path].attrs[name]

    def rename(self, path, name, other):
        h5py.h5a.rename(self.file[path].id, name.encode(), other.encode())

    def unlink(self, path):
        del self.file[path]

    def move(self, path, other):
        self.file.move(path, other)

    def soft(self, path, target):
        self.file[path] = h5py.SoftLink(target)

    def hard(self, path, target):
        self.file[path] = self.file[target]

    def copy(self, path, other):
        self.file.copy(path, other)


class Own:
    """The changes through h5r, in a mode at random."""

    def __init__(self, path, rng):
        self.file = File(str(path))
        self.root = self.file.root
        self.mode(rng)

    def mode(self, rng):
        handle, mode = self.file.handle, rng.choice(["none", "lazy", "incremental", "smart"])
        if mode == "incremental":
            ok(H5R.h5r_set_lazy(handle, None))
        ok(getattr(H5R, f"h5r_set_{mode}")(handle, *([] if mode == "none" else [None])))

    def close(self):
        self.file.close()

    def flush(self, rng):
        step = rng.choice([H5R.h5r_flush, H5R.h5r_rebalance, None])
        ok(step(self.file.handle)) if step else self.mode(rng)

    def at(self, path, call, *arguments):
        handle = self.file.open(path)
        try:
            ok(call(handle, *arguments))
        finally:
            ok(H5R.h5r_object_close(handle))

    def group(self, path, _):
        ok(H5R.h5r_group_create(self.root, path.encode(), None, None))

    def dataset(self, path, data, chunk, maximum, packed, _):
        maximum = maximum and [2**64 - 1 if extent is None else extent for extent in maximum]
        options = DatasetOptions(chunk=chunk, max_dims=maximum)
        options.deflate = packed or 0
        options.shuffle, options.fletcher32 = packed is not None, packed == 1 and data.dtype.kind != "O"
        ok(H5R.h5r_dataset_create(self.root, path.encode(), token(data.dtype), ctypes.c_size_t(data.ndim),
                                  array(data.shape), ctypes.byref(options), None))
        self.at(path, H5R.h5r_dataset_write, token(data.dtype), None, elements(data))

    def write(self, path, start, data):
        chosen = Selection(len(start), array(start), None, array(data.shape), None)
        self.at(path, H5R.h5r_dataset_write, token(data.dtype), ctypes.byref(chosen), elements(data))

    def resize(self, path, shape):
        self.at(path, H5R.h5r_dataset_set_extent, array(shape))

    def attribute(self, path, name, value):
        self.at(path, H5R.h5r_attr_write, name.encode(), token(value.dtype), ctypes.c_size_t(value.ndim),
                array(value.shape), elements(value))

    def drop(self, path, name):
        self.at(path, H5R.h5r_attr_delete, name.encode())

    def rename(self, path, name, other):
        self.at(path, H5R.h5r_attr_rename, name.encode(), other.encode())

    def unlink(self, path):
        ok(H5R.h5r_link_delete(self.root, path.encode()))

    def move(self, path, other):
        ok(H5R.h5r_link_move(self.root, path.encode(), self.root, other.encode()))

    def soft(self, path, target):
        ok(H5R.h5r_link_create_soft(self.root, path.encode(), target.encode()))

    def hard(self, path, target):
        handle = self.file.open(target)
        ok(H5R.h5r_link_create_hard(self.root, path.encode(), handle))
        ok(H5R.h5r_object_close(handle))

    def copy(self, path, other):
        ok(H5R.h5r_object_copy(self.root, path.encode(), self.root, other.encode(), None))


def token(dtype):
    """h5r's type of a NumPy type; made ones live as long as the process."""
    if dtype not in TOKENS:
        made = U64()
        if dtype.kind == "O":
            ok(H5R.h5r_type_string_variable(I32(0), I32(1), ctypes.byref(made)))
        elif dtype.kind == "S":
            ok(H5R.h5r_type_string(ctypes.c_size_t(dtype.itemsize), I32(1), I32(0), ctypes.byref(made)))
        else:
            ok(H5R.h5r_type_compound(ctypes.c_size_t(dtype.itemsize), ctypes.byref(made)))
            for name, (member, offset) in dtype.fields.items():
                ok(H5R.h5r_type_insert(made, name.encode(), U64(offset), token(member)))
        TOKENS[dtype] = made.value
    return U64(TOKENS[dtype])


def elements(data):
    """What h5r is given: a string of variable length as a pointer to it."""
    if data.dtype.kind != "O":
        return pointer(data)
    return (ctypes.c_char_p * data.size)(*[text.encode() for text in data.ravel()])


def read_own(call, dtype, shape):
    """What h5r reads by `call`, which is given the type and a buffer."""
    count = int(np.prod(shape, dtype=int))
    if dtype.kind != "O":
        read = np.zeros(shape, dtype)
        ok(call(token(dtype), pointer(read), read.nbytes))
        return read
    texts = (ctypes.c_char_p * count)()
    ok(call(token(dtype), texts, ctypes.sizeof(texts)))
    read = np.array([(text or b"").decode() for text in texts] + [None], object)[:-1].reshape(shape)
    ok(H5R.h5r_vlen_release(token(dtype), U64(count), texts))
    return read


def values(rng, shape):
    """Random elements of a random type."""
    numbers = np.random.default_rng(rng.randrange(1 << 32))
    dtype = rng.choice([np.dtype("i1"), np.dtype("<i4"), np.dtype("<f8"), np.dtype(">i2"), np.dtype("S7"), PAIR, TEXT])
    if dtype.kind == "O":
        made = np.full(shape, "", dtype)
        for at in np.ndindex(made.shape):
            made[at] = rng.choice("aü€") * rng.choice([0, 1, 7, 30, 30, 100, rng.randrange(4000)])
        return made
    if dtype == PAIR:
        made = np.zeros(shape, dtype)
        made["a"], made["b"] = numbers.integers(-99, 99, shape), numbers.random(shape)
        return made
    return numbers.integers(-99, 99, shape).astype(dtype) if shape else np.array(rng.randint(-99, 99)).astype(dtype)


class Session:
    """Steps of one side, done to the model too."""

    def __init__(self, side, model, rng):
        self.side, self.model, self.rng = side, model, rng
        self.serial = 0

    def pick(self, wanted):
        return self.rng.choice(sorted(path for path, node in self.model.places().items() if wanted(node)) or [None])

    def free_path(self):
        group = self.pick(lambda node: node.links is not None)
        while True:
            name = f"{self.rng.choice(['x', 'long_name_' * 4, 'ü'])}{self.rng.randrange(400)}"
            if name not in self.model.places()[group].links:
                return f"{group.rstrip('/')}/{name}"

    def step(self):
        steps = [self.group] * 2 + [self.dataset] * 3 + [self.write] * 4 + [self.resize] * 3 + [self.attributes] * 5
        steps += [self.drop] * 4 + [self.rename] + [self.unlink] * 3 + [self.move] * 2 + [self.soft, self.hard]
        steps += [self.copy, self.links, self.flush]
        self.rng.choice(steps)()

    def flush(self):
        self.side.flush(self.rng)

    def group(self):
        path = self.free_path()
        self.side.group(path, self.rng)
        self.model.link(path, Node())

    def links(self):
        """Many at once, so that they become dense, and most of them away again."""
        group = self.pick(lambda node: node.links is not None)
        names = [f"many{number}" for number in range(self.rng.choice([5, 30, 300]))]
        links = self.model.places()[group].links
        for name in names:
            if name not in links:
                self.side.soft(f"{group.rstrip('/')}/{name}", f"to/{name}")
                links[name] = f"to/{name}"
        for name in self.rng.sample(names, len(names) * self.rng.randrange(5) // 4):
            self.side.unlink(f"{group.rstrip('/')}/{name}")
            del links[name]

    def dataset(self):
        path, rank = self.free_path(), self.rng.randrange(1, 4)
        shape = tuple(self.rng.randrange(1, (2000, 40, 12)[rank - 1]) for _ in range(rank))
        chunk = maximum = packed = None
        if self.rng.random() < 0.7:
            chunk = tuple(self.rng.randrange(1, extent + 1) for extent in shape)
            chunk = tuple(max(edge, extent // 9) for edge, extent in zip(chunk, shape))
            packed = self.rng.choice([None, None, 1, 6])
            kind = self.rng.randrange(3)
            maximum = [None, (None,) + shape[1:], (None,) * rank][kind]
        data = values(self.rng, shape)
        self.side.dataset(path, data, chunk, maximum, packed, self.rng)
        self.model.link(path, Node(data, (rank if kind == 2 else 1) if maximum else 0))

    def write(self):
        path = self.pick(lambda node: node.data is not None and node.data.size)
        if path is None:
            return
        data = self.model.places()[path].data
        start = [self.rng.randrange(extent) for extent in data.shape]
        shape = [self.rng.randrange(1, extent - at + 1) for at, extent in zip(start, data.shape)]
        part = np.resize(np.roll(data.ravel(), 3), shape).astype(data.dtype)
        assert part.dtype.metadata == data.dtype.metadata
        self.side.write(path, start, np.ascontiguousarray(part))
        data[tuple(slice(at, at + length) for at, length in zip(start, shape))] = part

    def resize(self):
        path = self.pick(lambda node: node.data is not None and node.growing)
        if path is None:
            return
        node = self.model.places()[path]
        shape = list(node.data.shape)
        for at in range(node.growing):
            shape[at] = self.rng.choice([0, 1, shape[at] // 2, shape[at] + 1, 2 * shape[at] + 3])
        shape = [min(extent, 6000 >> 3 * len(shape)) if len(shape) > 1 else extent for extent in shape]
        self.side.resize(path, shape)
        data = np.full(shape, "", TEXT) if node.data.dtype.kind == "O" else np.zeros(shape, node.data.dtype)
        common = tuple(slice(0, min(pair)) for pair in zip(shape, node.data.shape))
        data[common] = node.data[common]
        node.data = data

    def attributes(self):
        path = self.pick(lambda node: True)
        node = self.model.places()[path]
        for _ in range(self.rng.choice([1, 3, 12, 150])):
            name, shape = f"a{self.rng.randrange(300)}", self.rng.choice([(), (1,), (5,), (3, 4), (300,)])
            value = values(self.rng, shape)
            self.side.attribute(path, name, value)
            node.attributes[name] = value

    def drop(self):
        path = self.pick(lambda node: node.attributes)
        if path is None:
            return
        attributes = self.model.places()[path].attributes
        for name in self.rng.sample(sorted(attributes), self.rng.randint(1, len(attributes))):
            self.side.drop(path, name)
            del attributes[name]

    def rename(self):
        path = self.pick(lambda node: node.attributes)
        if path is None:
            return
        attributes, self.serial = self.model.places()[path].attributes, self.serial + 1
        name, other = self.rng.choice(sorted(attributes)), f"renamed {self.rng.randrange(1 << 40)}"
        self.side.rename(path, name, other)
        attributes[other] = attributes.pop(name)

    def unlink(self):
        path = self.pick(lambda node: node is not self.model.root)
        if path is not None:
            self.side.unlink(path)
            self.model.unlink(path)

    def move(self):
        path, other = self.pick(lambda node: node is not self.model.root), self.free_path()
        places = self.model.places()
        if path is not None and id(places[os.path.split(other)[0]]) not in below(places[path]):
            self.side.move(path, other)
            self.model.link(other, self.model.unlink(path))

    def soft(self):
        path, target = self.free_path(), f"/nowhere/{self.rng.randrange(9)}"
        self.side.soft(path, target)
        self.model.link(path, target)

    def hard(self):
        path, target = self.free_path(), self.pick(lambda node: node is not self.model.root)
        places = self.model.places()
        if target is not None and id(places[os.path.split(path)[0]]) not in below(places[target]):
            self.side.hard(path, target)
            self.model.link(path, places[target])

    def copy(self):
        path, other = self.pick(lambda node: node is not self.model.root), self.free_path()
        places = self.model.places()
        if path is not None and id(places[os.path.split(other)[0]]) not in below(places[path]):
            self.side.copy(path, other)
            self.model.link(other, copied(places[path], {}))


# ---- what both read ----

def compare(seen, node, path, known):
    """An object that h5py reads is the model's."""
    attributes = {name: seen.attrs.get_id(name) for name in seen.attrs}
    assert set(attributes) == set(node.attributes), (path, set(attributes) ^ set(node.attributes))
    for name, expected in node.attributes.items():
        same(seen.attrs[name], expected, (path, name))
    if node.data is not None:
        assert seen.dtype == node.data.dtype and seen.shape == node.data.shape, (path, seen, node.data.shape)
        same(seen[...], node.data, path)
        return
    assert set(seen) == set(node.links), (path, set(seen) ^ set(node.links))
    for name, target in node.links.items():
        if isinstance(target, str):
            assert seen.get(name, getlink=True).path == target, (path, name)
            continue
        other = seen[name]
        address = h5py.h5o.get_info(other.id).addr
        assert known.setdefault(id(target), address) == address, (path, name, "the link leads elsewhere")
        compare(other, target, f"{path}/{name}", known)


def same(read, expected, what):
    """Bit for bit; padding between members is nobody's."""
    read = np.asarray(read)
    assert read.shape == expected.shape, (what, read.shape, expected.shape)
    if expected.dtype.kind == "O":
        texts = [text.decode() if isinstance(text, bytes) else str(text) for text in read.ravel()]
        assert texts == expected.ravel().tolist(), (what, texts, expected)
        return
    names = expected.dtype.names
    for part in names or [...]:
        one, other = (np.ascontiguousarray(values[part]) for values in (read, expected))
        assert one.astype(other.dtype).tobytes() == other.tobytes(), (what, one, other)


def compare_own(path, model):
    """h5r reads the same."""
    file = File(str(path))
    for place, node in model.places().items():
        handle = file.open(place)
        count = U64()
        ok(H5R.h5r_attr_count(handle, ctypes.byref(count)))
        assert count.value == len(node.attributes), (place, count.value, len(node.attributes))
        for name, expected in node.attributes.items():
            call = lambda kind, out, size: H5R.h5r_attr_read(handle, name.encode(), kind, out, ctypes.c_size_t(size))
            same(read_own(call, expected.dtype, expected.shape), expected, (place, name))
        if node.data is not None:
            call = lambda kind, out, _: H5R.h5r_dataset_read(handle, kind, None, out)
            same(read_own(call, node.data.dtype, node.data.shape), node.data, place)
        else:
            ok(H5R.h5r_link_count(handle, ctypes.byref(count)))
            assert count.value == len(node.links), (place, count.value, len(node.links))
        ok(H5R.h5r_object_close(handle))
    file.close()


def judge(path, model):
    """Everybody sees the model's contents, and finds the file sound."""
    with h5py.File(path) as file:
        compare(file["/"], model.root, "", {})
    compare_own(path, model)
    dumped = subprocess.run(["h5dump", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)
    assert dumped.returncode == 0, dumped.stderr.decode()[-2000:]


def create(path, rng):
    """An empty file of either side, of any kind."""
    if rng.random() < 0.4:
        creation = rng.randrange(3)
        storage = {"links": (8, 6, creation), "attributes": (8, 6, rng.randrange(3))}
        File(str(path), CreateOptions(format=rng.randrange(2), **storage)).close()
        return
    options = rng.choice([{}, {}, {"userblock_size": 1024}, {"fs_strategy": "page", "fs_persist": True},
                          {"fs_strategy": "fsm", "fs_persist": True}, {"fs_strategy": "page", "fs_page_size": 1024}])
    bounds = rng.choice(BOUNDS + ([] if "fs_strategy" in options else OLD_BOUNDS))
    h5py.File(path, "w", libver=bounds, track_order=rng.random() < 0.3, **options).close()


def play(seed, path):
    """One file's sessions; how many steps."""
    rng, model, steps = random.Random(seed), Model(), 0
    create(path, rng)
    for number in range(SESSIONS):
        kind = rng.choice([Own, Libhdf5])
        try:
            session = Session(kind(path, rng), model, rng)
            for _ in range(rng.randrange(STEPS)):
                session.step()
                steps += 1
            session.side.close()
            judge(path, model)
        except OwnFault:
            print(f"turns: seed {seed}: libhdf5 gave up in session {number}")
            return steps
        except BaseException:
            print(f"turns: seed {seed}, session {number} of {kind.__name__}, file {path}", file=sys.stderr)
            raise
    return steps


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    steps = 0
    for seed in range(FIRST, FIRST + SEEDS):
        path = FOLDER / f"turns-{seed}.h5"
        steps += play(seed, path)
        path.unlink()
    print(f"turns: {SEEDS} files, {steps} steps of h5r and libhdf5 {h5py.version.hdf5_version} in turns, all as expected")


if __name__ == "__main__":
    main()
