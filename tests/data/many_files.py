#!/usr/bin/env python3
"""Makes files with the libhdf5 of each wheel in the venv, for tests/cli.rs: every format, strategy of free space, and with
and without deletions. (PyTables writes superblock 0, which h5r does not read.)

Usage: many_files.py FOLDER (h5py 3, netCDF4, numpy)
"""

import random
import subprocess
import sys

import numpy as np


def fill(f, h5py, size):
    group = f.create_group("group", track_order=True)
    for i in range(size):
        group.attrs.create(f"attribute{i}", np.arange(i % 20))
        group.create_group(f"group{i}")
    group.attrs["string"] = "of variable length"
    group.attrs["huge"] = np.zeros(20000)
    f["type"] = np.dtype("<f4")
    f.create_dataset("shares", (10,), dtype=f["type"]).attrs.create("too", 1.0, dtype=f["type"])
    f.create_dataset("extensible", (100,), maxshape=(None,), chunks=(3,), compression="gzip")[:] = np.arange(100)
    f.create_dataset("b-tree", (40, 40), maxshape=(None, None), chunks=(3, 3))[:] = 1
    f.create_dataset("fixed", (40, 40), chunks=(3, 3))[:] = 1
    f.create_dataset("paged", (20000,), maxshape=(None,), chunks=(1,))[::13] = 1
    f.create_dataset("strings", (20,), dtype=h5py.string_dtype())[:] = [f"string {i}" * i for i in range(20)]
    f.create_dataset("external", (10,), dtype="i4", external=[("external.bin", 0, 40)])
    f["hard"] = f["group/group1"]
    group["loop"] = group
    f["soft"] = h5py.SoftLink("/x")
    f["elsewhere"] = h5py.ExternalLink("other.h5", "/y")


def churn(f, seed):
    chance = random.Random(seed)
    group = f["group"]
    for turn in range(4):
        for i in range(150):
            group.attrs.create(f"more{i}", np.zeros(chance.randint(1, 400), "u1"))
            group.create_dataset(f"data{seed}_{turn}_{i}", data=np.zeros(chance.randint(1, 900)))
        for place, share in ((group.attrs, 0.7), (group, 0.4)):
            for name in [name for name in place if chance.random() < share]:
                del place[name]
        f.flush()


def with_h5py(folder):
    import h5py

    for version in ["v108", "v110", "v112", "v114", "v200"]:
        for strategy in [None, "fsm", "page"]:
            if version == "v108" and strategy:
                continue
            space = dict(fs_strategy=strategy, fs_persist=True, fs_threshold=1) if strategy else {}
            name = f"{folder}/h5py_{version}_{strategy and 'persist_' + strategy}.h5"
            with h5py.File(name, "w", libver=(version, version), **space) as f:
                f.create_group("group") if version == "v108" else fill(f, h5py, 60)
                churn(f, 1)
            with h5py.File(name, "a", libver=(version, version)) as f:
                churn(f, 2)


def with_netcdf(folder):
    from netCDF4 import Dataset

    with Dataset(f"{folder}/netcdf.h5", "w") as f:
        f.createDimension("x", 100)
        f.createDimension("t", None)
        for i in range(40):
            variable = f.createVariable(f"variable{i}", "f4", ("t", "x"), zlib=i % 2 == 0)
            variable[:] = np.ones((3, 100))
            for j in range(12):
                variable.setncattr(f"attribute{j}", j)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        globals()[sys.argv[2]](sys.argv[1])
    else:
        # One process each: every wheel has a libhdf5 of its own.
        for writer in ["with_h5py", "with_netcdf"]:
            subprocess.run([sys.executable, __file__, sys.argv[1], writer], check=True)
