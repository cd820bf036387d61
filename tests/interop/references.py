#!/usr/bin/env python3
"""References between h5r and libhdf5: the kinds of before libhdf5 1.12 by h5py, those since by its library and ctypes.

usage: references.py LIBRARY FOLDER

What h5r makes and writes, to objects, attributes and elements, libhdf5 reads and follows, and what libhdf5 makes, h5r follows: in
datasets and attributes. h5dump 1.10.8 shows those that it knows.
"""
import ctypes
import os
import subprocess
import sys

import numpy as np

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
import h5py  # noqa: E402
from h5r import H5R, I32, U64, File, Selection, array, ok  # noqa: E402

OBJECT, REGION, STANDARD_OBJECT, STANDARD_REGION, STANDARD_ATTRIBUTE = range(5)
PLACES = [5, 7, 0, 3, 1, 1]
NONE, ALL, POINTS, BLOCKS = range(4)
FOLDER = sys.argv[2]
# What h5py has loaded. Before 1.12 it knows the older kinds only.
HDF5 = ctypes.CDLL(h5py.h5p.__file__)
ID = ctypes.c_int64
HAS_NEW = hasattr(HDF5, "H5Ropen_object")
REF = ID.in_dll(HDF5, "H5T_STD_REF_g") if HAS_NEW else None
for name in ("H5Topen2", "H5Dopen2", "H5Dcreate2", "H5Aopen", "H5Acreate2", "H5Screate_simple",
             *(("H5Ropen_object", "H5Ropen_region", "H5Ropen_attr") if HAS_NEW else ())):
    getattr(HDF5, name).restype = ID


class Vlen(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("data", ctypes.c_void_p)]


class Reference(ctypes.Structure):
    """libhdf5's H5R_ref_t."""
    _fields_ = [("bytes", ctypes.c_ubyte * 64), ("align", ctypes.c_int64 * 0)]


def call(name, *arguments):
    """A function of libhdf5; identifiers are 64 bits."""
    result = getattr(HDF5, name)(*(ID(a) if isinstance(a, int) else a for a in arguments))
    assert result >= 0, f"{name} failed"
    return result


# ---------------------------------------------------------------------------------------------------------------------
# h5r's


def made(file, path, kind, selection=None, attribute=None):
    """The bytes of a reference."""
    length = ctypes.c_size_t()
    arguments = (file.root, path.encode(), I32(kind), selection and ctypes.byref(selection), attribute and attribute.encode())
    ok(H5R.h5r_reference_create(*arguments, None, ctypes.c_size_t(0), ctypes.byref(length)))
    buffer = ctypes.create_string_buffer(length.value)
    ok(H5R.h5r_reference_create(*arguments, buffer, length, ctypes.byref(length)))
    return buffer.raw


