// Datasets: shapes, conversion, selections, fill values, layouts, and the honest refusal of chunks.
#include "check.h"

static void whole(h5r_object *root) {
    const uint64_t dims[2] = {3, 4};
    int32_t values[12], back[12] = {0};
    double wide[12];
    h5r_object *dataset = NULL;
    for (int i = 0; i < 12; i++) values[i] = i * i - 20;
    OK(h5r_dataset_create(root, "made/on/the/way", H5R_I32, 2, dims, NULL, &dataset));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    for (int i = 0; i < 12; i++) CHECK(back[i] == 0);
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, back));
    CHECK(memcmp(values, back, sizeof back) == 0);
    OK(h5r_dataset_read(dataset, H5R_F64, NULL, wide));
    for (int i = 0; i < 12; i++) CHECK(wide[i] == values[i]);
    write_int(dataset, "units", 4);
    h5r_dataset_details info = H5R_DATASET_DETAILS_INIT;
    OK(h5r_dataset_info(dataset, &info));
    size_t rank = 0;
    uint64_t extents[H5R_MAX_RANK] = {0}, elements = 0;
    OK(h5r_dataset_dims(dataset, &rank, extents, &elements));
    CHECK(rank == 2 && extents[0] == 3 && extents[1] == 4 && elements == 12);
    OK(h5r_dataset_dims(dataset, NULL, NULL, NULL));
    FAILS(H5R_ERR_WRONG_KIND, h5r_dataset_dims(root, &rank, NULL, NULL));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_dataset_dims(NULL, &rank, NULL, NULL));
    CHECK(info.rank == 2 && info.dims[0] == 3 && info.dims[1] == 4 && info.max_dims[0] == 3);
    CHECK(info.type == H5R_I32 && info.layout == H5R_LAYOUT_CONTIGUOUS && info.storage_size == 48);
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_read(dataset, H5R_I32, NULL, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_info(dataset, NULL));
    FAILS(H5R_ERR_WRONG_KIND, h5r_dataset_info(root, &info));
    FAILS(H5R_ERR_WRONG_KIND, h5r_dataset_read(root, H5R_I32, NULL, back));
    uint64_t count = 0;
    FAILS(H5R_ERR_WRONG_KIND, h5r_link_count(dataset, &count));
    OK(h5r_object_close(dataset));
}

static void selections(h5r_object *root) {
    const uint64_t dims[2] = {6, 8};
    int16_t part[8];
    int16_t all[48];
    h5r_object *dataset = NULL;
    OK(h5r_dataset_create(root, "selected", H5R_I16, 2, dims, NULL, &dataset));
    for (int i = 0; i < 48; i++) all[i] = (int16_t)i;
    OK(h5r_dataset_write(dataset, H5R_I16, NULL, all));
    const uint64_t start[2] = {1, 2}, count[2] = {2, 2}, stride[2] = {3, 4}, block[2] = {1, 2};
    h5r_selection selection = H5R_SELECTION_INIT;
    selection.rank = 2;
    selection.start = start;
    selection.stride = stride;
    selection.count = count;
    selection.block = block;
    OK(h5r_dataset_read(dataset, H5R_I16, &selection, part));
    const int16_t expected[8] = {10, 11, 14, 15, 34, 35, 38, 39};
    CHECK(memcmp(part, expected, sizeof part) == 0);
    int32_t wide[8];
    for (int i = 0; i < 8; i++) wide[i] = -100 - i;
    OK(h5r_dataset_write(dataset, H5R_I32, &selection, wide));
    OK(h5r_dataset_read(dataset, H5R_I16, NULL, all));
    CHECK(all[10] == -100 && all[11] == -101 && all[12] == 12 && all[39] == -107 && all[9] == 9);
    // Arrays left out: as many as fit from the start.
    selection.count = selection.stride = selection.block = NULL;
    const uint64_t corner[2] = {4, 6};
    selection.start = corner;
    OK(h5r_dataset_read(dataset, H5R_I16, &selection, part));
    CHECK(part[0] == 38 - 144 && part[1] == 39 - 146 && part[2] == 46 && part[3] == 47);
    const uint64_t outside[2] = {0, 9}, one[2] = {1, 1};
    selection.start = outside;
    selection.count = one;
    FAILS(H5R_ERR_RANGE, h5r_dataset_read(dataset, H5R_I16, &selection, part));
    selection.rank = 1;
    const h5r_status status = h5r_dataset_read(dataset, H5R_I16, &selection, part);
    CHECK(status == H5R_ERR_ARGUMENT || status == H5R_ERR_RANGE);
    selection.rank = 33;
    FAILS(H5R_ERR_RANGE, h5r_dataset_read(dataset, H5R_I16, &selection, part));
    OK(h5r_object_close(dataset));
}

