// h5r.hpp: h5r from C++17. Header-only; errors are thrown as h5r::error; what is opened is closed by its destructor.
//
// Handles may be used from any thread, as in h5r.h. Objects must not outlive their file's close: their calls then throw
// BAD_HANDLE. A file's destructor flushes and closes it but cannot report an error: call close() where that matters.

#ifndef H5R_HPP
#define H5R_HPP

#include "h5r.h"

#include "h5r_detail.hpp"

namespace h5r {

// The options, with all defaults. Set fields and hand them over.
struct create_options : h5r_create_options {
    create_options() : h5r_create_options H5R_CREATE_OPTIONS_INIT {}
};
struct open_options : h5r_open_options {
    open_options() : h5r_open_options H5R_OPEN_OPTIONS_INIT {}
};
struct check_options : h5r_check_options {
    check_options() : h5r_check_options H5R_CHECK_OPTIONS_INIT {}
};
struct group_options : h5r_group_options {
    group_options() : h5r_group_options H5R_GROUP_OPTIONS_INIT {}
};
struct copy_options : h5r_copy_options {
    copy_options() : h5r_copy_options H5R_COPY_OPTIONS_INIT {}
};
struct dataset_options : h5r_dataset_options {
    dataset_options() : h5r_dataset_options H5R_DATASET_OPTIONS_INIT {}
};
struct lazy_options : h5r_lazy_options {
    lazy_options() : h5r_lazy_options H5R_LAZY_OPTIONS_INIT {}
};

// The callback runs on the background thread; what it throws is dropped. It never comes after the next set_... or the
// close returned.
struct incremental_options {
    std::uint64_t budget_us = 100000;
    std::uint64_t interval_ms = 5000;
    std::function<void(const h5r_progress &)> progress;
};

// As above.
struct smart_options {
    bool auto_detect = true;
    bool auto_switch = true;
    std::uint64_t min_file_size = 10 * H5R_MIB;
    std::uint64_t allowed_modes = H5R_ALLOW_ALL;
    std::uint64_t reevaluate_ms = 300000;
    double min_confidence = 0.7;
    std::uint64_t min_switch_interval_ms = 30000;
    std::function<void(const h5r_mode_change &)> on_mode_change;
};

// A filter of the program's own, for all files of the process, while this object lives. The functions are called from any
// thread, and from several at once; each gets the parameters of the dataset and the bytes, and returns what they become.
// What encode throws makes an optional filter be skipped for the chunk, and else fails the write; what decode throws fails the read. Either
// may be empty: then data cannot be written, or not be read. In them every call of h5r throws REENTRANT; h5r_filter_callback in h5r.h
// says which calls lock the file meanwhile.
class user_filter {
public:
    using function = std::function<std::vector<unsigned char>(const std::vector<std::uint32_t> &parameters,
                                                              const unsigned char *data, std::size_t length)>;

    user_filter(std::uint32_t id, const std::string &name, function encode, function decode)
        : id_(id), both_(std::make_unique<functions>(functions{std::move(encode), std::move(decode)})) {
        detail::check(h5r_filter_register(id, name.c_str(), both_->encode ? run<&functions::encode> : nullptr,
                                          both_->decode ? run<&functions::decode> : nullptr, both_.get()));
    }
    user_filter(const user_filter &) = delete;
    user_filter &operator=(const user_filter &) = delete;
    ~user_filter() { h5r_filter_unregister(id_); }

private:
    struct functions {
        function encode, decode;
    };

    template <function functions::*member>
    static std::int32_t run(const std::uint32_t *parameters, std::size_t parameter_count, const void *data, std::size_t length,
                            void *out, std::size_t capacity, std::size_t *length_out, void *user_data) {
        try {
            const std::vector<std::uint32_t> given(parameters, parameters + parameter_count);
            const auto made = (static_cast<functions *>(user_data)->*member)(given, static_cast<const unsigned char *>(data), length);
            *length_out = made.size();
            if (made.size() <= capacity && !made.empty()) std::memcpy(out, made.data(), made.size());
            return 0;
        } catch (...) {
            return 1;
        }
    }

    std::uint32_t id_;
    std::unique_ptr<functions> both_;
};

// A datatype that closes itself.
class type {
public:
    // A predefined one, H5R_I32 and so on, or one that h5r made.
    type(h5r_type token) noexcept : token_(token) {}
    type(type &&other) noexcept : token_(std::exchange(other.token_, h5r_type{0})) {}
    type &operator=(type &&other) noexcept {
        std::swap(token_, other.token_);
        return *this;
    }
    ~type() { h5r_type_close(token_); }

