/* One run of one work on one backend: create COUNT members, flush, delete half of them, flush, close.
 *
 *   work WORK COUNT ORDER MODE MEASURE CLOCK FILE
 *
 * WORK attributes | soft-links | groups; ORDER in-order | random | fresh (create only the survivors of `random`);
 * MODE none | lazy | incremental | smart; MEASURE rates | pauses (times every delete on its own: the clock's cost
 * would show in the rates); CLOCK wall | cpu (of the calling thread, for a machine that is not idle: leaves out
 * waiting for locks, the disk and other processes).
 *
 * Small counts are repeated on new files until 100,000 members have been created, and the times added up. Prints one
 * line of `name=value` pairs; times in seconds, sizes in bytes. */
#define _GNU_SOURCE
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MEMBERS_PER_RUN = 100000, SEED = 20260101 };

struct work {
    const char *name;
    void (*create)(const char *name, int32_t value);
    void (*delete)(const char *name);
};

static const struct work WORKS[] = {
    {"attributes", attribute_create, attribute_delete},
    {"soft-links", soft_link_create, link_delete},
    {"groups", group_create, link_delete},
};

struct plan {
    const struct work *work;
    uint32_t count;
    uint32_t *order; /* the members to delete come first */
    int fresh, pauses;
    const char *mode, *file;
};

struct result {
    double create_s, create_flush_s, delete_s, delete_flush_s, close_s, worst_delete_s, occupancy;
    int64_t size_before, size_after;
};

static clockid_t clock_id = CLOCK_MONOTONIC;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(clock_id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "attr_001234": cheap enough not to show in the rates. */
static const char *member_name(uint32_t index)
{
    static char name[] = "attr_000000";
    for (int at = (int)sizeof name - 2; at >= 5; at--, index /= 10)
        name[at] = (char)('0' + index % 10);
    return name;
}

static uint32_t random_below(uint32_t bound)
{
    static uint64_t state = SEED;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(((state >> 32) * bound) >> 32);
}

static uint32_t *deletion_order(uint32_t count, int random)
{
    uint32_t *order = malloc((size_t)(count ? count : 1) * sizeof *order);
    if (!order)
        exit(1);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; random && i > 1; i--) {
        uint32_t other = random_below(i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    return order;
}

static int64_t file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

static double create_all(const struct plan *plan)
{
    double start = now_s();
    if (plan->fresh)
        for (uint32_t i = plan->count / 2; i < plan->count; i++)
            plan->work->create(member_name(plan->order[i]), (int32_t)plan->order[i]);
    else
        for (uint32_t i = 0; i < plan->count; i++)
            plan->work->create(member_name(i), (int32_t)i);
    return now_s() - start;
}

static void delete_half(const struct plan *plan, struct result *result)
{
    double start = now_s(), last = start;
    for (uint32_t i = 0; i < plan->count / 2; i++) {
        plan->work->delete(member_name(plan->order[i]));
        if (plan->pauses) {
            double now = now_s();
            if (now - last > result->worst_delete_s)
                result->worst_delete_s = now - last;
            last = now;
        }
    }
    result->delete_s += now_s() - start;
}

static void run_once(const struct plan *plan, struct result *result)
{
    remove(plan->file);
    backend_create(plan->file);
    backend_set_mode(plan->mode);
    result->create_s += create_all(plan);
    double start = now_s();
    backend_flush();
    result->create_flush_s += now_s() - start;
    result->size_before = file_size(plan->file);
    if (!plan->fresh) {
        delete_half(plan, result);
        start = now_s();
        backend_flush();
        result->delete_flush_s += now_s() - start;
        result->occupancy = backend_occupancy();
    }
    start = now_s();
    backend_close();
    result->close_s += now_s() - start;
    result->size_after = file_size(plan->file);
}

/* The process's own high-water mark; getrusage would count the parent's pages from before exec. */
static long peak_memory_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    struct plan plan = {0};
    struct result sum = {0};
    for (size_t i = 0; argc == 8 && i < sizeof WORKS / sizeof *WORKS; i++)
        if (strcmp(argv[1], WORKS[i].name) == 0)
            plan.work = &WORKS[i];
    if (!plan.work) {
        fprintf(stderr, "usage: work attributes|soft-links|groups COUNT in-order|random|fresh MODE rates|pauses wall|cpu "
                        "FILE\n");
        return 2;
    }
    plan.count = (uint32_t)strtoul(argv[2], NULL, 10);
    plan.fresh = strcmp(argv[3], "fresh") == 0;
    plan.order = deletion_order(plan.count, strcmp(argv[3], "in-order") != 0);
    plan.mode = argv[4];
    plan.pauses = strcmp(argv[5], "pauses") == 0;
    if (strcmp(argv[6], "cpu") == 0)
        clock_id = CLOCK_THREAD_CPUTIME_ID;
    plan.file = argv[7];
    uint32_t repeats = 1;
    if (plan.count > 0 && plan.count < MEMBERS_PER_RUN && !plan.fresh)
        repeats = MEMBERS_PER_RUN / plan.count;
    for (uint32_t i = 0; i < repeats; i++)
        run_once(&plan, &sum);
    printf("members=%llu create_s=%.9f create_flush_s=%.9f delete_s=%.9f delete_flush_s=%.9f close_s=%.9f "
           "worst_delete_s=%.9f occupancy=%.4f size_before=%lld size_after=%lld peak_kib=%ld\n",
           (unsigned long long)plan.count * repeats, sum.create_s, sum.create_flush_s, sum.delete_s,
           sum.delete_flush_s, sum.close_s, sum.worst_delete_s, sum.occupancy, (long long)sum.size_before,
           (long long)sum.size_after, peak_memory_kib());
    free(plan.order);
    return 0;
}
