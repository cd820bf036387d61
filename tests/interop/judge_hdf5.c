/* The judge on any libhdf5 from 1.10 on: the library is loaded by path, its calls looked up by name. Compiled against
 * Debian's headers of 1.10.8; the calls used here have kept their binary interface since. */
#define _GNU_SOURCE
#include "judge.h"

#include <dlfcn.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int backend_is_h5r = 0;

/* The headers' H5F_ACC_... call into a linked library. */
enum { READ_ONLY = 0, READ_WRITE = 1, TRUNCATE = 2 };

#define CALLS(X)                                                                                               \
    X(H5open) X(H5get_libversion) X(H5Pcreate) X(H5Pclose) X(H5Pset_libver_bounds) X(H5Pset_attr_creation_order)   \
    X(H5Pset_link_creation_order) X(H5Fcreate) X(H5Fopen) X(H5Fflush) X(H5Fclose) X(H5Screate) X(H5Screate_simple) \
    X(H5Sclose) X(H5Sget_simple_extent_type) X(H5Sget_simple_extent_ndims) X(H5Sget_simple_extent_dims)            \
    X(H5Dcreate2) X(H5Dopen2) X(H5Dread) X(H5Dwrite) X(H5Dclose) X(H5Gcreate2) X(H5Gopen2) X(H5Gclose)             \
    X(H5Gget_info) X(H5Acreate2) X(H5Aopen) X(H5Aread) X(H5Awrite) X(H5Aclose) X(H5Adelete) X(H5Arename)           \
    X(H5Aexists) X(H5Aget_type) X(H5Aget_space) X(H5Aiterate2) X(H5Aget_name_by_idx) X(H5Adelete_by_idx)           \
    X(H5Lcreate_soft) X(H5Lcreate_hard) X(H5Lcreate_external) X(H5Ldelete) X(H5Ldelete_by_idx) X(H5Lexists)        \
    X(H5Lmove) X(H5Lget_val) X(H5Lget_name_by_idx) X(H5Tcopy) X(H5Tset_size) X(H5Tset_strpad) X(H5Tset_cset) \
    X(H5Tcreate) X(H5Tinsert) X(H5Pset_file_space_strategy) \
    X(H5Tenum_create) X(H5Tenum_insert) X(H5Tequal) X(H5Tclose) X(H5Dvlen_reclaim)
/* Renamed where a later library has a second version of the call. */
#define RENAMED_CALLS(X) X(H5Literate) X(H5Lget_info) X(H5Oget_info)
#define VALUES(X)                                                                                              \
    X(H5P_CLS_FILE_ACCESS_ID_g) X(H5P_CLS_FILE_CREATE_ID_g) X(H5P_CLS_DATASET_CREATE_ID_g)                          \
    X(H5P_CLS_GROUP_CREATE_ID_g) X(H5T_STD_I32LE_g) X(H5T_IEEE_F64LE_g) X(H5T_STD_I16BE_g) X(H5T_STD_U8LE_g)        \
    X(H5T_IEEE_F32LE_g) X(H5T_STD_U64BE_g) X(H5T_C_S1_g)

#define DECLARE_CALL(name) static __typeof__(name) *p##name;
#define DECLARE_VALUE(name) static hid_t v##name;
#undef H5Literate
#undef H5Lget_info
#undef H5Oget_info
CALLS(DECLARE_CALL)
RENAMED_CALLS(DECLARE_CALL)
VALUES(DECLARE_VALUE)

static unsigned version[3];
static hid_t file, dataset, group, types[A_KINDS];

static int64_t checked(int64_t result, const char *call)
{
    if (result < 0)
        fail("libhdf5 %u.%u.%u: %s failed", version[0], version[1], version[2], call);
    return result;
}
#define CHECK(call) checked((call), #call)

static void *symbol(void *library, const char *name, int required)
{
    void *found = dlsym(library, name);
    if (!found && required)
        fail("the library lacks %s", name);
    return found;
}

static void *renamed(void *library, const char *name)
{
    char first[64];
    snprintf(first, sizeof first, "%s1", name);
    void *found = symbol(library, first, 0);
    return found ? found : symbol(library, name, 1);
}

