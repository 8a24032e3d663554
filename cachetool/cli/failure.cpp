// SPDX-License-Identifier: MIT
#include "cachetool/cli/failure.hpp"

#include <fmt/format.h>
#include <system_error>

#include "cachetool/term/text.hpp"

namespace cachetool {

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

Failure failure_of(const larder::Error& error) {
    return Failure{.exit_code = exit_code_of(error.code),
                   .code = std::string(larder::name_of(error.code)),
                   .message = error.message(),
                   .step = error.step,
                   .path = error.path,
                   .sys_errno = error.sys_errno};
}

Failure failure_for_key(const larder::Error& error, std::string_view bucket, std::string_view key) {
    auto failure = failure_of(error);
    if (error.code == larder::Errc::miss)
        failure.message = fmt::format("bucket {} has no entry {}", shown(bucket), shown(key));
    return failure;
}

Failure failure_to_put(const larder::Error& error) {
    auto failure = failure_of(error);
    if (error.code == larder::Errc::no_space)
        failure.message +=
            "; `cachetool gc` and `cachetool refresh` work on a full disk, and make room";
    return failure;
}

tl::unexpected<Failure> fail(const larder::Error& error) {
    return tl::unexpected(failure_of(error));
}

tl::unexpected<Failure> fail_usage(std::string message) {
    return tl::unexpected(
        Failure{.exit_code = wrong_usage, .code = "usage", .message = std::move(message)});
}

tl::unexpected<Failure> fail_system(std::string what, int sys_errno) {
    auto message = fmt::format("{}: {}", what, std::generic_category().message(sys_errno));
    return tl::unexpected(Failure{.code = std::string(larder::name_of(larder::Errc::system)),
                                  .message = std::move(message),
                                  .step = std::move(what),
                                  .sys_errno = sys_errno});
}

Json json_of(const Failure& failure) {
    const auto or_null = [](const std::string& text) {
        return text.empty() ? Json(nullptr) : Json(text);
    };
    Json document = {{"error",
                      {{"code", failure.code},
                       {"message", failure.message},
                       {"step", or_null(failure.step)},
                       {"path", or_null(failure.path.string())},
                       {"errno", failure.sys_errno == 0 ? Json(nullptr) : Json(failure.sys_errno)},
                       {"exit_code", failure.exit_code}}}};
    document.update(failure.also);
    return document;
}

Json json_of(const larder::Error& error) { return json_of(failure_of(error))["error"]; }

}  // namespace cachetool
