/* The program that is killed, and the judge on h5r of what it left.
 *
 *   worker work FILE SEED MODE LEVEL   creates the file or goes on with it; each generation changes some attributes,
 *                                      groups and datasets, is flushed, and then printed: from then on it is promised
 *   worker check FILE SEED ro|rw       reads everything and compares it with what the generation in the file must hold;
 *                                      prints the generation
 *
 * Seed and generation determine the contents (kill.py computes them, too): in each generation some slots are touched.
 * What is not there is created; what is there is deleted, replaced or renamed. */
#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ATTRIBUTES = 160, GROUPS = 40, DATASETS = 20, SLOTS = ATTRIBUTES + GROUPS + DATASETS };
enum { NAME_ROOM = 64, VALUE_ROOM = 20000 };
enum { PURGE_EVERY = 40, REBALANCE_AT = 20 };

struct slot {
    int present, renamed;
    int32_t value; /* the generation that wrote it */
};

static uint64_t seed;
static struct slot slots[SLOTS];
static int32_t words[VALUE_ROOM];

static h5r_file *file;
static h5r_object *root, *members, *data; /* of attributes, groups, datasets */

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "worker: %s: %s\n", what, h5r_last_error());
    exit(1);
}

static void checked(h5r_status status, const char *call)
{
    if (status != H5R_OK)
        fail(call);
}
#define CHECK(call) checked((call), #call)

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15u + a * 0xBF58476D1CE4E5B9u + b * 0x94D049BB133111EBu;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* ---- one slot in the file ---- */

static h5r_object *place(int index)
{
    return index < ATTRIBUTES ? root : index < ATTRIBUTES + GROUPS ? members : data;
}

static void slot_name(int index, int renamed, char name[NAME_ROOM])
{
    snprintf(name, NAME_ROOM, "slot%03d%s", index, renamed ? " renamed" : "");
}

/* Fills `words` with the slot's value; returns how many there are. */
static uint64_t slot_value(int index, int32_t value)
{
    uint64_t random = mix((uint64_t)value, 1000 + (uint64_t)index), count = 1 + random % 20;
    if (index >= ATTRIBUTES + GROUPS)
        count = 100 + random % 2000;
    else if (index < ATTRIBUTES && random % 50 == 0)
        count = 1300 + random % 300;
    else if (index < ATTRIBUTES && random % 150 == 1)
        count = 17000 + random % 300;
    for (uint64_t i = 0; i < count; i++)
        words[i] = value * 31 + index + (int32_t)i;
    return count;
}

static void create(int index, const char *name, int32_t value)
{
    uint64_t count = slot_value(index, value);
    h5r_object *object;
    if (index < ATTRIBUTES) {
        CHECK(h5r_attr_write(root, name, H5R_I32, 1, &count, words));
        return;
    }
    if (index < ATTRIBUTES + GROUPS) {
        CHECK(h5r_group_create(members, name, NULL, &object));
        CHECK(h5r_attr_write(object, "made", H5R_I32, 1, &count, words));
        CHECK(h5r_link_create_soft(object, "soft", "/data"));
    } else {
        CHECK(h5r_dataset_create(data, name, H5R_I32, 1, &count, NULL, &object));
        CHECK(h5r_dataset_write(object, H5R_I32, NULL, words));
    }
    CHECK(h5r_object_close(object));
}

static void delete(int index, const char *name)
{
    if (index < ATTRIBUTES)
        CHECK(h5r_attr_delete(root, name));
    else
        CHECK(h5r_link_delete(place(index), name));
}

static void verify(int index, const char *name, int32_t value)
{
    static int32_t found[VALUE_ROOM];
    uint64_t count = slot_value(index, value);
    h5r_object *object = root;
    const char *attribute = name;
    if (index >= ATTRIBUTES) {
        CHECK(h5r_object_open(place(index), name, &object));
        attribute = "made";
    }
    memset(found, 0, sizeof found);
    if (index < ATTRIBUTES + GROUPS) {
        h5r_attr_details details = H5R_ATTR_DETAILS_INIT;
        CHECK(h5r_attr_info(object, attribute, &details));
        if (details.rank != 1 || details.dims[0] != count)
            fail(name);
        CHECK(h5r_attr_read(object, attribute, H5R_I32, found, sizeof found));
    } else {
        h5r_dataset_details details = H5R_DATASET_DETAILS_INIT;
        CHECK(h5r_dataset_info(object, &details));
        if (details.rank != 1 || details.dims[0] != count)
            fail(name);
        CHECK(h5r_dataset_read(object, H5R_I32, NULL, found));
    }
    if (memcmp(found, words, count * sizeof *words) != 0)
        fail(name);
    if (object != root)
        CHECK(h5r_object_close(object));
}

/* ---- generations ---- */

/* Touches a slot, in the file too when `in_file`. */
static void touch(int index, uint64_t how, int32_t generation, int in_file)
{
    struct slot *slot = &slots[index], before = *slot;
    char name[NAME_ROOM], other[NAME_ROOM];
    slot_name(index, before.renamed, name);
    slot_name(index, !before.renamed, other);
    if (!before.present) {
        *slot = (struct slot){1, (int)(how & 1), generation};
        slot_name(index, slot->renamed, name);
        if (in_file)
            create(index, name, generation);
    } else if (how / 2 % 3 == 0) {
        slot->present = 0;
        if (in_file)
            delete(index, name);
    } else if (how / 2 % 3 == 1) {
        slot->value = generation;
        if (in_file && index >= ATTRIBUTES)
            delete(index, name);
        if (in_file)
            create(index, name, generation);
    } else {
        slot->renamed = !slot->renamed;
        if (in_file && index < ATTRIBUTES)
            CHECK(h5r_attr_rename(root, name, other));
        else if (in_file)
            CHECK(h5r_link_move(place(index), name, place(index), other));
    }
}