static void make_types(void)
{
    static const int members[3] = {0, 1, 2};
    types[A_I32] = vH5T_STD_I32LE_g, types[A_F64_3] = vH5T_IEEE_F64LE_g, types[A_I16BE_2X3] = vH5T_STD_I16BE_g;
    types[A_U8_100] = types[A_HUGE] = vH5T_STD_U8LE_g, types[A_F32] = vH5T_IEEE_F32LE_g;
    types[A_U64BE] = vH5T_STD_U64BE_g, types[A_NULL] = vH5T_STD_I32LE_g;
    types[A_COMPOUND] = CHECK(pH5Tcreate(H5T_COMPOUND, 12));
    CHECK(pH5Tinsert(types[A_COMPOUND], "number", 0, vH5T_STD_I32LE_g));
    CHECK(pH5Tinsert(types[A_COMPOUND], "value", 4, vH5T_IEEE_F64LE_g));
    types[A_ENUM] = CHECK(pH5Tenum_create(vH5T_STD_I32LE_g));
    CHECK(pH5Tenum_insert(types[A_ENUM], "RED", &members[0]));
    CHECK(pH5Tenum_insert(types[A_ENUM], "GREEN", &members[1]));
    CHECK(pH5Tenum_insert(types[A_ENUM], "BLUE", &members[2]));
    types[A_VLEN_STRING] = CHECK(pH5Tcopy(vH5T_C_S1_g));
    CHECK(pH5Tset_size(types[A_VLEN_STRING], H5T_VARIABLE));
}

