"""Writes the files of tests/foreign.rs, tests/damage.rs and tests/model.rs with libhdf5, and what is in them.

Usage: foreign.py FOLDER (h5py 3, numpy)

foreign_VERSION.h5   attributes compact and dense, with and without creation order, of many types and shapes; links of all
                     kinds; a deep group; a chunked and a contiguous dataset; a committed datatype
foreign.txt          their contents, the same for all versions: one item per line, fields separated by tabs
damage_VERSION.h5    small files for tests/damage.rs; the dataset's raw data are bytes 0xa5
small_nodes.h5       objects whose attributes and links are dense, in B-tree nodes of 512 bytes
"""

import sys

import h5py
import numpy as np
from h5py import h5a, h5g, h5p, h5s


def group(parent, name, order=0, attributes=None):
    """order: 0 not tracked, 1 tracked, 3 tracked and indexed; attributes: phase change (max compact, min dense)"""
    plist = h5p.create(h5p.GROUP_CREATE)
    if order:
        plist.set_link_creation_order(order)
        plist.set_attr_creation_order(order)
    if attributes:
        plist.set_attr_phase_change(*attributes)
    return h5py.Group(h5g.create(parent.id, name.encode(), gcpl=plist))


def fill(place, names):
    for position, name in enumerate(names):
        place.attrs.create(name, position * 3 - 5, dtype="<i4")


def values(place):
    place.attrs.create("i1", -7, dtype="i1")
    place.attrs.create("u8_be", 2**63 + 5, dtype=">u8")
    place.attrs.create("f4", np.array([1.5, -2.25, 3.25], "<f4"))
    place.attrs.create("f8_be", np.arange(6, dtype=">f8").reshape(2, 3))
    place.attrs.create("string", np.bytes_(b"fixed text"))
    place.attrs.create("strings", np.array([b"a", b"bcd", b""], "S5"))
    place.attrs.create("nothing", h5py.Empty("<i4"))
    place.attrs.create("empty", np.zeros((3, 0), "<i2"))
    place.attrs.create("\u00fcmlaut", 1, dtype="<i8")
    place.attrs.create("compound", np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8")]))
    place.attrs.create("enum", 2, dtype=h5py.enum_dtype({"RED": 1, "GREEN": 2}, basetype="u1"))


def fill_file(file):
    values(group(file, "compact"))
    values(group(file, "values_dense", attributes=(0, 0)))
    big = group(file, "big")
    big.attrs.create("70k", np.arange(17500, dtype="<i4"))
    big.attrs.create("5k", np.arange(1250, dtype="<i4"))
    for order, name in ((0, "plain"), (1, "tracked"), (3, "indexed")):
        few = group(file, "few_" + name, order)
        fill(few, [f"n{(i * 5) % 8}" for i in range(8)])
        many = group(file, "many_" + name, order)
        fill(many, [f"name_{(i * 37) % 100:03}" for i in range(100)] + ["k061111", "k094631"])
        for i in range(60):
            many[f"soft_{(i * 7) % 60}"] = h5py.SoftLink(f"/few_{name}")
        many["hard"] = few
    deep = file
    for level in range(12):
        deep = group(deep, f"level{level}")
    fill(deep, ["bottom"])
    file["external"] = h5py.ExternalLink("other.h5", "/there")
    contiguous = file.create_dataset("contiguous", data=np.arange(20, dtype="<i4"))
    fill(contiguous, [f"c{i}" for i in range(12)])
    chunked = file.create_dataset("chunked", data=np.arange(600, dtype="<i2").reshape(30, 20), chunks=(7, 6), compression=4)
    fill(chunked, ["on_chunked"])
    file["type"] = np.dtype("<f4")
    file["type"].attrs["about"] = np.int32(4)
    contiguous.attrs.create("committed", 2.5, dtype=file["type"])


def hexed(attribute):
    space = attribute.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        return "null", ""
    shape = attribute.shape
    out = np.empty(shape, dtype=attribute.dtype)
    if out.size:
        attribute.read(out, mtype=attribute.get_type())
    data = out.tobytes()
    return ("x".join(map(str, shape)) or "scalar"), data.hex() if len(data) <= 64 else f"fnv {fnv(data):016x}"


def fnv(data):
    """FNV-1a, 64 bits"""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def describe(file, lines):
    def attributes(path, place):
        lines.append(f"object\t{path}\t{len(place.attrs)}\t{len(place) if isinstance(place, h5py.Group) else 0}")
        for i in range(h5a.get_num_attrs(place.id)):
            attribute = h5a.open(place.id, index=i, index_type=0)
            dims, data = hexed(attribute)
            name = attribute.name.decode()
            lines.append(f"attribute\t{path}\t{name}\t{attribute.get_type().get_size()}\t{dims}\t{data}")

    def walk(path, place):
        attributes(path, place)
        if not isinstance(place, h5py.Group):
            return
        plist = place.id.get_create_plist()
        if plist.get_link_creation_order():
            by_order = []
            place.id.links.iterate(lambda n: by_order.append(n.decode()), idx_type=h5py.h5.INDEX_CRT_ORDER)
            lines.append(f"order\t{path}\tlinks\t" + " ".join(by_order))
            names = [h5a.open(place.id, index=i, index_type=1).name.decode() for i in range(len(place.attrs))]
            lines.append(f"order\t{path}\tattributes\t" + " ".join(names))
        for name in sorted(place):
            link = place.get(name, getlink=True)
            if isinstance(link, h5py.SoftLink):
                lines.append(f"soft\t{path}\t{name}\t{link.path}")
            elif isinstance(link, h5py.ExternalLink):
                lines.append(f"user\t{path}\t{name}\t")
            else:
                lines.append(f"hard\t{path}\t{name}\t")
                if not name.startswith("hard"):
                    walk(path.rstrip("/") + "/" + name, place[name])

    walk("/", file)


def small_nodes(path):
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for order in (0, 1, 3):
            place = group(file, f"o{order}", order, (0, 0))
            fill(place, [f"b{i:04}" for i in range(90)] + ["k061111", "k094631"])
            for i in range(60):
                place[f"l{i:04}"] = h5py.SoftLink("/nowhere")


def damage(path, version):
    with h5py.File(path, "w", libver=(version, "latest" if version == "latest" else version)) as file:
        many = group(file, "many", 3)
        fill(many, [f"n{i}" for i in range(10)] + ["k061111", "k094631"])
        for i in range(9):
            many[f"soft{i}"] = h5py.SoftLink("/few")
        fill(group(file, "few", 1), ["a", "b", "c"])
        data = file.create_dataset("data", data=np.frombuffer(b"\xa5" * 64, "<i4"))
        fill(data, ["on_data"])


def main(folder):
    manifests = set()
    for version in ("v108", "v110", "latest"):
        path = f"{folder}/foreign_{version}.h5"
        with h5py.File(path, "w", libver=(version, "latest" if version == "latest" else version)) as file:
            fill_file(file)
        lines = []
        with h5py.File(path) as file:
            describe(file, lines)
        manifests.add("\n".join(lines) + "\n")
    (manifest,) = manifests
    with open(f"{folder}/foreign.txt", "w") as out:
        out.write(manifest)
    small_nodes(f"{folder}/small_nodes.h5")
    damage(f"{folder}/damage_v108.h5", "v108")
    damage(f"{folder}/damage_latest.h5", "latest")


if __name__ == "__main__":
    main(sys.argv[1])
