/* The same bytes with pwrite and pread, as the bound that the machine sets. */
#define _GNU_SOURCE
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int file;
static size_t size;

static void checked(int holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

void raw_create(const char *path, uint32_t threads)
{
    (void)threads;
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    checked(file >= 0, path);
}

void raw_open(const char *path, uint32_t threads)
{
    (void)threads;
    file = open(path, O_RDONLY);
    checked(file >= 0, path);
}

void raw_close(void)
{
    checked(close(file) == 0, "close");
}

void data_create(int type, uint64_t rows, uint64_t columns, uint64_t chunk_rows, int deflate, int grows)
{
    (void)rows, (void)columns, (void)chunk_rows, (void)grows;
    checked(!deflate, "there is no deflate in a plain file");
    size = (size_t)type;
}

void data_open(int type)
{
    size = (size_t)type;
}

void data_close(void)
{
}

void data_write(uint64_t first, uint64_t count, const void *data)
{
    for (size_t done = 0; done < count * size;) {
        ssize_t written = pwrite(file, (const char *)data + done, count * size - done, (off_t)(first * size + done));
        checked(written > 0, "pwrite");
        done += (size_t)written;
    }
}

void data_read(uint64_t first, uint64_t count, void *data)
{
    for (size_t done = 0; done < count * size;) {
        ssize_t got = pread(file, (char *)data + done, count * size - done, (off_t)(first * size + done));
        checked(got > 0, "pread");
        done += (size_t)got;
    }
}

static void none(void)
{
    fprintf(stderr, "a plain file has no such thing\n");
    exit(1);
}

void data_append(uint64_t columns, const double *row)
{
    (void)columns, (void)row;
    none();
}

void group_make(const char *name)
{
    (void)name;
    none();
}

void group_visit(const char *name)
{
    (void)name;
    none();
}

void small_write(const char *name, uint64_t count, const double *data)
{
    (void)name, (void)count, (void)data;
    none();
}

void small_read(const char *name, double *data)
{
    (void)name, (void)data;
    none();
}