def made_of_points(file, path, kind, points):
    length, buffer = ctypes.c_size_t(), ctypes.create_string_buffer(200)
    ok(H5R.h5r_reference_create_points(file.root, path.encode(), I32(kind), ctypes.c_size_t(2), ctypes.c_size_t(len(points) // 2),
                                       array(points), buffer, ctypes.c_size_t(200), ctypes.byref(length)))
    return buffer.raw[:length.value]


def type_of(kind):
    token = U64()
    ok(H5R.h5r_type_reference(I32(kind), ctypes.byref(token)))
    return token


def put(file, name, kind, references):
    """A dataset of references, and an attribute of it."""
    kept = [ctypes.create_string_buffer(reference, len(reference)) for reference in references]
    if kind in (OBJECT, REGION):
        data = b"".join(references)
    else:
        data = (Vlen * len(kept))(*(Vlen(len(one), ctypes.addressof(one)) for one in kept))
    dataset = file.create(name, type_of(kind), [len(references)])
    ok(H5R.h5r_dataset_write(dataset, type_of(kind), None, data))
    ok(H5R.h5r_attr_write(dataset, b"same", type_of(kind), ctypes.c_size_t(1), array([len(references)]), data))


def got(file, name, kind, count):
    """The bytes of the references in a dataset, and those in its attribute."""
    dataset, found = file.open(name), []
    size = {OBJECT: 8, REGION: 12}.get(kind, 16)
    for read in ("data", "attribute"):
        buffer = ctypes.create_string_buffer(size * count)
        if read == "data":
            ok(H5R.h5r_dataset_read(dataset, type_of(kind), None, buffer))
        else:
            ok(H5R.h5r_attr_read(dataset, b"same", type_of(kind), buffer, ctypes.c_size_t(size * count)))
        for number in range(count):
            raw = buffer.raw[number * size:(number + 1) * size]
            if kind not in (OBJECT, REGION):
                vlen = Vlen.from_buffer_copy(raw)
                raw = ctypes.string_at(vlen.data, vlen.length) if vlen.data else b""
            found.append(raw)
        ok(H5R.h5r_vlen_release(type_of(kind), U64(count), buffer))
    return found


def path_of(file, kind, reference):
    buffer = ctypes.create_string_buffer(200)
    ok(H5R.h5r_reference_path(file.root, I32(kind), reference, ctypes.c_size_t(len(reference)), buffer, ctypes.c_size_t(200), None))
    return buffer.value.decode()


def attribute_of(file, kind, reference):
    buffer = ctypes.create_string_buffer(200)
    length = ctypes.c_size_t(len(reference))
    ok(H5R.h5r_reference_attribute(file.root, I32(kind), reference, length, buffer, ctypes.c_size_t(200), None))
    return buffer.value.decode()


def region_of(file, kind, reference):
    selected, numbers, count = I32(), (U64 * 100)(), U64()
    ok(H5R.h5r_reference_region(file.root, I32(kind), reference, ctypes.c_size_t(len(reference)), ctypes.byref(selected),
                                numbers, ctypes.c_size_t(100), ctypes.byref(count)))
    return selected.value, list(numbers)[:count.value]


# ---------------------------------------------------------------------------------------------------------------------
# libhdf5's


def open_references(file, name, count):
    """The references in a dataset of the kinds since libhdf5 1.12, and those in its attribute."""
    dataset = call("H5Dopen2", file.id.id, name.encode(), 0)
    attribute = call("H5Aopen", dataset, b"same", 0)
    found = (Reference * (2 * count))()
    call("H5Dread", dataset, REF, 0, 0, 0, ctypes.byref(found))
    call("H5Aread", attribute, REF, ctypes.byref(found, 64 * count))
    call("H5Aclose", attribute)
    call("H5Dclose", dataset)
    return found


def name_of(reference):
    object = call("H5Ropen_object", ctypes.byref(reference), 0, 0)
    buffer = ctypes.create_string_buffer(200)
    HDF5.H5Iget_name.restype = ctypes.c_ssize_t
    call("H5Iget_name", object, buffer, ctypes.c_size_t(200))
    call("H5Oclose", object)
    return buffer.value.decode()


def corners(space):
    count = call("H5Sget_select_hyper_nblocks", space)
    numbers = (U64 * (2 * 2 * count))()
    call("H5Sget_select_hyper_blocklist", space, U64(0), U64(count), numbers)
    return list(numbers)


def places(space):
    count = call("H5Sget_select_elem_npoints", space)
    numbers = (U64 * (2 * count))()
    call("H5Sget_select_elem_pointlist", space, U64(0), U64(count), numbers)
    return list(numbers)


def they_follow(path):
    wanted = [1, 2, 2, 2, 1, 6, 2, 6, 4, 2, 5, 2, 4, 6, 5, 6]
    HDF5.H5Sget_select_hyper_nblocks.restype = HDF5.H5Sget_select_elem_npoints.restype = ctypes.c_int64
    with h5py.File(path, "r") as file:
        for holder in (file["objects"], file["objects"].attrs["same"]):
            assert [file[ref].name for ref in holder[:]] == ["/a/g", "/a/g/d"]
        for holder in (file["regions"], file["regions"].attrs["same"]):
            for number, ref in enumerate(holder[:]):
                assert file[ref].name == "/a/g/d"
                space = h5py.h5r.get_region(ref, file.id)
                if number == 0:
                    assert np.array(space.get_select_hyper_blocklist()).reshape(-1).tolist() == wanted
                elif number == 1:
                    assert np.array(space.get_select_elem_pointlist()).reshape(-1).tolist() == PLACES
                else:
                    assert space.get_select_npoints() == 48
        if not HAS_NEW:
            return
        for ref in open_references(file, "new objects", 2)[::2]:
            assert name_of(ref) == "/a/g"
        for ref in open_references(file, "new objects", 2)[1::2]:
            assert name_of(ref) == "/a/g/d"
        for number, ref in enumerate(open_references(file, "new regions", 2)):
            space = call("H5Ropen_region", ctypes.byref(ref), 0, 0)
            if number % 2 == 0:
                assert corners(space) == wanted
            else:
                assert places(space) == PLACES
            call("H5Sclose", space)
        HDF5.H5Rget_attr_name.restype = ctypes.c_ssize_t
        for ref in open_references(file, "new attributes", 1):
            buffer = ctypes.create_string_buffer(50)
            call("H5Rget_attr_name", ctypes.byref(ref), buffer, ctypes.c_size_t(50))
            assert buffer.value == b"mark"
            attribute = call("H5Ropen_attr", ctypes.byref(ref), 0, 0)
            value = ctypes.c_int32()
            native = ID.in_dll(HDF5, "H5T_NATIVE_INT_g")
            call("H5Aread", attribute, native, ctypes.byref(value))
            assert value.value == 7
            call("H5Aclose", attribute)


def we_write(path, new=True):
    file = File(path, True)
    group = ctypes.c_void_p()
    ok(H5R.h5r_group_create(file.root, b"a/g", None, ctypes.byref(group)))
    dataset = file.create("a/g/d", U64(3), [6, 8])
    ok(H5R.h5r_attr_write(dataset, b"mark", U64(3), ctypes.c_size_t(0), None, ctypes.byref(I32(7))))
    part = Selection(2, array([1, 2]), array([3, 4]), array([2, 2]), array([2, 1]))
    put(file, "objects", OBJECT, [made(file, "a/g", OBJECT), made(file, "a/g/d", OBJECT)])
    old = [made(file, "a/g/d", REGION, part), made_of_points(file, "a/g/d", REGION, PLACES), made(file, "a/g/d", REGION)]
    put(file, "regions", REGION, old)
    if not new:
        return file.close()
    put(file, "new objects", STANDARD_OBJECT, [made(file, "a/g", STANDARD_OBJECT), made(file, "a/g/d", STANDARD_OBJECT)])
    put(file, "new regions", STANDARD_REGION, [made(file, "a/g/d", STANDARD_REGION, part),
                                               made_of_points(file, "a/g/d", STANDARD_REGION, PLACES)])
    put(file, "new attributes", STANDARD_ATTRIBUTE, [made(file, "a/g/d", STANDARD_ATTRIBUTE, attribute="mark")])
    file.close()


def they_write(path):
    with h5py.File(path, "w", libver=("v112", "v112") if HAS_NEW else ("v110", "v110")) as file:
        data = file.create_dataset("a/g/d", data=np.arange(48, dtype="<i4").reshape(6, 8))
        data.attrs["mark"] = np.int32(7)
        refs = np.array([file["a/g"].ref, data.ref], dtype=h5py.ref_dtype)
        file.create_dataset("objects", data=refs, dtype=h5py.ref_dtype).attrs.create("same", refs, dtype=h5py.ref_dtype)
        mask = np.zeros((6, 8), bool)
        mask[5, 7] = mask[0, 3] = True
        regions = np.array([data.regionref[1:3, 2:5], data.regionref[mask], data.regionref[...]], dtype=h5py.regionref_dtype)
        holder = file.create_dataset("regions", data=regions, dtype=h5py.regionref_dtype)
        holder.attrs.create("same", regions, dtype=h5py.regionref_dtype)
        if not HAS_NEW:
            return
        refs = (Reference * 3)()
        call("H5Rcreate_object", file.id.id, b"a/g", 0, ctypes.byref(refs[0]))
        space = data.id.get_space()
        space.select_hyperslab((1, 2), count=(2, 1), stride=(2, 3))
        call("H5Rcreate_region", file.id.id, b"a/g/d", space.id, 0, ctypes.byref(refs[1]))
        call("H5Rcreate_attr", file.id.id, b"a/g/d", b"mark", 0, ctypes.byref(refs[2]))
        for name, ref in zip((b"new objects", b"new regions", b"new attributes"), refs):
            one = h5py.h5s.create_simple((1,))
            holder = call("H5Dcreate2", file.id.id, name, REF, one.id, 0, 0, 0)
            call("H5Dwrite", holder, REF, 0, 0, 0, ctypes.byref(ref))
            attribute = call("H5Acreate2", holder, b"same", REF, one.id, 0, 0)
            call("H5Awrite", attribute, REF, ctypes.byref(ref))
            call("H5Aclose", attribute)
            call("H5Dclose", holder)


def we_follow(path):
    file = File(path)
    objects = got(file, "objects", OBJECT, 2)
    assert [path_of(file, OBJECT, one) for one in objects] == ["/a/g", "/a/g/d"] * 2
    wanted = [(BLOCKS, [1, 2, 2, 4]), (POINTS, [0, 3, 5, 7]), (ALL, [])]
    regions = got(file, "regions", REGION, 3)
    found = [region_of(file, REGION, one) for one in regions]
    assert found[:2] == wanted[:2] and found[3:5] == wanted[:2], found
    assert found[2] in (wanted[2], (BLOCKS, [0, 0, 5, 7])) and found[5] == found[2], found
    assert all(path_of(file, REGION, one) == "/a/g/d" for one in regions)
    news = ((STANDARD_OBJECT, "new objects"), (STANDARD_REGION, "new regions"), (STANDARD_ATTRIBUTE, "new attributes"))
    for kind, name in news if HAS_NEW else ():
        # To libhdf5 all of these are of one type.
        for reference in got(file, name, STANDARD_OBJECT, 1):
            assert path_of(file, kind, reference) == ("/a/g" if kind == STANDARD_OBJECT else "/a/g/d")
            if kind == STANDARD_REGION:
                assert region_of(file, kind, reference) == (BLOCKS, [1, 2, 1, 2, 3, 2, 3, 2])
            if kind == STANDARD_ATTRIBUTE:
                assert attribute_of(file, kind, reference) == "mark"
    file.close()


def far_ours(near, far):
    """A file with references of h5r to another one, through an external link."""
    with h5py.File(far, "w") as file:
        file.create_dataset("a/g/d", data=np.arange(48, dtype="<i4").reshape(6, 8)).attrs["mark"] = np.int32(7)
    file = File(near, True)
    ok(H5R.h5r_link_create_external(file.root, b"out", os.path.basename(far).encode(), b"/a/g"))
    put(file, "new objects", STANDARD_OBJECT, [made(file, "out/d", STANDARD_OBJECT)])
    put(file, "new regions", STANDARD_REGION, [made_of_points(file, "out/d", STANDARD_REGION, PLACES)])
    put(file, "new attributes", STANDARD_ATTRIBUTE, [made(file, "out/d", STANDARD_ATTRIBUTE, attribute="mark")])
    file.close()


def far_theirs(near, far):
    """The same by libhdf5."""
    with h5py.File(far, "r") as there, h5py.File(near, "w", libver=("v112", "v112")) as file:
        refs = (Reference * 3)()
        call("H5Rcreate_object", there.id.id, b"a/g/d", 0, ctypes.byref(refs[0]))
        space = there["a/g/d"].id.get_space()
        space.select_elements(np.array(PLACES).reshape(-1, 2))
        call("H5Rcreate_region", there.id.id, b"a/g/d", space.id, 0, ctypes.byref(refs[1]))
        call("H5Rcreate_attr", there.id.id, b"a/g/d", b"mark", 0, ctypes.byref(refs[2]))
        one = h5py.h5s.create_simple((1,))
        for name, ref in zip((b"new objects", b"new regions", b"new attributes"), refs):
            holder = call("H5Dcreate2", file.id.id, name, REF, one.id, 0, 0, 0)
            call("H5Dwrite", holder, REF, 0, 0, 0, ctypes.byref(ref))
            attribute = call("H5Acreate2", holder, b"same", REF, one.id, 0, 0)
            call("H5Awrite", attribute, REF, ctypes.byref(ref))
            call("H5Aclose", attribute)
            call("H5Dclose", holder)


def far_followed(near, is_ours):
    """Both follow the references of a file to another one. To libhdf5 all are of one type."""
    with h5py.File(near, "r+") as file:
        refs = [open_references(file, name, 1) for name in ("new objects", "new regions", "new attributes")]
        for one in refs[0]:
            assert name_of(one) == "/a/g/d"
        for one in refs[1]:
            space = call("H5Ropen_region", ctypes.byref(one), 0, 0)
            assert places(space) == PLACES
            call("H5Sclose", space)
        for one in refs[2]:
            call("H5Aclose", call("H5Ropen_attr", ctypes.byref(one), 0, 0))
        for one in (one for pair in refs for one in pair):
            HDF5.H5Rdestroy(ctypes.byref(one))
    file, found = File(near), np.zeros((6, 8), "<i4")
    for kind, name in ((STANDARD_OBJECT, "new objects"), (STANDARD_REGION, "new regions"), (STANDARD_ATTRIBUTE, "new attributes")):
        for reference in got(file, name, kind if is_ours else STANDARD_OBJECT, 1):
            assert path_of(file, kind, reference) == "/a/g/d"
            dataset = ctypes.c_void_p()
            ok(H5R.h5r_reference_open(file.root, I32(kind), reference, ctypes.c_size_t(len(reference)), ctypes.byref(dataset)))
            ok(H5R.h5r_dataset_read(dataset, U64(3), None, found.ctypes.data_as(ctypes.c_void_p)))
            assert (found == np.arange(48).reshape(6, 8)).all()
            if kind == STANDARD_REGION:
                assert region_of(file, kind, reference) == (POINTS, PLACES)
            if kind == STANDARD_ATTRIBUTE:
                assert attribute_of(file, kind, reference) == "mark"
    file.close()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    ours, theirs = os.path.join(FOLDER, "ours.h5"), os.path.join(FOLDER, "theirs.h5")
    we_write(ours)
    they_follow(ours)
    old = os.path.join(FOLDER, "old.h5")
    we_write(old, new=False)
    for name in ("objects", "regions"):
        done = subprocess.run(["h5dump", "-d", name, old], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "/a/g" in done.stdout, done.stderr
    they_write(theirs)
    we_follow(theirs)
    if HAS_NEW:
        for near, make in ("near_ours.h5", far_ours), ("near_theirs.h5", far_theirs):
            make(os.path.join(FOLDER, near), os.path.join(FOLDER, "far.h5"))
            far_followed(os.path.join(FOLDER, near), make is far_ours)
    print(f"references: both ways, libhdf5 {h5py.version.hdf5_version}{'' if HAS_NEW else ' (the older kinds)'}")


if __name__ == "__main__":
    main()
