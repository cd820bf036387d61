"""Compares what `h5r dump --json` says of a file with what h5py reads, object by object, type by type, value by value.

Usage: compare.py H5R [--sample] FILE...   (--sample: all types and attributes, the values of every hundredth dataset)
"""

import ctypes
import json
import os
import subprocess
import sys

import h5py
import hdf5plugin  # which makes its filters known
import numpy as np
from h5py import h5a, h5d, h5o, h5s, h5t, h5z


class Difference(Exception):
    pass


def expect(what, found, wanted):
    if found != wanted:
        raise Difference(f"{what}: h5r says {str(found)[:200]}, h5py {str(wanted)[:200]}")


# Of libhdf5 2.0 and later.
COMPLEX = getattr(h5t, "COMPLEX", None)
ORDER = {h5t.ORDER_LE: "little", h5t.ORDER_BE: "big", h5t.ORDER_VAX: "vax"}
PADDING = {h5t.STR_NULLTERM: "null-terminated", h5t.STR_NULLPAD: "null-padded", h5t.STR_SPACEPAD: "space-padded"}
CHARSET = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf-8"}


def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else value


def described(t):
    """A type in the words of h5r, as h5py's low-level calls tell it."""
    kind = t.get_class()
    if kind == h5t.INTEGER:
        return {
            "class": "integer", "size": t.get_size(), "order": ORDER[t.get_order()] if t.get_size() > 1 else None,
            "signed": t.get_sign() != h5t.SGN_NONE, "precision": t.get_precision(), "offset": t.get_offset(),
        }
    if kind == h5t.FLOAT:
        fields = t.get_fields()
        return {
            "class": "float", "size": t.get_size(), "order": ORDER[t.get_order()], "precision": t.get_precision(),
            "offset": t.get_offset(), "exponent": [fields[1], fields[2]], "mantissa": [fields[3], fields[4]],
            "bias": t.get_ebias(),
        }
    if kind == h5t.STRING:
        size = None if t.is_variable_str() else t.get_size()
        return {"class": "string", "size": size, "padding": PADDING[t.get_strpad()], "charset": CHARSET[t.get_cset()]}
    if kind == h5t.BITFIELD:
        return {"class": "bitfield", "size": t.get_size()}
    if kind == h5t.OPAQUE:
        return {"class": "opaque", "size": t.get_size(), "tag": text(t.get_tag())}
    if kind == h5t.COMPOUND:
        members = [
            {"name": text(t.get_member_name(i)), "offset": t.get_member_offset(i), "type": described(t.get_member_type(i))}
            for i in range(t.get_nmembers())
        ]
        return {"class": "compound", "size": t.get_size(), "members": members}
    if kind == h5t.ENUM:
        members = {text(t.get_member_name(i)): int(t.get_member_value(i)) for i in range(t.get_nmembers())}
        return {"class": "enum", "size": t.get_size(), "base": described(t.get_super()), "members": members}
    if kind == h5t.VLEN:
        return {"class": "sequence", "base": described(t.get_super())}
    if kind == h5t.ARRAY:
        dims = list(t.get_array_dims())
        return {"class": "array", "size": t.get_size(), "dims": dims, "base": described(t.get_super())}
    if kind == h5t.REFERENCE:
        return {"class": "reference"}
    if kind == h5t.TIME:
        return {"class": "time", "size": t.get_size()}
    if kind == COMPLEX:
        return {"class": "complex", "size": t.get_size(), "base": described(t.get_super())}
    return {"class": str(kind)}


def without_memory(t):
    """A type without the sizes and offsets that libhdf5 tells as they are in memory, because values of variable length are in it."""
    if t["class"] == "compound":
        members = [{**member, "type": without_memory(member["type"])} for member in t["members"]]
        if any("varies" in member["type"] for member in members):
            members = [{"name": member["name"], "type": member["type"]} for member in members]
            return {"class": "compound", "members": members, "varies": True}
        return {**t, "members": members}
    if t["class"] == "array":
        base = without_memory(t["base"])
        return {"class": "array", "dims": t["dims"], "base": base, "varies": True} if "varies" in base else t
    if t["class"] == "sequence" or t["class"] == "string" and t["size"] is None:
        return {**t, "varies": True}
    return t


def normal(t):
    """h5r's description, without what h5py does not tell."""
    t = dict(t)
    if t["class"] == "integer" and t["size"] == 1:
        t["order"] = None
    if t["class"] == "bitfield":
        return {"class": "bitfield", "size": t["size"]}
    if t["class"] == "reference":
        return {"class": "reference"}
    if t["class"] == "time":
        return {"class": "time", "size": t["size"]}
    if t["class"] == "compound":
        t["members"] = [{**m, "type": normal(m["type"])} for m in t["members"]]
    if t["class"] == "enum":
        order, signed = t["base"]["order"], t["base"]["signed"]
        t["members"] = {
            name: int.from_bytes(bytes.fromhex(digits), order, signed=signed) for name, digits in t["members"].items()
        }
    if "base" in t:
        t["base"] = normal(t["base"])
    return t


