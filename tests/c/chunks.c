// Chunks as they are stored, points, lists of selections, selections in memory, threads and progress.
#include "check.h"

enum { ROWS = 10, COLUMNS = 12 };

static h5r_object *make(h5r_object *root, const char *name, int deflate) {
    const uint64_t dims[2] = {ROWS, COLUMNS}, chunk[2] = {4, 5};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    int32_t values[ROWS * COLUMNS];
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.deflate = deflate;
    for (int i = 0; i < ROWS * COLUMNS; i++) values[i] = i;
    OK(h5r_dataset_create(root, name, H5R_I32, 2, dims, &options, &dataset));
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
    return dataset;
}

static int32_t count_chunks(const h5r_chunk_details *chunk, void *user_data) {
    uint64_t *sum = (uint64_t *)user_data;
    CHECK(chunk->rank == 2 && chunk->offset[0] % 4 == 0 && chunk->offset[1] % 5 == 0 && chunk->filter_mask == 0);
    sum[0]++;
    sum[1] += chunk->size;
    return sum[0] == 100 ? -1 : 0;
}

static void stored(h5r_object *root) {
    h5r_object *plain = make(root, "plain", 0), *packed = make(root, "packed", 6);
    const uint64_t first[2] = {4, 5}, odd[2] = {4, 6}, outside[2] = {12, 0};
    h5r_chunk_details info = H5R_CHUNK_DETAILS_INIT;
    int32_t chunk[20], element = 0;
    size_t length = 0;
    uint32_t mask = 7;
    uint64_t sum[2] = {0, 0};
    OK(h5r_chunk_info(plain, first, &info));
    CHECK(info.size == 80 && info.rank == 2 && info.offset[0] == 4 && info.offset[1] == 5 && info.address > 0);
    OK(h5r_chunk_read(plain, first, chunk, sizeof chunk, &length, &mask));
    CHECK(length == 80 && mask == 0 && chunk[0] == 4 * COLUMNS + 5 && chunk[5] == 5 * COLUMNS + 5);
    FAILS(H5R_ERR_TOO_SMALL, h5r_chunk_read(plain, first, chunk, 79, &length, &mask));
    FAILS(H5R_ERR_RANGE, h5r_chunk_info(plain, odd, &info));
    FAILS(H5R_ERR_RANGE, h5r_chunk_info(plain, outside, &info));
    OK(h5r_chunk_read(packed, first, NULL, 0, &length, &mask));
    CHECK(length > 0 && length < 80);
    for (int i = 0; i < 20; i++) chunk[i] = -i;
    OK(h5r_chunk_write(plain, first, 0, chunk, sizeof chunk));
    FAILS(H5R_ERR_RANGE, h5r_chunk_write(plain, first, 1, chunk, sizeof chunk));
    FAILS(H5R_ERR_RANGE, h5r_chunk_write(plain, first, 0, chunk, sizeof chunk - 1));
    // With the only filter skipped the elements are what is stored.
    OK(h5r_chunk_write(packed, first, 1, chunk, sizeof chunk));
    FAILS(H5R_ERR_RANGE, h5r_chunk_write(packed, first, 2, chunk, sizeof chunk));
    const uint64_t place[2] = {5, 6};
    OK(h5r_dataset_read_points(plain, H5R_I32, 1, place, &element));
    CHECK(element == -6);
    OK(h5r_dataset_read_points(packed, H5R_I32, 1, place, &element));
    CHECK(element == -6);
    // Writing through the filters again leaves no mask behind.
    element = 99;
    OK(h5r_dataset_write_points(packed, H5R_I32, 1, place, &element));
    OK(h5r_chunk_iterate(packed, count_chunks, sum));
    CHECK(sum[0] == 9 && sum[1] > 9);
    h5r_dataset_details details = H5R_DATASET_DETAILS_INIT;
    OK(h5r_dataset_info(packed, &details));
    CHECK(details.storage_size == sum[1]);
    sum[0] = 99;
    FAILS(H5R_ERR_CALLBACK, h5r_chunk_iterate(packed, count_chunks, sum));
    FAILS(H5R_ERR_WRONG_KIND, h5r_chunk_info(root, first, &info));
    OK(h5r_object_close(plain));
    OK(h5r_object_close(packed));
}

