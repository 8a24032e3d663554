// SPDX-License-Identifier: MIT
#include "os/error.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace larder::os {

namespace {

/// An error number of the system, and the word for it.
struct ReasonRow {
    int number;
    Why why;
};

/// If a word has several rows, the first one has the number that the system usually gives for it.
constexpr ReasonRow reasons[] = {
    {0, Why::none},
    {ENOENT, Why::absent},
    {EEXIST, Why::exists},
    {ENOTEMPTY, Why::not_empty},
    {ENOTDIR, Why::not_directory},
    {EISDIR, Why::is_directory},
    {ELOOP, Why::is_link},
    {EXDEV, Why::cross_device},
    {EACCES, Why::denied},
    {EPERM, Why::not_permitted},
    {EROFS, Why::read_only},
    {ENOSPC, Why::no_space},
    {EDQUOT, Why::no_space},
    {EMLINK, Why::too_many_links},
    {EMFILE, Why::too_many_open_files},
    {ENFILE, Why::too_many_open_files},
    {ENAMETOOLONG, Why::name_too_long},
    {EOPNOTSUPP, Why::not_supported},
#if ENOTSUP != EOPNOTSUPP
    {ENOTSUP, Why::not_supported},
#endif
    {ENOSYS, Why::not_supported},
    {ENOTTY, Why::not_supported},
    {EINVAL, Why::invalid},
    {ENXIO, Why::no_device},
    {ESPIPE, Why::not_seekable},
    {EBUSY, Why::busy},
    {ETXTBSY, Why::sharing},
    {EAGAIN, Why::would_block},
#if EWOULDBLOCK != EAGAIN
    {EWOULDBLOCK, Why::would_block},
#endif
    {EINTR, Why::interrupted},
    {ENOMEM, Why::no_memory},
    {EIO, Why::io},
};

/// Returns the number that the system usually gives for a word; 0 if it has none.
int number_of(Why why) noexcept {
    const auto* const row = std::find_if(std::begin(reasons), std::end(reasons),
                                         [&](const ReasonRow& each) { return each.why == why; });
    return row == std::end(reasons) ? 0 : row->number;
}

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
        default:
            return Errc::system;
    }
}

}  // namespace

Why why_of(int sys_errno) noexcept {
    const auto* const row =
        std::find_if(std::begin(reasons), std::end(reasons),
                     [&](const ReasonRow& each) { return each.number == sys_errno; });
    return row == std::end(reasons) ? Why::other : row->why;
}

Why why_of(const std::error_code& error) noexcept { return why_of(error.value()); }

tl::unexpected<Error> fail(int sys_errno, const char* step, std::filesystem::path path,
                           std::string detail) {
    const Why why = why_of(sys_errno);
    return tl::make_unexpected(
        Error{code_of(why), sys_errno, step, std::move(path), std::move(detail), why});
}

tl::unexpected<Error> refused(int sys_errno, const char* step, std::filesystem::path path,
                              std::string detail) {
    auto failure = fail(sys_errno, step, std::move(path), std::move(detail));
    if (!ends_at_once(failure.value().why)) failure.value().code = Errc::unsupported;
    return failure;
}

tl::unexpected<Error> fail(const std::error_code& error, const char* step,
                           std::filesystem::path path, std::string detail) {
    return fail(error.value(), step, std::move(path), std::move(detail));
}

tl::unexpected<Error> fail(Why why, const char* step, std::filesystem::path path,
                           std::string detail) {
    return fail(number_of(why), step, std::move(path), std::move(detail));
}

}  // namespace larder::os
