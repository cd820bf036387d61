// What a C program writes by default, and where it asks for the format of libhdf5 1.10: make FOLDER
// Built with the headers of 1.10.8, whose part that it uses is the same in all later versions; their libraries can be preloaded.
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(call)                                                    \
    do {                                                               \
        if ((call) < 0) {                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #call); \
            exit(1);                                                   \
        }                                                              \
    } while (0)

typedef struct {
    int id;
    double values[3];
    char tag[6];
} record;

static hid_t record_type(void) {
    const hsize_t three = 3;
    hid_t text = H5Tcopy(H5T_C_S1), type = H5Tcreate(H5T_COMPOUND, sizeof(record));
    CHECK(H5Tset_size(text, 6));
    CHECK(H5Tinsert(type, "id", HOFFSET(record, id), H5T_NATIVE_INT));
    CHECK(H5Tinsert(type, "values", HOFFSET(record, values), H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &three)));
    CHECK(H5Tinsert(type, "tag", HOFFSET(record, tag), text));
    return type;
}

static void dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims, hid_t plist, const void *data) {
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    CHECK(made);
    if (data) CHECK(H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    CHECK(H5Dclose(made));
    CHECK(H5Sclose(space));
}

static void contents(hid_t file) {
    const hsize_t few[1] = {4}, matrix[2] = {6, 10};
    int numbers[60];
    record records[4] = {{1, {1, 2, 3}, "one"}, {2, {4, 5, 6}, "two"}, {3, {7, 8, 9}, "three"}, {4, {0, 0, 0}, ""}};
    for (int i = 0; i < 60; i++) numbers[i] = i * i;
    dataset(file, "records", record_type(), 1, few, H5P_DEFAULT, records);
    dataset(file, "matrix", H5T_NATIVE_INT, 2, matrix, H5P_DEFAULT, numbers);
    dataset(file, "unwritten", H5T_STD_U16BE, 1, few, H5P_DEFAULT, NULL);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {4, 3};
    CHECK(H5Pset_chunk(plist, 2, chunk));
    CHECK(H5Pset_shuffle(plist));
    CHECK(H5Pset_deflate(plist, 5));
    dataset(file, "filtered", H5T_NATIVE_INT, 2, matrix, plist, numbers);
    hid_t compact = H5Pcreate(H5P_DATASET_CREATE);
    CHECK(H5Pset_layout(compact, H5D_COMPACT));
    dataset(file, "compact", H5T_NATIVE_INT, 1, few, compact, numbers);

    hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CHECK(H5Oset_comment(group, "a comment"));
    CHECK(H5Lcreate_soft("/matrix", group, "soft", H5P_DEFAULT, H5P_DEFAULT));
    CHECK(H5Lcreate_hard(file, "matrix", group, "hard", H5P_DEFAULT, H5P_DEFAULT));
    hid_t scalar = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1);
    CHECK(H5Tset_size(text, H5T_VARIABLE));
    hid_t attribute = H5Acreate2(group, "variable", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
    const char *words = "of any length";
    CHECK(H5Awrite(attribute, text, &words));
    CHECK(H5Aclose(attribute));
    for (int i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof name, "attribute %d", i);
        attribute = H5Acreate2(group, name, H5T_STD_I16BE, scalar, H5P_DEFAULT, H5P_DEFAULT);
        CHECK(H5Awrite(attribute, H5T_NATIVE_INT, &i));
        CHECK(H5Aclose(attribute));
    }
    CHECK(H5Tcommit2(file, "type", record_type(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    hobj_ref_t references[2];
    CHECK(H5Rcreate(&references[0], file, "matrix", H5R_OBJECT, -1));
    CHECK(H5Rcreate(&references[1], file, "group", H5R_OBJECT, -1));
    const hsize_t two[1] = {2};
    dataset(file, "references", H5T_STD_REF_OBJ, 1, two, H5P_DEFAULT, references);
    CHECK(H5Gclose(group));
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    const char *names[2] = {"default", "v110"};
    unsigned version[3];
    CHECK(H5get_libversion(&version[0], &version[1], &version[2]));
    for (int newer = 0; newer < 2; newer++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/c_%s_%u.%u.%u.h5", argv[1], names[newer], version[0], version[1], version[2]);
        hid_t access = H5Pcreate(H5P_FILE_ACCESS);
        if (newer) CHECK(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110));
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
        CHECK(file);
        contents(file);
        CHECK(H5Fclose(file));
    }
    return 0;
}
