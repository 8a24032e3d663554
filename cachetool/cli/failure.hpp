// SPDX-License-Identifier: MIT
// How a command ends: the exit codes, and the one kind of failure that every function here returns.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include <larder/error.hpp>

namespace cachetool {

/// Keeps the fields of a document in the order in which they were written.
using Json = nlohmann::ordered_json;

/// Scripts rely on these; docs/cachetool.md explains them.
enum ExitCode : int {
    done = 0,
    failed = 1,
    wrong_usage = 2,
    no_entry = 3,
    busy = 4,  ///< or timed out
    damaged = 5,
    cannot_execute = 126,     ///< the shells' codes for a command that is there and can't be run,
    command_not_found = 127,  ///< and for one that is not there
};

/// What is told to the user, as a sentence on stderr and, with --json, as `{"error": …}` on stdout.
struct Failure {
    int exit_code = failed;
    std::string code{};  ///< larder::name_of, or "usage", "output", "command"
    std::string message{};
    std::string step{};            ///< may be empty
    std::filesystem::path path{};  ///< may be empty
    int sys_errno = 0;
    Json also = Json::object();  ///< what was done nevertheless: further fields of the document
};

/// The exit code, or the failure that decides it.
using Outcome = tl::expected<int, Failure>;

[[nodiscard]] Failure failure_of(const larder::Error& error);
/// The same for what was done with one key: a miss names it.
[[nodiscard]] Failure failure_for_key(const larder::Error& error, std::string_view bucket,
                                      std::string_view key);
/// The same for what was to be put into the cache: a full disk says what to do about it.
[[nodiscard]] Failure failure_to_put(const larder::Error& error);
[[nodiscard]] tl::unexpected<Failure> fail(const larder::Error& error);
[[nodiscard]] tl::unexpected<Failure> fail_usage(std::string message);
[[nodiscard]] tl::unexpected<Failure> fail_system(std::string what, int sys_errno);

[[nodiscard]] int exit_code_of(larder::Errc code) noexcept;
[[nodiscard]] Json json_of(const Failure& failure);
[[nodiscard]] Json json_of(const larder::Error& error);

}  // namespace cachetool
