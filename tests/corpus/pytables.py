"""Writes tables_VERSION.h5. Usage: pytables.py FOLDER"""

import sys

import numpy as np
import tables


class Row(tables.IsDescription):
    name = tables.StringCol(8)
    number = tables.Int32Col()
    vector = tables.Float64Col(shape=(2,))


with tables.open_file(f"{sys.argv[1]}/tables_{tables.hdf5_version}.h5", "w", title="corpus") as file:
    table = file.create_table("/", "table", Row, "a table")
    for i in range(50):
        row = table.row
        row["name"], row["number"], row["vector"] = f"row {i}", i * i, (i, -i)
        row.append()
    table.flush()
    file.create_array("/", "array", np.arange(24).reshape(4, 6), "an array")
    file.create_carray("/", "compressed", obj=np.eye(9), filters=tables.Filters(complevel=3, complib="zlib", shuffle=True))
    growing = file.create_earray("/group", "growing", tables.Int16Atom(), (0, 3), createparents=True)
    growing.append(np.arange(12, dtype="i2").reshape(4, 3))
    ragged = file.create_vlarray("/group", "ragged", tables.Int32Atom())
    for i in range(4):
        ragged.append(list(range(i)))
