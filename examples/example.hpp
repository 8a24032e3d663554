// SPDX-License-Identifier: MIT
// What every example needs: a directory to work in, and functions that check a result.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <larder/larder.hpp>

namespace example {

namespace fs = std::filesystem;

/// Returns an empty directory: the one that the first argument names, or a new one. The program
/// does not delete it, so you can look at it afterwards.
inline fs::path playground(int argc, char** argv) {
    fs::path directory;
    if (argc > 1) {
        directory = argv[1];
        fs::remove_all(directory);
        fs::create_directories(directory);
    } else {
        std::random_device random;
        directory = fs::temp_directory_path() / ("larder-example-" + std::to_string(random()));
        if (!fs::create_directory(directory)) std::exit(1);
    }
    // Flush, so that a forked child does not print this again.
    std::cout << "working in " << directory.string() << std::endl;
    return directory;
}

/// Prints what should be true, and ends the program if it is not.
inline void expect(bool holds, std::string_view what) {
    std::cout << (holds ? "  ok: " : "  NOT TRUE: ") << what << std::endl;
    // exit() would flush the parent's buffers and run its destructors in a forked child.
    if (!holds) ::_exit(1);
}

/// Returns the value, or ends the program if there is none. A real program would look at
/// `error().code` and act on it, or pass the error on with LARDER_TRY.
template <class T>
T value_of(larder::Result<T> result) {
    if (!result) {
        std::cout << "  FAILED: " << result.error().message() << std::endl;
        ::_exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline void write_file(const fs::path& path, std::string_view content) {
    std::ofstream(path) << content;
}

inline std::string read_file(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace example
