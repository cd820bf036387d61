#!/usr/bin/env python3
"""Files of libhdf5 that shrink: h5r deletes datasets, the data of the others move into their space, and libhdf5 reads and
changes what is left.

usage: shrink.py LIBRARY FOLDER
"""
import ctypes
import os
import subprocess
import sys

import h5py
import numpy as np

from h5r import H5R, NEWEST, U64, File, array, ok, pointer

FOLDER = sys.argv[2]
SHAPE = (2500, 40)
LAYOUTS = [
    {},
    {"chunks": (100, 40)},
    {"chunks": (100, 40), "maxshape": (None, 40)},
    {"chunks": (100, 40), "maxshape": (None, None), "compression": 3, "shuffle": True},
    {"chunks": SHAPE},
    {},
    {"chunks": (7, 40), "compression": 1},
    {"chunks": (50, 40), "fletcher32": True},
]
DELETED = (0, 2, 4)
KEPT = (1, 3, 5, 6, 7)
COUNT = 400
# The last small dataset that references lead to stands early, so that it does not keep the file from ending.
LAST = 21
HOLES = 120
PAGE = 512
PAGED = 150
# Files with pages that it made end no earlier in this test unless that is asked for.
OLD = h5py.version.hdf5_version == "1.10.8"


def create(path, bounds):
    """All datasets first, then their data."""
    values = np.random.default_rng(5).integers(0, 1 << 30, (len(LAYOUTS), *SHAPE)).astype("<i4")
    with h5py.File(path, "w", libver=bounds) as file:
        datasets = [file.create_dataset(f"d{n}", SHAPE, "<i4", **layout) for n, layout in enumerate(LAYOUTS)]
        for dataset, data in zip(datasets, values):
            dataset[...] = data
    return values


def delete(path):
    """In mode lazy, which has the file shrink when it is closed."""
    file = File(path)
    ok(H5R.h5r_set_lazy(file.handle, None))
    for number in DELETED:
        ok(H5R.h5r_link_delete(file.root, f"d{number}".encode()))
    file.close()


def compare(path, values):
    with h5py.File(path) as file:
        for number in KEPT:
            assert (file[f"d{number}"][...] == values[number]).all(), (path, number)


def path_of(number):
    return f"g{number % 5}/d{number}" if number % 3 else f"d{number}"


def create_scattered(path, bounds):
    """Datasets with their data and attributes, one after the other: headers stand between data. A scale that references lead to,
    second names, soft links and dense attributes."""
    with h5py.File(path, "w", libver=bounds) as file:
        scale = file.create_dataset("scale", data=np.arange(30.0))
        scale.make_scale("scale")
        scale.attrs["variable"] = "text"
        for number in range(COUNT):
            dataset = file.create_dataset(path_of(number), data=np.arange(30 + number) * 1.5)
            for n in range(12 if number % 10 == 0 else 2):
                dataset.attrs[f"a{n}"] = np.int32([number, n])
            dataset.attrs["text"] = np.bytes_(f"dataset {number}")
            if number % 4 == 1:
                file[f"second{number}"] = dataset
            file[f"soft{number}"] = h5py.SoftLink("/" + path_of(number))
        referenced = file[path_of(LAST)]
        file["refs"] = np.array([referenced.ref, file[path_of(0)].ref], dtype=h5py.ref_dtype)
        file[path_of(2)].dims[0].label = "x"
        file[path_of(0)].dims[0].attach_scale(scale)


def delete_scattered(path, numbers, ask):
    file = File(path)
    if not ask:
        ok(H5R.h5r_set_lazy(file.handle, None))
    for number in numbers:
        ok(H5R.h5r_link_delete(file.root, path_of(number).encode()))
        ok(H5R.h5r_link_delete(file.root, f"soft{number}".encode()))
        if number % 4 == 1:
            ok(H5R.h5r_link_delete(file.root, f"second{number}".encode()))
    if ask:
        ok(H5R.h5r_rebalance(file.handle))
    file.close()