    // Strings of `size` bytes each.
    static type string(std::size_t size, std::int32_t padding = H5R_PAD_NULL_TERMINATED,
                       std::int32_t charset = H5R_CHARSET_UTF8) {
        h5r_type token = 0;
        detail::check(h5r_type_string(size, padding, charset, &token));
        return type(token);
    }
    // Strings of variable length: char * in memory.
    static type variable_string(std::int32_t padding = H5R_PAD_NULL_TERMINATED,
                                std::int32_t charset = H5R_CHARSET_UTF8) {
        return made([&](h5r_type *out) { return h5r_type_string_variable(padding, charset, out); });
    }
    static type integer(const h5r_type_layout &layout) {
        return made([&](h5r_type *out) { return h5r_type_integer(&layout, out); });
    }
    static type floating(const h5r_type_layout &layout) {
        return made([&](h5r_type *out) { return h5r_type_float(&layout, out); });
    }
    static type bitfield(const h5r_type_layout &layout) {
        return made([&](h5r_type *out) { return h5r_type_bitfield(&layout, out); });
    }
    static type complex(const type &part) {
        return made([&](h5r_type *out) { return h5r_type_complex(part.token_, out); });
    }
    static type time(std::uint32_t bits, std::int32_t order = H5R_BYTES_LITTLE) {
        return made([&](h5r_type *out) { return h5r_type_time(bits, order, out); });
    }
    // Sequences of variable length: h5r_vlen in memory.
    static type vlen(const type &base) {
        return made([&](h5r_type *out) { return h5r_type_vlen(base.token_, out); });
    }
    static type opaque(std::size_t size, const std::string &tag = {}) {
        return made([&](h5r_type *out) { return h5r_type_opaque(size, tag.c_str(), out); });
    }
    static type array(const type &base, const std::vector<std::uint64_t> &dims) {
        return made([&](h5r_type *out) { return h5r_type_array(base.token_, dims.size(), dims.data(), out); });
    }
    // H5R_REF_...
    static type reference(std::int32_t kind = H5R_REF_OBJECT) {
        return made([&](h5r_type *out) { return h5r_type_reference(kind, out); });
    }
    // A compound without members, and an enumeration without names: insert() adds them.
    static type compound(std::size_t size) {
        return made([&](h5r_type *out) { return h5r_type_compound(size, out); });
    }
    static type enumeration(const type &base) {
        return made([&](h5r_type *out) { return h5r_type_enum(base.token_, out); });
    }
    type &insert(const std::string &name, std::size_t offset, const type &member) {
        detail::check(h5r_type_insert(token_, name.c_str(), offset, member.token_));
        return *this;
    }
    // `value` is of the C++ type that is the enumeration's base.
    template <class T> type &insert(const std::string &name, const T &value) {
        if (sizeof(T) != size()) throw error(H5R_ERR_ARGUMENT, "the value is not of the enumeration's base type");
        detail::check(h5r_type_enum_insert(token_, name.c_str(), &value));
        return *this;
    }
    type copy() const {
        return made([&](h5r_type *out) { return h5r_type_copy(token_, out); });
    }
    // The type of the C++ number T. bool and std::complex are stored as h5py does: an enumeration of FALSE and TRUE in a byte,
    // and a compound of r and i.
    template <class T> static type of() {
        if constexpr (std::is_same_v<T, bool>) {
            type truth = enumeration(H5R_I8);
            truth.insert("FALSE", std::int8_t{0}).insert("TRUE", std::int8_t{1});
            return truth;
        } else if constexpr (detail::is_complex<T>) {
            const type part = of<typename T::value_type>();
            type pair = compound(2 * part.size());
            pair.insert("r", 0, part).insert("i", part.size(), part);
            return pair;
        } else {
            return type(detail::token_of<T>::value);
        }
    }
    // The type in memory of the C++ number T for elements of this type: any integer is read as bool, too (0 is false), and
    // complex(), libhdf5's own since 2.0, as std::complex.
    template <class T> type in_memory() const {
        if constexpr (std::is_same_v<T, bool>) {
            if (type_class() == H5R_CLASS_INTEGER) return type(H5R_I8);
        } else if constexpr (detail::is_complex<T>) {
            // Other compounds are matched by their members' names, too, and nothing of them would be moved.
            const std::int32_t stored = type_class();
            if (stored == H5R_CLASS_COMPLEX || (stored == H5R_CLASS_COMPOUND && !is_pair()))
                return complex(of<typename T::value_type>());
        }
        return of<T>();
    }

    h5r_type token() const noexcept { return token_; }
    std::size_t size() const {
        std::size_t size = 0;
        detail::check(h5r_type_size(token_, &size));
        return size;
    }
    // H5R_CLASS_...
    std::int32_t type_class() const {
        std::int32_t number = 0;
        detail::check(h5r_type_class(token_, &number));
        return number;
    }
    std::string describe() const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) { return h5r_type_describe(token_, b, c, l); });
    }
    bool operator==(const type &other) const {
        bool equal = false;
        detail::check(h5r_type_equal(token_, other.token_, &equal));
        return equal;
    }

    h5r_type_layout layout() const {
        h5r_type_layout layout = H5R_TYPE_LAYOUT_INIT;
        detail::check(h5r_type_get_layout(token_, &layout));
        return layout;
    }
    // Whether elements in memory point to parts of theirs.
    bool is_variable() const {
        bool is = false;
        detail::check(h5r_type_is_variable(token_, &is));
        return is;
    }
    // Of strings: H5R_PAD_..., and H5R_CHARSET_....
    std::int32_t padding() const {
        std::int32_t number = 0;
        detail::check(h5r_type_string_info(token_, &number, nullptr, nullptr));
        return number;
    }
    std::int32_t charset() const {
        std::int32_t number = 0;
        detail::check(h5r_type_string_info(token_, nullptr, &number, nullptr));
        return number;
    }
    bool is_committed() const {
        bool is = false;
        detail::check(h5r_type_is_committed(token_, &is));
        return is;
    }
    // The members of a compound, or the names of an enumeration.
    std::uint64_t member_count() const {
        std::uint64_t count = 0;
        detail::check(h5r_type_member_count(token_, &count));
        return count;
    }
    std::string member_name(std::uint64_t index) const {
        return detail::text(
            [&](char *b, std::size_t c, std::size_t *l) { return h5r_type_member_name(token_, index, b, c, l); });
    }
    std::uint64_t member_index(const std::string &name) const {
        std::uint64_t index = 0;
        detail::check(h5r_type_member_index(token_, name.c_str(), &index));
        return index;
    }
    std::uint64_t member_offset(std::uint64_t index) const {
        std::uint64_t offset = 0;
        detail::check(h5r_type_member(token_, index, &offset, nullptr));
        return offset;
    }
    type member_type(std::uint64_t index) const {
        return made([&](h5r_type *out) { return h5r_type_member(token_, index, nullptr, out); });
    }
    template <class T> T enum_value(std::uint64_t index) const {
        if (sizeof(T) != size()) throw error(H5R_ERR_ARGUMENT, "the value is not of the enumeration's base type");
        T value{};
        detail::check(h5r_type_enum_value(token_, index, &value));
        return value;
    }
    // The elements of an array or sequence, the integer of an enumeration, the parts of a complex number.
    type base() const {
        return made([&](h5r_type *out) { return h5r_type_base(token_, out); });
    }
    std::vector<std::uint64_t> dims() const {
        std::size_t rank = 0;
        std::vector<std::uint64_t> dims(H5R_MAX_RANK);
        detail::check(h5r_type_dims(token_, &rank, dims.data()));
        dims.resize(rank);
        return dims;
    }
    std::string tag() const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) { return h5r_type_tag(token_, b, c, l); });
    }
    std::int32_t reference_kind() const {
        std::int32_t kind = 0;
        detail::check(h5r_type_reference_kind(token_, &kind));
        return kind;
    }

private:
    bool is_pair() const {
        if (member_count() != 2) return false;
        const std::string names = member_name(0) + ' ' + member_name(1);
        return names == "r i" || names == "i r";
    }
    template <class Call> static type made(Call call) {
        h5r_type token = 0;
        detail::check(call(&token));
        return type(token);
    }

    h5r_type token_;
};

