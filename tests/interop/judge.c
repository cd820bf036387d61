/* judge BACKEND FILE STEP... : one process of the interop matrix.
 *
 * BACKEND is the path of a libhdf5 shared library, or "h5r" for the program built with judge_h5r.c. What the file must
 * contain is kept beside it, in FILE.model, and follows every change; names and values are functions of small numbers,
 * so that a file written by one backend can be judged by every other.
 *
 * Steps: create:N:TRACKED:FORMAT   a new file with N attributes and N links (TRACKED 0|1: creation order, indexed;
 *                                  FORMAT v18 | v110 | latest | earliest, the last by libhdf5 only | persist: v110 that
 *                                  keeps its free space)
 *        open | readonly | close | flush | rebalance | mode:MODE
 *        delete:PERCENT:ORDER      of the members alive; in-order | reverse | random | index
 *        insert:N  replace:N  rename:N
 *        snapshot:PATH             flush, then copy the file and its model
 *        verify                    every value, count, and every iteration order
 *        packed:PERCENT            flush; the index nodes are filled to PERCENT on average, none but roots below half
 * After create, flush and close the file's structure is checked (check.h); a fault ends the process. */
#define _GNU_SOURCE
#include "check.h"
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member {
    uint32_t seed; /* 0: absent */
    uint32_t kind;
    uint32_t order; /* increases with every creation */
};

struct model {
    uint32_t magic, capacity, next_order, next_seed, live[COLLECTIONS], tracked[COLLECTIONS];
    struct member *members[COLLECTIONS];
};

/* libhdf5 gives an object at most 65,535 attribute creation orders in its lifetime. */
enum {
    MODEL_MAGIC = 0x4a354822,
    BY_POSITION_CHECKS = 40,
    BY_POSITION_MAX = 2000,
    CHECK_REPEAT = 97,
    PACKED_NODES = 12,
    TRACKED_ATTRIBUTES_MAX = 20000
};

static struct model model;
static const char *path;
static const char *step = "start";
static uint64_t random_state = 88172645463325252u;
/* The file has superblock 0 and old groups, which have no external links; check.h does not know their structures. */
static int oldest;

void fail(const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s: step %s: ", path ? path : "judge", step);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        fail("out of memory");
    return memory;
}

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(((random_state >> 32) * bound) >> 32);
}

/* ---- names and values ---- */

/* The first two names have the same lookup3 hash; lengths cover the multiples of 12; some are not ASCII. */
static void member_name(uint32_t index, char name[NAME_ROOM])
{
    static const char *const patterns[] = {"a%u", "temperature_%u", "k%06u", "gr\xc3\xb6\xc3\x9f" "e_%u",
                                           "station_%05u", "with space and.dots %u"};
    if (index < 2)
        strcpy(name, index ? "k094631" : "k061111");
    else
        snprintf(name, NAME_ROOM, patterns[index % 6], index + 1000000);
}

static uint32_t member_index(const char *name)
{
    if (strcmp(name, "k061111") == 0)
        return 0;
    if (strcmp(name, "k094631") == 0)
        return 1;
    const char *digits = name + strlen(name);
    while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    uint32_t index = (uint32_t)(strtoul(digits, NULL, 10) - 1000000);
    char expected[NAME_ROOM];
    if (index >= model.capacity)
        fail("a name that was never written: %s", name);
    member_name(index, expected);
    if (strcmp(name, expected) != 0)
        fail("a name that was never written: %s", name);
    return index;
}

struct shape value_shape(unsigned kind, uint32_t seed)
{
    switch (kind) {
    case A_F64_3: return (struct shape){1, {3}, 8};
    case A_I16BE_2X3: return (struct shape){2, {2, 3}, 2};
    case A_STRING: return (struct shape){0, {0}, 1 + seed % 40};
    case A_U8_100: return (struct shape){1, {100}, 1};
    case A_HUGE: return (struct shape){1, {HUGE_BYTES}, 1};
    case A_U64BE: return (struct shape){0, {0}, 8};
    case A_NULL: return (struct shape){0, {0}, 0};
    case A_COMPOUND: return (struct shape){0, {0}, 12};
    default: return (struct shape){0, {0}, 4};
    }
}

