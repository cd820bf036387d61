#!/usr/bin/env python3
"""Selections and conversions against numpy: seeded random datasets that h5r and h5py change in turn.

usage: selections.py LIBRARY FOLDER [--seed N] [--rounds N | --seconds S]

Each round makes a dataset (rank 1 to 32, any layout, filters, fill value) with h5r through its C ABI or with h5py, and changes it:
hyperslabs with start, stride, count and block, lists of them, points, parts of arrays in memory, elements of another type, appended
rows, new extents, what is not in the dataset and must be refused. numpy does the same to an array. h5r reads parts of it through
other types; h5py reads all of it after each flush and each closing. A failing round names its seed: `--seed N --rounds 1` repeats it.
"""
import argparse
import ctypes
import math
import os
import random
import shutil
import time

import numpy as np

from h5r import H5R, NEWEST, U64, U64S, UNLIMITED, CreateOptions, File, Selection, array, ok, pointer

os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
import h5py  # noqa: E402

TYPES = {"<i1": 1, "<i2": 2, "<i4": 3, "<i8": 4, "<u1": 5, "<u2": 6, "<u4": 7, "<u8": 8, "<f2": 9, "<f4": 10, "<f8": 11,
         ">i2": 34, ">i4": 35, ">i8": 36, ">u2": 38, ">u4": 39, ">u8": 40, ">f2": 41, ">f4": 42, ">f8": 43}


# ---------------------------------------------------------------------------------------------------------------------
# What numpy makes of it


def converted(values, target):
    """Elements in another type, as HDF5 converts them: integers are bounded, fractions cut off."""
    source, target = values.dtype, np.dtype(target)
    if target.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(target)
    info = np.iinfo(target)
    if source.kind == "f":
        wide = np.trunc(values.astype("<f8"))
        low, high = wide < float(info.min), wide >= float(info.max) + (info.bits < 64)
        out = np.where(low | high, 0, wide).astype(target)
        out[low], out[high] = info.min, info.max
        return out
    low = max(int(info.min), int(np.iinfo(source).min))
    high = min(int(info.max), int(np.iinfo(source).max))
    return np.clip(values, np.array(low, source), np.array(high, source)).astype(target)


def may_convert(source, target):
    """numpy rounds integers twice on their way to 16-bit floats."""
    source, target = np.dtype(source), np.dtype(target)
    return not (target.kind == "f" and target.itemsize == 2 and source.kind != "f" and source.itemsize > 1)


class Part:
    """A hyperslab: by dimension (start, stride, count, block)."""

    def __init__(self, dims):
        self.dims = dims

    @classmethod
    def random(cls, rng, extent):
        dims = []
        for size in extent:
            if size == 0:
                dims.append((0, 1, 0, 1))
                continue
            start = rng.choice((0, rng.randrange(size)))
            block = rng.randrange(1, rng.choice((1, 2, size - start)) + 1) if size > start + 1 else 1
            block = min(block, size - start)
            stride = block + rng.choice((0, 0, 1, rng.randrange(size)))
            most = (size - start - block) // stride + 1
            dims.append((start, stride, rng.choice((most, rng.randrange(1, most + 1))), block))
        if rng.random() < 0.3:
            dims = [(0, 1, 1, size) if rng.random() < 0.6 and size else one for one, size in zip(dims, extent)]
        return cls(dims)

    @classmethod
    def of_count(cls, rng, count):
        """An array in memory and a part of it of `count` elements: its dimensions, and the part."""
        factors, rest = [], count
        for _ in range(rng.randrange(3)):
            divisors = [d for d in range(1, min(rest, 60) + 1) if rest % d == 0] or [1]
            factors.append(rng.choice(divisors))
            rest //= factors[-1] or 1
        factors.append(rest)
        rng.shuffle(factors)
        dims, extent = [], []
        for factor in factors:
            block = rng.choice([d for d in range(1, min(factor, 60) + 1) if factor % d == 0] or [1])
            stride, start = block + rng.choice((0, 0, 1, 3)), rng.randrange(3)
            blocks = factor // block
            dims.append((start, stride, blocks, block))
            extent.append(start + max(blocks - 1, 0) * stride + block + rng.randrange(3))
        return extent, cls(dims)

    def index(self):
        along = [(start + np.arange(count)[:, None] * stride + np.arange(block)).reshape(-1)
                 for start, stride, count, block in self.dims]
        return np.ix_(*along)

    def count(self):
        return math.prod(count * block for _, _, count, block in self.dims)

    def struct(self, rng=None):
        """For the C ABI; sometimes with what is obvious left out."""
        columns = [array(column) for column in zip(*self.dims)]
        start, stride, count, block = columns
        kept = [start, stride, count, block]
        if rng and rng.random() < 0.5:
            if all(one[0] == 0 for one in self.dims):
                kept[0] = None
            if all(one[1] == one[3] for one in self.dims):
                kept[1] = None
            if all(one[3] == 1 for one in self.dims):
                kept[3] = None
        made = Selection(len(self.dims), *kept)
        made.kept = columns
        return made


