// Both libraries in one program, each reading and changing what the other wrote.
#include "check.h"
#include <hdf5.h>

static void libhdf5_reads(const char *path, int expected_count) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    CHECK(file >= 0);
    hid_t group = H5Gopen2(file, "/g", H5P_DEFAULT);
    CHECK(group >= 0);
    H5O_info_t info;
    CHECK(H5Oget_info(group, &info) >= 0);
    CHECK((int)info.num_attrs == expected_count);
    for (int i = 0; i < 200; i += 2) {
        char name[16];
        int value = -1;
        snprintf(name, sizeof name, "a%03d", i);
        hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
        CHECK(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_INT, &value) >= 0 && value == 3 * i);
        CHECK(H5Aclose(attribute) >= 0);
        if (i % 4 == 0) CHECK(H5Adelete(group, name) >= 0);
    }
    int value = 5;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(group, "from_libhdf5", H5T_STD_I32BE, space, H5P_DEFAULT, H5P_DEFAULT);
    CHECK(attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT, &value) >= 0);
    CHECK(H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0 && H5Gclose(group) >= 0 && H5Fclose(file) >= 0);
}

int main(void) {
    char name[16];
    h5r_file *file = new_file("both.h5");
    h5r_object *group = NULL;
    OK(h5r_group_create(h5r_root(file), "g", NULL, &group));
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "a%03d", i);
        write_int(group, name, 3 * i);
    }
    for (int i = 1; i < 200; i += 2) {
        snprintf(name, sizeof name, "a%03d", i);
        OK(h5r_attr_delete(group, name));
    }
    OK(h5r_close(file));
    libhdf5_reads("both.h5", 100);
    file = old_file("both.h5");
    OK(h5r_object_open(h5r_root(file), "g", &group));
    OK(h5r_check(file));
    CHECK(attr_count(group) == 51 && read_int(group, "from_libhdf5") == 5);
    for (int i = 2; i < 200; i += 4) {
        snprintf(name, sizeof name, "a%03d", i);
        CHECK(read_int(group, name) == 3 * i);
    }
    OK(h5r_close(file));
    return 0;
}
