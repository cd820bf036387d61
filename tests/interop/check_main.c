#include "check.h"

/* check FILE... : the structure of each file; exit status 1 if one has a fault. */
int main(int argc, char **argv)
{
    int faults = 0;
    for (int i = 1; i < argc; i++)
        faults += check_file(argv[i], 1, stdout);
    return faults > 0;
}
