// References of every kind: made, stored in datasets and attributes, read back and followed; and what is refused.
#include "check.h"

enum { ROWS = 6, COLUMNS = 8, ROOM = 256 };

struct reference {
    int32_t kind;
    size_t length;
    unsigned char bytes[ROOM];
};

static const uint64_t dims[2] = {ROWS, COLUMNS};
static const uint64_t start[2] = {1, 2}, stride[2] = {3, 4}, count[2] = {2, 2}, block[2] = {2, 1};
static const h5r_selection part = {2, start, stride, count, block};
// The first and the last element of each block.
static const uint64_t corners[16] = {1, 2, 2, 2, 1, 6, 2, 6, 4, 2, 5, 2, 4, 6, 5, 6};
static const uint64_t points[6] = {5, 7, 0, 0, 3, 1};

static struct reference made(h5r_object *loc, const char *path, int32_t kind, const h5r_selection *selection,
                             const char *attribute) {
    struct reference result = {kind, 0, {0}};
    size_t length = 0;
    OK(h5r_reference_create(loc, path, kind, selection, attribute, NULL, 0, &length));
    CHECK(length > 0 && length <= ROOM);
    FAILS(H5R_ERR_TOO_SMALL, h5r_reference_create(loc, path, kind, selection, attribute, result.bytes, length - 1, NULL));
    OK(h5r_reference_create(loc, path, kind, selection, attribute, result.bytes, ROOM, &result.length));
    CHECK(result.length == length);
    return result;
}

static struct reference made_of_points(h5r_object *loc, const char *path, int32_t kind) {
    struct reference result = {kind, 0, {0}};
    size_t length = 0;
    OK(h5r_reference_create_points(loc, path, kind, 2, 3, points, NULL, 0, &length));
    CHECK(length > 0 && length <= ROOM);
    OK(h5r_reference_create_points(loc, path, kind, 2, 3, points, result.bytes, ROOM, &result.length));
    CHECK(result.length == length);
    return result;
}

// Follows a reference to the end: the object, its path, and the elements or the attribute.
static void leads(h5r_object *loc, const struct reference *reference, const char *path, int32_t selected,
                  const uint64_t *numbers, size_t expected, const char *attribute) {
    h5r_object *object = NULL;
    int32_t object_kind = -1, found = -1;
    char text[ROOM];
    uint64_t list[64], length = 99;
    const int32_t kind = reference->kind;
    const void *bytes = reference->bytes;
    OK(h5r_reference_open(loc, kind, bytes, reference->length, &object));
    OK(h5r_object_kind(object, &object_kind));
    CHECK(object_kind == (strcmp(path, "/a/grid") == 0 ? H5R_KIND_DATASET : H5R_KIND_GROUP));
    // Any object of the file will do.
    OK(h5r_reference_path(object, kind, bytes, reference->length, text, sizeof text, NULL));
    CHECK(strcmp(text, path) == 0);
    OK(h5r_object_close(object));
    if (selected < 0) {
        FAILS(H5R_ERR_WRONG_KIND, h5r_reference_region(loc, kind, bytes, reference->length, &found, list, 64, &length));
        CHECK(found == -1 && length == 99);
    } else {
        OK(h5r_reference_region(loc, kind, bytes, reference->length, &found, NULL, 0, &length));
        CHECK(found == selected && length == expected);
        if (expected > 0) {
            FAILS(H5R_ERR_TOO_SMALL,
                  h5r_reference_region(loc, kind, bytes, reference->length, &found, list, expected - 1, &length));
        }
        OK(h5r_reference_region(loc, kind, bytes, reference->length, &found, list, 64, &length));
        CHECK(length == expected && (expected == 0 || memcmp(list, numbers, expected * sizeof *list) == 0));
    }
    if (attribute == NULL) {
        FAILS(H5R_ERR_WRONG_KIND, h5r_reference_attribute(loc, kind, bytes, reference->length, text, sizeof text, NULL));
    } else {
        size_t name = 0;
        OK(h5r_reference_attribute(loc, kind, bytes, reference->length, text, sizeof text, &name));
        CHECK(strcmp(text, attribute) == 0 && name == strlen(attribute));
        FAILS(H5R_ERR_TOO_SMALL, h5r_reference_attribute(loc, kind, bytes, reference->length, text, name, NULL));
    }
}

static int is_old(int32_t kind) {
    return kind == H5R_REF_OBJECT || kind == H5R_REF_REGION;
}