size_t value_bytes(unsigned kind, uint32_t seed, uint8_t *bytes)
{
    struct shape shape = value_shape(kind, seed);
    size_t size = shape.element_size;
    for (size_t i = 0; i < shape.rank; i++)
        size *= (size_t)shape.dims[i];
    uint32_t state = seed * 2654435761u + kind + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(state >> 24);
        if (kind == A_STRING)
            bytes[i] = (uint8_t)('a' + bytes[i] % 26);
        if ((kind == A_F64_3 && i % 8 == 7) || (kind == A_F32 && i == 3))
            bytes[i] &= 0x3f; /* a finite number */
    }
    if (kind == A_ENUM)
        memset(bytes, 0, 4), bytes[0] = (uint8_t)(seed % 3);
    return size;
}

void soft_target(uint32_t seed, char target[NAME_ROOM])
{
    snprintf(target, NAME_ROOM, "/somewhere/%u", seed);
}

static unsigned choose_kind(enum collection collection, uint32_t seed)
{
    uint32_t draw = seed * 2246822519u >> 16;
    if (collection == LINKS) {
        if (draw % 8 == 3)
            return L_HARD;
        if (draw % 64 == 5)
            return L_GROUP;
        if (draw % 64 == 13)
            return L_DATASET;
        if (draw % 64 == 29)
            return L_BYTES;
        return draw % 64 == 21 && !backend_is_h5r && !oldest ? L_EXTERNAL : L_SOFT;
    }
    if (draw % 257 == 5)
        return A_HUGE;
    if (draw % 16 == 1 && !backend_is_h5r)
        return A_PLAIN_KINDS + draw / 16 % (A_KINDS - A_PLAIN_KINDS);
    unsigned kind = draw % 16 < A_PLAIN_KINDS ? draw % 16 : A_I32;
    return kind == A_HUGE ? A_I32 : kind;
}

/* ---- the model ---- */

static void model_save(const char *file)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.model", file);
    FILE *out = fopen(name, "wb");
    if (!out || fwrite(&model, offsetof(struct model, members), 1, out) != 1)
        fail("cannot write %s", name);
    for (int c = 0; c < COLLECTIONS; c++)
        if (fwrite(model.members[c], sizeof(struct member), model.capacity, out) != model.capacity)
            fail("cannot write %s", name);
    if (fclose(out) != 0)
        fail("cannot write %s", name);
}

static void model_load(void)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.model", path);
    FILE *in = fopen(name, "rb");
    if (!in || fread(&model, offsetof(struct model, members), 1, in) != 1 || model.magic != MODEL_MAGIC)
        fail("cannot read %s", name);
    for (int c = 0; c < COLLECTIONS; c++) {
        model.members[c] = allocate(model.capacity, sizeof(struct member));
        if (fread(model.members[c], sizeof(struct member), model.capacity, in) != model.capacity)
            fail("cannot read %s", name);
    }
    fclose(in);
}

/* Indices of the members alive (or absent), in index order. */
static uint32_t *members_where(enum collection c, int alive, uint32_t *count)
{
    uint32_t *list = allocate(model.capacity, sizeof *list);
    *count = 0;
    for (uint32_t i = 0; i < model.capacity; i++)
        if ((model.members[c][i].seed != 0) == alive)
            list[(*count)++] = i;
    return list;
}

static void shuffle(uint32_t *list, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = random_below(i), kept = list[i - 1];
        list[i - 1] = list[other];
        list[other] = kept;
    }
}

static void reverse(uint32_t *list, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t kept = list[i];
        list[i] = list[count - 1 - i];
        list[count - 1 - i] = kept;
    }
}

static void create_member(enum collection c, uint32_t index)
{
    struct member *member = &model.members[c][index];
    char name[NAME_ROOM];
    member_name(index, name);
    member->seed = ++model.next_seed;
    member->kind = choose_kind(c, member->seed);
    member->order = ++model.next_order;
    model.live[c]++;
    (c == ATTRIBUTES ? attribute_create : link_create)(name, member->kind, member->seed);
}

static void forget(enum collection c, uint32_t index)
{
    model.members[c][index].seed = 0;
    model.live[c]--;
}

/* ---- steps that change ---- */

