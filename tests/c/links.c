// Groups and links: nested creation, hard and soft links, move, delete, iteration, and what deleting frees.
#include "check.h"

static bool link_exists(h5r_object *loc, const char *path) {
    bool exists = false;
    OK(h5r_link_exists(loc, path, &exists));
    return exists;
}

static uint64_t link_count(h5r_object *group) {
    uint64_t count = UINT64_MAX;
    OK(h5r_link_count(group, &count));
    return count;
}

static int32_t kind_of(h5r_object *object) {
    int32_t kind = -1;
    OK(h5r_object_kind(object, &kind));
    return kind;
}

static void groups(h5r_object *root) {
    h5r_object *deep = NULL, *middle = NULL;
    OK(h5r_group_create(root, "a/b/c", NULL, &deep));
    FAILS(H5R_ERR_EXISTS, h5r_group_create(root, "/a/b", NULL, NULL));
    SAYS("a/b");
    OK(h5r_object_open(root, "/a/b", &middle));
    CHECK(kind_of(middle) == H5R_KIND_GROUP && link_count(middle) == 1);
    OK(h5r_group_create(middle, "/absolute", NULL, NULL));
    CHECK(link_exists(root, "absolute") && link_exists(middle, "/a") && !link_exists(middle, "a"));
    CHECK(!link_exists(root, "a/x/y"));
    const uint64_t dims[1] = {2};
    OK(h5r_dataset_create(deep, "d", H5R_I32, 1, dims, NULL, NULL));
    FAILS(H5R_ERR_WRONG_KIND, h5r_group_create(deep, "d/below", NULL, NULL));
    OK(h5r_object_close(middle));
    OK(h5r_object_close(deep));
}

static void hard_and_soft(h5r_object *root) {
    h5r_object *target = NULL, *other = NULL, *through = NULL;
    OK(h5r_group_create(root, "target", NULL, &target));
    write_int(target, "mark", 77);
    OK(h5r_link_create_hard(root, "links/hard", target));
    OK(h5r_link_create_soft(root, "links/soft", "/target"));
    OK(h5r_link_create_soft(root, "links/dangling", "/nowhere"));
    FAILS(H5R_ERR_EXISTS, h5r_link_create_soft(root, "links/soft", "/a"));
    OK(h5r_object_open(root, "links/soft", &through));
    CHECK(read_int(through, "mark") == 77);
    OK(h5r_object_close(through));
    CHECK(link_exists(root, "links/dangling"));
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_open(root, "links/dangling", &other));
    h5r_link_details info = H5R_LINK_DETAILS_INIT;
    OK(h5r_link_info(root, "links/hard", &info));
    CHECK(info.kind == H5R_LINK_HARD && info.creation_order == H5R_NO_CREATION_ORDER);
    OK(h5r_link_info(root, "links/soft", &info));
    CHECK(info.kind == H5R_LINK_SOFT);
    FAILS(H5R_ERR_NOT_FOUND, h5r_link_info(root, "links/none", &info));
    char path[32];
    size_t length = 0;
    OK(h5r_link_target(root, "links/soft", path, sizeof path, &length));
    CHECK(length == 7 && strcmp(path, "/target") == 0);
    FAILS(H5R_ERR_WRONG_KIND, h5r_link_target(root, "links/hard", path, sizeof path, &length));
    // The object lives as long as one hard link leads to it.
    OK(h5r_link_delete(root, "target"));
    OK(h5r_object_open(root, "links/hard", &other));
    CHECK(read_int(other, "mark") == 77);
    OK(h5r_object_close(other));
    OK(h5r_object_close(target));
    OK(h5r_link_delete(root, "links/hard"));
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_open(root, "links/soft", &other));
    h5r_file *elsewhere = new_file("elsewhere.h5");
    FAILS(H5R_ERR_ARGUMENT, h5r_link_create_hard(root, "foreign", h5r_root(elsewhere)));
    // No hard link leads to another file; others may move there.
    FAILS(H5R_ERR_ARGUMENT, h5r_link_move(root, "links", h5r_root(elsewhere), "a"));
    OK(h5r_link_move(root, "links/soft", h5r_root(elsewhere), "a"));
    CHECK(!link_exists(root, "links/soft") && link_exists(h5r_root(elsewhere), "a"));
    OK(h5r_close(elsewhere));
}

