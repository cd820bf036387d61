"""Writes the files of tests/old.rs with libhdf5, and what is in them.

Usage: old.py FOLDER (h5py 3, numpy)

old.h5         the oldest format (superblock 0): old groups of many links, attributes by the dozen and of many types; the
               root group became a new one for its external link, and one group tracks its creation order
old_small.h5   the same of less, with a user block, addresses and lengths of 4 bytes, and other K values (superblock 1)
old.txt        their contents: one item per line, fields separated by tabs, after a line with the file's name
"""

import ctypes
import struct
import sys

import h5py
import numpy as np
from h5py import h5f, h5p

from foreign import describe, fill, group, values


def old_groups(file, many):
    links = file.create_group("links")
    for i in range(many):
        number = (i * 37) % many
        name = f"{number}" if i % 3 else f"{'long_' * (i % 9)}{number:04}"
        if i % 4 == 0:
            links[name] = h5py.SoftLink(f"/nowhere/{number}")
        elif i % 4 < 3:
            links["hard" + name] = file["few"]
        else:
            fill(links.create_group(name), ["number"])
    for name in list(links)[:: 5]:
        del links[name]
    file.create_group("empty")
    many_attributes = file.create_group("attributes")
    fill(many_attributes, [f"{(i * 7) % 60}" for i in range(60)])
    for i in range(0, 60, 4):
        del many_attributes.attrs[f"{i}"]
    data = file.create_dataset("untimed", data=np.arange(6, dtype="<i4"), track_times=False)
    data.attrs["text"] = "variable"
    chunked = np.arange(120, dtype="<i4").reshape(10, 12)
    file.create_dataset("chunked", data=chunked, chunks=(3, 4), compression=4).attrs["on"] = np.int16(3)
    file.create_dataset("late", shape=(5,), dtype="<i4", fillvalue=7)


def loaded_library():
    """The libhdf5 of h5py, for the calls that h5py has not."""
    with open("/proc/self/maps") as maps:
        (path,) = {line.split()[-1] for line in maps if "/libhdf5-" in line}
    return ctypes.CDLL(path)


def small_file(path):
    plist = h5p.create(h5p.FILE_CREATE)
    plist.set_userblock(512)
    plist.set_sizes(4, 4)
    library = loaded_library()
    for failed in (library.H5Pset_sym_k(ctypes.c_int64(plist.id), 2, 3), library.H5Pset_istore_k(ctypes.c_int64(plist.id), 9)):
        assert failed == 0
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
    with h5py.File(h5f.create(path.encode(), h5f.ACC_TRUNC, fcpl=plist, fapl=access)) as file:
        file.create_group("few")
        fill(file["few"], ["a", "b"])
        old_groups(file, 40)


def cycle(path):
    """Damage: /o/g leads to itself and counts one link only; the data of /o/x lie on its header."""
    with h5py.File(path, "w", libver="earliest") as file:
        group = file.create_group("o/g")
        group["self"] = group
        header = h5py.h5o.get_info(group.id).addr
        data = file.create_dataset("o/x", data=np.arange(4, dtype="<i4")).id.get_offset()
    with open(path, "r+b") as file:
        layout = file.read().index(struct.pack("<QQ", data, 16))
        for at, value in (header + 4, struct.pack("<I", 1)), (layout, struct.pack("<Q", header + 8)):
            file.seek(at)
            file.write(value)


def main(folder):
    cycle(f"{folder}/old_cycle.h5")
    with h5py.File(f"{folder}/old.h5", "w", libver="earliest") as file:
        fill(file.create_group("few"), ["a", "b"])
        old_groups(file, 100)
        values(file.create_group("compact"))
        new = group(file, "tracked", 3)
        fill(new, [f"n{i}" for i in range(12)])
        new["soft"] = h5py.SoftLink("/few")
        file["external"] = h5py.ExternalLink("other.h5", "/there")
        file["type"] = np.dtype("<f4")
        file["type"].attrs["about"] = np.int32(4)
        file["untimed"].attrs.create("committed", 2.5, dtype=file["type"])
    small_file(f"{folder}/old_small.h5")
    with open(f"{folder}/old.txt", "w") as out:
        for name in ("old", "old_small"):
            lines = [f"file\t{name}"]
            with h5py.File(f"{folder}/{name}.h5") as file:
                describe(file, lines)
            out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
