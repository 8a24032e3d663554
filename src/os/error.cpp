// SPDX-License-Identifier: MIT
#include "os/error.hpp"

#include <algorithm>

#include "os/reasons.hpp"

namespace larder::os {

namespace {

/// Returns the code that callers of the library act on. Every reason without a code of its own is
/// `system`.
Errc code_of(Why why) noexcept {
    switch (why) {
        case Why::no_space:
            return Errc::no_space;
        case Why::read_only:
            return Errc::read_only;
        case Why::exists:
        case Why::not_empty:
            return Errc::exists;
        case Why::cross_device:
        case Why::not_supported:
            return Errc::unsupported;
        case Why::sharing:
            return Errc::busy;
        default:
            return Errc::system;
    }
}

/// Returns what to do if the path, or a directory above it, denies a right to the user of this
/// process; an empty text if that is not so.
std::string advice_if_denied(const std::filesystem::path& path) {
    const auto denial = denial_at(path);
    if (!denial) return {};
    const std::string what = denial->path == path ? "it" : denial->path.string();
    if (denial->owner.empty())
        return what + " denies a right to its owner; `chmod u+rwX` gives it back";
    return what + " belongs to user " + denial->owner +
           ", and denies a right to this user; ask that user, or an administrator, to give it away "
           "(`chown`) or to open it (`chmod`)";
}

/// Returns what a message should say besides. A file that another program has open cannot always be
/// renamed, deleted or opened on Windows, nor a program that runs be opened for writing elsewhere.
/// What the system uses itself, of all that larder touches, is a mount point.
std::string detail_for(Why why, const std::filesystem::path& path, std::string detail) {
    std::string advice;
    if (why == Why::sharing)
        advice = "another program holds it open; close that program, or try again";
    if (why == Why::busy) advice = "something is mounted there: unmount it";
    if (why == Why::denied) advice = advice_if_denied(path);
    if (!detail.empty() && !advice.empty()) detail += "; ";
    return detail + advice;
}

tl::unexpected<Error> fail_with(int number, Why why, const char* step, std::filesystem::path path,
                                std::string detail) {
    detail = detail_for(why, path, std::move(detail));
    return tl::make_unexpected(
        Error{code_of(why), number, step, std::move(path), std::move(detail), why});
}

}  // namespace

int number_of(Why why) noexcept {
    for (const ReasonRow& row : reasons()) {
        if (row.why == why) return row.number;
    }
    return 0;
}

Why why_of(int number) noexcept {
    for (const ReasonRow& row : reasons()) {
        if (row.number == number) return row.why;
    }
    return Why::other;
}

Why why_of(const std::error_code& error) noexcept { return why_of(number_of(error)); }

tl::unexpected<Error> fail(int sys_errno, const char* step, std::filesystem::path path,
                           std::string detail) {
    return fail_with(sys_errno, why_of(sys_errno), step, std::move(path), std::move(detail));
}

tl::unexpected<Error> refused(int sys_errno, const char* step, std::filesystem::path path,
                              std::string detail) {
    auto failure = fail(sys_errno, step, std::move(path), std::move(detail));
    if (!ends_at_once(failure.value().why)) failure.value().code = Errc::unsupported;
    return failure;
}

tl::unexpected<Error> fail(const std::error_code& error, const char* step,
                           std::filesystem::path path, std::string detail) {
    const int number = number_of(error);
    return fail_with(number, why_of(number), step, std::move(path), std::move(detail));
}

tl::unexpected<Error> fail(Why why, const char* step, std::filesystem::path path,
                           std::string detail) {
    return fail_with(number_of(why), why, step, std::move(path), std::move(detail));
}

}  // namespace larder::os