static void moves(h5r_object *root) {
    h5r_object *from = NULL, *to = NULL, *moved = NULL;
    OK(h5r_group_create(root, "from/x", NULL, &from));
    write_int(from, "mark", 5);
    OK(h5r_object_close(from));
    OK(h5r_group_create(root, "to", NULL, &to));
    OK(h5r_link_move(root, "from/x", to, "new/place"));
    CHECK(!link_exists(root, "from/x") && link_exists(root, "to/new/place"));
    OK(h5r_link_move(to, "new/place", NULL, "there"));
    OK(h5r_object_open(root, "to/there", &moved));
    CHECK(read_int(moved, "mark") == 5);
    OK(h5r_group_create(root, "to/taken", NULL, NULL));
    FAILS(H5R_ERR_EXISTS, h5r_link_move(to, "there", NULL, "taken"));
    FAILS(H5R_ERR_NOT_FOUND, h5r_link_move(to, "absent", NULL, "x"));
    CHECK(link_exists(to, "there"));
    OK(h5r_object_close(moved));
    OK(h5r_object_close(to));
}

static int32_t in_order(const char *name, void *user_data) {
    int *next = (int *)user_data;
    char expected[16];
    snprintf(expected, sizeof expected, "link%04d", *next);
    if (strcmp(name, expected) != 0) return -1;
    ++*next;
    return 0;
}

static void many(h5r_object *root) {
    enum { LINKS = 500 };
    char name[16];
    h5r_group_options options = H5R_GROUP_OPTIONS_INIT;
    h5r_object *group = NULL;
    options.links.creation_order = H5R_CREATION_ORDER_INDEXED;
    OK(h5r_group_create(root, "many", &options, &group));
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "link%04d", i);
        OK(h5r_link_create_soft(group, name, "/a"));
    }
    CHECK(link_count(group) == LINKS);
    int next = 0;
    OK(h5r_link_iterate(group, H5R_ORDER_NAME, in_order, &next));
    CHECK(next == LINKS);
    next = 0;
    OK(h5r_link_iterate(group, H5R_ORDER_CREATION, in_order, &next));
    CHECK(next == LINKS);
    FAILS(H5R_ERR_CALLBACK, h5r_link_iterate(group, H5R_ORDER_NAME_REVERSE, in_order, &next));
    for (int i = LINKS - 1; i >= 100; i--) {
        snprintf(name, sizeof name, "link%04d", i);
        OK(h5r_link_delete(group, name));
    }
    CHECK(link_count(group) == 100);
    next = 0;
    OK(h5r_link_iterate(group, H5R_ORDER_CREATION, in_order, &next));
    CHECK(next == 100);
    h5r_link_details info = H5R_LINK_DETAILS_INIT;
    OK(h5r_link_info(group, "link0042", &info));
    CHECK(info.creation_order == 42);
    OK(h5r_object_close(group));
}

typedef struct {
    h5r_object *root;
    char paths[16][32];
    int count;
} visited;

static int32_t remember(const char *path, int32_t kind, void *user_data) {
    visited *all = (visited *)user_data;
    snprintf(all->paths[all->count++], sizeof all->paths[0], "%s%s", path, kind == H5R_KIND_DATASET ? "*" : "");
    // What a visit deletes is not visited, and a call back into the file works.
    if (strcmp(path, "a") == 0) OK(h5r_link_delete(all->root, "visited/b"));
    return strcmp(path, "stop") == 0;
}

static int32_t refuse(const char *path, int32_t kind, void *user_data) {
    (void)path, (void)kind, (void)user_data;
    return -1;
}

static void walking(h5r_object *root) {
    visited all;
    h5r_object *group = NULL, *a = NULL;
    const uint64_t dims[1] = {6};
    const int32_t data[6] = {0};
    all.root = root;
    all.count = 0;
    OK(h5r_group_create(root, "visited", NULL, &group));
    OK(h5r_group_create(group, "a/deep", NULL, NULL));
    OK(h5r_object_open(group, "a", &a));
    OK(h5r_link_create_hard(a, "up", group));
    OK(h5r_link_create_hard(group, "again", a));
    OK(h5r_link_delete(group, "again"));
    OK(h5r_group_create(group, "b", NULL, NULL));
    OK(h5r_link_create_soft(group, "c", "a"));
    h5r_object *dataset = NULL;
    OK(h5r_dataset_create(group, "d", H5R_I32, 1, dims, NULL, &dataset));
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, data));
    OK(h5r_object_close(dataset));
    OK(h5r_group_create(group, "stop/further", NULL, NULL));
    OK(h5r_object_visit(group, H5R_ORDER_NAME, remember, &all));
    const char *expected[] = {".", "a", "a/deep", "d*", "stop"};
    CHECK(all.count == 5);
    for (int i = 0; i < 5; i++) CHECK(strcmp(all.paths[i], expected[i]) == 0);
    FAILS(H5R_ERR_CALLBACK, h5r_object_visit(group, H5R_ORDER_NAME, refuse, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_visit(group, H5R_ORDER_NAME, NULL, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_object_visit(group, H5R_ORDER_CREATION, remember, &all));

    h5r_object_details info = H5R_OBJECT_DETAILS_INIT, same = H5R_OBJECT_DETAILS_INIT;
    OK(h5r_object_info(group, NULL, &info));
    CHECK(info.kind == H5R_KIND_GROUP && info.link_count == 4 && info.references == 2 && info.attribute_count == 0);
    CHECK(info.header_bytes > 0 && info.index_bytes == 0 && info.heap_bytes == 0 && info.raw_bytes == 0);
    CHECK(info.birth_time != H5R_NO_TIME && info.change_time >= info.birth_time);
    OK(h5r_object_info(group, "c/up", &same));
    CHECK(same.address == info.address);
    OK(h5r_object_info(group, "d", &info));
    CHECK(info.kind == H5R_KIND_DATASET && info.raw_bytes == 24 && info.link_count == 0);
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_info(group, "b", &info));
    OK(h5r_object_info(root, "many", &info));
    CHECK(info.link_count == 100 && info.index_bytes > 0 && info.heap_bytes > 0);
    OK(h5r_object_close(a));
    OK(h5r_link_delete(group, "a/up"));
    OK(h5r_object_close(group));
}

