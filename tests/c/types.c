// Datatypes: made, asked, compared, stored under a name and shared.
#include "check.h"
#include <stddef.h>

struct sample {
    int32_t id;
    double value[3];
    char name[8];
    uint16_t color;
};

static h5r_type color(void) {
    h5r_type type = 0;
    const uint16_t red = 1, green = 40000;
    OK(h5r_type_enum(H5R_U16, &type));
    OK(h5r_type_enum_insert(type, "red", &red));
    OK(h5r_type_enum_insert(type, "green", &green));
    FAILS(H5R_ERR_EXISTS, h5r_type_enum_insert(type, "blue", &red));
    SAYS("'red'");
    return type;
}

static h5r_type compound(void) {
    h5r_type type = 0, array = 0, text = 0, enumeration = color();
    const uint64_t three = 3;
    OK(h5r_type_compound(sizeof(struct sample), &type));
    FAILS(H5R_ERR_ARGUMENT, h5r_type_vlen(type, &array));
    OK(h5r_type_array(H5R_F64, 1, &three, &array));
    OK(h5r_type_string(8, H5R_PAD_NULL, H5R_CHARSET_ASCII, &text));
    OK(h5r_type_insert(type, "id", offsetof(struct sample, id), H5R_I32));
    OK(h5r_type_insert(type, "value", offsetof(struct sample, value), array));
    OK(h5r_type_insert(type, "name", offsetof(struct sample, name), text));
    OK(h5r_type_insert(type, "color", offsetof(struct sample, color), enumeration));
    FAILS(H5R_ERR_RANGE, h5r_type_insert(type, "more", offsetof(struct sample, value) + 4, H5R_I8));
    FAILS(H5R_ERR_TYPE, h5r_type_insert(H5R_I8, "more", 0, H5R_I8));
    OK(h5r_type_close(array));
    OK(h5r_type_close(text));
    OK(h5r_type_close(enumeration));
    return type;
}

static void asked(void) {
    h5r_type type = compound(), member = 0, base = 0, copy = 0;
    uint64_t count = 0, index = 0, offset = 0, dims[H5R_MAX_RANK];
    size_t length = 0, rank = 0;
    int32_t number = -1;
    char text[64];
    bool is = true;
    OK(h5r_type_member_count(type, &count));
    CHECK(count == 4);
    OK(h5r_type_member_name(type, 2, text, sizeof text, &length));
    CHECK(strcmp(text, "name") == 0 && length == 4);
    OK(h5r_type_member_index(type, "color", &index));
    CHECK(index == 3);
    FAILS(H5R_ERR_NOT_FOUND, h5r_type_member_index(type, "colour", &index));
    FAILS(H5R_ERR_RANGE, h5r_type_member(type, 4, &offset, NULL));
    OK(h5r_type_member(type, 3, &offset, &member));
    CHECK(offset == offsetof(struct sample, color));
    uint16_t value = 0;
    OK(h5r_type_enum_value(member, 1, &value));
    CHECK(value == 40000);
    OK(h5r_type_base(member, &base));
    CHECK(base == H5R_U16);
    OK(h5r_type_close(member));
    OK(h5r_type_member(type, 1, NULL, &member));
    OK(h5r_type_dims(member, &rank, dims));
    CHECK(rank == 1 && dims[0] == 3);
    OK(h5r_type_base(member, &base));
    CHECK(base == H5R_F64);
    OK(h5r_type_close(member));
    OK(h5r_type_copy(type, &copy));
    OK(h5r_type_equal(type, copy, &is));
    CHECK(is);
    OK(h5r_type_is_variable(type, &is));
    CHECK(!is);
    OK(h5r_type_close(copy));
    OK(h5r_type_close(type));

    OK(h5r_type_opaque(12, "a tag", &type));
    OK(h5r_type_tag(type, text, sizeof text, NULL));
    CHECK(strcmp(text, "a tag") == 0);
    OK(h5r_type_close(type));
    OK(h5r_type_reference(H5R_REF_REGION, &type));
    OK(h5r_type_reference_kind(type, &number));
    CHECK(number == H5R_REF_REGION);
    OK(h5r_type_close(type));
    OK(h5r_type_string_variable(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, &type));
    OK(h5r_type_string_info(type, NULL, &number, &is));
    CHECK(number == H5R_CHARSET_UTF8 && is);
    OK(h5r_type_size(type, &length));
    CHECK(length == sizeof(char *));
    OK(h5r_type_close(type));
    OK(h5r_type_vlen(H5R_I16, &type));
    OK(h5r_type_is_variable(type, &is));
    CHECK(is);
    OK(h5r_type_close(type));
    OK(h5r_type_complex(H5R_F32, &type));
    OK(h5r_type_class(type, &number));
    CHECK(number == H5R_CLASS_COMPLEX);
    OK(h5r_type_close(type));
    OK(h5r_type_time(32, H5R_BYTES_BIG, &type));
    OK(h5r_type_close(type));
    FAILS(H5R_ERR_RANGE, h5r_type_time(33, H5R_BYTES_BIG, &type));
}

