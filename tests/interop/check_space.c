/* The file's own free-space managers: what they say is free must not be used, nor said twice. */
#include "check_internal.h"

#include <string.h>

static void walk_sections(struct check *c, uint64_t manager, uint64_t address, uint64_t used, uint64_t serialized,
                          unsigned address_size, unsigned length_size, uint64_t total)
{
    check_sum(c, address, used - 4, "section list");
    const uint8_t *at = expect(c, address, "FSSE", 0), *end = bytes_at(c, address, used) + used - 4;
    unsigned count_size = bytes_for(serialized);
    uint64_t sum = 0, seen = 0;
    if (take_address(c, &at) != manager)
        fault(c, "the section list at %llu belongs to another manager", (unsigned long long)address);
    while (seen < serialized) {
        if ((uint64_t)(end - at) < count_size + length_size)
            give_up(c, "a section list that is too short", address);
        uint64_t count = take(&at, count_size), length = take(&at, length_size);
        if (count == 0 || count > serialized - seen || (uint64_t)(end - at) < count * (address_size + 1))
            give_up(c, "a section list with bad counts", address);
        for (uint64_t i = 0; i < count; i++, seen++, sum += length) {
            uint64_t where = take(&at, address_size);
            if (take(&at, 1) != 0)
                fault(c, "a section of an unknown class in the list at %llu", (unsigned long long)address);
            occupies(c, where + c->base, length, "free section");
        }
    }
    if (sum != total)
        fault(c, "the sections at %llu have %llu bytes, their manager says %llu", (unsigned long long)address,
              (unsigned long long)sum, (unsigned long long)total);
}

static void walk_manager(struct check *c, uint64_t address)
{
    const uint8_t *start = expect(c, address, "FSHD", 0), *at = start;
    uint64_t length = 18 + 7 * (uint64_t)c->size_of_length + c->size_of_address;
    bytes_at(c, address, length);
    check_sum(c, address, length - 4, "free-space manager");
    occupies(c, address, length, "free-space manager");
    if (take(&at, 1) != 1)
        fault(c, "the free-space manager at %llu is not a file's", (unsigned long long)address);
    uint64_t total = take_length(c, &at), count = take_length(c, &at), serialized = take_length(c, &at);
    uint64_t ghosts = take_length(c, &at);
    at += 6; /* classes, shrink, expand */
    unsigned address_size = ((unsigned)take(&at, 2) + 7) / 8, length_size = bytes_for(take_length(c, &at));
    uint64_t sections = take_address(c, &at), used = take_length(c, &at), allocated = take_length(c, &at);
    if (count != serialized || ghosts != 0 || used > allocated || (serialized > 0 && used < 8))
        fault(c, "the free-space manager at %llu contradicts itself", (unsigned long long)address);
    if (serialized > 0) {
        occupies(c, sections, allocated, "section list");
        walk_sections(c, address, sections, used, serialized, address_size, length_size, total);
    }
}

void walk_file_space(struct check *c, const uint8_t *body, uint64_t length)
{
    if (length < 3 || body[0] != 1 || body[2] == 0)
        return;
    const uint8_t *at = body + 3 + 2 * c->size_of_length + 2 + c->size_of_address;
    for (int i = 0; i < 12 && (uint64_t)(at - body) + c->size_of_address <= length; i++) {
        uint64_t manager = take_address(c, &at);
        if (manager != UNDEFINED)
            walk_manager(c, manager);
    }
}
