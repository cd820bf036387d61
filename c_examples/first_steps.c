// First steps: a file with a dataset and attributes, closed, opened again, changed, and read.
#include <h5r.h>
#include <stdio.h>
#include <stdlib.h>

static void must(h5r_status status) {
    if (status == H5R_OK) return;
    fprintf(stderr, "%s: %s\n", h5r_status_name(status), h5r_last_error());
    exit(1);
}

static void write_station(const char *path) {
    const uint64_t dims[2] = {2, 3};
    const double temperatures[2][3] = {{280.5, 281.0, 281.5}, {279.0, 279.5, 280.0}};
    const int32_t height = 118;
    h5r_file *file = NULL;
    h5r_object *dataset = NULL;
    h5r_type text = 0;
    must(h5r_create(path, NULL, &file));
    must(h5r_dataset_create(h5r_root(file), "stations/bremen/temperature", H5R_F64, 2, dims, NULL, &dataset));
    must(h5r_dataset_write(dataset, H5R_F64, NULL, temperatures));
    must(h5r_attr_write(dataset, "height", H5R_I32, 0, NULL, &height));
    must(h5r_type_string(sizeof "kelvin", H5R_PAD_NULL_TERMINATED, H5R_CHARSET_UTF8, &text));
    must(h5r_attr_write(dataset, "units", text, 0, NULL, "kelvin"));
    must(h5r_attr_write(dataset, "obsolete", H5R_I32, 0, NULL, &height));
    must(h5r_type_close(text));
    must(h5r_close(file)); // closes the dataset too
}

static int32_t print_name(const char *name, void *user_data) {
    printf("  %s\n", name);
    ++*(int *)user_data;
    return 0;
}

static int read_station(const char *path) {
    float row[3];
    double height = 0;
    bool exists = true;
    int names = 0;
    h5r_file *file = NULL;
    h5r_object *dataset = NULL;
    must(h5r_open(path, NULL, &file));
    must(h5r_object_open(h5r_root(file), "/stations/bremen/temperature", &dataset));
    must(h5r_attr_delete(dataset, "obsolete"));
    printf("attributes:\n");
    must(h5r_attr_iterate(dataset, H5R_ORDER_NAME, print_name, &names));
    must(h5r_attr_exists(dataset, "obsolete", &exists));
    must(h5r_attr_read(dataset, "height", H5R_F64, &height, sizeof height)); // converted
    const uint64_t start[2] = {1, 0}, count[2] = {1, 3};
    h5r_selection second_row = H5R_SELECTION_INIT;
    second_row.rank = 2;
    second_row.start = start;
    second_row.count = count;
    must(h5r_dataset_read(dataset, H5R_F32, &second_row, row));
    printf("height %g m, second row %g %g %g K\n", height, row[0], row[1], row[2]);
    must(h5r_close(file));
    return names == 2 && !exists && height == 118 && row[2] == 280.0f ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "first_steps.h5";
    write_station(path);
    return read_station(path);
}
