// Bad arguments and bad ranges: refused with the field, its value and what is accepted; and NULL outputs.
#include "check.h"

static void strings(h5r_object *root) {
    h5r_object *out = NULL;
    int32_t value = 3;
    bool flag = false;
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, NULL, H5R_I32, 0, NULL, &value));
    SAYS("name is NULL");
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, "", H5R_I32, 0, NULL, &value));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, "a\xff", H5R_I32, 0, NULL, &value));
    SAYS("UTF-8");
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, "a", H5R_I32, 0, NULL, NULL));
    SAYS("4 bytes");
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, "a", H5R_I32, 2, NULL, &value));
    SAYS("rank is 2");
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_read(root, NULL, H5R_I32, &value, sizeof value));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_exists(root, "a", NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_exists(root, NULL, &flag));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_count(root, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_delete(root, NULL));
    FAILS(H5R_ERR_NOT_FOUND, h5r_attr_delete(root, "absent"));
    SAYS("absent");
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_rename(root, "a", NULL));
    FAILS(H5R_ERR_NOT_FOUND, h5r_attr_rename(root, "absent", "b"));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_iterate(root, H5R_ORDER_NAME, NULL, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_group_create(root, NULL, NULL, &out));
    FAILS(H5R_ERR_ARGUMENT, h5r_group_create(root, "", NULL, &out));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_open(root, NULL, &out));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_open(root, "g", NULL));
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_open(root, "absent/deeper", &out));
    FAILS(H5R_ERR_ARGUMENT, h5r_link_delete(root, NULL));
    FAILS(H5R_ERR_NOT_FOUND, h5r_link_delete(root, "absent"));
    FAILS(H5R_ERR_ARGUMENT, h5r_link_create_soft(root, "s", NULL));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_link_create_hard(root, "h", NULL));
    CHECK(out == NULL && value == 3 && attr_count(root) == 0);
}

static void long_names(h5r_object *root) {
    static char name[70000];
    int32_t value = 1;
    memset(name, 'n', sizeof name - 1);
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_write(root, name, H5R_I32, 0, NULL, &value));
    name[60000] = '\0';
    OK(h5r_attr_write(root, name, H5R_I32, 0, NULL, &value));
    CHECK(read_int(root, name) == 1);
    OK(h5r_attr_delete(root, name));
}

static void ranks_and_sizes(h5r_object *root) {
    uint64_t dims[33];
    int32_t value = 0;
    for (int i = 0; i < 33; i++) dims[i] = 1;
    FAILS(H5R_ERR_RANGE, h5r_attr_write(root, "a", H5R_I32, 33, dims, &value));
    SAYS("rank 33 is outside 0..32");
    FAILS(H5R_ERR_RANGE, h5r_attr_write(root, "a", H5R_I32, SIZE_MAX, dims, &value));
    OK(h5r_attr_write(root, "a", H5R_I32, 32, dims, &value));
    OK(h5r_attr_delete(root, "a"));
    dims[0] = UINT64_MAX / 2;
    dims[1] = 4;
    FAILS(H5R_ERR_RANGE, h5r_attr_write(root, "a", H5R_I32, 2, dims, &value));
    FAILS(H5R_ERR_RANGE, h5r_dataset_create(root, "d", H5R_I32, 2, dims, NULL, NULL));
}

static int32_t count_names(const char *name, void *user_data) {
    (void)name;
    ++*(int *)user_data;
    return 0;
}

static void enumerations(h5r_object *root) {
    int calls = 0;
    FAILS(H5R_ERR_RANGE, h5r_attr_iterate(root, -1, count_names, &calls));
    SAYS("order -1 is outside 0..4");
    FAILS(H5R_ERR_RANGE, h5r_link_iterate(root, 5, count_names, &calls));
    h5r_type type = 77;
    FAILS(H5R_ERR_RANGE, h5r_type_string(0, 0, 0, &type));
    FAILS(H5R_ERR_RANGE, h5r_type_string(8, 3, 0, &type));
    SAYS("padding 3 is outside 0..2");
    FAILS(H5R_ERR_RANGE, h5r_type_string(8, 0, -1, &type));
    FAILS(H5R_ERR_RANGE, h5r_type_string(SIZE_MAX, 0, 0, &type));
    FAILS(H5R_ERR_ARGUMENT, h5r_type_string(8, 0, 0, NULL));
    CHECK(type == 77 && calls == 0);
}

static void buffers(h5r_object *root) {
    const int32_t values[3] = {1, 2, 3};
    int32_t out[3] = {9, 9, 9};
    const uint64_t dims[1] = {3};
    OK(h5r_attr_write(root, "v", H5R_I32, 1, dims, values));
    FAILS(H5R_ERR_TOO_SMALL, h5r_attr_read(root, "v", H5R_I32, out, 11));
    SAYS("12 bytes");
    FAILS(H5R_ERR_TOO_SMALL, h5r_attr_read(root, "v", H5R_I32, NULL, 0));
    FAILS(H5R_ERR_ARGUMENT, h5r_attr_read(root, "v", H5R_I32, NULL, 12));
    CHECK(out[0] == 9);
    OK(h5r_attr_read(root, "v", H5R_I32, out, sizeof out));
    CHECK(memcmp(out, values, sizeof out) == 0);
    // Variable-length outputs: capacity 0 asks for the length.
    h5r_object *group = NULL;
    char text[8];
    size_t length = 0;
    OK(h5r_group_create(root, "abc/def", NULL, &group));
    OK(h5r_object_path(group, NULL, 0, &length));
    CHECK(length == 8);
    FAILS(H5R_ERR_TOO_SMALL, h5r_object_path(group, text, sizeof text, &length));
    SAYS("9 bytes");
    char room[9];
    OK(h5r_object_path(group, room, sizeof room, NULL));
    CHECK(strcmp(room, "/abc/def") == 0);
    FAILS(H5R_ERR_ARGUMENT, h5r_object_path(group, NULL, 0, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_path(group, NULL, 9, &length));
    OK(h5r_object_close(group));
}

static void files(void) {
    h5r_file *file = NULL;
    FAILS(H5R_ERR_ARGUMENT, h5r_create(NULL, NULL, &file));
    FAILS(H5R_ERR_ARGUMENT, h5r_create("", NULL, &file));
    FAILS(H5R_ERR_ARGUMENT, h5r_create("x.h5", NULL, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_open(NULL, NULL, &file));
    FAILS(H5R_ERR_NOT_FOUND, h5r_open("no/such/file.h5", NULL, &file));
    SAYS("no/such/file.h5");
    h5r_status status = h5r_create("no/such/file.h5", NULL, &file);
    CHECK(status == H5R_ERR_NOT_FOUND || status == H5R_ERR_IO);
    FILE *plain = fopen("plain.txt", "w");
    CHECK(plain != NULL && fputs("This is not HDF5, but it is long enough to be.\n", plain) >= 0 && fclose(plain) == 0);
    FAILS(H5R_ERR_NOT_HDF5, h5r_open("plain.txt", NULL, &file));
    SAYS("plain.txt");
    CHECK(file == NULL);
}

int main(void) {
    h5r_file *file = new_file("arguments.h5");
    h5r_object *root = h5r_root(file);
    strings(root);
    long_names(root);
    ranks_and_sizes(root);
    enumerations(root);
    buffers(root);
    OK(h5r_check(file));
    OK(h5r_close(file));
    files();
    return 0;
}
