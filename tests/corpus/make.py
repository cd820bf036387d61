"""Writes the corpus of docs/formats.md that needs h5py, with the libhdf5 that h5py has; its version ends the files' names.

Usage: make.py FOLDER
"""

import ctypes
import os
import sys

import h5py
import numpy as np
from h5py import h5f, h5p

VERSION = h5py.version.hdf5_version
# Of those that this version has; until 1.10 "latest" is "v110".
BOUNDS = {name: getattr(h5f, f"LIBVER_{name.upper()}") for name in ("earliest", "v18", "v110", "latest")}
ALL = [("earliest", "v110"), ("v18", "v110"), ("v110", "v110"), ("latest", "latest")]
NEW = [name for name in ("v112", "v114", "v200") if hasattr(h5f, f"LIBVER_{name.upper()}")]
BOUNDS.update({name: getattr(h5f, f"LIBVER_{name.upper()}") for name in NEW})
RECORD = np.dtype([("a", "<i4"), ("b", ">f8"), ("c", "S5"), ("d", "<i2", (2, 3))])


def named(stem):
    return f"{stem}_{VERSION}.h5"


def loaded_library():
    """The libhdf5 of h5py, for the calls that h5py has not."""
    return ctypes.CDLL(h5py.h5p.__file__)


def attributes(holder):
    holder.attrs["integer"] = np.int32(-5)
    holder.attrs["unsigned"] = np.uint64(2**64 - 1)
    holder.attrs["half"] = np.float16(1.5)
    holder.attrs["special"] = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-310])
    holder.attrs["big endian"] = np.arange(6, dtype=">u2").reshape(2, 3)
    holder.attrs["text"] = "grüße"
    holder.attrs["fixed"] = np.bytes_(b"bytes")
    holder.attrs["empty"] = h5py.Empty("<f4")
    holder.attrs["none"] = np.zeros((0, 3), dtype="<i8")
    holder.attrs["bool"] = True
    holder.attrs["complex"] = np.complex128(1 + 2j)
    holder.attrs.create("strings", ["a", "", "three"], dtype=h5py.string_dtype())
    holder.attrs["record"] = np.array((1, 2.5, b"xyz", np.arange(6).reshape(2, 3)), dtype=RECORD)


def contents(file, references=True):
    attributes(file)
    group = file.create_group("group")
    attributes(group)
    file["numbers"] = np.arange(20, dtype="<i4")
    for i in range(40):
        file["numbers"].attrs[f"attribute {i}"] = i
    file["matrix"] = np.linspace(0, 1, 60, dtype="<f4").reshape(5, 12)
    file["scalar"] = np.float64(2.5)
    file["null"] = h5py.Empty("<i2")
    file.create_dataset("unwritten", shape=(3, 4), dtype="<i8", fillvalue=-9)
    file.create_dataset("chunked", data=np.arange(240).reshape(12, 20), chunks=(5, 7), compression=6, shuffle=True)
    file.create_dataset("growing", data=np.arange(30.0), chunks=(8,), maxshape=(None,), fletcher32=True)
    file.create_dataset("sparse", shape=(100, 100), chunks=(10, 10), maxshape=(None, None), dtype="u1", fillvalue=7)
    file["sparse"][35:42, 60:71] = 1
    many = file.create_group("many")
    for i in range(60):
        many.create_group(f"member {i}")
    file["record type"] = RECORD
    record = file.create_dataset("records", shape=(4,), dtype=file["record type"])
    record[1] = (1, 2.5, b"xyz", np.arange(6).reshape(2, 3))
    file["variable"] = ["", "one", "two and more"]
    sequences = file.create_dataset("sequences", shape=(3,), dtype=h5py.vlen_dtype("<i2"))
    sequences[0], sequences[2] = [1, 2, 3], [4]
    file["choice"] = np.array([0, 2, 1], dtype=h5py.enum_dtype({"no": 0, "yes": 1, "maybe": 2}, "i1"))
    file.create_dataset("opaque", data=np.array([b"abc", b"de"], dtype="V3"))
    if references:
        file["references"] = np.array([file["matrix"].ref, group.ref, None], dtype=h5py.ref_dtype)
    file["soft"] = h5py.SoftLink("/numbers")
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["outside"] = h5py.ExternalLink("elsewhere.h5", "/there")
    file["group/hard"] = file["numbers"]


def make(stem, bounds, setting=lambda plist: None, fill=contents):
    plist, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    setting(plist)
    access.set_libver_bounds(*(BOUNDS[bound] for bound in bounds))
    with h5py.File(h5f.create(named(stem).encode(), h5f.ACC_TRUNC, plist, access)) as file:
        fill(file)


