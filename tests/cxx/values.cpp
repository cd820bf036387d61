// bool and std::complex: in attributes and datasets, stored as h5py does, and read from what else they can be; and reads of no value.
#include "check.hpp"

#include <array>
#include <complex>

using single = std::complex<float>;
using real_pair = std::complex<double>;

static void bool_attributes(h5r::group &root) {
    const std::vector<bool> flags{true, false, true};
    const bool grid[4] = {false, true, true, false};
    root.attr_write("yes", true);
    root.attr_write("no", false);
    root.attr_write("flags", flags);
    root.attr_write("array", std::array<bool, 2>{false, true});
    root.attr_write("grid", grid, {2, 2});
    root.attr_write("none", std::vector<bool>());
    CHECK(root.attr_read<bool>("yes") && !root.attr_read<bool>("no"));
    CHECK(root.attr_read<std::vector<bool>>("flags") == flags);
    CHECK((root.attr_read<std::vector<bool>>("array") == std::vector<bool>{false, true}));
    CHECK(root.attr_read<std::vector<bool>>("grid") == std::vector<bool>(grid, grid + 4));
    CHECK(root.attr_read<std::vector<bool>>("none").empty());
    CHECK((root.attr_read<std::vector<int>>("flags") == std::vector<int>{1, 0, 1}));
    const auto info = root.attr_info("grid");
    CHECK(info.type == h5r::type::of<bool>() && (info.dims == std::vector<std::uint64_t>{2, 2}));
    CHECK(info.type.type_class() == H5R_CLASS_ENUM && info.type.base() == h5r::type(H5R_I8));
    CHECK(info.type.member_name(0) == "FALSE" && info.type.enum_value<std::int8_t>(1) == 1);
    // Integers are true where they are not 0; nothing else is.
    root.attr_write("integers", std::vector<std::int64_t>{0, -1, 256, std::int64_t{1} << 40});
    CHECK((root.attr_read<std::vector<bool>>("integers") == std::vector<bool>{false, true, true, true}));
    root.attr_write("seven", 7u);
    CHECK(root.attr_read<bool>("seven"));
    root.attr_write("half", 0.5);
    throws(H5R_ERR_TYPE, "float", [&] { root.attr_read<bool>("half"); });
    h5r::type colour = h5r::type::enumeration(H5R_I8);
    colour.insert("RED", std::int8_t{0}).insert("GREEN", std::int8_t{1});
    const std::int8_t green = 1;
    root.attr_write("colour", colour, {}, &green);
    throws(H5R_ERR_TYPE, "enumeration", [&] { root.attr_read<bool>("colour"); });
    // A value that has no name in the enumeration.
    const std::int8_t five = 5;
    root.attr_write("five", h5r::type::of<bool>(), {}, &five);
    CHECK(root.attr_read<bool>("five"));
    throws(H5R_ERR_TOO_SMALL, "3 bytes", [&] { root.attr_read<bool>("flags"); });
    throws(H5R_ERR_ARGUMENT, "'none' has 0 elements, and 1", [&] { root.attr_read<bool>("none"); });
    root.attr_write_null("null", H5R_F64);
    throws(H5R_ERR_ARGUMENT, "'null' has 0 elements, and 1", [&] { root.attr_read<double>("null"); });
}

static void bool_datasets(h5r::group &root) {
    const std::uint64_t chunk[2] = {2, 3}, most[2] = {H5R_UNLIMITED, 3};
    h5r::dataset_options options;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.max_dims = most;
    auto grid = root.create_dataset<bool>("bools", {2, 3}, options);
    grid.write(std::vector<bool>{true, false, false, true, true, false});
    grid.append(std::vector<bool>{false, true, false});
    grid.append(std::array<bool, 3>{true, true, true});
    CHECK((grid.read<bool>() ==
           std::vector<bool>{true, false, false, true, true, false, false, true, false, true, true, true}));
    const h5r::selection column{{0, 1}, {}, {4, 1}, {}};
    CHECK((grid.read<bool>(column) == std::vector<bool>{false, true, true, true}));
    grid.write(std::vector<bool>{true, false, true, false}, column);
    bool values[4] = {false, false, false, false};
    grid.read(values, column);
    CHECK(values[0] && !values[1] && values[2] && !values[3]);
    throws(H5R_ERR_ARGUMENT, "count", [&] { grid.read(values, {{0, 0}, {}, {}, {}}); });
    throws(H5R_ERR_ARGUMENT, "2 values", [&] { grid.write(std::vector<bool>{true, false}); });
    const bool two[2] = {false, true};
    grid.write_points({0, 0, 3, 2}, two);
    grid.read_points({3, 2, 0, 0}, values);
    CHECK(values[0] && !values[1]);

    // In integers, which hold any number.
    auto numbers = root.create_dataset<std::int32_t>("numbers", {4});
    numbers.write(std::vector<bool>{true, false, true, false});
    CHECK((numbers.read<int>() == std::vector<int>{1, 0, 1, 0}));
    numbers.write(std::vector<int>{0, 2, -300, 1});
    CHECK((numbers.read<bool>() == std::vector<bool>{false, true, true, true}));
    numbers.read(values, {{1}, {}, {2}, {}});
    CHECK(values[0] && values[1]);
    numbers.read_points({0, 2}, values);
    CHECK(!values[0] && values[1]);
    numbers.read_list({{{2}, {}, {1}, {}}, {{0}, {}, {2}, {}}}, values);
    CHECK(values[0] && !values[1] && values[2]);
    bool around[4] = {false, false, false, false};
    numbers.read_into({{1}, {}, {2}, {}}, {4}, {{1}, {2}, {2}, {}}, around);
    CHECK(!around[0] && around[1] && !around[2] && around[3]);
    // The bytes themselves are those of true and false.
    std::array<unsigned char, 4> bytes;
    std::memcpy(bytes.data(), around, 4);
    CHECK((bytes == std::array<unsigned char, 4>{0, 1, 0, 1}));
    throws(H5R_ERR_TYPE, "", [&] { root.create_dataset<double>("doubles", {1}).read<bool>(); });
}