def expect_type(what, found, t):
    expect(f"{what}: type", without_memory(normal(found)), without_memory(described(t)))


def kept(t):
    """Whether h5py reads values of this type without changing them into something that does not compare."""
    kind = t.get_class()
    if kind == h5t.COMPOUND:
        return all(kept(t.get_member_type(i)) for i in range(t.get_nmembers()))
    if kind == h5t.VLEN:
        # H5py does not swap their bytes.
        base = t.get_super()
        return kept(base) and not (base.get_class() in (h5t.INTEGER, h5t.FLOAT) and base.get_order() != h5t.ORDER_LE)
    if kind == h5t.ARRAY:
        return kept(t.get_super())
    if kind == h5t.REFERENCE:
        return t.equal(h5t.STD_REF_OBJ)
    return kind not in (h5t.TIME, h5t.BITFIELD) and (kind not in (h5t.INTEGER, h5t.FLOAT) or t.get_size() <= 8)


def loaded_library():
    """The libhdf5 of h5py, whose own `get_comment` gives bytes that nobody has set."""
    return ctypes.CDLL(h5py.h5p.__file__)


def comment(object):
    buffer = ctypes.create_string_buffer(4096)
    length = loaded_library().H5Oget_comment(ctypes.c_int64(object.id.id), buffer, ctypes.c_size_t(4096))
    return buffer.value.decode("utf-8") if length > 0 else ""


class Values:
    """h5r's form of a value, and numpy's, made comparable."""

    def __init__(self, file):
        self.file = file

    def same(self, what, found, wanted, t):
        kind = t.get_class()
        if kind == h5t.COMPOUND:
            names = [text(t.get_member_name(i)) for i in range(t.get_nmembers())]
            if isinstance(wanted, (complex, np.complexfloating)):
                wanted = dict(zip(names, (wanted.real, wanted.imag)))
            for i, name in enumerate(names):
                self.same(f"{what}.{name}", found[name], wanted[name], t.get_member_type(i))
        elif kind in (h5t.ARRAY, h5t.VLEN):
            wanted = np.asarray(wanted)
            flat = wanted.reshape(-1) if wanted.dtype != object else np.array(list(wanted.reshape(-1)), dtype=object)
            flat = list(flat) if wanted.dtype.names is None else [row for row in flat]
            expect(what + " length", len(found), len(flat))
            for i, (one, other) in enumerate(zip(found, flat)):
                self.same(f"{what}[{i}]", one, other, t.get_super())
        elif kind == COMPLEX:
            for one, other in zip(found, (wanted.real, wanted.imag), strict=True):
                self.same(what, one, other, t.get_super())
        elif kind == h5t.FLOAT:
            number = float(found) if not isinstance(found, str) else {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}[found]
            if not (np.isnan(number) and np.isnan(wanted)):
                expect(what, np.float64(number if t.get_size() != 4 else np.float32(number)), np.float64(wanted))
        elif kind == h5t.STRING:
            wanted = wanted.encode("utf-8", "surrogateescape") if isinstance(wanted, str) else bytes(wanted)
            if isinstance(found, dict):
                found = bytes.fromhex(found["bytes"])
            else:
                found = (found or "").encode("utf-8")
            expect(what, found, wanted.rstrip(b"\0"))
        elif kind == h5t.OPAQUE:
            expect(what, found, bytes(wanted).ljust(t.get_size(), b"\0").hex())
        elif kind == h5t.REFERENCE:
            target = self.file[wanted].name if wanted else None
            if target is None:
                expect(what, found, {"address": 0})
            else:
                expect(what, h5o.get_info(self.file[found["object"]].id).addr, h5o.get_info(self.file[target].id).addr)
        else:
            expect(what, found, int(wanted))

    def array(self, what, found, read, t, space):
        if space.get_simple_extent_type() == h5s.NULL:
            return expect(what, found, None)
        shape = space.get_simple_extent_dims() if space.get_simple_extent_type() == h5s.SIMPLE else ()
        if 0 in shape:
            return expect(what, found, [])
        flat = [found]
        for dim in shape:
            for row in flat:
                expect(what + " dimensions", len(row), dim)
            flat = [item for row in flat for item in row]
        if not kept(t):
            return
        wanted = read()
        inner = tuple(t.get_array_dims()) if t.get_class() == h5t.ARRAY else ()
        count = int(np.prod(shape, dtype=np.int64))
        wanted = np.asarray(wanted)
        if wanted.shape == tuple(shape) + inner:
            wanted = wanted.reshape((count,) + inner)
        else:
            wanted = wanted.reshape(-1)
        expect(what + " count", len(flat), count)
        simple = t.get_class() in (h5t.INTEGER, h5t.ENUM) and wanted.dtype.kind in "iu"
        if simple:
            if flat != [int(v) for v in wanted]:
                raise Difference(f"{what}: values differ")
            return
        for i in range(count):
            self.same(f"{what}[{i}]", flat[i], wanted[i], t)


