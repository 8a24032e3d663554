// SPDX-License-Identifier: MIT
// What every example needs and none is about: a directory to play in, and a way to say that something must hold.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <larder/larder.hpp>

namespace example {

namespace fs = std::filesystem;

/// The directory given as the first argument, emptied; else a new one, which is left behind for you to look at.
inline fs::path playground(int argc, char** argv) {
    fs::path directory;
    if (argc > 1) {
        directory = argv[1];
        fs::remove_all(directory);
        fs::create_directories(directory);
    } else {
        std::string name = (fs::temp_directory_path() / "larder-example-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::exit(1);
        directory = name;
    }
    std::cout << "working in " << directory.string()
              << std::endl;  // flushed, lest a forked child say it again
    return directory;
}

/// Says what holds, and ends the program if it does not.
inline void expect(bool holds, std::string_view what) {
    std::cout << (holds ? "  ok: " : "  NOT SO: ") << what << std::endl;
    // Not exit(): in a forked child the parent's buffers and destructors are none of our business.
    if (!holds) ::_exit(1);
}

/// The value, or the end of the program. Real programs look at `error().code` instead, and do something about it.
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
