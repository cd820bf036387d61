// A catalogue in C++: groups of measurements described by attributes, searched, thinned out in the background, and read
// again.
#include <h5r.hpp>

#include <algorithm>
#include <iostream>

namespace {

void write(const std::string &path) {
    auto file = h5r::file::create(path);
    auto root = file.root();
    h5r::group_options ordered;
    ordered.attributes.creation_order = H5R_CREATION_ORDER_INDEXED;
    auto catalogue = root.create_group("catalogue", ordered);
    for (int run = 0; run < 500; run++) {
        const std::string name = "runs/run" + std::to_string(run);
        auto samples = root.create_dataset<double>(name, {8});
        std::vector<double> values(8);
        for (std::size_t i = 0; i < values.size(); i++) values[i] = run + 0.125 * static_cast<double>(i);
        samples.write(values);
        samples.attr_write("operator", run % 2 ? "Ada" : "Grace");
        catalogue.attr_write(name, *std::max_element(values.begin(), values.end()));
    }
}

// Removes the runs of one operator, with their entries in the catalogue.
void thin_out(const std::string &path) {
    auto file = h5r::file::open(path);
    h5r::incremental_options options;
    options.interval_ms = 10;
    options.progress = [](const h5r_progress &p) { std::clog << p.nodes_rebalanced << " nodes put right\n"; };
    file.set_lazy();
    file.set_incremental(options);
    auto root = file.root();
    auto catalogue = root.open_group("catalogue");
    catalogue.attr_iterate(H5R_ORDER_CREATION, [&](std::string_view entry) {
        const std::string name(entry);
        if (root.open_dataset(name).attr_read<std::string>("operator") != "Ada") return;
        root.link_delete(name);
        catalogue.attr_delete(name);
    });
    file.close(); // a destructor would close it too, but could not report an error
}

bool is_right(const std::string &path) {
    auto file = h5r::file::open(path);
    auto root = file.root();
    auto catalogue = root.open_group("catalogue");
    file.check();
    double sum = 0;
    catalogue.attr_iterate(H5R_ORDER_NAME, [&](std::string_view entry) {
        const std::string name(entry);
        const auto values = root.open_dataset(name).read<double>();
        if (values.back() != catalogue.attr_read<double>(name)) throw std::logic_error(name + " differs");
        sum += values.front();
    });
    std::cout << catalogue.attr_count() << " runs are left; the sum of their first samples is " << sum << '\n';
    return catalogue.attr_count() == 250 && root.open_group("runs").link_count() == 250 && sum == 62250;
}

} // namespace

int main(int argc, char **argv) {
    const std::string path = argc > 1 ? argv[1] : "catalogue.h5";
    try {
        write(path);
        thin_out(path);
        return is_right(path) ? 0 : 1;
    } catch (const std::exception &e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