static void parts(h5r_object *root) {
    h5r_object *dataset = make(root, "parts", 3);
    const uint64_t points[8] = {9, 11, 0, 0, 3, 4, 0, 0};
    int32_t found[4] = {0}, values[4] = {-1, -2, -3, -4};
    OK(h5r_dataset_read_points(dataset, H5R_I32, 4, points, found));
    CHECK(found[0] == 119 && found[1] == 0 && found[2] == 40 && found[3] == 0);
    OK(h5r_dataset_write_points(dataset, H5R_I32, 4, points, values));
    OK(h5r_dataset_read_points(dataset, H5R_I32, 4, points, found));
    CHECK(found[0] == -1 && found[1] == -4 && found[2] == -3 && found[3] == -4);
    const uint64_t bad[4] = {0, 1, 10, 0};
    FAILS(H5R_ERR_RANGE, h5r_dataset_write_points(dataset, H5R_I32, 2, bad, values));
    OK(h5r_dataset_read_points(dataset, H5R_I32, 1, bad, found));
    CHECK(found[0] == 1);
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_read_points(dataset, H5R_I32, 2, NULL, found));
    const uint64_t a[2] = {1, 0}, b[2] = {8, 2}, across[2] = {1, 3}, down[2] = {2, 1};
    const h5r_selection list[2] = {{2, a, NULL, across, NULL}, {2, b, NULL, down, NULL}};
    int32_t both[5] = {0};
    OK(h5r_dataset_read_list(dataset, H5R_I32, 2, list, both));
    CHECK(both[0] == 12 && both[2] == 14 && both[3] == 98 && both[4] == 110);
    for (int i = 0; i < 5; i++) both[i] = 1000 + i;
    OK(h5r_dataset_write_list(dataset, H5R_I32, 2, list, both));
    OK(h5r_dataset_read_list(dataset, H5R_I32, 2, list, both));
    CHECK(both[0] == 1000 && both[4] == 1004);
    // Into every other column of an array of 2 x 6.
    const uint64_t memory[2] = {2, 6}, zero[2] = {0, 1}, two[2] = {1, 2}, three[2] = {2, 3}, corner[2] = {4, 4};
    const h5r_selection within = {2, zero, two, three, NULL}, from = {2, corner, NULL, three, NULL};
    int32_t mine[12];
    for (int i = 0; i < 12; i++) mine[i] = 7;
    OK(h5r_dataset_read_into(dataset, H5R_I32, &from, 2, memory, &within, mine));
    CHECK(mine[0] == 7 && mine[1] == 52 && mine[2] == 7 && mine[3] == 53 && mine[5] == 54 && mine[7] == 64);
    for (int i = 0; i < 12; i++) mine[i] = -i;
    OK(h5r_dataset_write_from(dataset, H5R_I32, &from, 2, memory, &within, mine));
    OK(h5r_dataset_read_points(dataset, H5R_I32, 1, corner, found));
    CHECK(found[0] == -1);
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_read_into(dataset, H5R_I32, &from, 2, memory, NULL, mine));
    OK(h5r_object_close(dataset));
}

// Filters by number.
static void filters(h5r_object *root) {
    const uint64_t dims[1] = {5000}, chunk[1] = {600};
    const uint32_t ids[3] = {H5R_FILTER_LZF, H5R_FILTER_LZ4, H5R_FILTER_ZSTD}, level = 7;
    const char *names[3] = {"lzf", "lz4", "zstd"};
    int32_t values[5000], back[5000];
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_filter list[3] = {{H5R_FILTER_SHUFFLE, 1, NULL, 0}, {0, 0, NULL, 0}, {H5R_FILTER_FLETCHER32, 0, NULL, 0}};
    h5r_object *dataset = NULL;
    for (int i = 0; i < 5000; i++) values[i] = i * 3;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.filters = list;
    options.filter_count = 3;
    for (int i = 0; i < 3; i++) {
        h5r_dataset_details details = H5R_DATASET_DETAILS_INIT;
        list[1].id = ids[i];
        list[1].parameters = i == 2 ? &level : NULL;
        list[1].parameter_count = i == 2;
        OK(h5r_dataset_create(root, names[i], H5R_I32, 1, dims, &options, &dataset));
        OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
        memset(back, 0, sizeof back);
        OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
        CHECK(memcmp(values, back, sizeof back) == 0);
        OK(h5r_dataset_info(dataset, &details));
        CHECK(details.storage_size > 100 && details.storage_size < 9000);
        OK(h5r_object_close(dataset));
    }
    list[1].id = 32013;
    FAILS(H5R_ERR_UNSUPPORTED, h5r_dataset_create(root, "zfp", H5R_I32, 1, dims, &options, NULL));
    SAYS("zfp");
    list[1].id = 70000;
    FAILS(H5R_ERR_RANGE, h5r_dataset_create(root, "no", H5R_I32, 1, dims, &options, NULL));
    list[1].id = H5R_FILTER_LZF;
    options.shuffle = 1;
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_create(root, "no", H5R_I32, 1, dims, &options, NULL));
}

struct told {
    uint64_t calls, last, total, stop_after;
    h5r_object *object;
};

static int32_t listen(uint64_t done, uint64_t total, void *user_data) {
    struct told *told = (struct told *)user_data;
    uint64_t count = 0;
    CHECK(done >= told->last && done <= total);
    told->calls++;
    told->last = done;
    told->total = total;
    // No lock is held.
    OK(h5r_attr_count(told->object, &count));
    return done > told->stop_after ? 1 : 0;
}