namespace detail {

// ASCII goes to strings of either character set, UTF-8 to its own only.
inline bool is_ascii(const std::string &text) {
    for (const char byte : text)
        if (static_cast<unsigned char>(byte) > 127) return false;
    return true;
}

// Values of variable length: std::string, and std::vector of numbers. `element` is what stands for one in memory.
template <class T> struct variable {
    static constexpr bool is = false;
};
template <> struct variable<std::string> {
    static constexpr bool is = true;
    using element = const char *;
    static type memory_type() { return type::variable_string(); }
    static element element_of(const std::string &value) {
        if (value.find('\0') != std::string::npos)
            throw error(H5R_ERR_ARGUMENT, "a string of variable length ends with its first NUL, and cannot have one inside");
        return value.c_str();
    }
    static std::string value_of(element element) { return element ? element : ""; }
    static type type_for(const std::vector<std::string> &values) {
        bool ascii = true;
        for (const auto &value : values) ascii = ascii && is_ascii(value);
        return type::variable_string(H5R_PAD_NULL_TERMINATED, ascii ? H5R_CHARSET_ASCII : H5R_CHARSET_UTF8);
    }
};
template <class T> struct variable<std::vector<T>> {
    static constexpr bool is = is_number<T> && !std::is_same_v<T, bool>;
    using element = h5r_vlen;
    static type memory_type() { return type::vlen(type::of<T>()); }
    static type type_for(const std::vector<std::vector<T>> &) { return memory_type(); }
    static element element_of(const std::vector<T> &value) {
        return {value.size(), const_cast<void *>(static_cast<const void *>(value.data()))};
    }
    static std::vector<T> value_of(const element &element) {
        const auto *first = static_cast<const T *>(element.data);
        return element.length == 0 ? std::vector<T>() : std::vector<T>(first, first + element.length);
    }
};

// A std::vector of such values.
template <class C> struct variables {
    static constexpr bool is = false;
};
template <class T> struct variables<std::vector<T>> : variable<T> {};

template <class T> std::vector<typename variable<T>::element> elements_of(const std::vector<T> &values) {
    std::vector<typename variable<T>::element> elements;
    elements.reserve(values.size());
    for (const T &value : values) elements.push_back(variable<T>::element_of(value));
    return elements;
}

// What h5r_dataset_read or h5r_attr_read has stored behind the elements, given back at the end.
struct released {
    h5r_type type;
    std::uint64_t count;
    void *data;
    ~released() { h5r_vlen_release(type, count, data); }
};

// Reads `count` values with read(type, data, bytes). Strings may be of fixed length in the file.
template <class T, class Read> std::vector<T> read_variable(const type &stored, std::uint64_t count, Read read) {
    std::vector<T> values;
    const auto length = static_cast<std::size_t>(count);
    values.reserve(length);
    if constexpr (std::is_same_v<T, std::string>) {
        if (stored.type_class() == H5R_CLASS_STRING && !stored.is_variable()) {
            const type memory = type::string(stored.size() + 1);
            std::string bytes(memory.size() * length, '\0');
            check(read(memory.token(), static_cast<void *>(bytes.data()), bytes.size()));
            for (std::size_t i = 0; i < length; ++i) values.emplace_back(bytes.c_str() + i * memory.size());
            return values;
        }
    }
    const type memory = variable<T>::memory_type();
    std::vector<typename variable<T>::element> elements(length);
    check(read(memory.token(), static_cast<void *>(elements.data()), length * memory.size()));
    const released release{memory.token(), count, elements.data()};
    for (const auto &element : elements) values.push_back(variable<T>::value_of(element));
    return values;
}

} // namespace detail

// What an attribute is.
struct attribute_info {
    h5r::type type;
    std::vector<std::uint64_t> dims;
    bool is_null;
    std::uint64_t storage_size;
    std::uint64_t creation_order; // H5R_NO_CREATION_ORDER where it is not recorded
    std::uint64_t elements() const {
        std::uint64_t product = is_null ? 0 : 1;
        for (const auto dim : dims) product *= dim;
        return product;
    }
};

// What a dataset is.
struct dataset_info {
    h5r::type type;
    std::vector<std::uint64_t> dims;
    std::vector<std::uint64_t> max_dims;
    bool is_null;
    std::int32_t layout; // H5R_LAYOUT_...
    std::uint64_t storage_size;
};

// Which elements of a dataset; an empty vector means the obvious, as in h5r_selection.
struct selection {
    std::vector<std::uint64_t> start, stride, count, block;
};

// The elements that a reference refers to.
struct region {
    std::int32_t selected; // H5R_SELECTED_...
    // The coordinates of points, one point after the other, or of the first and the last element of each block.
    std::vector<std::uint64_t> numbers;
};

