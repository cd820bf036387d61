// Attributes: every type and shape, replacing, renaming, iteration in every order, large values, compact and dense.
#include "check.h"

static void reopen(h5r_file **file, const char *path) {
    OK(h5r_close(*file));
    *file = old_file(path);
}

static void numbers(h5r_object *root) {
    const int8_t i8 = -5;
    const uint16_t u16 = 65535;
    const int64_t i64 = INT64_MIN;
    const float f32 = 3.25f;
    const double f64 = -1e300;
    OK(h5r_attr_write(root, "i8", H5R_I8, 0, NULL, &i8));
    OK(h5r_attr_write(root, "u16", H5R_U16, 0, NULL, &u16));
    OK(h5r_attr_write(root, "i64", H5R_I64, 0, NULL, &i64));
    OK(h5r_attr_write(root, "f32", H5R_F32, 0, NULL, &f32));
    OK(h5r_attr_write(root, "f64", H5R_F64, 0, NULL, &f64));
    const unsigned char big[4] = {0, 0, 1, 2};
    OK(h5r_attr_write(root, "big", H5R_U32_BE, 0, NULL, big));
    double d = 0;
    int16_t i16 = 0;
    uint32_t u32 = 0;
    int64_t back = 0;
    OK(h5r_attr_read(root, "i8", H5R_F64, &d, sizeof d));
    CHECK(d == -5.0);
    OK(h5r_attr_read(root, "f32", H5R_F64, &d, sizeof d));
    CHECK(d == 3.25);
    OK(h5r_attr_read(root, "f32", H5R_I16, &i16, sizeof i16));
    CHECK(i16 == 3);
    OK(h5r_attr_read(root, "u16", H5R_U32, &u32, sizeof u32));
    CHECK(u32 == 65535);
    OK(h5r_attr_read(root, "u16", H5R_I16, &i16, sizeof i16));
    CHECK(i16 == INT16_MAX);
    OK(h5r_attr_read(root, "i64", H5R_I64, &back, sizeof back));
    CHECK(back == INT64_MIN);
    OK(h5r_attr_read(root, "big", H5R_U32, &u32, sizeof u32));
    CHECK(u32 == 258);
}

static void strings(h5r_object *root) {
    h5r_type type = 0, read_type = 0;
    char text[16];
    OK(h5r_type_string(8, H5R_PAD_SPACE, H5R_CHARSET_UTF8, &type));
    OK(h5r_attr_write(root, "text", type, 0, NULL, "h\xc3\xa9llo  "));
    OK(h5r_type_string(sizeof text, H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, &read_type));
    OK(h5r_attr_read(root, "text", read_type, text, sizeof text));
    CHECK(strcmp(text, "h\xc3\xa9llo") == 0);
    h5r_attr_details info = H5R_ATTR_DETAILS_INIT;
    OK(h5r_attr_info(root, "text", &info));
    bool equal = false;
    OK(h5r_type_equal(info.type, type, &equal));
    CHECK(equal && info.type != type && info.space == H5R_SPACE_SCALAR && info.storage_size == 8);
    OK(h5r_type_close(info.type));
    OK(h5r_type_close(type));
    OK(h5r_type_close(read_type));
    int32_t number = 0;
    FAILS(H5R_ERR_TYPE, h5r_attr_read(root, "text", H5R_I32, &number, sizeof number));
}

static void shapes(h5r_object *root) {
    const double values[6] = {1, 2, 3, 4, 5, 6};
    double back[6] = {0};
    const uint64_t dims[2] = {2, 3}, none[1] = {0};
    OK(h5r_attr_write(root, "matrix", H5R_F64, 2, dims, values));
    h5r_attr_details info = H5R_ATTR_DETAILS_INIT;
    OK(h5r_attr_info(root, "matrix", &info));
    CHECK(info.rank == 2 && info.dims[0] == 2 && info.dims[1] == 3 && info.space == H5R_SPACE_SIMPLE);
    CHECK(info.type == H5R_F64 && info.storage_size == 48 && info.creation_order == H5R_NO_CREATION_ORDER);
    OK(h5r_attr_read(root, "matrix", H5R_F64, back, sizeof back));
    CHECK(memcmp(values, back, sizeof back) == 0);
    // Replaced by another shape and type, and back.
    write_int(root, "matrix", 11);
    CHECK(read_int(root, "matrix") == 11);
    OK(h5r_attr_write(root, "matrix", H5R_F64, 2, dims, values));
    OK(h5r_attr_read(root, "matrix", H5R_F64, back, sizeof back));
    CHECK(memcmp(values, back, sizeof back) == 0);
    OK(h5r_attr_write(root, "empty", H5R_F64, 1, none, NULL));
    OK(h5r_attr_info(root, "empty", &info));
    CHECK(info.rank == 1 && info.dims[0] == 0 && info.storage_size == 0);
    OK(h5r_attr_read(root, "empty", H5R_F64, NULL, 0));
    OK(h5r_attr_write_null(root, "null", H5R_I16));
    OK(h5r_attr_info(root, "null", &info));
    CHECK(info.space == H5R_SPACE_NULL && info.rank == 0 && info.type == H5R_I16);
    back[0] = 8;
    OK(h5r_attr_read(root, "null", H5R_F64, back, sizeof back));
    CHECK(back[0] == 8);
}

static void large(h5r_object *root) {
    const uint64_t count = 200000;
    double *values = (double *)malloc(count * sizeof *values), *back = (double *)calloc(count, sizeof *back);
    for (uint64_t i = 0; i < count; i++) values[i] = (double)i / 3;
    OK(h5r_attr_write(root, "large", H5R_F64, 1, &count, values));
    OK(h5r_attr_read(root, "large", H5R_F64, back, count * sizeof *back));
    CHECK(memcmp(values, back, count * sizeof *back) == 0);
    free(values);
    free(back);
}

