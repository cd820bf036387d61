#include "check.h"

#include <string.h>

/* check [--open] FILE... : the structure of each file; exit status 1 if one has a fault. With --open a program has the files open. */
int main(int argc, char **argv)
{
    int faults = 0, open = argc > 1 && strcmp(argv[1], "--open") == 0;
    for (int i = 1 + open; i < argc; i++)
        faults += check_file(argv[i], !open, stdout);
    return faults > 0;
}