// An element of the reference's type: of the old kinds the bytes themselves, of the others a length and a pointer.
static void stored(h5r_object *loc, const char *name, const struct reference *reference) {
    h5r_type type = 0;
    h5r_object *dataset = NULL;
    const uint64_t one = 1;
    unsigned char copy[ROOM];
    memcpy(copy, reference->bytes, reference->length);
    const h5r_vlen element = {reference->length, copy};
    const void *data = is_old(reference->kind) ? (const void *)copy : (const void *)&element;
    OK(h5r_type_reference(reference->kind, &type));
    OK(h5r_dataset_create(loc, name, type, 1, &one, NULL, &dataset));
    OK(h5r_dataset_write(dataset, type, NULL, data));
    OK(h5r_attr_write(dataset, "same", type, 0, NULL, data));
    OK(h5r_object_close(dataset));
    OK(h5r_type_close(type));
}

static struct reference unpacked(int32_t kind, const unsigned char element[16], size_t size) {
    struct reference found = {kind, size, {0}};
    if (is_old(kind)) {
        memcpy(found.bytes, element, size);
    } else {
        h5r_vlen value;
        memcpy(&value, element, sizeof value);
        CHECK(value.length <= ROOM);
        memcpy(found.bytes, value.data, value.length);
        found.length = value.length;
    }
    return found;
}

static void loaded(h5r_object *loc, const char *name, int32_t kind, struct reference found[2]) {
    h5r_type type = 0;
    h5r_object *dataset = NULL;
    size_t size = 0;
    unsigned char element[16];
    OK(h5r_type_reference(kind, &type));
    OK(h5r_type_size(type, &size));
    CHECK(size <= sizeof element);
    OK(h5r_object_open(loc, name, &dataset));
    OK(h5r_dataset_read(dataset, type, NULL, element));
    found[0] = unpacked(kind, element, size);
    OK(h5r_vlen_release(type, 1, element));
    OK(h5r_attr_read(dataset, "same", type, element, size));
    found[1] = unpacked(kind, element, size);
    OK(h5r_vlen_release(type, 1, element));
    OK(h5r_object_close(dataset));
    OK(h5r_type_close(type));
}

static void fill(h5r_object *root) {
    h5r_object *dataset = NULL;
    int32_t values[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++) values[i] = i;
    OK(h5r_group_create(root, "a", NULL, NULL));
    OK(h5r_dataset_create(root, "a/grid", H5R_I32, 2, dims, NULL, &dataset));
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
    write_int(dataset, "märk", 7);
    OK(h5r_object_close(dataset));
    const struct reference all[8] = {
        made(root, "a", H5R_REF_OBJECT, NULL, NULL),
        made(root, "a/grid", H5R_REF_STANDARD_OBJECT, NULL, ""),
        made(root, "a/grid", H5R_REF_REGION, &part, NULL),
        made(root, "a/grid", H5R_REF_STANDARD_REGION, &part, NULL),
        made_of_points(root, "a/grid", H5R_REF_REGION),
        made_of_points(root, "a/grid", H5R_REF_STANDARD_REGION),
        made(root, "a/grid", H5R_REF_STANDARD_REGION, NULL, NULL),
        made(root, "a/grid", H5R_REF_STANDARD_ATTR, NULL, "märk"),
    };
    CHECK(all[0].length == 8 && all[2].length == 12);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%d", i);
        stored(root, name, &all[i]);
    }
}

static void follow(h5r_object *root) {
    static const struct {
        int32_t kind;
        const char *path;
        int32_t selected;
        const uint64_t *numbers;
        size_t count;
        const char *attribute;
    } all[8] = {
        {H5R_REF_OBJECT, "/a", -1, NULL, 0, NULL},
        {H5R_REF_STANDARD_OBJECT, "/a/grid", -1, NULL, 0, NULL},
        {H5R_REF_REGION, "/a/grid", H5R_SELECTED_BLOCKS, corners, 16, NULL},
        {H5R_REF_STANDARD_REGION, "/a/grid", H5R_SELECTED_BLOCKS, corners, 16, NULL},
        {H5R_REF_REGION, "/a/grid", H5R_SELECTED_POINTS, points, 6, NULL},
        {H5R_REF_STANDARD_REGION, "/a/grid", H5R_SELECTED_POINTS, points, 6, NULL},
        {H5R_REF_STANDARD_REGION, "/a/grid", H5R_SELECTED_ALL, NULL, 0, NULL},
        {H5R_REF_STANDARD_ATTR, "/a/grid", -1, NULL, 0, "märk"},
    };
    for (int i = 0; i < 8; i++) {
        char name[16];
        struct reference found[2];
        snprintf(name, sizeof name, "r%d", i);
        loaded(root, name, all[i].kind, found);
        for (int j = 0; j < 2; j++) {
            leads(root, &found[j], all[i].path, all[i].selected, all[i].numbers, all[i].count, all[i].attribute);
        }
    }
}

