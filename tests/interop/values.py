#!/usr/bin/env python3
"""Values of every type between libhdf5 (h5py, in this process) and h5r (through its C ABI).

usage: values.py LIBRARY FOLDER [SEED]

Conversions: for pairs of types, what h5r makes of random elements is compared byte by byte with what H5Tconvert makes of
them, and what one refuses the other refuses. Values of variable length: what h5py writes, h5r reads, changes and deletes, what
h5r writes, h5py and h5dump read and change, in attributes and in datasets of every layout; and overwriting them does not
make the file grow. Named types, and references.
"""
import ctypes
import os
import random
import subprocess
import sys

import h5py
import numpy as np
from h5py import h5t

from h5r import H5R, NEWEST, U64, File, Selection, array, ok, pointer

FOLDER = sys.argv[2]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
RANDOM = random.Random(SEED)


class Vlen(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("data", ctypes.c_void_p)]


def size_of(token):
    size = ctypes.c_size_t()
    ok(H5R.h5r_type_size(token, ctypes.byref(size)))
    return size.value


def text_type():
    token = U64()
    ok(H5R.h5r_type_string_variable(0, 1, ctypes.byref(token)))
    return token


def sequence_type(base):
    token = U64()
    ok(H5R.h5r_type_vlen(U64(base), ctypes.byref(token)))
    return token


I32, F64 = 3, 11
TEXT, NUMBERS = text_type(), sequence_type(I32)


# ---------------------------------------------------------------------------------------------------------------------
# Conversions


def integer(size, precision, offset, signed, big, low=0, high=0):
    made = (h5t.STD_I64LE if signed else h5t.STD_U64LE).copy()
    made.set_precision(min(precision, 8 * size))
    made.set_offset(0)
    made.set_size(size)
    made.set_precision(precision)
    made.set_offset(offset)
    made.set_order(h5t.ORDER_BE if big else h5t.ORDER_LE)
    made.set_pad(low, high)
    return made


def floating(size, sign, exponent_at, exponent, mantissa_at, mantissa, bias, big=False, norm=h5t.NORM_IMPLIED):
    made = h5t.IEEE_F64LE.copy()
    if size > 8:
        made.set_size(size)
        made.set_precision(max(sign, exponent_at + exponent - 1) + 1)
    made.set_fields(sign, exponent_at, exponent, mantissa_at, mantissa)
    made.set_ebias(bias)
    made.set_norm(norm)
    if size <= 8:
        made.set_precision(max(sign, exponent_at + exponent - 1) + 1)
        made.set_size(size)
    made.set_order(h5t.ORDER_BE if big else h5t.ORDER_LE)
    return made


def enumeration(base, values):
    made = h5t.enum_create(base)
    for name, value in values.items():
        made.enum_insert(name.encode(), value)
    return made


def compound(size, *members):
    made = h5t.create(h5t.COMPOUND, size)
    for name, offset, member in members:
        made.insert(name.encode(), offset, member)
    return made


def string(size, padding, charset=h5t.CSET_ASCII):
    made = h5t.C_S1.copy()
    made.set_size(size)
    made.set_strpad(padding)
    made.set_cset(charset)
    return made


INTEGERS = [
    integer(2, 12, 0, True, False), integer(2, 12, 3, False, True), integer(4, 17, 5, True, True, 1, 1),
    integer(8, 33, 7, False, False, 0, 1), integer(3, 24, 0, True, False), integer(1, 5, 2, True, False),
    integer(5, 40, 0, False, True), h5t.STD_I8LE, h5t.STD_U16BE, h5t.STD_I32LE, h5t.STD_U64LE,
]
FLOATS = [
    floating(2, 15, 10, 5, 0, 10, 15), floating(2, 15, 7, 8, 0, 7, 127), floating(4, 31, 23, 8, 0, 23, 127, True),
    floating(3, 23, 17, 6, 0, 17, 31), floating(8, 63, 52, 11, 0, 52, 1023), floating(4, 30, 22, 8, 0, 22, 127),
    floating(16, 127, 112, 15, 0, 112, 16383),
]
# More bits than the processor's numbers have; libhdf5 makes nothing of more than 64 bytes, but reads it.
WIDE = [
    integer(20, 150, 5, True, True), integer(33, 257, 0, False, False, 1, 0), integer(64, 512, 0, True, False),
    integer(17, 129, 7, False, True, 0, 1), integer(24, 140, 50, True, False, 1, 1),
]
LARGE = [integer(100, 790, 9, True, True, 1, 0), integer(72, 100, 470, False, False), integer(65, 7, 2, True, False)]
COLORS = enumeration(h5t.STD_I16LE, {"red": 3, "green": -7, "blue": 300, "none": 0})
POINT = compound(24, ("x", 0, h5t.STD_I32LE), ("y", 8, h5t.IEEE_F64LE), ("c", 16, COLORS),
                 ("t", 18, string(6, h5t.STR_NULLPAD)))
