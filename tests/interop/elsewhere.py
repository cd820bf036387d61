#!/usr/bin/env python3
"""Raw data in external files: h5r writes them, and libhdf5 reads them and writes on. External links: h5r follows them where libhdf5 does. Virtual
datasets: their strings come from the heaps of other files.

usage: elsewhere.py LIBRARY FOLDER
"""
import ctypes
import os
import shutil
import sys

import h5py
import numpy as np

from h5r import H5R, File, Selection, array, ok, pointer

FOLDER = sys.argv[2]


def token(name):
    for line in open(os.path.join(os.path.dirname(__file__), "../../include/h5r.h")):
        words = line.split()
        if len(words) >= 3 and words[:2] == ["#define", name]:
            return ctypes.c_uint64(int(words[2]))
    raise KeyError(name)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    os.chdir(FOLDER)
    for name in "one.raw", "two.raw", "whole.raw":
        if os.path.exists(name):
            os.remove(name)
    values, number = np.arange(60, dtype="<i4").reshape(6, 10), token("H5R_I32")
    with h5py.File("elsewhere.h5", "w") as file:
        file.create_dataset("parts", (6, 10), "<i4", external=[("one.raw", 12, 100), ("two.raw", 0, h5py.h5f.UNLIMITED)])
        file.create_dataset("whole", (6, 10), ">f8", external=[("whole.raw", 0, 480)])
        file.create_dataset("short", (6, 10), "<i4", external=[("short.raw", 0, 240)])
    file = File("elsewhere.h5")
    parts, whole = file.open("parts"), file.open("whole")
    ok(H5R.h5r_dataset_write(parts, number, None, pointer(values)))
    some = Selection(2, array([1, 1]), array([2, 3]), array([2, 3]), array([1, 2]))
    new = np.arange(100, 112, dtype="<i4")
    ok(H5R.h5r_dataset_write(whole, number, ctypes.byref(some), pointer(new)))
    ok(H5R.h5r_dataset_write(parts, number, ctypes.byref(some), pointer(new)))
    file.close()
    expected = np.zeros((6, 10))
    for place, value in zip([(r, c + d) for r in (1, 3) for c in (1, 4, 7) for d in (0, 1)], new):
        values[place] = expected[place] = value
    assert os.path.getsize("one.raw") == 112 and os.path.getsize("two.raw") == 140
    with h5py.File("elsewhere.h5", "r+") as file:
        assert (file["parts"][...] == values).all(), file["parts"][...]
        assert (file["whole"][...] == expected).all(), file["whole"][...]
        file["whole"][5] = 7.5
        expected[5] = 7.5
    file, found = File("elsewhere.h5"), np.zeros((6, 10))
    ok(H5R.h5r_dataset_read(file.open("whole"), token("H5R_F64"), None, pointer(found)))
    assert (found == expected).all()
    assert not os.path.exists("short.raw")
    file.close()
    print(f"{FOLDER}/elsewhere.h5: external raw data are written as libhdf5 writes them")
    strings()
    through(number)
    into(number)
    values_into()
    values_outside()
    mixed()
    links(number)
    changes(number)


