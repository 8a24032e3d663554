// SPDX-License-Identifier: MIT
// Reading a zip archive, member by member, believing nothing that it says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "failure.hpp"

struct archive;
struct archive_entry;

namespace installer {

struct Member {
    std::string
        path;  ///< relative, plain names only, no slash at the end; unlike any link it is safe to show and to use
    bool is_directory = false;
    bool is_executable = false;
};

/// Concurrency: one thread.
class Archive {
public:
    [[nodiscard]] static Result<Archive> open(const fs::path& path);
    Archive(Archive&& other) noexcept
        : path_(std::move(other.path_)), reader_(std::exchange(other.reader_, nullptr)) {}
    Archive& operator=(Archive&&) = delete;
    ~Archive();

    /// The next member, in the order of the archive, or nothing at its end.
    /// Errors: `build` for a member that is anything but a file or a directory, is encrypted, or whose path could lead out
    /// of a tree or mean different things to different people; and for an archive that is broken.
    [[nodiscard]] Result<std::optional<Member>> next();

    /// Reads on in the member: 0 at its end, which is where its checksum has been compared.
    [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);

private:
    Archive(fs::path path, archive* reader) : path_(std::move(path)), reader_(reader) {}
    fs::path path_;
    archive* reader_;
    std::string member_;
};

}  // namespace installer
