/* What the judge's two backends (judge_hdf5.c: any libhdf5, judge_h5r.c: h5r) offer to the driver (judge.c).
 *
 * A file of the judge has a dataset "data" (10 int32, each its index), whose attributes are the collection ATTRIBUTES,
 * and a group "members", whose links are the collection LINKS. A call that fails ends the process through fail(). */
#ifndef INTEROP_JUDGE_H
#define INTEROP_JUDGE_H

#include <stddef.h>
#include <stdint.h>

enum collection { ATTRIBUTES, LINKS, COLLECTIONS };
enum order { BY_NAME, BY_NAME_DOWN, BY_CREATION, BY_CREATION_DOWN, BY_INDEX_ORDER, ORDERS }; /* the last: as stored */

enum attribute_kind { A_I32, A_F64_3, A_I16BE_2X3, A_STRING, A_U8_100, A_HUGE, A_F32, A_U64BE, A_PLAIN_KINDS,
                      /* written only by libhdf5, carried by h5r */
                      A_NULL = A_PLAIN_KINDS, A_COMPOUND, A_ENUM, A_VLEN_STRING, A_KINDS };
/* Datasets of three float64 or of 1 to 5000 bytes. The last is written only by libhdf5. */
enum link_kind { L_SOFT, L_HARD, L_GROUP, L_DATASET, L_BYTES, L_EXTERNAL, L_KINDS };

enum { NAME_ROOM = 64, HUGE_BYTES = 5000, VALUE_ROOM = 5120, DATA_LENGTH = 10 };

struct shape {
    size_t rank;
    uint64_t dims[2];
    size_t element_size;
};

__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* The value of an attribute (or of a link's dataset, as A_I32 with 4 elements) made from `seed`; returns its size. */
size_t value_bytes(unsigned kind, uint32_t seed, uint8_t *bytes);
struct shape value_shape(unsigned kind, uint32_t seed);
void soft_target(uint32_t seed, char target[NAME_ROOM]);

extern const int backend_is_h5r;
int backend_renames(enum collection, int tracked); /* 0 where the library is known to break the file */
void backend_start(const char *argument); /* a libhdf5's path; h5r: ignored */

void file_create(const char *path, int attributes_tracked, int links_tracked, const char *format);
void file_open(const char *path, int read_only);
void file_flush(void);
void file_close(void);
void file_set_mode(const char *mode); /* h5r only, as is the next */
void file_rebalance(void);
void file_check_data(uint64_t hard_links); /* "data" is intact and has 1 + hard_links links */

void attribute_create(const char *name, unsigned kind, uint32_t seed);
void attribute_replace(const char *name, unsigned kind, uint32_t seed);
void attribute_verify(const char *name, unsigned kind, uint32_t seed);
void link_create(const char *name, unsigned kind, uint32_t seed);
void link_verify(const char *name, unsigned kind, uint32_t seed);

uint64_t members_count(enum collection);
int member_exists(enum collection, const char *name);
void member_delete(enum collection, const char *name);
void member_rename(enum collection, const char *from, const char *to);
void members_iterate(enum collection, enum order, void (*visit)(const char *name));
/* By position; h5r has no such calls and returns 0. */
int member_name_at(enum collection, enum order, uint64_t index, char name[NAME_ROOM]);
int member_delete_at(enum collection, enum order, uint64_t index);

#endif
