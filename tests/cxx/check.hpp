// What every C++ test uses.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <h5r.hpp>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                               \
        }                                                                               \
    } while (0)

// The call throws `status`, with `part` in its message.
template <class F> void throws(h5r_status status, const std::string &part, F call) {
    try {
        call();
    } catch (const h5r::error &e) {
        if (e.status() == status && std::string(e.what()).find(part) != std::string::npos) return;
        std::fprintf(stderr, "expected %s with '%s', got %s\n", h5r_status_name(status), part.c_str(), e.what());
        std::exit(1);
    }
    std::fprintf(stderr, "expected %s, and nothing was thrown\n", h5r_status_name(status));
    std::exit(1);
}

#endif
