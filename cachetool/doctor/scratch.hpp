// SPDX-License-Identifier: MIT
// A directory for experiments that leaves no trace.
#pragma once

#include <filesystem>
#include <memory>
#include <system_error>

#include "cachetool/system/interrupt.hpp"
#include "cachetool/term/failure.hpp"

namespace cachetool::doctor {

/// Returns the directory in which probes tell about a cache at `root` and harm nothing:
///   - beside it, if that is the same file system, because a cache, or an empty directory that may
///     become one, should hold nothing strange;
///   - otherwise in it;
///   - in the nearest directory above it that exists, if it does not exist.
[[nodiscard]] std::filesystem::path place_for_probing(const std::filesystem::path& root);

/// A new private directory, which is removed with all that is in it when this ends. While it
/// exists, SIGINT, SIGTERM and SIGHUP are deferred: see system::DeferSignals.
class ScratchDirectory {
public:
    [[nodiscard]] static Expected<ScratchDirectory> make_in(const std::filesystem::path& directory);
    ScratchDirectory(ScratchDirectory&&) noexcept = default;
    ScratchDirectory& operator=(ScratchDirectory&&) = delete;
    ~ScratchDirectory() {
        try {
            static_cast<void>(remove());
        } catch (...) {
            // Memory has run out, so the directory stays.
        }
    }

    /// Removes it now. Returns why some of it is left, or no error.
    [[nodiscard]] std::error_code remove();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    explicit ScratchDirectory(std::unique_ptr<system::DeferSignals> deferred)
        : deferred_(std::move(deferred)) {}

    std::unique_ptr<system::DeferSignals> deferred_;  ///< null if there is nothing to remove
    std::filesystem::path path_;
};

}  // namespace cachetool::doctor