def through(number):
    """What is written to a virtual dataset goes to its sources in the same file."""
    with h5py.File("through.h5", "w", libver="latest") as file:
        for name in "abc":
            file.create_dataset(name, (3, 4), ">i2" if name == "b" else "<i4", chunks=(2, 3), maxshape=(None, 4))
        layout = h5py.VirtualLayout((6, 4), "<i4")
        layout[::2] = h5py.VirtualSource(".", "a", (3, 4))
        layout[1::2, :3] = h5py.VirtualSource(".", "b", (3, 4))[:, 1:]
        file.create_virtual_dataset("virtual", layout, fillvalue=-1)
        layout = h5py.VirtualLayout((3,), "<i4")
        layout[:] = h5py.VirtualSource(".", "virtual", (6, 4))[1:4, 1]
        file.create_virtual_dataset("of virtual", layout)
        layout = h5py.VirtualLayout((3,), "<i4")
        layout[:] = h5py.VirtualSource("strings.h5", "none", (3,))
        file.create_virtual_dataset("away", layout)
        # Four times each leads to the next, in fourteen steps; and one leads to itself.
        file["step 14"] = np.zeros(1, "<i4")
        for name, target, times in *((f"step {n}", f"step {n + 1}", 4) for n in range(14)), ("loop", "loop", 1):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            for _ in range(times):
                plist.set_virtual(h5py.h5s.create_simple((1,)), b".", target.encode(), h5py.h5s.create_simple((1,)))
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.STD_I32LE, h5py.h5s.create_simple((1,)), plist)
    file, values = File("through.h5"), np.arange(1, 25, dtype="<i4")
    virtual = file.open("virtual")
    part = Selection(2, array([0, 0]), None, array([6, 3]), None)
    ok(H5R.h5r_dataset_write(virtual, number, ctypes.byref(part), pointer(values)))
    assert H5R.h5r_dataset_write(virtual, number, None, pointer(values + 100)) < 0
    assert b"element 7 of those that are written has no source" in H5R.h5r_last_error(), H5R.h5r_last_error()
    ok(H5R.h5r_dataset_write(file.open("of virtual"), number, None, pointer(values + 200)))
    for name, message in ("step 0", b"more than 131072 times"), ("loop", b"a cycle"):
        for call in H5R.h5r_dataset_read, H5R.h5r_dataset_write:
            assert call(file.open(name), number, None, pointer(values.copy())) < 0 and message in H5R.h5r_last_error(), name
    assert H5R.h5r_dataset_write(file.open("away"), number, None, pointer(values)) < 0
    assert b"element 0 of those that are written has no source" in H5R.h5r_last_error(), H5R.h5r_last_error()
    file.close()
    expected = np.full((6, 4), -1)
    expected[:, :3] = values[:18].reshape(6, 3)
    expected[1:4, 1] = 201, 202, 203
    expected[::2, 3] = 0
    with h5py.File("through.h5") as file:
        assert (file["virtual"][...] == expected).all(), file["virtual"][...]
        assert (file["a"][...] == expected[::2]).all() and (file["b"][:, 1:] == expected[1::2, :3]).all()
        assert (file["b"][:, 0] == 0).all() and (file["c"][...] == 0).all()
    print(f"{FOLDER}/through.h5: what is written to virtual datasets is in their sources")


def into(number):
    """What is written to a virtual dataset goes to its sources in other files, of other types and virtual themselves."""
    os.makedirs("parts", exist_ok=True)
    for index, datatype in enumerate(("<i4", ">i2", "<f8")):
        with h5py.File(f"parts/into_{index}.h5", "w") as source:
            source.create_dataset("group/data", (4,), datatype, **({"chunks": (3,), "compression": 4} if index else {}))
    with h5py.File("parts/into_virtual.h5", "w", libver="latest") as source:
        layout = h5py.VirtualLayout((4,), "<i8")
        layout[:] = h5py.VirtualSource("into_1.h5", "group/data", (4,))
        source.create_virtual_dataset("virtual", layout)
    with h5py.File("into.h5", "w", libver="latest") as file:
        layout = h5py.VirtualLayout((5, 4), "<i4")
        for row, (name, data) in enumerate((("parts/into_0.h5", "group/data"), ("parts/into_virtual.h5", "virtual"),
                                            ("parts/into_2.h5", "group/data"), ("parts/into_missing.h5", "data"))):
            layout[row] = h5py.VirtualSource(name, data, (4,))
        file.create_virtual_dataset("virtual", layout)
    before = {name: open(f"parts/{name}", "rb").read() for name in os.listdir("parts")}
    file, values = File("into.h5"), np.arange(1, 21, dtype="<i4")
    virtual = file.open("virtual")
    for rows in 5, 4:
        part = Selection(2, array([0, 0]), None, array([rows, 4]), None)
        assert H5R.h5r_dataset_write(virtual, number, ctypes.byref(part), pointer(values)) < 0
        assert b"element 12 of those that are written has no source" in H5R.h5r_last_error(), H5R.h5r_last_error()
    part = Selection(2, array([0, 1]), None, array([3, 3]), None)
    refused = np.zeros((3, 3), "S4")
    text = ctypes.c_uint64()
    ok(H5R.h5r_type_string(ctypes.c_size_t(4), 0, 0, ctypes.byref(text)))
    assert H5R.h5r_dataset_write(virtual, text, ctypes.byref(part), pointer(refused)) < 0
    assert b"there is no conversion" in H5R.h5r_last_error(), H5R.h5r_last_error()
    assert before == {name: open(f"parts/{name}", "rb").read() for name in os.listdir("parts")}
    ok(H5R.h5r_dataset_write(virtual, number, ctypes.byref(part), pointer(values)))
    wanted, found = np.zeros((5, 4), "<i4"), np.zeros((5, 4), "<i4")
    wanted[:3, 1:] = values[:9].reshape(3, 3)
    ok(H5R.h5r_dataset_read(virtual, number, None, pointer(found)))
    assert (found == wanted).all(), found
    # In the files before this one is flushed, for nothing else has them open.
    for row in range(3):
        with h5py.File(f"parts/into_{row}.h5", "r+") as source:
            assert (source["group/data"][...] == wanted[row]).all(), (row, source["group/data"][...])
            source["group/data"][0] = wanted[row, 0] = 50 + row
    file.close()
    with h5py.File("into.h5") as file:
        assert (file["virtual"][...] == wanted).all(), file["virtual"][...]
    print(f"{FOLDER}/into.h5: what is written to virtual datasets is in their sources in other files")


