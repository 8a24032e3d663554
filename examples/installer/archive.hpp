// SPDX-License-Identifier: MIT
// Reads a zip archive, member by member. It trusts nothing that the archive says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "failure.hpp"

struct archive;
struct archive_entry;

namespace installer {

struct Member {
    /// A relative path of plain names, without a slash at its end. It is safe to print and to use.
    std::string path;
    bool is_directory = false;
    bool is_executable = false;
};

/// Concurrency: one thread uses it.
class Archive {
public:
    [[nodiscard]] static Result<Archive> open(const fs::path& path);
    Archive(Archive&& other) noexcept
        : path_(std::move(other.path_)), reader_(std::exchange(other.reader_, nullptr)) {}
    Archive& operator=(Archive&&) = delete;
    ~Archive();

    /// Returns the next member, in the order of the archive, or nullopt at its end.
    /// Errors: `build` if the archive is damaged, or if the member
    /// - is neither a file nor a directory,
    /// - is encrypted, or
    /// - has a path that could lead out of a tree, or that two readers could understand
    ///   differently.
    [[nodiscard]] Result<std::optional<Member>> next();

    /// Reads the next bytes of the member and returns their number. Returns 0 at the member's end.
    /// By then its checksum has been compared.
    [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);

private:
    Archive(fs::path path, archive* reader) : path_(std::move(path)), reader_(reader) {}
    fs::path path_;
    archive* reader_;
    std::string member_;
};

}  // namespace installer