static void other_links_and_comments(h5r_object *root) {
    h5r_object *group = NULL;
    h5r_link_details info = H5R_LINK_DETAILS_INIT;
    char value[32];
    size_t length = 0;
    OK(h5r_link_create_external(root, "outside/external", "other.h5", "/there"));
    OK(h5r_link_info(root, "outside/external", &info));
    CHECK(info.kind == H5R_LINK_EXTERNAL && info.user_type == 0 && info.charset == H5R_CHARSET_ASCII);
    OK(h5r_link_value(root, "outside/external", value, sizeof value, &length));
    CHECK(length == 17 && memcmp(value, "\0other.h5\0/there", 17) == 0);
    OK(h5r_link_create_user(root, "outside/k\xc3\xb6nnen", 200, "abc", 3));
    OK(h5r_link_info(root, "outside/k\xc3\xb6nnen", &info));
    CHECK(info.kind == H5R_LINK_USER && info.user_type == 200 && info.charset == H5R_CHARSET_UTF8);
    OK(h5r_link_value(root, "outside/k\xc3\xb6nnen", NULL, 0, &length));
    CHECK(length == 3);
    FAILS(H5R_ERR_RANGE, h5r_link_create_user(root, "outside/x", 64, NULL, 0));
    FAILS(H5R_ERR_RANGE, h5r_link_create_user(root, "outside/x", 256, NULL, 0));
    FAILS(H5R_ERR_EXISTS, h5r_link_create_external(root, "outside/external", "f", "/p"));
    FAILS(H5R_ERR_NOT_FOUND, h5r_object_open(root, "outside/external", &group));
    SAYS("following external link 'external'");

    OK(h5r_object_open(root, "outside", &group));
    OK(h5r_object_comment(group, value, sizeof value, &length));
    CHECK(length == 0);
    OK(h5r_object_set_comment(group, "first"));
    OK(h5r_object_set_comment(group, "gr\xc3\xb6\xc3\x9f" "er"));
    OK(h5r_object_comment(group, value, sizeof value, &length));
    CHECK(length == 8 && strcmp(value, "gr\xc3\xb6\xc3\x9f" "er") == 0);
    OK(h5r_object_set_comment(group, NULL));
    OK(h5r_object_comment(group, NULL, 0, &length));
    CHECK(length == 0);
    OK(h5r_object_set_comment(group, "kept"));
    OK(h5r_object_close(group));
}