void backend_start(const char *argument)
{
    void *library = dlopen(argument, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail("%s", dlerror());
#define FIND_CALL(name) p##name = (__typeof__(p##name))symbol(library, #name, 1);
#define FIND_RENAMED(name) p##name = (__typeof__(p##name))renamed(library, #name);
#define FIND_VALUE(name) v##name = *(hid_t *)symbol(library, #name, 1);
    CALLS(FIND_CALL)
    RENAMED_CALLS(FIND_RENAMED)
    CHECK(pH5open());
    VALUES(FIND_VALUE)
    CHECK(pH5get_libversion(&version[0], &version[1], &version[2]));
    make_types();
}

/* 1.10.8 takes a renamed dense attribute out of the creation-order index and does not put it back. */
int backend_renames(enum collection collection, int tracked)
{
    return collection == LINKS || !tracked || version[0] > 1 || version[1] > 10;
}

/* ---- files ---- */

static hid_t access_list(const char *format)
{
    /* The value of "latest" in each version; v18 and v110 are 1 and 2 in all. */
    int latest = version[0] == 1 ? (version[1] == 10 ? 2 : version[1] == 12 ? 3 : 4) : 5;
    int high = strcmp(format, "earliest") == 0 ? latest : 0;
    int low = high ? 0 : strcmp(format, "v18") == 0 ? 1 : strcmp(format, "latest") == 0 ? latest : 2;
    hid_t list = CHECK(pH5Pcreate(vH5P_CLS_FILE_ACCESS_ID_g));
    CHECK(pH5Pset_libver_bounds(list, (H5F_libver_t)low, (H5F_libver_t)(high ? high : low)));
    return list;
}

void file_create(const char *path, int attributes_tracked, int links_tracked, const char *format)
{
    const unsigned tracking = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    const hsize_t dims[1] = {DATA_LENGTH};
    int32_t data[DATA_LENGTH];
    hid_t access = access_list(format), creation = CHECK(pH5Pcreate(vH5P_CLS_FILE_CREATE_ID_g));
    if (strcmp(format, "persist") == 0)
        CHECK(pH5Pset_file_space_strategy(creation, H5F_FSPACE_STRATEGY_FSM_AGGR, 1, 1));
    file = CHECK(pH5Fcreate(path, TRUNCATE, creation, access));
    CHECK(pH5Pclose(access));
    CHECK(pH5Pclose(creation));
    hid_t list = CHECK(pH5Pcreate(vH5P_CLS_DATASET_CREATE_ID_g));
    CHECK(pH5Pset_attr_creation_order(list, attributes_tracked ? tracking : 0));
    hid_t space = CHECK(pH5Screate_simple(1, dims, NULL));
    dataset = CHECK(pH5Dcreate2(file, "data", vH5T_STD_I32LE_g, space, H5P_DEFAULT, list, H5P_DEFAULT));
    for (int i = 0; i < DATA_LENGTH; i++)
        data[i] = i;
    CHECK(pH5Dwrite(dataset, vH5T_STD_I32LE_g, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    CHECK(pH5Sclose(space));
    CHECK(pH5Pclose(list));
    list = CHECK(pH5Pcreate(vH5P_CLS_GROUP_CREATE_ID_g));
    CHECK(pH5Pset_link_creation_order(list, links_tracked ? tracking : 0));
    group = CHECK(pH5Gcreate2(file, "members", H5P_DEFAULT, list, H5P_DEFAULT));
    CHECK(pH5Pclose(list));
}

void file_open(const char *path, int read_only)
{
    file = CHECK(pH5Fopen(path, read_only ? READ_ONLY : READ_WRITE, H5P_DEFAULT));
    dataset = CHECK(pH5Dopen2(file, "data", H5P_DEFAULT));
    group = CHECK(pH5Gopen2(file, "members", H5P_DEFAULT));
}

void file_flush(void)
{
    CHECK(pH5Fflush(file, H5F_SCOPE_GLOBAL));
}

void file_close(void)
{
    CHECK(pH5Gclose(group));
    CHECK(pH5Dclose(dataset));
    CHECK(pH5Fclose(file));
}

void file_set_mode(const char *mode)
{
    fail("libhdf5 has no mode %s", mode);
}

void file_rebalance(void)
{
    fail("libhdf5 does not rebalance");
}

void file_check_data(uint64_t hard_links)
{
    int32_t data[DATA_LENGTH];
    H5O_info_t info;
    CHECK(pH5Dread(dataset, vH5T_STD_I32LE_g, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    for (int i = 0; i < DATA_LENGTH; i++)
        if (data[i] != i)
            fail("element %d of the dataset is %d", i, data[i]);
    CHECK(pH5Oget_info(dataset, &info));
    if (info.rc != 1 + hard_links)
        fail("the dataset's link count is %u, not %llu", info.rc, (unsigned long long)(1 + hard_links));
}

/* ---- attributes ---- */

static hid_t attribute_type(unsigned kind, uint32_t seed)
{
    if (kind != A_STRING)
        return CHECK(pH5Tcopy(types[kind]));
    hid_t type = CHECK(pH5Tcopy(vH5T_C_S1_g));
    CHECK(pH5Tset_size(type, value_shape(kind, seed).element_size));
    CHECK(pH5Tset_strpad(type, H5T_STR_NULLPAD));
    CHECK(pH5Tset_cset(type, seed % 2 ? H5T_CSET_UTF8 : H5T_CSET_ASCII));
    return type;
}

static hid_t attribute_space(unsigned kind, uint32_t seed)
{
    struct shape shape = value_shape(kind, seed);
    if (kind == A_NULL)
        return CHECK(pH5Screate(H5S_NULL));
    if (shape.rank == 0)
        return CHECK(pH5Screate(H5S_SCALAR));
    hsize_t dims[2] = {shape.dims[0], shape.dims[1]};
    return CHECK(pH5Screate_simple((int)shape.rank, dims, NULL));
}

static void write_value(hid_t attribute, hid_t type, unsigned kind, uint32_t seed)
{
    uint8_t bytes[VALUE_ROOM];
    char text[NAME_ROOM], *pointer = text;
    value_bytes(kind, seed, bytes);
    soft_target(seed, text);
    if (kind != A_NULL)
        CHECK(pH5Awrite(attribute, type, kind == A_VLEN_STRING ? (void *)&pointer : bytes));
}

void attribute_create(const char *name, unsigned kind, uint32_t seed)
{
    hid_t type = attribute_type(kind, seed), space = attribute_space(kind, seed);
    hid_t attribute = CHECK(pH5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
    write_value(attribute, type, kind, seed);
    CHECK(pH5Aclose(attribute));
    CHECK(pH5Sclose(space));
    CHECK(pH5Tclose(type));
}

void attribute_replace(const char *name, unsigned kind, uint32_t seed)
{
    hid_t type = attribute_type(kind, seed), attribute = CHECK(pH5Aopen(dataset, name, H5P_DEFAULT));
    write_value(attribute, type, kind, seed);
    CHECK(pH5Aclose(attribute));
    CHECK(pH5Tclose(type));
}

static void verify_space(hid_t attribute, const char *name, unsigned kind, uint32_t seed)
{
    struct shape shape = value_shape(kind, seed);
    hid_t space = CHECK(pH5Aget_space(attribute));
    H5S_class_t class = kind == A_NULL ? H5S_NULL : shape.rank ? H5S_SIMPLE : H5S_SCALAR;
    hsize_t dims[32] = {0};
    if (pH5Sget_simple_extent_type(space) != class)
        fail("%s: another class of dataspace", name);
    if (kind != A_NULL && (size_t)pH5Sget_simple_extent_ndims(space) != shape.rank)
        fail("%s: another rank", name);
    if (class == H5S_SIMPLE)
        CHECK(pH5Sget_simple_extent_dims(space, dims, NULL));
    for (size_t i = 0; i < shape.rank; i++)
        if (dims[i] != shape.dims[i])
            fail("%s: dimension %zu is %llu", name, i, (unsigned long long)dims[i]);
    CHECK(pH5Sclose(space));
}

static void verify_text(hid_t attribute, hid_t type, const char *name, uint32_t seed)
{
    char expected[NAME_ROOM], *text = NULL;
    hid_t space = CHECK(pH5Aget_space(attribute));
    soft_target(seed, expected);
    CHECK(pH5Aread(attribute, type, &text));
    if (!text || strcmp(text, expected) != 0)
        fail("%s: the text is %s", name, text ? text : "missing");
    CHECK(pH5Dvlen_reclaim(type, space, H5P_DEFAULT, &text));
    CHECK(pH5Sclose(space));
}

void attribute_verify(const char *name, unsigned kind, uint32_t seed)
{
    uint8_t expected[VALUE_ROOM], found[VALUE_ROOM];
    hid_t attribute = CHECK(pH5Aopen(dataset, name, H5P_DEFAULT));
    hid_t type = attribute_type(kind, seed), stored = CHECK(pH5Aget_type(attribute));
    if (pH5Tequal(type, stored) <= 0)
        fail("%s: another datatype (kind %u)", name, kind);
    verify_space(attribute, name, kind, seed);
    size_t size = value_bytes(kind, seed, expected);
    if (kind == A_VLEN_STRING) {
        verify_text(attribute, type, name, seed);
    } else if (kind != A_NULL) {
        CHECK(pH5Aread(attribute, type, found));
        if (memcmp(found, expected, size) != 0)
            fail("%s: another value (kind %u)", name, kind);
    }
    CHECK(pH5Tclose(type));
    CHECK(pH5Tclose(stored));
    CHECK(pH5Aclose(attribute));
}

/* ---- links ---- */

void link_create(const char *name, unsigned kind, uint32_t seed)
{
    char target[NAME_ROOM];
    soft_target(seed, target);
    if (kind == L_SOFT) {
        CHECK(pH5Lcreate_soft(target, group, name, H5P_DEFAULT, H5P_DEFAULT));
    } else if (kind == L_HARD) {
        CHECK(pH5Lcreate_hard(file, "data", group, name, H5P_DEFAULT, H5P_DEFAULT));
    } else if (kind == L_EXTERNAL) {
        CHECK(pH5Lcreate_external("elsewhere.h5", target, group, name, H5P_DEFAULT, H5P_DEFAULT));
    } else if (kind == L_GROUP) {
        CHECK(pH5Gclose(CHECK(pH5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT))));
    } else {
        uint8_t bytes[VALUE_ROOM];
        hid_t type = kind == L_BYTES ? vH5T_STD_U8LE_g : vH5T_IEEE_F64LE_g;
        size_t size = value_bytes(kind == L_BYTES ? A_HUGE : A_F64_3, seed, bytes);
        const hsize_t dims[1] = {kind == L_BYTES ? size - seed % HUGE_BYTES : 3};
        hid_t space = CHECK(pH5Screate_simple(1, dims, NULL));
        hid_t made = CHECK(pH5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        CHECK(pH5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes));
        CHECK(pH5Dclose(made));
        CHECK(pH5Sclose(space));
    }
}

static void verify_value(const char *name, unsigned kind, uint32_t seed, size_t size)
{
    char target[NAME_ROOM], found[256];
    soft_target(seed, target);
    if (size > sizeof found)
        fail("%s: a link value of %zu bytes", name, size);
    CHECK(pH5Lget_val(group, name, found, sizeof found, H5P_DEFAULT));
    const char *text = kind == L_SOFT ? found : found + 1 + strlen("elsewhere.h5") + 1;
    if (strcmp(text, target) != 0 || (kind == L_EXTERNAL && strcmp(found + 1, "elsewhere.h5") != 0))
        fail("%s: the link's target is %s", name, text);
}

static void verify_dataset(const char *name, unsigned kind, uint32_t seed)
{
    uint8_t expected[VALUE_ROOM], found[VALUE_ROOM];
    hid_t opened = CHECK(pH5Dopen2(group, name, H5P_DEFAULT));
    if (kind == L_HARD) {
        H5O_info_t one, other;
        CHECK(pH5Oget_info(opened, &one));
        CHECK(pH5Oget_info(dataset, &other));
        if (one.addr != other.addr)
            fail("%s: a hard link to another object", name);
    } else {
        size_t size = value_bytes(kind == L_BYTES ? A_HUGE : A_F64_3, seed, expected);
        size -= kind == L_BYTES ? seed % HUGE_BYTES : 0;
        hid_t type = kind == L_BYTES ? vH5T_STD_U8LE_g : vH5T_IEEE_F64LE_g;
        CHECK(pH5Dread(opened, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found));
        if (memcmp(found, expected, size) != 0)
            fail("%s: other data", name);
    }
    CHECK(pH5Dclose(opened));
}

void link_verify(const char *name, unsigned kind, uint32_t seed)
{
    H5L_info_t info;
    CHECK(pH5Lget_info(group, name, &info, H5P_DEFAULT));
    H5L_type_t type = kind == L_SOFT ? H5L_TYPE_SOFT : kind == L_EXTERNAL ? H5L_TYPE_EXTERNAL : H5L_TYPE_HARD;
    if (info.type != type)
        fail("%s: link type %d", name, (int)info.type);
    if (kind == L_SOFT || kind == L_EXTERNAL)
        verify_value(name, kind, seed, info.u.val_size);
    else if (kind == L_GROUP)
        CHECK(pH5Gclose(CHECK(pH5Gopen2(group, name, H5P_DEFAULT))));
    else
        verify_dataset(name, kind, seed);
}

/* ---- both ---- */

static H5_index_t index_of(enum order order)
{
    return order == BY_CREATION || order == BY_CREATION_DOWN ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
}

static H5_iter_order_t direction_of(enum order order)
{
    return order == BY_INDEX_ORDER ? H5_ITER_NATIVE
                                   : order == BY_NAME || order == BY_CREATION ? H5_ITER_INC : H5_ITER_DEC;
}

uint64_t members_count(enum collection collection)
{
    if (collection == LINKS) {
        H5G_info_t info;
        CHECK(pH5Gget_info(group, &info));
        return info.nlinks;
    }
    H5O_info_t info;
    CHECK(pH5Oget_info(dataset, &info));
    return info.num_attrs;
}

int member_exists(enum collection collection, const char *name)
{
    return (int)CHECK(collection == LINKS ? pH5Lexists(group, name, H5P_DEFAULT) : pH5Aexists(dataset, name));
}

void member_delete(enum collection collection, const char *name)
{
    if ((collection == LINKS ? pH5Ldelete(group, name, H5P_DEFAULT) : pH5Adelete(dataset, name)) < 0)
        fail("libhdf5 %u.%u.%u cannot delete %s", version[0], version[1], version[2], name);
}

void member_rename(enum collection collection, const char *from, const char *to)
{
    if (collection == LINKS)
        CHECK(pH5Lmove(group, from, group, to, H5P_DEFAULT, H5P_DEFAULT));
    else
        CHECK(pH5Arename(dataset, from, to));
}

static void (*visitor)(const char *);

static herr_t visit_link(hid_t id, const char *name, const H5L_info_t *info, void *data)
{
    (void)id, (void)info, (void)data;
    visitor(name);
    return 0;
}

static herr_t visit_attribute(hid_t id, const char *name, const H5A_info_t *info, void *data)
{
    (void)id, (void)info, (void)data;
    visitor(name);
    return 0;
}

void members_iterate(enum collection collection, enum order order, void (*visit)(const char *name))
{
    hsize_t start = 0;
    visitor = visit;
    if (collection == LINKS)
        CHECK(pH5Literate(group, index_of(order), direction_of(order), &start, visit_link, NULL));
    else
        CHECK(pH5Aiterate2(dataset, index_of(order), direction_of(order), &start, visit_attribute, NULL));
}

int member_name_at(enum collection collection, enum order order, uint64_t index, char name[NAME_ROOM])
{
    if (collection == LINKS)
        CHECK(pH5Lget_name_by_idx(group, ".", index_of(order), direction_of(order), index, name, NAME_ROOM, 0));
    else
        CHECK(pH5Aget_name_by_idx(dataset, ".", index_of(order), direction_of(order), index, name, NAME_ROOM, 0));
    return 1;
}

int member_delete_at(enum collection collection, enum order order, uint64_t index)
{
    if (collection == LINKS)
        CHECK(pH5Ldelete_by_idx(group, ".", index_of(order), direction_of(order), index, H5P_DEFAULT));
    else
        CHECK(pH5Adelete_by_idx(dataset, ".", index_of(order), direction_of(order), index, H5P_DEFAULT));
    return 1;
}
