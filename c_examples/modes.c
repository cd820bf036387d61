// The same work in each rebalancing mode: 20,000 attributes, 15,000 deleted, and what becomes of the indexes and the file.
#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>

enum { ATTRIBUTES = 20000 };

static void must(h5r_status status) {
    if (status == H5R_OK) return;
    fprintf(stderr, "%s: %s\n", h5r_status_name(status), h5r_last_error());
    exit(1);
}

static void on_progress(const h5r_progress *progress, void *user_data) {
    *(uint64_t *)user_data += progress->nodes_rebalanced;
}

static void on_mode_change(const h5r_mode_change *change, void *user_data) {
    (void)user_data;
    printf("  smart chose mode %d with confidence %.2f: %s\n", (int)change->selected_mode, change->confidence,
           change->reason);
}

static void set_mode(h5r_file *file, int32_t mode, uint64_t *nodes_done) {
    h5r_lazy_options lazy = H5R_LAZY_OPTIONS_INIT;
    h5r_incremental_options incremental = H5R_INCREMENTAL_OPTIONS_INIT;
    h5r_smart_options smart = H5R_SMART_OPTIONS_INIT;
    lazy.threshold = 0.10;
    incremental.interval_ms = 10;
    incremental.progress = on_progress;
    incremental.user_data = nodes_done;
    smart.min_file_size = 64 * H5R_KIB;
    smart.on_mode_change = on_mode_change;
    if (mode == H5R_MODE_NONE) must(h5r_set_none(file));
    if (mode == H5R_MODE_LAZY || mode == H5R_MODE_INCREMENTAL) must(h5r_set_lazy(file, &lazy));
    if (mode == H5R_MODE_INCREMENTAL) must(h5r_set_incremental(file, &incremental));
    if (mode == H5R_MODE_SMART) must(h5r_set_smart(file, &smart));
}

static long size_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(1);
    const long size = ftell(file);
    fclose(file);
    return size;
}

static int run(const char *path, int32_t mode) {
    static const char *const names[] = {"none", "lazy", "incremental", "smart"};
    char name[32];
    uint64_t nodes_done = 0, count = 0;
    h5r_file *file = NULL;
    must(h5r_create(path, NULL, &file));
    for (int32_t i = 0; i < ATTRIBUTES; i++) {
        snprintf(name, sizeof name, "sensor_%05d", (int)i);
        must(h5r_attr_write(h5r_root(file), name, H5R_I32, 0, NULL, &i));
    }
    must(h5r_close(file));
    const long before = size_of(path);

    must(h5r_open(path, NULL, &file));
    set_mode(file, mode, &nodes_done);
    for (int32_t i = 0; i < ATTRIBUTES; i++) {
        if (i % 4 == 0) continue;
        snprintf(name, sizeof name, "sensor_%05d", (int)i);
        must(h5r_attr_delete(h5r_root(file), name));
    }
    if (mode == H5R_MODE_NONE) must(h5r_rebalance(file)); // none does it when it is told to
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    must(h5r_rebalance_status(file, &stats));
    must(h5r_close(file));

    must(h5r_open(path, NULL, &file));
    for (int32_t i = 0, value = -1; i < ATTRIBUTES; i += 4) {
        snprintf(name, sizeof name, "sensor_%05d", (int)i);
        must(h5r_attr_read(h5r_root(file), name, H5R_I32, &value, sizeof value));
        if (value != i) return 1;
    }
    must(h5r_attr_count(h5r_root(file), &count));
    must(h5r_check(file));
    must(h5r_close(file));
    printf("%-12s %5llu nodes, %3.0f %% full, file %ld -> %ld bytes\n", names[mode], (unsigned long long)stats.nodes,
           100 * stats.occupancy, before, size_of(path));
    return count == ATTRIBUTES / 4 ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "modes.h5";
    for (int32_t mode = H5R_MODE_NONE; mode <= H5R_MODE_SMART; mode++) {
        if (run(path, mode) != 0) return 1;
    }
    return 0;
}
