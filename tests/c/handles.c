// Abuse of handles: NULL, closed twice, stale, foreign, of the wrong kind. Error codes, never a crash.
#include "check.h"

// Every call on an object handle, which must be refused.
static void refuse_object(h5r_object *bad) {
    const h5r_status expected = H5R_ERR_BAD_HANDLE;
    const uint64_t dims[1] = {1};
    h5r_object *out = NULL;
    int32_t value = 5;
    bool flag = false;
    uint64_t count = 7;
    size_t length = 9;
    char text[8];
    h5r_attr_details attr = H5R_ATTR_DETAILS_INIT;
    h5r_link_details link = H5R_LINK_DETAILS_INIT;
    h5r_dataset_details dataset = H5R_DATASET_DETAILS_INIT;
    FAILS(expected, h5r_group_create(bad, "g", NULL, &out));
    FAILS(expected, h5r_object_open(bad, "/", &out));
    FAILS(expected, h5r_object_kind(bad, &value));
    FAILS(expected, h5r_object_path(bad, text, sizeof text, &length));
    FAILS(expected, h5r_dataset_create(bad, "d", H5R_I32, 1, dims, NULL, &out));
    FAILS(expected, h5r_dataset_write(bad, H5R_I32, NULL, &value));
    FAILS(expected, h5r_dataset_read(bad, H5R_I32, NULL, &value));
    FAILS(expected, h5r_dataset_info(bad, &dataset));
    FAILS(expected, h5r_dataset_set_extent(bad, dims));
    FAILS(expected, h5r_dataset_append(bad, H5R_I32, 1, &value));
    FAILS(expected, h5r_attr_write(bad, "a", H5R_I32, 0, NULL, &value));
    FAILS(expected, h5r_attr_write_null(bad, "a", H5R_I32));
    FAILS(expected, h5r_attr_read(bad, "a", H5R_I32, &value, sizeof value));
    FAILS(expected, h5r_attr_info(bad, "a", &attr));
    FAILS(expected, h5r_attr_delete(bad, "a"));
    FAILS(expected, h5r_attr_rename(bad, "a", "b"));
    FAILS(expected, h5r_attr_exists(bad, "a", &flag));
    FAILS(expected, h5r_attr_count(bad, &count));
    FAILS(expected, h5r_attr_iterate(bad, H5R_ORDER_NAME, NULL, NULL));
    FAILS(expected, h5r_link_delete(bad, "l"));
    FAILS(expected, h5r_link_exists(bad, "l", &flag));
    FAILS(expected, h5r_link_move(bad, "l", NULL, "m"));
    FAILS(expected, h5r_link_create_soft(bad, "l", "m"));
    FAILS(expected, h5r_link_create_hard(bad, "l", bad));
    FAILS(expected, h5r_link_info(bad, "l", &link));
    FAILS(expected, h5r_link_target(bad, "l", text, sizeof text, &length));
    FAILS(expected, h5r_link_count(bad, &count));
    FAILS(expected, h5r_link_iterate(bad, H5R_ORDER_NAME, NULL, NULL));
    if (bad != NULL) FAILS(expected, h5r_object_close(bad));
    // Outputs are written only on success.
    CHECK(out == NULL && value == 5 && !flag && count == 7 && length == 9);
}

// Every call on a file handle, which must be refused.
static void refuse_file(h5r_file *bad) {
    const h5r_status expected = H5R_ERR_BAD_HANDLE;
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    FAILS(expected, h5r_flush(bad));
    FAILS(expected, h5r_check(bad));
    FAILS(expected, h5r_set_none(bad));
    FAILS(expected, h5r_set_lazy(bad, NULL));
    FAILS(expected, h5r_set_incremental(bad, NULL));
    FAILS(expected, h5r_set_smart(bad, NULL));
    FAILS(expected, h5r_rebalance(bad));
    FAILS(expected, h5r_rebalance_status(bad, &stats));
    CHECK(h5r_root(bad) == NULL);
    CHECK(h5r_last_error()[0] != '\0');
    if (bad != NULL) FAILS(expected, h5r_close(bad));
}

