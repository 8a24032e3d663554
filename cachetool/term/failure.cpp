// SPDX-License-Identifier: MIT
#include "cachetool/term/failure.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "cachetool/system/path_text.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

int exit_code_of(larder::Errc code) noexcept {
    switch (code) {
        case larder::Errc::miss:
            return no_entry;
        case larder::Errc::busy:
        case larder::Errc::interrupted:
            return busy;
        case larder::Errc::invalid:
            return wrong_usage;
        case larder::Errc::damaged:
            return damaged;
        default:
            return failed;
    }
}

/// Returns whether the error says itself what to do. That of a rename has only the other name.
bool has_advice(const larder::Error& error) {
    return !error.detail.empty() &&
           (!error.detail.starts_with("to ") || error.detail.find("; ") != std::string::npos);
}

/// Returns whether the system has refused a call, and the error does not say itself what to do.
bool wants_advice(const larder::Error& error) {
    if (has_advice(error)) return false;
    switch (error.why) {
        case larder::Why::denied:
        case larder::Why::not_permitted:
        case larder::Why::not_supported:
        case larder::Why::invalid:
        case larder::Why::interrupted:
        case larder::Why::other:
            return true;
        default:
            return false;
    }
}

/// Returns whether the system says that a name has come or gone, and the error does not say itself
/// what to do. In the cache, where other processes may cause that, larder has looked again by then.
bool is_about_a_name(const larder::Error& error) {
    return !has_advice(error) &&
           (error.why == larder::Why::absent || error.why == larder::Why::exists ||
            error.why == larder::Why::not_empty);
}

/// Returns what to do about a call in the cache that was refused, or that has met another name than
/// larder left; an empty text for all other errors.
std::string_view advice_for(const larder::Error& error) {
    if (wants_advice(error)) {
        return "; `cachetool doctor` shows whether the file system or a sandbox is the cause";
    }
    if (is_about_a_name(error)) {
        return "; if nothing but larder changes names there, `cachetool doctor` shows what the "
               "file system does wrong";
    }
    return "";
}

/// Does the same for a call outside of the cache, at which doctor does not look.
std::string_view advice_outside(const larder::Error& error) {
    if (wants_advice(error))
        return "; check what this user, the file system and a sandbox allow there";
    if (is_about_a_name(error)) return "; check that path";
    return "";
}

/// Returns the sentence about an error of the library.
std::string message_of(const larder::Error& error) {
    // The library's own sentence also speaks of callers that open a cache for reading by choice.
    if (error.code == larder::Errc::read_only)
        return fmt::format(
            "the cache {} can only be read: its file system is mounted read-only, or this user may "
            "not write there; make it writable, or name another one",
            system::text_of(error.path));
    return error.message() + std::string(advice_for(error));
}

FailureReport report_of(const larder::Error& error) {
    return {.exit_code = exit_code_of(error.code),
            .code = std::string(larder::name_of(error.code)),
            .message = message_of(error),
            .step = error.step,
            .path = error.path,
            .sys_errno = error.sys_errno};
}

}  // namespace

void write_json(JsonWriter& json, const FailureReport& report) {
    const auto text_or_null = [&](std::string_view name, const std::string& text) {
        text.empty() ? json.field(name, nullptr) : json.field(name, text);
    };
    json.object([&] {
        json.field("code", report.code);
        json.field("message", report.message);
        text_or_null("step", report.step);
        text_or_null("path", system::text_of(report.path));
        report.sys_errno == 0 ? json.field("errno", nullptr)
                              : json.field("errno", report.sys_errno);
        json.field("exit_code", report.exit_code);
    });
}

void write_json(JsonWriter& json, const larder::Error& error) {
    write_json(json, report_of(error));
}

Failure::Failure(FailureReport report)
    : report_(std::make_unique<FailureReport>(std::move(report))) {}
Failure::Failure(const larder::Error& error) : Failure(report_of(error)) {}
Failure::Failure(Failure&&) noexcept = default;
Failure& Failure::operator=(Failure&&) noexcept = default;
Failure::~Failure() = default;

Failure failure_near(const larder::Error& error, const std::filesystem::path& root) {
    Failure failure(error);
    const auto [in_root, in_path] =
        std::mismatch(root.begin(), root.end(), error.path.begin(), error.path.end());
    if (!error.path.empty() && in_root != root.end())
        failure->message = error.message() + std::string(advice_outside(error));
    return failure;
}

Failure failure_to_put(const larder::Error& error, const std::filesystem::path& root,
                       bool is_empty_cache) {
    Failure failure = failure_near(error, root);
    if (error.code == larder::Errc::no_space)
        failure->message += is_empty_cache
                                ? "; make room there, or name a cache on another disk"
                                : "; `cachetool gc` works on a full disk, and makes room";
    return failure;
}

Failure usage_failure(std::string message) {
    return Failure(
        FailureReport{.exit_code = wrong_usage, .code = "usage", .message = std::move(message)});
}

Failure system_failure(std::string step, std::error_code reason) {
    auto message = fmt::format("{}: {}", step, reason.message());
    return Failure(FailureReport{.code = std::string(larder::name_of(larder::Errc::system)),
                                 .message = std::move(message),
                                 .step = std::move(step),
                                 .sys_errno = reason.value()});
}

tl::unexpected<Failure> fail(Failure failure) { return tl::unexpected(std::move(failure)); }

tl::unexpected<Failure> fail_usage(std::string message) {
    return fail(usage_failure(std::move(message)));
}

}  // namespace cachetool