// A group, dataset or named datatype, with its attributes.
class object {
public:
    object(object &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    object &operator=(object &&other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~object() { h5r_object_close(handle_); }
    // Takes a handle of the C interface over.
    explicit object(h5r_object *handle) noexcept : handle_(handle) {}

    h5r_object *handle() const noexcept { return handle_; }
    // Gives the handle up: the caller closes it.
    h5r_object *release() noexcept { return std::exchange(handle_, nullptr); }
    void close() { detail::check(h5r_object_close(release())); }
    // H5R_KIND_...
    std::int32_t kind() const {
        std::int32_t kind = 0;
        detail::check(h5r_object_kind(handle_, &kind));
        return kind;
    }
    std::string path() const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) { return h5r_object_path(handle_, b, c, l); });
    }

    // The bytes of a reference of a kind, H5R_REF_..., to the object at `path`, to selected elements (null: all), or to an
    // attribute.
    std::vector<unsigned char> reference(const std::string &path, std::int32_t kind = H5R_REF_OBJECT,
                                         const h5r_selection *part = nullptr, const char *attribute = nullptr) const {
        std::size_t length = 0;
        const char *at = path.c_str();
        detail::check(h5r_reference_create(handle_, at, kind, part, attribute, nullptr, 0, &length));
        std::vector<unsigned char> bytes(length);
        detail::check(h5r_reference_create(handle_, at, kind, part, attribute, bytes.data(), length, &length));
        return bytes;
    }
    // The bytes of a reference of a kind of regions to the elements of a dataset at points of `rank` coordinates, those of one
    // after those of the other.
    std::vector<unsigned char> reference_points(const std::string &path, std::size_t rank, const std::vector<std::uint64_t> &points,
                                                std::int32_t kind = H5R_REF_STANDARD_REGION) const {
        if (rank == 0 || points.size() % rank != 0) throw error(H5R_ERR_ARGUMENT, "as many coordinates as the rank are needed");
        std::size_t length = 0;
        const auto make = [&](unsigned char *to) {
            return h5r_reference_create_points(handle_, path.c_str(), kind, rank, points.size() / rank, points.data(), to, length,
                                               &length);
        };
        detail::check(make(nullptr));
        std::vector<unsigned char> bytes(length);
        detail::check(make(bytes.data()));
        return bytes;
    }
    // The object that a reference leads to.
    object dereference(const std::vector<unsigned char> &reference, std::int32_t kind = H5R_REF_OBJECT) const {
        h5r_object *found = nullptr;
        detail::check(h5r_reference_open(handle_, kind, reference.data(), reference.size(), &found));
        return object(found);
    }
    // The name of the attribute that a reference refers to.
    std::string reference_attribute(const std::vector<unsigned char> &reference,
                                    std::int32_t kind = H5R_REF_STANDARD_ATTR) const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) {
            return h5r_reference_attribute(handle_, kind, reference.data(), reference.size(), b, c, l);
        });
    }
    // The elements that a reference to a region refers to.
    region reference_region(const std::vector<unsigned char> &reference, std::int32_t kind = H5R_REF_STANDARD_REGION) const {
        region found{H5R_SELECTED_NONE, {}};
        std::uint64_t count = 0;
        const auto read = [&] {
            return h5r_reference_region(handle_, kind, reference.data(), reference.size(), &found.selected, found.numbers.data(),
                                        found.numbers.size(), &count);
        };
        detail::check(read());
        found.numbers.resize(count);
        if (count > 0) detail::check(read());
        return found;
    }
    // A path of the object that a reference leads to.
    std::string reference_path(const std::vector<unsigned char> &reference, std::int32_t kind = H5R_REF_OBJECT) const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) {
            return h5r_reference_path(handle_, kind, reference.data(), reference.size(), b, c, l);
        });
    }

    // Numbers are those of C++, bool and std::complex of float and double among them.
    //
    // Writes a number, a string (of fixed length), a sequence of numbers, or a std::vector of strings or of std::vectors
    // of numbers, which are of variable length (one dimension).
    template <class T> void attr_write(const std::string &name, const T &value) {
        if constexpr (detail::is_number<T>) {
            attr_write(name, type::of<T>(), {}, static_cast<const void *>(&value));
        } else if constexpr (std::is_convertible_v<const T &, std::string_view>) {
            const std::string text{std::string_view(value)};
            const type string = type::string(text.size() + 1);
            detail::check(h5r_attr_write(handle_, name.c_str(), string.token(), 0, nullptr, text.c_str()));
        } else if constexpr (detail::variables<T>::is) {
            const auto elements = detail::elements_of(value);
            attr_write(name, detail::variables<T>::memory_type(), {value.size()}, elements.data());
        } else if constexpr (std::is_same_v<T, std::vector<bool>>) {
            attr_write(name, detail::bools(value));
        } else {
            static_assert(detail::is_sequence<T>, "a number, a string, a contiguous sequence of numbers, or values of variable length");
            attr_write(name, value.data(), {value.size()});
        }
    }
    // Writes an array in row-major order.
    template <class T>
    void attr_write(const std::string &name, const T *data, const std::vector<std::uint64_t> &dims) {
        static_assert(detail::is_number<T>, "an array of numbers");
        attr_write(name, type::of<std::remove_cv_t<T>>(), dims, static_cast<const void *>(data));
    }
    // Writes elements of any type.
    void attr_write(const std::string &name, const type &type, const std::vector<std::uint64_t> &dims, const void *data) {
        detail::check(h5r_attr_write(handle_, name.c_str(), type.token(), dims.size(), dims.data(), data));
    }
    // The type of a dataset's elements, or that a named datatype stands for.
    h5r::type type_of() const {
        h5r_type token = 0;
        detail::check(h5r_object_type(handle_, &token));
        return h5r::type(token);
    }
    h5r::type attr_type(const std::string &name) const {
        h5r_type token = 0;
        detail::check(h5r_attr_type(handle_, name.c_str(), &token));
        return h5r::type(token);
    }
    void attr_write_null(const std::string &name, const type &type) {
        detail::check(h5r_attr_write_null(handle_, name.c_str(), type.token()));
    }

    // Reads a number, a std::string, or a std::vector of numbers, of std::strings, or of std::vectors of numbers (all
    // elements in row-major order), converted to T.
    template <class T> T attr_read(const std::string &name) const {
        if constexpr (detail::is_number<T>) {
            T value{};
            if constexpr (detail::token_of<T>::is_number)
                attr_read(name, type::of<T>(), &value, sizeof value);
            else
                attr_read(name, attr_info(name).type.template in_memory<T>(), &value, sizeof value);
            detail::settle(&value, 1);
            // Nothing was read of an attribute without elements; most values need not be asked about.
            if (value == T{} && attr_info(name).elements() == 0)
                throw error(H5R_ERR_ARGUMENT, "attribute '" + name + "' has 0 elements, and 1 is to be read");
            return value;
        } else if constexpr (detail::variables<T>::is) {
            const attribute_info info = attr_info(name);
            return detail::read_variable<typename T::value_type>(info.type, info.elements(), [&](h5r_type memory, void *data, std::size_t bytes) {
                return h5r_attr_read(handle_, name.c_str(), memory, data, bytes);
            });
        } else if constexpr (std::is_same_v<T, std::string>) {
            const attribute_info info = attr_info(name);
            if (info.type.is_variable() && info.elements() == 1) return attr_read<std::vector<std::string>>(name)[0];
            const type string = type::string(info.type.size() + 1);
            std::string text(string.size(), '\0');
            detail::check(h5r_attr_read(handle_, name.c_str(), string.token(), text.data(), text.size()));
            text.resize(std::char_traits<char>::length(text.c_str()));
            return text;
        } else {
            using element = typename T::value_type;
            static_assert(detail::is_number<element>, "a number, std::string, or std::vector of numbers");
            const attribute_info info = attr_info(name);
            std::conditional_t<std::is_same_v<element, bool>, detail::bools, T> values(static_cast<std::size_t>(info.elements()));
            attr_read(name, info.type.in_memory<element>(), values.data(), values.size() * sizeof(element));
            detail::settle(values.data(), values.size());
            if constexpr (std::is_same_v<element, bool>) return values.vector();
            else return values;
        }
    }
    void attr_read(const std::string &name, const type &memory_type, void *data, std::size_t capacity) const {
        detail::check(h5r_attr_read(handle_, name.c_str(), memory_type.token(), data, capacity));
    }
    attribute_info attr_info(const std::string &name) const {
        h5r_attr_details details = H5R_ATTR_DETAILS_INIT;
        detail::check(h5r_attr_info(handle_, name.c_str(), &details));
        return {type(details.type), {details.dims, details.dims + details.rank}, details.space == H5R_SPACE_NULL,
                details.storage_size, details.creation_order};
    }
    void attr_delete(const std::string &name) { detail::check(h5r_attr_delete(handle_, name.c_str())); }
    void attr_rename(const std::string &from, const std::string &to) {
        detail::check(h5r_attr_rename(handle_, from.c_str(), to.c_str()));
    }
    bool attr_exists(const std::string &name) const {
        bool exists = false;
        detail::check(h5r_attr_exists(handle_, name.c_str(), &exists));
        return exists;
    }
    std::uint64_t attr_count() const {
        std::uint64_t count = 0;
        detail::check(h5r_attr_count(handle_, &count));
        return count;
    }
    // Calls visit(std::string_view name) for each attribute. It returns nothing, or whether to go on; what it throws ends
    // the iteration and is thrown here.
    template <class F> void attr_iterate(std::int32_t order, F &&visit) const {
        detail::iterate(visit, [&](auto call, void *data) { return h5r_attr_iterate(handle_, order, call, data); });
    }

    h5r_object_details details() const {
        h5r_object_details details = H5R_OBJECT_DETAILS_INIT;
        detail::check(h5r_object_info(handle_, nullptr, &details));
        return details;
    }
    // Calls visit(std::string_view path, std::int32_t kind) for this object, ".", and each that hard links lead to from
    // here, once. As attr_iterate otherwise.
    template <class F> void visit(std::int32_t order, F &&visit) const {
        detail::iterate<const char *, std::int32_t>(
            visit, [&](auto call, void *data) { return h5r_object_visit(handle_, order, call, data); });
    }
    // Empty where there is none, or to take it away.
    std::string comment() const {
        return detail::text([&](char *b, std::size_t c, std::size_t *l) { return h5r_object_comment(handle_, b, c, l); });
    }
    void set_comment(const std::string &comment) { detail::check(h5r_object_set_comment(handle_, comment.c_str())); }

