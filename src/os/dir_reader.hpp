// SPDX-License-Identifier: MIT
// Lists a directory.
#pragma once

#include <memory>

#include "base/noted_errors.hpp"
#include "os/file_info.hpp"

namespace larder::os {

/// One name of a directory, or the end of the listing.
struct DirEntry {
    const char* name = nullptr;         ///< belongs to the reader; null at the end
    FileKind kind = FileKind::unknown;  ///< stays unknown if the file system does not say

    [[nodiscard]] explicit operator bool() const noexcept { return name != nullptr; }
};

/// Returns the names in a directory one by one, without "." and "..". A name that is made or
/// removed meanwhile may be returned or not; all others are returned once.
class DirReader {
public:
    /// Opens the directory a second time, so that this reader has a position of its own. `dir` need
    /// not outlive the reader.
    [[nodiscard]] static Result<DirReader> open(const Dir& dir);
    /// Reads from the handle of `dir` itself if the system can, and does not open the directory
    /// again. Requires: no other reader uses that handle, and it stays open as long as this reader.
    [[nodiscard]] static Result<DirReader> borrow(const Dir& dir);
    DirReader(DirReader&& other) noexcept;
    DirReader& operator=(DirReader&& other) noexcept;
    ~DirReader();

    /// Returns the next name, which is valid until the next call. At the end it returns a DirEntry
    /// that is false. A directory that another process has removed meanwhile is at its end.
    [[nodiscard]] Result<DirEntry> next();
    /// Begins the listing again. It then includes names that have appeared since.
    void rewind() noexcept;

private:
    struct Listing;
    explicit DirReader(std::unique_ptr<Listing> listing) noexcept;
    std::unique_ptr<Listing> listing_;
};

/// Calls `visit(name, kind)`, which returns a Result<>, for each name that the reader returns. Ends
/// at the first error, of listing or of `visit`, and returns it.
template <class Visit>
[[nodiscard]] Result<> for_each_name(DirReader reader, Visit visit) {
    for (;;) {
        TRY_ASSIGN(const DirEntry entry, reader.next());
        if (!entry) return {};
        TRY(visit(std::string(entry.name), entry.kind));
    }
}

/// Does the same for each name in `dir`. A `dir` that is not open has no names.
template <class Visit>
[[nodiscard]] Result<> for_each_name(const Dir& dir, Visit visit) {
    if (!dir.is_open()) return {};
    TRY_ASSIGN(auto reader, DirReader::open(dir));
    return for_each_name(std::move(reader), std::move(visit));
}

/// Returns whether a directory has no names. A `dir` that is not open has none.
[[nodiscard]] inline Result<bool> is_empty(const Dir& dir) {
    if (!dir.is_open()) return true;
    TRY_ASSIGN(auto reader, DirReader::open(dir));
    TRY_ASSIGN(const DirEntry first, reader.next());
    return !first;
}

/// Does what for_each_name does, but goes on after an error, and returns the first one at the end.
/// Only `interrupted` ends it at once.
template <class Visit>
[[nodiscard]] Result<> for_every_name(const Dir& dir, Visit visit) {
    NotedErrors errors;
    const auto listed = for_each_name(dir, [&](const std::string& name, FileKind kind) {
        return errors.note(visit(name, kind));
    });
    TRY(errors.note(listed));
    return errors.first();
}

}  // namespace larder::os
