// What every C test uses. Valid C11 and C++17.
#ifndef CHECK_H
#define CHECK_H

#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Ends the test when `condition` does not hold.
#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

// The call succeeds, and leaves no message.
#define OK(call) check_status((call), H5R_OK, __FILE__, __LINE__, #call)

// The call fails with `status`, and says why in one line.
#define FAILS(status, call) check_status((call), (status), __FILE__, __LINE__, #call)

// The last message holds `text`.
#define SAYS(text)                                                                              \
    do {                                                                                        \
        if (strstr(h5r_last_error(), (text)) == NULL) {                                         \
            fprintf(stderr, "%s:%d: '%s' is not in the message '%s'\n", __FILE__, __LINE__,     \
                    (text), h5r_last_error());                                                  \
            exit(1);                                                                            \
        }                                                                                       \
    } while (0)

static inline void check_status(h5r_status status, h5r_status expected, const char *file, int line, const char *call) {
    const char *message = h5r_last_error();
    if (status != expected) {
        fprintf(stderr, "%s:%d: %s gave %s (%s), expected %s\n", file, line, call, h5r_status_name(status), message,
                h5r_status_name(expected));
        exit(1);
    }
    if ((status == H5R_OK) != (message[0] == '\0') || strchr(message, '\n') != NULL) {
        fprintf(stderr, "%s:%d: %s gave %s with the message '%s'\n", file, line, call, h5r_status_name(status), message);
        exit(1);
    }
}

static inline void write_int(h5r_object *object, const char *name, int32_t value) {
    OK(h5r_attr_write(object, name, H5R_I32, 0, NULL, &value));
}

static inline int32_t read_int(h5r_object *object, const char *name) {
    int32_t value = -1;
    OK(h5r_attr_read(object, name, H5R_I32, &value, sizeof value));
    return value;
}

static inline uint64_t attr_count(h5r_object *object) {
    uint64_t count = UINT64_MAX;
    OK(h5r_attr_count(object, &count));
    return count;
}

static inline bool attr_exists(h5r_object *object, const char *name) {
    bool exists = false;
    OK(h5r_attr_exists(object, name, &exists));
    return exists;
}

static inline h5r_file *new_file(const char *path) {
    h5r_file *file = NULL;
    OK(h5r_create(path, NULL, &file));
    CHECK(file != NULL);
    return file;
}

static inline h5r_file *old_file(const char *path) {
    h5r_file *file = NULL;
    OK(h5r_open(path, NULL, &file));
    CHECK(file != NULL);
    return file;
}

#endif