protected:
    h5r_object *handle_;
};

// A dataset. Data are in row-major order.
class dataset : public object {
public:
    using object::object;

    dataset_info info() const {
        h5r_dataset_details details = H5R_DATASET_DETAILS_INIT;
        detail::check(h5r_dataset_info(handle_, &details));
        return {type(details.type), {details.dims, details.dims + details.rank},
                {details.max_dims, details.max_dims + details.rank}, details.space == H5R_SPACE_NULL, details.layout,
                details.storage_size};
    }
    // Elements of the whole dataset.
    std::uint64_t elements() const {
        std::uint64_t elements = 0;
        detail::check(h5r_dataset_dims(handle_, nullptr, nullptr, &elements));
        return elements;
    }
    // The dimensions: where no more is wanted much cheaper than info(), which reads the index of all chunks.
    std::vector<std::uint64_t> dims() const {
        std::size_t rank = 0;
        std::vector<std::uint64_t> dims(H5R_MAX_RANK);
        detail::check(h5r_dataset_dims(handle_, &rank, dims.data(), nullptr));
        dims.resize(rank);
        return dims;
    }
    // Writes all elements from a contiguous sequence of as many numbers.
    template <class C> std::enable_if_t<detail::is_sequence<C>> write(const C &values) {
        if (values.size() != elements())
            throw error(H5R_ERR_ARGUMENT, std::to_string(values.size()) + " values for a dataset of " +
                                              std::to_string(elements()) + " elements");
        write(values.data());
    }
    void write(const std::vector<bool> &values) { write(detail::bools(values)); }
    void write(const std::vector<bool> &values, const selection &part) { write(detail::bools(values), part); }
    // Writes all elements, or those selected, from numbers.
    template <class T> std::enable_if_t<detail::is_number<T>> write(const T *data) {
        write(memory<T>(), static_cast<const void *>(data));
    }
    template <class T> std::enable_if_t<detail::is_number<T>> write(const T *data, const selection &part) {
        write(memory<T>(), static_cast<const void *>(data), part);
    }
    // Writes those selected from a contiguous sequence of as many numbers; the selection says its count.
    template <class C> std::enable_if_t<detail::is_sequence<C>> write(const C &values, const selection &part) {
        if (values.size() != count_of(part))
            throw error(H5R_ERR_ARGUMENT, std::to_string(values.size()) + " values for a selection of " +
                                              std::to_string(count_of(part)) + " elements");
        write(values.data(), part);
    }
    // Writes elements of any type, all or those selected.
    void write(const type &memory_type, const void *data) {
        detail::check(h5r_dataset_write(handle_, memory_type.token(), nullptr, data));
    }
    void write(const type &memory_type, const void *data, const selection &part) {
        with(part, [&](const h5r_selection *s) { return h5r_dataset_write(handle_, memory_type.token(), s, data); });
    }
    // Writes all elements, or those selected, from as many std::strings or std::vectors of numbers, of variable length;
    // std::strings also to elements of fixed length, if they fit.
    template <class T> std::enable_if_t<detail::variable<T>::is> write(const std::vector<T> &values) {
        write_variable(values, elements(), nullptr);
    }
    template <class T> std::enable_if_t<detail::variable<T>::is> write(const std::vector<T> &values, const selection &part) {
        with(part, [&](const h5r_selection *s) {
            write_variable(values, count_of(part), s);
            return H5R_OK;
        });
    }
    // All elements, converted to T: a number, std::string, or std::vector of numbers.
    template <class T> std::vector<T> read() const {
        if constexpr (detail::variable<T>::is) {
            return read_variable<T>(elements(), nullptr);
        } else if constexpr (std::is_same_v<T, bool>) {
            detail::bools values(static_cast<std::size_t>(elements()));
            read(values.data());
            return values.vector();
        } else {
            std::vector<T> values(static_cast<std::size_t>(elements()));
            read(values.data());
            return values;
        }
    }
    // Those selected; the selection says its count.
    template <class T> std::vector<T> read(const selection &part) const {
        std::vector<T> values;
        if constexpr (detail::variable<T>::is) {
            with(part, [&](const h5r_selection *s) {
                values = read_variable<T>(count_of(part), s);
                return H5R_OK;
            });
        } else if constexpr (std::is_same_v<T, bool>) {
            detail::bools read_values(static_cast<std::size_t>(count_of(part)));
            read(read_values.data(), part);
            values = read_values.vector();
        } else {
            values.resize(static_cast<std::size_t>(count_of(part)));
            read(values.data(), part);
        }
        return values;
    }
    template <class T> std::enable_if_t<detail::is_number<T>> read(T *data) const {
        read(memory<T>(), static_cast<void *>(data));
        if constexpr (std::is_same_v<T, bool>) detail::settle(data, elements());
    }
    // Of bools the selection says its count.
    template <class T> std::enable_if_t<detail::is_number<T>> read(T *data, const selection &part) const {
        const std::uint64_t count = std::is_same_v<T, bool> ? count_of(part) : 0;
        read(memory<T>(), static_cast<void *>(data), part);
        detail::settle(data, count);
    }
    // Reads elements of any type, all or those selected.
    void read(const type &memory_type, void *data) const {
        detail::check(h5r_dataset_read(handle_, memory_type.token(), nullptr, data));
    }
    void read(const type &memory_type, void *data, const selection &part) const {
        with(part, [&](const h5r_selection *s) { return h5r_dataset_read(handle_, memory_type.token(), s, data); });
    }
    void set_extent(const std::vector<std::uint64_t> &dims) {
        if (dims.size() != rank()) throw error(H5R_ERR_ARGUMENT, "as many extents as the rank are needed");
        detail::check(h5r_dataset_set_extent(handle_, dims.data()));
    }
    template <class T> void append(const T *data, std::uint64_t rows) {
        append(memory<T>(), static_cast<const void *>(data), rows);
    }
    void append(const std::vector<bool> &values) { append(detail::bools(values)); }
    // Appends rows of elements of any type.
    void append(const type &memory_type, const void *data, std::uint64_t rows) {
        detail::check(h5r_dataset_append(handle_, memory_type.token(), rows, data));
    }
    // Appends the whole rows that a contiguous sequence of numbers holds.
    template <class C> std::enable_if_t<detail::is_sequence<C>> append(const C &values) {
        const std::vector<std::uint64_t> extents = dims();
        std::uint64_t row = extents.empty() ? 0 : 1;
        for (std::size_t i = 1; i < extents.size(); ++i) row *= extents[i];
        if (row == 0 || values.size() % row != 0)
            throw error(H5R_ERR_ARGUMENT, std::to_string(values.size()) + " values are no whole rows of " + std::to_string(row));
        append(values.data(), values.size() / row);
    }
    // Appends values of variable length to a dataset of one dimension.
    template <class T> std::enable_if_t<detail::variable<T>::is> append(const std::vector<T> &values) {
        if (rank() != 1) throw error(H5R_ERR_ARGUMENT, "values are appended to a dataset of one dimension");
        const auto elements = detail::elements_of(values);
        const type memory = detail::variable<T>::type_for(values);
        detail::check(h5r_dataset_append(handle_, memory.token(), elements.size(), elements.data()));
    }

