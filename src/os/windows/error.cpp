// SPDX-License-Identifier: MIT
#include <windows.h>

#include "os/reasons.hpp"
#include "os/windows/numbers.hpp"

namespace larder::os {

namespace {

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

}  // namespace

std::span<const ReasonRow> reasons() noexcept {
    static constexpr ReasonRow rows[] = {
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
    return rows;
}

int number_of(const std::error_code& error) noexcept {
    if (error.category() == std::system_category()) return error.value();
    return number_of(why_of_library(error));
}

// An owner may always change the list of rights, and `chmod` does not exist.
std::optional<Denial> denial_at(const std::filesystem::path& /*path*/) { return std::nullopt; }

}  // namespace larder::os