static void complex_attributes(h5r::group &root) {
    const std::vector<real_pair> doubles{{1.5, -2}, {0, 3.25}};
    const single singles[2] = {{1, 2}, {3, 4}};
    root.attr_write("c128", doubles);
    root.attr_write("c64", singles, {2, 1});
    root.attr_write("c", real_pair(-0.5, 8));
    CHECK(root.attr_read<std::vector<real_pair>>("c128") == doubles);
    CHECK(root.attr_read<std::vector<single>>("c64") == std::vector<single>(singles, singles + 2));
    CHECK((root.attr_read<std::vector<real_pair>>("c64") == std::vector<real_pair>{{1, 2}, {3, 4}}));
    CHECK(root.attr_read<single>("c") == single(-0.5f, 8));
    const auto stored = root.attr_type("c128");
    CHECK(stored == h5r::type::of<real_pair>() && stored.size() == 16 && stored.type_class() == H5R_CLASS_COMPOUND);
    CHECK(stored.member_offset(stored.member_index("i")) == 8 && stored.member_type(0) == h5r::type(H5R_F64));
    // libhdf5's own since 2.0, in either precision.
    root.attr_write("native", h5r::type::complex(H5R_F64), {2}, doubles.data());
    CHECK(root.attr_read<std::vector<real_pair>>("native") == doubles);
    CHECK((root.attr_read<std::vector<single>>("native") == std::vector<single>{{1.5f, -2}, {0, 3.25f}}));
    // What is no complex number.
    h5r::type point = h5r::type::compound(16);
    point.insert("x", 0, H5R_F64).insert("y", 8, H5R_F64);
    root.attr_write("points", point, {2}, doubles.data());
    throws(H5R_ERR_TYPE, "compound", [&] { root.attr_read<std::vector<real_pair>>("points"); });
    root.attr_write("real", 1.0);
    throws(H5R_ERR_TYPE, "float", [&] { root.attr_read<real_pair>("real"); });
    // Sequences of variable length.
    const std::vector<std::vector<single>> ragged{{{1, 2}}, {}, {{3, 4}, {5, 6}}};
    root.attr_write("ragged", ragged);
    CHECK(root.attr_read<std::vector<std::vector<single>>>("ragged") == ragged);
}

static void complex_datasets(h5r::group &root) {
    const std::vector<real_pair> values{{1, 2}, {3, 4}, {5, 6}};
    auto own = root.create_dataset<real_pair>("complex", {3});
    auto native = root.create_dataset("native", h5r::type::complex(H5R_F32), {3});
    for (auto *dataset : {&own, &native}) {
        dataset->write(values);
        CHECK(dataset->read<real_pair>() == values);
        dataset->write(std::array<single, 1>{single(7, 8)}, {{1}, {}, {1}, {}});
        CHECK((dataset->read<single>({{1}, {}, {2}, {}}) == std::vector<single>{{7, 8}, {5, 6}}));
        single two[2];
        dataset->read_points({2, 0}, two);
        CHECK(two[0] == single(5, 6) && two[1] == single(1, 2));
    }
    auto real = root.create_dataset<double>("real", {3});
    throws(H5R_ERR_TYPE, "float", [&] { real.write(values); });
}

int main() {
    auto file = h5r::file::create("values_cxx.h5");
    auto root = file.root();
    auto part = [&](const char *name) { return root.create_group(name); };
    auto first = part("bool attributes"), second = part("bools"), third = part("complex attributes"), fourth = part("complex");
    bool_attributes(first);
    bool_datasets(second);
    complex_attributes(third);
    complex_datasets(fourth);
    file.check();
    file.close();
    return 0;
}