static void fill_and_layout(h5r_object *root) {
    const uint64_t dims[1] = {5};
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    const double fill = 2.5;
    float back[5];
    options.fill_value = &fill;
    options.fill_type = H5R_F64;
    OK(h5r_dataset_create(root, "filled", H5R_F32, 1, dims, &options, &dataset));
    OK(h5r_dataset_read(dataset, H5R_F32, NULL, back));
    for (int i = 0; i < 5; i++) CHECK(back[i] == 2.5f);
    OK(h5r_object_close(dataset));
    options.layout = H5R_LAYOUT_COMPACT;
    OK(h5r_dataset_create(root, "compact", H5R_F32, 1, dims, &options, &dataset));
    h5r_dataset_details info = H5R_DATASET_DETAILS_INIT;
    OK(h5r_dataset_info(dataset, &info));
    CHECK(info.layout == H5R_LAYOUT_COMPACT);
    OK(h5r_dataset_read(dataset, H5R_F32, NULL, back));
    CHECK(back[4] == 2.5f);
    back[4] = 9;
    OK(h5r_dataset_write(dataset, H5R_F32, NULL, back));
    OK(h5r_object_close(dataset));
    options.fill_type = H5R_I8 + 1000;
    FAILS(H5R_ERR_BAD_HANDLE, h5r_dataset_create(root, "bad", H5R_F32, 1, dims, &options, NULL));
    h5r_type text = 0;
    OK(h5r_type_string(4, H5R_PAD_NULL, H5R_CHARSET_ASCII, &text));
    options.fill_type = text;
    FAILS(H5R_ERR_TYPE, h5r_dataset_create(root, "bad", H5R_F32, 1, dims, &options, NULL));
    OK(h5r_type_close(text));
    const h5r_dataset_options init = H5R_DATASET_OPTIONS_INIT;
    options = init;
    options.layout = 7;
    FAILS(H5R_ERR_RANGE, h5r_dataset_create(root, "bad", H5R_F32, 1, dims, &options, NULL));
    options = init;
    options.allocation = H5R_ALLOCATION_EARLY;
    options.fill_time = H5R_FILL_ALWAYS;
    OK(h5r_dataset_create(root, "early", H5R_F64, 1, dims, &options, &dataset));
    OK(h5r_dataset_info(dataset, &info));
    CHECK(info.storage_size == 40);
    OK(h5r_object_close(dataset));
    options = init;
    options.is_null = 1;
    OK(h5r_dataset_create(root, "null", H5R_F64, 0, NULL, &options, &dataset));
    OK(h5r_dataset_info(dataset, &info));
    CHECK(info.space == H5R_SPACE_NULL);
    OK(h5r_object_close(dataset));
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_create(root, "null1", H5R_F64, 1, dims, &options, NULL));
    bool exists = true;
    OK(h5r_link_exists(root, "bad", &exists));
    CHECK(!exists);
}

static void scalars_and_strings(h5r_object *root) {
    h5r_object *dataset = NULL;
    double value = 6.5;
    OK(h5r_dataset_create(root, "scalar", H5R_F64, 0, NULL, NULL, &dataset));
    OK(h5r_dataset_write(dataset, H5R_F64, NULL, &value));
    value = 0;
    OK(h5r_dataset_read(dataset, H5R_F64, NULL, &value));
    CHECK(value == 6.5);
    OK(h5r_object_close(dataset));
    h5r_type type = 0;
    const uint64_t dims[1] = {2};
    char back[8];
    OK(h5r_type_string(4, H5R_PAD_NULL, H5R_CHARSET_ASCII, &type));
    OK(h5r_dataset_create(root, "words", type, 1, dims, NULL, &dataset));
    OK(h5r_dataset_write(dataset, type, NULL, "abcdef\0"));
    OK(h5r_dataset_read(dataset, type, NULL, back));
    CHECK(memcmp(back, "abcdef\0", 8) == 0);
    OK(h5r_type_close(type));
    OK(h5r_object_close(dataset));
}