static void step_create(const char *arguments)
{
    unsigned count, tracked;
    char format[16];
    if (sscanf(arguments, "%u:%u:%15s", &count, &tracked, format) != 3)
        fail("create:N:TRACKED:FORMAT");
    oldest = strcmp(format, "earliest") == 0;
    model = (struct model){.magic = MODEL_MAGIC, .capacity = 2 * count + 64};
    model.tracked[LINKS] = tracked;
    model.tracked[ATTRIBUTES] = tracked && count <= TRACKED_ATTRIBUTES_MAX;
    file_create(path, (int)model.tracked[ATTRIBUTES], (int)model.tracked[LINKS], format);
    for (int c = 0; c < COLLECTIONS; c++) {
        model.members[c] = allocate(model.capacity, sizeof(struct member));
        for (uint32_t i = 0; i < count; i++)
            create_member((enum collection)c, i);
    }
}

/* The names stay the model's; the positions are libhdf5's own, first, last and random. */
static void delete_by_position(enum collection c, uint32_t count)
{
    enum order order = model.tracked[c] && random_below(2) ? BY_CREATION : BY_INDEX_ORDER;
    for (uint32_t i = 0; i < count; i++) {
        char name[NAME_ROOM];
        uint64_t last = model.live[c] - 1, at = i % 3 == 0 ? 0 : i % 3 == 1 ? last : random_below((uint32_t)last + 1);
        if (!member_name_at(c, order, at, name))
            fail("this backend deletes nothing by position");
        uint32_t index = member_index(name);
        member_delete_at(c, order, at);
        if (i % CHECK_REPEAT == 0 && member_exists(c, name))
            fail("%s is still there after it was deleted by position", name);
        forget(c, index);
    }
}

static void delete_members(enum collection c, uint32_t percent, const char *order)
{
    uint32_t alive, *list = members_where(c, 1, &alive);
    uint32_t count = (uint32_t)((uint64_t)alive * percent / 100);
    if (strcmp(order, "index") == 0 && count <= BY_POSITION_MAX) {
        delete_by_position(c, count);
        count = 0;
    } else if (strcmp(order, "index") == 0) { /* slow in libhdf5: the first by position, the rest in order */
        delete_by_position(c, BY_POSITION_MAX);
        free(list);
        list = members_where(c, 1, &alive);
        count -= BY_POSITION_MAX;
    } else if (strcmp(order, "reverse") == 0) {
        reverse(list, alive);
    } else if (strcmp(order, "random") == 0) {
        shuffle(list, alive);
    } else if (strcmp(order, "in-order") != 0) {
        fail("no order %s", order);
    }
    for (uint32_t i = 0; i < count; i++) {
        char name[NAME_ROOM];
        member_name(list[i], name);
        member_delete(c, name);
        forget(c, list[i]);
    }
    free(list);
}

static void insert_members(enum collection c, uint32_t count)
{
    uint32_t absent, *list = members_where(c, 0, &absent);
    shuffle(list, absent);
    for (uint32_t i = 0; i < count && i < absent; i++)
        create_member(c, list[i]);
    free(list);
}

static void replace_values(uint32_t count)
{
    uint32_t alive, *list = members_where(ATTRIBUTES, 1, &alive);
    shuffle(list, alive);
    for (uint32_t i = 0; i < count && i < alive; i++) {
        struct member *member = &model.members[ATTRIBUTES][list[i]];
        char name[NAME_ROOM];
        if (member->kind >= A_PLAIN_KINDS || member->kind == A_STRING)
            continue; /* the same type stays, so that libhdf5 can do it too */
        member_name(list[i], name);
        member->seed = ++model.next_seed;
        attribute_replace(name, member->kind, member->seed);
    }
    free(list);
}

static void rename_members(enum collection c, uint32_t count)
{
    if (!backend_renames(c, (int)model.tracked[c]))
        return;
    uint32_t alive, *from = members_where(c, 1, &alive), absent, *to = members_where(c, 0, &absent);
    shuffle(from, alive);
    shuffle(to, absent);
    for (uint32_t i = 0; i < count && i < alive && i < absent; i++) {
        char old_name[NAME_ROOM], new_name[NAME_ROOM];
        member_name(from[i], old_name);
        member_name(to[i], new_name);
        member_rename(c, old_name, new_name);
        model.members[c][to[i]] = model.members[c][from[i]];
        model.members[c][from[i]].seed = 0;
        if (c == LINKS) /* a moved link is a new one; a renamed attribute keeps its place */
            model.members[c][to[i]].order = ++model.next_order;
    }
    free(from);
    free(to);
}

/* ---- verifying ---- */

