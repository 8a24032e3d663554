// SPDX-License-Identifier: MIT
#include "cachetool/system/files.hpp"

#include <fmt/core.h>

#include <larder/content.hpp>
#include <larder/larder.hpp>

#include "cachetool/doctor/probes.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;
using system::FileTime;

/// Asks the library itself to put the directory of `file` into another one by this way alone. A
/// probe of our own could promise what larder doesn't do.
larder::Result<larder::MaterializeReport> install_by(larder::LinkMode mode, const fs::path& file,
                                                     const char* into) {
    const auto source = file.parent_path();
    return larder::materialize(source, source.parent_path() / into, {.mode = mode});
}

/// Returns why the library could not, without the paths of this probe.
std::string reason_of(const larder::Error& error) {
    return error.sys_errno != 0 ? std::system_category().message(error.sys_errno) : error.message();
}

void probe_clones(const fs::path& file, ProbeResults& results) {
    const auto cloned = install_by(larder::LinkMode::clone, file, "cloned");
    if (cloned && cloned->inexact != 0) {
        results.push_back({"clones", ProbeVerdict::limited, "the mode or the time can't be set",
                           "install makes hard links, or copies without that mode or time"});
    } else if (cloned) {
        results.push_back({"clones", ProbeVerdict::ok, "work",
                           "install clones files: they share space until one of them is changed"});
    } else {
        results.push_back({"clones", ProbeVerdict::limited, reason_of(cloned.error()),
                           "install makes hard links, or copies if those don't work either"});
    }
}

/// Publishes two equal entries in a cache at `root`, and lets them share their blocks.
larder::Result<larder::DedupeReport> dedupe_equal_entries(const fs::path& root) {
    larder::OpenOptions options;
    options.allow_network = true;
    LARDER_TRY_ASSIGN(const auto cache, larder::Cache::open(root, options));
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket("doctor"));
    for (const char* key : {"one", "other"}) {
        LARDER_TRY_ASSIGN(auto staging, bucket.stage());
        // Two blocks: larder passes over smaller files.
        static_cast<void>(system::write_text(staging.path() / "file", std::string(8192, 'x')));
        LARDER_TRY(bucket.publish(key, std::move(staging),
                                  {.producer = "cachetool doctor", .digest = &larder::sha256()}));
    }
    return cache.dedupe();
}

void probe_shared_blocks(const fs::path& root, ProbeResults& results) {
    const auto shared = dedupe_equal_entries(root);
    static_cast<void>(larder::Cache::destroy(root));  // the next probes may need the space
    if (shared && shared->files + shared->shared_before == 1) {
        results.push_back({"shared blocks", ProbeVerdict::ok, "work", "gc --dedupe saves space"});
    } else {
        results.push_back({"shared blocks", ProbeVerdict::limited,
                           shared ? "equal files do not share them" : reason_of(shared.error()),
                           "gc --dedupe does not work"});
    }
}

void probe_hard_links(const fs::path& file, ProbeResults& results) {
    const auto linked = install_by(larder::LinkMode::hardlink, file, "linked");
    if (linked && system::link_count(file) == 2) {
        results.push_back({"hard links", ProbeVerdict::ok, "work", ""});
    } else {
        results.push_back({"hard links", ProbeVerdict::limited,
                           linked ? "are not counted" : reason_of(linked.error()),
                           "install clones or copies"});
    }
}

// An odd second, and a digit in each place of a fraction: what comes back shows what is kept. (It
// is the 10th of June 2009.)
constexpr FileTime sample{std::chrono::nanoseconds(1'244'600'001'123'456'789)};

void probe_times(const fs::path& file, ProbeResults& results) {
    FileTime kept;
    auto error = system::set_modified(file, sample);
    if (!error) error = system::get_modified(file, kept);
    if (error) {
        results.push_back({"times", ProbeVerdict::limited, error.message(),
                           "installed copies are as old as the installation"});
        return;
    }
    const auto second = std::chrono::floor<std::chrono::seconds>(kept);
    const auto fraction = (kept - second).count();
    const bool keeps_seconds = second == std::chrono::floor<std::chrono::seconds>(sample);
    if (keeps_seconds && fraction != 0) {
        long step = 1;
        while (step < 1'000'000'000 && fraction % (step * 10) == 0) step *= 10;
        results.push_back({"times", ProbeVerdict::ok, fmt::format("kept to {} ns", step), ""});
    } else {
        results.push_back({"times", ProbeVerdict::limited,
                           keeps_seconds ? "kept to the second" : "kept to two seconds or worse",
                           "build tools that compare times may think that installed copies have "
                           "changed"});
    }
}

void probe_symlink_times(const fs::path& link, ProbeResults& results) {
    std::error_code error;
    fs::create_symlink("somewhere", link, error);
    FileTime kept;
    if (!error) error = system::set_modified(link, sample);
    if (!error) error = system::get_modified(link, kept);
    // A file system that keeps times to two seconds is good enough.
    const auto difference = kept > sample ? kept - sample : sample - kept;
    if (!error && difference < std::chrono::seconds(2)) {
        results.push_back({"times of symlinks", ProbeVerdict::ok, "can be set", ""});
    } else {
        results.push_back({"times of symlinks", ProbeVerdict::limited,
                           error ? error.message() : "are not kept",
                           "installed symlinks are as old as the installation"});
    }
}

}  // namespace

void probe_files(const fs::path& scratch, ProbeResults& results) {
    const auto directory = scratch / "files";
    std::error_code ignored;
    fs::create_directory(directory, ignored);
    const auto file = directory / "file";
    static_cast<void>(system::write_text(file, "text"));  // each probe tells what it lacks
    probe_clones(file, results);
    probe_shared_blocks(directory / "cache", results);
    probe_hard_links(file, results);
    probe_times(file, results);
    probe_symlink_times(directory / "symlink", results);
}

}  // namespace cachetool::doctor
