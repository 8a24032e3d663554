// SPDX-License-Identifier: MIT
// A directory for the tests of `src/os`. It is made by means of that room alone, and so works on
// each system.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "catch.hpp"
#include "os/dir.hpp"
#include "os/error.hpp"
#include "os/process.hpp"
#include "os/unique.hpp"

namespace larder::testing {

/// Returns the value of a result. Fails the test if it is an error.
template <class T>
T must(Result<T> result) {
    if (!result) FAIL(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
T must(os::CallResult<T> result) {
    if (!result) FAIL(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// An empty directory, which is deleted at the end.
class Scratch {
public:
    Scratch() {
        std::filesystem::create_directories(path_);
        dir_ = must(os::open_dir(path_));
    }
    ~Scratch() {
        dir_.handle.reset();
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    operator const os::Dir&() const { return dir_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() /
        ("larder-os-" + std::to_string(os::process_id()) + "-" +
         std::to_string(os::draw_unique().counter) + "-" + std::to_string(os::process_token()));
    os::Dir dir_;
};

}  // namespace larder::testing
