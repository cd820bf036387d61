/* One run of one work with raw data on one backend.
 *
 *   raw WORK THREADS MEGABYTES-OR-COUNT FILE
 *
 * WORK contiguous | chunked | deflate4 | deflate6 (MiB, written and read in calls of 8 MiB, chunks of 1 MiB) |
 * append1 | append16 (so many calls of one row) | groups | datasets (so many, in the root group, of 10 float64).
 * Writing includes closing the file; reading begins with opening it again. What is read is compared with what was written.
 * The environment may say otherwise: CALL and CHUNK (KiB), COLD (not 0: what is read is not in the page cache); and, to h5r, IO
 * (the number of an H5R_IO_..., creating without a map), CACHE (KiB of decoded chunks) and FILTER (not 0: chunks go through a
 * filter of the program's, that is, of this file's).
 * Prints one line of `name=value` pairs: wall-clock and the process's CPU seconds, the longest single call (of eight that
 * append), the longest without a preemption, and the file's size in bytes. */
#define _GNU_SOURCE
#include "raw.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, SMALL = 10 };

struct times {
    double wall, cpu;
};

uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* Has the file's pages leave the page cache. */
static void cool(const char *path)
{
    int file = open(path, O_RDONLY);
    if (file < 0 || fsync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0)
        exit(1);
    close(file);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct times now(void)
{
    return (struct times){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct times since(struct times start)
{
    struct times end = now();
    return (struct times){end.wall - start.wall, end.cpu - start.cpu};
}

static void *allocated(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory)
        exit(1);
    memset(memory, 0, bytes);
    return memory;
}

/* A smooth field with noise in steps of 0.01 per cent. */
static float *field(uint64_t count)
{
    float *values = allocated(count * sizeof *values);
    uint64_t state = 1;
    for (uint64_t i = 0; i < count; i++) {
        double x = (double)i * 1e-4;
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(300 + 20 * sin(x) + 3 * sin(7.3 * x) + 1e-4 * (double)((state >> 33) % 100));
    }
    return values;
}

static double *numbers(uint64_t count)
{
    double *values = allocated(count * sizeof *values);
    for (uint64_t i = 0; i < count; i++)
        values[i] = (double)i * 0.5;
    return values;
}

static void same(const void *a, const void *b, size_t bytes)
{
    if (memcmp(a, b, bytes) != 0) {
        fprintf(stderr, "what was read is not what was written\n");
        exit(1);
    }
}

static struct times written, read_back;
/* The longest call, and the longest during which the system did not take the processor away. */
static double worst, worst_own;

/* Writes and reads MiB in calls; the data of the calls repeat after `period` of them, so that they need not fit the memory. */
static void stream(const char *path, uint32_t threads, uint64_t mib, int chunked, int deflate)
{
    int type = deflate ? RAW_F32 : RAW_F64;
    const uint64_t call_bytes = setting("CALL", 8192) << 10, chunk_bytes = setting("CHUNK", 1024) << 10;
    uint64_t per_call = call_bytes / (uint64_t)type, calls = mib * MIB / call_bytes, period = deflate ? calls : 8;
    const char *data = deflate ? (const char *)field(per_call * period) : (const char *)numbers(per_call * period);
    char *out = allocated(call_bytes);
    struct times start = now();
    raw_create(path, threads);
    data_create(type, per_call * calls, 1, chunked ? chunk_bytes / (uint64_t)type : 0, deflate, 0);
    for (uint64_t call = 0; call < calls; call++)
        data_write(call * per_call, per_call, data + call % period * call_bytes);
    data_close();
    raw_close();
    written = since(start);
    if (setting("COLD", 0))
        cool(path);
    start = now();
    raw_open(path, threads);
    data_open(type);
    for (uint64_t call = 0; call < calls; call++) {
        data_read(call * per_call, per_call, out);
        if (call % 16 == 0 || call + 1 == calls) {
            struct times pause = now();
            same(out, data + call % period * call_bytes, call_bytes);
            pause = since(pause);
            start.wall += pause.wall, start.cpu += pause.cpu;
        }
    }
    data_close();
    raw_close();
    read_back = since(start);
}

static long preemptions(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

static void append(const char *path, uint32_t threads, uint64_t count, uint64_t columns)
{
    double *row = numbers(columns), *out = allocated(count * columns * sizeof *out);
    struct times start = now();
    raw_create(path, threads);
    data_create(RAW_F64, 0, columns, columns > 1 ? 512 : 8192, 0, 1);
    double last = seconds(CLOCK_MONOTONIC);
    long taken = preemptions();
    for (uint64_t i = 0; i < count; i++) {
        row[0] = (double)i;
        data_append(columns, row);
        /* Reading the clock is less than a tenth of the fastest append. */
        if (i % 8 == 0) {
            double at = seconds(CLOCK_MONOTONIC);
            worst = fmax(worst, at - last);
            if (at - last > worst_own || i % 512 == 0) {
                long now_taken = preemptions();
                if (now_taken == taken)
                    worst_own = fmax(worst_own, at - last);
                taken = now_taken;
                at = seconds(CLOCK_MONOTONIC);
            }
            last = at;
        }
    }
    data_close();
    raw_close();
    written = since(start);
    if (columns == 1) {
        raw_open(path, threads);
        data_open(RAW_F64);
        data_read(0, count, out);
        for (uint64_t i = 0; i < count; i++)
            if (out[i] != (double)i)
                exit(1);
        data_close();
        raw_close();
    }
}

static const char *name_of(uint64_t index)
{
    static char name[] = "member_000000";
    for (size_t at = sizeof name - 2; at >= 7; at--, index /= 10)
        name[at] = (char)('0' + index % 10);
    return name;
}

static void members(const char *path, uint32_t threads, uint64_t count, int groups)
{
    double values[SMALL] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, out[SMALL];
    struct times start = now();
    raw_create(path, threads);
    for (uint64_t i = 0; i < count; i++) {
        values[0] = (double)i;
        if (groups)
            group_make(name_of(i));
        else
            small_write(name_of(i), SMALL, values);
    }
    raw_close();
    written = since(start);
    start = now();
    raw_open(path, threads);
    for (uint64_t i = 0; i < count; i++) {
        if (groups) {
            group_visit(name_of(i));
        } else {
            small_read(name_of(i), out);
            values[0] = (double)i;
            same(out, values, sizeof values);
        }
    }
    raw_close();
    read_back = since(start);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: raw contiguous|chunked|deflate4|deflate6|append1|append16|groups|datasets THREADS AMOUNT FILE\n");
        return 2;
    }
    const char *work = argv[1], *path = argv[4];
    uint32_t threads = (uint32_t)strtoul(argv[2], NULL, 10);
    uint64_t amount = strtoul(argv[3], NULL, 10);
    remove(path);
    if (strcmp(work, "contiguous") == 0 || strcmp(work, "chunked") == 0)
        stream(path, threads, amount, work[1] == 'h', 0);
    else if (strncmp(work, "deflate", 7) == 0)
        stream(path, threads, amount, 1, atoi(work + 7));
    else if (strncmp(work, "append", 6) == 0)
        append(path, threads, amount, strtoul(work + 6, NULL, 10));
    else
        members(path, threads, amount, strcmp(work, "groups") == 0);
    struct stat status = {0};
    stat(path, &status);
    printf("write_s=%.6f write_cpu_s=%.6f read_s=%.6f read_cpu_s=%.6f worst_s=%.6f worst_own_s=%.6f size=%lld\n", written.wall,
           written.cpu, read_back.wall, read_back.cpu, worst, worst_own, (long long)status.st_size);
    return 0;
}
