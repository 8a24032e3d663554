// SPDX-License-Identifier: MIT
// How a command ends: the exit codes, and the one type of failure that every function returns.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <tl/expected.hpp>

#include <larder/error.hpp>
#include <larder/try.hpp>

namespace cachetool {

class JsonWriter;

/// Scripts rely on these; docs/cachetool.md explains them. The code of a program that cachetool ran
/// is passed on, and may be any other number.
enum ExitCode : int {
    done = 0,
    failed = 1,
    wrong_usage = 2,
    no_entry = 3,
    busy = 4,  ///< or timed out
    damaged = 5,
    broken_pipe = 141,  ///< nothing reads stdout any more: as if SIGPIPE had ended the process
};

/// What the user is told about a failure: `message` on stderr and, with --json, all of it on
/// stdout.
struct FailureReport {
    int exit_code = failed;
    std::string code{};  ///< a name that larder::name_of returns, or "usage", "output", "command"
    std::string message{};
    std::string step{};            ///< may be empty
    std::filesystem::path path{};  ///< may be empty
    int sys_errno = 0;
    /// Writes further fields of the document: what was done in spite of the failure. May be empty.
    std::function<void(JsonWriter&)> write_done{};
};

/// Writes the object that a JSON document of a failure calls "error".
void write_json(JsonWriter& json, const FailureReport& report);
void write_json(JsonWriter& json, const larder::Error& error);

/// A failure, on its way to the user. It is one pointer wide, so that results are cheap to return.
class Failure {
public:
    explicit Failure(FailureReport report);
    /// Implicit, so that LARDER_TRY turns an error of the library into a failure.
    Failure(const larder::Error& error);
    Failure(Failure&&) noexcept;
    Failure& operator=(Failure&&) noexcept;
    ~Failure();

    [[nodiscard]] FailureReport& operator*() { return *report_; }
    [[nodiscard]] const FailureReport& operator*() const { return *report_; }
    [[nodiscard]] FailureReport* operator->() { return report_.get(); }
    [[nodiscard]] const FailureReport* operator->() const { return report_.get(); }

private:
    std::unique_ptr<FailureReport> report_;
};

/// A value, or the failure that prevented it.
template <class Value = void>
using Expected = tl::expected<Value, Failure>;

/// The exit code of a command, or the failure that decides it.
using CommandResult = Expected<int>;

/// Returns the failure of an operation that puts something into the cache. If the disk is full, the
/// message says what to do, which is not to delete from a cache that holds nothing.
[[nodiscard]] Failure failure_to_put(const larder::Error& error, const std::filesystem::path& root,
                                     bool is_empty_cache);

/// Returns the failure of a command that also works outside of the cache with the given root. For a
/// place outside it, such as an unreadable SOURCE, it advises a look there, and not at the cache.
[[nodiscard]] Failure failure_near(const larder::Error& error, const std::filesystem::path& root);
[[nodiscard]] Failure usage_failure(std::string message);
/// Returns the failure of an operating system call; `step` says what it was to do.
[[nodiscard]] Failure system_failure(std::string step, std::error_code reason);

/// Returns `failure` as a function returns it in place of its value.
[[nodiscard]] tl::unexpected<Failure> fail(Failure failure);
[[nodiscard]] tl::unexpected<Failure> fail_usage(std::string message);

}  // namespace cachetool
