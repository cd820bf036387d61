"""Writes virtual datasets that grow with their sources, for the corpus of docs/formats.md.

Usage: virtual.py FOLDER [SUFFIX]   (of the files' names; the version of libhdf5 without it)
"""

import os
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

ENDLESS = h5s.UNLIMITED
SUFFIX = sys.argv[2] if len(sys.argv) > 2 else f"_{h5py.version.hdf5_version}"


def selected(shape, start=None, stride=None, count=None, block=None, largest=None):
    """A dataspace of these dimensions, all of it or blocks of it."""
    space = h5s.create_simple(shape, largest)
    if start is not None:
        space.select_hyperslab(start, count, stride, block)
    return space


def virtual(file, name, shape, largest, mappings, fill=-1):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_fill_value(np.array(fill, dtype="<i4"))
    for target, source_file, source_name, source in mappings:
        plist.set_virtual(target, source_file.encode(), source_name.encode(), source)
    h5d.create(file.id, name.encode(), h5t.STD_I32LE, h5s.create_simple(shape, largest), plist)


def sources():
    def numbers(first, *shape):
        return np.arange(first, first + int(np.prod(shape)), dtype="<i4").reshape(shape)

    for name, rows in ("a", 7), ("b", 3):
        with h5py.File(f"virtual_source_{name}{SUFFIX}.h5", "w") as file:
            file.create_dataset("rows", data=numbers(1000 * rows, rows, 4), maxshape=(None, 4), chunks=(2, 3))
            file.create_dataset("columns", data=numbers(2000 * rows, 4, rows), maxshape=(4, None), chunks=(2, 3))
            file.create_dataset("cube", data=numbers(5000 * rows, 3, rows, 5), maxshape=(3, None, 5), chunks=(2, 2, 2))
    for number in 0, 1, 2, 4:
        with h5py.File(f"virtual_part_{number}{SUFFIX}.h5", "w") as file:
            file["rows"] = numbers(100 * number, 3, 4)
            file[f"rows {number}"] = numbers(100 * number + 50, 2, 4)
            if number < 2:
                file["two"] = numbers(100 * number + 80, 2, 4)
    for number in 0, 1:
        with h5py.File(f"virtual_part_%{number}%b{SUFFIX}.h5", "w") as file:
            file["100%"] = numbers(10 * number, 4)


def growing(file):
    largest = (ENDLESS, 4)
    rows = (selected((7, 4), (0, 0), (1, 1), (ENDLESS, 1), (1, 4), largest), selected((3, 4), (0, 0), None, (1, 1), (ENDLESS, 4), largest))

    def every(start, stride, block):
        return selected((20, 4), (start, 0), (stride, 1), (ENDLESS, 1), (block, 4), largest)

    a, b = f"virtual_source_a{SUFFIX}.h5", f"virtual_source_b{SUFFIX}.h5"
    virtual(file, "one", (1, 4), largest, [(every(0, 1, 1), a, "rows", rows[0])])
    virtual(file, "in turn", (1, 4), largest, [(every(0, 2, 1), a, "rows", rows[0]), (every(1, 2, 1), b, "rows", rows[1])])
    virtual(file, "blocks", (2, 4), largest, [(every(1, 5, 3), a, "rows", rows[0]), (every(4, 5, 2), b, "rows", rows[0])])
    # Every second and third row of the source.
    parts = selected((7, 4), (1, 0), (3, 1), (ENDLESS, 1), (2, 4), largest)
    virtual(file, "of blocks", (2, 4), largest, [(every(2, 1, 1), a, "rows", parts), (every(0, 4, 3), b, "rows", parts)])
    virtual(file, "missing", (3, 4), largest, [(every(0, 1, 1), f"virtual_source_c{SUFFIX}.h5", "rows", rows[0])])
    virtual(file, "missing too", (3, 4), largest, [(every(0, 1, 1), a, "rows", rows[0]), (every(1, 3, 1), a, "no rows", rows[0])])
    fixed = selected((20, 4), (12, 1), None, (1, 1), (2, 3)), b, "rows", selected((3, 4), (1, 0), None, (1, 1), (2, 3))
    virtual(file, "with a fixed end", (14, 4), largest, [(every(0, 1, 1), a, "rows", rows[0]), fixed])
    both = selected((4, 9), (0, 0), (1, 1), (1, ENDLESS), (4, 1), (4, ENDLESS))
    columns = selected((4, 9), (0, 0), None, (1, 1), (4, ENDLESS), (4, ENDLESS))
    virtual(file, "columns", (4, 1), (4, ENDLESS), [(both, a, "columns", columns)])
    # The sixth dimension of the one goes along with the first of the other.
    virtual(file, "columns of rows", (4, 1), (4, ENDLESS), [(both, a, "rows", rows[0])])
    every_other = selected((4, 9), (1, 1), (2, 3), (2, ENDLESS), (1, 2), (4, ENDLESS))
    two = selected((7, 4), (0, 1), None, (1, 1), (ENDLESS, 2), largest)
    virtual(file, "scattered", (4, 3), (4, ENDLESS), [(every_other, a, "rows", two)])
    cube = selected((3, 1, 5), (0, 1, 1), (2, 3, 2), (2, ENDLESS, 2), (1, 2, 1), (3, ENDLESS, 5))
    part = selected((2, 1, 2), (0, 0, 0), None, (1, 1, 1), (2, ENDLESS, 2), (2, ENDLESS, 2))
    virtual(file, "part of a cube", (2, 1, 2), (2, ENDLESS, 2), [(part, a, "cube", cube)])
    virtual(file, "cube of parts", (3, 9, 5), (3, ENDLESS, 5), [(cube, ".", "part of a cube", part)])
    virtual(file, "of virtual", (2, 4), largest, [(every(1, 1, 1), ".", "in turn", rows[0])])