def compare_scattered(path, numbers, changed=()):
    with h5py.File(path) as file:
        for number in numbers:
            for name in [path_of(number), f"soft{number}"] + ([f"second{number}"] if number % 4 == 1 else []):
                dataset = file[name]
                assert (dataset[...] == np.arange(30 + number) * 1.5 + (number in changed)).all(), (path, name)
                for n in range(12 if number % 10 == 0 else 2):
                    assert (dataset.attrs[f"a{n}"] == [number, n]).all(), (path, name, n)
                assert dataset.attrs["text"] == f"dataset {number}".encode(), (path, name)
                assert ("new" in dataset.attrs) == (number in changed), (path, name)
        assert file["scale"].attrs["variable"] == "text", path
        first, other = file["refs"]
        assert file[first] == file[path_of(LAST)] and file[other] == file[path_of(0)], path
        assert file[path_of(0)].dims[0][0] == file["scale"], path
        assert len(file) == len({path_of(n) for n in numbers if not n % 3}) + 5 + 2 + len(numbers) + sum(
            n % 4 == 1 for n in numbers), path


def scattered(bounds):
    """Headers move, libhdf5 reads and changes all, and h5r makes the file smaller once more."""
    path = f"{FOLDER}/headers_{bounds[0]}.h5"
    create_scattered(path, bounds)
    before = os.path.getsize(path)
    kept = [number for number in range(COUNT) if number % 10 in (0, 2, 5, 9)] + [LAST]
    delete_scattered(path, [number for number in range(COUNT) if number not in kept], True)
    between = os.path.getsize(path)
    compare_scattered(path, kept)
    with h5py.File(path, "r+") as file:
        for number in kept[::3]:
            file[path_of(number)][...] += 1
            file[path_of(number)].attrs["new"] = "new"
    compare_scattered(path, kept, kept[::3])
    gone = [number for number in kept if number % 10 == 5]
    left = [number for number in kept if number not in gone]
    delete_scattered(path, gone, False)
    compare_scattered(path, left, kept[::3])
    # A symbol table that has grown does not move.
    assert bounds[0] == "earliest" or between < before * 0.7, (path, before, between)
    print(f"{bounds[0]}: {before} bytes, {between} after {COUNT - len(kept)} of {COUNT} small datasets were deleted")


