// The main job in every mode: attributes by the thousand, deleted, rebalanced, reopened, and every survivor read.
#include "check.h"

enum { ATTRIBUTES = 30000 };

static void name_of(int i, char *name) { snprintf(name, 32, "attribute_%06d", i); }

static bool survives(int i) { return i % 3 == 0; }

static void set_mode(h5r_file *file, int32_t mode) {
    if (mode == H5R_MODE_NONE) OK(h5r_set_none(file));
    if (mode == H5R_MODE_LAZY || mode == H5R_MODE_INCREMENTAL) OK(h5r_set_lazy(file, NULL));
    if (mode == H5R_MODE_INCREMENTAL) {
        h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
        options.interval_ms = 1;
        OK(h5r_set_incremental(file, &options));
    }
    if (mode == H5R_MODE_SMART) OK(h5r_set_smart(file, NULL));
}

static void check_survivors(h5r_object *object) {
    char name[32];
    uint64_t expected = 0;
    for (int i = 0; i < ATTRIBUTES; i++) {
        name_of(i, name);
        CHECK(attr_exists(object, name) == survives(i));
        if (survives(i)) CHECK(read_int(object, name) == 7 * i);
        expected += survives(i);
    }
    CHECK(attr_count(object) == expected);
}

static void run(int32_t mode) {
    char path[32], name[32];
    snprintf(path, sizeof path, "main_job_%d.h5", (int)mode);
    h5r_file *file = new_file(path);
    h5r_object *group = NULL;
    OK(h5r_group_create(h5r_root(file), "/a/b", NULL, &group));
    for (int i = 0; i < ATTRIBUTES; i++) {
        name_of(i, name);
        write_int(group, name, 7 * i);
    }
    OK(h5r_flush(file));
    set_mode(file, mode);
    for (int i = 0; i < ATTRIBUTES; i++) {
        name_of(i, name);
        if (!survives(i)) OK(h5r_attr_delete(group, name));
    }
    check_survivors(group);
    OK(h5r_check(file));
    OK(h5r_rebalance(file));
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    OK(h5r_rebalance_status(file, &stats));
    CHECK(stats.mode == mode && stats.deletes == ATTRIBUTES - ATTRIBUTES / 3);
    printf("mode %d: %llu nodes, %llu underfull, occupancy %.3f\n", (int)mode, (unsigned long long)stats.nodes,
           (unsigned long long)stats.underfull_nodes, stats.occupancy);
    CHECK(stats.underfull_nodes == 0 && stats.occupancy >= 0.9);
    check_survivors(group);
    OK(h5r_check(file));
    OK(h5r_close(file));

    file = old_file(path);
    OK(h5r_object_open(h5r_root(file), "a/b", &group));
    check_survivors(group);
    OK(h5r_check(file));
    OK(h5r_close(file));
}

int main(void) {
    for (int32_t mode = H5R_MODE_NONE; mode <= H5R_MODE_SMART; mode++) run(mode);
    return 0;
}
