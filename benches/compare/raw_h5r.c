#include "raw.h"

#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>

static h5r_file *file;
static h5r_object *root, *dataset;
static h5r_type element;

static void checked(h5r_status status, const char *call)
{
    if (status != H5R_OK) {
        fprintf(stderr, "h5r: %s: %s: %s\n", call, h5r_status_name(status), h5r_last_error());
        exit(1);
    }
}
#define CHECK(call) checked((call), #call)

/* Differences of neighbouring bytes. */
enum { FILTER = 40321 };

static int32_t encode(const uint32_t *parameters, size_t parameter_count, const void *data, size_t length, void *out,
                      size_t capacity, size_t *length_out, void *user_data)
{
    (void)parameters, (void)parameter_count, (void)user_data;
    const unsigned char *from = data;
    unsigned char *to = out, last = 0;
    *length_out = length;
    for (size_t i = 0; i < length && length <= capacity; last = from[i++])
        to[i] = (unsigned char)(from[i] - last);
    return 0;
}

static int32_t decode(const uint32_t *parameters, size_t parameter_count, const void *data, size_t length, void *out,
                      size_t capacity, size_t *length_out, void *user_data)
{
    (void)parameters, (void)parameter_count, (void)user_data;
    const unsigned char *from = data;
    unsigned char *to = out, last = 0;
    *length_out = length;
    for (size_t i = 0; i < length && length <= capacity; i++)
        to[i] = last = (unsigned char)(from[i] + last);
    return 0;
}

void raw_create(const char *path, uint32_t threads)
{
    h5r_create_options options = H5R_CREATE_OPTIONS_INIT;
    options.threads = threads;
    options.io = (int32_t)setting("IO", H5R_IO_STANDARD);
    if (options.io == H5R_IO_MMAP)
        options.io = H5R_IO_STANDARD;
    if (setting("FILTER", 0))
        CHECK(h5r_filter_register(FILTER, "differences", encode, decode, NULL));
    CHECK(h5r_create(path, &options, &file));
    root = h5r_root(file);
}

void raw_open(const char *path, uint32_t threads)
{
    h5r_open_options options = H5R_OPEN_OPTIONS_INIT;
    options.threads = threads;
    options.read_only = 1;
    options.io = (int32_t)setting("IO", H5R_IO_STANDARD);
    CHECK(h5r_open(path, &options, &file));
    root = h5r_root(file);
}

void raw_close(void)
{
    CHECK(h5r_close(file));
}

void data_create(int type, uint64_t rows, uint64_t columns, uint64_t chunk_rows, int deflate, int grows)
{
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    const h5r_filter filter = {FILTER, 0, NULL, 0};
    uint64_t dims[2] = {rows, columns}, max[2] = {H5R_UNLIMITED, columns}, chunk[2] = {chunk_rows, columns};
    element = type == RAW_F32 ? H5R_F32 : H5R_F64;
    if (chunk_rows) {
        options.layout = H5R_LAYOUT_CHUNKED;
        options.chunk = chunk;
        options.max_dims = grows ? max : NULL;
        options.deflate = deflate;
        options.shuffle = deflate > 0;
        if (setting("FILTER", 0)) {
            options.filters = &filter;
            options.filter_count = 1;
        }
    }
    CHECK(h5r_dataset_create(root, "data", element, columns > 1 ? 2 : 1, dims, &options, &dataset));
}

void data_open(int type)
{
    element = type == RAW_F32 ? H5R_F32 : H5R_F64;
    CHECK(h5r_object_open(root, "data", &dataset));
    if (setting("CACHE", UINT64_MAX) != UINT64_MAX)
        CHECK(h5r_chunk_cache_set(dataset, setting("CACHE", 0) << 10));
}

void data_close(void)
{
    CHECK(h5r_object_close(dataset));
}

void data_write(uint64_t first, uint64_t count, const void *data)
{
    h5r_selection selection = {1, &first, NULL, &count, NULL};
    CHECK(h5r_dataset_write(dataset, element, &selection, data));
}

void data_read(uint64_t first, uint64_t count, void *data)
{
    h5r_selection selection = {1, &first, NULL, &count, NULL};
    CHECK(h5r_dataset_read(dataset, element, &selection, data));
}

void data_append(uint64_t columns, const double *row)
{
    (void)columns;
    CHECK(h5r_dataset_append(dataset, H5R_F64, 1, row));
}

void group_make(const char *name)
{
    CHECK(h5r_group_create(root, name, NULL, NULL));
}

void group_visit(const char *name)
{
    h5r_object *group;
    CHECK(h5r_object_open(root, name, &group));
    CHECK(h5r_object_close(group));
}

void small_write(const char *name, uint64_t count, const double *data)
{
    h5r_object *small;
    CHECK(h5r_dataset_create(root, name, H5R_F64, 1, &count, NULL, &small));
    CHECK(h5r_dataset_write(small, H5R_F64, NULL, data));
    CHECK(h5r_object_close(small));
}

void small_read(const char *name, double *data)
{
    h5r_object *small;
    CHECK(h5r_object_open(root, name, &small));
    CHECK(h5r_dataset_read(small, H5R_F64, NULL, data));
    CHECK(h5r_object_close(small));
}
