"""Changes files by seeded series of operations of h5r, and compares what h5py reads afterwards with what it read before
and the operations.

Usage: modify.py LIBH5R SEEDS FILE...   (each file is copied first)
"""

import ctypes
import os
import random
import shutil
import subprocess
import sys

import h5py
import hdf5plugin  # which makes its filters known
import numpy as np
from h5py import h5a, h5d

OPERATIONS = 120


class Library:
    """h5r's C interface."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.h5r_last_error.restype = ctypes.c_char_p
        self.library.h5r_root.restype = ctypes.c_void_p

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status < 0:
            raise RuntimeError(f"{name}: {self.library.h5r_last_error().decode()}")

    def open(self, path):
        handle = ctypes.c_void_p()
        self.call("h5r_open", path.encode(), None, ctypes.byref(handle))
        return handle

    def object(self, root, path):
        handle = ctypes.c_void_p()
        self.call("h5r_object_open", root, path.encode(), ctypes.byref(handle))
        return handle


def constant(header, name):
    """A type's token in h5r.h."""
    for line in open(header):
        words = line.split()
        if len(words) >= 3 and words[:2] == ["#define", name]:
            return int(words[2])
    raise KeyError(name)


def digest(value):
    array = np.asarray(value)
    opaque = array.dtype.kind == "V" and array.dtype.names is None
    return f"{array.dtype} {array.shape} {array.tobytes() if opaque else array.tolist()!r}"


def readable(read):
    try:
        return digest(read())
    except (OSError, TypeError, ValueError) as error:
        return f"unreadable: {type(error).__name__}"


class Snapshot(dict):
    """From paths to what h5py finds there: attributes, and a dataset's elements or what a link says."""

    def read(self, path):
        with h5py.File(path, "r") as file:
            self.seen = {}
            self.below(file["/"], "/")
        return self

    def below(self, object, path):
        name = h5py.h5o.get_info(object.id).addr
        if name in self.seen:
            self[path] = ("hard", self.seen[name])
            return
        self.seen[name] = path
        names = [h5a.open(object.id, index=i).name.decode() for i in range(h5a.get_num_attrs(object.id))]
        attributes = {name: readable(lambda: object.attrs[name]) for name in names}
        kind, data = type(object).__name__, None
        if isinstance(object, h5py.Dataset):
            data = readable(lambda: object[()])
        self[path] = [kind, attributes, data]
        if isinstance(object, h5py.Group):
            for name in object:
                below, link = f"{path.rstrip('/')}/{name}", object.get(name, getlink=True)
                if isinstance(link, h5py.HardLink):
                    self.below(object[name], below)
                else:
                    self[below] = (type(link).__name__, link.path, getattr(link, "filename", None))

    def objects(self, kind=None):
        return sorted(path for path, entry in self.items() if isinstance(entry, list) and kind in (None, entry[0]))

    def is_shared(self, path):
        """Whether another link leads to something at or below the path."""
        begins = [path, path.rstrip("/") + "/"]
        return any(entry[0] == "hard" and (entry[1] == path or entry[1].startswith(begins[1])) for entry in self.values())

    def has_others(self, path):
        """Whether there is, at or below the path, another link to something."""
        return any(entry[0] == "hard" and f"{name}/".startswith(f"{path}/") for name, entry in self.items())

    def remove(self, path):
        for name in [name for name in self if name == path or name.startswith(path + "/")]:
            del self[name]

    def move(self, path, to):
        for name in [name for name in self if name == path or name.startswith(path + "/")]:
            self[to + name[len(path):]] = self.pop(name)


def sources(path):
    """What the virtual datasets of a file lead to in the same file; of numbered sources, the group that has them."""
    found = set()

    def add(name, object):
        if isinstance(object, h5py.Dataset) and object.id.get_create_plist().get_layout() == h5d.VIRTUAL:
            plist = object.id.get_create_plist()
            names = [plist.get_virtual_dsetname(i) for i in range(plist.get_virtual_count()) if plist.get_virtual_filename(i) == "."]
            found.update("/" + (name.strip("/") if "%" not in name else name[:name.index("%")].strip("/").rpartition("/")[0]) for name in names)

    with h5py.File(path, "r") as file:
        file.visititems(add)
    return found


