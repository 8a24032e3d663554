// SPDX-License-Identifier: MIT
#include "cachetool/system/file_lock.hpp"

#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {

LockableFile::LockableFile(const std::filesystem::path& path)
    : file_(windows::open_or_make(path)) {}

LockableFile::~LockableFile() { windows::close(file_); }

std::error_code LockableFile::try_lock(std::optional<std::uint64_t> byte) {
    // Locks are mandatory, so larder's lie behind all data.
    constexpr std::uint64_t behind_data = std::uint64_t{1} << 62U;
    const std::uint64_t start = behind_data + byte.value_or(0);
    const std::uint64_t length = byte ? 1 : behind_data;
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(start);
    place.OffsetHigh = static_cast<DWORD>(start >> 32U);
    if (::LockFileEx(windows::handle_of(file_), LOCKFILE_FAIL_IMMEDIATELY | LOCKFILE_EXCLUSIVE_LOCK,
                     0, static_cast<DWORD>(length), static_cast<DWORD>(length >> 32U), &place))
        return {};
    const auto error = last_error();
    if (error.value() == ERROR_LOCK_VIOLATION || error.value() == ERROR_IO_PENDING)
        return std::make_error_code(std::errc::resource_unavailable_try_again);
    return error;
}

}  // namespace cachetool::system
