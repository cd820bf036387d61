/* The calls the benchmark of raw data makes, written once for libhdf5 (raw_hdf5.c), once for h5r (raw_h5r.c) and, as far as
 * they go, for a plain file (raw_plain.c). One file and one dataset are open at a time. Each call that fails ends the
 * process. */
#ifndef COMPARE_RAW_H
#define COMPARE_RAW_H

#include <stddef.h>
#include <stdint.h>

enum { RAW_F32 = 4, RAW_F64 = 8 };

/* A number in the environment. */
uint64_t setting(const char *name, uint64_t otherwise);

/* threads: for h5r, 0 for all processors. */
void raw_create(const char *path, uint32_t threads);
void raw_open(const char *path, uint32_t threads);
void raw_close(void);

/* A dataset "data" of `rows` rows of `columns` elements (one dimension for 1 column); chunk_rows 0: contiguous, deflate 0: no
 * filters, otherwise shuffle and deflate; `grows`: unlimited rows. */
void data_create(int type, uint64_t rows, uint64_t columns, uint64_t chunk_rows, int deflate, int grows);
void data_open(int type);
void data_close(void);
void data_write(uint64_t first, uint64_t count, const void *data); /* of one column */
void data_read(uint64_t first, uint64_t count, void *data);
void data_append(uint64_t columns, const double *row);

void group_make(const char *name);
void group_visit(const char *name);
void small_write(const char *name, uint64_t count, const double *data); /* create, write, close */
void small_read(const char *name, double *data);                       /* open, read, close */

#endif
