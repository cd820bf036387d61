// Versioned options: NULL, INIT, older and newer layouts, and every range.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // for syscall
#endif
#include "check.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static h5r_file *file;

static void lazy(h5r_status expected, double threshold, uint64_t max_delay_ms, uint64_t batch_size) {
    h5r_lazy_options options = H5R_LAZY_OPTIONS_INIT;
    options.threshold = threshold;
    options.max_delay_ms = max_delay_ms;
    options.batch_size = batch_size;
    FAILS(expected, h5r_set_lazy(file, &options));
}

static void incremental(h5r_status expected, uint64_t budget_us, uint64_t interval_ms) {
    h5r_incremental_options options = H5R_INCREMENTAL_OPTIONS_INIT;
    options.budget_us = budget_us;
    options.interval_ms = interval_ms;
    FAILS(expected, h5r_set_incremental(file, &options));
}

static void ranges(void) {
    const double nan = strtod("nan", NULL);
    lazy(H5R_OK, 0.01, 1, 1);
    lazy(H5R_OK, 0.20, 86400000, 1000000);
    lazy(H5R_ERR_RANGE, 0.5, 1000, 100);
    SAYS("lazy threshold 0.5 is outside 0.01..0.20");
    lazy(H5R_ERR_RANGE, 0.009, 1000, 100);
    lazy(H5R_ERR_RANGE, nan, 1000, 100);
    lazy(H5R_ERR_RANGE, 0.05, 0, 100);
    lazy(H5R_ERR_RANGE, 0.05, 86400001, 100);
    SAYS("max_delay_ms 86400001");
    lazy(H5R_ERR_RANGE, 0.05, 1000, 0);
    lazy(H5R_ERR_RANGE, 0.05, 1000, 1000001);
    incremental(H5R_OK, 100, 1);
    incremental(H5R_OK, 10000000, 3600000);
    incremental(H5R_ERR_RANGE, 99, 1000);
    SAYS("budget_us 99");
    incremental(H5R_ERR_RANGE, 10000001, 1000);
    incremental(H5R_ERR_RANGE, 1000, 0);
    incremental(H5R_ERR_RANGE, 1000, 3600001);
    h5r_smart_options smart = H5R_SMART_OPTIONS_INIT;
    smart.allowed_modes = 0;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    smart.allowed_modes = 8;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    smart.allowed_modes = (uint64_t)1 << 40;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    smart.allowed_modes = H5R_ALLOW_LAZY | H5R_ALLOW_NONE;
    smart.auto_switch = 2;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    SAYS("auto_switch 2 is outside 0..1");
    smart.auto_switch = 0;
    smart.reevaluate_ms = 0;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    smart.reevaluate_ms = 86400000;
    smart.min_confidence = 1.01;
    FAILS(H5R_ERR_RANGE, h5r_set_smart(file, &smart));
    smart.min_confidence = 1.0;
    OK(h5r_set_smart(file, &smart));
    OK(h5r_set_none(file));
    FAILS(H5R_ERR_LAZY_REQUIRED, h5r_set_incremental(file, NULL));
    SAYS("set lazy before");
    OK(h5r_set_lazy(file, NULL));
    OK(h5r_set_incremental(file, NULL));
    OK(h5r_set_smart(file, NULL));
    OK(h5r_set_none(file));
}

// What a program compiled against a newer header passes.
struct newer {
    h5r_lazy_options known;
    uint64_t unknown[2];
};

