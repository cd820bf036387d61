// The C++ face: attributes of every type, datasets, links, errors, moves, and callbacks that throw.
#include "check.hpp"

#include <cstddef>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

static void attributes(h5r::group &root) {
    root.attr_write("int", 42);
    root.attr_write("char", static_cast<signed char>(-3));
    root.attr_write("long", std::uint64_t{1} << 63);
    root.attr_write("float", 1.5f);
    root.attr_write("double", -2.25);
    root.attr_write("text", "grüße");
    root.attr_write("string", std::string("second"));
    root.attr_write("empty", "");
    root.attr_write("vector", std::vector<double>{1, 2, 3});
    root.attr_write("array", std::array<std::int16_t, 4>{4, 3, 2, 1});
    const float matrix[6] = {1, 2, 3, 4, 5, 6};
    root.attr_write("matrix", matrix, {2, 3});
    root.attr_write_null("null", H5R_I32);

    CHECK(root.attr_read<int>("int") == 42);
    CHECK(root.attr_read<double>("int") == 42.0);
    CHECK(root.attr_read<int>("char") == -3);
    CHECK(root.attr_read<std::uint64_t>("long") == std::uint64_t{1} << 63);
    CHECK(root.attr_read<double>("float") == 1.5);
    CHECK(root.attr_read<std::string>("text") == "grüße");
    CHECK(root.attr_read<std::string>("string") == "second");
    CHECK(root.attr_read<std::string>("empty").empty());
    CHECK((root.attr_read<std::vector<int>>("vector") == std::vector<int>{1, 2, 3}));
    CHECK((root.attr_read<std::vector<std::int64_t>>("array") == std::vector<std::int64_t>{4, 3, 2, 1}));
    CHECK((root.attr_read<std::vector<float>>("matrix") == std::vector<float>(matrix, matrix + 6)));
    CHECK(root.attr_read<std::vector<float>>("null").empty() && root.attr_info("null").is_null);
    const auto info = root.attr_info("matrix");
    CHECK((info.dims == std::vector<std::uint64_t>{2, 3}) && info.type == h5r::type::of<float>());
    CHECK(info.type.describe() == "32-bit little-endian float" && info.type.type_class() == H5R_CLASS_FLOAT);
    CHECK(root.attr_exists("int") && !root.attr_exists("absent") && root.attr_count() == 12);
    root.attr_rename("int", "renamed");
    root.attr_delete("char");
    CHECK(root.attr_count() == 11 && root.attr_read<int>("renamed") == 42);

    throws(H5R_ERR_NOT_FOUND, "absent", [&] { root.attr_read<int>("absent"); });
    throws(H5R_ERR_TOO_SMALL, "bytes", [&] { root.attr_read<int>("vector"); });
    throws(H5R_ERR_TYPE, "", [&] { root.attr_read<int>("text"); });
    throws(H5R_ERR_ARGUMENT, "", [&] { root.attr_write("", 1); });
}

static void iteration(h5r::group &root) {
    std::vector<std::string> names;
    root.attr_iterate(H5R_ORDER_NAME, [&](std::string_view name) { names.emplace_back(name); });
    CHECK(names.size() == root.attr_count() && names.front() == "array" && names.back() == "vector");
    int calls = 0;
    root.attr_iterate(H5R_ORDER_NAME, [&](std::string_view) { return ++calls < 3; });
    CHECK(calls == 3);
    bool caught = false;
    try {
        root.attr_iterate(H5R_ORDER_NAME, [](std::string_view name) {
            if (name == "empty") throw std::out_of_range("from the callback");
        });
    } catch (const std::out_of_range &e) {
        caught = std::string(e.what()) == "from the callback";
    }
    CHECK(caught);
}

