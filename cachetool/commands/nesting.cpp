// SPDX-License-Identifier: MIT
#include "cachetool/commands/nesting.hpp"

#include "cachetool/system/environment.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/process.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

/// Holds a line of JSON for each build, outermost first.
constexpr const char* variable = "LARDER_BUILDING";

/// Returns `bytes` as UTF-8, which JSON is and a path need not be. Each byte beyond ASCII becomes
/// the Latin-1 character of its number, so that different bytes become different texts.
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

std::string line_of(const BuildTarget& target, std::int64_t builder) {
    return json_line([&](JsonWriter& json) {
        json.object([&] {
            json.field("builder", builder);
            json.field("cache", as_utf8(system::text_of(target.cache.root())));
            json.field("bucket", as_utf8(target.bucket));
            json.field("key", as_utf8(target.key));
        });
    });
}

/// Returns the processes that are building something in the cache now.
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

/// Returns true if `line`, which ends with its line break, is one of the lines.
bool has_line(const std::string& lines, const std::string& line) {
    return lines.starts_with(line) || lines.find("\n" + line) != std::string::npos;
}

}  // namespace

bool runs_inside(const BuildTarget& target) {
    const auto lines = system::environment_variable(variable);
    if (!lines) return false;
    for (const auto pid : builders(target.cache)) {
        if (has_line(*lines, line_of(target, pid))) return true;
    }
    return false;
}

std::error_code enter_build(const BuildTarget& target) {
    const auto lines = system::environment_variable(variable).value_or("");
    return system::set_environment_variable(variable, lines + line_of(target, system::own_pid()));
}

}  // namespace cachetool
