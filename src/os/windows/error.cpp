// SPDX-License-Identifier: MIT
#include "os/error.hpp"

#include <algorithm>
#include <iterator>
#include <windows.h>

#include "os/windows/numbers.hpp"

namespace larder::os {

namespace {

/// An error of Win32, and the word for it.
struct NumberRow {
    int number;
    Why why;
};

/// If a word has several rows, the first one has the number that the system usually gives for it.
constexpr NumberRow reasons[] = {
    {ERROR_SUCCESS, Why::none},
    {ERROR_FILE_NOT_FOUND, Why::absent},
    {ERROR_PATH_NOT_FOUND, Why::absent},
    {ERROR_INVALID_DRIVE, Why::absent},
    {ERROR_BAD_NETPATH, Why::absent},
    {ERROR_BAD_NET_NAME, Why::absent},
    {ERROR_ALREADY_EXISTS, Why::exists},
    {ERROR_FILE_EXISTS, Why::exists},
    {ERROR_DIR_NOT_EMPTY, Why::not_empty},
    {ERROR_DIRECTORY, Why::not_directory},
    {windows::error_directory_not_supported, Why::is_directory},
    {windows::error_reparse_point_encountered, Why::is_link},
    {ERROR_CANT_RESOLVE_FILENAME, Why::is_link},
    {windows::error_stopped_on_symlink, Why::is_link},
    {ERROR_NOT_SAME_DEVICE, Why::cross_device},
    {ERROR_ACCESS_DENIED, Why::denied},
    {ERROR_NETWORK_ACCESS_DENIED, Why::denied},
    {ERROR_PRIVILEGE_NOT_HELD, Why::not_permitted},
    {ERROR_WRITE_PROTECT, Why::read_only},
    {ERROR_DISK_FULL, Why::no_space},
    {ERROR_HANDLE_DISK_FULL, Why::no_space},
    {windows::error_disk_quota_exceeded, Why::no_space},
    {ERROR_NOT_ENOUGH_QUOTA, Why::no_space},
    {ERROR_TOO_MANY_LINKS, Why::too_many_links},
    {ERROR_TOO_MANY_OPEN_FILES, Why::too_many_open_files},
    {ERROR_FILENAME_EXCED_RANGE, Why::name_too_long},
    {ERROR_BUFFER_OVERFLOW, Why::name_too_long},
    {ERROR_NOT_SUPPORTED, Why::not_supported},
    {ERROR_INVALID_FUNCTION, Why::not_supported},
    {ERROR_CALL_NOT_IMPLEMENTED, Why::not_supported},
    {windows::error_block_too_many_references, Why::not_supported},
    {ERROR_INVALID_PARAMETER, Why::invalid},
    {ERROR_INVALID_NAME, Why::invalid},
    {ERROR_BAD_PATHNAME, Why::invalid},
    {ERROR_NOT_A_REPARSE_POINT, Why::invalid},
    {windows::error_no_such_device, Why::no_device},
    {ERROR_DEV_NOT_EXIST, Why::no_device},
    {ERROR_SEEK_ON_DEVICE, Why::not_seekable},
    {ERROR_SEEK, Why::not_seekable},
    {ERROR_BUSY, Why::busy},
    {ERROR_SHARING_VIOLATION, Why::sharing},
    {ERROR_LOCK_VIOLATION, Why::sharing},
    {ERROR_DELETE_PENDING, Why::sharing},
    {ERROR_USER_MAPPED_FILE, Why::sharing},
    {ERROR_NO_DATA, Why::would_block},
    {ERROR_OPERATION_ABORTED, Why::interrupted},
    {ERROR_NOT_ENOUGH_MEMORY, Why::no_memory},
    {ERROR_OUTOFMEMORY, Why::no_memory},
    {ERROR_COMMITMENT_LIMIT, Why::no_memory},
    {ERROR_NO_SYSTEM_RESOURCES, Why::no_memory},
    {ERROR_IO_DEVICE, Why::io},
    {ERROR_CRC, Why::io},
    {ERROR_GEN_FAILURE, Why::io},
    {ERROR_WRITE_FAULT, Why::io},
    {ERROR_READ_FAULT, Why::io},
    {ERROR_FILE_CORRUPT, Why::io},
    {ERROR_DISK_CORRUPT, Why::io},
};

/// Returns the number that the system usually gives for a word. A word that no row has gets one
/// that has no row either.
int number_of(Why why) noexcept {
    const auto* const row = std::find_if(std::begin(reasons), std::end(reasons),
                                         [&](const NumberRow& each) { return each.why == why; });
    return row == std::end(reasons) ? 0 : row->number;
}

/// Returns the word for an error of the C library, in which <filesystem> has most of its errors.
Why why_of_library(const std::error_code& error) noexcept {
    struct LibraryRow {
        std::errc number;
        Why why;
    };
    constexpr LibraryRow rows[] = {
        {std::errc::no_such_file_or_directory, Why::absent},
        {std::errc::file_exists, Why::exists},
        {std::errc::directory_not_empty, Why::not_empty},
        {std::errc::not_a_directory, Why::not_directory},
        {std::errc::is_a_directory, Why::is_directory},
        {std::errc::too_many_symbolic_link_levels, Why::is_link},
        {std::errc::cross_device_link, Why::cross_device},
        {std::errc::permission_denied, Why::denied},
        {std::errc::operation_not_permitted, Why::not_permitted},
        {std::errc::read_only_file_system, Why::read_only},
        {std::errc::no_space_on_device, Why::no_space},
        {std::errc::too_many_files_open, Why::too_many_open_files},
        {std::errc::filename_too_long, Why::name_too_long},
        {std::errc::function_not_supported, Why::not_supported},
        {std::errc::operation_not_supported, Why::not_supported},
        {std::errc::not_supported, Why::not_supported},
        {std::errc::invalid_argument, Why::invalid},
        {std::errc::device_or_resource_busy, Why::busy},
        {std::errc::interrupted, Why::interrupted},
        {std::errc::not_enough_memory, Why::no_memory},
        {std::errc::io_error, Why::io},
    };
    for (const LibraryRow& row : rows) {
        if (error.value() == static_cast<int>(row.number)) return row.why;
    }
    return Why::other;
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
        case Why::sharing:
            return Errc::busy;
        default:
            return Errc::system;
    }
}

/// Returns what a message should say besides. On Windows a file that another program has open
/// cannot always be renamed, deleted or opened.
std::string detail_for(Why why, std::string detail) {
    if (why != Why::sharing) return detail;
    if (!detail.empty()) detail += "; ";
    return detail + "another program holds it open; close that program, or try again";
}

tl::unexpected<Error> fail_with(int number, Why why, const char* step, std::filesystem::path path,
                                std::string detail) {
    return tl::make_unexpected(Error{code_of(why), number, step, std::move(path),
                                     detail_for(why, std::move(detail)), why});
}

}  // namespace

Why why_of(int sys_errno) noexcept {
    const auto* const row =
        std::find_if(std::begin(reasons), std::end(reasons),
                     [&](const NumberRow& each) { return each.number == sys_errno; });
    return row == std::end(reasons) ? Why::other : row->why;
}

Why why_of(const std::error_code& error) noexcept {
    if (error && error.category() == std::generic_category()) return why_of_library(error);
    return why_of(error.value());
}

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
    const Why why = why_of(error);
    const bool is_systems = error.category() == std::system_category();
    return fail_with(is_systems ? error.value() : number_of(why), why, step, std::move(path),
                     std::move(detail));
}

tl::unexpected<Error> fail(Why why, const char* step, std::filesystem::path path,
                           std::string detail) {
    return fail_with(number_of(why), why, step, std::move(path), std::move(detail));
}

}  // namespace larder::os
