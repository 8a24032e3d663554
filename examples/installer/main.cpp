// SPDX-License-Identifier: MIT
// larder-installer: installs Python wheels, and shows how an installer uses larder.
//
// What it does, and where to read on:
//   1. identify each wheel by its name and seal              wheel.hpp
//   2. lease its unpacked tree, unpacking it where need be   here, unpack.hpp   <- Bucket::get_or_build
//   3. see that nothing is in the way                        install.hpp
//   4. put the trees into the target                         install.hpp        <- larder::materialize
// Until 3 is done nothing is written outside the cache, so a wheel that is refused leaves the target as it was. The leases are
// held from 2 to the end: whatever refreshes or collections others run meanwhile, the files stay.

#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdio>
#include <fmt/format.h>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include <larder/larder.hpp>

#include "install.hpp"
#include "options.hpp"
#include "parallel.hpp"
#include "progress.hpp"
#include "unpack.hpp"

using namespace installer;

namespace {

/// What the steps found, for the summary at the end.
struct Outcome {
    std::vector<LeasedWheel> wheels;
    std::vector<Plan> plans;
    std::vector<larder::MaterializeReport> reports;
    double prepare_seconds = 0;
    double install_seconds = 0;
    std::vector<std::string> errors;
};

/// Leases the entry of a wheel. Of all processes that ask for it at the same time one unpacks; the others wait for that one, or
/// take over where it dies.
Result<LeasedWheel> lease_wheel(const larder::Bucket& bucket, const fs::path& path,
                                const Limits& limits) {
    auto wheel = identify(path);
    if (!wheel) return tl::unexpected(wheel.error());
    bool was_unpacked = false;
    auto lease = bucket.get_or_build(wheel->key,
                                     [&](larder::Staging& stage) -> Result<> {
                                         was_unpacked = true;
                                         return unpack(*wheel, stage.path(), limits);
                                     },
                                     {.producer = "larder-installer 1"});
    if (!lease) return tl::unexpected(lease.error());
    return LeasedWheel{std::move(*wheel), std::move(*lease), was_unpacked};
}

/// Steps 1 and 2. Every wheel is looked at, so that somebody who gave ten bad ones hears of all ten.
void prepare(const larder::Bucket& bucket, const Options& options, bool show, Outcome& outcome) {
    std::vector<Result<LeasedWheel>> leased(options.wheels.size());
    Progress progress("unpacking", options.wheels.size(), show);
    for_each_in_parallel(options.wheels.size(), options.jobs, [&](std::size_t i) {
        leased[i] = lease_wheel(bucket, options.wheels[i], options.limits);
        progress.step(options.wheels[i].filename().string());
    });
    for (auto& wheel : leased) {
        if (wheel) {
            outcome.wheels.push_back(std::move(*wheel));
        } else {
            outcome.errors.push_back(wheel.error().message());
        }
    }
}

/// Step 3.
void plan(const Options& options, Outcome& outcome) {
    for (const auto& wheel : outcome.wheels) {
        auto planned = plan_installation(wheel);
        if (!planned) {
            outcome.errors.push_back(planned.error().message());
            return;
        }
        outcome.plans.push_back(std::move(*planned));
    }
    if (auto checked = check_conflicts(outcome.wheels, outcome.plans, options.install); !checked) {
        outcome.errors.push_back(checked.error().message());
    }
}

bool user_agrees(const Options& options) {
    fmt::print(stderr, "Install {} wheels into {}? [y/N] ", options.wheels.size(),
               options.install.target.string());
    std::string answer;
    return std::getline(std::cin, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

/// Step 4.
void install_all(const Options& options, bool show, Outcome& outcome) {
    std::error_code failed;
    fs::create_directories(options.install.target, failed);
    if (failed) {
        outcome.errors.push_back(fmt::format("make directory {}: {}",
                                             options.install.target.string(), failed.message()));
        return;
    }
    InstallOptions install_options = options.install;
    if (options.jobs > 1 && outcome.wheels.size() > 1)
        install_options.threads = 1;  // the wheels are the parallelism

    outcome.reports.resize(outcome.wheels.size());
    std::mutex mutex;
    Progress progress("installing", outcome.wheels.size(), show);
    for_each_in_parallel(outcome.wheels.size(), options.jobs, [&](std::size_t i) {
        const auto report = install(outcome.wheels[i], outcome.plans[i], install_options);
        if (report) {
            outcome.reports[i] = *report;
        } else {
            const std::lock_guard guard(mutex);
            outcome.errors.push_back(report.error().message());
        }
        progress.step(outcome.wheels[i].wheel.name);
    });
}

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
        {"errors", outcome.errors}};
    // A file's name need not be UTF-8, and JSON has to be.
    fmt::print("{}\n", summary.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

void print_summary(const Options& options, const Outcome& outcome) {
    const auto sum = sum_of(outcome.reports);
    const std::size_t unpacked = count_unpacked(outcome);
    fmt::print(
        "installed {} wheels into {}: {} unpacked, {} from the cache ({} files cloned, {} "
        "hard-linked, {} copied) in {:.2f} "
        "s\n",
        outcome.reports.size(), options.install.target.string(), unpacked,
        outcome.wheels.size() - unpacked, sum.cloned, sum.hardlinked, sum.copied,
        outcome.prepare_seconds + outcome.install_seconds);
}

int finish(const Options& options, const fs::path& cache, const Outcome& outcome) {
    for (const auto& error : outcome.errors) fmt::print(stderr, "larder-installer: {}\n", error);
    if (options.json) {
        print_json(options, cache, outcome);
    } else if (outcome.errors.empty() && !options.quiet) {
        print_summary(options, outcome);
    }
    return outcome.errors.empty() ? 0 : 1;
}

template <class Step>
double timed(const Step& step) {
    const auto start = std::chrono::steady_clock::now();
    step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int run(const Options& options) {
    const bool show = !options.quiet && ::isatty(STDERR_FILENO) == 1;
    Outcome outcome;

    const auto cache = larder::Cache::open(options.cache);
    if (!cache) {
        outcome.errors.push_back(cache.error().message());
        return finish(options, options.cache, outcome);
    }
    const auto bucket = cache->bucket(entry::bucket);
    if (!bucket) {
        outcome.errors.push_back(bucket.error().message());
        return finish(options, cache->root(), outcome);
    }

    outcome.prepare_seconds = timed([&] {
        prepare(*bucket, options, show, outcome);
        if (outcome.errors.empty()) plan(options, outcome);
    });
    if (!outcome.errors.empty()) return finish(options, cache->root(), outcome);
    if (options.ask && !user_agrees(options)) {
        outcome.errors.emplace_back("nothing was installed, as asked");
        return finish(options, cache->root(), outcome);
    }
    outcome.install_seconds = timed([&] { install_all(options, show, outcome); });
    return finish(options, cache->root(), outcome);
}

}  // namespace

int main(int argc, char** argv) {
    // libarchive turns the names in an archive into those of the locale, and a wheel's are UTF-8, whatever the user's locale
    // is.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    int exit_status = 0;
    const auto options = parse_command_line(argc, argv, exit_status);
    if (!options) return exit_status;
    try {
        return run(*options);
    } catch (
        const std::exception& failure) {  // out of memory or threads; larder itself throws nothing
        fmt::print(stderr, "larder-installer: {}\n", failure.what());
        return 1;
    }
}
