// SPDX-License-Identifier: MIT
#include "cachetool/commands/nesting.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

namespace cachetool {
namespace {

using nlohmann::json;

constexpr const char* variable = "LARDER_BUILDING";

// A path need not be UTF-8, which JSON has to be: bytes beyond ASCII go as the Latin-1 characters of those numbers.
std::string as_utf8(const std::string& bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            text += c;
        } else {
            text += static_cast<char>(0xc0 | byte >> 6);
            text += static_cast<char>(0x80 | (byte & 0x3f));
        }
    }
    return text;
}

json name_of(const BuildName& build, pid_t builder) {
    return {builder, as_utf8(build.cache.root().native()), as_utf8(build.bucket),
            as_utf8(build.key)};
}

/// The processes that are in the middle of some build now.
std::vector<std::int64_t> builders(const larder::Cache& cache) {
    std::vector<std::int64_t> pids;
    const auto status = cache.status();
    if (!status) return pids;
    for (const auto& lock : status->locks) {
        if (!lock.waiting && lock.process.here && lock.what.starts_with("build "))
            pids.push_back(lock.process.pid);
    }
    return pids;
}

/// An array of names, outermost first.
json all() {
    const char* const text = std::getenv(variable);
    json names = text == nullptr ? json::array() : json::parse(text, nullptr, false);
    return names.is_array() ? names : json::array();
}

}  // namespace

bool runs_inside(const BuildName& build) {
    const json names = all();
    if (names.empty()) return false;
    const auto pids = builders(build.cache);
    return std::any_of(pids.begin(), pids.end(), [&](std::int64_t pid) {
        return std::find(names.begin(), names.end(), name_of(build, static_cast<pid_t>(pid))) !=
               names.end();
    });
}

int go_inside(const BuildName& build) {
    json names = all();
    names.push_back(name_of(build, ::getpid()));
    return ::setenv(variable, names.dump().c_str(), 1) == 0 ? 0 : errno;
}

}  // namespace cachetool
