// h5r_object_copy: within a file and between two, its options, and what it refuses.
#include "check.h"

static bool exists(h5r_object *loc, const char *path) {
    bool found = false;
    OK(h5r_link_exists(loc, path, &found));
    return found;
}

static uint64_t address_of(h5r_object *loc, const char *path) {
    h5r_object *object = NULL;
    OK(h5r_object_open(loc, path, &object));
    h5r_object_details details = H5R_OBJECT_DETAILS_INIT;
    OK(h5r_object_info(object, NULL, &details));
    OK(h5r_object_close(object));
    return details.address;
}

static int32_t element(h5r_object *loc, const char *path) {
    h5r_object *dataset = NULL;
    int32_t values[3] = {0};
    OK(h5r_object_open(loc, path, &dataset));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, values));
    OK(h5r_object_close(dataset));
    return values[2];
}

static void make_source(h5r_object *root) {
    const uint64_t dims[1] = {3};
    const int32_t values[3] = {1, 2, 33};
    h5r_object *dataset = NULL;
    OK(h5r_dataset_create(root, "a/b/data", H5R_I32, 1, dims, NULL, &dataset));
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, values));
    OK(h5r_link_create_hard(root, "a/same", dataset));
    OK(h5r_link_create_soft(root, "a/soft", "/a/b"));
    write_int(dataset, "mark", 5);
    OK(h5r_object_close(dataset));
}

static void within(h5r_object *root) {
    OK(h5r_object_copy(root, "a", NULL, "x/y", NULL));
    CHECK(element(root, "/x/y/b/data") == 33 && element(root, "/x/y/same") == 33);
    CHECK(address_of(root, "x/y/same") == address_of(root, "x/y/b/data"));
    CHECK(address_of(root, "x/y/same") != address_of(root, "a/same"));
    FAILS(H5R_ERR_EXISTS, h5r_object_copy(root, "a", root, "x/y", NULL));
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_copy(root, "none", root, "x/z", NULL));
    FAILS(H5R_ERR_WRONG_KIND, h5r_object_copy(root, "a", root, "a/same/z", NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_copy(root, "a", root, "/", NULL));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_object_copy(NULL, "a", root, "z", NULL));
    CHECK(!exists(root, "x/z"));
    // Into itself: the copy has no copy.
    OK(h5r_object_copy(root, "a", root, "a/deeper/copy", NULL));
    CHECK(exists(root, "a/deeper/copy/b/data") && !exists(root, "a/deeper/copy/deeper"));
}

static void with_options(h5r_object *root) {
    h5r_copy_options options = H5R_COPY_OPTIONS_INIT;
    options.shallow = 1;
    OK(h5r_object_copy(root, "x", root, "shallow", &options));
    CHECK(exists(root, "shallow/y") && !exists(root, "shallow/y/b"));
    options.shallow = 0;
    options.expand_soft_links = 1;
    options.without_attributes = 1;
    OK(h5r_object_copy(root, "x/y", root, "expanded", &options));
    CHECK(element(root, "expanded/soft/data") == 33);
    h5r_object *dataset = NULL;
    uint64_t count = 9;
    OK(h5r_object_open(root, "expanded/same", &dataset));
    OK(h5r_attr_count(dataset, &count));
    CHECK(count == 0);
    OK(h5r_object_close(dataset));
    options.shallow = -1;
    FAILS(H5R_ERR_RANGE, h5r_object_copy(root, "x", root, "never", &options));
    SAYS("shallow");
}

int main(void) {
    h5r_file *one = NULL, *two = NULL;
    OK(h5r_create("copy_one.h5", NULL, &one));
    OK(h5r_create("copy_two.h5", NULL, &two));
    make_source(h5r_root(one));
    within(h5r_root(one));
    with_options(h5r_root(one));
    OK(h5r_object_copy(h5r_root(one), "/", h5r_root(two), "all", NULL));
    CHECK(element(h5r_root(two), "all/x/y/b/data") == 33);
    h5r_open_options read_only = H5R_OPEN_OPTIONS_INIT;
    read_only.read_only = 1;
    OK(h5r_close(two));
    OK(h5r_open("copy_two.h5", &read_only, &two));
    FAILS(H5R_ERR_READ_ONLY, h5r_object_copy(h5r_root(one), "a", h5r_root(two), "more", NULL));
    OK(h5r_object_copy(h5r_root(two), "all/a", h5r_root(one), "back", NULL));
    CHECK(element(h5r_root(one), "back/same") == 33);
    OK(h5r_close(one));
    OK(h5r_close(two));
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    OK(h5r_check_path("copy_one.h5", NULL, &report, NULL, NULL));
    CHECK(report.errors == 0 && report.leaked_bytes == 0);
    return 0;
}
