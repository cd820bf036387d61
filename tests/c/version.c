// The least that a program can do; pkg-config's test builds it too.
#include <h5r.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char text[32];
    const uint32_t n = h5r_version_number();
    snprintf(text, sizeof text, "%u.%u.%u", (unsigned)(n >> 16), (unsigned)(n >> 8 & 255), (unsigned)(n & 255));
    if (strcmp(text, h5r_version()) != 0) return 1;
    if (strcmp(h5r_status_name(H5R_ERR_RANGE), "H5R_ERR_RANGE") != 0) return 1;
    if (strcmp(h5r_status_name(1), "H5R_ERR_UNKNOWN") != 0) return 1;
    if (strcmp(h5r_last_error(), "") != 0) return 1;
    printf("h5r %s\n", h5r_version());
    return 0;
}