static void advance(int32_t generation, int in_file)
{
    uint64_t g = (uint64_t)generation, touches = 1 + mix(g, 0) % 24;
    for (uint64_t i = 0; i < touches; i++)
        touch((int)(mix(g, 2 * i + 1) % SLOTS), mix(g, 2 * i + 2), generation, in_file);
    for (int i = 0; generation % PURGE_EVERY == PURGE_EVERY - 1 && i < SLOTS; i++)
        if (slots[i].present && mix(g, 5000 + (uint64_t)i) % 4 != 0)
            touch(i, 0, generation, in_file);
}

static int32_t read_generation(void)
{
    int32_t generation;
    CHECK(h5r_attr_read(root, "generation", H5R_I32, &generation, sizeof generation));
    for (int32_t g = 1; g <= generation; g++)
        advance(g, 0);
    return generation;
}

/* ---- the two programs ---- */

static void open_places(void)
{
    root = h5r_root(file);
    CHECK(h5r_object_open(root, "members", &members));
    CHECK(h5r_object_open(root, "data", &data));
}

static void set_mode(const char *mode)
{
    h5r_lazy_options lazy = H5R_LAZY_OPTIONS_INIT;
    h5r_incremental_options incremental = H5R_INCREMENTAL_OPTIONS_INIT;
    h5r_smart_options smart = H5R_SMART_OPTIONS_INIT;
    lazy.threshold = 0.01, lazy.max_delay_ms = 1, lazy.batch_size = 3;
    incremental.budget_us = 1000, incremental.interval_ms = 1;
    smart.min_file_size = 0, smart.reevaluate_ms = 5, smart.min_confidence = 0, smart.min_switch_interval_ms = 0;
    if (strcmp(mode, "lazy") == 0 || strcmp(mode, "incremental") == 0)
        CHECK(h5r_set_lazy(file, &lazy));
    if (strcmp(mode, "incremental") == 0)
        CHECK(h5r_set_incremental(file, &incremental));
    if (strcmp(mode, "smart") == 0)
        CHECK(h5r_set_smart(file, &smart));
}

static void promise(int32_t generation)
{
    char line[16];
    int length = snprintf(line, sizeof line, "%d\n", (int)generation);
    if (write(1, line, (size_t)length) != length)
        exit(1);
}

__attribute__((noreturn)) static void work(const char *path, const char *mode, const char *level)
{
    h5r_create_options create_options = H5R_CREATE_OPTIONS_INIT;
    h5r_open_options open_options = H5R_OPEN_OPTIONS_INIT;
    int32_t generation = 0;
    create_options.durability = open_options.durability =
        strcmp(level, "power") == 0 ? H5R_DURABILITY_POWER : H5R_DURABILITY_PROCESS;
    if (access(path, F_OK) == 0) {
        CHECK(h5r_open(path, &open_options, &file));
        open_places();
        generation = read_generation();
    } else {
        CHECK(h5r_create(path, &create_options, &file));
        root = h5r_root(file);
        CHECK(h5r_group_create(root, "members", NULL, &members));
        CHECK(h5r_group_create(root, "data", NULL, &data));
        CHECK(h5r_attr_write(root, "generation", H5R_I32, 0, NULL, &generation));
        CHECK(h5r_flush(file));
    }
    set_mode(mode);
    for (;;) {
        promise(generation);
        generation++;
        advance(generation, 1);
        CHECK(h5r_attr_write(root, "generation", H5R_I32, 0, NULL, &generation));
        if (generation % PURGE_EVERY == REBALANCE_AT)
            CHECK(h5r_rebalance(file));
        CHECK(h5r_flush(file));
    }
}

static void check(const char *path, int read_only)
{
    h5r_open_options options = H5R_OPEN_OPTIONS_INIT;
    uint64_t counts[3] = {1, 0, 0}, attributes, links[2];
    options.read_only = read_only;
    CHECK(h5r_open(path, &options, &file));
    CHECK(h5r_check(file));
    open_places();
    int32_t generation = read_generation();
    for (int i = 0; i < SLOTS; i++) {
        char name[NAME_ROOM];
        slot_name(i, slots[i].renamed, name);
        if (slots[i].present) {
            verify(i, name, slots[i].value);
            counts[i < ATTRIBUTES ? 0 : i < ATTRIBUTES + GROUPS ? 1 : 2]++;
        }
    }
    CHECK(h5r_attr_count(root, &attributes));
    CHECK(h5r_link_count(members, &links[0]));
    CHECK(h5r_link_count(data, &links[1]));
    if (attributes != counts[0] || links[0] != counts[1] || links[1] != counts[2])
        fail("counts");
    CHECK(h5r_close(file));
    promise(generation);
}

int main(int count, char **arguments)
{
    if (count < 5) {
        fprintf(stderr, "usage: worker work FILE SEED MODE LEVEL | worker check FILE SEED ro|rw\n");
        return 2;
    }
    seed = strtoull(arguments[3], NULL, 10);
    if (strcmp(arguments[1], "work") == 0 && count == 6)
        work(arguments[2], arguments[4], arguments[5]);
    check(arguments[2], strcmp(arguments[4], "ro") == 0);
    return 0;
}
