/* The judge's backend on h5r, through its C ABI. */
#include "judge.h"

#include <h5r.h>
#include <string.h>

const int backend_is_h5r = 1;

static h5r_file *file;
static h5r_object *dataset, *group;

static void checked(h5r_status status, const char *call)
{
    if (status != H5R_OK)
        fail("h5r: %s: %s: %s", call, h5r_status_name(status), h5r_last_error());
}
#define CHECK(call) checked((call), #call)

void backend_start(const char *argument)
{
    (void)argument;
}

int backend_renames(enum collection collection, int tracked)
{
    (void)collection, (void)tracked;
    return 1;
}

/* ---- files ---- */

void file_create(const char *path, int attributes_tracked, int links_tracked, const char *format)
{
    const uint64_t dims[1] = {DATA_LENGTH};
    int32_t data[DATA_LENGTH];
    h5r_create_options options = H5R_CREATE_OPTIONS_INIT;
    h5r_dataset_options dataset_options = H5R_DATASET_OPTIONS_INIT;
    h5r_group_options group_options = H5R_GROUP_OPTIONS_INIT;
    options.format = strcmp(format, "v18") == 0 ? H5R_FORMAT_V18 : H5R_FORMAT_V110;
    if (attributes_tracked)
        dataset_options.attributes.creation_order = H5R_CREATION_ORDER_INDEXED;
    if (links_tracked)
        group_options.links.creation_order = H5R_CREATION_ORDER_INDEXED;
    for (int i = 0; i < DATA_LENGTH; i++)
        data[i] = i;
    CHECK(h5r_create(path, &options, &file));
    CHECK(h5r_dataset_create(h5r_root(file), "data", H5R_I32, 1, dims, &dataset_options, &dataset));
    CHECK(h5r_dataset_write(dataset, H5R_I32, NULL, data));
    CHECK(h5r_group_create(h5r_root(file), "members", &group_options, &group));
}

void file_open(const char *path, int read_only)
{
    h5r_open_options options = H5R_OPEN_OPTIONS_INIT;
    options.read_only = read_only;
    CHECK(h5r_open(path, &options, &file));
    CHECK(h5r_object_open(h5r_root(file), "data", &dataset));
    CHECK(h5r_object_open(h5r_root(file), "/members", &group));
}

void file_flush(void)
{
    CHECK(h5r_flush(file));
}

void file_close(void)
{
    CHECK(h5r_close(file));
}

/* At its default interval of 5 s the background thread would sleep through the run. */
void file_set_mode(const char *mode)
{
    h5r_lazy_options lazy = H5R_LAZY_OPTIONS_INIT;
    h5r_incremental_options incremental = H5R_INCREMENTAL_OPTIONS_INIT;
    h5r_smart_options smart = H5R_SMART_OPTIONS_INIT;
    incremental.interval_ms = 1;
    lazy.batch_size = 10;
    smart.min_file_size = 0;
    if (strcmp(mode, "none") == 0) {
        CHECK(h5r_set_none(file));
    } else if (strcmp(mode, "lazy") == 0) {
        CHECK(h5r_set_lazy(file, &lazy));
    } else if (strcmp(mode, "incremental") == 0) {
        CHECK(h5r_set_lazy(file, NULL));
        CHECK(h5r_set_incremental(file, &incremental));
    } else if (strcmp(mode, "smart") == 0) {
        CHECK(h5r_set_smart(file, &smart));
    } else {
        fail("h5r has no mode %s", mode);
    }
}

void file_rebalance(void)
{
    CHECK(h5r_rebalance(file));
}

void file_check_data(uint64_t hard_links)
{
    int32_t data[DATA_LENGTH];
    (void)hard_links;
    CHECK(h5r_dataset_read(dataset, H5R_I32, NULL, data));
    for (int i = 0; i < DATA_LENGTH; i++)
        if (data[i] != i)
            fail("element %d of the dataset is %d", i, data[i]);
    CHECK(h5r_check(file));
}

/* ---- attributes ---- */