class Series:
    """One series of operations on one file, and what they should leave."""

    def __init__(self, library, path, seed, token):
        self.library, self.random, self.token = library, random.Random(seed), token
        self.model = Snapshot().read(path)
        self.sources = sources(path)
        self.types = {name: entry for name, entry in self.model.items() if entry[0] == "Datatype"}
        self.file = library.open(path)
        self.root = ctypes.c_void_p(library.library.h5r_root(self.file))
        self.next = 0

    def run(self):
        for _ in range(OPERATIONS):
            self.random.choice([self.write, self.write, self.delete_attribute, self.group, self.dataset, self.unlink,
                                self.move, self.soft, self.rename])()
        self.library.call("h5r_close", self.file)

    def name(self):
        self.next += 1
        return f"new {self.next} {'ü' if self.next % 5 == 0 else 'u'}"

    def on(self, path, name, *arguments):
        handle = self.library.object(self.root, path)
        self.library.call(name, handle, *arguments)
        self.library.call("h5r_object_close", handle)

    def value(self):
        return np.array(self.random.choices(range(-1000, 1000), k=self.random.choice([1, 3, 40])), dtype="<i4")

    def write(self):
        path, value = self.random.choice(self.model.objects()), self.value()
        attributes = self.model[path][1]
        name = self.random.choice(sorted(attributes)) if attributes and self.random.random() < 0.3 else self.name()
        dims = (ctypes.c_uint64 * 1)(len(value))
        self.on(path, "h5r_attr_write", name.encode(), ctypes.c_uint64(self.token), ctypes.c_size_t(1), dims,
                value.ctypes.data_as(ctypes.c_void_p))
        attributes[name] = digest(value)

    def attribute(self):
        with_some = [path for path in self.model.objects() if self.model[path][1]]
        if not with_some:
            self.write()
            return self.attribute()
        path = self.random.choice(with_some)
        return path, self.random.choice(sorted(self.model[path][1]))

    def delete_attribute(self):
        path, name = self.attribute()
        self.on(path, "h5r_attr_delete", name.encode())
        del self.model[path][1][name]

    def rename(self):
        (path, old), new = self.attribute(), self.name()
        self.on(path, "h5r_attr_rename", old.encode(), new.encode())
        self.model[path][1][new] = self.model[path][1].pop(old)

    def place(self):
        groups = self.model.objects("Group")
        return f"{self.random.choice(groups).rstrip('/')}/{self.name()}"

    def group(self):
        path = self.place()
        self.library.call("h5r_group_create", self.root, path.encode(), None, None)
        self.model[path] = ["Group", {}, None]

    def dataset(self):
        path, value = self.place(), self.value()
        dims, handle = (ctypes.c_uint64 * 1)(len(value)), ctypes.c_void_p()
        token = ctypes.c_uint64(self.token)
        self.library.call("h5r_dataset_create", self.root, path.encode(), token, ctypes.c_size_t(1), dims, None,
                          ctypes.byref(handle))
        self.library.call("h5r_dataset_write", handle, token, None, value.ctypes.data_as(ctypes.c_void_p))
        self.library.call("h5r_object_close", handle)
        self.model[path] = ["Dataset", {}, digest(value)]

    def soft(self):
        path = self.place()
        self.library.call("h5r_link_create_soft", self.root, path.encode(), b"/group")
        self.model[path] = ("SoftLink", "/group", None)

    def link(self):
        """A link whose object no other link and no virtual dataset leads to."""
        def is_free(path):
            below = path.rstrip("/") + "/"
            meets = [source for source in self.sources if f"{source}/".startswith(below) or below.startswith(f"{source}/")]
            return path != "/" and not self.model.is_shared(path) and not meets
        return self.random.choice([path for path in sorted(self.model) if is_free(path)] or [None])

    def unlink(self):
        path = self.link()
        if path and len(self.model) > 15:
            self.library.call("h5r_link_delete", self.root, path.encode())
            self.model.remove(path)

    def move(self):
        path, to = self.link(), self.place()
        # Another link to an object may come to be the one that is met first.
        if path and not to.startswith(path + "/") and not self.model.has_others(path):
            self.library.call("h5r_link_move", self.root, path.encode(), None, to.encode())
            self.model.move(path, to)


def h5dump(path):
    """Whether the installed h5dump reads the file."""
    if not shutil.which("h5dump"):
        return False
    return subprocess.run(["h5dump", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def difference(found, wanted):
    """What differs first, in a line; nothing where nothing does."""
    for name in sorted({**found, **wanted}):
        one, other = found.get(name), wanted.get(name)
        if one == other:
            continue
        if isinstance(one, list) and isinstance(other, list) and one[1] != other[1]:
            for attribute in {**one[1], **other[1]}:
                if one[1].get(attribute) != other[1].get(attribute):
                    return f"{name}@{attribute}: {str(one[1].get(attribute))[:200]} for {str(other[1].get(attribute))[:200]}"
        return f"{name}: {str(one)[:200]} for {str(other)[:200]}"
    return None


def main():
    library = Library(sys.argv[1])
    here = os.path.dirname(os.path.abspath(__file__))
    token = constant(f"{here}/../../include/h5r.h", "H5R_I32")
    failed = 0
    for path in sys.argv[3:]:
        # libhdf5 1.10.8 does not know everything that later versions write.
        knows = h5dump(path)
        for seed in range(int(sys.argv[2])):
            os.chdir(os.path.dirname(os.path.abspath(path)))
            copy = os.path.abspath(f"modified_{os.getpid()}.tmp")
            shutil.copy(path, copy)
            try:
                series = Series(library, copy, f"{os.path.basename(path)} {seed}", token)
                series.run()
                found = Snapshot().read(copy)
                wanted = series.model
                differing = difference(found, wanted)
                if differing:
                    raise RuntimeError(differing)
                if knows and not h5dump(copy):
                    raise RuntimeError("h5dump reads it no more")
                # And libhdf5 goes on changing it.
                with h5py.File(copy, "r+") as file:
                    file.create_group("by libhdf5").attrs["value"] = 1
                    for name in list(file)[:2]:
                        del file[name]
                with h5py.File(copy, "r") as file:
                    file.visititems(lambda name, object: list(object.attrs) and None)
            except Exception as error:
                failed += 1
                print(f"{path}, seed {seed}: {type(error).__name__}: {error}")
            os.remove(copy)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
