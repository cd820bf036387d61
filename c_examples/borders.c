/* The main job on real data: collects every attribute of every dataset of a netCDF-4 file into one catalogue object, as
 * VARIABLE:attribute with its type and shape, then deletes the entries and the datasets of every second country, in the
 * rebalancing mode asked for, and prints what that took.
 *
 *   borders FILE none|lazy|incremental|smart
 *
 * Datasets are named COUNTRY_what, as in GMT's dcw-gmt.nc. Exit code 0 when all went well. */
#include <h5r.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CATALOGUE "catalogue"

static void check(h5r_status status, const char *what) {
    if (status != H5R_OK) {
        fprintf(stderr, "borders: %s: %s: %s\n", what, h5r_status_name(status), h5r_last_error());
        exit(1);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double megabytes(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size / 1e6 : 0.0;
}

/* A list of names, as a callback collects it. */
typedef struct {
    char **names;
    size_t count, capacity;
} name_list;

static int32_t collect(const char *name, void *user_data) {
    name_list *list = user_data;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        char **grown = realloc(list->names, list->capacity * sizeof *grown);
        if (!grown) return -1;
        list->names = grown;
    }
    list->names[list->count] = malloc(strlen(name) + 1);
    if (!list->names[list->count]) return -1;
    strcpy(list->names[list->count++], name);
    return 0;
}

static void drop(name_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->names[i]);
    free(list->names);
    *list = (name_list){0};
}

/* Copies one attribute, with the type that it has in the file. */
static void copy_attribute(h5r_object *from, const char *name, h5r_object *to, const char *new_name) {
    h5r_attr_details info = H5R_ATTR_DETAILS_INIT;
    check(h5r_attr_info(from, name, &info), name);
    if (info.space == H5R_SPACE_NULL) {
        check(h5r_attr_write_null(to, new_name, info.type), new_name);
    } else {
        void *value = malloc(info.storage_size ? (size_t)info.storage_size : 1);
        if (!value) exit(1);
        check(h5r_attr_read(from, name, info.type, value, (size_t)info.storage_size), name);
        check(h5r_attr_write(to, new_name, info.type, (size_t)info.rank, info.dims, value), new_name);
        free(value);
    }
    h5r_type_close(info.type);
}

/* Every attribute of every dataset, as VARIABLE:attribute. */
static void build(h5r_object *root, h5r_object *catalogue, const name_list *datasets) {
    for (size_t i = 0; i < datasets->count; i++) {
        h5r_object *dataset;
        name_list attributes = {0};
        check(h5r_object_open(root, datasets->names[i], &dataset), datasets->names[i]);
        check(h5r_attr_iterate(dataset, H5R_ORDER_NAME, collect, &attributes), datasets->names[i]);
        for (size_t k = 0; k < attributes.count; k++) {
            char entry[512];
            snprintf(entry, sizeof entry, "%s:%s", datasets->names[i], attributes.names[k]);
            copy_attribute(dataset, attributes.names[k], catalogue, entry);
        }
        drop(&attributes);
        check(h5r_object_close(dataset), "close");
    }
}

/* Whether a name belongs to a country that goes: every second one, in the order of names. */
static int goes(const char *name, const name_list *datasets) {
    size_t length = strcspn(name, "_");
    int country = -1;
    const char *last = "";
    for (size_t i = 0; i < datasets->count; i++) {
        const char *other = datasets->names[i];
        size_t n = strcspn(other, "_");
        if (strcspn(last, "_") != n || strncmp(other, last, n) != 0) country++;
        last = other;
        if (n == length && strncmp(other, name, n) == 0) return country % 2;
    }
    return 0;
}

static void set_mode(h5r_file *file, const char *mode) {
    if (strcmp(mode, "none") == 0) {
        check(h5r_set_none(file), mode);
    } else if (strcmp(mode, "smart") == 0) {
        check(h5r_set_smart(file, NULL), mode);
    } else if (strcmp(mode, "lazy") == 0 || strcmp(mode, "incremental") == 0) {
        check(h5r_set_lazy(file, NULL), mode);
        if (mode[0] == 'i') {
            h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
            options.interval_ms = 1;
            check(h5r_set_incremental(file, &options), mode);
        }
    } else {
        fprintf(stderr, "borders: mode '%s': none, lazy, incremental or smart is needed\n", mode);
        exit(2);
    }
}

typedef struct {
    size_t count;
    double seconds, worst;
} deletions;

static void timed(deletions *all, double began) {
    double took = now() - began;
    all->count++;
    all->seconds += took;
    if (took > all->worst) all->worst = took;
}

static deletions delete_half(h5r_object *root, h5r_object *catalogue, const name_list *datasets) {
    deletions all = {0, 0.0, 0.0};
    name_list entries = {0};
    check(h5r_attr_iterate(catalogue, H5R_ORDER_NAME, collect, &entries), CATALOGUE);
    for (size_t i = 0; i < entries.count; i++) {
        if (!goes(entries.names[i], datasets)) continue;
        double began = now();
        check(h5r_attr_delete(catalogue, entries.names[i]), entries.names[i]);
        timed(&all, began);
    }
    drop(&entries);
    for (size_t i = 0; i < datasets->count; i++) {
        if (!goes(datasets->names[i], datasets)) continue;
        double began = now();
        check(h5r_link_delete(root, datasets->names[i]), datasets->names[i]);
        timed(&all, began);
    }
    return all;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: borders FILE none|lazy|incremental|smart\n");
        return 2;
    }
    const char *path = argv[1], *mode = argv[2];
    h5r_file *file;
    h5r_object *catalogue;
    name_list datasets = {0};
    uint64_t collected, left;

    check(h5r_open(path, NULL, &file), path);
    check(h5r_link_iterate(h5r_root(file), H5R_ORDER_NAME, collect, &datasets), "/");
    check(h5r_group_create(h5r_root(file), CATALOGUE, NULL, &catalogue), CATALOGUE);
    build(h5r_root(file), catalogue, &datasets);
    check(h5r_attr_count(catalogue, &collected), CATALOGUE);
    check(h5r_flush(file), "flush");
    double before = megabytes(path);

    set_mode(file, mode);
    deletions done = delete_half(h5r_root(file), catalogue, &datasets);
    double began = now();
    check(h5r_close(file), "close");
    double closing = now() - began;

    /* What was left behind, from the file itself. */
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    check(h5r_open(path, NULL, &file), path);
    check(h5r_check(file), "check");
    check(h5r_object_open(h5r_root(file), CATALOGUE, &catalogue), CATALOGUE);
    check(h5r_attr_count(catalogue, &left), CATALOGUE);
    check(h5r_rebalance_status(file, &stats), "status");
    check(h5r_close(file), "close");
    printf("%-12s %9llu %9zu %11.0f %9.3f %7llu %9.1f %% %9.3f %9.3f\n", mode, (unsigned long long)collected, done.count,
           (double)done.count / (done.seconds + closing), 1e3 * done.worst, (unsigned long long)stats.nodes,
           100.0 * stats.occupancy, before, megabytes(path));
    drop(&datasets);
    return 0;
}