static h5r_type attribute_type(unsigned kind, uint32_t seed)
{
    static const h5r_type types[A_KINDS] = {
        [A_I32] = H5R_I32, [A_F64_3] = H5R_F64,  [A_I16BE_2X3] = H5R_I16_BE, [A_U8_100] = H5R_U8,
        [A_HUGE] = H5R_U8, [A_F32] = H5R_F32,    [A_U64BE] = H5R_U64_BE,     [A_NULL] = H5R_I32,
    };
    h5r_type type = types[kind];
    if (kind == A_STRING)
        CHECK(h5r_type_string(value_shape(kind, seed).element_size, H5R_PAD_NULL,
                              seed % 2 ? H5R_CHARSET_UTF8 : H5R_CHARSET_ASCII, &type));
    return type;
}

void attribute_create(const char *name, unsigned kind, uint32_t seed)
{
    uint8_t bytes[VALUE_ROOM];
    struct shape shape = value_shape(kind, seed);
    h5r_type type = attribute_type(kind, seed);
    value_bytes(kind, seed, bytes);
    CHECK(h5r_attr_write(dataset, name, type, shape.rank, shape.dims, bytes));
    CHECK(h5r_type_close(type));
}

void attribute_replace(const char *name, unsigned kind, uint32_t seed)
{
    attribute_create(name, kind, seed);
}

static void verify_shape(const char *name, unsigned kind, uint32_t seed, const h5r_attr_details *details)
{
    struct shape shape = value_shape(kind, seed);
    int32_t space = kind == A_NULL ? H5R_SPACE_NULL : shape.rank ? H5R_SPACE_SIMPLE : H5R_SPACE_SCALAR;
    if (details->space != space || details->rank != shape.rank)
        fail("%s: dataspace %d of rank %llu", name, (int)details->space, (unsigned long long)details->rank);
    for (size_t i = 0; i < shape.rank; i++)
        if (details->dims[i] != shape.dims[i])
            fail("%s: dimension %zu is %llu", name, i, (unsigned long long)details->dims[i]);
}

void attribute_verify(const char *name, unsigned kind, uint32_t seed)
{
    static const int32_t classes[A_KINDS] = {[A_COMPOUND] = 6, [A_ENUM] = 8, [A_VLEN_STRING] = 9};
    uint8_t expected[VALUE_ROOM], found[VALUE_ROOM];
    h5r_attr_details details = H5R_ATTR_DETAILS_INIT;
    CHECK(h5r_attr_info(dataset, name, &details));
    verify_shape(name, kind, seed, &details);
    if (classes[kind]) { /* carried, not converted */
        int32_t class;
        CHECK(h5r_type_class(details.type, &class));
        if (class != classes[kind])
            fail("%s: datatype class %d", name, (int)class);
        CHECK(h5r_type_close(details.type));
        return;
    }
    bool equal;
    h5r_type type = attribute_type(kind, seed);
    CHECK(h5r_type_equal(type, details.type, &equal));
    if (!equal)
        fail("%s: another datatype (kind %u)", name, kind);
    size_t size = value_bytes(kind, seed, expected);
    if (kind != A_NULL) {
        CHECK(h5r_attr_read(dataset, name, type, found, sizeof found));
        if (memcmp(found, expected, size) != 0)
            fail("%s: another value (kind %u)", name, kind);
    }
    CHECK(h5r_type_close(type));
    CHECK(h5r_type_close(details.type));
}

/* ---- links ---- */

void link_create(const char *name, unsigned kind, uint32_t seed)
{
    char target[NAME_ROOM];
    uint8_t bytes[VALUE_ROOM];
    uint64_t dims[1] = {3};
    h5r_object *made;
    soft_target(seed, target);
    value_bytes(A_F64_3, seed, bytes);
    switch (kind) {
    case L_SOFT:
        CHECK(h5r_link_create_soft(group, name, target));
        break;
    case L_HARD:
        CHECK(h5r_link_create_hard(group, name, dataset));
        break;
    case L_GROUP:
        CHECK(h5r_group_create(group, name, NULL, NULL));
        break;
    case L_BYTES:
        dims[0] = value_bytes(A_HUGE, seed, bytes) - seed % HUGE_BYTES;
        CHECK(h5r_dataset_create(group, name, H5R_U8, 1, dims, NULL, &made));
        CHECK(h5r_dataset_write(made, H5R_U8, NULL, bytes));
        CHECK(h5r_object_close(made));
        break;
    default:
        CHECK(h5r_dataset_create(group, name, H5R_F64, 1, dims, NULL, &made));
        CHECK(h5r_dataset_write(made, H5R_F64, NULL, bytes));
        CHECK(h5r_object_close(made));
    }
}