// An external link leads to an object whose type is named in its own file.
static void outside(void) {
    const uint64_t dims[1] = {1};
    const int32_t data[1] = {77};
    int32_t found[1] = {0};
    h5r_object *type = NULL, *dataset = NULL, *copy = NULL;
    h5r_type shared = 0;
    h5r_file *other = new_file("other_links.h5");
    OK(h5r_type_commit(h5r_root(other), "type", H5R_I32, &type));
    OK(h5r_object_type(type, &shared));
    OK(h5r_dataset_create(h5r_root(other), "d", shared, 1, dims, NULL, &dataset));
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, data));
    OK(h5r_type_close(shared));
    OK(h5r_close(other));

    h5r_file *file = new_file("outside.h5");
    OK(h5r_link_create_external(h5r_root(file), "away", "other_links.h5", "/"));
    OK(h5r_object_open(h5r_root(file), "away/d", &dataset));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, found));
    CHECK(found[0] == 77);
    const int32_t changed[1] = {78};
    OK(h5r_dataset_write(dataset, H5R_I32, NULL, changed));
    OK(h5r_group_create(h5r_root(file), "away/new/group", NULL, NULL));
    // A dataset of this file cannot share that type.
    OK(h5r_object_type(dataset, &shared));
    OK(h5r_dataset_create(h5r_root(file), "d", shared, 1, dims, NULL, &copy));
    OK(h5r_type_close(shared));
    OK(h5r_check(file));
    OK(h5r_close(file));
    FAILS(H5R_ERR_BAD_HANDLE, h5r_dataset_read(dataset, H5R_I32, NULL, found));
    other = old_file("other_links.h5");
    CHECK(link_exists(h5r_root(other), "new/group"));
    OK(h5r_object_open(h5r_root(other), "d", &dataset));
    OK(h5r_dataset_read(dataset, H5R_I32, NULL, found));
    CHECK(found[0] == 78);
    OK(h5r_close(other));
}

// Groups and datasets that come and go do not make the file grow.
static void space_comes_back(void) {
    long first = 0, last = 0;
    for (int round = 0; round < 12; round++) {
        h5r_file *file = round == 0 ? new_file("space.h5") : old_file("space.h5");
        char name[16];
        const uint64_t dims[1] = {1000};
        double data[1000] = {0};
        for (int i = 0; i < 50; i++) {
            h5r_object *dataset = NULL;
            snprintf(name, sizeof name, "d%d", i);
            OK(h5r_dataset_create(h5r_root(file), name, H5R_F64, 1, dims, NULL, &dataset));
            OK(h5r_dataset_write(dataset, H5R_F64, NULL, data));
            OK(h5r_object_close(dataset));
        }
        OK(h5r_flush(file));
        for (int i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "d%d", i);
            OK(h5r_link_delete(h5r_root(file), name));
        }
        OK(h5r_check(file));
        OK(h5r_close(file));
        FILE *plain = fopen("space.h5", "rb");
        CHECK(plain != NULL && fseek(plain, 0, SEEK_END) == 0);
        last = ftell(plain);
        if (round == 0) first = last;
        fclose(plain);
    }
    printf("file after one round: %ld bytes, after twelve: %ld\n", first, last);
    CHECK(last <= first + 4096 && last < 100000);
}

static h5r_rebalance_stats counted(h5r_file *file) {
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    OK(h5r_rebalance_status(file, &stats));
    return stats;
}

// What the statistics count, and what a program sees that was built when they did not have reads.
static void counts(void) {
    h5r_file *file = new_file("counts.h5");
    h5r_object *root = h5r_root(file);
    OK(h5r_group_create(root, "from", NULL, NULL));
    OK(h5r_group_create(root, "to", NULL, NULL));
    write_int(root, "number", 5);
    const h5r_rebalance_stats before = counted(file);
    int32_t number = 0;
    for (int i = 0; i < 7; i++) OK(h5r_attr_read(root, "number", H5R_I32, &number, sizeof number));
    CHECK(link_exists(root, "from") && !link_exists(root, "absent"));
    h5r_rebalance_stats after = counted(file);
    CHECK(after.reads - before.reads == 9 && after.updates == before.updates);
    OK(h5r_link_move(root, "from", NULL, "renamed"));
    after = counted(file);
    CHECK(after.updates - before.updates == 1);
    CHECK(after.inserts == before.inserts && after.deletes == before.deletes);
    OK(h5r_link_move(root, "renamed", NULL, "to/moved"));
    after = counted(file);
    CHECK(after.updates - before.updates == 1);
    CHECK(after.inserts - before.inserts == 1 && after.deletes - before.deletes == 1);
    CHECK(after.reads - before.reads == 9);
    after.struct_size = offsetof(h5r_rebalance_stats, reads);
    after.reads = 4711;
    OK(h5r_rebalance_status(file, &after));
    CHECK(after.reads == 4711 && after.updates - before.updates == 1);
    OK(h5r_close(file));
}

int main(void) {
    h5r_file *file = new_file("links.h5");
    groups(h5r_root(file));
    hard_and_soft(h5r_root(file));
    moves(h5r_root(file));
    many(h5r_root(file));
    walking(h5r_root(file));
    other_links_and_comments(h5r_root(file));
    OK(h5r_check(file));
    OK(h5r_close(file));
    file = old_file("links.h5");
    OK(h5r_check(file));
    CHECK(link_exists(h5r_root(file), "to/there") && link_exists(h5r_root(file), "many/link0099"));
    OK(h5r_close(file));
    outside();
    space_comes_back();
    counts();
    return 0;
}