static void layouts(void) {
    h5r_type_layout layout = H5R_TYPE_LAYOUT_INIT, back = H5R_TYPE_LAYOUT_INIT;
    h5r_type type = 0;
    layout.size = 4;
    layout.order = H5R_BYTES_BIG;
    layout.offset = 5;
    layout.precision = 17;
    layout.high_pad = 1;
    layout.is_signed = 1;
    OK(h5r_type_integer(&layout, &type));
    OK(h5r_type_get_layout(type, &back));
    CHECK(memcmp(&layout, &back, sizeof back) == 0);
    OK(h5r_type_close(type));
    layout.precision = 28;
    FAILS(H5R_ERR_RANGE, h5r_type_integer(&layout, &type));
    OK(h5r_type_get_layout(H5R_F32, &layout));
    CHECK(layout.exponent_size == 8 && layout.mantissa_size == 23 && layout.exponent_bias == 127);
    CHECK(layout.normalization == H5R_NORM_IMPLIED && layout.sign_position == 31);
    OK(h5r_type_float(&layout, &type));
    CHECK(type == H5R_F32);
    layout.exponent_position = 20;
    FAILS(H5R_ERR_ARGUMENT, h5r_type_float(&layout, &type));
}

static void committed(h5r_object *root) {
    h5r_type type = compound(), named = 0, again = 0;
    h5r_object *object = NULL, *dataset = NULL;
    const uint64_t two = 2;
    int32_t kind = -1;
    bool is = false;
    const struct sample samples[2] = {{1, {1, 2, 3}, "first", 1}, {-2, {4, 5, 6}, "second", 40000}};
    struct sample back[2];
    memset(back, 0, sizeof back);
    OK(h5r_type_commit(root, "types/sample", type, &object));
    FAILS(H5R_ERR_EXISTS, h5r_type_commit(root, "types/sample", type, NULL));
    OK(h5r_object_kind(object, &kind));
    CHECK(kind == H5R_KIND_TYPE);
    OK(h5r_object_type(object, &named));
    OK(h5r_type_equal(type, named, &is));
    CHECK(is);
    OK(h5r_type_is_committed(named, &is));
    CHECK(is);
    OK(h5r_dataset_create(root, "samples", named, 1, &two, NULL, &dataset));
    OK(h5r_dataset_write(dataset, type, NULL, samples));
    OK(h5r_attr_write(dataset, "first", named, 0, NULL, samples));
    OK(h5r_object_type(dataset, &again));
    OK(h5r_type_is_committed(again, &is));
    CHECK(is);
    OK(h5r_type_close(again));
    // The link is deleted; what shares the type keeps it.
    OK(h5r_link_delete(root, "types/sample"));
    OK(h5r_dataset_read(dataset, type, NULL, back));
    CHECK(back[1].id == -2 && back[1].value[2] == 6 && strcmp(back[1].name, "second") == 0 && back[1].color == 40000);
    OK(h5r_attr_type(dataset, "first", &again));
    OK(h5r_type_equal(type, again, &is));
    CHECK(is);
    FAILS(H5R_ERR_WRONG_KIND, h5r_object_type(root, &named));
    OK(h5r_object_close(dataset));
    OK(h5r_type_close(again));
    OK(h5r_type_close(named));
    OK(h5r_type_close(type));
}

static void variable(h5r_object *root) {
    h5r_type text = 0, numbers = 0, record = 0;
    h5r_object *dataset = NULL;
    const uint64_t three = 3;
    const char *texts[3] = {"first", NULL, ""};
    char *back[3] = {NULL, NULL, NULL};
    int16_t values[4] = {1, -2, 3, -4};
    struct {
        char *name;
        h5r_vlen data;
    } pairs[3] = {{NULL, {4, values}}, {NULL, {0, NULL}}, {NULL, {1, values + 3}}}, read[3];
    char word[] = "word";
    pairs[2].name = word;
    OK(h5r_type_string_variable(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, &text));
    OK(h5r_type_vlen(H5R_I16, &numbers));
    OK(h5r_type_compound(sizeof pairs[0], &record));
    OK(h5r_type_insert(record, "name", 0, text));
    OK(h5r_type_insert(record, "data", sizeof(char *), numbers));
    OK(h5r_attr_write(root, "texts", text, 1, &three, texts));
    OK(h5r_attr_read(root, "texts", text, back, sizeof back));
    CHECK(strcmp(back[0], "first") == 0 && back[1] == NULL && back[2][0] == '\0');
    OK(h5r_vlen_release(text, 3, back));
    CHECK(back[0] == NULL && back[2] == NULL);
    OK(h5r_vlen_release(text, 3, back));
    OK(h5r_dataset_create(root, "records", record, 1, &three, NULL, &dataset));
    for (int round = 0; round < 3; round++) {
        OK(h5r_dataset_write(dataset, record, NULL, pairs));
        OK(h5r_dataset_read(dataset, record, NULL, read));
        CHECK(read[0].name == NULL && read[0].data.length == 4 && ((int16_t *)read[0].data.data)[1] == -2);
        CHECK(read[1].data.length == 0 && read[1].data.data == NULL);
        CHECK(strcmp(read[2].name, "word") == 0 && *(int16_t *)read[2].data.data == -4);
        OK(h5r_vlen_release(record, 3, read));
        pairs[0].data.length = 4;
    }
    FAILS(H5R_ERR_TYPE, h5r_dataset_read(dataset, text, NULL, back));
    FAILS(H5R_ERR_TYPE, h5r_attr_read(root, "texts", numbers, read, sizeof read));
    OK(h5r_link_delete(root, "records"));
    OK(h5r_attr_delete(root, "texts"));
    OK(h5r_object_close(dataset));
    OK(h5r_type_close(record));
    OK(h5r_type_close(numbers));
    OK(h5r_type_close(text));
}

int main(void) {
    h5r_file *file = new_file("types.h5");
    variable(h5r_root(file));
    asked();
    layouts();
    committed(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    return 0;
}