static void datasets(h5r::group &root) {
    auto grid = root.create_dataset<double>("a/grid", {2, 3});
    grid.write(std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK((grid.read<int>() == std::vector<int>{1, 2, 3, 4, 5, 6}));
    double corner[2] = {0, 0};
    grid.read(corner, {{0, 2}, {}, {2, 1}, {}});
    CHECK(corner[0] == 3 && corner[1] == 6);
    const double fresh[2] = {30, 60};
    grid.write(fresh, {{0, 2}, {}, {2, 1}, {}});
    CHECK((grid.read<int>() == std::vector<int>{1, 2, 30, 4, 5, 60}));
    grid.attr_write("units", "K");
    const auto info = grid.info();
    CHECK(info.dims.size() == 2 && info.layout == H5R_LAYOUT_CONTIGUOUS && info.storage_size == 48);
    CHECK(grid.kind() == H5R_KIND_DATASET && grid.path() == "/a/grid");
    throws(H5R_ERR_ARGUMENT, "5 values", [&] { grid.write(std::vector<double>(5)); });
    throws(H5R_ERR_ARGUMENT, "rank", [&] { grid.read(corner, {{0}, {}, {}, {}}); });
    throws(H5R_ERR_RANGE, "", [&] { grid.read(corner, {{0, 3}, {}, {2, 1}, {}}); });
    throws(H5R_ERR_WRONG_KIND, "", [&] { grid.set_extent({4, 4}); });
    throws(H5R_ERR_WRONG_KIND, "is not a dataset", [&] { root.open_dataset("a"); });
    throws(H5R_ERR_WRONG_KIND, "is not a group", [&] { root.open_group("a/grid"); });
    CHECK(root.open_dataset("a/grid").attr_read<std::string>("units") == "K");
}

static void links(h5r::group &root) {
    h5r::group_options options;
    options.links.creation_order = H5R_CREATION_ORDER_INDEXED;
    auto group = root.create_group("ordered", options);
    for (const char *name : {"z", "m", "a"}) group.create_group(name);
    std::string order;
    group.link_iterate(H5R_ORDER_CREATION, [&](std::string_view name) { order += name; });
    CHECK(order == "zma" && group.link_count() == 3);
    group.link_create_soft("soft", "/ordered/z");
    group.link_create_hard("hard", group.open("z"));
    group.link_move("m", "deeper/moved");
    CHECK(group.link_exists("deeper/moved") && !group.link_exists("m"));
    CHECK(group.link_target("soft") == "/ordered/z" && group.link_info("soft").kind == H5R_LINK_SOFT);
    group.link_delete("soft");
    CHECK(!group.link_exists("soft"));
    throws(H5R_ERR_EXISTS, "z", [&] { group.create_group("z"); });
    group.link_create_external("outside", "other.h5", "/there");
    CHECK(group.link_value("outside") == std::string("\0other.h5\0/there\0", 17));
    group.link_create_user("own", 65, "data");
    CHECK(group.link_value("own") == "data" && group.link_info("own").user_type == 65);
    group.set_comment("a comment");
    CHECK(group.comment() == "a comment" && group.open("z").comment().empty());
    CHECK(group.open("z").details().references == 2 && group.details().link_count == 6);
    std::string paths;
    group.visit(H5R_ORDER_NAME, [&](std::string_view path, std::int32_t kind) {
        paths += std::string(path) + (kind == H5R_KIND_GROUP ? " " : "?");
    });
    CHECK(paths == ". a deeper deeper/moved hard ");
    throws(H5R_ERR_FAILED, "", [&] { group.visit(H5R_ORDER_NAME, [](std::string_view, std::int32_t) { throw h5r::error(H5R_ERR_FAILED, ""); }); });
}

static void ownership() {
    auto first = h5r::file::create("moved.h5");
    auto second = std::move(first);
    auto root = second.root();
    root.attr_write("a", 1);
    throws(H5R_ERR_BAD_HANDLE, "NULL", [&] { first.flush(); });
    auto group = root.create_group("g");
    auto moved = std::move(group);
    throws(H5R_ERR_BAD_HANDLE, "NULL", [&] { group.attr_count(); });
    moved.close();
    throws(H5R_ERR_BAD_HANDLE, "", [&] { moved.attr_count(); });
    second.close();
    throws(H5R_ERR_BAD_HANDLE, "", [&] { root.attr_count(); });
    { auto kept = h5r::file::open("moved.h5"); kept.root().attr_write("b", 2); }
    h5r::open_options options;
    options.read_only = 1;
    auto again = h5r::file::open("moved.h5", options);
    CHECK(again.root().attr_read<int>("b") == 2);
    throws(H5R_ERR_READ_ONLY, "", [&] { again.root().attr_write("c", 3); });
    h5r::create_options exclusive;
    exclusive.exclusive = 1;
    throws(H5R_ERR_EXISTS, "moved.h5", [&] { h5r::file::create("moved.h5", exclusive); });
}

static void modes() {
    auto file = h5r::file::create("modes.h5");
    auto root = file.root();
    std::atomic<int> sessions{0};
    h5r::incremental_options options;
    options.interval_ms = 1;
    options.progress = [&](const h5r_progress &) {
        ++sessions;
        throw std::runtime_error("dropped");
    };
    throws(H5R_ERR_LAZY_REQUIRED, "", [&] { file.set_incremental(options); });
    h5r::lazy_options lazy;
    lazy.threshold = 0.5;
    throws(H5R_ERR_RANGE, "0.01..0.20", [&] { file.set_lazy(lazy); });
    file.set_lazy();
    file.set_incremental(options);
    for (int i = 0; i < 3000; i++) root.attr_write("name" + std::to_string(i), i);
    for (int i = 0; i < 3000; i++)
        if (i % 5 != 0) root.attr_delete("name" + std::to_string(i));
    auto moved = std::move(file);
    for (int i = 0; i < 1000 && sessions == 0; i++) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(sessions > 0);
    moved.set_none();
    moved.set_smart();
    moved.rebalance();
    moved.check();
    const auto stats = moved.rebalance_status();
    CHECK(stats.mode == H5R_MODE_SMART && stats.deletes == 2400);
    moved.close();
    auto again = h5r::file::open("modes.h5");
    for (int i = 0; i < 3000; i += 5) CHECK(again.root().attr_read<int>("name" + std::to_string(i)) == i);
    CHECK(again.root().attr_count() == 600);
}

static void checking() {
    h5r::file::create("check.h5").root().attr_write("one", 1);
    const auto report = h5r::check_path("check.h5");
    CHECK(report.errors == 0 && report.groups == 1 && report.allocated_bytes == report.file_bytes);
    std::FILE *file = std::fopen("check.h5", "r+b");
    CHECK(file != nullptr && std::fseek(file, -1, SEEK_END) == 0);
    const int last = std::fgetc(file);
    CHECK(std::fseek(file, -1, SEEK_END) == 0 && std::fputc(last ^ 1, file) != EOF && std::fclose(file) == 0);
    std::string told;
    const auto damaged = h5r::check_path("check.h5", {}, [&](const h5r_check_finding &finding) {
        CHECK(finding.severity == H5R_SEVERITY_ERROR && finding.kind == H5R_FINDING_CHECKSUM);
        told = finding.message;
    });
    CHECK(damaged.errors > 0 && told.find("object header") != std::string::npos);
    throws(H5R_ERR_IO, "absent.h5", [] { h5r::check_path("absent.h5"); });
    bool thrown = false;
    try {
        h5r::check_path("check.h5", {}, [](const h5r_check_finding &) -> bool { throw 7; });
    } catch (int number) {
        thrown = number == 7;
    }
    CHECK(thrown);
}

struct point {
    float x;
    std::int16_t kind;
};

static void types(h5r::group &root) {
    auto kind = h5r::type::enumeration(h5r::type::of<std::int16_t>());
    kind.insert("near", std::int16_t{1}).insert("far", std::int16_t{-7});
    auto type = h5r::type::compound(sizeof(point));
    type.insert("x", offsetof(point, x), h5r::type::of<float>()).insert("kind", offsetof(point, kind), kind);
    CHECK(type.member_count() == 2 && type.member_name(1) == "kind" && type.member_index("x") == 0);
    CHECK(type.member_offset(1) == offsetof(point, kind) && type.member_type(1) == kind);
    CHECK(kind.enum_value<std::int16_t>(1) == -7 && kind.base() == h5r::type::of<std::int16_t>());
    throws(H5R_ERR_RANGE, "overlaps", [&] { type.insert("y", 2, h5r::type::of<float>()); });
    const auto named = root.commit("types/point", type).type_of();
    CHECK(named == type && named.is_committed() && !type.is_committed());
    const point points[2] = {{1.5f, -7}, {2.5f, 1}};
    auto dataset = root.create_dataset("points", named, {2});
    dataset.write(type, points);
    point back[2] = {};
    dataset.read(type, back);
    CHECK(back[0].x == 1.5f && back[0].kind == -7 && back[1].x == 2.5f && back[1].kind == 1);
    CHECK(h5r::type::array(type, {2, 3}).dims() == (std::vector<std::uint64_t>{2, 3}));
    CHECK(h5r::type::opaque(3, "tag").tag() == "tag" && h5r::type::variable_string().is_variable());
    CHECK(h5r::type::vlen(kind).base() == kind && h5r::type::complex(h5r::type::of<double>()).size() == 16);
    CHECK(h5r::type::reference(H5R_REF_REGION).reference_kind() == H5R_REF_REGION);
    CHECK(h5r::type::of<float>().layout().mantissa_size == 23);
}

struct hit {
    double energy;
    std::int32_t channel;
};

// Rows of numbers and of compounds are appended; parts of any type, and of vectors of the right size, are written and read.
static void rows(h5r::group &root) {
    const std::vector<std::uint64_t> most = {H5R_UNLIMITED, 3}, chunk = {4, 3};
    h5r::dataset_options options;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.max_dims = most.data();
    options.chunk = chunk.data();
    auto grid = root.create_dataset<float>("rows/grid", {0, 3}, options);
    grid.append(std::vector<double>{1, 2, 3, 4, 5, 6});
    grid.append(std::array<int, 3>{7, 8, 9});
    CHECK((grid.dims() == std::vector<std::uint64_t>{3, 3}) && grid.elements() == 9 && grid.read<float>()[8] == 9);
    throws(H5R_ERR_ARGUMENT, "rows of 3", [&] { grid.append(std::vector<double>(4)); });
    const h5r::selection column = {{0, 1}, {}, {3, 1}, {}};
    grid.write(std::vector<int>{20, 50, 80}, column);
    CHECK((grid.read<int>() == std::vector<int>{1, 20, 3, 4, 50, 6, 7, 80, 9}));
    throws(H5R_ERR_ARGUMENT, "3 elements", [&] { grid.write(std::vector<int>(2), column); });

    auto type = h5r::type::compound(sizeof(hit));
    type.insert("energy", offsetof(hit, energy), H5R_F64).insert("channel", offsetof(hit, channel), H5R_I32);
    options.max_dims = &most[0];
    options.chunk = &chunk[0];
    auto hits = root.create_dataset("rows/hits", type, {0}, options);
    const std::vector<hit> some = {{1.5, 1}, {2.5, 2}, {3.5, 3}};
    hits.append(type, some.data(), some.size());
    hit one = {9.5, 9};
    hits.write(type, &one, {{1}, {}, {1}, {}});
    std::vector<hit> back(2);
    hits.read(type, back.data(), {{1}, {}, {2}, {}});
    CHECK(back[0].energy == 9.5 && back[0].channel == 9 && back[1].energy == 3.5 && hits.elements() == 3);
}

static void parts() {
    auto file = h5r::file::create("parts.h5");
    h5r::dataset_options options;
    const std::vector<std::uint64_t> dims = {600, 1000};
    auto grid = file.root().create_dataset("grid", h5r::type::of<float>(), dims);
    std::vector<float> values(600 * 1000);
    for (std::size_t i = 0; i < values.size(); i++) values[i] = static_cast<float>(i);
    std::uint64_t last = 0, calls = 0;
    file.set_progress([&](std::uint64_t done, std::uint64_t total) {
        CHECK(total == 600 * 1000 * sizeof(float));
        last = done;
        return ++calls > 0;
    });
    grid.write(values);
    CHECK(calls >= 2 && last == 600 * 1000 * sizeof(float));
    auto moved = std::move(file);
    moved.set_progress([](std::uint64_t, std::uint64_t) { return false; });
    throws(H5R_ERR_CALLBACK, "", [&] { grid.write(values); });
    moved.set_progress(nullptr);
    calls = 0;
    grid.write(values);
    CHECK(calls == 0);
    // A row, and every second element of a column, one after the other.
    const h5r::selection row = {{3, 0}, {}, {1, 1000}, {}}, column = {{0, 5}, {2, 1}, {4, 1}, {}};
    std::vector<float> list(1004);
    grid.read_list({row, column}, list.data());
    CHECK(list[0] == 3000 && list[999] == 3999 && list[1000] == 5 && list[1003] == 6005);
    for (auto &value : list) value = -value;
    grid.write_list({row, column}, list.data());
    CHECK(grid.read<float>()[3999] == -3999 && grid.read<float>()[6005] == -6005 && grid.read<float>()[6004] == 6004);
    throws(H5R_ERR_ARGUMENT, "rank", [&] { grid.read_list({{{1}, {}, {}, {}}}, list.data()); });
    // A block of 2 x 3 to and from the middle of an array of 4 x 5.
    const h5r::selection block = {{10, 20}, {}, {2, 3}, {}}, middle = {{1, 1}, {}, {2, 3}, {}};
    std::vector<float> memory(20, 1.0f);
    grid.read_into(block, {4, 5}, middle, memory.data());
    CHECK(memory[5] == 1 && memory[6] == 10020 && memory[8] == 10022 && memory[11] == 11020 && memory[13] == 11022);
    CHECK(memory[9] == 1 && memory[14] == 1);
    memory[7] = 0.5f;
    grid.write_from(block, {4, 5}, middle, memory.data());
    CHECK(grid.read<float>()[10021] == 0.5f && grid.read<float>()[10023] == 10023);
    options.layout = H5R_LAYOUT_CHUNKED;
    const std::uint64_t ten = 10;
    options.chunk = &ten;
    auto chunked = moved.root().create_dataset("chunked", h5r::type::of<int>(), {100}, options);
    chunked.chunk_cache_set(1000);
    const int sevens[5] = {7, 7, 7, 7, 7};
    chunked.write(sevens, {{2}, {}, {5}, {}});
    const auto cached = chunked.chunk_cache_info();
    CHECK(cached.bound == 1000 && cached.chunks == 1 && cached.unwritten == 1);
    h5r::open_options mapped;
    mapped.read_only = 1;
    mapped.io = H5R_IO_MMAP;
    moved.close();
    CHECK(h5r::file::open("parts.h5", mapped).root().open_dataset("chunked").read<int>()[6] == 7);
}

static void filters() {
    using bytes = std::vector<unsigned char>;
    auto file = h5r::file::create("filters.h5");
    const auto turned = [](const std::vector<std::uint32_t> &, const unsigned char *data, std::size_t length) {
        bytes made(data, data + length);
        for (auto &byte : made) byte = static_cast<unsigned char>(~byte);
        return made;
    };
    const std::uint64_t chunk[1] = {10};
    h5r_filter list[1] = {{40124, 0, nullptr, 0}};
    h5r::dataset_options options;
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.filters = list;
    options.filter_count = 1;
    const std::vector<std::int32_t> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    {
        h5r::user_filter filter(40124, "turned", turned, turned);
        auto dataset = file.root().create_dataset<std::int32_t>("turned", {10}, options);
        dataset.write(values);
        CHECK(dataset.read<std::int32_t>() == values);
        CHECK(dataset.chunk_read({0})[0] == 0xfe);
    }
    bool refused = false;
    try {
        file.root().open_dataset("turned").read<std::int32_t>();
    } catch (const h5r::error &error) {
        refused = error.status() == H5R_ERR_UNSUPPORTED;
    }
    CHECK(refused);
    file.close();
}

int main() {
    auto file = h5r::file::create("face.h5");
    auto root = file.root();
    attributes(root);
    iteration(root);
    datasets(root);
    links(root);
    types(root);
    rows(root);
    root.copy("a", "copied/a");
    CHECK(root.reference_path(root.reference("a/grid")) == "/a/grid");
    {
        const std::uint64_t start[2] = {0, 1}, count[2] = {1, 1};
        const h5r_selection one = {2, start, nullptr, count, nullptr};
        const auto region = root.reference("a/grid", H5R_REF_STANDARD_REGION, &one);
        CHECK(root.dereference(region, H5R_REF_STANDARD_REGION).kind() == H5R_KIND_DATASET);
    }
    CHECK(root.open_dataset("copied/a/grid").read<double>()[5] == 60);
    {
        auto other = h5r::file::create("other.h5");
        h5r::copy_options options;
        options.shallow = 1;
        root.copy("a", other.root(), "shallow", options);
        CHECK(other.root().open_dataset("shallow/grid").read<double>()[5] == 60);
    }
    file.flush();
    file.check();
    file.close();
    auto again = h5r::file::open("face.h5");
    again.check();
    CHECK(again.root().attr_read<std::string>("text") == "grüße");
    CHECK(again.root().open_dataset("/a/grid").read<double>()[5] == 60);
    ownership();
    modes();
    checking();
    parts();
    filters();
    return 0;
}
