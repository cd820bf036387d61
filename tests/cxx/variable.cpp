// Values of variable length from C++: strings and sequences, in attributes and datasets, whole and in part.
#include "check.hpp"

using strings = std::vector<std::string>;
using sequences = std::vector<std::vector<std::int32_t>>;

static const strings words = {"", "short", "grüße", std::string(5000, 'x')};
static const sequences numbers = {{}, {1}, {-2, 3, 1 << 30}, std::vector<std::int32_t>(3000, 7)};

static void attributes(h5r::group &root) {
    root.attr_write("words", words);
    root.attr_write("numbers", numbers);
    CHECK(root.attr_type("words").is_variable() && root.attr_type("numbers").base() == h5r::type::of<std::int32_t>());
    CHECK(root.attr_read<strings>("words") == words && root.attr_read<sequences>("numbers") == numbers);
    // Converted, as numbers are.
    CHECK(root.attr_read<std::vector<std::vector<double>>>("numbers")[2][2] == 1 << 30);
    root.attr_write("words", strings{"two", "others"});
    CHECK(root.attr_read<strings>("words")[1] == "others");
    const char *one = "a single one";
    root.attr_write("one", h5r::type::variable_string(), {}, &one);
    CHECK(root.attr_read<std::string>("one") == one && root.attr_read<strings>("one") == strings{one});
    // Of fixed length in the file.
    root.attr_write("fixed", h5r::type::string(4), {2}, "ab\0\0cdef");
    CHECK((root.attr_read<strings>("fixed") == strings{"ab", "cdef"}));
    throws(H5R_ERR_ARGUMENT, "", [&] { root.attr_write("zero", strings{std::string("a\0b", 3)}); });
    CHECK(!root.attr_exists("zero"));
    throws(H5R_ERR_TYPE, "", [&] { root.attr_read<strings>("numbers"); });
    root.attr_write("none", strings{});
    CHECK(root.attr_read<strings>("none").empty());
}

// Datasets of fixed length, and in ASCII, as libhdf5 makes them where nothing else is said.
static void other_strings(h5r::group &root) {
    auto ascii = root.create_dataset("ascii", h5r::type::variable_string(H5R_PAD_NULL_TERMINATED, H5R_CHARSET_ASCII), {2});
    ascii.write(strings{"plain", ""});
    CHECK((ascii.read<std::string>() == strings{"plain", ""}) && ascii.type_of().charset() == H5R_CHARSET_ASCII);
    throws(H5R_ERR_TYPE, "UTF-8", [&] { ascii.write(strings{"grüße", ""}); });
    auto ended = root.create_dataset("ended", h5r::type::string(4), {2});
    ended.write(strings{"abc", ""});
    CHECK((ended.read<std::string>() == strings{"abc", ""}));
    throws(H5R_ERR_ARGUMENT, "elements of 3", [&] { ended.write(strings{"abcd", ""}); });
    auto padded = root.create_dataset("padded", h5r::type::string(4, H5R_PAD_SPACE, H5R_CHARSET_ASCII), {2});
    padded.write(strings{"abcd", "x"});
    CHECK(padded.type_of().padding() == H5R_PAD_SPACE && padded.read<std::string>()[0] == "abcd");
    padded.write(strings{"yz"}, {{1}, {}, {1}, {}});
    char bytes[9] = {};
    padded.read(h5r::type::string(4, H5R_PAD_SPACE, H5R_CHARSET_ASCII), bytes);
    CHECK(std::string(bytes) == "abcdyz  ");
}

static void datasets(h5r::group &root) {
    auto text = root.create_dataset("text", h5r::type::variable_string(), {4});
    text.write(words);
    CHECK(text.read<std::string>() == words);
    h5r::selection part;
    part.start = {1};
    part.count = {2};
    text.write(strings{"SHORT", "GRÜSSE"}, part);
    CHECK((text.read<std::string>(part) == strings{"SHORT", "GRÜSSE"}) && text.read<std::string>()[3] == words[3]);
    throws(H5R_ERR_ARGUMENT, "", [&] { text.write(strings{"too few"}); });

    h5r::dataset_options options;
    const std::uint64_t chunk[] = {3}, unlimited[] = {H5R_UNLIMITED};
    options.layout = H5R_LAYOUT_CHUNKED;
    options.chunk = chunk;
    options.max_dims = unlimited;
    auto rows = root.create_dataset("rows", h5r::type::vlen(h5r::type::of<std::int32_t>()), {4}, options);
    rows.write(numbers);
    rows.append(sequences{{8, 9}, {}});
    auto all = numbers;
    all.push_back({8, 9});
    all.push_back({});
    CHECK(rows.read<std::vector<std::int32_t>>() == all);
    part.start = {2};
    part.count = {1};
    CHECK(rows.read<std::vector<std::int64_t>>(part)[0] == (std::vector<std::int64_t>{-2, 3, 1 << 30}));
    part.count = {};
    throws(H5R_ERR_ARGUMENT, "", [&] { rows.read<std::vector<std::int64_t>>(part); });
    const std::vector<double> plain = {1.5, 2.5, 3.5};
    auto values = root.create_dataset("plain", h5r::type::of<double>(), {3});
    values.write(plain);
    part.start = {1};
    part.count = {2};
    CHECK((values.read<double>(part) == std::vector<double>{2.5, 3.5}));
}

int main() {
    {
        auto file = h5r::file::create("variable.h5");
        auto root = file.root();
        attributes(root);
        other_strings(root);
        datasets(root);
        file.check();
        file.close();
    }
    auto again = h5r::file::open("variable.h5");
    CHECK(again.root().attr_read<sequences>("numbers") == numbers);
    CHECK(again.root().open_dataset("text").read<std::string>()[2] == "GRÜSSE");
    again.check();
    return 0;
}
