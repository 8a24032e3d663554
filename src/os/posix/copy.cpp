// SPDX-License-Identifier: MIT
#include "os/copy.hpp"

#include <unistd.h>

#include <string_view>

#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

std::error_code system_error(int error) noexcept { return {error, std::system_category()}; }

/// Calls `get(data, size)` with enough room, where `get` is one of the calls of platform.hpp that
/// read attributes. Returns what it has read, or the system's error.
template <class Get>
CallResult<std::string> read_attribute(Get get) {
    std::string bytes;
    // Another process may make it longer between the two calls.
    for (;;) {
        const ssize_t size = retry([&] { return get(nullptr, 0); });
        if (size < 0) return tl::unexpected(system_error(errno));
        bytes.resize(static_cast<std::size_t>(size));
        if (size == 0) return bytes;
        const ssize_t got = retry([&] { return get(bytes.data(), bytes.size()); });
        if (got < 0 && errno == ERANGE) continue;
        if (got < 0) return tl::unexpected(system_error(errno));
        bytes.resize(static_cast<std::size_t>(got));
        return bytes;
    }
}

/// Returns `error` if the disk is full or broken. Returns a false error_code for any other error:
/// it is a refusal, because of which an attribute is left out.
std::error_code unless_refusal(const std::error_code& error) noexcept {
    return is_failure(error, Refusal::is_counted) ? error : std::error_code();
}

/// Copies one attribute. Returns the system's error if the disk is full or broken. Returns a false
/// error_code if the attribute was copied, and if it is left out: because another process has
/// removed it, or because `to` has no place for it.
std::error_code copy_attribute(const FileHandle& from, const FileHandle& to, const char* name) {
    const auto value = read_attribute([&](char* data, std::size_t size) {
        return platform::get_attribute(fd_of(from), name, data, size);
    });
    if (!value) return unless_refusal(value.error());
    const auto set = [&] {
        return platform::set_attribute(fd_of(to), name, value->data(), value->size());
    };
    return retry(set) == 0 ? std::error_code() : unless_refusal(system_error(errno));
}

}  // namespace

std::error_code copy_attributes(const FileHandle& from, const FileHandle& to) {
    const auto names = read_attribute([&](char* data, std::size_t size) {
        return platform::list_attributes(fd_of(from), data, size);
    });
    if (!names) return unless_refusal(names.error());
    for (std::size_t at = 0; at < names->size();) {
        const char* const name = names->c_str() + at;  // up to its zero byte
        at += std::string_view(name).size() + 1;
        if (!platform::is_users_attribute(name)) continue;
        if (const auto error = copy_attribute(from, to, name)) return error;
    }
    return {};
}

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

bool is_failure(const std::error_code& error, Refusal refusal) noexcept {
    if (!error) return false;
    if (refusal == Refusal::is_error) return true;
    const Why why = why_of(error);
    return why == Why::no_space || why == Why::io || why == Why::no_memory;
}

Result<bool> NewFile::complete(const FileHandle& source, const FileInfo& info, Refusal refusal) {
    // Set the attributes first, while this process may still write to the file.
    if (const auto error = copy_attributes(source, file_))
        return fail(error, "set attributes", dir_ / name_);
    // Set the permissions in a call of their own, so that no umask alters them.
    const auto mode_error = try_set_permissions(file_, info.permissions & copied_permissions);
    if (is_failure(mode_error, refusal)) return fail(mode_error, "set mode", dir_ / name_);
    // Set the time last, because writing changes it.
    const auto time_error = try_set_modified(file_, info.modified);
    if (is_failure(time_error, refusal)) return fail(time_error, "set time", dir_ / name_);
    // From here on the destructor does not remove the file, because its handle is given away.
    if (const auto error = close(std::move(file_))) {
        (void)remove_file_at(dir_, name_);
        return fail(error, "close", dir_ / name_);
    }
    return !mode_error && !time_error;
}

ByteRun next_data(const FileHandle& file, std::uint64_t from, std::uint64_t size) noexcept {
    const int fd = fd_of(file);
    const ByteRun nothing{.start = size, .length = 0};
    const off_t data = retry([&] { return ::lseek(fd, static_cast<off_t>(from), SEEK_DATA); });
    // ENXIO is the answer that no data follow. Any other error means that the file system can't
    // tell, and then all the rest is copied: reading a hole gives zeros, which is only slower.
    if (data < 0 && errno == ENXIO) return nothing;
    if (data < 0) return {.start = from, .length = size - from};
    const auto start = static_cast<std::uint64_t>(data);
    if (start >= size) return nothing;  // the file has grown meanwhile
    // The end of a file counts as a hole, so one is found unless the file has shrunk meanwhile.
    const off_t hole = retry([&] { return ::lseek(fd, data, SEEK_HOLE); });
    const bool ends_before_size = hole > data && static_cast<std::uint64_t>(hole) < size;
    const std::uint64_t end = ends_before_size ? static_cast<std::uint64_t>(hole) : size;
    return {.start = start, .length = end - start};
}

}  // namespace larder::os