static void verify_object(const char *name, unsigned kind, uint32_t seed)
{
    uint8_t expected[VALUE_ROOM], found[VALUE_ROOM];
    int32_t object_kind;
    h5r_object *object;
    CHECK(h5r_object_open(group, name, &object));
    CHECK(h5r_object_kind(object, &object_kind));
    if (object_kind != (kind == L_GROUP ? H5R_KIND_GROUP : H5R_KIND_DATASET))
        fail("%s: object kind %d", name, (int)object_kind);
    if (kind == L_DATASET || kind == L_BYTES) {
        size_t size = value_bytes(kind == L_BYTES ? A_HUGE : A_F64_3, seed, expected);
        size -= kind == L_BYTES ? seed % HUGE_BYTES : 0;
        CHECK(h5r_dataset_read(object, kind == L_BYTES ? H5R_U8 : H5R_F64, NULL, found));
        if (memcmp(found, expected, size) != 0)
            fail("%s: other data", name);
    }
    CHECK(h5r_object_close(object));
}

void link_verify(const char *name, unsigned kind, uint32_t seed)
{
    char expected[NAME_ROOM], found[256];
    size_t length;
    h5r_link_details details = H5R_LINK_DETAILS_INIT;
    CHECK(h5r_link_info(group, name, &details));
    int32_t link_kind = kind == L_SOFT ? H5R_LINK_SOFT : kind == L_EXTERNAL ? H5R_LINK_EXTERNAL : H5R_LINK_HARD;
    if (details.kind != link_kind)
        fail("%s: link kind %d", name, (int)details.kind);
    if (kind == L_SOFT) {
        soft_target(seed, expected);
        CHECK(h5r_link_target(group, name, found, sizeof found, &length));
        if (strcmp(found, expected) != 0)
            fail("%s: the link's target is %s", name, found);
    } else if (kind != L_EXTERNAL) {
        verify_object(name, kind, seed);
    }
}

/* ---- both ---- */

uint64_t members_count(enum collection collection)
{
    uint64_t count;
    CHECK(collection == LINKS ? h5r_link_count(group, &count) : h5r_attr_count(dataset, &count));
    return count;
}

int member_exists(enum collection collection, const char *name)
{
    bool exists;
    CHECK(collection == LINKS ? h5r_link_exists(group, name, &exists) : h5r_attr_exists(dataset, name, &exists));
    return exists;
}

void member_delete(enum collection collection, const char *name)
{
    h5r_status status = collection == LINKS ? h5r_link_delete(group, name) : h5r_attr_delete(dataset, name);
    if (status != H5R_OK)
        fail("h5r cannot delete %s: %s", name, h5r_last_error());
}

void member_rename(enum collection collection, const char *from, const char *to)
{
    CHECK(collection == LINKS ? h5r_link_move(group, from, group, to) : h5r_attr_rename(dataset, from, to));
}

static int32_t visit_name(const char *name, void *visit)
{
    (*(void (**)(const char *))visit)(name);
    return 0;
}

void members_iterate(enum collection collection, enum order order, void (*visit)(const char *name))
{
    static const int32_t orders[ORDERS] = {H5R_ORDER_NAME, H5R_ORDER_NAME_REVERSE, H5R_ORDER_CREATION,
                                           H5R_ORDER_CREATION_REVERSE, H5R_ORDER_NATIVE};
    CHECK(collection == LINKS ? h5r_link_iterate(group, orders[order], visit_name, &visit)
                              : h5r_attr_iterate(dataset, orders[order], visit_name, &visit));
}

int member_name_at(enum collection collection, enum order order, uint64_t index, char name[NAME_ROOM])
{
    (void)collection, (void)order, (void)index, (void)name;
    return 0;
}

int member_delete_at(enum collection collection, enum order order, uint64_t index)
{
    (void)collection, (void)order, (void)index;
    return 0;
}
