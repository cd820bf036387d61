// h5r_detail.hpp: what h5r.hpp needs and its users do not, but for h5r::error.

#ifndef H5R_DETAIL_HPP
#define H5R_DETAIL_HPP

#include "h5r.h"

#include <algorithm>
#include <complex>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace h5r {

// A failed call: its status, and the message of h5r_last_error().
class error : public std::runtime_error {
public:
    error(h5r_status status, const std::string &message)
        : std::runtime_error(std::string(h5r_status_name(status)) + ": " + message), status_(status) {}
    h5r_status status() const noexcept { return status_; }

private:
    h5r_status status_;
};

namespace detail {

inline void check(h5r_status status) {
    if (status != H5R_OK) throw error(status, h5r_last_error());
}

template <class T> struct no_token {
    static constexpr bool is_number = false;
};
template <class T, class = void> struct token_of : no_token<T> {};
template <class T>
struct token_of<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
    static constexpr bool is_number = true;
    static constexpr h5r_type value = sizeof(T) == 1   ? (std::is_signed_v<T> ? H5R_I8 : H5R_U8)
                                      : sizeof(T) == 2 ? (std::is_signed_v<T> ? H5R_I16 : H5R_U16)
                                      : sizeof(T) == 4 ? (std::is_signed_v<T> ? H5R_I32 : H5R_U32)
                                                       : (std::is_signed_v<T> ? H5R_I64 : H5R_U64);
};
template <> struct token_of<float> {
    static constexpr bool is_number = true;
    static constexpr h5r_type value = H5R_F32;
};
template <> struct token_of<double> {
    static constexpr bool is_number = true;
    static constexpr h5r_type value = H5R_F64;
};

template <class T> inline constexpr bool is_complex = false;
template <> inline constexpr bool is_complex<std::complex<float>> = true;
template <> inline constexpr bool is_complex<std::complex<double>> = true;

// The types of bool and of complex numbers are made, not predefined.
template <class T>
inline constexpr bool is_number = token_of<std::remove_cv_t<T>>::is_number || std::is_same_v<std::remove_cv_t<T>, bool> ||
                                  is_complex<std::remove_cv_t<T>>;

static_assert(sizeof(bool) == 1, "a bool is a byte in the file, and in memory");

// What was read as integers into bools is whether they are not 0.
template <class T> void settle([[maybe_unused]] T *values, [[maybe_unused]] std::uint64_t count) {
    if constexpr (std::is_same_v<T, bool>) {
        auto *bytes = reinterpret_cast<unsigned char *>(values);
        for (std::uint64_t i = 0; i < count; ++i) bytes[i] = bytes[i] != 0;
    }
}

// The array of bool that a std::vector<bool> does not have.
class bools {
public:
    explicit bools(std::size_t size) : values_(new bool[size]()), size_(size) {}
    explicit bools(const std::vector<bool> &values) : bools(values.size()) {
        std::copy(values.begin(), values.end(), values_.get());
    }
    const bool *data() const { return values_.get(); }
    bool *data() { return values_.get(); }
    std::size_t size() const { return size_; }
    std::vector<bool> vector() const { return std::vector<bool>(data(), data() + size_); }

private:
    std::unique_ptr<bool[]> values_;
    std::size_t size_;
};

// std::vector, std::array, std::span and their like, of numbers.
template <class C, class = void> inline constexpr bool is_sequence = false;
template <class C>
inline constexpr bool
    is_sequence<C, std::void_t<decltype(std::declval<const C &>().data()), decltype(std::declval<const C &>().size())>> =
        is_number<std::remove_pointer_t<decltype(std::declval<const C &>().data())>> &&
        !std::is_convertible_v<const C &, std::string_view>;

template <class Call> std::string text(Call call) {
    std::size_t length = 0;
    check(call(nullptr, std::size_t{0}, &length));
    std::string text(length + 1, '\0');
    check(call(text.data(), text.size(), &length));
    text.resize(length);
    return text;
}

// What a function is called with for what C hands over.
inline std::string_view argument(const char *name) { return name; }
inline const h5r_check_finding &argument(const h5r_check_finding *finding) { return *finding; }
inline std::int32_t argument(std::int32_t number) { return number; }

// Calls of one iteration: what the function threw goes round the C frames and is thrown again after them.
template <class F, class... Given> struct visitor {
    F &function;
    std::exception_ptr thrown;

    static std::int32_t visit(Given... given, void *self_pointer) {
        auto &self = *static_cast<visitor *>(self_pointer);
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<F &, decltype(argument(given))...>>) {
                self.function(argument(given)...);
                return 0;
            } else {
                return self.function(argument(given)...) ? 0 : 1;
            }
        } catch (...) {
            self.thrown = std::current_exception();
            return -1;
        }
    }
};

template <class Given = const char *, class... More, class F, class Iterate> void iterate(F &function, Iterate call) {
    visitor<F, Given, More...> state{function, nullptr};
    const h5r_status status = call(&visitor<F, Given, More...>::visit, static_cast<void *>(&state));
    if (state.thrown) std::rethrow_exception(state.thrown);
    check(status);
}

} // namespace detail

} // namespace h5r

#endif
