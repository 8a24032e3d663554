// SPDX-License-Identifier: MIT
#include "cachetool/doctor/scratch.hpp"

#include <fmt/core.h>

#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

/// Returns true for a cache, and for an empty directory, which may become one.
bool may_be_a_cache(const fs::path& root) {
    std::error_code error;
    if (fs::exists(root / "format", error) || fs::exists(root / "CACHEDIR.TAG", error)) return true;
    return fs::is_directory(root, error) && fs::is_empty(root, error);
}

}  // namespace

fs::path place_for_probing(const fs::path& root) {
    std::error_code error;
    fs::path place = root;
    while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
    if (place != root || !may_be_a_cache(root)) return place;
    const auto beside = root.parent_path();
    return system::on_one_file_system(root, beside) && system::may_write_in(beside) ? beside : root;
}

Expected<ScratchDirectory> ScratchDirectory::make_in(const fs::path& directory) {
    // Signals are deferred before the directory is made: one in between would leave it behind.
    ScratchDirectory scratch(std::make_unique<system::DeferSignals>());
    if (const auto error =
            system::make_private_directory(directory / "larder-doctor-", scratch.path_)) {
        auto failure = system_failure(
            fmt::format("make a directory in {} to probe in", system::text_of(directory)), error);
        failure->path = directory;
        return fail(std::move(failure));
    }
    return scratch;
}

std::error_code ScratchDirectory::remove() {
    std::error_code error;
    if (deferred_ != nullptr && !path_.empty()) error = system::remove_tree(path_);
    deferred_.reset();
    return error;
}

}  // namespace cachetool::doctor