def texts(values):
    return (ctypes.c_char_p * len(values))(*[value.encode() for value in values])


RECORD = np.dtype([("number", "<i4"), ("text", h5py.string_dtype()), ("real", ">f8")])


class Record(ctypes.Structure):
    _fields_ = [("real", ctypes.c_double), ("number", ctypes.c_int16), ("text", ctypes.c_char_p)]


def memory_types(file):
    """Types of elements in memory: all members of a record, one of them, and a text."""
    record, one, text = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
    ok(H5R.h5r_type_string_variable(0, 1, ctypes.byref(text)))
    ok(H5R.h5r_type_compound(ctypes.c_size_t(ctypes.sizeof(Record)), ctypes.byref(record)))
    ok(H5R.h5r_type_insert(record, b"real", ctypes.c_uint64(0), token("H5R_F64")))
    ok(H5R.h5r_type_insert(record, b"number", ctypes.c_uint64(8), token("H5R_I16")))
    ok(H5R.h5r_type_insert(record, b"text", ctypes.c_uint64(Record.text.offset), text))
    ok(H5R.h5r_type_compound(ctypes.c_size_t(4), ctypes.byref(one)))
    ok(H5R.h5r_type_insert(one, b"number", ctypes.c_uint64(0), token("H5R_I32")))
    return record, one, text


def write_records(dataset, types, first, strings):
    """Records from a place on, then their numbers alone."""
    records = (Record * len(strings))(*[Record(index / 2, 7, f"{text} {index}".encode()) for index, text in enumerate(strings)])
    part = Selection(1, array([first]), None, array([len(strings)]), None)
    ok(H5R.h5r_dataset_write(dataset, types[0], ctypes.byref(part), records))
    numbers = np.arange(first, first + len(strings), dtype="<i4")
    ok(H5R.h5r_dataset_write(dataset, types[1], ctypes.byref(part), pointer(numbers)))
    return [(first + index, f"{text} {index}", index / 2) for index, text in enumerate(strings)]


def records_of(dataset):
    return [(int(number), text.decode() if isinstance(text, bytes) else text, float(real)) for number, text, real in dataset[...]]


