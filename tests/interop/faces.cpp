// What faces.py has the C++ face write, and read of what h5py wrote: faces write|read FILE.
#include <h5r.hpp>

#include <cstdio>

#define CHECK(condition)                                                \
    do {                                                                \
        if (!(condition)) {                                             \
            std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            return 1;                                                   \
        }                                                               \
    } while (0)

static const std::vector<bool> bools{true, false, true};
static const std::vector<std::complex<float>> singles{{1, 2}, {3, -4}};
static const std::vector<std::complex<double>> doubles{{0.5, 2}, {3, -4.25}};

static int write(const char *path) {
    auto file = h5r::file::create(path);
    auto root = file.root();
    root.attr_write("yes", true);
    root.attr_write("bools", bools);
    root.attr_write("c64", singles);
    root.attr_write("c128", doubles);
    root.create_dataset<bool>("bools", {3}).write(bools);
    root.create_dataset<std::complex<float>>("c64", {2}).write(singles);
    root.create_dataset<std::complex<double>>("c128", {2}).write(doubles);
    file.close();
    return 0;
}

static int read(const char *path) {
    h5r::open_options options;
    options.read_only = 1;
    auto file = h5r::file::open(path, options);
    auto root = file.root();
    CHECK(root.attr_read<bool>("yes"));
    CHECK(root.attr_read<std::vector<bool>>("bools") == bools);
    CHECK(root.attr_read<std::vector<std::complex<float>>>("c64") == singles);
    CHECK(root.attr_read<std::vector<std::complex<double>>>("c128") == doubles);
    CHECK(root.open_dataset("bools").read<bool>() == bools);
    CHECK(root.open_dataset("c64").read<std::complex<float>>() == singles);
    CHECK(root.open_dataset("c128").read<std::complex<double>>() == doubles);
    file.close();
    return 0;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    return std::string(arguments[1]) == "write" ? write(arguments[2]) : read(arguments[2]);
}
