"""Writes complex.h5: numbers of HDF5 2.0's complex types, with libhdf5 2.0.0."""
import h5py
import numpy as np
from h5py import h5d, h5s, h5t

with h5py.File("complex.h5", "w", libver="latest") as file:
    space = h5s.create_simple((3,))
    for made, dtype in ((h5t.COMPLEX_IEEE_F32LE, "<c8"), (h5t.COMPLEX_IEEE_F64BE, ">c16")):
        dataset = h5d.create(file.id, f"c{made.get_size()}".encode(), made, space)
        dataset.write(space, space, np.array([1 + 2j, -3.5, 4 - 8j], dtype), mtype=made)
