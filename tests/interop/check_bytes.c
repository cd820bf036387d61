#include "check_internal.h"

#include <stdarg.h>
#include <string.h>

void fault(struct check *c, const char *format, ...)
{
    va_list arguments;
    if (c->report && c->faults < FAULTS_SHOWN) {
        fputs("fault: ", c->report);
        va_start(arguments, format);
        vfprintf(c->report, format, arguments);
        va_end(arguments);
        fputc('\n', c->report);
    }
    c->faults++;
}

void give_up(struct check *c, const char *what, uint64_t address)
{
    fault(c, "%s at %llu", what, (unsigned long long)address);
    longjmp(c->give_up, 1);
}

const uint8_t *bytes_at(struct check *c, uint64_t address, uint64_t length)
{
    if (address > c->length || length > c->length - address)
        give_up(c, "a structure reaches beyond the file", address);
    return c->bytes + address;
}

uint64_t number(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

uint64_t take(const uint8_t **at, unsigned size)
{
    uint64_t value = number(*at, size);
    *at += size;
    return value;
}

uint64_t take_address(struct check *c, const uint8_t **at)
{
    uint64_t value = take(at, c->size_of_address);
    uint64_t undefined = c->size_of_address == 8 ? UINT64_MAX : (1ull << (8 * c->size_of_address)) - 1;
    return value == undefined ? UNDEFINED : value + c->base;
}

uint64_t take_length(struct check *c, const uint8_t **at)
{
    return take(at, c->size_of_length);
}

unsigned log2_floor(uint64_t value)
{
    unsigned log = 0;
    while (value >>= 1)
        log++;
    return log;
}

/* Bytes to hold any number up to `limit`. */
unsigned bytes_for(uint64_t limit)
{
    return log2_floor(limit) / 8 + 1;
}

/* Bob Jenkins' lookup3 (hashlittle, initial value 0), byte by byte. */
uint32_t lookup3(const uint8_t *key, size_t length)
{
#define ROTATE(x, k) (((x) << (k)) | ((x) >> (32 - (k))))
    uint32_t a = 0xdeadbeef + (uint32_t)length, b = a, c = a;
    while (length > 12) {
        a += (uint32_t)number(key, 4);
        b += (uint32_t)number(key + 4, 4);
        c += (uint32_t)number(key + 8, 4);
        a -= c, a ^= ROTATE(c, 4), c += b;
        b -= a, b ^= ROTATE(a, 6), a += c;
        c -= b, c ^= ROTATE(b, 8), b += a;
        a -= c, a ^= ROTATE(c, 16), c += b;
        b -= a, b ^= ROTATE(a, 19), a += c;
        c -= b, c ^= ROTATE(b, 4), b += a;
        key += 12, length -= 12;
    }
    if (length == 0)
        return c;
    uint8_t tail[12] = {0};
    memcpy(tail, key, length);
    a += (uint32_t)number(tail, 4);
    b += (uint32_t)number(tail + 4, 4);
    c += (uint32_t)number(tail + 8, 4);
    c ^= b, c -= ROTATE(b, 14);
    a ^= c, a -= ROTATE(c, 11);
    b ^= a, b -= ROTATE(a, 25);
    c ^= b, c -= ROTATE(b, 16);
    a ^= c, a -= ROTATE(c, 4);
    b ^= a, b -= ROTATE(a, 14);
    c ^= b, c -= ROTATE(b, 24);
    return c;
}

void check_sum(struct check *c, uint64_t address, uint64_t covered, const char *what)
{
    const uint8_t *at = bytes_at(c, address, covered + 4);
    if (lookup3(at, covered) != (uint32_t)number(at + covered, 4))
        fault(c, "checksum of the %s at %llu", what, (unsigned long long)address);
}

const uint8_t *expect(struct check *c, uint64_t address, const char *signature, unsigned version)
{
    const uint8_t *at = bytes_at(c, address, 5);
    if (memcmp(at, signature, 4) != 0 || at[4] != version) {
        fault(c, "no %s version %u at %llu", signature, version, (unsigned long long)address);
        longjmp(c->give_up, 1);
    }
    return at + 5;
}

void occupies(struct check *c, uint64_t address, uint64_t length, const char *what)
{
    GROW(c, c->extents, c->extent_count, c->extent_room);
    c->extents[c->extent_count++] = (struct extent){address, length, what};
}