    // Elements at points: the coordinates of one after the other.
    template <class T> void read_points(const std::vector<std::uint64_t> &points, T *data) const {
        detail::check(h5r_dataset_read_points(handle_, memory<T>().token(), count_of(points), points.data(), data));
        detail::settle(data, count_of(points));
    }
    template <class T> void write_points(const std::vector<std::uint64_t> &points, const T *data) {
        detail::check(h5r_dataset_write_points(handle_, memory<T>().token(), count_of(points), points.data(), data));
    }
    // The elements of several selections, those of one after those of the other.
    template <class T> void read_list(const std::vector<selection> &parts, T *data) const {
        const auto made = list(parts);
        std::uint64_t count = 0;
        if constexpr (std::is_same_v<T, bool>)
            for (const auto &part : parts) count += count_of(part);
        detail::check(h5r_dataset_read_list(handle_, memory<T>().token(), made.size(), made.data(), data));
        detail::settle(data, count);
    }
    template <class T> void write_list(const std::vector<selection> &parts, const T *data) {
        const auto made = list(parts);
        detail::check(h5r_dataset_write_list(handle_, memory<T>().token(), made.size(), made.data(), data));
    }
    // The elements of `part` to, or from, the places `within` an array in memory of extents `dims`; an empty selection is all.
    template <class T>
    void read_into(const selection &part, const std::vector<std::uint64_t> &dims, const selection &within, T *data) const {
        const h5r_selection from = plain(part, rank()), to = plain(within, dims.size());
        detail::check(h5r_dataset_read_into(handle_, memory<T>().token(), &from, dims.size(), dims.data(), &to, data));
        std::uint64_t count = 1;
        for (const auto extent : dims) count *= extent;
        detail::settle(data, count);
    }
    template <class T>
    void write_from(const selection &part, const std::vector<std::uint64_t> &dims, const selection &within, const T *data) {
        const h5r_selection to = plain(part, rank()), from = plain(within, dims.size());
        detail::check(h5r_dataset_write_from(handle_, memory<T>().token(), &to, dims.size(), dims.data(), &from, data));
    }
    // The cache of decoded chunks, and how many bytes it may take.
    h5r_chunk_cache_details chunk_cache_info() const {
        h5r_chunk_cache_details details = H5R_CHUNK_CACHE_DETAILS_INIT;
        detail::check(h5r_chunk_cache_info(handle_, &details));
        return details;
    }
    void chunk_cache_set(std::uint64_t bytes) { detail::check(h5r_chunk_cache_set(handle_, bytes)); }
    // Chunks as they are stored, by their first element.
    h5r_chunk_details chunk_info(const std::vector<std::uint64_t> &offset) const {
        h5r_chunk_details details = H5R_CHUNK_DETAILS_INIT;
        detail::check(h5r_chunk_info(handle_, at_rank(offset), &details));
        return details;
    }
    std::vector<unsigned char> chunk_read(const std::vector<std::uint64_t> &offset, std::uint32_t *filter_mask = nullptr) const {
        std::vector<unsigned char> bytes(chunk_info(offset).size);
        detail::check(h5r_chunk_read(handle_, at_rank(offset), bytes.data(), bytes.size(), nullptr, filter_mask));
        return bytes;
    }
    void chunk_write(const std::vector<std::uint64_t> &offset, const std::vector<unsigned char> &bytes,
                     std::uint32_t filter_mask = 0) {
        detail::check(h5r_chunk_write(handle_, at_rank(offset), filter_mask, bytes.data(), bytes.size()));
    }
    // Calls visit(const h5r_chunk_details &) for each stored chunk. As attr_iterate otherwise.
    template <class F> void chunk_iterate(F &&visit) const {
        detail::iterate<const h5r_chunk_details *>(
            visit, [&](auto call, void *data) { return h5r_chunk_iterate(handle_, call, data); });
    }

private:
    // The type in memory of numbers T for the elements of this dataset.
    template <class T> type memory() const {
        if constexpr (detail::token_of<T>::is_number) return type::of<T>();
        else return type_of().in_memory<T>();
    }
    template <class T>
    void write_variable(const std::vector<T> &values, std::uint64_t wanted, const h5r_selection *part) {
        if (values.size() != wanted)
            throw error(H5R_ERR_ARGUMENT, std::to_string(values.size()) + " values for " + std::to_string(wanted) + " elements");
        if constexpr (std::is_same_v<T, std::string>) {
            const type stored = type_of();
            if (stored.type_class() == H5R_CLASS_STRING && !stored.is_variable())
                return write_fixed(values, stored, part);
        }
        const auto elements = detail::elements_of(values);
        const type memory = detail::variable<T>::type_for(values);
        detail::check(h5r_dataset_write(handle_, memory.token(), part, elements.data()));
    }
    // To elements of fixed length; nothing is cut off.
    void write_fixed(const std::vector<std::string> &values, const type &stored, const h5r_selection *part) {
        const std::size_t size = stored.size(), room = size - (stored.padding() == H5R_PAD_NULL_TERMINATED ? 1 : 0);
        std::string bytes;
        for (const auto &value : values) {
            if (value.size() > room)
                throw error(H5R_ERR_ARGUMENT, "a string of " + std::to_string(value.size()) + " bytes for elements of " + std::to_string(room));
            bytes.append(value).append(size - value.size(), '\0');
        }
        const auto charset = detail::is_ascii(bytes) ? H5R_CHARSET_ASCII : H5R_CHARSET_UTF8;
        const type memory = type::string(size, H5R_PAD_NULL, charset);
        detail::check(h5r_dataset_write(handle_, memory.token(), part, bytes.data()));
    }
    template <class T> std::vector<T> read_variable(std::uint64_t count, const h5r_selection *part) const {
        return detail::read_variable<T>(type_of(), count, [&](h5r_type memory, void *data, std::size_t) {
            return h5r_dataset_read(handle_, memory, part, data);
        });
    }
    static std::uint64_t count_of(const selection &part) {
        if (part.count.empty()) throw error(H5R_ERR_ARGUMENT, "the selection has to say its count");
        std::uint64_t product = 1;
        for (const auto count : part.count) product *= count;
        for (const auto extent : part.block) product *= extent;
        return product;
    }
    const std::uint64_t *at_rank(const std::vector<std::uint64_t> &offset) const {
        if (offset.size() != rank()) throw error(H5R_ERR_ARGUMENT, "as many offsets as the rank are needed");
        return offset.data();
    }
    std::size_t count_of(const std::vector<std::uint64_t> &points) const {
        const std::size_t coordinates = rank();
        if (coordinates == 0 || points.size() % coordinates != 0)
            throw error(H5R_ERR_ARGUMENT, "as many coordinates as the rank are needed");
        return points.size() / coordinates;
    }
    std::size_t rank() const {
        std::size_t rank = 0;
        detail::check(h5r_dataset_dims(handle_, &rank, nullptr, nullptr));
        return rank;
    }
    template <class Call> void with(const selection &part, Call call) const {
        const h5r_selection made = plain(part, rank());
        detail::check(call(&made));
    }
    // As C has it; it points to the numbers of `part`.
    static h5r_selection plain(const selection &part, std::size_t rank) {
        h5r_selection made = H5R_SELECTION_INIT;
        made.rank = rank;
        for (const auto &[from, to] : {std::pair{&part.start, &made.start}, std::pair{&part.stride, &made.stride},
                                       std::pair{&part.count, &made.count}, std::pair{&part.block, &made.block}}) {
            if (!from->empty() && from->size() != rank)
                throw error(H5R_ERR_ARGUMENT, "a selection needs as many numbers as the rank");
            *to = from->empty() ? nullptr : from->data();
        }
        return made;
    }
    std::vector<h5r_selection> list(const std::vector<selection> &parts) const {
        std::vector<h5r_selection> made;
        for (const auto &part : parts) made.push_back(plain(part, rank()));
        return made;
    }
};

