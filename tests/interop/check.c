/* Objects, and the file as a whole. */
#define _GNU_SOURCE
#include "check.h"
#include "check_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void visit_later(struct check *c, uint64_t address)
{
    for (size_t i = 0; i < c->pending_count && i < 4096; i++)
        if (c->pending[i] == address)
            return;
    GROW(c, c->pending, c->pending_count, c->pending_room);
    c->pending[c->pending_count++] = address;
}

/* A link message's hard-link target is visited later; its name comes back for the hash. */
static const uint8_t *read_link(struct check *c, const uint8_t *at, uint64_t length, uint64_t *name_length)
{
    const uint8_t *end = at + length;
    if (length < 4 || at[0] != 1)
        return NULL;
    unsigned flags = at[1], kind = 0;
    at += 2;
    if (flags & 8)
        kind = (unsigned)take(&at, 1);
    at += (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
    *name_length = take(&at, 1u << (flags & 3));
    const uint8_t *name = at;
    if (*name_length > (uint64_t)(end - at))
        return NULL;
    at += *name_length;
    if (kind == 0 && (uint64_t)(end - at) >= c->size_of_address)
        visit_later(c, take_address(c, &at));
    return name;
}

static const uint8_t *read_attribute(const uint8_t *at, uint64_t length, uint64_t *name_length)
{
    if (length < 9 || at[0] < 1 || at[0] > 3)
        return NULL;
    *name_length = number(at + 2, 2) - 1;
    unsigned prefix = at[0] == 3 ? 9 : 8;
    return prefix + *name_length < length ? at + prefix : NULL;
}

static int by_bytes_size;
static int by_bytes(const void *left, const void *right)
{
    return memcmp(left, right, (size_t)by_bytes_size);
}

/* The heap IDs of both indexes, as sets. */
static void compare_indexes(struct check *c, const struct tree *names, unsigned names_at, const struct tree *order,
                            unsigned order_at, unsigned id_length)
{
    size_t count = names->collected_count;
    if (order->collected_count != count) {
        fault(c, "name index with %zu records, creation-order index with %zu", count, order->collected_count);
        return;
    }
    uint8_t *ids[2];
    const struct tree *trees[2] = {names, order};
    const unsigned starts[2] = {names_at, order_at};
    for (int side = 0; side < 2; side++) {
        ids[side] = malloc(count * id_length + 1);
        if (!ids[side])
            give_up(c, "out of memory", 0);
        for (size_t i = 0; i < count; i++)
            memcpy(ids[side] + i * id_length, trees[side]->collected + i * trees[side]->record_size + starts[side],
                   id_length);
        by_bytes_size = (int)id_length;
        if (count)
            qsort(ids[side], count, id_length, by_bytes);
    }
    if (memcmp(ids[0], ids[1], count * id_length) != 0)
        fault(c, "the two indexes list different objects (B-tree at %llu)", (unsigned long long)order->address);
    free(ids[0]);
    free(ids[1]);
}

/* Dense attributes (name index of type 8) or links (type 5) with their heap. */
static void walk_dense(struct check *c, uint64_t heap_address, uint64_t name_index, uint64_t order_index,
                       int attributes)
{
    if (heap_address == UNDEFINED)
        return;
    struct heap h;
    struct tree names, order;
    walk_heap(c, heap_address, &h);
    walk_tree(c, name_index, &names);
    unsigned id_at = attributes ? 0 : 4, hash_at = attributes ? h.id_length + 5 : 0;
    if (names.type != (attributes ? 8 : 5))
        fault(c, "B-tree at %llu has type %u", (unsigned long long)name_index, names.type);
    uint32_t last = 0;
    for (size_t i = 0; i < names.collected_count; i++) {
        const uint8_t *record = names.collected + i * names.record_size;
        uint32_t hash = (uint32_t)number(record + hash_at, 4);
        if (hash < last)
            fault(c, "B-tree at %llu: records out of order", (unsigned long long)name_index);
        last = hash;
        uint64_t length = 0, name_length = 0;
        const uint8_t *body = heap_object(c, &h, record + id_at, &length);
        const uint8_t *name = !body        ? NULL
                              : attributes ? read_attribute(body, length, &name_length)
                                           : read_link(c, body, length, &name_length);
        if (body && !(name && lookup3(name, name_length) == hash))
            fault(c, "B-tree at %llu: record %zu: its object's name does not have its hash",
                  (unsigned long long)name_index, i);
    }
    if (order_index != UNDEFINED) {
        walk_tree(c, order_index, &order);
        uint64_t previous = 0;
        for (size_t i = 0; i < order.collected_count; i++) {
            const uint8_t *record = order.collected + i * order.record_size;
            uint64_t key = attributes ? number(record + h.id_length + 1, 4) : number(record, 8);
            if (i && key <= previous)
                fault(c, "B-tree at %llu: records out of order", (unsigned long long)order_index);
            previous = key;
        }
        compare_indexes(c, &names, id_at, &order, attributes ? 0 : 8, h.id_length);
        free(order.collected);
    }
    free(names.collected);
    finish_heap(c, &h);
}

static void read_message(struct check *c, unsigned type, const uint8_t *body, uint64_t length)
{
    const uint8_t *at = body;
    if (type == 0x02 || type == 0x15) {
        unsigned flags = at[1];
        at += 2 + (flags & 1 ? (type == 0x02 ? 8 : 2) : 0);
        uint64_t heap = take_address(c, &at), names = take_address(c, &at);
        walk_dense(c, heap, names, flags & 2 ? take_address(c, &at) : UNDEFINED, type == 0x15);
    } else if (type == 0x06) {
        uint64_t name_length;
        read_link(c, body, length, &name_length);
    } else if (type == 0x17) {
        if (c->closed)
            walk_file_space(c, body, length);
    } else if (type == 0x08 && (at[0] == 3 || at[0] == 4) && at[1] == 1) {
        at += 2;
        uint64_t address = take_address(c, &at), size = take_length(c, &at);
        if (address != UNDEFINED && size)
            occupies(c, address, size, "contiguous data");
    }
}

/* Messages in [at, end); continuation chunks are walked as they are met. */
static void walk_messages(struct check *c, uint64_t at, uint64_t end, unsigned header_flags, int depth)
{
    unsigned prefix = header_flags & 4 ? 6 : 4;
    while (at + prefix <= end) {
        const uint8_t *m = bytes_at(c, at, prefix);
        unsigned type = m[0];
        uint64_t length = number(m + 1, 2);
        const uint8_t *body = bytes_at(c, at + prefix, length);
        if (at + prefix + length > end)
            give_up(c, "an object header message reaches beyond its chunk", at);
        if (type == 0x10) {
            const uint8_t *where = body;
            uint64_t chunk = take_address(c, &where), size = take_length(c, &where);
            if (depth > 1000 || size < 8 || memcmp(bytes_at(c, chunk, size), "OCHK", 4) != 0)
                give_up(c, "a bad object header continuation", at);
            check_sum(c, chunk, size - 4, "object header continuation");
            occupies(c, chunk, size, "object header continuation");
            walk_messages(c, chunk + 4, chunk + size - 4, header_flags, depth + 1);
        }
        read_message(c, m[3] & 2 ? 0 : type, body, length);
        at += prefix + length;
    }
}

static void walk_object(struct check *c, uint64_t address)
{
    const uint8_t *start = expect(c, address, "OHDR", 2), *at = start;
    unsigned flags = (unsigned)take(&at, 1);
    bytes_at(c, address, 64 < c->length - address ? 64 : c->length - address);
    at += (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    uint64_t size = take(&at, 1u << (flags & 3));
    uint64_t first = address + (uint64_t)(at - (start - 5));
    check_sum(c, address, first + size - address, "object header");
    occupies(c, address, first + size + 4 - address, "object header");
    walk_messages(c, first, first + size, flags, 0);
}

/* ---- the file ---- */

static int by_address(const void *left, const void *right)
{
    uint64_t a = ((const struct extent *)left)->address, b = ((const struct extent *)right)->address;
    return a < b ? -1 : a > b;
}

static void check_extents(struct check *c)
{
    qsort(c->extents, c->extent_count, sizeof *c->extents, by_address);
    for (size_t i = 0; i < c->extent_count; i++) {
        const struct extent *e = &c->extents[i];
        if (e->address + e->length > c->end_of_allocation)
            fault(c, "the %s at %llu reaches beyond the end of allocation", e->what, (unsigned long long)e->address);
        if (i && e[-1].address + e[-1].length > e->address)
            fault(c, "the %s at %llu and the %s at %llu overlap", e[-1].what, (unsigned long long)e[-1].address,
                  e->what, (unsigned long long)e->address);
    }
}

static void walk_file(struct check *c)
{
    static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    uint64_t start = 0;
    while (memcmp(bytes_at(c, start, 48), signature, 8) != 0)
        start = start ? 2 * start : 512;
    const uint8_t *at = c->bytes + start + 8;
    unsigned version = (unsigned)take(&at, 1);
    if (version != 2 && version != 3)
        give_up(c, "a superblock of another version than 2 and 3", start);
    c->size_of_address = (unsigned)take(&at, 1);
    c->size_of_length = (unsigned)take(&at, 1);
    take(&at, 1);
    if (c->size_of_address < 2 || c->size_of_address > 8 || c->size_of_length < 2 || c->size_of_length > 8)
        give_up(c, "odd sizes of addresses or lengths", start);
    c->base = take(&at, c->size_of_address);
    uint64_t extension = take_address(c, &at);
    c->end_of_allocation = take(&at, c->size_of_address) + c->base;
    uint64_t root = take_address(c, &at), covered = (uint64_t)(at - c->bytes) - start;
    check_sum(c, start, covered, "superblock");
    occupies(c, start, covered + 4, "superblock");
    if (c->end_of_allocation > c->length)
        fault(c, "the file has %llu bytes, its end of allocation is %llu", (unsigned long long)c->length,
              (unsigned long long)c->end_of_allocation);
    visit_later(c, root);
    if (extension != UNDEFINED)
        visit_later(c, extension);
    while (c->pending_next < c->pending_count)
        walk_object(c, c->pending[c->pending_next++]);
    check_extents(c);
}

int check_file(const char *path, int closed, FILE *report)
{
    struct check c = {.report = report, .closed = closed};
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0 || status.st_size == 0) {
        fault(&c, "cannot read %s", path);
        return c.faults;
    }
    c.length = (uint64_t)status.st_size;
    void *mapped = mmap(NULL, c.length, PROT_READ, MAP_PRIVATE, descriptor, 0);
    close(descriptor);
    if (mapped == MAP_FAILED) {
        fault(&c, "cannot map %s", path);
        return c.faults;
    }
    c.bytes = mapped;
    if (setjmp(c.give_up) == 0)
        walk_file(&c);
    munmap(mapped, c.length);
    free(c.extents);
    free(c.pending);
    return c.faults;
}
