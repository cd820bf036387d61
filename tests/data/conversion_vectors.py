#!/usr/bin/env python3
"""Records what libhdf5's H5Tconvert makes of edge values of native numbers, for the tests of src/datatype.

usage: conversion_vectors.py LIBHDF5.so > conversion_vectors.txt

A line of a type and elements in hexadecimal gives the source; each line of a second type after it, what they become.
Half precision needs libhdf5 2.0 or later: earlier ones round it wrongly in software. With 1.10.8 and 1.14.6 the other
lines come out the same.
"""
import ctypes
import struct
import sys

H5 = ctypes.CDLL(sys.argv[1])
HID = ctypes.c_int64
H5.H5open()
H5.H5Tcopy.restype = HID
FLOATS = {16: (5, 10, "e"), 32: (8, 23, "f"), 64: (11, 52, "d")}


def predefined(name):
    return HID.in_dll(H5, name + "_g").value


TYPES = {f"{sign}{bits}": (predefined(f"H5T_STD_{sign}{bits}LE"), sign, bits) for sign in "IU" for bits in (8, 16, 32, 64)}
for size in FLOATS:
    TYPES[f"F{size}"] = (predefined(f"H5T_IEEE_F{size}LE"), "F", size)


def integers(signed, bits):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    wanted = {0, 3, 5, 100, 65519, 65520, 65504, 65505}
    for power in (7, 8, 11, 15, 16, 24, 31, 32, 53, 63, 64):
        for near in (-2, -1, 0, 1, 2):
            wanted |= {(1 << power) + near, -(1 << power) + near}
    for precision in (11, 24, 53):
        for extra in (1, 2, 3, 5, 6, 7):
            for top in (precision + 1, precision + 4, 31, 40, 62):
                if top >= precision:
                    value = (1 << top) + (extra << max(0, top - precision - 2))
                    wanted |= {value, -value}
    return [v & ((1 << bits) - 1) for v in sorted(wanted) if low <= v <= high]


def floats(bits):
    exponent, mantissa, code = FLOATS[bits]
    patterns = set()
    top, one = (1 << exponent) - 1, 1 << mantissa
    bias = top >> 1
    powers = {bias + k for k in (-26, -15, -14, -2, -1, 0, 1, 6, 7, 8, 15, 16, 23, 24, 30, 31, 32, 52, 53, 62, 63, 64)}
    for e in {0, 1, top, top - 1} | powers:
        for m in (0, 1, one >> 1, one - 1):
            if 0 <= e <= top:
                patterns.add(e << mantissa | m)
    for small, other in ((10, 15), (23, 127)):
        shift = mantissa - small
        if shift <= 0:
            continue
        for low in (1, (1 << shift - 1) - 1, 1 << shift - 1, (1 << shift - 1) + 1):
            for kept in (0, 1, (1 << small) - 1, (1 << small) - 2):
                for e in (0, 5, other, 1 - other, -other, -other - 3, -other - small, -other - small - 1):
                    if 0 < e + bias < top:
                        patterns.add((e + bias) << mantissa | kept << shift | low)
    values = [0.5, 0.9, 2.5, 3.25, 99.99, 127.5, 128.5, 255.5, 255.99, 32767.5, 65504.0, 65519.0]
    if bits > 16:
        values += [65504.004, 65519.996, 65520.0, 1e19, 3.4e38]
    if bits == 64:
        values += [3.4028235e38, 3.4028235677973362e38, 2147483647.5, 2147483646.5, 4294967295.5, 7e-46, 7.1e-46, 1e-300]
    for value in values:
        patterns.add(int.from_bytes(struct.pack("<" + code, value), "little"))
    return sorted(p | s for p in patterns for s in (0, 1 << bits - 1))


for source, (source_id, kind, bits) in TYPES.items():
    patterns = floats(bits) if kind == "F" else integers(kind == "I", bits)
    encoded = b"".join(p.to_bytes(bits // 8, "little") for p in patterns)
    print(source, encoded.hex())
    for target, (target_id, _, target_bits) in TYPES.items():
        count = len(patterns)
        buffer = ctypes.create_string_buffer(encoded, count * 8)
        assert H5.H5Tconvert(HID(source_id), HID(target_id), ctypes.c_size_t(count), buffer, None, HID(0)) >= 0
        print(source, target, buffer.raw[: count * target_bits // 8].hex())
