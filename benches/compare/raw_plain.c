/* The same bytes with pwrite and pread, as the bound that the machine sets; rows are gathered until there are as many as in a
 * chunk. */
#define _GNU_SOURCE
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int file;
static size_t size, gathered, room;
static off_t end;
static char *memory;

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
    (void)rows, (void)grows;
    checked(!deflate, "there is no deflate in a plain file");
    size = (size_t)type;
    room = chunk_rows * columns * size;
    memory = malloc(room + 1);
    checked(memory != NULL, "malloc");
}

void data_open(int type)
{
    size = (size_t)type;
}

static void put(const char *data, size_t length, off_t offset)
{
    for (size_t done = 0; done < length;) {
        ssize_t written = pwrite(file, data + done, length - done, offset + (off_t)done);
        checked(written > 0, "pwrite");
        done += (size_t)written;
    }
}

static void put_gathered(void)
{
    put(memory, gathered, end);
    end += (off_t)gathered;
    gathered = 0;
}

void data_close(void)
{
    put_gathered();
    free(memory);
    memory = NULL;
}

void data_write(uint64_t first, uint64_t count, const void *data)
{
    put(data, count * size, (off_t)(first * size));
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
    memcpy(memory + gathered, row, columns * size);
    gathered += columns * size;
    if (gathered == room)
        put_gathered();
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
