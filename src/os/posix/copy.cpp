// SPDX-License-Identifier: MIT
#include "os/copy.hpp"

#include <unistd.h>

#include "os/posix/fd.hpp"

namespace larder::os {

Result<NewFile> NewFile::create(const Dir& dir, const std::string& name) {
    TRY_ASSIGN(FileHandle file, open_at(dir, name, OpenMode::create_new));
    return NewFile(dir, name, std::move(file));
}

NewFile::~NewFile() {
    if (!file_) return;
    try {
        (void)remove_file_at(dir_, name_);
    } catch (...) {
        // There is no memory for the error that says why it can't be removed.
    }
}

Result<bool> was_set(const std::error_code& error, const char* step,
                     const std::filesystem::path& path, Refusal refusal) {
    if (!error) return true;
    const Why why = why_of(error.value());
    const bool is_refused = why != Why::no_space && why != Why::io && why != Why::no_memory;
    if (refusal == Refusal::is_counted && is_refused) return false;
    return fail(error, step, path);
}

Result<bool> NewFile::complete(const FileHandle& source, const FileInfo& info, Refusal refusal) {
    // Set the attributes first, while this process may still write to the file.
    if (const auto error = copy_attributes(source, file_))
        return fail(error, "set attributes", dir_ / name_);
    // Set the permissions in a call of their own, so that no umask alters them. Set the time last,
    // because writing changes it.
    TRY_ASSIGN(const bool has_mode,
               was_set(try_set_permissions(file_, info.permissions & copied_permissions),
                       "set mode", dir_ / name_, refusal));
    TRY_ASSIGN(const bool has_time,
               was_set(try_set_modified(file_, info.modified), "set time", dir_ / name_, refusal));
    if (const std::error_code error = close(std::move(file_))) {
        (void)remove_file_at(dir_, name_);
        return fail(error, "close", dir_ / name_);
    }
    return has_mode && has_time;
}

ByteRun next_data(const FileHandle& file, std::uint64_t from, std::uint64_t size) noexcept {
    const int fd = fd_of(file);
    const off_t start = retry([&] { return ::lseek(fd, static_cast<off_t>(from), SEEK_DATA); });
    if (start < 0) return errno == ENXIO ? ByteRun{size, 0} : ByteRun{from, size - from};
    const auto begin = static_cast<std::uint64_t>(start);
    if (begin >= size) return {size, 0};
    const off_t end = retry([&] { return ::lseek(fd, start, SEEK_HOLE); });
    if (end <= start || static_cast<std::uint64_t>(end) > size) return {begin, size - begin};
    return {begin, static_cast<std::uint64_t>(end) - begin};
}

}  // namespace larder::os
