/* Version 2 B-trees. */
#include "check_internal.h"

#include <string.h>

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
    if (!root || level == 0) { /* the root above others is as full as their number makes it */
        t->room += capacity;
        t->filled += nrec;
    }
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

void walk_tree(struct check *c, uint64_t address, struct tree *t)
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
                t->room ? (double)t->filled / (double)t->room : 1.0);
}
