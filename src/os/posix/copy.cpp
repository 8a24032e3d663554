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
    // Another process may make it longer between the two calls. Arbitrary: one that does so each
    // time is left alone.
    constexpr int max_attempts = 100;
    for (int attempts = 1;; ++attempts) {
        const ssize_t size = retry([&] { return get(nullptr, 0); });
        if (size < 0) return tl::unexpected(system_error(errno));
        bytes.resize(static_cast<std::size_t>(size));
        if (size == 0) return bytes;
        const ssize_t got = retry([&] { return get(bytes.data(), bytes.size()); });
        if (got < 0 && errno == ERANGE && attempts < max_attempts) continue;
        if (got < 0) return tl::unexpected(system_error(errno));
        bytes.resize(static_cast<std::size_t>(got));
        return bytes;
    }
}

/// Returns false for a refusal, because of which an attribute is left out. Returns the error if the
/// disk is full or broken.
CallResult<bool> false_if_refused(const std::error_code& error) {
    if (is_failure(error, Refusal::is_counted)) return tl::unexpected(error);
    return false;
}

/// Copies one attribute. Returns whether `to` has it now; true if another process has removed it
/// from `from`. Returns the system's error if the disk is full or broken.
CallResult<bool> copy_attribute(const FileHandle& from, const FileHandle& to, const char* name) {
    const auto value = read_attribute([&](char* data, std::size_t size) {
        return platform::get_attribute(fd_of(from), name, data, size);
    });
    if (!value && value.error().value() == platform::no_such_attribute) return true;
    if (!value) return false_if_refused(value.error());
    const auto set = [&] {
        return platform::set_attribute(fd_of(to), name, value->data(), value->size());
    };
    if (retry(set) == 0) return true;
    return false_if_refused(system_error(errno));
}

}  // namespace

CallResult<bool> copy_attributes(const FileHandle& from, const FileHandle& to) {
    const auto names = read_attribute([&](char* data, std::size_t size) {
        return platform::list_attributes(fd_of(from), data, size);
    });
    // The file system of `from` has no attributes.
    const int error = names ? 0 : names.error().value();
    if (error == ENOTSUP || error == EOPNOTSUPP) return true;
    if (!names) return false_if_refused(names.error());
    bool has_all = true;
    for (std::size_t at = 0; at < names->size();) {
        const char* const name = names->c_str() + at;  // up to its zero byte
        at += std::string_view(name).size() + 1;
        if (!platform::is_users_attribute(name)) continue;
        const auto copied = copy_attribute(from, to, name);
        if (!copied) return copied;
        if (!*copied && !platform::is_systems_attribute(name)) has_all = false;
    }
    return has_all;
}

Result<bool> NewFile::complete(const FileHandle& source, const FileInfo& info, Refusal refusal) {
    // Set the attributes first, while this process may still write to the file.
    const auto has_attributes = copy_attributes(source, file_);
    if (!has_attributes) return fail(has_attributes.error(), "set attributes", dir_ / name_);
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
    return *has_attributes && !mode_error && !time_error;
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