static void chunked(h5r_object *root) {
    const uint64_t dims[1] = {100}, chunk[1] = {10}, more[1] = {200}, fewer[1] = {95}, most[1] = {H5R_UNLIMITED};
    const double fill = 7.5;
    double values[200], back[200];
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    h5r_object *dataset = NULL;
    options.layout = H5R_LAYOUT_CHUNKED;
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_create(root, "chunked", H5R_F64, 1, dims, &options, &dataset));
    options.chunk = chunk;
    options.max_dims = most;
    options.layout = H5R_LAYOUT_CONTIGUOUS;
    options.chunk = NULL;
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_create(root, "no", H5R_I32, 1, dims, &options, NULL));
    SAYS("maximum [unlimited]) needs the chunked layout");
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.fill_value = &fill;
    options.shuffle = 1;
    options.fletcher32 = 1;
    options.deflate = 10;
    FAILS(H5R_ERR_RANGE, h5r_dataset_create(root, "chunked", H5R_F64, 1, dims, &options, &dataset));
    SAYS("deflate");
    options.deflate = 4;
    CHECK(dataset == NULL);
    OK(h5r_dataset_create(root, "chunked", H5R_F64, 1, dims, &options, &dataset));
    for (int i = 0; i < 200; i++) values[i] = i * 0.5;
    OK(h5r_dataset_write(dataset, H5R_F64, NULL, values));
    OK(h5r_dataset_append(dataset, H5R_F64, 5, values));
    OK(h5r_dataset_set_extent(dataset, fewer));
    OK(h5r_dataset_set_extent(dataset, more));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_dataset_append(NULL, H5R_F64, 1, values));
    FAILS(H5R_ERR_ARGUMENT, h5r_dataset_set_extent(dataset, NULL));
    OK(h5r_dataset_read(dataset, H5R_F64, NULL, back));
    for (int i = 0; i < 200; i++) CHECK(back[i] == (i < 95 ? i * 0.5 : 7.5));
    OK(h5r_object_close(dataset));
    OK(h5r_dataset_create(root, "contiguous", H5R_F64, 1, dims, NULL, &dataset));
    FAILS(H5R_ERR_WRONG_KIND, h5r_dataset_set_extent(dataset, more));
    FAILS(H5R_ERR_WRONG_KIND, h5r_dataset_append(dataset, H5R_F64, 1, &dims));
    OK(h5r_object_close(dataset));
}

// A later value that is refused, when earlier ones are stored already: the file is as it was, and goes on.
static void refused_values(h5r_file *file) {
    h5r_object *root = h5r_root(file), *dataset = NULL;
    h5r_type list = 0;
    const uint64_t two = 2;
    int32_t numbers[3] = {7, 8, 9};
    const h5r_vlen good[2] = {{3, numbers}, {1, numbers}}, bad[2] = {{2, numbers}, {(size_t)UINT32_MAX + 1, numbers}};
    h5r_vlen back[2];
    h5r_dataset_options options = H5R_DATASET_OPTIONS_INIT;
    const uint64_t chunk = 4, unlimited = H5R_UNLIMITED;
    OK(h5r_type_vlen(H5R_I32, &list));
    OK(h5r_attr_write(root, "lists", list, 1, &two, good));
    options.chunk = &chunk;
    options.max_dims = &unlimited;
    options.layout = H5R_LAYOUT_CHUNKED;
    OK(h5r_dataset_create(root, "lists", list, 1, &two, &options, &dataset));
    OK(h5r_dataset_write(dataset, list, NULL, good));
    FAILS(H5R_ERR_RANGE, h5r_attr_write(root, "lists", list, 1, &two, bad));
    SAYS("writing attribute 'lists' of '/': length of sequence 4294967296 is outside 0..4294967295");
    FAILS(H5R_ERR_RANGE, h5r_dataset_write(dataset, list, NULL, bad));
    SAYS("writing dataset '/lists': length of sequence 4294967296");
    FAILS(H5R_ERR_RANGE, h5r_dataset_append(dataset, list, 2, bad));
    SAYS("appending to dataset '/lists': length of sequence 4294967296");
    OK(h5r_attr_read(root, "lists", list, back, sizeof back));
    CHECK(back[0].length == 3 && memcmp(back[0].data, numbers, sizeof numbers) == 0 && back[1].length == 1);
    OK(h5r_vlen_release(list, 2, back));
    OK(h5r_dataset_read(dataset, list, NULL, back));
    CHECK(back[0].length == 3 && memcmp(back[0].data, numbers, sizeof numbers) == 0 && back[1].length == 1);
    OK(h5r_vlen_release(list, 2, back));
    OK(h5r_check(file));
    OK(h5r_dataset_append(dataset, list, 2, good));
    OK(h5r_flush(file));
    OK(h5r_object_close(dataset));
    OK(h5r_type_close(list));
}

int main(void) {
    h5r_file *file = new_file("datasets.h5");
    whole(h5r_root(file));
    selections(h5r_root(file));
    fill_and_layout(h5r_root(file));
    scalars_and_strings(h5r_root(file));
    chunked(h5r_root(file));
    refused_values(file);
    OK(h5r_check(file));
    OK(h5r_close(file));
    file = old_file("datasets.h5");
    OK(h5r_check(file));
    h5r_object *dataset = NULL;
    float back[5];
    double value = 0;
    OK(h5r_object_open(h5r_root(file), "compact", &dataset));
    OK(h5r_dataset_read(dataset, H5R_F32, NULL, back));
    CHECK(back[3] == 2.5f && back[4] == 9);
    OK(h5r_object_close(dataset));
    OK(h5r_object_open(h5r_root(file), "scalar", &dataset));
    OK(h5r_dataset_read(dataset, H5R_F64, NULL, &value));
    CHECK(value == 6.5);
    OK(h5r_close(file));
    return 0;
}
