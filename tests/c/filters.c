// Filters: each by number, the user's own by callbacks, and chunks that are stored without.
#include "check.h"
#include <pthread.h>

enum { COUNT = 20000, PART = 5000, MINE = 40123 };

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

struct mine {
    h5r_object *root;
    int refuses;
    // The call locks the file; how often it has called.
    int locked, calls;
};

// Another thread's call on the same file: it would never return if the file's lock were held meanwhile.
static void *look(void *root) {
    bool exists = true;
    OK(h5r_attr_exists((h5r_object *)root, "a", &exists));
    CHECK(!exists);
    return NULL;
}

// Adds the first parameter to every byte.
static int32_t add(const uint32_t *parameters, size_t count, const void *data, size_t length, void *out, size_t capacity,
                   size_t *length_out, int way, struct mine *mine) {
    const unsigned char *from = (const unsigned char *)data;
    unsigned char *to = (unsigned char *)out;
    bool exists;
    pthread_t other;
    if (mine->refuses || count != 1) return -1;
    if (h5r_attr_exists(mine->root, "a", &exists) != H5R_ERR_REENTRANT) return -2;
    if (mine->locked) mine->calls++;
    else CHECK(pthread_create(&other, NULL, look, mine->root) == 0 && pthread_join(other, NULL) == 0);
    *length_out = length;
    if (length > capacity) return 0;
    for (size_t i = 0; i < length; i++) to[i] = (unsigned char)(from[i] + way * (int)parameters[0]);
    return 0;
}

static int32_t encode(const uint32_t *parameters, size_t count, const void *data, size_t length, void *out, size_t capacity,
                      size_t *length_out, void *user_data) {
    return add(parameters, count, data, length, out, capacity, length_out, 1, (struct mine *)user_data);
}

static int32_t decode(const uint32_t *parameters, size_t count, const void *data, size_t length, void *out, size_t capacity,
                      size_t *length_out, void *user_data) {
    return add(parameters, count, data, length, out, capacity, length_out, -1, (struct mine *)user_data);
}

// Rows are appended, points written, and dimensions shrink and grow: what is cut off is gone.
static void grows(h5r_object *root, struct mine *mine) {
    const uint64_t points[6] = {8, 3, 1, 1, 8, 3}, beyond[6] = {0, 0, 1, 1, 9, 0};
    const uint64_t dims[2] = {3, 4}, most[2] = {H5R_UNLIMITED, 4}, chunk[2] = {2, 4}, larger[2] = {9, 4}, smaller[2] = {5, 4};
    const uint32_t one = 1;
    const h5r_filter filter = {MINE, 0, &one, 1};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    int32_t rows[12], back[36], fill = 9;
    for (int i = 0; i < 12; i++) rows[i] = i + 100;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.max_dims = most;
    options.filters = &filter;
    options.filter_count = 1;
    options.fill_value = &fill;
    OK(h5r_dataset_create(root, "grows", H5R_I32, 2, dims, &options, &dataset));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 12; i++) CHECK(back[i] == 9);
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, rows));
    OK(h5r_dataset_append(dataset, H5R_I32, 1, rows));
    OK(h5r_dataset_append(dataset, H5R_I32, 3, rows));
    mine->refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_set_extent(dataset, smaller));
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write_points(dataset, H5R_I32, 1, points + 2, rows));
    mine->refuses = 0;
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 28; i++) CHECK(back[i] == 100 + (i < 12 ? i : i < 16 ? i - 12 : i - 16));
    OK(h5r_dataset_set_extent(dataset, smaller));
    OK(h5r_dataset_set_extent(dataset, larger));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 36; i++) CHECK(back[i] == (i < 12 ? 100 + i : i < 20 ? 100 + i % 4 : 9));
    // The last of those at one place stays, and one outside keeps all from being written.
    OK(h5r_dataset_write_points(dataset, H5R_I32, 3, points, rows));
    FAILS(H5R_ERR_RANGE, h5r_dataset_write_points(dataset, H5R_I32, 3, beyond, rows + 3));
    memset(rows, 0, sizeof rows);
    OK(h5r_dataset_read_points(dataset, H5R_I32, 3, points, rows));
    CHECK(rows[0] == 102 && rows[1] == 101 && rows[2] == 102);
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 36; i++) CHECK(back[i] == (i == 5 ? 101 : i == 35 ? 102 : i < 12 ? 100 + i : i < 20 ? 100 + i % 4 : 9));
    OK(h5r_object_close(dataset));
}

static h5r_object *make_grown(h5r_object *root, const char *name, h5r_type type, uint64_t count) {
    const uint64_t dims[1] = {count}, most[1] = {H5R_UNLIMITED}, chunk[1] = {2};
    const uint32_t one = 1;
    const h5r_filter filter = {MINE, 0, &one, 1};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.max_dims = most;
    options.filters = &filter;
    options.filter_count = 1;
    OK(h5r_dataset_create(root, name, type, 1, dims, &options, &dataset));
    return dataset;
}