static void layouts(void) {
    const h5r_lazy_options init = H5R_LAZY_OPTIONS_INIT;
    struct newer newer = {H5R_LAZY_OPTIONS_INIT, {0, 0}};
    newer.known.struct_size = sizeof newer;
    OK(h5r_set_lazy(file, &newer.known));
    newer.unknown[1] = 1;
    FAILS(H5R_ERR_ARGUMENT, h5r_set_lazy(file, &newer.known));
    SAYS("h5r_lazy_options");
    SAYS("offset 40");
    h5r_lazy_options bad = init;
    const size_t sizes[] = {0, 1, 8, sizeof bad - 1, 100000, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bad.struct_size = sizes[i];
        FAILS(H5R_ERR_ARGUMENT, h5r_set_lazy(file, &bad));
        SAYS("H5R_LAZY_OPTIONS_INIT");
    }
    h5r_rebalance_stats stats;
    memset(&stats, 0, sizeof stats);
    FAILS(H5R_ERR_ARGUMENT, h5r_rebalance_status(file, &stats));
    SAYS("H5R_REBALANCE_STATS_INIT");
    FAILS(H5R_ERR_ARGUMENT, h5r_rebalance_status(file, NULL));
    // A newer, longer output is filled as far as this library goes.
    struct {
        h5r_rebalance_stats known;
        uint64_t unknown;
    } longer = {H5R_REBALANCE_STATS_INIT, 5};
    longer.known.struct_size = sizeof longer;
    OK(h5r_rebalance_status(file, &longer.known));
    CHECK(longer.known.struct_size == sizeof longer && longer.unknown == 5 && longer.known.file_bytes > 0);
}

static void create_and_open(void) {
    h5r_file *other = NULL;
    h5r_create_options create = H5R_CREATE_OPTIONS_INIT;
    create.exclusive = 1;
    remove("exclusive.h5");
    OK(h5r_create("exclusive.h5", &create, &other));
    OK(h5r_close(other));
    other = NULL;
    FAILS(H5R_ERR_EXISTS, h5r_create("exclusive.h5", &create, &other));
    CHECK(other == NULL);
    create.exclusive = 0;
    create.format = H5R_FORMAT_V18;
    OK(h5r_create("exclusive.h5", &create, &other));
    write_int(h5r_root(other), "a", 5);
    OK(h5r_close(other));
    create.format = 2;
    FAILS(H5R_ERR_RANGE, h5r_create("exclusive.h5", &create, &other));
    SAYS("format 2 is outside 0..1");
    create.format = H5R_FORMAT_V110;
    create.durability = 3;
    FAILS(H5R_ERR_RANGE, h5r_create("exclusive.h5", &create, &other));
    SAYS("durability 3 is outside 0..2");
    create.durability = H5R_DURABILITY_POWER;
    OK(h5r_create("power.h5", &create, &other));
    write_int(h5r_root(other), "a", 5);
    OK(h5r_flush(other));
    FAILS(H5R_ERR_RANGE, h5r_set_durability(other, -1));
    SAYS("durability -1 is outside 0..2");
    OK(h5r_set_durability(other, H5R_DURABILITY_NONE));
    write_int(h5r_root(other), "b", 6);
    OK(h5r_close(other));
    create.durability = H5R_DURABILITY_PROCESS;
    create.attributes.max_compact = 70000;
    FAILS(H5R_ERR_RANGE, h5r_create("exclusive.h5", &create, &other));
    SAYS("attributes.max_compact 70000");
    h5r_open_options open = H5R_OPEN_OPTIONS_INIT;
    open.read_only = 1;
    OK(h5r_open("exclusive.h5", &open, &other));
    CHECK(read_int(h5r_root(other), "a") == 5);
    int32_t value = 6;
    FAILS(H5R_ERR_READ_ONLY, h5r_attr_write(h5r_root(other), "a", H5R_I32, 0, NULL, &value));
    FAILS(H5R_ERR_READ_ONLY, h5r_attr_delete(h5r_root(other), "a"));
    FAILS(H5R_ERR_READ_ONLY, h5r_group_create(h5r_root(other), "g", NULL, NULL));
    CHECK(read_int(h5r_root(other), "a") == 5);
    OK(h5r_close(other));
    open.locking = 3;
    FAILS(H5R_ERR_RANGE, h5r_open("exclusive.h5", &open, &other));
    open.locking = H5R_LOCKING_OFF;
    open.cache_bytes = 0;
    OK(h5r_open("exclusive.h5", &open, &other));
    CHECK(read_int(h5r_root(other), "a") == 5);
    OK(h5r_close(other));
}