static const uint32_t *expected_list;
static uint32_t expected_count, expected_at;
static enum collection expected_collection;
static uint8_t *seen;

static int compare_names(const void *left, const void *right)
{
    char a[NAME_ROOM], b[NAME_ROOM];
    member_name(*(const uint32_t *)left, a);
    member_name(*(const uint32_t *)right, b);
    return strcmp(a, b);
}

static int compare_orders(const void *left, const void *right)
{
    const struct member *members = model.members[expected_collection];
    uint32_t a = members[*(const uint32_t *)left].order, b = members[*(const uint32_t *)right].order;
    return a < b ? -1 : a > b;
}

static void visit_expected(const char *name)
{
    if (expected_at >= expected_count)
        fail("iteration goes on after %u members, with %s", expected_count, name);
    uint32_t index = member_index(name);
    if (expected_list[expected_at] != index) {
        char expected[NAME_ROOM];
        member_name(expected_list[expected_at], expected);
        fail("iteration gives %s in place %u, where %s should be", name, expected_at, expected);
    }
    expected_at++;
}

static void visit_any(const char *name)
{
    uint32_t index = member_index(name);
    if (!model.members[expected_collection][index].seed || seen[index]++)
        fail("iteration gives %s, which is absent or was given before", name);
    expected_at++;
}

static void verify_positions(enum collection c, enum order order)
{
    for (uint32_t i = 0; i < BY_POSITION_CHECKS && i < expected_count; i++) {
        uint32_t at = expected_count <= BY_POSITION_CHECKS ? i : random_below(expected_count);
        if (order == BY_NAME && expected_count > 1000 && i > 2)
            return; /* libhdf5 sorts all names for each such call */
        char name[NAME_ROOM], expected[NAME_ROOM];
        if (!member_name_at(c, order, at, name))
            return;
        member_name(expected_list[at], expected);
        if (strcmp(name, expected) != 0)
            fail("position %u is %s, not %s", at, name, expected);
    }
}

static void verify_orders(enum collection c, uint32_t *list, uint32_t count)
{
    expected_list = list, expected_count = count, expected_collection = c;
    for (int order = BY_NAME; order <= BY_CREATION_DOWN; order++) {
        if (order >= BY_CREATION && !model.tracked[c])
            break;
        if (order == BY_NAME || order == BY_CREATION)
            qsort(list, count, sizeof *list, order == BY_NAME ? compare_names : compare_orders);
        else
            reverse(list, count);
        if (order == BY_NAME || order == BY_CREATION)
            verify_positions(c, (enum order)order);
        expected_at = 0;
        members_iterate(c, (enum order)order, visit_expected);
        if (expected_at != count)
            fail("iteration %d of collection %d gives %u of %u members", order, (int)c, expected_at, count);
    }
    seen = allocate(model.capacity, 1);
    expected_at = 0;
    members_iterate(c, BY_INDEX_ORDER, visit_any);
    if (expected_at != count)
        fail("native iteration gives %u of %u members", expected_at, count);
    free(seen);
}

static void verify(void)
{
    uint64_t hard_links = 0;
    for (int c = 0; c < COLLECTIONS; c++) {
        uint32_t count, *list = members_where((enum collection)c, 1, &count);
        uint64_t found = members_count((enum collection)c);
        if (count != model.live[c] || found != count)
            fail("collection %d has %llu members, not %u", c, (unsigned long long)found, count);
        char name[NAME_ROOM];
        for (uint32_t i = 0; i < count; i++) {
            const struct member *member = &model.members[c][list[i]];
            member_name(list[i], name);
            (c == ATTRIBUTES ? attribute_verify : link_verify)(name, member->kind, member->seed);
            hard_links += c == LINKS && member->kind == L_HARD;
        }
        for (uint32_t i = 0; i < model.capacity; i += 1 + model.capacity / 100) {
            member_name(i, name);
            if (member_exists((enum collection)c, name) != (model.members[c][i].seed != 0))
                fail("%s %s", name, model.members[c][i].seed ? "does not exist" : "exists after its deletion");
        }
        verify_orders((enum collection)c, list, count);
        free(list);
    }
    file_check_data(hard_links);
}

/* ---- the run ---- */

static int is_oldest(const char *file)
{
    unsigned char start[9] = {0};
    FILE *in = fopen(file, "rb");
    if (!in || fread(start, 1, sizeof start, in) != sizeof start)
        fail("cannot read %s", file);
    fclose(in);
    return start[8] < 2;
}

