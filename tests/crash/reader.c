/* Reads whole files through any libhdf5 from 1.10 on: reader LIBRARY <lines. The library is loaded by path; compiled
 * against Debian's headers of 1.10.8 (the calls used here have kept their binary interface since).
 *
 *   v        answers with the library's version
 *   r PATH   reads everything that can be reached; answers with a digest of names, types, shapes and values
 *   w PATH   tries to open for writing, also as h5clear does; answers "opened" or "refused"
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <hdf5.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X)                                                                                                      \
    X(H5open) X(H5get_libversion) X(H5Eset_auto2) X(H5Pcreate) X(H5Pset) X(H5Pclose) X(H5Fopen) X(H5Fclose) X(H5Oopen) X(H5Oclose)         \
    X(H5Iget_type) X(H5Gget_info) X(H5Lget_name_by_idx) X(H5Lget_val) X(H5Dread) X(H5Dget_type) X(H5Dget_space)        \
    X(H5Aiterate2) X(H5Aopen) X(H5Aget_type) X(H5Aget_space) X(H5Aread) X(H5Aclose) X(H5Tget_size)              \
    X(H5Tget_class) X(H5Tdetect_class) X(H5Tclose) X(H5Sget_simple_extent_type) X(H5Sget_simple_extent_ndims)          \
    X(H5Sget_simple_extent_dims) X(H5Sget_simple_extent_npoints) X(H5Sclose)
/* Renamed where a later library has a second version of the call. */
#define RENAMED_CALLS(X) X(H5Lget_info) X(H5Oget_info)
#define DECLARE(name) static __typeof__(name) *p##name;
#undef H5Lget_info
#undef H5Oget_info
CALLS(DECLARE)
RENAMED_CALLS(DECLARE)
/* The headers' H5F_ACC_... call into a linked library. */
enum { READ_ONLY = 0, READ_WRITE = 1 };
static hid_t file_access;

static char problem[256];
static uint64_t digest;
static haddr_t visited[100000];
static size_t visits;

static int bad(const char *call)
{
    if (!*problem)
        snprintf(problem, sizeof problem, "%s failed", call);
    return -1;
}
#define TRY(call)                                                                                                     \
    do {                                                                                                              \
        if ((call) < 0)                                                                                               \
            return bad(#call);                                                                                        \
    } while (0)

static void add(const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
}

/* Reads an attribute's or dataset's elements; addresses that they hold are not part of the digest. */
static int add_elements(hid_t source, int is_attribute, hid_t type, hid_t space)
{
    hsize_t dims[33] = {0};
    int kind = pH5Sget_simple_extent_type(space), ndims = pH5Sget_simple_extent_ndims(space);
    hssize_t points = kind == H5S_NULL ? 0 : pH5Sget_simple_extent_npoints(space);
    size_t size = pH5Tget_size(type);
    TRY(ndims);
    TRY(points);
    TRY(pH5Sget_simple_extent_dims(space, dims, NULL));
    int class = pH5Tget_class(type);
    add(&class, sizeof class), add(&size, sizeof size), add(&kind, sizeof kind), add(dims, sizeof dims);
    if (points == 0)
        return 0;
    void *values = calloc((size_t)points, size);
    if (!values)
        return bad("calloc");
    herr_t status = is_attribute ? pH5Aread(source, type, values)
                                 : pH5Dread(source, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    int pointers = pH5Tdetect_class(type, H5T_VLEN) > 0 || pH5Tdetect_class(type, H5T_STRING) > 0;
    int references = pH5Tdetect_class(type, H5T_REFERENCE) > 0;
    if (status >= 0 && !references && (!pointers || pH5Tdetect_class(type, H5T_VLEN) == 0))
        add(values, class == H5T_STRING && size == sizeof(char *) ? 0 : (size_t)points * size);
    free(values);
    return status < 0 ? bad(is_attribute ? "H5Aread" : "H5Dread") : 0;
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *info, void *count)
{
    (void)info;
    ++*(hsize_t *)count;
    hid_t attribute = pH5Aopen(object, name, H5P_DEFAULT);
    TRY(attribute);
    add(name, strlen(name) + 1);
    hid_t type = pH5Aget_type(attribute), space = pH5Aget_space(attribute);
    TRY(type);
    TRY(space);
    int result = add_elements(attribute, 1, type, space);
    pH5Sclose(space), pH5Tclose(type), pH5Aclose(attribute);
    return result;
}

static int add_object(hid_t object);

static int add_link(hid_t group, hsize_t index)
{
    char name[1024] = "", target[4096] = "";
    H5L_info_t info;
    TRY(pH5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, sizeof name, H5P_DEFAULT));
    TRY(pH5Lget_info(group, name, &info, H5P_DEFAULT));
    add(name, strlen(name) + 1), add(&info.type, sizeof info.type);
    if (info.type != H5L_TYPE_HARD) {
        TRY(pH5Lget_val(group, name, target, sizeof target, H5P_DEFAULT));
        add(target, sizeof target);
        return 0;
    }
    hid_t object = pH5Oopen(group, name, H5P_DEFAULT);
    TRY(object);
    int result = add_object(object);
    pH5Oclose(object);
    return result;
}

static int add_dataset(hid_t dataset)
{
    hid_t type = pH5Dget_type(dataset), space = pH5Dget_space(dataset);
    TRY(type);
    TRY(space);
    int result = add_elements(dataset, 0, type, space);
    pH5Sclose(space), pH5Tclose(type);
    return result;
}

static int add_object(hid_t object)
{
    H5O_info_t info;
    TRY(pH5Oget_info(object, &info));
    add(&info.type, sizeof info.type), add(&info.rc, sizeof info.rc), add(&info.num_attrs, sizeof info.num_attrs);
    for (size_t i = 0; i < visits; i++)
        if (visited[i] == info.addr) {
            add(&i, sizeof i);
            return 0;
        }
    if (visits == sizeof visited / sizeof *visited)
        return bad("counting objects");
    visited[visits++] = info.addr;
    hsize_t attributes = 0;
    TRY(pH5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, &attributes));
    if (attributes != info.num_attrs)
        return bad("counting attributes");
    if (info.type == H5O_TYPE_DATASET)
        return add_dataset(object);
    if (info.type != H5O_TYPE_GROUP)
        return 0;
    H5G_info_t group;
    TRY(pH5Gget_info(object, &group));
    for (hsize_t i = 0; i < group.nlinks; i++)
        if (add_link(object, i) < 0)
            return -1;
    return 0;
}

