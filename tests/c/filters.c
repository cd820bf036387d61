// Filters: each by number, and chunks that are stored without.
#include "check.h"

enum { COUNT = 20000, PART = 5000 };

static int32_t values[COUNT], found[COUNT];

static h5r_status make(h5r_object *root, const char *name, const h5r_filter *filters, size_t count, int skip, h5r_object **out) {
    const uint64_t dims[1] = {COUNT}, chunk[1] = {PART};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.filters = filters;
    options.filter_count = count;
    options.skip_incompressible = skip;
    return h5r_dataset_create(root, name, H5R_I32, 1, dims, &options, out);
}

static void round_trip(h5r_object *dataset) {
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
    memset(found, 0x55, sizeof found);
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, found));
    CHECK(memcmp(values, found, sizeof found) == 0);
}

static void by_number(h5r_object *root) {
    const uint32_t bits[2] = {H5R_SCALE_OFFSET_INTEGER, 18}, few[2] = {H5R_SCALE_OFFSET_INTEGER, 3};
    const uint32_t zstd[3] = {0, 3, 5}, blosc[7] = {0, 0, 0, 0, 5, 2, 5};
    const h5r_filter each[] = {
        {H5R_FILTER_NBIT, 0, NULL, 0},       {H5R_FILTER_SCALE_OFFSET, 0, NULL, 0}, {H5R_FILTER_SCALE_OFFSET, 0, bits, 2},
        {H5R_FILTER_BLOSC, 0, NULL, 0},      {H5R_FILTER_BLOSC, 0, blosc, 7},       {H5R_FILTER_BITSHUFFLE, 0, NULL, 0},
        {H5R_FILTER_BITSHUFFLE, 0, zstd, 3}, {H5R_FILTER_SZIP, 1, NULL, 0},         {H5R_FILTER_SCALE_OFFSET, 1, few, 2},
    };
    h5r_object *dataset = NULL;
    for (int i = 0; i < COUNT; i++) values[i] = 3 * i + i % 7;
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "each%d", (int)i);
        h5r_status made = make(root, name, &each[i], 1, 0, &dataset);
        if (made == H5R_ERR_UNSUPPORTED && each[i].id == H5R_FILTER_SZIP) {
            SAYS("libsz");
            continue;
        }
        OK(made);
        round_trip(dataset);
        OK(h5r_object_close(dataset));
    }
    // What does not fit is refused, and nothing is changed; a part of a chunk, too.
    const h5r_filter strict = {H5R_FILTER_SCALE_OFFSET, 0, few, 2};
    OK(make(root, "strict", &strict, 1, 0, &dataset));
    FAILS(H5R_ERR_RANGE, h5r_dataset_write(dataset, H5R_I32, NULL, values));
    SAYS("do not fit");
    const uint64_t start[1] = {3}, two[1] = {2};
    h5r_selection part = {1, start, NULL, two, NULL};
    const int32_t large[2] = {1, 100}, small[2] = {1, 6};
    FAILS(H5R_ERR_RANGE, h5r_dataset_write(dataset, H5R_I32, &part, large));
    OK(h5r_dataset_write(dataset, H5R_I32, &part, small));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, found));
    CHECK(found[2] == 0 && found[3] == 1 && found[4] == 6 && found[5] == 0 && found[COUNT - 1] == 0);
    OK(h5r_object_close(dataset));
}

static void without(h5r_object *root) {
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    const h5r_filter filters[3] = {
        {H5R_FILTER_SHUFFLE, 1, NULL, 0}, {H5R_FILTER_DEFLATE, 1, NULL, 0}, {H5R_FILTER_FLETCHER32, 0, NULL, 0}};
    const uint64_t first[1] = {0}, second[1] = {PART};
    h5r_chunk_details info = H5R_CHUNK_DETAILS_INIT;
    h5r_object *dataset = NULL;
    uint32_t state = 1;
    for (int i = 0; i < COUNT; i++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;
        values[i] = i < PART ? (int32_t)state : i;
    }
    OK(make(root, "without", filters, 3, 1, &dataset));
    round_trip(dataset);
    OK(h5r_chunk_info(dataset, first, &info));
    CHECK(info.filter_mask == 3 && info.size == 4 * PART + 4);
    OK(h5r_chunk_info(dataset, second, &info));
    CHECK(info.filter_mask == 0 && info.size < PART);
    OK(h5r_object_close(dataset));
    FAILS(H5R_ERR_RANGE, make(root, "no", filters, 3, 2, &dataset));
    SAYS("skip_incompressible 2");
    options.reserved_3 = 1;
    FAILS(H5R_ERR_RANGE, h5r_dataset_create(root, "no", H5R_I32, 1, first, &options, NULL));
}

int main(void) {
    h5r_file *file = NULL;
    OK(h5r_create("filters.h5", NULL, &file));
    by_number(h5r_root(file));
    without(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    return 0;
}
