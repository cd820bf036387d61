// Checking a file by its path: what is counted, what the callback is told, damage, options and errors.
#include "check.h"

struct seen {
    int count;
    int stop_at;
    int32_t answer;
    int32_t severity;
    int32_t kind;
    uint64_t address;
    char path[64];
    char message[256];
};

static int32_t see(const h5r_check_finding *finding, void *user_data) {
    struct seen *seen = (struct seen *)user_data;
    seen->count++;
    seen->severity = finding->severity;
    seen->kind = finding->kind;
    seen->address = finding->address;
    snprintf(seen->path, sizeof seen->path, "%s", finding->path);
    snprintf(seen->message, sizeof seen->message, "%s", finding->message);
    return seen->count == seen->stop_at ? seen->answer : 0;
}

static long find(const unsigned char *bytes, long length, const char *signature) {
    for (long at = 0; at + 4 <= length; at++) {
        if (memcmp(bytes + at, signature, 4) == 0) return at;
    }
    CHECK(0 && "signature");
    return -1;
}

// Changes a byte of the first structure with this signature; returns where it begins.
static long damage(const char *path, const char *signature) {
    static unsigned char bytes[1 << 20];
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL);
    const long length = (long)fread(bytes, 1, sizeof bytes, file);
    const long at = find(bytes, length, signature);
    CHECK(fseek(file, at + 8, SEEK_SET) == 0 && fputc(bytes[at + 8] ^ 1, file) != EOF && fclose(file) == 0);
    return at;
}

static void make(const char *path) {
    char name[32];
    h5r_file *file = new_file(path);
    h5r_object *group = NULL;
    OK(h5r_group_create(h5r_root(file), "group", NULL, &group));
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "attribute%d", i);
        write_int(group, name, i);
    }
    OK(h5r_close(file));
}

static void a_sound_file(void) {
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    struct seen seen = {0, 0, 0, 0, 0, 0, "", ""};
    make("sound.h5");
    OK(h5r_check_path("sound.h5", NULL, &report, see, &seen));
    CHECK(report.struct_size == sizeof report && report.errors == 0 && report.unchecked == 0);
    CHECK(report.groups == 2 && report.datasets == 0 && report.named_types == 0);
    CHECK(report.used_bytes + report.free_bytes + report.leaked_bytes == report.allocated_bytes);
    CHECK(report.allocated_bytes == report.file_bytes && report.used_bytes > 1000);
    CHECK(report.interrupted == H5R_INTERRUPTED_NONE && report.flags == 0 && report.flags_cleared == 0);
    CHECK((uint64_t)seen.count == report.warnings);
    // Neither a report nor a callback is asked for: only whether it can be checked.
    OK(h5r_check_path("sound.h5", NULL, NULL, NULL, NULL));
}

static void a_damaged_file(void) {
    h5r_check_options options = H5R_CHECK_OPTIONS_INIT;
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    struct seen seen = {0, 0, 0, 0, 0, 0, "", ""};
    make("damaged.h5");
    const long at = damage("damaged.h5", "BTLF");
    OK(h5r_check_path("damaged.h5", NULL, &report, see, &seen));
    CHECK(report.errors == 1 && seen.count == 1);
    CHECK(seen.severity == H5R_SEVERITY_ERROR && seen.kind == H5R_FINDING_CHECKSUM && seen.address == (uint64_t)at);
    CHECK(strcmp(seen.path, "/group") == 0 && strstr(seen.message, "version 2 B-tree node") != NULL);
    damage("damaged.h5", "FRHP");
    OK(h5r_check_path("damaged.h5", NULL, &report, NULL, NULL));
    CHECK(report.errors >= 1);

    // Nothing is recovered where something is damaged; what is beyond the bound is counted, not told.
    options.recover = 1;
    options.max_findings = 0;
    seen.count = 0;
    OK(h5r_check_path("damaged.h5", &options, &report, see, &seen));
    CHECK(report.errors >= 1 && seen.count == 0);
}

static void callbacks_end_it(void) {
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    struct seen seen = {0, 1, -7, 0, 0, 0, "", ""};
    make("ended.h5");
    damage("ended.h5", "BTLF");
    FAILS(H5R_ERR_CALLBACK, h5r_check_path("ended.h5", NULL, &report, see, &seen));
    SAYS("-7");
    CHECK(seen.count == 1 && report.errors == 0); // outputs are written only on success
    seen.count = 0;
    seen.answer = 1;
    OK(h5r_check_path("ended.h5", NULL, &report, see, &seen));
    CHECK(seen.count == 1 && report.errors == 1);
}

static void what_is_refused(void) {
    h5r_check_options options = H5R_CHECK_OPTIONS_INIT;
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    FAILS(H5R_ERR_ARGUMENT, h5r_check_path(NULL, NULL, &report, NULL, NULL));
    FAILS(H5R_ERR_ARGUMENT, h5r_check_path("", NULL, &report, NULL, NULL));
    FAILS(H5R_ERR_IO, h5r_check_path("absent.h5", NULL, &report, NULL, NULL));
    SAYS("absent.h5");
    FILE *file = fopen("text.h5", "w");
    CHECK(file != NULL && fputs("no HDF5 file", file) >= 0 && fclose(file) == 0);
    FAILS(H5R_ERR_NOT_HDF5, h5r_check_path("text.h5", NULL, &report, NULL, NULL));
    options.recover = 2;
    FAILS(H5R_ERR_RANGE, h5r_check_path("sound.h5", &options, &report, NULL, NULL));
    SAYS("recover 2 is outside 0..1");
    options.recover = 0;
    options.locking = 9;
    FAILS(H5R_ERR_RANGE, h5r_check_path("sound.h5", &options, &report, NULL, NULL));
    SAYS("locking 9");
    options.struct_size = 3;
    FAILS(H5R_ERR_ARGUMENT, h5r_check_path("sound.h5", &options, &report, NULL, NULL));
    SAYS("H5R_CHECK_OPTIONS_INIT");
    report.struct_size = 0;
    FAILS(H5R_ERR_ARGUMENT, h5r_check_path("sound.h5", NULL, &report, NULL, NULL));
    SAYS("H5R_CHECK_REPORT_INIT");
}

int main(void) {
    a_sound_file();
    a_damaged_file();
    callbacks_end_it();
    what_is_refused();
    return 0;
}
