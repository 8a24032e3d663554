// SPDX-License-Identifier: MIT
// What std::filesystem lacks: calls that make, share and date single files. A call that returns an
// error_code returns why it failed, or no error.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace cachetool::system {

/// Calls `ask(error)`, which uses <filesystem>, again as long as a signal interrupts it. Returns
/// what the last call returned, and leaves its error. Gives up after max_interruptions.
template <class Ask>
auto retried(std::error_code& error, Ask ask) {
    constexpr int max_interruptions = 1000;  // arbitrary: as the library does
    for (int interruptions = 0;; ++interruptions) {
        error.clear();
        auto answer = ask(error);
        if (error != std::errc::interrupted || interruptions == max_interruptions) return answer;
    }
}

/// Returns whether anything has the name. A path that can't be looked at counts as something: then
/// the next call says what is wrong with it.
[[nodiscard]] inline bool may_exist(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = retried(
        error, [&](std::error_code& each) { return std::filesystem::symlink_status(path, each); });
    return status.type() != std::filesystem::file_type::not_found;
}

/// Makes an empty file. Fails if anything has the name, even a symlink to nowhere.
[[nodiscard]] std::error_code create_new_file(const std::filesystem::path& path);

/// Makes a directory that no other user can enter, and whose name is `prefix` and some more letters
/// that make it unique. Stores its path in `made`.
[[nodiscard]] std::error_code make_private_directory(const std::filesystem::path& prefix,
                                                     std::filesystem::path& made);

/// Removes a directory with all that is in it. Removes a link itself, and not what it leads to.
/// Returns why some of it is left, or no error.
[[nodiscard]] std::error_code remove_tree(const std::filesystem::path& path);

/// Opens a new file without a name for reading and writing, in the directory that TMPDIR names, or
/// in the system's for temporary files. It is gone when it is closed. Returns null if it can't be
/// made.
[[nodiscard]] std::FILE* open_temporary_file();

/// Returns true if this user may make files in `directory`.
[[nodiscard]] bool may_write_in(const std::filesystem::path& directory);

/// Returns true if both exist and are on one file system.
[[nodiscard]] bool on_one_file_system(const std::filesystem::path& a,
                                      const std::filesystem::path& b);

/// Gives two names to each other's files, in one step.
[[nodiscard]] std::error_code exchange_names(const std::filesystem::path& a,
                                             const std::filesystem::path& b);

/// Renames, and fails with file_exists if anything has the new name already.
[[nodiscard]] std::error_code rename_to_new(const std::filesystem::path& from,
                                            const std::filesystem::path& to);

/// Returns how many names a file has; 0 if the system does not tell.
[[nodiscard]] std::uintmax_t link_count(const std::filesystem::path& path);

using FileTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// Sets the time of the last change. A symlink has a time of its own: it is not followed.
[[nodiscard]] std::error_code set_modified(const std::filesystem::path& path, FileTime time);

/// Stores the time of the last change in `time`. A symlink is not followed.
[[nodiscard]] std::error_code get_modified(const std::filesystem::path& path, FileTime& time);

/// Makes a file, or empties it, and writes `text`. Unlike a stream of the standard library, it ends
/// with an error if a file system answers each call with EINTR.
[[nodiscard]] std::error_code write_text(const std::filesystem::path& path, std::string_view text);

/// Reads a file, or its first 16 MiB, into `text`. The same holds for EINTR.
[[nodiscard]] std::error_code read_text(const std::filesystem::path& path, std::string& text);

/// Returns the error that a call of the system gives if the disk is full.
[[nodiscard]] std::error_code full_disk_error();

/// Returns why the standard library could not open, read or write a file stream just now.
[[nodiscard]] std::error_code stream_error();

}  // namespace cachetool::system
