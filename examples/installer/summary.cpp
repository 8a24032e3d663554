// SPDX-License-Identifier: MIT
#include "summary.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "unpack.hpp"

namespace installer {

namespace {

larder::MaterializeReport sum_of(const std::vector<larder::MaterializeReport>& reports) {
    larder::MaterializeReport sum;
    for (const auto& report : reports) {
        sum.cloned += report.cloned;
        sum.hardlinked += report.hardlinked;
        sum.copied += report.copied;
        sum.bytes += report.bytes;
    }
    return sum;
}

std::size_t count_unpacked(const Outcome& outcome) {
    std::size_t count = 0;
    for (const auto& wheel : outcome.wheels) count += wheel.was_unpacked ? 1u : 0u;
    return count;
}

void print_json(const Options& options, const fs::path& cache, const Outcome& outcome) {
    using nlohmann::ordered_json;
    ordered_json wheels = ordered_json::array();
    for (std::size_t i = 0; i < outcome.wheels.size(); ++i) {
        const auto& wheel = outcome.wheels[i];
        ordered_json one{{"file", wheel.wheel.path.filename().string()},
                         {"name", wheel.wheel.name},
                         {"version", wheel.wheel.version},
                         {"key", wheel.wheel.key},
                         {"from_cache", !wheel.was_unpacked}};
        if (i < outcome.plans.size()) {
            one["files"] = outcome.plans[i].paths().size();
            one["bytes"] = outcome.plans[i].bytes();
        }
        wheels.push_back(std::move(one));
    }
    const auto sum = sum_of(outcome.reports);
    const std::size_t unpacked = count_unpacked(outcome);
    const ordered_json summary{
        {"target", options.install.target.string()},
        {"cache", cache.string()},
        {"bucket", entry::bucket},
        {"installed", outcome.errors.empty() ? outcome.reports.size() : 0},
        {"unpacked", unpacked},
        {"from_cache", outcome.wheels.size() - unpacked},
        {"links", {{"cloned", sum.cloned}, {"hardlinked", sum.hardlinked}, {"copied", sum.copied}}},
        {"bytes", sum.bytes},
        {"seconds", {{"prepare", outcome.prepare_seconds}, {"install", outcome.install_seconds}}},
        {"wheels", std::move(wheels)},
        {"warnings", outcome.warnings},
        {"errors", outcome.errors}};
    // JSON must be UTF-8, but the name of a file need not be.
    fmt::print("{}\n", summary.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_summary(const Options& options, const Outcome& outcome) {
    const auto sum = sum_of(outcome.reports);
    const std::size_t unpacked = count_unpacked(outcome);
    fmt::print(
        "installed {} wheels into {}: {} unpacked, {} from the cache ({} files cloned, "
        "{} hard-linked, {} copied) in {:.2f} s\n",
        outcome.reports.size(), options.install.target.string(), unpacked,
        outcome.wheels.size() - unpacked, sum.cloned, sum.hardlinked, sum.copied,
        outcome.prepare_seconds + outcome.install_seconds);
}

}  // namespace

int print_outcome(const Options& options, const fs::path& cache, const Outcome& outcome) {
    for (const auto& warning : outcome.warnings)
        fmt::print(stderr, "larder-installer: warning: {}\n", warning);
    for (const auto& error : outcome.errors) fmt::print(stderr, "larder-installer: {}\n", error);
    if (options.json) {
        print_json(options, cache, outcome);
    } else if (outcome.errors.empty() && !options.quiet) {
        print_summary(options, outcome);
    }
    return outcome.errors.empty() ? 0 : 1;
}

}  // namespace installer