def small(file):
    """What libhdf5 can write with lengths of 2 bytes: nothing dense."""
    attributes(file.create_group("group"))
    file["numbers"] = np.arange(20, dtype="<i4")
    file.create_dataset("chunked", data=np.arange(60).reshape(12, 5), chunks=(5, 3), compression=6)
    file["variable"] = ["", "one", "two and more"]
    file["soft"] = h5py.SoftLink("/numbers")


def plain_files():
    for bound in NEW:
        make(f"bounds_{bound}", (bound, bound))
    for bounds in ALL:
        make(f"bounds_{bounds[0]}", bounds)
        for block in (512, 4096):
            make(f"user_{block}_{bounds[0]}", bounds, lambda plist: plist.set_userblock(block))
        for number, strategy in enumerate(("managers", "pages", "aggregators", "none")):
            for persist in (0, 1) if number < 2 else (0,):
                def space(plist):
                    plist.set_file_space_strategy(number, bool(persist), 1)
                    plist.set_file_space_page_size(4096)
                make(f"space_{strategy}_{persist}_{bounds[0]}", bounds, space)
    for offset in (2, 4, 8):
        for length in (2, 4, 8):
            make(f"sizes_{offset}{length}_earliest", ALL[0], lambda plist: plist.set_sizes(offset, length), small)
    for offset, length in ((4, 4), (4, 8), (8, 4)):
        # libhdf5 2.0.0 mixes up object references of fewer than 8 bytes.
        fill = lambda file: contents(file, references=offset == 8)
        make(f"sizes_{offset}{length}_v18", ALL[1], lambda plist: plist.set_sizes(offset, length), fill)


def elsewhere():
    for number in (1, 2):
        np.arange(10 * number, 10 * number + 10, dtype="<i4").tofile(f"external{number}.raw")
    with h5py.File(named("external"), "w") as file:
        parts = [("external1.raw", 8, 32), ("external2.raw", 0, h5f.UNLIMITED)]
        file.create_dataset("parts", shape=(18,), dtype="<i4", external=parts)
        file.create_dataset("matrix", shape=(2, 5), dtype="<i4", external=[("external1.raw", 0, 40)])
        file.create_dataset("short", shape=(15,), dtype="<i4", external=[("external2.raw", 0, h5f.UNLIMITED)])
    with h5py.File(named("source"), "w") as file:
        file["narrow"] = np.arange(12, dtype="<i4").reshape(3, 4)
        file["wide"] = np.arange(40, dtype=">i2").reshape(4, 10)
        file.create_dataset("texts", data=["", "one", "two" * 30, "three"], dtype=h5py.string_dtype())
        record = np.dtype([("n", "<i2"), ("text", h5py.string_dtype())])
        file["records"] = np.array([(n, f"text {n}" * n) for n in range(4)], dtype=record)
        lists = file.create_dataset("lists", (4,), h5py.vlen_dtype("<i2"))
        for number in range(1, 4):
            lists[number] = np.arange(number)
    for bounds in ("v110", "latest"):
        with h5py.File(named(f"virtual_{bounds}"), "w", libver=bounds) as file:
            file["own"] = np.arange(100, 110, dtype="<f4")
            layout = h5py.VirtualLayout(shape=(8, 10), dtype="<i8")
            layout[::2, :] = h5py.VirtualSource(named("source"), "wide", shape=(4, 10))
            layout[1, 1:5] = h5py.VirtualSource(named("source"), "narrow", shape=(3, 4))[2, :]
            layout[3, ::3] = h5py.VirtualSource(".", "own", shape=(10,))[2:10:2]
            layout[5, 0:4] = h5py.VirtualSource("missing.h5", "narrow", shape=(4,))
            layout[7, 0:4] = h5py.VirtualSource(named("source"), "missing", shape=(4,))
            file.create_virtual_dataset("virtual", layout, fillvalue=-7)
            layout = h5py.VirtualLayout(shape=(3,), dtype="<i8")
            layout[:] = h5py.VirtualSource(".", "virtual", shape=(8, 10))[2, 3:6]
            file.create_virtual_dataset("of virtual", layout)
            for name, dtype in (("texts", h5py.string_dtype()), ("lists", h5py.vlen_dtype("<i2")), ("records", record)):
                layout = h5py.VirtualLayout(shape=(6,), dtype=dtype)
                layout[1:5] = h5py.VirtualSource(named("source"), name, shape=(4,), dtype=dtype)
                file.create_virtual_dataset(name, layout)


