/* The calls the benchmark makes, written once for libhdf5 (backend_hdf5.c) and once for h5r (backend_h5r.c).
 * Every file has a dataset "data" for the attributes and a group "members" for the links. Each call that fails
 * ends the process. */
#ifndef COMPARE_BACKEND_H
#define COMPARE_BACKEND_H

#include <stdint.h>

void backend_create(const char *path);
void backend_set_mode(const char *mode);
void backend_flush(void);
void backend_close(void);
double backend_occupancy(void); /* of the index nodes, 0 to 1; 0 where the library cannot tell */

void attribute_create(const char *name, int32_t value);
void attribute_delete(const char *name);
void soft_link_create(const char *name, int32_t value);
void group_create(const char *name, int32_t value);
void link_delete(const char *name);

#endif