static void progress(void) {
    const uint64_t dims[1] = {1 << 20}, chunk[1] = {1 << 14};
    h5r_create_options create = H5R_CREATE_OPTIONS_INIT;
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_file *file = NULL;
    h5r_object *dataset = NULL;
    float *values = (float *)malloc(sizeof *values << 20), *back = (float *)malloc(sizeof *back << 20);
    CHECK(values && back);
    create.threads = 1025;
    FAILS(H5R_ERR_RANGE, h5r_create("progress.h5", &create, &file));
    // With one thread it is the calling one that does everything, and reports in between.
    create.threads = 1;
    OK(h5r_create("progress.h5", &create, &file));
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.shuffle = 1;
    options.deflate = 1;
    OK(h5r_dataset_create(h5r_root(file), "d", H5R_F32, 1, dims, &options, &dataset));
    for (int i = 0; i < 1 << 20; i++) values[i] = (float)i;
    struct told told = {0, 0, 0, UINT64_MAX, dataset};
    OK(h5r_set_progress(file, listen, &told));
    OK(h5r_dataset_write(dataset, H5R_F32, NULL, values));
    CHECK(told.calls >= 3 && told.last == 4 << 20 && told.total == 4 << 20);
    told.last = told.calls = 0;
    OK(h5r_dataset_read(dataset, H5R_F32, NULL, back));
    CHECK(told.calls >= 3 && told.last == 4 << 20 && memcmp(values, back, sizeof *values << 20) == 0);
    // Ended half-way: each chunk is as before or as written.
    for (int i = 0; i < 1 << 20; i++) back[i] = -values[i];
    told.last = 0;
    told.stop_after = 1 << 20;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write(dataset, H5R_F32, NULL, back));
    OK(h5r_set_progress(file, NULL, NULL));
    told.calls = 0;
    OK(h5r_dataset_read(dataset, H5R_F32, NULL, back));
    CHECK(told.calls == 0 && back[5] == -5 && back[(1 << 20) - 1] == values[(1 << 20) - 1]);
    for (int i = 0; i < 1 << 20; i++)
        CHECK(back[i] == (back[i / (1 << 14) * (1 << 14) + 1] < 0 ? -values[i] : values[i]));
    OK(h5r_check(file));
    OK(h5r_close(file));
    free(values);
    free(back);
}

static void cache(h5r_object *root) {
    const uint64_t dims[1] = {64 << 10}, chunk[1] = {8 << 10};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_chunk_cache_details details = H5R_CHUNK_CACHE_DETAILS_INIT;
    h5r_object *dataset = NULL, *plain = NULL;
    OK(h5r_dataset_create(root, "uncached", H5R_I64, 1, dims, NULL, &plain));
    FAILS(H5R_ERR_WRONG_KIND, h5r_chunk_cache_info(plain, &details));
    FAILS(H5R_ERR_WRONG_KIND, h5r_chunk_cache_set(plain, 5));
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.deflate = 1;
    OK(h5r_dataset_create(root, "cached", H5R_I64, 1, dims, &options, &dataset));
    OK(h5r_chunk_cache_info(dataset, &details));
    CHECK(details.bound == 8 * H5R_MIB && details.chunks == 0 && details.hits + details.misses == 0);
    // One element of each chunk, twice.
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t at = 0; at < dims[0]; at += chunk[0]) {
            const uint64_t one = 1;
            const int64_t value = (int64_t)at + 7;
            h5r_selection part = {1, &at, NULL, &one, NULL};
            OK(h5r_dataset_write(dataset, H5R_I64, &part, &value));
        }
    OK(h5r_chunk_cache_info(dataset, &details));
    CHECK(details.chunks == 8 && details.unwritten == 8 && details.misses == 8 && details.hits == 8);
    CHECK(details.bytes >= 8 * 64 * H5R_KIB && details.bytes < 9 * 64 * H5R_KIB && details.displaced == 0);
    OK(h5r_chunk_cache_set(dataset, 3 * 65 * H5R_KIB));
    OK(h5r_chunk_cache_info(dataset, &details));
    CHECK(details.chunks == 3 && details.displaced == 5 && details.bytes <= details.bound);
    CHECK(details.bound == 3 * 65 * H5R_KIB);
    for (uint64_t at = 0; at < dims[0]; at += chunk[0]) {
        const uint64_t one = 1;
        int64_t value = 0;
        h5r_selection part = {1, &at, NULL, &one, NULL};
        OK(h5r_dataset_read(dataset, H5R_I64, &part, &value));
        CHECK(value == (int64_t)at + 7);
    }
    OK(h5r_object_close(dataset));
    OK(h5r_object_open(root, "cached", &dataset));
    OK(h5r_chunk_cache_info(dataset, &details));
    CHECK(details.bound == 8 * H5R_MIB && details.chunks == 0 && details.misses == 0);
}

int main(void) {
    h5r_file *file = NULL;
    OK(h5r_create("chunks.h5", NULL, &file));
    stored(h5r_root(file));
    parts(h5r_root(file));
    filters(h5r_root(file));
    cache(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    progress();
    return 0;
}