static void check_structure(const char *file, int closed)
{
    if (is_oldest(file)) {
        if (!oldest)
            fail("%s has an old superblock", file);
        return;
    }
    if (check_file(file, closed, NULL) > 0) {
        check_file(file, closed, stderr);
        fail("the structure of %s has faults", file);
    }
}

static void copy_file(const char *to)
{
    char buffer[1 << 16];
    FILE *in = fopen(path, "rb"), *out = fopen(to, "wb");
    size_t length;
    if (!in || !out)
        fail("cannot copy to %s", to);
    while ((length = fread(buffer, 1, sizeof buffer, in)) > 0)
        if (fwrite(buffer, 1, length, out) != length)
            fail("cannot write %s", to);
    fclose(in);
    if (fclose(out) != 0)
        fail("cannot write %s", to);
    model_save(to);
}

static void flush_and_check(void)
{
    file_flush();
    check_structure(path, backend_is_h5r);
}

/* Trees of a few nodes cannot be filled evenly. */
static void check_packed(double percent)
{
    char *report = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&report, &length);
    file_flush();
    if (!out || check_file(path, 1, out) > 0 || fclose(out) != 0)
        fail("the structure of the file has faults: %s", report ? report : "");
    for (char *line = strtok(report, "\n"); line; line = strtok(NULL, "\n")) {
        const char *nodes = strstr(line, " nodes="), *underfull = strstr(line, "underfull=");
        const char *occupancy = strstr(line, "occupancy=");
        int huge_index = strncmp(line, "tree type=1 ", 12) == 0;
        if (huge_index || !nodes || !underfull || !occupancy || atol(nodes + 7) < PACKED_NODES)
            continue;
        if (atof(occupancy + 10) * 100 < percent || atol(underfull + 10) > 0)
            fail("not packed: %s", line);
    }
    free(report);
}

static void close_and_check(void)
{
    file_close();
    check_structure(path, 1);
    model_save(path);
}

static int is(const char *word, const char **arguments)
{
    size_t length = strlen(word);
    if (strncmp(step, word, length) != 0 || (step[length] != ':' && step[length] != 0))
        return 0;
    *arguments = step[length] ? step + length + 1 : "";
    return 1;
}

static void for_each_collection(void (*act)(enum collection, uint32_t), const char *count)
{
    for (int c = 0; c < COLLECTIONS; c++)
        act((enum collection)c, (uint32_t)strtoul(count, NULL, 10));
}

static void delete_step(const char *arguments)
{
    char *order;
    uint32_t percent = (uint32_t)strtoul(arguments, &order, 10);
    for (int c = 0; c < COLLECTIONS; c++)
        delete_members((enum collection)c, percent, *order ? order + 1 : "");
}

static void run_step(void)
{
    const char *arguments;
    if (is("create", &arguments))
        step_create(arguments);
    else if (is("open", &arguments) || is("readonly", &arguments)) {
        model_load();
        oldest = is_oldest(path);
        file_open(path, step[0] == 'r');
    } else if (is("close", &arguments))
        close_and_check();
    else if (is("flush", &arguments))
        flush_and_check();
    else if (is("mode", &arguments))
        file_set_mode(arguments);
    else if (is("rebalance", &arguments))
        file_rebalance();
    else if (is("delete", &arguments))
        delete_step(arguments);
    else if (is("insert", &arguments))
        for_each_collection(insert_members, arguments);
    else if (is("replace", &arguments))
        replace_values((uint32_t)strtoul(arguments, NULL, 10));
    else if (is("rename", &arguments))
        for_each_collection(rename_members, arguments);
    else if (is("snapshot", &arguments)) {
        flush_and_check();
        copy_file(arguments);
    } else if (is("verify", &arguments))
        verify();
    else if (is("packed", &arguments))
        check_packed(atof(arguments));
    else
        fail("no such step");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: judge BACKEND FILE STEP...\n");
        return 2;
    }
    path = argv[2];
    for (const char *at = path; *at; at++) /* each file has its own sequence */
        random_state = (random_state ^ (uint8_t)*at) * 1099511628211u;
    backend_start(argv[1]);
    for (int i = 3; i < argc; i++) {
        step = argv[i];
        run_step();
    }
    return 0;
}