NESTED = compound(64, ("a", 0, POINT), ("b", 24, h5t.array_create(h5t.STD_U16LE, (2, 3))), ("n", 40, h5t.STD_I64LE),
                  ("p", 48, h5t.array_create(h5t.STD_I8LE, (4,))))
SMALL = compound(40, ("n", 30, h5t.STD_I16BE), ("b", 0, h5t.array_create(h5t.IEEE_F32LE, (2, 3))),
                 ("a", 24, compound(5, ("y", 1, h5t.STD_I8LE), ("x", 3, h5t.STD_U16BE))), ("new", 36, h5t.STD_I32LE))
STRINGS = [string(8, h5t.STR_NULLTERM), string(5, h5t.STR_NULLPAD), string(12, h5t.STR_SPACEPAD), string(1, h5t.STR_NULLTERM)]
FIELDS = [h5t.STD_B8LE, h5t.STD_B16BE, h5t.STD_B32LE]


def random_elements(datatype, count):
    """Random bytes, where numbers and texts are often special ones."""
    size, kind = datatype.get_size(), datatype.get_class()
    if kind == h5t.COMPOUND:
        whole = np.zeros((count, size), np.uint8)
        for index in range(datatype.get_nmembers()):
            member = datatype.get_member_type(index)
            at = datatype.get_member_offset(index)
            whole[:, at:at + member.get_size()] = random_elements(member, count).reshape(count, -1)
        return whole.reshape(-1)
    if kind == h5t.ARRAY:
        base = datatype.get_super()
        return random_elements(base, count * (size // base.get_size()))
    if kind == h5t.ENUM:
        values = [datatype.get_member_value(i) for i in range(datatype.get_nmembers())]
        chosen = [RANDOM.choice(values) for _ in range(count)]
        return np.array(chosen, f"<i{size}").view(np.uint8)
    out = np.frombuffer(RANDOM.randbytes(count * size), np.uint8).copy().reshape(count, size)
    if kind == h5t.STRING:
        letters = b"abc xyz\0  \0"
        for row in out:
            for at in range(size):
                row[at] = RANDOM.choice(letters)
    if kind in (h5t.INTEGER, h5t.FLOAT):
        for row in out:
            pick = RANDOM.randrange(6)
            if pick == 0:
                row[:] = 0
            elif pick == 1:
                row[:] = 255
            elif pick == 2:
                row[RANDOM.randrange(size):] = RANDOM.choice((0, 255))
            elif pick == 3:
                row[:RANDOM.randrange(size + 1)] = RANDOM.choice((0, 255))
    return out.reshape(-1)


def moderate_floats(datatype, count):
    """Values that every float type has, and halves between them."""
    values = np.array([RANDOM.choice([1, -1]) * RANDOM.randrange(1 << RANDOM.randrange(1, 20)) / (1 << RANDOM.randrange(12))
                       for _ in range(count)], "<f8")
    wide = np.zeros(count * max(8, datatype.get_size()), np.uint8)
    wide[:8 * count] = values.view(np.uint8)
    h5t.convert(h5t.IEEE_F64LE, datatype, count, wide)
    return wide[:count * datatype.get_size()].copy()


def by_libhdf5(source, target, elements, count, background):
    width = max(source.get_size(), target.get_size())
    buffer = np.zeros(count * width, np.uint8)
    buffer[:len(elements)] = elements
    back = background.copy()
    try:
        h5t.convert(source, target, count, buffer, back)
    except (TypeError, OSError, RuntimeError, ValueError, KeyError):
        return None
    return buffer[:count * target.get_size()]


class Converter:
    """Pairs of types as named ones in one file, which h5r then reads through each other."""

    def __init__(self, path):
        self.path, self.types, self.cases = path, [], []
        self.file = h5py.File(path, "w", libver=("v108", NEWEST))

    def case(self, source, target, elements, count, left_open=None):
        number = len(self.cases)
        for name, datatype in (("source", source), ("target", target)):
            datatype.copy().commit(self.file.id, f"{name}{number}".encode())
        background = np.frombuffer(RANDOM.randbytes(count * target.get_size()), np.uint8)
        space = h5py.h5s.create_simple((count,))
        made = h5py.h5d.create(self.file.id, f"data{number}".encode(), source, space)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, elements, mtype=source)
        expected = by_libhdf5(source, target, elements, count, background)
        self.cases.append((elements, count, background, expected, source, target, left_open))

    def run(self):
        self.file.close()
        file = File(self.path)
        differing = 0
        for number, (elements, count, background, expected, source, target, left_open) in enumerate(self.cases):
            dataset, token = file.open(f"data{number}"), file.type(f"target{number}")
            back = np.zeros(len(elements), np.uint8)
            ok(H5R.h5r_dataset_read(dataset, file.type(f"source{number}"), None, pointer(back)))
            assert (back == elements).all(), number
            out = background.copy()
            status = H5R.h5r_dataset_read(dataset, token, None, pointer(out))
            what = f"case {number}: {describe(source)} -> {describe(target)}"
            if expected is None:
                assert status != 0, f"{what} is refused by libhdf5"
                continue
            assert status == 0, f"{what}: {H5R.h5r_last_error().decode()}"
            wrong = (out != expected).reshape(count, -1).any(axis=1)
            if left_open is not None:
                wrong &= ~left_open
            if wrong.any():
                first = int(np.argmax(wrong))
                size, width = source.get_size(), target.get_size()
                print(f"{what}: {wrong.sum()} of {count} differ, first {elements[first*size:(first+1)*size].tobytes().hex()}:"
                      f" h5r {out[first*width:(first+1)*width].tobytes().hex()},"
                      f" libhdf5 {expected[first*width:(first+1)*width].tobytes().hex()}")
                differing += 1
        file.close()
        assert differing == 0
        return len(self.cases)


def describe(datatype):
    kind = datatype.get_class()
    if kind == h5t.INTEGER:
        return f"int({datatype.get_size()},{datatype.get_precision()},{datatype.get_offset()},{datatype.get_order()})"
    if kind == h5t.FLOAT:
        return f"float({datatype.get_size()},{datatype.get_fields()},{datatype.get_ebias()},{datatype.get_order()})"
    return f"class {kind} of {datatype.get_size()}"


def left_open(source, target, elements):
    """Where h5r is known to differ, by elements: libhdf5's generic path makes the smallest integer of what lies between -1
    and 0 (not so its native path), its native one leaves negative halves as unsigned integers to the processor, and it
    makes different things of infinities; and between IEEE floats of another byte order h5r
    rounds ties to even, as with the processor's own, and libhdf5 away from zero."""
    wide = np.zeros(len(elements) // source.get_size() * max(8, source.get_size()), np.uint8)
    wide[:len(elements)] = elements
    count = len(elements) // source.get_size()
    h5t.convert(source, h5t.IEEE_F64LE, count, wide)
    values = wide[:8 * count].view("<f8")
    if target.get_class() == h5t.INTEGER:
        unsigned = source.equal(h5t.IEEE_F16LE) and target.get_sign() == h5t.SGN_NONE
        return (values > -1) & (values < 0) | np.isinf(values) | unsigned & (values < 0)
    ieee = [h5t.IEEE_F16LE, h5t.IEEE_F16BE, h5t.IEEE_F32LE, h5t.IEEE_F32BE, h5t.IEEE_F64LE, h5t.IEEE_F64BE]
    return np.full(count, any(source.equal(t) for t in ieee) and any(target.equal(t) for t in ieee))


def conversions(path):
    cases = Converter(path)
    count = 120
    for source in INTEGERS:
        for target in INTEGERS + FLOATS:
            # What is too large for the exponent becomes not infinity but another pattern in libhdf5.
            if target.get_class() == h5t.FLOAT and source.get_precision() > target.get_ebias():
                continue
            # libhdf5 takes these two for each other's twin of another byte order, and only swaps bytes.
            if any(x.equal(h5t.STD_U16BE) and y.equal(INTEGERS[0]) for x, y in ((source, target), (target, source))):
                continue
            cases.case(source, target, random_elements(source, count), count)
    for source in WIDE + LARGE + INTEGERS[:4]:
        for target in WIDE + (INTEGERS[:4] + FLOATS if source in WIDE + LARGE else []):
            # libhdf5 writes beyond its memory where it drops more than 64 bits behind a half.
            if target.get_class() == h5t.INTEGER or source.get_precision() <= min(target.get_ebias(), target.get_fields()[4] + 65):
                cases.case(source, target, random_elements(source, count), count)
    # libhdf5 1.10 negates bits beyond its memory.
    wide = WIDE if h5py.version.hdf5_version_tuple > (1, 12) else []
    for source in FLOATS:
        for target in FLOATS + INTEGERS + wide:
            elements = moderate_floats(source, count)
            cases.case(source, target, elements, count, left_open(source, target, elements))
    for source in STRINGS:
        for target in STRINGS + [string(8, h5t.STR_NULLTERM, h5t.CSET_UTF8)]:
            if target.get_cset() == source.get_cset():
                cases.case(source, target, random_elements(source, count), count)
    for source in FIELDS:
        for target in FIELDS:
            cases.case(source, target, random_elements(source, count), count)
    wider = enumeration(h5t.STD_I32BE, {"blue": 1, "none": 2, "green": 3, "red": 4})
    fewer = enumeration(h5t.STD_I8LE, {"blue": 1, "red": 4})
    for target in (wider, h5t.STD_I32LE, h5t.IEEE_F32LE, h5t.STD_I8LE):
        cases.case(COLORS, target, random_elements(COLORS, count), count)
    cases.case(h5t.STD_I32LE, COLORS, random_elements(h5t.STD_I32LE, count), count)
    for source, target in ((NESTED, SMALL), (SMALL, NESTED), (NESTED, POINT), (POINT, NESTED), (NESTED, NESTED)):
        cases.case(source, target, random_elements(source, count), count)
    for source, target in ((h5t.array_create(h5t.STD_I16LE, (3,)), h5t.array_create(h5t.IEEE_F64LE, (3,))),
                           (h5t.array_create(h5t.STD_I16LE, (3,)), h5t.array_create(h5t.STD_I32LE, (4,)))):
        cases.case(source, target, random_elements(source, count), count)
    opaque, other = h5t.create(h5t.OPAQUE, 6), h5t.create(h5t.OPAQUE, 6)
    opaque.set_tag(b"one")
    other.set_tag(b"two")
    refused = [(opaque, other), (opaque, h5t.STD_I32LE), (STRINGS[0], h5t.STD_I32LE),
               (h5t.STD_I32LE, STRINGS[0]), (POINT, h5t.STD_I32LE), (FIELDS[0], h5t.STD_I32LE), (COLORS, fewer)]
    for source, target in refused[:-1] + [(opaque, opaque)]:
        cases.case(source, target, random_elements(source, count), count)
    return cases.run()


def larger(path):
    """What h5r makes of more than 64 bytes, libhdf5 reads as what it was."""
    with h5py.File(path, "w", libver=("v108", NEWEST)) as file:
        for number, source in enumerate(WIDE + INTEGERS[:4]):
            source.copy().commit(file.id, f"source{number}".encode())
            h5py.h5d.create(file.id, f"data{number}".encode(), LARGE[0], h5py.h5s.create_simple((50,)))
    file, given = File(path), []
    for number, source in enumerate(WIDE + INTEGERS[:4]):
        given.append(random_elements(source, 50))
        ok(H5R.h5r_dataset_write(file.open(f"data{number}"), file.type(f"source{number}"), None, pointer(given[-1])))
    file.close()
    with h5py.File(path) as file:
        for number, source in enumerate(WIDE + INTEGERS[:4]):
            found, wanted = np.zeros(50 * source.get_size(), np.uint8), given[number]
            file[f"data{number}"].id.read(h5py.h5s.ALL, h5py.h5s.ALL, found, mtype=source)
            # Without the bits beside the values.
            sized = np.zeros(50 * 64, np.uint8), np.zeros(50 * 64, np.uint8)
            for wide, elements in zip(sized, (found, wanted)):
                wide[:len(elements)] = elements
                h5t.convert(source, WIDE[2], 50, wide)
            assert (sized[0] == sized[1]).all(), describe(source)


# ---------------------------------------------------------------------------------------------------------------------
# Values of variable length


def texts_of_h5py(count):
    return [RANDOM.choice(["", "a", "grün", "x" * RANDOM.randrange(300), "word " * RANDOM.randrange(1500)]) for _ in range(count)]


def sequences(count):
    return [np.array([RANDOM.randrange(-1000, 1000) for _ in range(RANDOM.randrange(0, 40))], "<i4") for _ in range(count)]


def read_texts(read, count):
    out = (ctypes.c_char_p * count)()
    read(TEXT, out)
    values = [(value or b"").decode() for value in out]
    ok(H5R.h5r_vlen_release(TEXT, U64(count), out))
    assert not any(out)
    return values


def read_sequences(read, count):
    out = (Vlen * count)()
    read(NUMBERS, out)
    values = [np.ctypeslib.as_array(ctypes.cast(v.data, ctypes.POINTER(ctypes.c_int32)), (v.length,)).copy() if v.length
              else np.array([], "<i4") for v in out]
    ok(H5R.h5r_vlen_release(NUMBERS, U64(count), out))
    return values


def given_texts(values):
    return (ctypes.c_char_p * len(values))(*[value.encode() for value in values])


def given_sequences(values):
    out = (Vlen * len(values))()
    for item, value in zip(out, values):
        item.length, item.data = len(value), value.ctypes.data
    out.kept = values
    return out


def dataset_reader(dataset):
    return lambda token, out: ok(H5R.h5r_dataset_read(dataset, token, None, out))


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


LAYOUTS = {"contiguous": {}, "chunked": {"chunks": (7,), "maxshape": (None,)}, "compressed": {"chunks": (16,), "compression": 3},
           "growing": {"chunks": (5,), "maxshape": (1000,), "compression": 9}}


def check_h5py(path, texts, numbers, attributes):
    with h5py.File(path) as file:
        for name in texts:
            assert list(file["texts/" + name].asstr()[...]) == texts[name], name
            assert same(list(file["numbers/" + name][...]), numbers[name]), name
        for name, value in attributes.items():
            found = file["texts"].attrs[name]
            assert (same(list(found), value) if isinstance(value, list) and not isinstance(value[0], str)
                    else list(np.atleast_1d(found)) == list(np.atleast_1d(value))), name


def check_h5r(path, texts, numbers, attributes):
    file = File(path)
    for name in texts:
        count = len(texts[name])
        assert read_texts(dataset_reader(file.open("texts/" + name)), count) == texts[name], name
        assert same(read_sequences(dataset_reader(file.open("numbers/" + name)), count), numbers[name]), name
    group = file.open("texts")
    for name, value in attributes.items():
        def read(token, out):
            ok(H5R.h5r_attr_read(group, name.encode(), token, out, ctypes.c_size_t(ctypes.sizeof(out))))
        if isinstance(value, str):
            assert read_texts(read, 1) == [value], name
        elif isinstance(value[0], str):
            assert read_texts(read, len(value)) == value, name
        else:
            assert same(read_sequences(read, len(value)), value), name
    file.close()


def attribute(file, group, name, value):
    if isinstance(value, str):
        ok(H5R.h5r_attr_write(group, name.encode(), TEXT, ctypes.c_size_t(0), None, given_texts([value])))
        return
    token, given = (TEXT, given_texts(value)) if isinstance(value[0], str) else (NUMBERS, given_sequences(value))
    ok(H5R.h5r_attr_write(group, name.encode(), token, ctypes.c_size_t(1), array([len(value)]), given))


def judged(path):
    for tool in (["h5dump", path], ["h5ls", "-rv", path]):
        subprocess.run(tool, check=True, capture_output=True)


def made_by_h5py(path, libver):
    texts = {name: texts_of_h5py(40) for name in LAYOUTS}
    numbers = {name: sequences(40) for name in LAYOUTS}
    attributes = {"one": "a text", "some": texts_of_h5py(5), "sequences": sequences(3)}
    with h5py.File(path, "w", libver=libver) as file:
        for name, options in LAYOUTS.items():
            file.create_dataset("texts/" + name, data=texts[name], dtype=h5py.string_dtype(), **options)
            made = file.create_dataset("numbers/" + name, (40,), dtype=h5py.vlen_dtype(np.int32), **options)
            for index, value in enumerate(numbers[name]):
                made[index] = value
        file["texts"].attrs["one"] = attributes["one"]
        file["texts"].attrs.create("some", attributes["some"], dtype=h5py.string_dtype())
        whole = np.empty(3, object)
        whole[:] = attributes["sequences"]
        file["texts"].attrs.create("sequences", whole, dtype=h5py.vlen_dtype(np.int32))
    return texts, numbers, attributes


def made_by_h5r(path):
    texts = {name: texts_of_h5py(40) for name in list(LAYOUTS) + ["compact"]}
    numbers = {name: sequences(40) for name in texts}
    attributes = {"one": "a text", "some": texts_of_h5py(5), "sequences": sequences(3)}
    file = File(path, create=True)
    for name in texts:
        options = LAYOUTS.get(name, {})
        max_dims = [1 << 64 - 1 if False else (1 << 64) - 1] if "maxshape" in options else None
        how = {"chunk": options.get("chunks"), "max_dims": max_dims, "layout": 0 if name == "compact" else 1}
        made = file.create("texts/" + name, TEXT, [40], **how)
        ok(H5R.h5r_dataset_write(made, TEXT, None, given_texts(texts[name])))
        made = file.create("numbers/" + name, NUMBERS, [40], **how)
        ok(H5R.h5r_dataset_write(made, NUMBERS, None, given_sequences(numbers[name])))
    for name, value in attributes.items():
        attribute(file, file.open("texts"), name, value)
    file.close()
    return texts, numbers, attributes


def changed_by_h5r(path, texts, numbers, attributes):
    file = File(path)
    for name in texts:
        first = RANDOM.randrange(30)
        part = Selection(1, array([first]), None, array([1]), array([9]))
        new, other = texts_of_h5py(9), sequences(9)
        ok(H5R.h5r_dataset_write(file.open("texts/" + name), TEXT, ctypes.byref(part), given_texts(new)))
        ok(H5R.h5r_dataset_write(file.open("numbers/" + name), NUMBERS, ctypes.byref(part), given_sequences(other)))
        texts[name][first:first + 9] = new
        numbers[name][first:first + 9] = other
        if name in ("chunked", "growing"):
            more = texts_of_h5py(3)
            dataset = file.open("texts/" + name)
            ok(H5R.h5r_dataset_set_extent(dataset, array([len(texts[name]) - 2])))
            ok(H5R.h5r_dataset_append(dataset, TEXT, U64(3), given_texts(more)))
            texts[name][-2:] = more
            dataset = file.open("numbers/" + name)
            ok(H5R.h5r_dataset_append(dataset, NUMBERS, U64(1), given_sequences(other[:1])))
            numbers[name].append(other[0])
    for name in attributes:
        attributes[name] = "another " * RANDOM.randrange(900) if name == "one" else \
            texts_of_h5py(4) if name == "some" else sequences(5)
        attribute(file, file.open("texts"), name, attributes[name])
    file.close()


def changed_by_h5py(path, texts, numbers, attributes):
    with h5py.File(path, "r+") as file:
        for name in texts:
            first = RANDOM.randrange(30)
            new, other = texts_of_h5py(6), sequences(6)
            file["texts/" + name][first:first + 6] = new
            for index, value in enumerate(other):
                file["numbers/" + name][first + index] = value
            texts[name][first:first + 6] = new
            numbers[name][first:first + 6] = other
        attributes["one"] = "h5py's"
        file["texts"].attrs["one"] = attributes["one"]


def variable(folder):
    for libver in ("earliest", "v108", NEWEST, None):
        path = os.path.join(folder, f"variable_{libver}.h5")
        state = made_by_h5r(path) if libver is None else made_by_h5py(path, (libver, NEWEST))
        for _ in range(4):
            check_h5py(path, *state)
            check_h5r(path, *state)
            changed_by_h5r(path, *state)
            check_h5py(path, *state)
            judged(path)
            changed_by_h5py(path, *state)


def space_is_given_back(path):
    """Overwriting, and deleting and making anew, leave the file about as large as it was."""
    def fill(file, number):
        values = [f"value {number} " * RANDOM.randrange(40) for _ in range(500)]
        ok(H5R.h5r_dataset_write(file.open("texts"), TEXT, None, given_texts(values)))
        attribute(file, file.root, "attribute", values[:50])
        made = file.create("passing", TEXT, [500], chunk=[100], deflate=3)
        ok(H5R.h5r_dataset_write(made, TEXT, None, given_texts(values)))
        ok(H5R.h5r_object_close(made))
        ok(H5R.h5r_flush(file.handle))
        ok(H5R.h5r_link_delete(file.root, b"passing"))
        return values
    file = File(path, create=True)
    file.create("texts", TEXT, [500])
    sizes = []
    for number in range(12):
        values = fill(file, number)
        if number % 3 == 2:
            ok(H5R.h5r_flush(file.handle))
            sizes.append(os.path.getsize(path))
    file.close()
    # Twice what is alive: the last flushed state stays until the next one is there.
    assert sizes[-1] < 1.5 * sizes[0], sizes
    with h5py.File(path) as file:
        assert list(file["texts"].asstr()[...]) == values and list(file.attrs["attribute"]) == values[:50]
    file = File(path)
    ok(H5R.h5r_link_delete(file.root, b"texts"))
    ok(H5R.h5r_attr_delete(file.root, b"attribute"))
    file.close()
    assert os.path.getsize(path) < 4096, os.path.getsize(path)


def nested(path):
    """Texts and sequences within compounds, arrays and sequences."""
    record = np.dtype([("id", "<i4"), ("name", h5py.string_dtype()), ("data", h5py.vlen_dtype(np.float64))])
    records = np.zeros(20, record)
    for index in range(20):
        records[index] = (index, f"record {index} " * RANDOM.randrange(5), np.arange(RANDOM.randrange(9), dtype=float))
    # libhdf5 writes this with its own types: a sequence of texts, and one of sequences.
    deep = h5t.vlen_create(h5t.vlen_create(h5t.STD_I32LE))
    with h5py.File(path, "w") as file:
        file.create_dataset("records", data=records)
        deep.copy().commit(file.id, b"deep")
    file = File(path)
    token = file.type("records") if False else U64()
    ok(H5R.h5r_object_type(file.open("records"), ctypes.byref(token)))
    size = size_of(token)
    assert size == 4 + 8 + 16, size
    raw = (ctypes.c_char * (20 * size))()
    ok(H5R.h5r_dataset_read(file.open("records"), token, None, raw))
    copy = file.create("copy", token, [20], chunk=[6], deflate=3)
    ok(H5R.h5r_dataset_write(copy, token, None, raw))
    ok(H5R.h5r_vlen_release(token, U64(20), raw))
    # Only the names, through a type of one member: the rest stays.
    names = U64()
    ok(H5R.h5r_type_compound(ctypes.c_size_t(8), ctypes.byref(names)))
    ok(H5R.h5r_type_insert(names, b"name", U64(0), TEXT))
    given = given_texts([f"new {index}" for index in range(20)])
    ok(H5R.h5r_dataset_write(copy, names, None, given))
    inner = [sequences(RANDOM.randrange(5)) for _ in range(10)]
    held = [given_sequences(values) for values in inner]
    outer = (Vlen * 10)()
    for item, values in zip(outer, held):
        item.length, item.data = len(values), ctypes.addressof(values)
    made = file.create("deep data", file.type("deep"), [10])
    for _ in range(3):
        ok(H5R.h5r_dataset_write(made, file.type("deep"), None, outer))
    file.close()
    with h5py.File(path) as file:
        found = file["copy"][...]
        assert [v.decode() for v in found["name"]] == [f"new {index}" for index in range(20)]
        assert (found["id"] == records["id"]).all() and same(found["data"], records["data"])
        assert [v.decode() for v in file["records"][...]["name"]] == list(records["name"])
    text = subprocess.run(["h5dump", "-d", "deep data", path], check=True, capture_output=True, text=True).stdout
    for values in inner:
        for value in values:
            assert not len(value) or "(" + ", ".join(map(str, value)) + ")" in " ".join(text.split()), value
    file = File(path)
    for name in (b"deep data", b"copy", b"records", b"deep"):
        ok(H5R.h5r_link_delete(file.root, name))
    file.close()
    with open(path, "rb") as file:
        assert b"GCOL" not in file.read()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    print(conversions(os.path.join(FOLDER, "conversions.h5")), "conversions")
    larger(os.path.join(FOLDER, "larger.h5"))
    variable(FOLDER)
    nested(os.path.join(FOLDER, "nested.h5"))
    space_is_given_back(os.path.join(FOLDER, "space.h5"))
    print("values of variable length: as they should be")


if __name__ == "__main__":
    main()
