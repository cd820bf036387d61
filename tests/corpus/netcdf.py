"""Writes netcdf_VERSION.nc. Usage: netcdf.py FOLDER"""

import sys

import netCDF4
import numpy as np

with netCDF4.Dataset(f"{sys.argv[1]}/netcdf_{netCDF4.__hdf5libversion__}.nc", "w", format="NETCDF4") as file:
    file.title = "grüße"
    file.createDimension("time", None)
    file.createDimension("x", 7)
    group = file.createGroup("inner")
    group.createDimension("y", 3)
    time = file.createVariable("time", "f8", ("time",))
    time.units = "days since 2000-01-01"
    data = file.createVariable("data", "i2", ("time", "x"), zlib=True, chunksizes=(2, 7), fill_value=-1)
    data.scale_factor = 0.5
    time[:] = np.arange(5)
    data.set_auto_maskandscale(False)
    data[:] = np.arange(35).reshape(5, 7)
    group.createVariable("y", "f4", ("y",))[:] = [1, 2, 3]
    group.createVariable("text", str, ("y",))[:] = np.array(["a", "", "ccc"], dtype=object)
