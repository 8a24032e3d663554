// SPDX-License-Identifier: MIT
// What a fuzzer consists of: a function that takes any bytes, and properties that must hold for all
// of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// libFuzzer's interface. driver.cpp calls the same function.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace larder::fuzz {

/// Ends the process if a property does not hold, so that the caller of the fuzzer keeps the input.
inline void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "this does not hold: %s\n", what);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Returns the pieces between the bytes `at`: one more than there are such bytes.
inline std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> pieces;
    for (;;) {
        const auto end = text.find(at);
        pieces.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return pieces;
        text.remove_prefix(end + 1);
    }
}

/// Returns true for a name that can only lead to one file in its directory.
inline bool is_one_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace larder::fuzz