def space_of(space):
    kind = space.get_simple_extent_type()
    if kind == h5s.NULL:
        return {"kind": "null"}
    if kind == h5s.SCALAR:
        return {"kind": "scalar"}
    top = [None if m == h5s.UNLIMITED else m for m in space.get_simple_extent_dims(True)]
    return {"kind": "simple", "dims": list(space.get_simple_extent_dims()), "max_dims": top}


LAYOUT = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked", h5d.VIRTUAL: "virtual"}


def compare_attributes(path, entry, object, values):
    names = [text(h5a.open(object.id, index=i).name) for i in range(h5a.get_num_attrs(object.id))]
    expect(f"{path}: attributes", sorted(entry["attributes"]), sorted(names))
    for name in names:
        found, attribute = entry["attributes"][name], h5a.open(object.id, name.encode())
        what = f"{path}@{name}"
        if "error" in found:
            raise Difference(f"{what}: {found['error']}")
        t = attribute.get_type()
        expect_type(what, found["type"], t)
        expect(f"{what}: space", found["space"]["kind"], space_of(attribute.get_space())["kind"])
        values.array(what, found["value"], lambda: raw_attribute(object, name, attribute), t, attribute.get_space())


def raw_attribute(object, name, attribute):
    t = attribute.get_type()
    if t.get_class() in (h5t.STRING, h5t.VLEN, h5t.REFERENCE, h5t.ARRAY, h5t.ENUM):
        return object.attrs[name]
    out = np.empty(attribute.shape, dtype=attribute.dtype)
    attribute.read(out)
    return out


def compare_dataset(path, entry, dataset, values):
    what, t = path, dataset.id.get_type()
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    # Nobody reads what is behind the others.
    is_readable = all(h5z.filter_avail(number) for number in filters)
    if "error" in entry and is_readable:
        raise Difference(f"{what}: {entry['error']}")
    expect_type(what, entry["type"], t)
    wanted = space_of(dataset.id.get_space())
    if "max_dims" in wanted:
        # "Unlimited" in lengths of 2 or 4 bytes, which libhdf5 writes and takes for a number.
        wanted["max_dims"] = [None if m in (0xFFFF, 0xFFFFFFFF) else m for m in wanted["max_dims"]]
    expect(f"{what}: space", entry["space"], wanted)
    external = plist.get_external_count() > 0
    expect(f"{what}: layout", entry["layout"]["kind"], "external" if external else LAYOUT[plist.get_layout()])
    if plist.get_layout() == h5d.CHUNKED:
        expect(f"{what}: chunk", entry["layout"]["chunk"], list(plist.get_chunk()))
    expect(f"{what}: filters", [f["id"] for f in entry["filters"]], filters)
    if "value" in entry and is_readable:
        values.array(what, entry["value"], lambda: dataset[()], t, dataset.id.get_space())


def compare_links(path, entry, group, objects):
    expect(f"{path}: links", sorted(entry["links"]), sorted(group))
    for name, link in entry["links"].items():
        what, kind = f"{path}/{name}", group.get(name, getlink=True)
        if isinstance(kind, h5py.SoftLink):
            expect(what, link, {"kind": "soft", "path": kind.path})
        elif isinstance(kind, h5py.ExternalLink):
            expect(what, link, {"kind": "external", "file": kind.filename, "path": kind.path})
        elif link["kind"] == "hard":
            expect(what, h5o.get_info(group[link["object"]].id).addr, h5o.get_info(group[name].id).addr)
        else:
            raise Difference(f"{what}: {link}")


def dumped(h5r, *arguments):
    run = subprocess.run([h5r, "dump", "--json", *arguments], capture_output=True)
    if run.returncode not in (0, 3):
        raise Difference(run.stderr.decode())
    return {entry["path"]: entry for entry in json.loads(run.stdout)["objects"]}


def compare(h5r, path, sample):
    if sample:
        objects = dumped(h5r, "--header", path)
        datasets = [name for name, entry in objects.items() if entry.get("kind") == "dataset"]
        for name in datasets[::100]:
            objects[name] = dumped(h5r, path, name)[name]
    else:
        objects = dumped(h5r, path)
    with h5py.File(path, "r") as file:
        values = Values(file)
        addresses = {h5o.get_info(file.id).addr}
        file.visit(lambda name: addresses.add(h5o.get_info(file[name].id).addr))
        expect("number of objects", len(objects), len(addresses))
        for name, entry in objects.items():
            if "kind" not in entry:
                raise Difference(f"{name}: {entry['error']}")
            object = file[name]
            compare_attributes(name, entry, object, values)
            expect(f"{name}: comment", entry.get("comment", ""), comment(object))
            if entry["kind"] == "dataset":
                compare_dataset(name, entry, object, values)
            elif entry["kind"] == "datatype":
                expect_type(name, entry["type"], object.id)
            else:
                compare_links(name, entry, object, objects)
    return len(objects)


def main():
    failed = 0
    sample = "--sample" in sys.argv
    for path in [argument for argument in sys.argv[2:] if argument != "--sample"]:
        try:
            os.chdir(os.path.dirname(os.path.abspath(path)))
            compare(sys.argv[1], path, sample)
        except Difference as difference:
            failed += 1
            print(f"{path}: {difference}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
