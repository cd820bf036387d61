/* Reads an HDF5 file's metadata on its own, sharing no code with h5r or libhdf5, and says what is wrong with it. */
#ifndef INTEROP_CHECK_H
#define INTEROP_CHECK_H

#include <stdio.h>

/* Walks every object from the root (superblock 2 or 3, version 2 object headers) and verifies
 *  - every checksum met, and that no two structures overlap or reach beyond the end of allocation;
 *  - each version 2 B-tree: order, record counts, and the rule for sparse nodes: merge % >= 20, each node but the
 *    root at or above the floor of its level (merge % of its capacity), an internal root with two children or more,
 *    no root node without records;
 *  - each fractal heap: every record's object lies in an allocated direct block, none overlap, counts agree, no
 *    free section covers a live object; stored hashes are those of the stored names; both indexes list the same.
 *  - of a file that was closed: what its free-space managers say is free is not in use, nor said twice.
 * Writes "fault: ..." lines and one "tree ..." and "heap ..." line for each structure to `report` (may be NULL).
 * Returns the number of faults. */
int check_file(const char *path, int closed, FILE *report);

#endif