def values_into():
    """Texts and records written to virtual datasets are in the heaps of their sources' files."""
    for name in 0, 1:
        with h5py.File(f"into_values_{name}.h5", "w") as source:
            source["text"] = ["old"] * 4
            source.create_dataset("records", data=np.array([(1, "old", 2)] * 4, RECORD), chunks=(3,))
    with h5py.File("into_values.h5", "w", libver="latest") as file:
        file["own"] = ["old"] * 2
        layout = h5py.VirtualLayout((10,), h5py.string_dtype())
        for name in 0, 1:
            layout[4 * name:4 * name + 4] = h5py.VirtualSource(f"into_values_{name}.h5", "text", (4,))
        layout[8:] = h5py.VirtualSource(".", "own", (2,))
        file.create_virtual_dataset("text", layout)
        layout = h5py.VirtualLayout((8,), RECORD)
        for name in 0, 1:
            layout[name::2] = h5py.VirtualSource(f"into_values_{name}.h5", "records", (4,))
        file.create_virtual_dataset("records", layout)
    file = File("into_values.h5")
    types = memory_types(file)
    new = [f"new {index} " * index for index in range(8)]
    part = Selection(1, array([2]), None, array([8]), None)
    for _ in range(3):
        ok(H5R.h5r_dataset_write(file.open("text"), types[2], ctypes.byref(part), texts(new)))
        records = write_records(file.open("records"), types, 1, ["a", "", "ccc" * 100, "d", "e"])
    file.close()
    wanted = ["old"] * 2 + new
    wanted_records = [(1, "old", 2.0)] + records + [(1, "old", 2.0)] * 2
    for name in 0, 1:
        with h5py.File(f"into_values_{name}.h5", "r+") as source:
            assert list(source["text"].asstr()[...]) == wanted[4 * name:4 * name + 4], list(source["text"])
            assert records_of(source["records"]) == wanted_records[name::2], records_of(source["records"])
            source["text"][1] = wanted[4 * name + 1] = f"h5py's {name}"
        File(f"into_values_{name}.h5").close()
    with h5py.File("into_values.h5") as file:
        assert list(file["text"].asstr()[...]) == wanted, list(file["text"])
        assert list(file["own"].asstr()[...]) == wanted[8:], list(file["own"])
        assert records_of(file["records"]) == wanted_records, records_of(file["records"])
    print(f"{FOLDER}/into_values.h5: texts and records written to virtual datasets are in their sources")


def mixed():
    """Elements of virtual datasets come from sources of other types, and from sources that do not have them yet."""
    small = np.dtype([("real", "<f4"), ("number", "<i2")])
    with h5py.File("mixed_source.h5", "w") as source:
        source.create_dataset("records", data=np.array([(1, "one", 1.5), (70000, "two", -2.25)], RECORD))
        source.create_dataset("more", data=np.array([(0.5, 3), (1.25, 4)], small), chunks=(2,), maxshape=(None,))
        texts = np.array([["a", "b" * 40, "c"], ["d", "", "f"]], object)
        source.create_dataset("text", data=texts, dtype=h5py.string_dtype(), chunks=(2, 2), maxshape=(None, None))
    with h5py.File("mixed.h5", "w", libver="latest") as file:
        layout = h5py.VirtualLayout((6,), small)
        layout[:2] = h5py.VirtualSource("mixed_source.h5", "records", (2,))
        layout[2:] = h5py.VirtualSource("mixed_source.h5", "more", (5,))[:4]
        file.create_virtual_dataset("records", layout, fillvalue=np.array((9, 9), small))
        layout = h5py.VirtualLayout((4, 4), h5py.string_dtype())
        layout[:] = h5py.VirtualSource("mixed_source.h5", "text", (5, 5))[:4, :4]
        file.create_virtual_dataset("text", layout)
    with h5py.File("mixed.h5") as file:
        wanted = file["records"][...]
    # Here libhdf5 (all four) crashes.
    strings = np.full((4, 4), "", object)
    strings[:2, :3] = texts
    file, found = File("mixed.h5"), np.zeros(6, small)
    ok(H5R.h5r_dataset_read(file.open("records"), file.type("records"), None, pointer(found)))
    assert (found == wanted).all(), (found, wanted)
    text, out = ctypes.c_uint64(), (ctypes.c_char_p * 16)()
    ok(H5R.h5r_type_string_variable(0, 1, ctypes.byref(text)))
    ok(H5R.h5r_dataset_read(file.open("text"), text, None, out))
    assert [(value or b"").decode() for value in out] == list(strings.reshape(-1)), (list(out), strings)
    ok(H5R.h5r_vlen_release(text, ctypes.c_size_t(16), out))
    file.close()
    print(f"{FOLDER}/mixed.h5: elements of virtual datasets are converted from their sources' types")