def flushed_between(bounds, least):
    """h5r says in the file what is free, sections of many sizes; libhdf5 takes of them, flushes before it closes, and says anew what
    is free. Where h5r noted another end of the file than it does now, 1.10.8 wrote section lists longer than their places."""
    path = f"{FOLDER}/flushed_{bounds[0]}.h5"
    with h5py.File(path, "w", libver=bounds) as file:
        for number in range(HOLES):
            file.create_group(f"g{number}").attrs["text"] = np.bytes_("x" * (least + number // 4 * 4))
    file = File(path)
    for number in range(1, HOLES, 2):
        ok(H5R.h5r_link_delete(file.root, f"g{number}".encode()))
    file.close()
    with h5py.File(path, "r+", libver=bounds) as file:
        for number in range(0, HOLES, 40):
            del file[f"g{number}"]
        file.flush()
        check("--open", path)
        file["new"] = np.arange(20)
    check(path)
    File(path).close()
    with h5py.File(path) as file:
        kept = [number for number in range(0, HOLES, 2) if number % 40]
        assert sorted(file) == sorted(["new"] + [f"g{number}" for number in kept]), path
        assert all(len(file[f"g{number}"].attrs["text"]) == least + number // 4 * 4 for number in kept), path


def paged_path(number):
    return f"g{number % 3}/d{number}"


def paged_values(number, turn=0):
    return np.arange(37 + number * 61 % 700, dtype="<i4") + 1000 * number + turn


def create_paged(path):
    """Every second dataset in chunks; attributes of less than a page, of more, and huge ones."""
    with h5py.File(path, "w", libver=("v110", "v110"), fs_strategy="page", fs_page_size=PAGE, fs_persist=True,
                   fs_threshold=1) as file:
        for number in range(PAGED):
            values = paged_values(number)
            layout = {"chunks": (11 + number % 26,), "maxshape": (None,)} if number % 2 else {}
            dataset = file.create_dataset(paged_path(number), data=values, **layout)
            dataset.attrs["small"] = values[:30]
            dataset.attrs["large"] = np.resize(values, 160)
            if number % 5 == 0:
                for n in range(12):
                    dataset.attrs[f"a{n}"] = values[:20 + n]
                dataset.attrs["huge"] = np.resize(values, 17_000)


def compare_paged(file, kept, turn):
    for number in kept:
        dataset, values = file[paged_path(number)], paged_values(number, turn)
        assert (dataset[...] == values).all(), (file.filename, number)
        assert (dataset.attrs["small"] == values[:30]).all() and (dataset.attrs["large"] == np.resize(values, 160)).all()
        if number % 5 == 0:
            assert (dataset.attrs["huge"] == np.resize(paged_values(number), 17_000)).all(), (file.filename, number)
            assert all((dataset.attrs[f"a{n}"] == values[:20 + n]).all() for n in range(12)), (file.filename, number)


def modify_paged(file, kept, turn):
    for number in kept:
        dataset, values = file[paged_path(number)], paged_values(number, turn)
        dataset[...] = values
        small = {"small": values[:30], "large": np.resize(values, 160)}
        for name, value in (small | {f"a{n}": values[:20 + n] for n in range(12 if number % 5 == 0 else 0)}).items():
            dataset.attrs.modify(name, value)


def paged():
    """In a file with pages, what h5r moves and writes stands so that libhdf5's page buffer, large or of a few pages, neither reads it wrong
    nor writes pages that it holds over it."""
    for by_closing in False, True:
        path = f"{FOLDER}/paged_{by_closing}.h5"
        create_paged(path)
        before, kept = os.path.getsize(path), [number for number in range(PAGED) if number % 7 in (0, 2, 5)]
        file = File(path)
        ok(H5R.h5r_set_lazy(file.handle, None))
        for number in set(range(PAGED)) - set(kept):
            ok(H5R.h5r_link_delete(file.root, paged_path(number).encode()))
        if not by_closing:
            ok(H5R.h5r_rebalance(file.handle))
        file.close()
        after = os.path.getsize(path)
        assert after % PAGE == 0 and (after < before * 0.7 or by_closing and OLD), (before, after)
        for turn, pages in enumerate((512, 16, 0, 64), start=1):
            # Attributes that h5r writes anew, large ones and small ones in turn.
            file = File(path)
            for number in kept:
                dataset = file.open(paged_path(number))
                for name, count in ("large", 160), ("small", 30):
                    value = np.resize(paged_values(number, turn - 1), count)
                    ok(H5R.h5r_attr_delete(dataset, name.encode()))
                    ok(H5R.h5r_attr_write(dataset, name.encode(), U64(3), ctypes.c_size_t(1), array([count]), pointer(value)))
            file.close()
            with h5py.File(path, "r+", **({"page_buf_size": pages * PAGE} if pages else {})) as file:
                compare_paged(file, kept, turn - 1)
                modify_paged(file, kept, turn)
                compare_paged(file, kept, turn)
            with h5py.File(path, **({"page_buf_size": pages * PAGE} if pages else {})) as file:
                compare_paged(file, kept, turn)
            File(path).close()
        print(f"pages: {before} bytes, {after} after {PAGED - len(kept)} of {PAGED} datasets were deleted")


def linked(path, numbers):
    """Makes or adds soft links with h5r."""
    file = File(path, create=not os.path.exists(path))
    for number in numbers:
        ok(H5R.h5r_link_create_soft(file.root, f"link {number:06}".encode(), f"/to/{number}".encode()))
    file.close()


def are_linked(path, numbers):
    with h5py.File(path) as file:
        links = {name: file.get(name, getlink=True).path for name in file}
    assert links == {f"link {number:06}": f"/to/{number}" for number in numbers}


def restored(count, left):
    """The links that stay were made last: all small blocks of the heap before them were given back, and are made anew."""
    path, fresh = f"{FOLDER}/restored.h5", f"{FOLDER}/fresh.h5"
    for name, numbers in (path, range(count)), (fresh, range(count - left, count)):
        if os.path.exists(name):
            os.remove(name)
        linked(name, numbers)
    kept = set(range(count - left, count))
    for lazy, numbers in (False, range(count - left - 1)), (True, [count - left - 1]):
        file = File(path)
        if lazy:
            before = os.path.getsize(path)
            ok(H5R.h5r_set_lazy(file.handle, None))
        for number in numbers:
            ok(H5R.h5r_link_delete(file.root, f"link {number:06}".encode()))
        file.close()
    after = os.path.getsize(path)
    assert after <= 1.05 * os.path.getsize(fresh) + 1024 < before, (before, after, os.path.getsize(fresh))
    print(f"links: {before} bytes, {after} after small blocks were restored, {os.path.getsize(fresh)} fresh")
    for turn in range(4):
        check(path)
        are_linked(path, kept)
        new = range(10000 * (turn + 1), 10000 * (turn + 1) + left)
        with h5py.File(path, "r+", libver=("v110", NEWEST)) as file:
            for number in sorted(kept)[turn % 2 :: 2]:
                del file[f"link {number:06}"]
                kept.remove(number)
            for number in new:
                file[f"link {number:06}"] = h5py.SoftLink(f"/to/{number}")
        kept.update(new)
        check(path)
        are_linked(path, kept)
        more = range(5000 + 10000 * (turn + 1), 5000 + 10000 * (turn + 1) + left)
        linked(path, more)
        kept.update(more)


def text_of(number, turn=0):
    return "äb"[number % 2] * (number * 7919 % 90) + f" {number} {turn}"


def packed(bounds):
    """Texts of variable length, in attributes and in a dataset that shares their collections. Every other attribute goes: what is left
    in sparse collections is stored anew, and what fits into headers comes back there."""
    path, fresh = f"{FOLDER}/values.h5", f"{FOLDER}/fresh.h5"
    objects = {f"many{number}": 1000 for number in range(3)} | {f"few{number}": 14 for number in range(100)}
    for name, step in (path, 1), (fresh, 2):
        with h5py.File(name, "w", libver=bounds) as file:
            file["rows"] = [text_of(number) for number in range(200)]
            for place, count in objects.items():
                group = file.create_group(place)
                for number in range(0, count, step):
                    group.attrs[f"text {number}"] = text_of(number)
    before = os.path.getsize(path)
    file = File(path)
    ok(H5R.h5r_set_lazy(file.handle, None))
    for place, count in objects.items():
        group = file.open(place)
        for number in range(1, count, 2):
            ok(H5R.h5r_attr_delete(group, f"text {number}".encode()))
        ok(H5R.h5r_object_close(group))
    file.close()
    after = os.path.getsize(path)
    assert after <= 1.2 * os.path.getsize(fresh) < before, (before, after, os.path.getsize(fresh))
    print(f"values, {bounds}: {before} bytes, {after} after half of the attributes went, {os.path.getsize(fresh)} fresh")
    expected = {place: {f"text {number}": text_of(number) for number in range(0, count, 2)} for place, count in objects.items()}
    for turn in range(3):
        check(path)
        with h5py.File(path, "r+", libver=bounds) as file:
            assert {place: dict(file[place].attrs) for place in objects} == expected
            assert [text.decode() for text in file["rows"]] == [text_of(number, turn) for number in range(200)]
            file["rows"][:] = [text_of(number, turn + 1) for number in range(200)]
            for place, count in objects.items():
                for number in range(2 * turn, count, 6):
                    del file[place].attrs[f"text {number}"]
                    del expected[place][f"text {number}"]
                    file[place].attrs[f"new {turn} {number}"] = expected[place][f"new {turn} {number}"] = text_of(number, 9)
        file = File(path)
        ok(H5R.h5r_rebalance(file.handle))
        file.close()


def check(*arguments):
    done = subprocess.run([os.path.join(FOLDER, "..", "check"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stdout)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for bounds in ("earliest", "latest"), ("v108", "latest"), ("v110", "latest"), ("latest", "latest"):
        path = f"{FOLDER}/shrink_{bounds[0]}.h5"
        values = create(path, bounds)
        before = os.path.getsize(path)
        delete(path)
        after = os.path.getsize(path)
        assert after < before * 0.66, (path, before, after)
        compare(path, values)
        with h5py.File(path, "r+") as file:
            for number in KEPT:
                file[f"d{number}"][10:2000:7] = number
                values[number][10:2000:7] = number
            file["new"] = values[0]
        compare(path, values)
        if bounds[0] != "latest":
            subprocess.run(["h5dump", "-H", path], check=True, stdout=subprocess.DEVNULL)
        print(f"{bounds[0]}: {before} bytes, {after} after three of eight datasets were deleted")
        scattered(bounds)
    paged()
    packed("latest")
    packed(("v108", NEWEST))
    restored(4000, 40)
    restored(20000, 500)
    for least in range(200, 1000, 50):
        flushed_between(("v110", "v110"), least)


main()