static void check_large(h5r_object *root) {
    double *back = (double *)calloc(200000, sizeof *back);
    OK(h5r_attr_read(root, "large", H5R_F64, back, 200000 * sizeof *back));
    for (int i = 0; i < 200000; i++) CHECK(back[i] == (double)i / 3);
    free(back);
}

struct names {
    int count;
    char list[64][16];
    int stop_after;
    int32_t answer;
};

static int32_t collect(const char *name, void *user_data) {
    struct names *names = (struct names *)user_data;
    snprintf(names->list[names->count++], sizeof names->list[0], "%s", name);
    return names->count == names->stop_after ? names->answer : 0;
}

static void orders(h5r_object *root) {
    h5r_group_options options = H5R_GROUP_OPTIONS_INIT;
    options.attributes.creation_order = H5R_CREATION_ORDER_INDEXED;
    h5r_object *group = NULL;
    OK(h5r_group_create(root, "ordered", &options, &group));
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "n%02d", (i * 7) % 40);
        write_int(group, name, i);
    }
    const int32_t all[] = {H5R_ORDER_NATIVE, H5R_ORDER_NAME, H5R_ORDER_NAME_REVERSE, H5R_ORDER_CREATION,
                           H5R_ORDER_CREATION_REVERSE};
    for (int k = 0; k < 5; k++) {
        struct names names;
        memset(&names, 0, sizeof names);
        OK(h5r_attr_iterate(group, all[k], collect, &names));
        CHECK(names.count == 40);
        for (int i = 0; i < 40; i++) {
            int expected = i;
            if (all[k] == H5R_ORDER_NATIVE) continue;
            if (all[k] == H5R_ORDER_NAME_REVERSE) expected = 39 - i;
            if (all[k] == H5R_ORDER_CREATION) expected = (i * 7) % 40;
            if (all[k] == H5R_ORDER_CREATION_REVERSE) expected = ((39 - i) * 7) % 40;
            snprintf(name, sizeof name, "n%02d", expected);
            CHECK(strcmp(names.list[i], name) == 0);
        }
    }
    h5r_attr_details info = H5R_ATTR_DETAILS_INIT;
    OK(h5r_attr_info(group, "n14", &info));
    CHECK(info.creation_order == 2);
    struct names names;
    memset(&names, 0, sizeof names);
    names.stop_after = 3;
    names.answer = 1;
    OK(h5r_attr_iterate(group, H5R_ORDER_NAME, collect, &names));
    CHECK(names.count == 3);
    memset(&names, 0, sizeof names);
    names.stop_after = 5;
    names.answer = -9;
    FAILS(H5R_ERR_CALLBACK, h5r_attr_iterate(group, H5R_ORDER_NAME, collect, &names));
    SAYS("-9");
    CHECK(names.count == 5);
    memset(&names, 0, sizeof names);
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_iterate(root, H5R_ORDER_CREATION, collect, &names));
    CHECK(names.count == 0);
    OK(h5r_object_close(group));
}

// Up over the threshold into dense storage, and down again.
static void up_and_down(h5r_object *root) {
    char name[16];
    h5r_object *group = NULL;
    OK(h5r_group_create(root, "updown", NULL, &group));
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 30; i++) {
            snprintf(name, sizeof name, "u%d", i);
            write_int(group, name, i + round);
            CHECK(attr_count(group) == (uint64_t)i + 1);
        }
        OK(h5r_attr_rename(group, "u29", "renamed"));
        FAILS(H5R_ERR_EXISTS, h5r_attr_rename(group, "renamed", "u3"));
        CHECK(read_int(group, "renamed") == 29 + round && !attr_exists(group, "u29"));
        OK(h5r_attr_rename(group, "renamed", "u29"));
        for (int i = 29; i >= 0; i--) {
            snprintf(name, sizeof name, "u%d", i);
            CHECK(read_int(group, name) == i + round);
            OK(h5r_attr_delete(group, name));
            FAILS(H5R_ERR_NOT_FOUND, h5r_attr_delete(group, name));
            CHECK(attr_count(group) == (uint64_t)i);
        }
    }
    OK(h5r_object_close(group));
}

// Names whose hashes are equal.
static void equal_hashes(h5r_object *root) {
    char name[16];
    h5r_object *group = NULL;
    OK(h5r_group_create(root, "hashes", NULL, &group));
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "x%d", i);
        write_int(group, name, i);
    }
    write_int(group, "k061111", 61111);
    write_int(group, "k094631", 94631);
    CHECK(read_int(group, "k061111") == 61111 && read_int(group, "k094631") == 94631);
    OK(h5r_attr_delete(group, "k061111"));
    CHECK(!attr_exists(group, "k061111") && read_int(group, "k094631") == 94631);
    OK(h5r_object_close(group));
}

int main(void) {
    h5r_file *file = new_file("attributes.h5");
    numbers(h5r_root(file));
    strings(h5r_root(file));
    shapes(h5r_root(file));
    large(h5r_root(file));
    orders(h5r_root(file));
    up_and_down(h5r_root(file));
    equal_hashes(h5r_root(file));
    OK(h5r_check(file));
    reopen(&file, "attributes.h5");
    OK(h5r_check(file));
    check_large(h5r_root(file));
    numbers(h5r_root(file));
    strings(h5r_root(file));
    shapes(h5r_root(file));
    OK(h5r_close(file));
    return 0;
}