def values_outside():
    """Texts and records in external files, whose texts are in the heap of the file, and libhdf5 writes on."""
    for name in "text.raw", "records.raw", "more.raw":
        if os.path.exists(name):
            os.remove(name)
    with h5py.File("outside_values.h5", "w") as file:
        file.create_dataset("text", (9,), h5py.string_dtype(), external=[("text.raw", 8, 16 * 9)])
        file.create_dataset("records", (6,), RECORD, external=[("records.raw", 0, 50), ("more.raw", 3, h5py.h5f.UNLIMITED)])
    file = File("outside_values.h5")
    types = memory_types(file)
    new = [f"new {index} " * index for index in range(8)]
    part = Selection(1, array([1]), None, array([8]), None)
    for _ in range(3):
        ok(H5R.h5r_dataset_write(file.open("text"), types[2], ctypes.byref(part), texts(new)))
        records = write_records(file.open("records"), types, 1, ["a", "", "ccc" * 100, "d"])
        # What a crash would leave: nobody has flushed.
        shutil.copy("outside_values.h5", "killed.h5")
        with h5py.File("killed.h5") as killed:
            assert list(killed["text"].asstr()[...]) == [""] + new, list(killed["text"])
            assert records_of(killed["records"])[1:5] == records, records_of(killed["records"])
    found = (ctypes.c_char_p * 9)()
    ok(H5R.h5r_dataset_read(file.open("text"), types[2], None, found))
    assert [(value or b"").decode() for value in found] == [""] + new, list(found)
    ok(H5R.h5r_vlen_release(types[2], ctypes.c_size_t(9), found))
    file.close()
    with h5py.File("outside_values.h5", "r+") as file:
        assert list(file["text"].asstr()[...]) == [""] + new, list(file["text"])
        assert records_of(file["records"]) == [(0, "", 0.0)] + records + [(0, "", 0.0)], records_of(file["records"])
        file["text"][4] = "h5py's"
    file, found = File("outside_values.h5"), (ctypes.c_char_p * 9)()
    ok(H5R.h5r_dataset_read(file.open("text"), types[2], None, found))
    new[3] = "h5py's"
    assert [(value or b"").decode() for value in found] == [""] + new, list(found)
    ok(H5R.h5r_vlen_release(types[2], ctypes.c_size_t(9), found))
    file.close()
    print(f"{FOLDER}/outside_values.h5: texts and records in external files are as libhdf5 has them")


