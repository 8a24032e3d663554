// SPDX-License-Identifier: MIT
#include "stress/run/run_dirs.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fmt/format.h>

#include "base/error.hpp"
#include "stress/fault/forking.hpp"
#include "stress/workload/reading.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

Result<fs::path> make_temporary(const fs::path& pattern) {
    std::string name = pattern.string();
    if (::mkdtemp(name.data()) == nullptr) return os::fail(errno, "make a directory", pattern);
    std::error_code failed;
    const fs::path path = fs::canonical(name, failed);
    return failed ? fs::path(name) : path;
}

Result<> make_directory(const fs::path& path) {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (failed) return os::fail(failed.value(), "make a directory", path);
    return {};
}

fs::path this_program() {
    std::error_code failed;
    return fs::read_symlink("/proc/self/exe", failed);
}

/// Installed they lie side by side, and in a build tree in directories side by side.
fs::path find_cachetool() {
    const fs::path here = this_program().parent_path();
    for (const auto& path : {here / "cachetool", here.parent_path() / "cachetool" / "cachetool"}) {
        if (::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path)) return path;
    }
    return {};
}

}  // namespace

Result<RunDirs> RunDirs::make(const CommandLine& line, std::vector<std::string>& left_out) {
    RunDirs place;
    TRY_ASSIGN(place.base_, make_temporary(fs::temp_directory_path() / "larder-stress-XXXXXX"));
    place.histories_ = place.base_ / "histories";
    TRY(make_directory(place.histories_));
    if (line.cache) {
        std::error_code failed;
        const bool there = fs::exists(*line.cache, failed);
        if (there &&
            !(fs::is_directory(*line.cache, failed) && fs::is_empty(*line.cache, failed))) {
            return os::fail(Errc::exists, "make the cache", *line.cache,
                            "it is not empty: name a directory that is, or none");
        }
        TRY(make_directory(*line.cache));
        place.made_cache_ = !there;
        place.cache_ = fs::canonical(*line.cache);
        TRY_ASSIGN(place.scratch_,
                   make_temporary(place.cache_.parent_path() / "larder-stress-XXXXXX"));
    } else {
        const fs::path disk = place.base_ / "disk";
        TRY(make_directory(disk));
        if (line.scenario.disk_mib != 0) {
            if (auto mounted = SmallDisk::mount(disk, line.scenario.disk_mib)) {
                place.disk_.emplace(std::move(*mounted));
            } else {
                left_out.push_back("a small disk: " + mounted.error().message());
            }
        }
        place.cache_ = disk / "cache";
        place.scratch_ = disk / "scratch";
        TRY(make_directory(place.scratch_));
    }
    place.is_small_ = is_small(place.scratch_);
    if (line.scenario.faults.contains("full") && !place.is_small_)
        left_out.emplace_back("the fault \"full\": the disk is too large to fill it");
    if (line.cachetool ? line.cachetool->empty() : find_cachetool().empty())
        left_out.emplace_back("work with cachetool: there is none");
    if (!forks_and_threads_mix)
        left_out.emplace_back("forks: below this sanitizer a process with threads can't");
    return place;
}

RunDirs::~RunDirs() {
    if (base_.empty() || kept_) return;
    discard_tree(scratch_);
    if (made_cache_ || disk_) {
        discard_tree(cache_);
    } else if (!cache_.empty()) {
        std::error_code ignored;  // it was there, and empty, before us
        for (const auto& entry : fs::directory_iterator(cache_, ignored))
            discard_tree(entry.path());
    }
    disk_.reset();
    discard_tree(base_);
}

void RunDirs::keep() noexcept {
    kept_ = true;
    if (disk_) disk_->keep();
}

RunSetting RunDirs::setting(const CommandLine& line) const {
    RunSetting setting;
    setting.scenario = line.scenario;
    if (!forks_and_threads_mix) {
        setting.scenario.work.erase("fork");
        setting.scenario.faults.erase("point-fork");
    }
    setting.seed = line.seed;
    setting.cache = cache_;
    setting.scratch = scratch_;
    setting.histories = histories_;
    setting.cachetool = line.cachetool ? *line.cachetool : find_cachetool();
    if (!setting.cachetool.empty()) setting.cachetool = fs::absolute(setting.cachetool);
    setting.self = this_program();
    setting.link_kind = line.link_kind;
    setting.can_exchange = can_exchange(scratch_);
    setting.disk_is_small = is_small_;
    return setting;
}

}  // namespace larder::stress
