#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNDEFINED UINT64_MAX
enum { MERGE_PERCENT_MIN = 20, TREE_DEPTH_MAX = 16, FAULTS_SHOWN = 50 };

struct extent {
    uint64_t address, length;
    const char *what;
};

struct check {
    FILE *report;
    const uint8_t *bytes;
    uint64_t length, base, end_of_allocation;
    unsigned size_of_address, size_of_length;
    int faults;
    struct extent *extents;
    size_t extent_count, extent_room;
    uint64_t *pending; /* object header addresses: visited up to pending_next, then still to visit */
    size_t pending_count, pending_next, pending_room;
    jmp_buf give_up;
};

struct object { /* a managed object or free section of a heap */
    uint64_t offset, length;
};

struct block { /* a direct block: heap offset, block size, file address */
    uint64_t offset, size, address;
};

struct heap {
    uint64_t address;
    unsigned id_length, offset_size, length_size, width, max_bits, checksummed, filtered;
    uint64_t start_size, max_direct, managed_count, huge_tree, huge_count, tiny_count, free_space, free_manager;
    struct block *blocks;
    size_t block_count, block_room;
    struct object *objects;
    size_t object_count, object_room;
    uint64_t huge_seen, tiny_seen;
};

struct tree {
    unsigned type, record_size, depth, split, merge, nrec_size, total_size[TREE_DEPTH_MAX];
    uint64_t node_size, capacity[TREE_DEPTH_MAX], address;
    uint64_t nodes, records, room, underfull, lowest_leaf;
    uint8_t *collected; /* all records in order */
    size_t collected_count, collected_room;
};

/* ---- faults and bytes ---- */

__attribute__((format(printf, 2, 3))) static void fault(struct check *c, const char *format, ...)
{
    va_list arguments;
    if (c->report && c->faults < FAULTS_SHOWN) {
        fputs("fault: ", c->report);
        va_start(arguments, format);
        vfprintf(c->report, format, arguments);
        va_end(arguments);
        fputc('\n', c->report);
    }
    c->faults++;
}

static void give_up(struct check *c, const char *what, uint64_t address)
{
    fault(c, "%s at %llu", what, (unsigned long long)address);
    longjmp(c->give_up, 1);
}

#define GROW(c, array, count, room)                                                                        \
    do {                                                                                                   \
        if ((count) == (room)) {                                                                           \
            (room) = (room) ? 2 * (room) : 64;                                                             \
            void *grown = realloc((array), (room) * sizeof *(array));                                      \
            if (!grown)                                                                                    \
                give_up((c), "out of memory", 0);                                                          \
            (array) = grown;                                                                               \
        }                                                                                                  \
    } while (0)

static const uint8_t *bytes_at(struct check *c, uint64_t address, uint64_t length)
{
    if (address > c->length || length > c->length - address)
        give_up(c, "a structure reaches beyond the file", address);
    return c->bytes + address;
}

