#include "backend.h"

#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static h5r_file *file;
static h5r_object *dataset, *group;

static void checked(h5r_status status, const char *call)
{
    if (status != H5R_OK) {
        fprintf(stderr, "h5r: %s: %s: %s\n", call, h5r_status_name(status), h5r_last_error());
        exit(1);
    }
}
#define CHECK(call) checked((call), #call)

void backend_create(const char *path)
{
    const uint64_t dims[1] = {1};
    CHECK(h5r_create(path, NULL, &file));
    CHECK(h5r_dataset_create(h5r_root(file), "data", H5R_I32, 1, dims, NULL, &dataset));
    CHECK(h5r_group_create(h5r_root(file), "members", NULL, &group));
}

/* "unguarded" and "power" are mode none at the other two levels of durability; the default is PROCESS.
 * Incremental is woken every millisecond: at its default interval of 5 s it would sleep through the whole work. */
void backend_set_mode(const char *mode)
{
    h5r_incremental_options incremental = H5R_INCREMENTAL_OPTIONS_INIT;
    incremental.interval_ms = 1;
    if (strcmp(mode, "unguarded") == 0) {
        CHECK(h5r_set_durability(file, H5R_DURABILITY_NONE));
    } else if (strcmp(mode, "power") == 0) {
        CHECK(h5r_set_durability(file, H5R_DURABILITY_POWER));
    } else if (strcmp(mode, "none") == 0) {
        CHECK(h5r_set_none(file));
    } else if (strcmp(mode, "lazy") == 0) {
        CHECK(h5r_set_lazy(file, NULL));
    } else if (strcmp(mode, "incremental") == 0) {
        CHECK(h5r_set_lazy(file, NULL));
        CHECK(h5r_set_incremental(file, &incremental));
    } else if (strcmp(mode, "smart") == 0) {
        CHECK(h5r_set_smart(file, NULL));
    } else {
        fprintf(stderr, "h5r has no mode %s\n", mode);
        exit(1);
    }
}

void backend_flush(void)
{
    CHECK(h5r_flush(file));
}

void backend_close(void)
{
    CHECK(h5r_close(file));
}

double backend_occupancy(void)
{
    h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
    CHECK(h5r_rebalance_status(file, &stats));
    return stats.occupancy;
}

void attribute_create(const char *name, int32_t value)
{
    CHECK(h5r_attr_write(dataset, name, H5R_I32, 0, NULL, &value));
}

void attribute_delete(const char *name)
{
    CHECK(h5r_attr_delete(dataset, name));
}

void soft_link_create(const char *name, int32_t value)
{
    (void)value;
    CHECK(h5r_link_create_soft(group, name, "/data"));
}

void group_create(const char *name, int32_t value)
{
    (void)value;
    CHECK(h5r_group_create(group, name, NULL, NULL));
}

void link_delete(const char *name)
{
    CHECK(h5r_link_delete(group, name));
}