// Values of variable length are written, overwritten, appended and cut off.
static void texts(h5r_object *root, struct mine *mine) {
    const char *first[3] = {"one", "two", "three"}, *more[2] = {"four", "five"}, *second[1] = {"a longer text than before"};
    const uint64_t start[1] = {1}, one[1] = {1}, shorter[1] = {3}, longer[1] = {6};
    h5r_selection selection = {1, start, NULL, one, NULL};
    char *back[6];
    h5r_type text = 0;
    OK(h5r_type_string_variable(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, &text));
    h5r_object *dataset = make_grown(root, "texts", text, 3);
    OK(h5r_dataset_write(dataset, text, NULL, first));
    OK(h5r_dataset_append(dataset, text, 2, more));
    OK(h5r_dataset_write(dataset, text, &selection, second));
    mine->refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write(dataset, text, &selection, more));
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_append(dataset, text, 2, more));
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_read(dataset, text, NULL, back));
    mine->refuses = 0;
    OK(h5r_dataset_read(dataset, text, NULL, back));
    CHECK(strcmp(back[0], "one") == 0 && strcmp(back[1], second[0]) == 0 && strcmp(back[2], "three") == 0);
    CHECK(strcmp(back[3], "four") == 0 && strcmp(back[4], "five") == 0);
    OK(h5r_vlen_release(text, 5, back));
    OK(h5r_dataset_set_extent(dataset, shorter));
    OK(h5r_dataset_set_extent(dataset, longer));
    // Copies and deletions call with the file locked: every call of h5r in them is refused, and none waits for itself.
    mine->locked = 1;
    mine->calls = 0;
    OK(h5r_object_copy(root, "texts", root, "copied", NULL));
    CHECK(mine->calls > 0);
    mine->refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_object_copy(root, "texts", root, "not copied", NULL));
    SAYS("returned -1");
    mine->refuses = 0;
    mine->calls = 0;
    OK(h5r_link_delete(root, "copied"));
    CHECK(mine->calls > 0);
    mine->locked = 0;
    OK(h5r_dataset_read(dataset, text, NULL, back));
    CHECK(strcmp(back[2], "three") == 0 && (back[3] == NULL || back[3][0] == 0) && (back[5] == NULL || back[5][0] == 0));
    OK(h5r_vlen_release(text, 6, back));
    OK(h5r_type_close(text));
    OK(h5r_object_close(dataset));
}

// Chunks are filled when the dataset is made, with the file locked, and without when it grows.
static void early(h5r_object *root, struct mine *mine) {
    const uint64_t dims[1] = {5}, most[1] = {H5R_UNLIMITED}, chunk[1] = {2}, longer[1] = {9}, last[1] = {8};
    const uint32_t one = 1;
    const h5r_filter filter = {MINE, 0, &one, 1};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    h5r_chunk_details info = H5R_CHUNK_DETAILS_INIT;
    bool exists = true;
    int32_t fill = 9, back[9];
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.max_dims = most;
    options.filters = &filter;
    options.filter_count = 1;
    options.fill_value = &fill;
    options.allocation = H5R_ALLOCATION_EARLY;
    mine->locked = mine->refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_create(root, "early", H5R_I32, 1, dims, &options, &dataset));
    OK(h5r_link_exists(root, "early", &exists));
    CHECK(!exists);
    mine->refuses = 0;
    OK(h5r_dataset_create(root, "early", H5R_I32, 1, dims, &options, &dataset));
    mine->locked = 0;
    OK(h5r_dataset_set_extent(dataset, longer));
    OK(h5r_chunk_info(dataset, last, &info));
    CHECK(info.size == 8 && info.filter_mask == 0);
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 9; i++) CHECK(back[i] == 9);
    OK(h5r_object_close(dataset));
}

// One member is written, and the other stays.
static void members(h5r_object *root, struct mine *mine) {
    struct {
        int32_t a;
        double b;
    } pairs[3] = {{1, 1.5}, {2, 2.5}, {3, 3.5}}, back[3];
    const int32_t numbers[3] = {7, 8, 9};
    h5r_type pair = 0, part = 0;
    OK(h5r_type_compound(sizeof pairs[0], &pair));
    OK(h5r_type_insert(pair, "a", 0, H5R_I32));
    OK(h5r_type_insert(pair, "b", (uint64_t)((char *)&pairs[0].b - (char *)&pairs[0]), H5R_F64));
    OK(h5r_type_compound(sizeof numbers[0], &part));
    OK(h5r_type_insert(part, "a", 0, H5R_I32));
    h5r_object *dataset = make_grown(root, "members", pair, 3);
    OK(h5r_dataset_write(dataset, pair, NULL, pairs));
    mine->refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write(dataset, part, NULL, numbers));
    mine->refuses = 0;
    OK(h5r_dataset_write(dataset, part, NULL, numbers));
    OK(h5r_dataset_read(dataset, pair, NULL, back));
    for (int i = 0; i < 3; i++) CHECK(back[i].a == 7 + i && back[i].b == pairs[i].b);
    OK(h5r_type_close(part));
    OK(h5r_type_close(pair));
    OK(h5r_object_close(dataset));
}