static uint64_t number(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static uint64_t take(const uint8_t **at, unsigned size)
{
    uint64_t value = number(*at, size);
    *at += size;
    return value;
}

static uint64_t take_address(struct check *c, const uint8_t **at)
{
    uint64_t value = take(at, c->size_of_address);
    uint64_t undefined = c->size_of_address == 8 ? UINT64_MAX : (1ull << (8 * c->size_of_address)) - 1;
    return value == undefined ? UNDEFINED : value + c->base;
}

static uint64_t take_length(struct check *c, const uint8_t **at)
{
    return take(at, c->size_of_length);
}

static unsigned log2_floor(uint64_t value)
{
    unsigned log = 0;
    while (value >>= 1)
        log++;
    return log;
}

/* Bytes to hold any number up to `limit`. */
static unsigned bytes_for(uint64_t limit)
{
    return log2_floor(limit) / 8 + 1;
}

/* Bob Jenkins' lookup3 (hashlittle, initial value 0), byte by byte. */
static uint32_t lookup3(const uint8_t *key, size_t length)
{
#define ROTATE(x, k) (((x) << (k)) | ((x) >> (32 - (k))))
    uint32_t a = 0xdeadbeef + (uint32_t)length, b = a, c = a;
    while (length > 12) {
        a += (uint32_t)number(key, 4);
        b += (uint32_t)number(key + 4, 4);
        c += (uint32_t)number(key + 8, 4);
        a -= c, a ^= ROTATE(c, 4), c += b;
        b -= a, b ^= ROTATE(a, 6), a += c;
        c -= b, c ^= ROTATE(b, 8), b += a;
        a -= c, a ^= ROTATE(c, 16), c += b;
        b -= a, b ^= ROTATE(a, 19), a += c;
        c -= b, c ^= ROTATE(b, 4), b += a;
        key += 12, length -= 12;
    }
    if (length == 0)
        return c;
    uint8_t tail[12] = {0};
    memcpy(tail, key, length);
    a += (uint32_t)number(tail, 4);
    b += (uint32_t)number(tail + 4, 4);
    c += (uint32_t)number(tail + 8, 4);
    c ^= b, c -= ROTATE(b, 14);
    a ^= c, a -= ROTATE(c, 11);
    b ^= a, b -= ROTATE(a, 25);
    c ^= b, c -= ROTATE(b, 16);
    a ^= c, a -= ROTATE(c, 4);
    b ^= a, b -= ROTATE(a, 14);
    c ^= b, c -= ROTATE(b, 24);
    return c;
}

static void check_sum(struct check *c, uint64_t address, uint64_t covered, const char *what)
{
    const uint8_t *at = bytes_at(c, address, covered + 4);
    if (lookup3(at, covered) != (uint32_t)number(at + covered, 4))
        fault(c, "checksum of the %s at %llu", what, (unsigned long long)address);
}

static const uint8_t *expect(struct check *c, uint64_t address, const char *signature, unsigned version)
{
    const uint8_t *at = bytes_at(c, address, 5);
    if (memcmp(at, signature, 4) != 0 || at[4] != version) {
        fault(c, "no %s version %u at %llu", signature, version, (unsigned long long)address);
        longjmp(c->give_up, 1);
    }
    return at + 5;
}

static void occupies(struct check *c, uint64_t address, uint64_t length, const char *what)
{
    GROW(c, c->extents, c->extent_count, c->extent_room);
    c->extents[c->extent_count++] = (struct extent){address, length, what};
}

static void visit_later(struct check *c, uint64_t address)
{
    for (size_t i = 0; i < c->pending_count && i < 4096; i++)
        if (c->pending[i] == address)
            return;
    GROW(c, c->pending, c->pending_count, c->pending_room);
    c->pending[c->pending_count++] = address;
}

/* ---- version 2 B-trees ---- */

static void node_capacities(struct check *c, struct tree *t)
{
    t->capacity[0] = (t->node_size - 10) / t->record_size;
    t->nrec_size = bytes_for(t->capacity[0]);
    uint64_t below = t->capacity[0];
    for (unsigned level = 1; level <= t->depth; level++) {
        unsigned pointer = c->size_of_address + t->nrec_size + t->total_size[level - 1];
        if (t->node_size < 10 + pointer + t->record_size)
            give_up(c, "a B-tree node too small for its level", t->address);
        t->capacity[level] = (t->node_size - 10 - pointer) / (t->record_size + pointer);
        below = (t->capacity[level] + 1) * below + t->capacity[level];
        t->total_size[level] = bytes_for(below);
    }
}

static void collect(struct check *c, struct tree *t, const uint8_t *record)
{
    if (t->collected_count == t->collected_room) {
        t->collected_room = t->collected_room ? 2 * t->collected_room : 1024;
        uint8_t *grown = realloc(t->collected, t->collected_room * t->record_size);
        if (!grown)
            give_up(c, "out of memory", 0);
        t->collected = grown;
    }
    memcpy(t->collected + t->collected_count++ * t->record_size, record, t->record_size);
}

static void check_fill(struct check *c, struct tree *t, uint64_t address, unsigned level, uint64_t nrec, int root)
{
    uint64_t capacity = t->capacity[level], floor = capacity * t->merge / 100;
    if (nrec > capacity)
        give_up(c, "a B-tree node with more records than fit", address);
    if (nrec == 0 || (!root && nrec < floor))
        fault(c, "B-tree type %u: the %s node at %llu, level %u, has %llu records, its floor is %llu", t->type,
              root ? "root" : "inner or leaf", (unsigned long long)address, level, (unsigned long long)nrec,
              (unsigned long long)(root ? 1 : floor));
    t->nodes++;
    t->room += capacity;
    if (!root && 2 * nrec < capacity)
        t->underfull++;
    if (level == 0 && nrec < t->lowest_leaf)
        t->lowest_leaf = nrec;
}

/* Returns the number of records in the subtree. */
static uint64_t walk_node(struct check *c, struct tree *t, uint64_t address, unsigned level, uint64_t nrec, int root)
{
    check_fill(c, t, address, level, nrec, root);
    occupies(c, address, t->node_size, "B-tree node");
    const uint8_t *record = expect(c, address, level ? "BTIN" : "BTLF", 0);
    if (*record++ != t->type)
        fault(c, "B-tree node at %llu of another type", (unsigned long long)address);
    unsigned pointer = level ? c->size_of_address + t->nrec_size + t->total_size[level - 1] : 0;
    uint64_t used = 6 + nrec * t->record_size + (level ? (nrec + 1) * pointer : 0);
    check_sum(c, address, used, "B-tree node");
    bytes_at(c, address, t->node_size);
    const uint8_t *child = record + nrec * t->record_size;
    uint64_t total = 0;
    for (uint64_t i = 0; level && i <= nrec; i++) {
        uint64_t child_address = take_address(c, &child);
        uint64_t child_nrec = take(&child, t->nrec_size);
        uint64_t claimed = level > 1 ? take(&child, t->total_size[level - 1]) : child_nrec;
        uint64_t found = walk_node(c, t, child_address, level - 1, child_nrec, 0);
        if (found != claimed)
            fault(c, "B-tree node at %llu: child %llu has %llu records below, not %llu", (unsigned long long)address,
                  (unsigned long long)i, (unsigned long long)found, (unsigned long long)claimed);
        total += found;
        if (i < nrec)
            collect(c, t, record + i * t->record_size);
    }
    for (uint64_t i = 0; !level && i < nrec; i++)
        collect(c, t, record + i * t->record_size);
    return total + nrec;
}

static void walk_tree(struct check *c, uint64_t address, struct tree *t)
{
    memset(t, 0, sizeof *t);
    const uint8_t *at = expect(c, address, "BTHD", 0);
    uint64_t size = 22 + c->size_of_address + c->size_of_length;
    check_sum(c, address, size - 4, "B-tree header");
    occupies(c, address, size, "B-tree header");
    t->address = address;
    t->lowest_leaf = UINT64_MAX;
    t->type = (unsigned)take(&at, 1);
    t->node_size = take(&at, 4);
    t->record_size = (unsigned)take(&at, 2);
    t->depth = (unsigned)take(&at, 2);
    t->split = (unsigned)take(&at, 1);
    t->merge = (unsigned)take(&at, 1);
    uint64_t root = take_address(c, &at), root_nrec = take(&at, 2), total = take_length(c, &at);
    if (t->merge < MERGE_PERCENT_MIN)
        fault(c, "B-tree at %llu merges at %u %%", (unsigned long long)address, t->merge);
    if (t->depth >= TREE_DEPTH_MAX || t->record_size == 0 || t->node_size < 10u + t->record_size)
        give_up(c, "a B-tree header out of range", address);
    node_capacities(c, t);
    if ((total == 0) != (root == UNDEFINED) || (total == 0 && (t->depth || root_nrec)))
        fault(c, "B-tree at %llu: %llu records, root %llu, depth %u", (unsigned long long)address,
              (unsigned long long)total, (unsigned long long)root, t->depth);
    if (root != UNDEFINED)
        t->records = walk_node(c, t, root, t->depth, root_nrec, 1);
    if (t->records != total)
        fault(c, "B-tree at %llu: %llu records, the header says %llu", (unsigned long long)address,
              (unsigned long long)t->records, (unsigned long long)total);
    if (c->report)
        fprintf(c->report,
                "tree type=%u address=%llu node_size=%llu split=%u merge=%u depth=%u nodes=%llu records=%llu "
                "underfull=%llu lowest_leaf=%lld occupancy=%.4f\n",
                t->type, (unsigned long long)address, (unsigned long long)t->node_size, t->split, t->merge, t->depth,
                (unsigned long long)t->nodes, (unsigned long long)t->records, (unsigned long long)t->underfull,
                t->lowest_leaf == UINT64_MAX ? -1 : (long long)t->lowest_leaf,
                t->room ? (double)t->records / (double)t->room : 1.0);
}

/* ---- fractal heaps ---- */

static uint64_t row_size(const struct heap *h, unsigned row)
{
    return row == 0 ? h->start_size : h->start_size << (row - 1);
}

static void walk_direct(struct check *c, struct heap *h, uint64_t address, uint64_t offset, uint64_t size, uint64_t on_disk)
{
    occupies(c, address, on_disk, "heap direct block");
    GROW(c, h->blocks, h->block_count, h->block_room);
    h->blocks[h->block_count++] = (struct block){offset, size, address};
    if (h->filtered)
        return;
    const uint8_t *at = expect(c, address, "FHDB", 0);
    bytes_at(c, address, size);
    if (take_address(c, &at) != h->address || take(&at, h->offset_size) != offset)
        fault(c, "heap direct block at %llu names another heap or offset", (unsigned long long)address);
    if (!h->checksummed)
        return;
    uint8_t *copy = malloc(size);
    if (!copy)
        give_up(c, "out of memory", 0);
    memcpy(copy, c->bytes + address, size);
    memset(copy + (at - (c->bytes + address)), 0, 4);
    if (lookup3(copy, size) != (uint32_t)number(at, 4))
        fault(c, "checksum of the heap direct block at %llu", (unsigned long long)address);
    free(copy);
}

static void walk_indirect(struct check *c, struct heap *h, uint64_t address, uint64_t offset, unsigned rows, int depth)
{
    unsigned direct_rows = log2_floor(h->max_direct) - log2_floor(h->start_size) + 2;
    const uint8_t *start = expect(c, address, "FHIB", 0), *at = start;
    if (depth > 64)
        give_up(c, "heap indirect blocks nested too deep", address);
    bytes_at(c, address, 5 + c->size_of_address + h->offset_size + (uint64_t)rows * h->width * c->size_of_address + 4);
    if (take_address(c, &at) != h->address || take(&at, h->offset_size) != offset)
        fault(c, "heap indirect block at %llu names another heap or offset", (unsigned long long)address);
    for (unsigned row = 0; row < rows; row++)
        for (unsigned column = 0; column < h->width; column++) {
            uint64_t size = row_size(h, row), child = take_address(c, &at), on_disk = size;
            if (row < direct_rows && h->filtered) {
                on_disk = take_length(c, &at);
                at += 4;
            }
            if (child != UNDEFINED && row < direct_rows)
                walk_direct(c, h, child, offset, size, on_disk);
            else if (child != UNDEFINED)
                walk_indirect(c, h, child, offset, log2_floor(size) - log2_floor(h->start_size * h->width) + 1, depth + 1);
            offset += size;
        }
    uint64_t covered = (uint64_t)(at - (start - 5));
    check_sum(c, address, covered, "heap indirect block");
    occupies(c, address, covered + 4, "heap indirect block");
}

static void walk_heap(struct check *c, uint64_t address, struct heap *h)
{
    memset(h, 0, sizeof *h);
    h->address = address;
    const uint8_t *start = expect(c, address, "FRHP", 0), *at = start;
    bytes_at(c, address, 256 < c->length - address ? 256 : c->length - address);
    h->id_length = (unsigned)take(&at, 2);
    unsigned filter_length = (unsigned)take(&at, 2);
    h->filtered = filter_length != 0;
    h->checksummed = (take(&at, 1) & 2) != 0;
    uint64_t max_managed = take(&at, 4);
    take_length(c, &at); /* next huge ID */
    h->huge_tree = take_address(c, &at);
    h->free_space = take_length(c, &at);
    h->free_manager = take_address(c, &at);
    at += 3 * c->size_of_length; /* managed space, allocated, iterator */
    h->managed_count = take_length(c, &at);
    take_length(c, &at);
    h->huge_count = take_length(c, &at);
    take_length(c, &at);
    h->tiny_count = take_length(c, &at);
    h->width = (unsigned)take(&at, 2);
    h->start_size = take_length(c, &at);
    h->max_direct = take_length(c, &at);
    h->max_bits = (unsigned)take(&at, 2);
    take(&at, 2); /* rows to start the root with */
    uint64_t root = take_address(c, &at);
    unsigned rows = (unsigned)take(&at, 2);
    uint64_t root_on_disk = h->start_size;
    if (h->filtered) {
        root_on_disk = take_length(c, &at);
        at += 4 + filter_length;
    }
    h->offset_size = (h->max_bits + 7) / 8;
    h->length_size = (log2_floor(max_managed < h->max_direct ? max_managed : h->max_direct) + 7) / 8;
    if (h->length_size == 0)
        h->length_size = 1;
    uint64_t covered = (uint64_t)(at - (start - 5));
    check_sum(c, address, covered, "heap header");
    occupies(c, address, covered + 4, "heap header");
    if (h->width == 0 || h->start_size == 0 || h->max_direct < h->start_size || h->max_bits > 64 || rows > 64)
        give_up(c, "a heap header out of range", address);
    if (root != UNDEFINED && rows)
        walk_indirect(c, h, root, 0, rows, 0);
    else if (root != UNDEFINED)
        walk_direct(c, h, root, 0, h->start_size, root_on_disk);
}

static const struct block *block_of(const struct heap *h, uint64_t offset)
{
    size_t low = 0, high = h->block_count; /* blocks were collected in offset order */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->blocks[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || offset - h->blocks[low - 1].offset >= h->blocks[low - 1].size)
        return NULL;
    return &h->blocks[low - 1];
}

/* A heap ID's bytes, NULL where they are filtered or not to be found; huge objects with long IDs are direct. */
static const uint8_t *heap_object(struct check *c, struct heap *h, const uint8_t *id, uint64_t *length)
{
    unsigned kind = id[0] >> 4 & 3;
    const uint8_t *at = id + 1;
    if (kind == 2) {
        h->tiny_seen++;
        *length = h->id_length <= 17 ? (id[0] & 15u) + 1 : (((id[0] & 15u) << 8) | id[1]) + 1;
        return id + (h->id_length <= 17 ? 1 : 2);
    }
    if (kind == 1) {
        h->huge_seen++;
        return NULL;
    }
    uint64_t offset = take(&at, h->offset_size);
    *length = take(&at, h->length_size);
    const struct block *block = block_of(h, offset);
    uint64_t prefix = 5 + c->size_of_address + h->offset_size + (h->checksummed ? 4 : 0);
    if (!block || offset - block->offset < prefix || *length > block->size - (offset - block->offset) || !*length) {
        fault(c, "heap at %llu: no direct block holds the object at offset %llu, length %llu",
              (unsigned long long)h->address, (unsigned long long)offset, (unsigned long long)*length);
        return NULL;
    }
    GROW(c, h->objects, h->object_count, h->object_room);
    h->objects[h->object_count++] = (struct object){offset, *length};
    return h->filtered ? NULL : bytes_at(c, block->address + (offset - block->offset), *length);
}

static int by_offset(const void *left, const void *right)
{
    uint64_t a = ((const struct object *)left)->offset, b = ((const struct object *)right)->offset;
    return a < b ? -1 : a > b;
}

/* The heap's free sections; only ranges inside direct blocks take part in the overlap test. */
static void walk_free_sections(struct check *c, struct heap *h)
{
    const uint8_t *at = expect(c, h->free_manager, "FSHD", 0);
    uint64_t size = 5 + 1 + 7 * c->size_of_length + c->size_of_address + 8 + 4;
    bytes_at(c, h->free_manager, size);
    check_sum(c, h->free_manager, size - 4, "free-space header");
    occupies(c, h->free_manager, size, "free-space header");
    at++; /* client */
    take_length(c, &at); /* total space */
    take_length(c, &at); /* sections, with those that are not stored */
    uint64_t serialized = take_length(c, &at);
    take_length(c, &at);
    at += 6;
    unsigned offset_size = ((unsigned)take(&at, 2) + 7) / 8;
    unsigned length_size = bytes_for(take_length(c, &at));
    uint64_t sections = take_address(c, &at), used = take_length(c, &at), allocated = take_length(c, &at);
    if (serialized == 0 || sections == UNDEFINED)
        return;
    occupies(c, sections, allocated, "free-space sections");
    at = expect(c, sections, "FSSE", 0);
    check_sum(c, sections, used - 4, "free-space sections");
    at += c->size_of_address;
    const uint8_t *end = bytes_at(c, sections, used) + used - 4;
    for (uint64_t seen = 0; seen < serialized && at < end;) {
        uint64_t count = take(&at, bytes_for(serialized)), length = take(&at, length_size);
        for (uint64_t i = 0; i < count && at < end; i++, seen++) {
            uint64_t offset = take(&at, offset_size);
            unsigned kind = (unsigned)take(&at, 1);
            if (kind != 0) {
                at += h->offset_size + 6;
                continue;
            }
            const struct block *block = block_of(h, offset);
            if (!block || offset - block->offset + length > block->size)
                fault(c, "heap at %llu: the free section at %llu, length %llu, lies in no direct block",
                      (unsigned long long)h->address, (unsigned long long)offset, (unsigned long long)length);
            GROW(c, h->objects, h->object_count, h->object_room);
            h->objects[h->object_count++] = (struct object){offset, length};
        }
    }
}

static void finish_heap(struct check *c, struct heap *h)
{
    uint64_t live = h->object_count;
    if (live != h->managed_count || h->tiny_seen != h->tiny_count || h->huge_seen != h->huge_count)
        fault(c, "heap at %llu: %llu managed, %llu huge, %llu tiny objects in the index, %llu, %llu, %llu in the header",
              (unsigned long long)h->address, (unsigned long long)live, (unsigned long long)h->huge_seen,
              (unsigned long long)h->tiny_seen, (unsigned long long)h->managed_count,
              (unsigned long long)h->huge_count, (unsigned long long)h->tiny_count);
    if (h->free_manager != UNDEFINED)
        walk_free_sections(c, h);
    if (h->object_count)
        qsort(h->objects, h->object_count, sizeof *h->objects, by_offset);
    for (size_t i = 1; i < h->object_count; i++)
        if (h->objects[i - 1].offset + h->objects[i - 1].length > h->objects[i].offset)
            fault(c, "heap at %llu: two objects or free sections overlap at offset %llu",
                  (unsigned long long)h->address, (unsigned long long)h->objects[i].offset);
    if (h->huge_tree != UNDEFINED) {
        struct tree t;
        walk_tree(c, h->huge_tree, &t);
        for (size_t i = 0; i < t.collected_count; i++) {
            const uint8_t *record = t.collected + i * t.record_size;
            uint64_t address = take_address(c, &record), length = take_length(c, &record);
            occupies(c, address, length, "huge heap object");
        }
        if (t.collected_count != h->huge_count)
            fault(c, "heap at %llu: %llu huge objects, %llu in their index", (unsigned long long)h->address,
                  (unsigned long long)h->huge_count, (unsigned long long)t.collected_count);
        free(t.collected);
    }
    if (c->report)
        fprintf(c->report, "heap address=%llu blocks=%llu managed=%llu huge=%llu tiny=%llu free_bytes=%llu\n",
                (unsigned long long)h->address, (unsigned long long)h->block_count, (unsigned long long)live,
                (unsigned long long)h->huge_seen, (unsigned long long)h->tiny_seen, (unsigned long long)h->free_space);
    free(h->blocks);
    free(h->objects);
}

/* ---- objects ---- */

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
            memcpy(ids[side] + i * id_length, trees[side]->collected + i * trees[side]->record_size + starts[side], id_length);
        by_bytes_size = (int)id_length;
        if (count)
            qsort(ids[side], count, id_length, by_bytes);
    }
    if (memcmp(ids[0], ids[1], count * id_length) != 0)
        fault(c, "the two indexes of the heap list different objects (B-tree at %llu)", (unsigned long long)order->address);
    free(ids[0]);
    free(ids[1]);
}

/* Dense attributes (name index of type 8) or links (type 5) with their heap. */
static void walk_dense(struct check *c, uint64_t heap_address, uint64_t name_index, uint64_t order_index, int attributes)
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

int check_file(const char *path, FILE *report)
{
    struct check c = {.report = report};
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