def strings():
    """Of virtual datasets, which are in the heaps of their sources' files."""
    values, text = ["one", "two and more", "", "four"], h5py.string_dtype()
    for name in 0, 1:
        with h5py.File(f"strings_{name}.h5", "w") as source:
            source["text"] = [f"{value} {name}" if value else "" for value in values]
    with h5py.File("strings.h5", "w", libver="latest") as file:
        file["own"] = values[::-1]
        layout = h5py.VirtualLayout((4, 5), text)
        layout[0, :4] = h5py.VirtualSource("strings_0.h5", "text", (4,))
        layout[1, ::2] = h5py.VirtualSource("strings_1.h5", "text", (4,))[1:]
        layout[2, 1:] = h5py.VirtualSource(".", "own", (4,))
        layout[2, 3] = h5py.VirtualSource("strings_1.h5", "text", (4,))[3]
        layout[3, 1:3] = h5py.VirtualSource("strings_2.h5", "text", (2,))
        file.create_virtual_dataset("virtual", layout)
        layout = h5py.VirtualLayout((3,), text)
        layout[:] = h5py.VirtualSource(".", "virtual", (4, 5))[:3, 2]
        file.create_virtual_dataset("of virtual", layout)
    with h5py.File("strings.h5") as file:
        wanted = {name: file[name].asstr()[...] for name in ("virtual", "of virtual")}
    file, token = File("strings.h5"), ctypes.c_uint64()
    ok(H5R.h5r_type_string_variable(0, 1, ctypes.byref(token)))
    for name, strings in wanted.items():
        found = (ctypes.c_char_p * strings.size)()
        ok(H5R.h5r_dataset_read(file.open(name), token, None, found))
        assert [(value or b"").decode() for value in found] == list(strings.reshape(-1)), (name, list(found), strings)
        ok(H5R.h5r_vlen_release(token, ctypes.c_size_t(strings.size), found))
    part, found = Selection(2, array([1, 1]), None, array([2, 3]), None), (ctypes.c_char_p * 6)()
    ok(H5R.h5r_dataset_read(file.open("virtual"), token, ctypes.byref(part), found))
    assert [(value or b"").decode() for value in found] == list(wanted["virtual"][1:3, 1:4].reshape(-1)), list(found)
    ok(H5R.h5r_vlen_release(token, ctypes.c_size_t(6), found))
    file.close()
    print(f"{FOLDER}/strings.h5: strings of virtual datasets are those of their sources")


def link_exists(file, path):
    """As libhdf5 has it; it fails where something on the way is missing, or no group."""
    try:
        return bool(file.id.links.exists(path.encode()))
    except (KeyError, RuntimeError):
        return False


def links(number):
    """What both find through external links, from several folders and with folders in the environment."""
    for folder in "near", "near/below", "prefix", "current":
        os.makedirs(folder, exist_ok=True)
    places = "near/a.h5", "near/below/b.h5", "prefix/c.h5", "prefix/a.h5", "current/d.h5", "current/b.h5", "current/a.h5"
    names = ["a.h5", "below/b.h5", "b.h5", "c.h5", "d.h5", "../current/d.h5", "/no/where/a.h5", f"{FOLDER}/prefix/c.h5", "no.h5"]
    names = [os.path.abspath(os.path.join(os.getcwd(), "prefix/c.h5")) if name.endswith("prefix/c.h5") else name for name in names]
    for value, place in enumerate(places):
        with h5py.File(place, "w") as file:
            file["group/data"] = [value]
            file["soft"] = h5py.SoftLink("/group/data")
            file["on"] = h5py.ExternalLink("a.h5", "/soft")
    with h5py.File("near/near.h5", "w") as file:
        for number_of, name in enumerate(names):
            file[f"{number_of} object"] = h5py.ExternalLink(name, "/group/data")
            file[f"{number_of} group"] = h5py.ExternalLink(name, "group")
            file[f"{number_of} on"] = h5py.ExternalLink(name, "on")
            file[f"{number_of} soft"] = h5py.SoftLink(f"/{number_of} group/data")
            file[f"{number_of} nothing"] = h5py.ExternalLink(name, "nothing")
    os.chdir("current")
    seen = 0
    for prefix in None, "../prefix", "/no/where:../prefix":
        os.environ.pop("HDF5_EXT_PREFIX", None)
        if prefix:
            os.environ["HDF5_EXT_PREFIX"] = prefix
        wanted, there = {}, {}
        with h5py.File("../near/near.h5", "r") as file:
            for name in list(file):
                for path in name, f"{name}/data", f"{name}/none":
                    there[path] = link_exists(file, path)
                path = name + "/data" if name.endswith("group") else name
                try:
                    wanted[path] = int(file[path][0])
                except KeyError:
                    wanted[path] = None
        file, found = File("../near/near.h5"), np.zeros(1, "<i4")
        for path, value in wanted.items():
            handle = ctypes.c_void_p()
            opened = H5R.h5r_object_open(file.root, path.encode(), ctypes.byref(handle)) == 0
            assert opened == (value is not None), (prefix, path, value, H5R.h5r_last_error())
            if opened:
                ok(H5R.h5r_dataset_read(handle, number, None, pointer(found)))
                assert found[0] == value, (prefix, path, value, found)
                seen += 1
                copies = File("../near/copies.h5", True)
                ok(H5R.h5r_object_copy(file.root, path.encode(), copies.root, b"copy", None))
                copies.close()
                with h5py.File("../near/copies.h5", "r") as copies:
                    assert copies["copy"][0] == value, (prefix, path)
        for path, is_there in there.items():
            exists = ctypes.c_bool()
            is_known = H5R.h5r_link_exists(file.root, path.encode(), ctypes.byref(exists)) == 0
            assert (is_known and exists.value) == is_there, (prefix, path, is_there)
        file.close()
    assert seen > 50, seen
    print(f"{FOLDER}/near/near.h5: external links lead where libhdf5 says")


