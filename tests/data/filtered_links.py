"""Makes filtered_links.h5: a group whose dense links stand in a fractal heap with deflate and fletcher32 (a property list
of a group takes filters, though h5py does not say so), nested indirect blocks and huge objects included."""

import ctypes as c
import glob
import os
import sys

import h5py

COUNT = 300

hid = c.c_int64
lib = c.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])
for name, result, arguments in [
    ("H5Pcreate", hid, [hid]),
    ("H5Pset_libver_bounds", c.c_int, [hid, c.c_int, c.c_int]),
    ("H5Pset_deflate", c.c_int, [hid, c.c_uint]),
    ("H5Pset_fletcher32", c.c_int, [hid]),
    ("H5Fcreate", hid, [c.c_char_p, c.c_uint, hid, hid]),
    ("H5Gcreate2", hid, [hid, c.c_char_p, hid, hid, hid]),
    ("H5Lcreate_soft", c.c_int, [c.c_char_p, hid, c.c_char_p, hid, hid]),
    ("H5Gclose", c.c_int, [hid]),
    ("H5Fclose", c.c_int, [hid]),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def done(value):
    assert value >= 0
    return value


done(lib.H5open())
access = done(lib.H5Pcreate(hid.in_dll(lib, "H5P_CLS_FILE_ACCESS_ID_g")))
done(lib.H5Pset_libver_bounds(access, 2, 2))
path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "filtered_links.h5")
file = done(lib.H5Fcreate(path.encode(), 2, 0, access))
creation = done(lib.H5Pcreate(hid.in_dll(lib, "H5P_CLS_GROUP_CREATE_ID_g")))
done(lib.H5Pset_deflate(creation, 6))
done(lib.H5Pset_fletcher32(creation))
group = done(lib.H5Gcreate2(file, b"g", 0, creation, 0))
for i in range(COUNT):
    target = b"/target/of/link/%d" % i + (b"x" * 5000 if i % 100 == 7 else b"")
    done(lib.H5Lcreate_soft(target, group, b"link%d" % i, 0, 0))
done(lib.H5Gclose(group))
done(lib.H5Fclose(file))