// A group. Paths are relative to it, or absolute; groups on the way to something new are created.
class group : public object {
public:
    using object::object;

    group create_group(const std::string &path, const group_options &options = {}) {
        h5r_object *made = nullptr;
        detail::check(h5r_group_create(handle_, path.c_str(), &options, &made));
        return group(made);
    }
    dataset create_dataset(const std::string &path, const type &type, const std::vector<std::uint64_t> &dims,
                           const dataset_options &options = {}) {
        h5r_object *made = nullptr;
        detail::check(
            h5r_dataset_create(handle_, path.c_str(), type.token(), dims.size(), dims.data(), &options, &made));
        return dataset(made);
    }
    template <class T>
    dataset create_dataset(const std::string &path, const std::vector<std::uint64_t> &dims,
                           const dataset_options &options = {}) {
        return create_dataset(path, type::of<T>(), dims, options);
    }
    // Stores the type as a named datatype.
    object commit(const std::string &path, const type &type) {
        h5r_object *made = nullptr;
        detail::check(h5r_type_commit(handle_, path.c_str(), type.token(), &made));
        return object(made);
    }
    object open(const std::string &path) const { return object(open_as(path, -1)); }
    group open_group(const std::string &path) const { return group(open_as(path, H5R_KIND_GROUP)); }
    dataset open_dataset(const std::string &path) const { return dataset(open_as(path, H5R_KIND_DATASET)); }

    void link_delete(const std::string &path) { detail::check(h5r_link_delete(handle_, path.c_str())); }
    bool link_exists(const std::string &path) const {
        bool exists = false;
        detail::check(h5r_link_exists(handle_, path.c_str(), &exists));
        return exists;
    }
    void link_move(const std::string &from, const std::string &to) {
        detail::check(h5r_link_move(handle_, from.c_str(), nullptr, to.c_str()));
    }
    // Copies the object at `from` to `to` below `target`, a group of this file or of another one.
    void copy(const std::string &from, const group &target, const std::string &to,
              const copy_options &options = {}) const {
        detail::check(h5r_object_copy(handle_, from.c_str(), target.handle_, to.c_str(), &options));
    }
    void copy(const std::string &from, const std::string &to, const copy_options &options = {}) {
        copy(from, *this, to, options);
    }
    void link_create_soft(const std::string &path, const std::string &target) {
        detail::check(h5r_link_create_soft(handle_, path.c_str(), target.c_str()));
    }
    void link_create_hard(const std::string &path, const object &target) {
        detail::check(h5r_link_create_hard(handle_, path.c_str(), target.handle()));
    }
    void link_create_external(const std::string &path, const std::string &file, const std::string &target) {
        detail::check(h5r_link_create_external(handle_, path.c_str(), file.c_str(), target.c_str()));
    }
    void link_create_user(const std::string &path, std::int32_t user_type, std::string_view data) {
        detail::check(h5r_link_create_user(handle_, path.c_str(), user_type, data.data(), data.size()));
    }
    // What the link says; see h5r_link_value.
    std::string link_value(const std::string &path) const {
        std::size_t length = 0;
        detail::check(h5r_link_value(handle_, path.c_str(), nullptr, 0, &length));
        std::string value(length, '\0');
        if (length > 0) detail::check(h5r_link_value(handle_, path.c_str(), value.data(), length, &length));
        return value;
    }
    h5r_link_details link_info(const std::string &path) const {
        h5r_link_details details = H5R_LINK_DETAILS_INIT;
        detail::check(h5r_link_info(handle_, path.c_str(), &details));
        return details;
    }
    std::string link_target(const std::string &path) const {
        return detail::text(
            [&](char *b, std::size_t c, std::size_t *l) { return h5r_link_target(handle_, path.c_str(), b, c, l); });
    }
    std::uint64_t link_count() const {
        std::uint64_t count = 0;
        detail::check(h5r_link_count(handle_, &count));
        return count;
    }
    // As attr_iterate.
    template <class F> void link_iterate(std::int32_t order, F &&visit) const {
        detail::iterate(visit, [&](auto call, void *data) { return h5r_link_iterate(handle_, order, call, data); });
    }

private:
    h5r_object *open_as(const std::string &path, std::int32_t kind) const {
        h5r_object *opened = nullptr;
        detail::check(h5r_object_open(handle_, path.c_str(), &opened));
        object holder(opened);
        if (kind < 0 || holder.kind() == kind) return holder.release();
        throw error(H5R_ERR_WRONG_KIND, "'" + path + "' is not a " + (kind == H5R_KIND_GROUP ? "group" : "dataset"));
    }
};