def tree(path):
    """What is in a file, external links not followed."""
    found = {}
    with h5py.File(path, "r") as file:
        def look(group, prefix):
            for name in group:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.HardLink):
                    item = group[name]
                    found[prefix + name] = item[()].tolist() if isinstance(item, h5py.Dataset) else type(item).__name__
                    if isinstance(item, h5py.Group):
                        look(item, prefix + name + "/")
                else:
                    found[prefix + name] = type(link).__name__, link.path
        look(file, "/")
    return found


def changes(number):
    """What h5r and libhdf5 change through external links is the same, and libhdf5 goes on where h5r has changed."""
    for who in "ours", "theirs":
        os.makedirs(who, exist_ok=True)
        with h5py.File(f"{who}/far.h5", "w") as file:
            file["group/data"] = np.arange(5, dtype="<i4")
            file["group/old/x"] = [1]
            file["group/soft"] = h5py.SoftLink("/group/data")
        with h5py.File(f"{who}/near.h5", "w") as file:
            file["out"] = h5py.ExternalLink("far.h5", "/group")
            file["soft"] = h5py.SoftLink("out/old")
            file["own"] = np.arange(3, dtype="<i4")
    with h5py.File("theirs/near.h5", "r+") as file:
        file.create_group("soft/a/b")
        file["out"]["new"] = np.arange(7, dtype="<i4")
        file["out/link"] = h5py.SoftLink("/group/new")
        file.copy("own", file["out"], "own")
        file.move("out/data", "out/moved/data")
        file.move("out/soft", "here")
        del file["out/old/x"]
        file["out/own"][1] = 70
    file, data = File("ours/near.h5"), ctypes.c_void_p()
    root = file.root
    ok(H5R.h5r_group_create(root, b"soft/a/b", None, None))
    ok(H5R.h5r_dataset_create(root, b"out/new", number, ctypes.c_size_t(1), array([7]), None, ctypes.byref(data)))
    ok(H5R.h5r_dataset_write(data, number, None, pointer(np.arange(7, dtype="<i4"))))
    ok(H5R.h5r_object_close(data))
    ok(H5R.h5r_link_create_soft(root, b"out/link", b"/group/new"))
    ok(H5R.h5r_object_copy(root, b"own", root, b"out/own", None))
    ok(H5R.h5r_link_move(root, b"out/data", None, b"out/moved/data"))
    ok(H5R.h5r_link_move(root, b"out/soft", None, b"here"))
    ok(H5R.h5r_link_delete(root, b"out/old/x"))
    part = Selection(1, array([1]), None, array([1]), None)
    ok(H5R.h5r_dataset_write(file.open("out/own"), number, ctypes.byref(part), pointer(np.array([70], "<i4"))))
    file.close()
    for name in "near", "far":
        assert tree(f"ours/{name}.h5") == tree(f"theirs/{name}.h5"), (tree(f"ours/{name}.h5"), tree(f"theirs/{name}.h5"))
    with h5py.File("ours/near.h5", "r+") as file:
        del file["out/moved/data"]
        file["out/moved"]["more"] = [4, 5]
    found = tree("ours/far.h5")
    assert found["/group/moved/more"] == [4, 5] and "/group/moved/data" not in found, found
    print(f"{FOLDER}/ours: what is changed through external links is as libhdf5 changes it")


if __name__ == "__main__":
    main()
