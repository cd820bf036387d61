/* Fractal heaps and their free sections. */
#include "check_internal.h"

#include <string.h>

static uint64_t row_size(const struct heap *h, unsigned row)
{
    return row == 0 ? h->start_size : h->start_size << (row - 1);
}

static void walk_direct(struct check *c, struct heap *h, uint64_t address, uint64_t offset, uint64_t size,
                        uint64_t on_disk)
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
                walk_indirect(c, h, child, offset, log2_floor(size) - log2_floor(h->start_size * h->width) + 1,
                              depth + 1);
            offset += size;
        }
    uint64_t covered = (uint64_t)(at - (start - 5));
    check_sum(c, address, covered, "heap indirect block");
    occupies(c, address, covered + 4, "heap indirect block");
}

void walk_heap(struct check *c, uint64_t address, struct heap *h)
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
const uint8_t *heap_object(struct check *c, struct heap *h, const uint8_t *id, uint64_t *length)
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

void finish_heap(struct check *c, struct heap *h)
{
    uint64_t live = h->object_count;
    if (live != h->managed_count || h->tiny_seen != h->tiny_count || h->huge_seen != h->huge_count)
        fault(c, "heap at %llu: %llu managed, %llu huge, %llu tiny objects in the index, but %llu, %llu, %llu in all",
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
