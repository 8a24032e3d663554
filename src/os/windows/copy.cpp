// SPDX-License-Identifier: MIT
#include "os/copy.hpp"

#include <array>

#include "os/windows/nt.hpp"

namespace larder::os {

namespace {

// Requests that the headers of mingw-w64 lack, or hide from lean programs: see winioctl.h.
constexpr DWORD set_sparse = 0x000900c4;              // FSCTL_SET_SPARSE
constexpr DWORD query_allocated_ranges = 0x000940cf;  // FSCTL_QUERY_ALLOCATED_RANGES
constexpr DWORD duplicate_extents = 0x00098344;       // FSCTL_DUPLICATE_EXTENTS_TO_FILE

/// FILE_STREAM_INFORMATION of the kernel's headers. The name continues behind the struct.
struct StreamEntry {
    ULONG to_next;
    ULONG name_size;
    LARGE_INTEGER size;
    LARGE_INTEGER allocated;
    wchar_t name[1];
};

/// Returns whether a file has streams besides its contents; false if the system does not tell,
/// because then the file system has none.
bool has_other_streams(HANDLE file) noexcept {
    alignas(StreamEntry) std::array<std::byte, 1024> list{};
    IO_STATUS_BLOCK block{};
    const NTSTATUS status =
        ::NtQueryInformationFile(file, &block, list.data(), static_cast<ULONG>(list.size()),
                                 static_cast<FILE_INFORMATION_CLASS>(windows::InfoClass::streams));
    if (status == windows::buffer_overflow) return true;
    if (status < 0 || block.Information == 0) return false;
    return reinterpret_cast<const StreamEntry*>(list.data())->to_next != 0;
}

/// DUPLICATE_EXTENTS_DATA of the kernel's headers.
struct Extents {
    HANDLE source;
    LARGE_INTEGER source_offset;
    LARGE_INTEGER target_offset;
    LARGE_INTEGER length;
};

/// Returns the size of a block on the volume of a file, in bytes; 0 if the system does not tell.
std::uint64_t block_size_of(HANDLE file) noexcept {
    constexpr auto full_size = static_cast<FS_INFORMATION_CLASS>(7);
    FILE_FS_FULL_SIZE_INFORMATION volume{};
    IO_STATUS_BLOCK block{};
    if (::NtQueryVolumeInformationFile(file, &block, &volume, sizeof volume, full_size) < 0)
        return 0;
    return std::uint64_t{volume.SectorsPerAllocationUnit} * volume.BytesPerSector;
}

/// Lets a new file share all blocks of another one. Returns the system's error; 0 if there was
/// none.
int clone_blocks(HANDLE source, const FileInfo& info, const FileHandle& target) noexcept {
    DWORD got = 0;
    const HANDLE to = windows::handle_of(target);
    // A file can only share blocks with one that is sparse, too.
    if (!::DeviceIoControl(to, set_sparse, nullptr, 0, nullptr, 0, &got, nullptr))
        return static_cast<int>(::GetLastError());
    if (const auto error = set_size(target, info.size)) return error.value();
    // One call takes less than 4 GiB, and whole blocks. The last block may end after the file, but
    // the call must not reach beyond the blocks that the source has.
    constexpr std::uint64_t most = 1U << 30U;
    const std::uint64_t block = block_size_of(source);
    if (block == 0 || most % block != 0) return ERROR_NOT_SUPPORTED;
    for (std::uint64_t done = 0; done < info.size;) {
        const std::uint64_t length = std::min(most, info.size - done);
        Extents extents{};
        extents.source = source;
        extents.source_offset.QuadPart = extents.target_offset.QuadPart =
            static_cast<LONGLONG>(done);
        extents.length.QuadPart = static_cast<LONGLONG>((length + block - 1) / block * block);
        if (!::DeviceIoControl(to, duplicate_extents, &extents, sizeof extents, nullptr, 0, &got,
                               nullptr))
            return static_cast<int>(::GetLastError());
        done += length;
    }
    return 0;
}

}  // namespace

// Windows has no attributes that users set. What comes nearest are the other streams of a file, and
// a copy does not have them.
CallResult<bool> copy_attributes(const FileHandle& from, const FileHandle&) {
    return !has_other_streams(windows::handle_of(from));
}

Result<bool> NewFile::complete(const FileHandle& source, const FileInfo& info, Refusal refusal) {
    const auto has_attributes = copy_attributes(source, file_);
    if (!has_attributes) return fail(has_attributes.error(), "set attributes", dir_ / name_);
    // The time before the permissions: in Wine, setting the time takes READONLY away again.
    const auto time_error = try_set_modified(file_, info.modified);
    if (is_failure(time_error, refusal)) return fail(time_error, "set time", dir_ / name_);
    const auto mode_error = try_set_permissions(file_, info.permissions & copied_permissions);
    if (is_failure(mode_error, refusal)) return fail(mode_error, "set mode", dir_ / name_);
    // From here on the destructor does not remove the file, because its handle is given away.
    if (const auto error = close(std::move(file_))) {
        (void)remove_file_at(dir_, name_);
        return fail(error, "close", dir_ / name_);
    }
    return *has_attributes && !mode_error && !time_error;
}

// On ReFS alone.
Result<bool> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                        const std::string& name, Refusal refusal) {
    TRY_ASSIGN(auto made, NewFile::create(dir, name));  // removed again after an error
    if (const int error = clone_blocks(windows::handle_of(source), info, made.handle()))
        return refused(error, "clone", dir / name);
    return made.complete(source, info, refusal);
}

// ReFS has no call that compares two files before they share their blocks.
CallResult<BlockSharing> share_blocks(const FileHandle&, const FileHandle&,
                                      std::uint64_t) noexcept {
    return tl::unexpected(std::error_code(ERROR_NOT_SUPPORTED, std::system_category()));
}

ByteRun next_data(const FileHandle& file, std::uint64_t from, std::uint64_t size) noexcept {
    struct AllocatedRange {
        LARGE_INTEGER start, length;
    };
    AllocatedRange asked{}, found{};
    asked.start.QuadPart = static_cast<LONGLONG>(from);
    asked.length.QuadPart = static_cast<LONGLONG>(size - from);
    DWORD got = 0;
    const BOOL told = ::DeviceIoControl(windows::handle_of(file), query_allocated_ranges, &asked,
                                        sizeof asked, &found, sizeof found, &got, nullptr);
    // There is room for the first range alone. By any other error, the file system can't tell, and
    // then all the rest is copied: reading a hole gives zeros, which is only slower.
    if (!told && ::GetLastError() != ERROR_MORE_DATA) return {.start = from, .length = size - from};
    if (got < sizeof found) return {.start = size, .length = 0};
    const auto start = std::max(static_cast<std::uint64_t>(found.start.QuadPart), from);
    const auto end =
        std::min(static_cast<std::uint64_t>(found.start.QuadPart + found.length.QuadPart), size);
    return {.start = start, .length = end > start ? end - start : 0};
}

// Windows copies files by their paths alone.
CallResult<ByteRun> copy_in_kernel(const FileHandle&, const FileHandle&, ByteRun run) noexcept {
    return run;
}

// Windows has no set-id bits. A hard link has the access control list of its file, and a copy
// inherits that of its directory.
bool has_privileges(const Dir& dir, const std::string& name, const FileInfo&) {
    FileHandle file;
    const NTSTATUS status = windows::open_path_itself(file, windows::handle_of(dir.handle), name,
                                                      {.access = READ_CONTROL});
    return status < 0 || windows::list_lets_others_write(windows::handle_of(file));
}

}  // namespace larder::os