def numbered(file):
    largest = (ENDLESS, 4)

    def every(start, stride, block):
        return selected((20, 4), (start, 0), (stride, 1), (ENDLESS, 1), (block, 4), largest)

    all_of = selected((3, 4), (0, 0), None, (1, 1), (3, 4))
    two = selected((2, 4), (0, 0), None, (1, 1), (2, 4))
    virtual(file, "files", (1, 4), largest, [(every(0, 3, 3), f"virtual_part_%b{SUFFIX}.h5", "rows", all_of)])
    virtual(file, "with gaps", (1, 4), largest, [(every(1, 5, 3), f"virtual_part_%b{SUFFIX}.h5", "rows", all_of)])
    virtual(file, "both", (1, 4), largest, [(every(0, 2, 2), f"virtual_part_%b{SUFFIX}.h5", "rows %b", two)])
    # The second has sources behind one that is missing, within the first's extent.
    virtual(file, "in turn", (1, 4), largest,
            [(every(0, 5, 3), f"virtual_part_%b{SUFFIX}.h5", "rows", all_of), (every(3, 5, 2), f"virtual_part_%b{SUFFIX}.h5", "two", two)])
    virtual(file, "none", (5, 4), largest, [(every(0, 3, 3), f"virtual_none_%b{SUFFIX}.h5", "rows", all_of)])
    rows = selected((4,), (0,), None, (1,), (4,))
    percent = selected((2, 4), (0, 0), (1, 1), (ENDLESS, 1), (1, 4), largest)
    virtual(file, "percent", (1, 4), largest, [(percent, f"virtual_part_%%%b%%b{SUFFIX}.h5", "100%%", rows)])
    group = file.create_group("parts")
    for number in range(11):
        group[f"part {number}"] = np.arange(number * 10, number * 10 + 6, dtype="<i4").reshape(2, 3)
    source = selected((2, 3), (0, 0), None, (1, 1), (2, 3))
    target = selected((4, 40), (1, 2), (1, 4), (1, ENDLESS), (2, 3), (4, ENDLESS))
    virtual(file, "columns", (4, 1), (4, ENDLESS), [(target, ".", "parts/part %b", source)])
    part = selected((2, 3), (0, 1), None, (1, 1), (2, 1))
    target = selected((2, 40), (0, 0), (1, 1), (1, ENDLESS), (2, 1), (2, ENDLESS))
    virtual(file, "as they follow", (2, 1), (2, ENDLESS), [(target, ".", "/parts/part %b", part)])
    virtual(file, "of virtual", (3, 4), largest, [(every(1, 3, 3), f"virtual_numbered_%b{SUFFIX}.h5", "files", all_of)])
    mixed = [(every(0, 3, 3), f"virtual_part_%b{SUFFIX}.h5", "rows", all_of)]
    mixed.append((selected((9, 4), (11, 1), (4, 1), (ENDLESS, 1), (1, 3), largest), f"virtual_source_a{SUFFIX}.h5", "rows",
                  selected((9, 4), (0, 0), (1, 1), (ENDLESS, 1), (1, 3), largest)))
    virtual(file, "mixed", (1, 4), largest, mixed)


def main():
    os.chdir(sys.argv[1])
    sources()
    for bounds in "v110", "latest":
        with h5py.File(f"virtual_growing_{bounds}{SUFFIX}.h5", "w", libver=bounds) as file:
            growing(file)
        with h5py.File(f"virtual_numbered_{bounds}{SUFFIX}.h5", "w", libver=bounds) as file:
            numbered(file)


if __name__ == "__main__":
    main()
