// SPDX-License-Identifier: MIT
// larder-installer: installs Python wheels, and shows how an installer uses larder.
//
// Its steps, and where they are:
//   1. identify each wheel by its name and seal       wheel.hpp
//   2. lease its unpacked tree; unpack it if needed   here, unpack.hpp   Bucket::get_or_build
//   3. check that nothing is in the way               install.hpp
//   4. put the trees into the target                  install.hpp        larder::materialize
//
// Before step 4 nothing is written outside the cache, so a wheel that is refused leaves the target
// as it was. The leases are held from step 2 to the end. So the files stay where they are, even if
// other processes refresh the bucket or collect meanwhile.

#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdio>
#include <fmt/core.h>
#include <iostream>
#include <mutex>
#include <string>

#include <larder/cache.hpp>

#include "install.hpp"
#include "options.hpp"
#include "parallel.hpp"
#include "progress.hpp"
#include "summary.hpp"
#include "unpack.hpp"

using namespace installer;

namespace {

/// Leases the entry of a wheel. If several processes want it at the same time, one of them unpacks
/// it and the others wait. If that one dies, another one unpacks.
Result<LeasedWheel> lease_wheel(const larder::Bucket& bucket, const fs::path& path,
                                const WheelLimits& limits) {
    LARDER_TRY_ASSIGN(auto wheel, identify(path));
    bool was_unpacked = false;
    const auto build = [&](larder::Staging& stage) {
        was_unpacked = true;
        return unpack(wheel, stage.path(), limits);
    };
    LARDER_TRY_ASSIGN(auto lease,
                      bucket.get_or_build(wheel.key, build, {.producer = "larder-installer 1"}));
    return LeasedWheel{std::move(wheel), std::move(lease), was_unpacked};
}

/// Steps 1 and 2. Handles every wheel, even after an error, so that the user learns of all bad
/// ones.
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
    auto settled = settle_conflicts(outcome.wheels, outcome.plans, options.install);
    if (settled) {
        outcome.warnings = std::move(*settled);
    } else {
        outcome.errors.push_back(settled.error().message());
    }
}

/// Asks the user on the terminal, and returns true if the answer is yes.
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
        install_options.threads = 1;  // several wheels are installed at once

    auto disowned = disown_replaced(outcome.wheels, outcome.plans, install_options);
    if (!disowned) {
        outcome.errors.push_back(disowned.error().message());
        return;
    }
    outcome.warnings.insert(outcome.warnings.end(), disowned->begin(), disowned->end());

    outcome.reports.resize(outcome.wheels.size());
    std::mutex mutex;
    Progress progress("installing", outcome.wheels.size(), show);
    const auto install_one = [&](std::size_t i) {
        const auto report = install(outcome.wheels[i], outcome.plans[i], install_options);
        const auto note = [&](std::vector<std::string>& list, std::string text) {
            const std::lock_guard guard(mutex);
            list.push_back(std::move(text));
        };
        if (!report) {
            note(outcome.errors, report.error().message());
        } else {
            outcome.reports[i] = *report;
            if (report->inexact != 0) {
                note(
                    outcome.warnings,
                    fmt::format("{}: {} files or directories lack their mode, their time or "
                                "attributes, because they can't be set there",
                                outcome.wheels[i].wheel.path.filename().string(), report->inexact));
            }
        }
        progress.step(outcome.wheels[i].wheel.name);
    };
    // Those that have won files come last, and in order: each replaces what an earlier one has
    // written.
    std::vector<std::size_t> at_once, in_order;
    for (std::size_t i = 0; i < outcome.plans.size(); ++i)
        (outcome.plans[i].wins ? in_order : at_once).push_back(i);
    for_each_in_parallel(at_once.size(), options.jobs,
                         [&](std::size_t i) { install_one(at_once[i]); });
    for (const auto i : in_order) install_one(i);
}

/// Calls `step` and returns how many seconds it took.
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
        return print_outcome(options, options.cache, outcome);
    }
    const auto bucket = cache->bucket(entry::bucket);
    if (!bucket) {
        outcome.errors.push_back(bucket.error().message());
        return print_outcome(options, cache->root(), outcome);
    }

    outcome.prepare_seconds = timed([&] {
        prepare(*bucket, options, show, outcome);
        if (outcome.errors.empty()) plan(options, outcome);
    });
    if (!outcome.errors.empty()) return print_outcome(options, cache->root(), outcome);
    if (options.ask && !user_agrees(options)) {
        outcome.errors.emplace_back("nothing was installed, because the answer was not yes");
        return print_outcome(options, cache->root(), outcome);
    }
    outcome.install_seconds = timed([&] { install_all(options, show, outcome); });
    return print_outcome(options, cache->root(), outcome);
}

}  // namespace

int main(int argc, char** argv) {
    // libarchive converts the names in an archive to the locale. The names in a wheel are UTF-8,
    // whatever the locale of the user is.
    std::setlocale(LC_CTYPE, "C.UTF-8");
    int exit_status = 0;
    const auto options = parse_command_line(argc, argv, exit_status);
    if (!options) return exit_status;
    try {
        return run(*options);
    } catch (const std::exception& failure) {
        // There is no memory, or no thread can be started. larder itself throws nothing.
        fmt::print(stderr, "larder-installer: {}\n", failure.what());
        return 1;
    }
}
