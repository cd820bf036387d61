#include "raw.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

static hid_t file, dataset, element;

static int64_t checked(int64_t result, const char *call)
{
    if (result < 0) {
        fprintf(stderr, "libhdf5: %s failed\n", call);
        exit(1);
    }
    return result;
}
#define CHECK(call) checked((call), #call)

static hid_t latest(void)
{
    hid_t access = CHECK(H5Pcreate(H5P_FILE_ACCESS));
    CHECK(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST));
    return access;
}

void raw_create(const char *path, uint32_t threads)
{
    (void)threads;
    hid_t access = latest();
    file = CHECK(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    CHECK(H5Pclose(access));
}

void raw_open(const char *path, uint32_t threads)
{
    (void)threads;
    hid_t access = latest();
    file = CHECK(H5Fopen(path, H5F_ACC_RDONLY, access));
    CHECK(H5Pclose(access));
}

void raw_close(void)
{
    CHECK(H5Fclose(file));
}

void data_create(int type, uint64_t rows, uint64_t columns, uint64_t chunk_rows, int deflate, int grows)
{
    hsize_t dims[2] = {rows, columns}, max[2] = {grows ? H5S_UNLIMITED : rows, columns}, chunk[2] = {chunk_rows, columns};
    int rank = columns > 1 ? 2 : 1;
    hid_t space = CHECK(H5Screate_simple(rank, dims, max)), create = CHECK(H5Pcreate(H5P_DATASET_CREATE));
    element = type == RAW_F32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
    if (chunk_rows)
        CHECK(H5Pset_chunk(create, rank, chunk));
    if (deflate) {
        CHECK(H5Pset_shuffle(create));
        CHECK(H5Pset_deflate(create, (unsigned)deflate));
    }
    dataset = CHECK(H5Dcreate2(file, "data", element, space, H5P_DEFAULT, create, H5P_DEFAULT));
    CHECK(H5Pclose(create));
    CHECK(H5Sclose(space));
}

void data_open(int type)
{
    element = type == RAW_F32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
    dataset = CHECK(H5Dopen2(file, "data", H5P_DEFAULT));
}

void data_close(void)
{
    CHECK(H5Dclose(dataset));
}

static void transfer(uint64_t first, uint64_t count, const void *from, void *to)
{
    hsize_t start[1] = {first}, block[1] = {count};
    hid_t space = CHECK(H5Dget_space(dataset)), memory = CHECK(H5Screate_simple(1, block, NULL));
    CHECK(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL));
    if (from)
        CHECK(H5Dwrite(dataset, element, memory, space, H5P_DEFAULT, from));
    else
        CHECK(H5Dread(dataset, element, memory, space, H5P_DEFAULT, to));
    CHECK(H5Sclose(memory));
    CHECK(H5Sclose(space));
}

void data_write(uint64_t first, uint64_t count, const void *data)
{
    transfer(first, count, data, NULL);
}

void data_read(uint64_t first, uint64_t count, void *data)
{
    transfer(first, count, NULL, data);
}

/* What H5DOappend of the high-level library does: extend, select, write. */
void data_append(uint64_t columns, const double *row)
{
    static hsize_t rows;
    static hid_t memory = -1;
    hsize_t dims[2] = {rows + 1, columns}, start[2] = {rows, 0}, block[2] = {1, columns};
    if (memory < 0)
        memory = CHECK(H5Screate_simple(columns > 1 ? 2 : 1, block, NULL));
    CHECK(H5Dset_extent(dataset, dims));
    hid_t space = CHECK(H5Dget_space(dataset));
    CHECK(H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL));
    CHECK(H5Dwrite(dataset, element, memory, space, H5P_DEFAULT, row));
    CHECK(H5Sclose(space));
    rows++;
}

void group_make(const char *name)
{
    CHECK(H5Gclose(CHECK(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT))));
}

void group_visit(const char *name)
{
    CHECK(H5Gclose(CHECK(H5Gopen2(file, name, H5P_DEFAULT))));
}

void small_write(const char *name, uint64_t count, const double *data)
{
    static hid_t space = -1;
    hsize_t dims[1] = {count};
    if (space < 0)
        space = CHECK(H5Screate_simple(1, dims, NULL));
    hid_t small = CHECK(H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    CHECK(H5Dwrite(small, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    CHECK(H5Dclose(small));
}

void small_read(const char *name, double *data)
{
    hid_t small = CHECK(H5Dopen2(file, name, H5P_DEFAULT));
    CHECK(H5Dread(small, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    CHECK(H5Dclose(small));
}