def chunk_indexes():
    data = np.arange(600, dtype="<i4").reshape(20, 30)
    for bounds in ("earliest", "latest"):
        with h5py.File(named(f"chunks_{bounds}"), "w", libver=bounds) as file:
            file.create_dataset("single", data=data, chunks=(20, 30))
            file.create_dataset("fixed", data=data, chunks=(3, 7))
            file.create_dataset("fixed deflate", data=data, chunks=(3, 7), compression=1)
            file.create_dataset("extensible", data=data, chunks=(3, 7), maxshape=(None, 30))
            file.create_dataset("tree", data=data, chunks=(3, 7), maxshape=(None, None))
            file.create_dataset("lzf", data=data, chunks=(3, 7), compression="lzf", shuffle=True, fletcher32=True)
            plist = h5p.create(h5p.DATASET_CREATE)
            plist.set_chunk((3, 7))
            plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            space = h5py.h5s.create_simple((20, 30))
            dataset = h5py.h5d.create(file.id, b"implicit", h5py.h5t.STD_I32LE, space, plist)
            dataset.write(space, space, data)


def stored(file, name, made, values):
    """A dataset and an attribute of any type, whose values libhdf5 converts."""
    values = np.asarray(values)
    space = h5py.h5s.create_simple(values.shape)
    dataset = h5py.h5d.create(file.id, name.encode(), made, space)
    of_it = h5py.h5a.create(dataset, b"the same", made, space)
    if values.dtype.kind in "Vc":
        dataset.write(space, space, values, mtype=made)
        of_it.write(values, mtype=made)
    else:
        dataset.write(space, space, values)
        of_it.write(values)


def types():
    h5t = h5py.h5t
    for bounds in ("earliest", "v110"), ("v108", "v110"), ("latest", "latest"):
        with h5py.File(named(f"types_{bounds[0]}"), "w", libver=bounds) as file:
            numbers = np.arange(-9, 9, dtype="<i8")
            for size, precision, offset in ((1, 5, 2), (2, 13, 3), (4, 20, 2), (4, 30, 2), (8, 40, 20)):
                for order in (h5t.ORDER_LE, h5t.ORDER_BE):
                    made = h5t.STD_I64LE.copy()
                    made.set_size(8)
                    made.set_precision(precision)
                    made.set_size(size)
                    made.set_offset(offset)
                    made.set_order(order)
                    stored(file, f"integer {size} {precision} {offset} {order}", made, numbers)
            # Half, bfloat16, one of 24 bits, one of an odd bias.
            for name, size, fields, bias in (("half", 2, (15, 10, 5, 0, 10), 15), ("bfloat16", 2, (15, 7, 8, 0, 7), 127),
                                             ("24", 3, (23, 16, 7, 0, 16), 63), ("bias", 4, (31, 23, 8, 0, 23), 100)):
                for order in (h5t.ORDER_LE, h5t.ORDER_BE):
                    made = h5t.IEEE_F32LE.copy()
                    made.set_fields(*fields)
                    made.set_precision(fields[0] + 1)
                    made.set_size(size)
                    made.set_ebias(bias)
                    made.set_order(order)
                    stored(file, f"float {name} {order}", made, np.array([0, -0.0, 1, -1.5, 100, 0.125, np.inf, -np.inf]))
            for made in (h5t.STD_B8LE, h5t.STD_B16BE, h5t.STD_B64LE):
                stored(file, f"bits {made.get_size()}", made, np.arange(5 * made.get_size(), dtype="u1").view(f"V{made.get_size()}"))
        if bounds[0] == "latest" and hasattr(h5t, "COMPLEX_IEEE_F32LE"):
            with h5py.File(named("complex_latest"), "w", libver=bounds) as file:
                for made in h5t.COMPLEX_IEEE_F32LE, h5t.COMPLEX_IEEE_F64LE, h5t.COMPLEX_IEEE_F64BE:
                    order = ">" if made.get_order() == h5t.ORDER_BE else "<"
                    values = np.array([1 + 2j, -3.5, -8j, 0.25 + 64j], f"{order}c{made.get_size()}")
                    stored(file, f"complex {made.get_size()} {order}", made, values)
        # H5dump's XML of times is none.
        with h5py.File(named(f"times_regions_{bounds[0]}"), "w", libver=bounds) as file:
            for made in (h5t.UNIX_D32LE, h5t.UNIX_D64BE):
                stored(file, f"time {made.get_size()}", made, np.arange(3 * made.get_size(), dtype="u1").view(f"V{made.get_size()}"))
            file["numbers"] = np.arange(40, dtype="<u2").reshape(5, 8)
            regions = [file["numbers"].regionref[1:3, 2:5], file["numbers"].regionref[...], None]
            file["regions"] = np.array(regions, dtype=h5py.regionref_dtype)
            file.attrs["region"] = file["numbers"].regionref[4, 1:7:2]


def main():
    os.chdir(sys.argv[1])
    plain_files()
    types()
    elsewhere()
    chunk_indexes()


if __name__ == "__main__":
    main()