static void by_callback(h5r_file **file) {
    const uint32_t seven = 7;
    h5r_filter filters[2] = {{H5R_FILTER_SHUFFLE, 1, NULL, 0}, {MINE, 0, &seven, 1}};
    struct mine mine = {h5r_root(*file), 0, 0, 0};
    h5r_object *dataset = NULL;
    h5r_dataset_details details = H5R_DATASET_DETAILS_INIT;
    const uint64_t start[1] = {PART - 1}, two[1] = {2}, first[1] = {0};
    const int32_t part[2] = {-5, -6};
    unsigned char stored[4 * PART];
    uint32_t mask = 0;
    h5r_selection selection = {1, start, NULL, two, NULL};
    FAILS(H5R_ERR_UNSUPPORTED, make(mine.root, "mine", filters, 2, 0, &dataset));
    SAYS("40123");
    FAILS(H5R_ERR_RANGE, h5r_filter_register(5, "mine", encode, decode, &mine));
    FAILS(H5R_ERR_EXISTS, h5r_filter_register(H5R_FILTER_LZF, "mine", encode, decode, &mine));
    FAILS(H5R_ERR_ARGUMENT, h5r_filter_register(MINE, "mine", NULL, NULL, &mine));
    FAILS(H5R_ERR_NOT_FOUND, h5r_filter_unregister(MINE));
    OK(h5r_filter_register(MINE, "mine", encode, decode, &mine));
    FAILS(H5R_ERR_EXISTS, h5r_filter_register(MINE, "mine", encode, decode, &mine));
    OK(make(mine.root, "mine", filters, 2, 0, &dataset));
    round_trip(dataset);
    grows(mine.root, &mine);
    texts(mine.root, &mine);
    early(mine.root, &mine);
    members(mine.root, &mine);
    OK(h5r_dataset_write(dataset, H5R_I32, &selection, part));
    OK(h5r_chunk_read(dataset, first, stored, sizeof stored, NULL, &mask));
    CHECK(mask == 0 && stored[0] == 7 && stored[1] == 11);
    mine.refuses = 1;
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write(dataset, H5R_I32, NULL, values));
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_write(dataset, H5R_I32, &selection, part));
    FAILS(H5R_ERR_CALLBACK, h5r_dataset_read(dataset, H5R_I32, NULL, found));
    SAYS("returned -1");
    mine.refuses = 0;
    OK(h5r_object_close(dataset));
    OK(h5r_filter_unregister(MINE));
    OK(h5r_close(*file));
    // Without it all but the data can be read.
    OK(h5r_open("filters.h5", NULL, file));
    mine.root = h5r_root(*file);
    OK(h5r_object_open(mine.root, "mine", &dataset));
    OK(h5r_dataset_info(dataset, &details));
    CHECK(details.dims[0] == COUNT && details.storage_size == 4 * COUNT);
    FAILS(H5R_ERR_UNSUPPORTED, h5r_dataset_read(dataset, H5R_I32, NULL, found));
    SAYS("filter 40123 (mine)");
    FAILS(H5R_ERR_UNSUPPORTED, h5r_dataset_write(dataset, H5R_I32, NULL, values));
    OK(h5r_filter_register(MINE, "mine", NULL, decode, &mine));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, found));
    values[PART - 1] = -5;
    values[PART] = -6;
    CHECK(memcmp(values, found, sizeof found) == 0);
    FAILS(H5R_ERR_UNSUPPORTED, h5r_dataset_write(dataset, H5R_I32, NULL, values));
    OK(h5r_filter_unregister(MINE));
    // An optional one that fails is skipped.
    mine.refuses = 1;
    filters[1].optional = 1;
    OK(h5r_filter_register(MINE, "mine", encode, decode, &mine));
    OK(h5r_object_close(dataset));
    OK(make(mine.root, "skipped", filters, 2, 0, &dataset));
    round_trip(dataset);
    OK(h5r_chunk_read(dataset, first, stored, sizeof stored, NULL, &mask));
    CHECK(mask == 2);
    OK(h5r_object_close(dataset));
    OK(h5r_filter_unregister(MINE));
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
    by_callback(&file);
    without(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    return 0;
}