// An open file.
class file {
public:
    // Creates a file; replaces one that exists unless the options say otherwise.
    static file create(const std::string &path, const create_options &options = {}) {
        h5r_file *handle = nullptr;
        detail::check(h5r_create(path.c_str(), &options, &handle));
        return file(handle);
    }
    // Opens a file for reading and writing unless the options say otherwise.
    static file open(const std::string &path, const open_options &options = {}) {
        h5r_file *handle = nullptr;
        detail::check(h5r_open(path.c_str(), &options, &handle));
        return file(handle);
    }
    file(file &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), callbacks_(std::move(other.callbacks_)),
          transfer_(std::move(other.transfer_)) {}
    file &operator=(file &&other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(callbacks_, other.callbacks_);
        std::swap(transfer_, other.transfer_);
        return *this;
    }
    ~file() { h5r_close(handle_); }

    h5r_file *handle() const noexcept { return handle_; }
    // Stops background work, flushes and closes; everything that was opened from the file is closed too.
    void close() {
        const h5r_status status = h5r_close(handle_);
        if (status != H5R_ERR_REENTRANT) handle_ = nullptr;
        detail::check(status);
    }
    void flush() { detail::check(h5r_flush(handle_)); }
    // What flushes survive from now on: H5R_DURABILITY_PROCESS, _POWER or _NONE.
    void set_durability(int32_t durability) { detail::check(h5r_set_durability(handle_, durability)); }
    void check() { detail::check(h5r_check(handle_)); }
    // The root group; valid while the file is open.
    group root() const {
        h5r_object *root = h5r_root(handle_);
        if (root == nullptr) throw error(H5R_ERR_BAD_HANDLE, h5r_last_error());
        return group(root);
    }

    // Called in long calls with raw data with the bytes that are done and all bytes, on the thread of the call; false ends the
    // call, which then throws H5R_ERR_CALLBACK. An empty function: no more. It must not throw.
    void set_progress(std::function<bool(std::uint64_t, std::uint64_t)> progress) {
        auto made = progress ? std::make_unique<transfer_progress>(std::move(progress)) : nullptr;
        detail::check(h5r_set_progress(handle_, made ? &call_transfer : nullptr, made.get()));
        transfer_ = std::move(made);
    }
    void set_none() { detail::check(h5r_set_none(handle_)); }
    void set_lazy(const lazy_options &options = {}) { detail::check(h5r_set_lazy(handle_, &options)); }
    void set_incremental(incremental_options options = {}) {
        h5r_incremental_options plain = H5R_INCREMENTAL_OPTIONS_INIT;
        plain.budget_us = options.budget_us;
        plain.interval_ms = options.interval_ms;
        auto made = std::make_unique<callbacks>();
        if (options.progress) {
            made->progress = std::move(options.progress);
            plain.progress = &callbacks::call_progress;
            plain.user_data = made.get();
        }
        detail::check(h5r_set_incremental(handle_, &plain));
        callbacks_ = std::move(made);
    }
    void set_smart(smart_options options = {}) {
        h5r_smart_options plain = H5R_SMART_OPTIONS_INIT;
        plain.auto_detect = options.auto_detect;
        plain.auto_switch = options.auto_switch;
        plain.min_file_size = options.min_file_size;
        plain.allowed_modes = options.allowed_modes;
        plain.reevaluate_ms = options.reevaluate_ms;
        plain.min_confidence = options.min_confidence;
        plain.min_switch_interval_ms = options.min_switch_interval_ms;
        auto made = std::make_unique<callbacks>();
        if (options.on_mode_change) {
            made->on_mode_change = std::move(options.on_mode_change);
            plain.on_mode_change = &callbacks::call_on_mode_change;
            plain.user_data = made.get();
        }
        detail::check(h5r_set_smart(handle_, &plain));
        callbacks_ = std::move(made);
    }
    void rebalance() { detail::check(h5r_rebalance(handle_)); }
    h5r_rebalance_stats rebalance_status() const {
        h5r_rebalance_stats stats = H5R_REBALANCE_STATS_INIT;
        detail::check(h5r_rebalance_status(handle_, &stats));
        return stats;
    }

private:
    explicit file(h5r_file *handle) noexcept : handle_(handle) {}

    // Lives on the heap, so that the file can be moved while the background thread calls.
    struct callbacks {
        std::function<void(const h5r_progress &)> progress;
        std::function<void(const h5r_mode_change &)> on_mode_change;

        static void call_progress(const h5r_progress *progress, void *self) noexcept {
            try {
                static_cast<callbacks *>(self)->progress(*progress);
            } catch (...) {
            }
        }
        static void call_on_mode_change(const h5r_mode_change *change, void *self) noexcept {
            try {
                static_cast<callbacks *>(self)->on_mode_change(*change);
            } catch (...) {
            }
        }
    };

    using transfer_progress = std::function<bool(std::uint64_t, std::uint64_t)>;
    static int32_t call_transfer(std::uint64_t done, std::uint64_t total, void *self) noexcept {
        return (*static_cast<transfer_progress *>(self))(done, total) ? 0 : -1;
    }

    h5r_file *handle_;
    std::unique_ptr<callbacks> callbacks_;
    std::unique_ptr<transfer_progress> transfer_;
};

// Checks the file at `path` and counts what it finds; damage is not thrown. Calls visit(const h5r_check_finding &) for
// each finding: it returns nothing, or whether to go on; what it throws ends the findings and is thrown here.
template <class F>
h5r_check_report check_path(const std::string &path, const check_options &options, F &&visit) {
    h5r_check_report report = H5R_CHECK_REPORT_INIT;
    detail::iterate<const h5r_check_finding *>(visit, [&](auto call, void *data) {
        return h5r_check_path(path.c_str(), &options, &report, call, data);
    });
    return report;
}
inline h5r_check_report check_path(const std::string &path, const check_options &options = {}) {
    return check_path(path, options, [](const h5r_check_finding &) {});
}

} // namespace h5r

#endif
