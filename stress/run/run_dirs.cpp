// SPDX-License-Identifier: MIT
#include "stress/run/run_dirs.hpp"

#include <fmt/format.h>

#include <larder/try.hpp>

#include "stress/system/containers.hpp"
#include "stress/system/files.hpp"
#include "stress/system/forking.hpp"
#include "stress/workload/reading.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

Result<> make_directory(const fs::path& path) {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (failed) return failure(failed, "make a directory", path);
    return {};
}

/// Returns the cachetool that belongs to this program; an empty path if there is none. Installed,
/// it stands beside this program; in a build tree, in a directory beside this program's.
fs::path find_cachetool() {
    const fs::path here = this_program().parent_path();
    for (const auto& path : {here / "cachetool", here.parent_path() / "cachetool" / "cachetool"}) {
        if (is_executable(path) && fs::is_regular_file(path)) return path;
    }
    return {};
}

}  // namespace

Result<RunDirs> RunDirs::make(const CommandLine& line, std::vector<std::string>& left_out) {
    RunDirs place;
    LARDER_TRY_ASSIGN(place.base_,
                      make_temporary_directory(fs::temp_directory_path() / "larder-stress-XXXXXX"));
    place.histories_ = place.base_ / "histories";
    LARDER_TRY(make_directory(place.histories_));
    if (line.cache) {
        std::error_code failed;
        const bool there = fs::exists(*line.cache, failed);
        if (there &&
            !(fs::is_directory(*line.cache, failed) && fs::is_empty(*line.cache, failed))) {
            return failure(Errc::exists, "make the cache", *line.cache,
                           "it is not empty: name an empty directory, or one that does not exist");
        }
        LARDER_TRY(make_directory(*line.cache));
        place.made_cache_ = !there;
        place.cache_ = fs::canonical(*line.cache);
        LARDER_TRY_ASSIGN(place.scratch_, make_temporary_directory(place.cache_.parent_path() /
                                                                   "larder-stress-XXXXXX"));
    } else {
        const fs::path disk = place.base_ / "disk";
        LARDER_TRY(make_directory(disk));
        if (line.scenario.disk_mib != 0) {
            if (const auto mounted = place.mount_disk(line.scenario, disk); !mounted)
                left_out.push_back("a disk of its own: " + mounted.error().message());
        }
        place.cache_ = disk / "cache";
        place.scratch_ = disk / "scratch";
        LARDER_TRY(make_directory(place.scratch_));
    }
    place.is_small_ = is_small(place.scratch_);
    if (line.scenario.faults.contains("full") && !place.is_small_)
        left_out.emplace_back("the fault \"full\", because the disk is too large to fill");
    if (line.scenario.faults.contains("power-cut") && !place.cut_disk_)
        left_out.emplace_back(
            "the fault \"power-cut\", because the cache is not on a disk in an image file");
    if (line.like_windows)
        left_out.emplace_back("work with cachetool, because it does not act like Windows");
    else if (line.cachetool ? line.cachetool->empty() : find_cachetool().empty())
        left_out.emplace_back("work with cachetool, because there is none");
    if (line.scenario.faults.contains("container") && !can_use_containers())
        left_out.emplace_back(
            "the fault \"container\", because it needs root and the machine's first pid namespace");
    if (!forks_and_threads_mix)
        left_out.emplace_back(
            "forks, because under this sanitizer a process with threads can't fork");
    return place;
}

Result<> RunDirs::mount_disk(const Scenario& scenario, const fs::path& at) {
    if (scenario.disk == "tmpfs") {
        LARDER_TRY_ASSIGN(auto mounted, SmallDisk::mount_at(at, scenario.disk_mib));
        disk_.emplace(std::move(mounted));
        return {};
    }
    const fs::path store = base_ / "images";
    LARDER_TRY(make_directory(store));
    LARDER_TRY_ASSIGN(auto mounted, CutDisk::mount_at(at, store, scenario.disk, scenario.disk_mib));
    cut_disk_.emplace(std::move(mounted));
    return {};
}

RunDirs::~RunDirs() {
    if (base_.empty() || kept_) return;
    discard_tree(scratch_);
    if (made_cache_ || disk_ || cut_disk_) {
        discard_tree(cache_);
    } else if (!cache_.empty()) {
        std::error_code ignored;  // it was there before the run, and empty
        for (const auto& entry : fs::directory_iterator(cache_, ignored))
            discard_tree(entry.path());
    }
    disk_.reset();
    cut_disk_.reset();
    discard_tree(base_);
}

void RunDirs::keep() noexcept {
    kept_ = true;
    if (disk_) disk_->keep();
    if (cut_disk_) cut_disk_->keep();
}

RunSetting RunDirs::setting(const CommandLine& line) const {
    RunSetting setting;
    setting.scenario = line.scenario;
    if (!forks_and_threads_mix) {
        setting.scenario.work.erase("fork");
        setting.scenario.faults.erase("point-fork");
    }
    if (!can_use_containers()) setting.scenario.faults.erase("container");
    setting.seed = line.seed;
    setting.cache = cache_;
    setting.scratch = scratch_;
    setting.histories = histories_;
    // The product's locks lie at other bytes than those of a process that acts like Windows.
    if (!line.like_windows) setting.cachetool = line.cachetool ? *line.cachetool : find_cachetool();
    if (!setting.cachetool.empty()) setting.cachetool = fs::absolute(setting.cachetool);
    setting.self = this_program();
    setting.link_kind = line.link_kind;
    setting.bucket_kind = line.bucket_kind;
    setting.without_exchange = line.without_exchange;
    setting.like_windows = line.like_windows;
    setting.disk_is_small = is_small_;
    return setting;
}

}  // namespace larder::stress
