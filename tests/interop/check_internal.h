/* What the parts of the checker share: check_bytes.c, check_tree.c, check_heap.c, check.c. */
#ifndef INTEROP_CHECK_INTERNAL_H
#define INTEROP_CHECK_INTERNAL_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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
    int closed; /* whoever wrote the file has closed it: what it says about its free space must be true */
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
    uint64_t nodes, records, room, filled, underfull, lowest_leaf;
    uint8_t *collected; /* all records in order */
    size_t collected_count, collected_room;
};

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

__attribute__((format(printf, 2, 3))) void fault(struct check *c, const char *format, ...);
__attribute__((noreturn)) void give_up(struct check *c, const char *what, uint64_t address);

const uint8_t *bytes_at(struct check *c, uint64_t address, uint64_t length);
uint64_t number(const uint8_t *at, unsigned size);
uint64_t take(const uint8_t **at, unsigned size);
uint64_t take_address(struct check *c, const uint8_t **at);
uint64_t take_length(struct check *c, const uint8_t **at);
unsigned log2_floor(uint64_t value);
unsigned bytes_for(uint64_t limit);
uint32_t lookup3(const uint8_t *key, size_t length);
void check_sum(struct check *c, uint64_t address, uint64_t covered, const char *what);
/* The bytes after the signature and version, which must be as given. */
const uint8_t *expect(struct check *c, uint64_t address, const char *signature, unsigned version);
void occupies(struct check *c, uint64_t address, uint64_t length, const char *what);

/* Leaves all records in `t->collected`, which the caller frees. */
void walk_tree(struct check *c, uint64_t address, struct tree *t);

/* Walk the blocks, then ask for each object of the index, then finish: compare, and free. */
void walk_heap(struct check *c, uint64_t address, struct heap *h);
const uint8_t *heap_object(struct check *c, struct heap *h, const uint8_t *id, uint64_t *length);
void finish_heap(struct check *c, struct heap *h);

/* A File Space Info message: the managers that it names and the sections that they hold are extents of the file. */
void walk_file_space(struct check *c, const uint8_t *body, uint64_t length);

#endif