def random_values(rng, numbers, count, source, target):
    """Elements of a type: small ones, extreme ones, fractions; such that converting them to another is defined."""
    dtype = np.dtype(source)
    if not may_convert(source, target) or np.dtype(target).kind == "f" and np.dtype(target).itemsize == 2:
        low = 0 if dtype.kind == "u" else -100
        values = numbers.integers(low, 100, count).astype(dtype)
    elif dtype.kind == "f":
        span = {2: 1e4, 4: 1e20, 8: 1e25}[dtype.itemsize] if rng.random() < 0.3 else 3e4
        values = (numbers.standard_normal(count) * span / 4).clip(-span, span).astype(dtype)
    else:
        info = np.iinfo(dtype)
        values = numbers.integers(info.min, info.max, count, dtype=dtype.newbyteorder("="), endpoint=True).astype(dtype)
        if rng.random() < 0.5:
            values = (values % np.array(100, dtype)).astype(dtype)
    return values


# ---------------------------------------------------------------------------------------------------------------------
# A dataset in a file


class Round:
    def __init__(self, folder, seed):
        self.seed = seed
        self.rng, self.numbers = random.Random(seed), np.random.default_rng(seed)
        self.path, self.copy = os.path.join(folder, "file.h5"), os.path.join(folder, "copy.h5")
        self.file = self.dataset = None
        self.log = []

    def plan(self):
        rng = self.rng
        self.dtype = rng.choice(sorted(TYPES))
        # numpy 1 takes no 32 indexes.
        rank = min(rng.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, rng.randrange(9, 33))), 32 if np.__version__ >= "2" else 31)
        budget = rng.choice((60, 2000, 2000, 6000)) if rng.random() < 0.93 else 600_000
        extent = []
        for left in range(rank, 0, -1):
            room = budget / math.prod(extent) if extent else budget
            extent.append(max(1, min(int(room), int(room ** rng.uniform(0, 2.2 / left)))))
        rng.shuffle(extent)
        self.layout = rng.choice(("chunked",) * 6 + ("contiguous", "compact"))
        if self.layout == "compact" and math.prod(extent) * np.dtype(self.dtype).itemsize > 60_000:
            self.layout = "contiguous"
        self.chunk, self.max_dims, self.filters = None, list(extent), {}
        if self.layout == "chunked":
            self.chunk = [max(1, min(size + 2, rng.choice((size, rng.randrange(1, size + 1), size // 2)))) for size in extent]
            while math.prod(-(-size // chunk) for size, chunk in zip(extent, self.chunk)) > 1500:
                self.chunk = [min(size, 2 * chunk) for size, chunk in zip(extent, self.chunk)]
            self.max_dims = [rng.choice((size, UNLIMITED, 3 * size)) for size in extent]
            self.chunk = [min(chunk, most) for chunk, most in zip(self.chunk, self.max_dims)]
            if rng.random() < 0.1:
                grows = [d for d in range(rank) if self.max_dims[d] > extent[d]]
                for d in grows[:1]:
                    extent[d] = 0
            if rng.random() < 0.5:
                self.filters = {"deflate": rng.choice((0, 1, 4)), "shuffle": rng.random() < 0.5, "fletcher32": rng.random() < 0.3}
        self.fill = None
        if rng.random() < 0.5:
            self.fill = random_values(rng, self.numbers, 1, self.dtype, self.dtype)
        self.model = np.full(extent, self.fill[0] if self.fill is not None else 0, self.dtype)

    def create_with_h5r(self):
        options = CreateOptions(format=self.rng.randrange(2), durability=self.rng.choice((0, 2)), threads=self.rng.randrange(4))
        self.file = File(self.path, options)
        of_it = {name: int(value) for name, value in self.filters.items()}
        if self.chunk:
            of_it |= {"chunk": self.chunk, "max_dims": self.max_dims}
        if self.fill is not None:
            of_it["fill_value"] = pointer(self.fill)
        layout = ("compact", "contiguous", "chunked").index(self.layout)
        self.dataset = self.file.create("/of/it", U64(TYPES[self.dtype]), self.model.shape, layout=layout, **of_it)

    def create_with_h5py(self):
        libver = self.rng.choice(("earliest", "v108", "v110", NEWEST))
        with h5py.File(self.path, "w", libver=(libver, libver if libver == NEWEST else "latest")) as file:
            options = {}
            if self.chunk:
                options = {"chunks": tuple(self.chunk),
                           "maxshape": tuple(None if size == UNLIMITED else size for size in self.max_dims)}
                options |= {key: True for key in ("shuffle", "fletcher32") if self.filters.get(key)}
                if self.filters.get("deflate"):
                    options["compression"] = self.filters["deflate"]
            fill = None if self.fill is None else self.fill[0]
            file.create_dataset("of/it", self.model.shape, self.dtype, fillvalue=fill, **options)
        self.log.append(f"libver {libver}")

    # ---- what h5r does ----

    def open(self):
        if self.file is None:
            self.file = File(self.path)
            self.dataset = self.file.open("of/it")

    def close(self):
        if self.file is not None:
            self.file.close()
        self.file = self.dataset = None

    def memory_type(self, reading):
        pairs = (lambda other: (self.dtype, other)) if reading else (lambda other: (other, self.dtype))
        fitting = [other for other in sorted(TYPES) if may_convert(*pairs(other))]
        return self.rng.choice(fitting) if self.rng.random() < 0.6 else self.dtype

    def values(self, count, memory):
        return random_values(self.rng, self.numbers, count, memory, self.dtype)

    def write_part(self):
        memory, part = self.memory_type(False), Part.random(self.rng, self.model.shape)
        values = self.values(part.count(), memory)
        selection = ctypes.byref(part.struct(self.rng))
        if self.rng.random() < 0.1:
            part, selection = Part([(0, 1, 1, size) for size in self.model.shape]), None
            values = self.values(part.count(), memory)
        self.log.append(f"write {memory} {part.dims}")
        ok(H5R.h5r_dataset_write(self.dataset, U64(TYPES[memory]), selection, pointer(values)))
        at = part.index()
        self.model[at] = converted(values, self.dtype).reshape(self.model[at].shape)

    def write_list(self):
        memory = self.memory_type(False)
        parts = [Part.random(self.rng, self.model.shape) for _ in range(self.rng.randrange(6))]
        values = self.values(sum(part.count() for part in parts), memory)
        self.log.append(f"write_list {memory} {[part.dims for part in parts]}")
        kept = [part.struct(self.rng) for part in parts]
        structs = (Selection * len(parts))(*kept)
        ok(H5R.h5r_dataset_write_list(self.dataset, U64(TYPES[memory]), len(parts), structs, pointer(values)))
        begin = 0
        for part in parts:
            of_part = values[begin:begin + part.count()]
            begin += part.count()
            at = part.index()
            self.model[at] = converted(of_part, self.dtype).reshape(self.model[at].shape)

    def points(self):
        if self.model.size == 0:
            return np.zeros((0, self.model.ndim), np.uint64)
        flat = self.numbers.integers(0, self.model.size, self.rng.randrange(60))
        return np.stack(np.unravel_index(flat, self.model.shape), axis=1).astype(np.uint64)

    def write_points(self):
        memory, points = self.memory_type(False), self.points()
        values = self.values(len(points), memory)
        self.log.append(f"write_points {memory} {points.tolist()}")
        ok(H5R.h5r_dataset_write_points(self.dataset, U64(TYPES[memory]), len(points),
                                                  points.ctypes.data_as(U64S), pointer(values)))
        for point, value in zip(points, converted(values, self.dtype)):
            self.model[tuple(point)] = value

    def write_from(self):
        memory, part = self.memory_type(False), Part.random(self.rng, self.model.shape)
        extent, within = Part.of_count(self.rng, part.count())
        values = self.values(math.prod(extent), memory).reshape(extent)
        self.log.append(f"write_from {memory} {part.dims} <- {extent} {within.dims}")
        ok(H5R.h5r_dataset_write_from(self.dataset, U64(TYPES[memory]), ctypes.byref(part.struct(self.rng)),
                                                len(extent), array(extent), ctypes.byref(within.struct()), pointer(values)))
        at = part.index()
        self.model[at] = converted(values[within.index()].reshape(-1), self.dtype).reshape(self.model[at].shape)

    def read_part(self):
        memory, part = self.memory_type(True), Part.random(self.rng, self.model.shape)
        out = np.zeros(part.count(), memory)
        self.log.append(f"read {memory} {part.dims}")
        ok(H5R.h5r_dataset_read(self.dataset, U64(TYPES[memory]), ctypes.byref(part.struct(self.rng)), pointer(out)))
        self.same(out, converted(self.model[part.index()].reshape(-1), memory))

    def read_list(self):
        memory = self.memory_type(True)
        parts = [Part.random(self.rng, self.model.shape) for _ in range(self.rng.randrange(6))]
        out = np.zeros(sum(part.count() for part in parts), memory)
        self.log.append(f"read_list {memory} {[part.dims for part in parts]}")
        kept = [part.struct(self.rng) for part in parts]
        structs = (Selection * len(parts))(*kept)
        ok(H5R.h5r_dataset_read_list(self.dataset, U64(TYPES[memory]), len(parts), structs, pointer(out)))
        expected = [converted(self.model[part.index()].reshape(-1), memory) for part in parts]
        self.same(out, np.concatenate(expected) if parts else out)

    def read_points(self):
        memory, points = self.memory_type(True), self.points()
        out = np.zeros(len(points), memory)
        self.log.append(f"read_points {memory} {points.tolist()}")
        ok(H5R.h5r_dataset_read_points(self.dataset, U64(TYPES[memory]), len(points), points.ctypes.data_as(U64S),
                                                 pointer(out)))
        self.same(out, converted(self.model[tuple(points.T.astype(np.int64))], memory))

    def read_into(self):
        memory, part = self.memory_type(True), Part.random(self.rng, self.model.shape)
        extent, within = Part.of_count(self.rng, part.count())
        out = self.values(math.prod(extent), memory).reshape(extent)
        expected = out.copy()
        at = within.index()
        expected[at] = converted(self.model[part.index()].reshape(-1), memory).reshape(expected[at].shape)
        self.log.append(f"read_into {memory} {part.dims} -> {extent} {within.dims}")
        ok(H5R.h5r_dataset_read_into(self.dataset, U64(TYPES[memory]), ctypes.byref(part.struct(self.rng)), len(extent),
                                               array(extent), ctypes.byref(within.struct()), pointer(out)))
        self.same(out, expected)

    def set_extent(self):
        if not self.chunk:
            return
        extent = []
        for size, most in zip(self.model.shape, self.max_dims):
            wanted = self.rng.choice((size, size, size + self.rng.randrange(4), self.rng.randrange(size + 1), size * 2))
            extent.append(min(wanted, most))
        if math.prod(extent) > 2 * max(self.model.size, 1000):
            return
        self.log.append(f"set_extent {extent}")
        ok(H5R.h5r_dataset_set_extent(self.dataset, array(extent)))
        fill = self.fill[0] if self.fill is not None else 0
        changed = np.full(extent, fill, self.dtype)
        kept = tuple(slice(0, min(old, new)) for old, new in zip(self.model.shape, extent))
        changed[kept] = self.model[kept]
        self.model = changed

    def append(self):
        if not self.chunk or self.max_dims[0] != UNLIMITED:
            return
        memory = self.memory_type(False)
        for _ in range(self.rng.randrange(1, 12)):
            rows = self.rng.choice((0, 1, 1, 1, 2, 5))
            row = math.prod(self.model.shape[1:])
            if self.model.size + rows * row > 1_000_000:
                return
            values = self.values(rows * row, memory)
            self.log.append(f"append {memory} {rows}")
            ok(H5R.h5r_dataset_append(self.dataset, U64(TYPES[memory]), U64(rows), pointer(values)))
            added = converted(values, self.dtype).reshape((rows, *self.model.shape[1:]))
            self.model = np.concatenate([self.model, added]).astype(self.dtype)

    def refused(self):
        """What is not in the dataset changes nothing."""
        part = Part.random(self.rng, self.model.shape)
        d = self.rng.randrange(self.model.ndim)
        beyond = [(size + self.rng.randrange(3), 1, 1, 1) if n == d else one
                  for n, (one, size) in enumerate(zip(part.dims, self.model.shape))]
        values = self.values(2 * math.prod(max(1, c * b) for _, _, c, b in part.dims) + self.model.size, self.dtype)
        both = (Selection * 2)(part.struct(), Part(beyond).struct())
        one = Part(beyond).struct()
        self.log.append(f"refused {beyond}")
        token = U64(TYPES[self.dtype])
        if math.prod(c * b for _, _, c, b in beyond) == 0:
            return
        assert H5R.h5r_dataset_write(self.dataset, token, ctypes.byref(one), pointer(values)) < 0
        assert H5R.h5r_dataset_write_list(self.dataset, token, 2, both, pointer(values)) < 0
        point = array([size if n == d else 0 for n, size in enumerate(self.model.shape)])
        assert H5R.h5r_dataset_write_points(self.dataset, token, 1, point, pointer(values)) < 0

    def flush(self):
        self.log.append("flush")
        ok(H5R.h5r_flush(self.file.handle))
        shutil.copyfile(self.path, self.copy)
        self.judge(self.copy)

    def reopen(self):
        self.log.append("reopen")
        self.close()
        self.judge(self.path)
        if self.rng.random() < 0.5:
            self.change_with_h5py()
        self.open()

    # ---- what h5py does ----

    def change_with_h5py(self):
        # libhdf5 2.0.0 divides by zero where it writes a part of 32 dimensions, in its own files too.
        if self.model.ndim == 32:
            return
        with h5py.File(self.path, "r+") as file:
            dataset = file["of/it"]
            for _ in range(self.rng.randrange(4)):
                part = Part.random(self.rng, self.model.shape)
                values = self.values(part.count(), self.dtype)
                self.log.append(f"h5py {part.dims}")
                if part.count() == 0:
                    continue
                space = dataset.id.get_space()
                columns = [tuple(column) for column in zip(*part.dims)]
                space.select_hyperslab(columns[0], columns[2], columns[1], columns[3])
                dataset.id.write(h5py.h5s.create_simple((part.count(),)), space, values, h5py.h5t.py_create(values.dtype))
                at = part.index()
                self.model[at] = values.reshape(self.model[at].shape)

    def judge(self, path):
        with h5py.File(path, "r") as file:
            dataset = file["of/it"]
            assert dataset.shape == self.model.shape and dataset.dtype == self.model.dtype, (dataset.shape, dataset.dtype)
            self.same(dataset[...], self.model)

    def same(self, found, expected):
        if found.tobytes() == expected.astype(found.dtype).tobytes():
            return
        # Zeros of either sign are one value.
        wrong = np.argwhere(np.atleast_1d(found != expected))
        assert len(wrong) == 0, f"{len(wrong)} of {expected.size} differ, first at {wrong[0].tolist()}: " \
                                f"{found[tuple(wrong[0])]}, not {expected[tuple(wrong[0])]}"

    def run(self):
        self.plan()
        by_h5r = self.rng.random() < 0.6
        self.log.append(f"{self.dtype} {self.model.shape} max {self.max_dims} {self.layout} {self.chunk} {self.filters} "
                        f"fill {self.fill} by {'h5r' if by_h5r else 'h5py'}")
        if by_h5r:
            self.create_with_h5r()
        else:
            self.create_with_h5py()
            self.open()
        writes = [self.write_part, self.write_list, self.write_points, self.write_from, self.append]
        reads = [self.read_part, self.read_list, self.read_points, self.read_into]
        others = [self.set_extent, self.set_extent, self.refused, self.flush, self.reopen]
        for _ in range(self.rng.randrange(4, 22)):
            self.rng.choice(self.rng.choice((writes, writes, reads, others)))()
        self.reopen()
        self.close()
        self.judge(self.path)
        return len(self.log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1, help="the first round's; each round adds one")
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--seconds", type=float, help="as long as this, whatever the rounds")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    began, seed, steps = time.monotonic(), options.seed, 0
    while (time.monotonic() - began < options.seconds) if options.seconds else seed < options.seed + options.rounds:
        one = Round(options.folder, seed)
        try:
            steps += one.run()
        except BaseException:
            print(f"selections: seed {seed}:\n  " + "\n  ".join(str(line)[:600] for line in one.log), flush=True)
            raise
        seed += 1
    print(f"selections: {seed - options.seed} datasets, {steps} steps, all as numpy has them, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
