// References from C++: to objects, attributes and elements, kept in a dataset and followed.
#include "check.hpp"

using numbers = std::vector<std::uint64_t>;

static const numbers corners = {1, 2, 2, 2, 1, 6, 2, 6};
static const numbers points = {5, 7, 0, 0, 3, 1};

static h5r::group filled(h5r::file &file) {
    auto root = file.root();
    auto grid = root.create_dataset<std::int32_t>("a/grid", {6, 8});
    grid.attr_write("märk", 7);
    return root;
}

static void whole(h5r::group &root) {
    CHECK(root.reference("a").size() == 8);
    CHECK(root.dereference(root.reference("a")).kind() == H5R_KIND_GROUP);
    const auto to_grid = root.reference("a/grid", H5R_REF_STANDARD_OBJECT);
    CHECK(root.reference_path(to_grid, H5R_REF_STANDARD_OBJECT) == "/a/grid");
    const auto to_mark = root.reference("a/grid", H5R_REF_STANDARD_ATTR, nullptr, "märk");
    CHECK(root.reference_attribute(to_mark) == "märk" && root.reference_attribute(to_mark, H5R_REF_STANDARD_OBJECT) == "märk");
    CHECK(root.dereference(to_mark, H5R_REF_STANDARD_ATTR).attr_read<int>("märk") == 7);
    throws(H5R_ERR_WRONG_KIND, "no attribute", [&] { root.reference_attribute(to_grid, H5R_REF_STANDARD_OBJECT); });
    throws(H5R_ERR_WRONG_KIND, "no region", [&] { root.reference_region(to_mark, H5R_REF_STANDARD_OBJECT); });
    throws(H5R_ERR_NOT_FOUND, "absent", [&] { root.reference("absent"); });
}

static void regions(h5r::group &root) {
    const std::uint64_t start[] = {1, 2}, stride[] = {3, 4}, count[] = {1, 2}, block[] = {2, 1};
    const h5r_selection part = {2, start, stride, count, block};
    for (const auto kind : {H5R_REF_REGION, H5R_REF_STANDARD_REGION}) {
        auto found = root.reference_region(root.reference("a/grid", kind, &part), kind);
        CHECK(found.selected == H5R_SELECTED_BLOCKS && found.numbers == corners);
        found = root.reference_region(root.reference_points("a/grid", 2, points, kind), kind);
        CHECK(found.selected == H5R_SELECTED_POINTS && found.numbers == points);
        found = root.reference_region(root.reference("a/grid", kind), kind);
        CHECK(found.selected == H5R_SELECTED_ALL && found.numbers.empty());
        found = root.reference_region(root.reference_points("a/grid", 2, {}, kind), kind);
        CHECK(found.selected == H5R_SELECTED_NONE && found.numbers.empty());
    }
    throws(H5R_ERR_RANGE, "", [&] { root.reference_points("a/grid", 2, {6, 0}); });
    throws(H5R_ERR_ARGUMENT, "rank 1", [&] { root.reference_points("a/grid", 1, points); });
    throws(H5R_ERR_ARGUMENT, "coordinates", [&] { root.reference_points("a/grid", 2, {1, 2, 3}); });
}

static void kept(h5r::group &root) {
    const auto type = h5r::type::reference(H5R_REF_REGION);
    auto bytes = root.reference_points("a/grid", 2, points, H5R_REF_REGION);
    auto holder = root.create_dataset("regions", type, {1});
    CHECK(h5r_dataset_write(holder.handle(), type.token(), nullptr, bytes.data()) == H5R_OK);
    root.attr_write("region", type, {}, bytes.data());
}

static void again(h5r::group root) {
    const auto type = h5r::type::reference(H5R_REF_REGION);
    std::vector<unsigned char> bytes(12);
    CHECK(h5r_dataset_read(root.open_dataset("regions").handle(), type.token(), nullptr, bytes.data()) == H5R_OK);
    CHECK(root.reference_region(bytes, H5R_REF_REGION).numbers == points);
    CHECK(h5r_attr_read(root.handle(), "region", type.token(), bytes.data(), bytes.size()) == H5R_OK);
    CHECK(root.reference_path(bytes, H5R_REF_REGION) == "/a/grid");
}

int main() {
    {
        auto file = h5r::file::create("references.h5");
        auto root = filled(file);
        whole(root);
        regions(root);
        kept(root);
        file.check();
        file.close();
    }
    auto file = h5r::file::open("references.h5");
    again(file.root());
    file.check();
    return 0;
}