static int read_file(const char *path)
{
    digest = 0xCBF29CE484222325u;
    *problem = 0;
    visits = 0;
    hid_t file = pH5Fopen(path, READ_ONLY, H5P_DEFAULT);
    if (file < 0)
        return bad("H5Fopen");
    hid_t root = pH5Oopen(file, "/", H5P_DEFAULT);
    int result = root < 0 ? bad("opening the root group") : add_object(root);
    if (root >= 0)
        pH5Oclose(root);
    return pH5Fclose(file) < 0 ? bad("H5Fclose") : result;
}

static int opens_for_writing(const char *path)
{
    hid_t file = pH5Fopen(path, READ_WRITE, H5P_DEFAULT);
    if (file < 0) {
        hid_t list = pH5Pcreate(file_access);
        hbool_t clear = 1;
        if (list < 0 || pH5Pset(list, "clear_status_flags", &clear) < 0)
            exit(2);
        file = pH5Fopen(path, READ_WRITE, list);
        pH5Pclose(list);
    }
    if (file >= 0)
        pH5Fclose(file);
    return file >= 0;
}

static void *symbol(void *library, const char *name)
{
    char first[64];
    snprintf(first, sizeof first, "%s1", name);
    void *found = dlsym(library, first);
    found = found ? found : dlsym(library, name);
    if (!found) {
        fprintf(stderr, "the library lacks %s\n", name);
        exit(2);
    }
    return found;
}

int main(int count, char **arguments)
{
    static char line[4096];
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "usage: reader LIBRARY <lines (%s)\n", count == 2 ? dlerror() : "");
        return 2;
    }
#define FIND(name) p##name = (__typeof__(p##name))symbol(library, #name);
#define FIND_EXACTLY(name) p##name = (__typeof__(p##name))dlsym(library, #name);
    CALLS(FIND_EXACTLY)
    RENAMED_CALLS(FIND)
    if (pH5open() < 0 || pH5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0)
        return 2;
    file_access = *(hid_t *)symbol(library, "H5P_CLS_FILE_ACCESS_ID_g");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        unsigned parts[3];
        if (line[0] == 'v' && pH5get_libversion(&parts[0], &parts[1], &parts[2]) >= 0)
            printf("%u.%u.%u\n", parts[0], parts[1], parts[2]);
        else if (line[0] == 'w')
            puts(opens_for_writing(line + 2) ? "opened" : "refused");
        else if (read_file(line + 2) < 0)
            printf("failed: %s\n", problem);
        else
            printf("%016llx\n", (unsigned long long)digest);
        fflush(stdout);
    }
    return 0;
}
