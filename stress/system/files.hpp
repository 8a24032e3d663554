// SPDX-License-Identifier: MIT
// Files of the harness: read, written and looked at. A call that a signal interrupts is made again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "stress/system/error.hpp"

namespace larder::stress {

/// A file open for reading. It is read and never mapped, so that a file which shrinks meanwhile is
/// an error and not a SIGBUS.
class InputFile {
public:
    /// Opens a file. Does not follow a symlink in the last component, and does not wait for a pipe.
    [[nodiscard]] static SystemResult<InputFile> open(const std::filesystem::path& path);
    InputFile(InputFile&& other) noexcept;
    InputFile& operator=(InputFile&&) = delete;
    ~InputFile();

    /// Reads up to `size` bytes from the present position on. Returns how many there were; 0 at the
    /// end.
    [[nodiscard]] SystemResult<std::size_t> read(void* to, std::size_t size) const;
    /// The same from `offset` on.
    [[nodiscard]] SystemResult<std::size_t> read_at(void* to, std::size_t size,
                                                    std::uint64_t offset) const;
    /// Returns how long the file is; nullopt if it is no regular file.
    [[nodiscard]] SystemResult<std::optional<std::uint64_t>> regular_size() const;

private:
    explicit InputFile(int fd) noexcept : fd_(fd) {}
    int fd_;
};

/// A file that is made and filled.
class OutputFile {
public:
    /// Makes a file. Fails if something stands at `path`.
    [[nodiscard]] static SystemResult<OutputFile> create(const std::filesystem::path& path,
                                                         std::uint32_t mode);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    /// Writes all of it.
    [[nodiscard]] SystemResult<> write(std::string_view bytes) const;
    /// Sets the permissions, whatever the umask says.
    [[nodiscard]] SystemResult<> set_mode(std::uint32_t mode) const;

private:
    explicit OutputFile(int fd) noexcept : fd_(fd) {}
    int fd_;
};

/// Reads the whole of a file.
[[nodiscard]] SystemResult<std::string> read_whole_file(const std::filesystem::path& path);

/// Appends a line to a file, and makes the file if it is missing. If that fails the line goes to
/// standard error.
void append_line(const std::filesystem::path& path, std::string_view line) noexcept;

/// What stands at a name.
struct FileStatus {
    std::filesystem::file_type type = std::filesystem::file_type::none;
    std::uint64_t size = 0;
    std::uint32_t mode = 0;  ///< the permission bits
};
/// Looks at what stands at `path`, and at a symlink itself.
[[nodiscard]] SystemResult<FileStatus> status_of(const std::filesystem::path& path);

/// Makes a directory with a name of its own. `pattern` ends in XXXXXX, which is replaced.
[[nodiscard]] Result<std::filesystem::path> make_temporary_directory(
    const std::filesystem::path& pattern);

/// Returns whether this process may run the file.
[[nodiscard]] bool is_executable(const std::filesystem::path& path) noexcept;

/// Returns the path of the program that this process runs; an empty path if the system does not
/// say.
[[nodiscard]] std::filesystem::path this_program();

}  // namespace larder::stress