static void refusals(h5r_object *root) {
    unsigned char bytes[ROOM] = {0};
    size_t length = 77;
    h5r_object *object = NULL;
    const uint64_t far[2] = {6, 0}, outside_start[2] = {5, 0}, outside_count[2] = {2, 1};
    const h5r_selection outside = {2, outside_start, NULL, outside_count, NULL};
    FAILS(H5R_ERR_RANGE, h5r_reference_create(root, "a/grid", H5R_REF_REGION, &outside, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create(root, "a/grid", H5R_REF_OBJECT, &part, NULL, bytes, ROOM, &length));
    SAYS("a selection");
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create(root, "a/grid", H5R_REF_REGION, NULL, "märk", bytes, ROOM, &length));
    FAILS(H5R_ERR_WRONG_KIND, h5r_reference_create(root, "a", H5R_REF_REGION, NULL, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_NOT_FOUND, h5r_reference_create(root, "absent", H5R_REF_OBJECT, NULL, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_NOT_FOUND,
          h5r_reference_create(root, "a/grid", H5R_REF_STANDARD_ATTR, NULL, "absent", bytes, ROOM, &length));
    FAILS(H5R_ERR_RANGE, h5r_reference_create(root, "a", 99, NULL, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create(root, NULL, H5R_REF_OBJECT, NULL, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create(root, "a", H5R_REF_OBJECT, NULL, NULL, NULL, 0, NULL));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_reference_create(NULL, "a", H5R_REF_OBJECT, NULL, NULL, bytes, ROOM, &length));

    const int32_t region = H5R_REF_STANDARD_REGION;
    FAILS(H5R_ERR_RANGE, h5r_reference_create_points(root, "a/grid", region, 2, 1, far, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create_points(root, "a/grid", region, 1, 2, points, bytes, ROOM, &length));
    SAYS("rank 2");
    FAILS(H5R_ERR_RANGE, h5r_reference_create_points(root, "a/grid", region, 33, 1, points, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create_points(root, "a/grid", region, 2, 1, NULL, bytes, ROOM, &length));
    FAILS(H5R_ERR_RANGE, h5r_reference_create_points(root, "a/grid", region, 2, SIZE_MAX, points, bytes, ROOM, &length));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_create_points(root, "a/grid", H5R_REF_OBJECT, 2, 1, points, bytes, ROOM, &length));
    FAILS(H5R_ERR_WRONG_KIND, h5r_reference_create_points(root, "a", region, 2, 1, points, bytes, ROOM, &length));
    CHECK(length == 77);

    FAILS(H5R_ERR_NOT_FOUND, h5r_reference_open(root, H5R_REF_OBJECT, bytes, 8, &object));
    SAYS("null");
    FAILS(H5R_ERR_RANGE, h5r_reference_open(root, H5R_REF_OBJECT, bytes, 7, &object));
    FAILS(H5R_ERR_NOT_FOUND, h5r_reference_open(root, H5R_REF_REGION, bytes, 12, &object));
    FAILS(H5R_ERR_NOT_FOUND, h5r_reference_open(root, H5R_REF_STANDARD_OBJECT, NULL, 0, &object));
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_open(root, H5R_REF_OBJECT, NULL, 8, &object));
    const struct reference attribute = made(root, "a/grid", H5R_REF_STANDARD_ATTR, NULL, "märk");
    FAILS(H5R_ERR_ARGUMENT, h5r_reference_open(root, region, attribute.bytes, attribute.length, &object));
    for (size_t cut = 1; cut < attribute.length; cut++) {
        FAILS(H5R_ERR_CORRUPT, h5r_reference_open(root, H5R_REF_STANDARD_ATTR, attribute.bytes, cut, &object));
    }
    CHECK(object == NULL);
    const struct reference gone = made(root, "a", H5R_REF_OBJECT, NULL, NULL);
    OK(h5r_link_delete(root, "a"));
    CHECK(h5r_reference_open(root, H5R_REF_OBJECT, gone.bytes, gone.length, &object) != H5R_OK && object == NULL);
}

int main(void) {
    h5r_file *file = new_file("references.h5");
    fill(h5r_root(file));
    follow(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    file = old_file("references.h5");
    follow(h5r_root(file));
    refusals(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    return 0;
}