static void null_and_foreign(void) {
    static int on_no_stack[4];
    int on_stack[4] = {0};
    void *on_heap = malloc(64);
    const uintptr_t numbers[] = {1, 2, 3, 5, 7, 8, 15, 0xffff, 0x100000003, 0x100000005, UINTPTR_MAX, UINTPTR_MAX - 2,
                                 UINTPTR_MAX / 2, 0xdeadbeefcafebabf};
    refuse_file(NULL);
    refuse_object(NULL);
    OK(h5r_close(NULL));
    OK(h5r_object_close(NULL));
    OK(h5r_type_close(0));
    void *const pointers[] = {on_no_stack, on_stack, on_heap, (void *)stdout};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        refuse_file((h5r_file *)pointers[i]);
        refuse_object((h5r_object *)pointers[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        refuse_file((h5r_file *)numbers[i]);
        refuse_object((h5r_object *)numbers[i]);
    }
    free(on_heap);
}

static void wrong_kinds(void) {
    h5r_file *file = new_file("kinds.h5");
    h5r_type type = 0;
    size_t size = 0;
    OK(h5r_type_string(8, H5R_PAD_SPACE, H5R_CHARSET_ASCII, &type));
    refuse_object((h5r_object *)file);
    SAYS("of kind file");
    refuse_file((h5r_file *)h5r_root(file));
    SAYS("of kind object");
    refuse_object((h5r_object *)(uintptr_t)type);
    SAYS("of kind type");
    FAILS(H5R_ERR_BAD_HANDLE, h5r_type_size((h5r_type)(uintptr_t)file, &size));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_type_close((h5r_type)(uintptr_t)h5r_root(file)));
    OK(h5r_type_size(type, &size));
    CHECK(size == 8);
    OK(h5r_type_close(type));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_type_close(type));
    int32_t value = 1;
    FAILS(H5R_ERR_BAD_HANDLE, h5r_attr_write(h5r_root(file), "a", type, 0, NULL, &value));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_attr_write(h5r_root(file), "a", 0, 0, NULL, &value));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_attr_write(h5r_root(file), "a", 9999, 0, NULL, &value));
    CHECK(attr_count(h5r_root(file)) == 0);
    OK(h5r_close(file));
}

static void closed_twice(void) {
    h5r_file *file = new_file("twice.h5");
    h5r_object *group = NULL, *other = NULL;
    OK(h5r_group_create(h5r_root(file), "g", NULL, &group));
    OK(h5r_object_open(h5r_root(file), "g", &other));
    CHECK(group != other);
    write_int(group, "a", 1);
    OK(h5r_object_close(group));
    refuse_object(group);
    CHECK(read_int(other, "a") == 1);
    // The slot is used again under another handle; the old one stays dead.
    h5r_object *again = NULL;
    OK(h5r_object_open(h5r_root(file), "g", &again));
    CHECK(again != group);
    refuse_object(group);
    // The root's handle is lent: closing it does nothing.
    h5r_object *root = h5r_root(file);
    CHECK(root == h5r_root(file));
    OK(h5r_object_close(root));
    OK(h5r_object_close(root));
    CHECK(attr_count(root) == 0);
    // One that was opened as "/" is closed like all others.
    h5r_object *slash = NULL;
    OK(h5r_object_open(root, "/", &slash));
    CHECK(slash != root);
    OK(h5r_object_close(slash));
    refuse_object(slash);
    OK(h5r_close(file));
    refuse_file(file);
    refuse_object(root);
    refuse_object(other);
    refuse_object(again);
}

static void slots_are_reused(void) {
    h5r_file *file = new_file("slots.h5");
    h5r_object *group = NULL;
    OK(h5r_group_create(h5r_root(file), "g", NULL, NULL));
    for (int i = 0; i < 100000; i++) {
        h5r_object *previous = group;
        OK(h5r_object_open(h5r_root(file), "g", &group));
        CHECK(group != previous);
        OK(h5r_object_close(group));
    }
    enum { MANY = 20000 };
    static h5r_object *many[MANY];
    for (int i = 0; i < MANY; i++) OK(h5r_object_open(h5r_root(file), "g", &many[i]));
    write_int(many[0], "a", 42);
    CHECK(read_int(many[MANY - 1], "a") == 42);
    OK(h5r_close(file));
    for (int i = 0; i < MANY; i++) FAILS(H5R_ERR_BAD_HANDLE, h5r_object_close(many[i]));
}

// A deleted object's handle is no danger.
static void deleted_object(void) {
    h5r_file *file = new_file("deleted.h5");
    h5r_object *group = NULL;
    uint64_t count = 0;
    OK(h5r_group_create(h5r_root(file), "g", NULL, &group));
    write_int(group, "a", 1);
    OK(h5r_link_delete(h5r_root(file), "g"));
    h5r_status status = h5r_attr_count(group, &count);
    CHECK(status == H5R_ERR_NOT_FOUND || (status == H5R_OK && count == 1));
    OK(h5r_object_close(group));
    OK(h5r_group_create(h5r_root(file), "h", NULL, &group));
    CHECK(attr_count(group) == 0);
    OK(h5r_check(file));
    OK(h5r_close(file));
}

int main(void) {
    null_and_foreign();
    wrong_kinds();
    closed_twice();
    slots_are_reused();
    deleted_object();
    return 0;
}