static void input_and_output(void) {
    // Each reaches the same bytes; long and short transfers, at addresses that are no multiples of anything.
    const uint64_t count = 3 << 18;
    double *values = (double *)malloc((size_t)count * sizeof *values), *back = (double *)malloc((size_t)count * sizeof *back);
    h5r_file *other = NULL;
    h5r_object *dataset = NULL;
    h5r_create_options create = H5R_CREATE_OPTIONS_INIT;
    h5r_open_options open = H5R_OPEN_OPTIONS_INIT;
    CHECK(values && back);
    remove("io.h5");
    create.io = 4;
    FAILS(H5R_ERR_RANGE, h5r_create("io.h5", &create, &other));
    SAYS("io 4 is outside 0..3");
    create.io = H5R_IO_MMAP;
    FAILS(H5R_ERR_ARGUMENT, h5r_create("io.h5", &create, &other));
    SAYS("read_only");
    CHECK(h5r_open("io.h5", NULL, &other) != H5R_OK); // nothing was made
    const int32_t ways[] = {H5R_IO_STANDARD, H5R_IO_DIRECT, H5R_IO_URING};
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        const int32_t made = create.io = ways[way];
        OK(h5r_create("io.h5", &create, &other));
        write_int(h5r_root(other), "a", made);
        OK(h5r_dataset_create(h5r_root(other), "d", H5R_F64, 1, &count, NULL, &dataset));
        for (uint64_t i = 0; i < count; i++) values[i] = (double)i + made;
        OK(h5r_dataset_write(dataset, H5R_F64, NULL, values));
        OK(h5r_dataset_read(dataset, H5R_F64, NULL, back));
        CHECK(memcmp(values, back, (size_t)count * sizeof *values) == 0);
        OK(h5r_close(other));
        for (open.io = H5R_IO_STANDARD; open.io <= H5R_IO_URING; open.io++) {
            open.read_only = 1;
            OK(h5r_open("io.h5", &open, &other));
            CHECK(read_int(h5r_root(other), "a") == made);
            OK(h5r_object_open(h5r_root(other), "d", &dataset));
            memset(back, 0, (size_t)count * sizeof *back);
            OK(h5r_dataset_read(dataset, H5R_F64, NULL, back));
            CHECK(memcmp(values, back, (size_t)count * sizeof *values) == 0);
            FAILS(H5R_ERR_READ_ONLY, h5r_attr_delete(h5r_root(other), "a"));
            OK(h5r_close(other));
        }
        open.io = H5R_IO_MMAP;
        open.read_only = 0;
        FAILS(H5R_ERR_ARGUMENT, h5r_open("io.h5", &open, &other));
        open.io = made;
        OK(h5r_open("io.h5", &open, &other));
        OK(h5r_object_open(h5r_root(other), "d", &dataset));
        for (uint64_t i = 0; i < count; i++) values[i] = -values[i];
        OK(h5r_dataset_write(dataset, H5R_F64, NULL, values));
        OK(h5r_close(other));
        OK(h5r_open("io.h5", NULL, &other));
        OK(h5r_check(other));
        OK(h5r_object_open(h5r_root(other), "d", &dataset));
        OK(h5r_dataset_read(dataset, H5R_F64, NULL, back));
        CHECK(memcmp(values, back, (size_t)count * sizeof *values) == 0);
        OK(h5r_close(other));
    }
    free(values);
    free(back);
}

static void locks(void) {
    h5r_file *first = NULL, *second = NULL;
    h5r_create_options create = H5R_CREATE_OPTIONS_INIT;
    h5r_open_options open = H5R_OPEN_OPTIONS_INIT;
    create.locking = open.locking = H5R_LOCKING_ON;
    OK(h5r_create("locked.h5", &create, &first));
    FAILS(H5R_ERR_LOCKED, h5r_open("locked.h5", &open, &second));
    SAYS("lock");
    OK(h5r_close(first));
    OK(h5r_open("locked.h5", &open, &second));
    OK(h5r_close(second));
}

// Where the kernel refuses io_uring, everything goes the usual way. The last thing that this process does.
static void without_io_uring(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    CHECK(syscall(__NR_io_uring_setup, 1, NULL) == -1 && errno == EPERM);
    input_and_output();
}

int main(void) {
    file = new_file("options.h5");
    ranges();
    layouts();
    OK(h5r_close(file));
    create_and_open();
    input_and_output();
    locks();
    without_io_uring();
    CHECK(H5R_KIB == 1024 && 4 * H5R_GIB == (uint64_t)4294967296 && H5R_MIB == 1048576);
    return 0;
}
