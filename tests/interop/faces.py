#!/usr/bin/env python3
"""Booleans and complex numbers of the C++ and Fortran faces: h5py reads those they wrote as numpy's, and they read h5py's.

usage: faces.py LIBRARY FOLDER
"""
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

LIBRARY, FOLDER = Path(sys.argv[1]).with_suffix(".a").resolve(), Path(sys.argv[2]).resolve()
HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
VALUES = {"bools": np.array([True, False, True]), "c64": np.array([1 + 2j, 3 - 4j], np.complex64),
          "c128": np.array([0.5 + 2j, 3 - 4.25j])}
COMPILERS = {"cpp": ["c++", "-std=c++17", f"-I{INCLUDE}"], "f90": ["gfortran", f"-J{FOLDER}", INCLUDE / "h5r.f90"]}


def run(*command):
    subprocess.run(command, check=True)


def holds(found, values):
    found = np.asarray(found)
    return found.dtype == values.dtype and np.array_equal(found, values)


def face(name, command):
    program, path = FOLDER / f"face_{name}", FOLDER / f"{name}.h5"
    run(*command, HERE / f"faces.{name}", LIBRARY, "-lm", "-ldl", "-lpthread", "-o", program)
    run(program, "write", path)
    with h5py.File(path) as file:
        assert file.attrs["yes"].dtype == bool and file.attrs["yes"], file.attrs["yes"]
        for key, values in VALUES.items():
            assert holds(file.attrs[key], values), (key, file.attrs[key])
            assert holds(file[key][()], values), (key, file[key])
    # The same from h5py, and what it changed in the face's file.
    theirs = FOLDER / f"{name}_theirs.h5"
    with h5py.File(theirs, "w") as file:
        file.attrs["yes"] = True
        for key, values in VALUES.items():
            file.attrs[key] = file[key] = values
    run(program, "read", theirs)
    with h5py.File(path, "r+") as file:
        for key, values in VALUES.items():
            file[key][0] = values[1]
            file[key][:] = values
    run(program, "read", path)


for name, command in COMPILERS.items():
    face(name, command)
