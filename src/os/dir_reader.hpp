// SPDX-License-Identifier: MIT
// Lists a directory.
#pragma once

#include <memory>

#include "os/file_info.hpp"

namespace larder::os {

struct DirEntry {
    const char* name = nullptr;
    FileKind kind = FileKind::unknown;  ///< unknown if the file system does not say

    [[nodiscard]] explicit operator bool() const noexcept { return name != nullptr; }
};

/// The names in a directory, one by one, without "." and "..".
class DirReader {
public:
    /// Opens the directory again, and so has a position of its own.
    [[nodiscard]] static Result<DirReader> open(const Dir& dir);
    /// Reads from `dir`'s own handle if the system can, without opening it again. Requires: nothing
    /// else lists by that handle, and it stays open as long as this reads.
    [[nodiscard]] static Result<DirReader> borrow(const Dir& dir);
    DirReader(DirReader&& other) noexcept;
    DirReader& operator=(DirReader&& other) noexcept;
    ~DirReader();

    /// Returns the next name, which is valid until the next call; an entry that is false at the
    /// end.
    [[nodiscard]] Result<DirEntry> next();
    /// Begins again, and sees what has appeared since.
    void rewind() noexcept;

private:
    struct Listing;
    explicit DirReader(std::unique_ptr<Listing> listing) noexcept;
    std::unique_ptr<Listing> listing_;
};

/// Calls `visit(name, kind)`, which returns a Result<>, for each name in `dir`.
template <class Visit>
[[nodiscard]] Result<> for_each_name(const Dir& dir, Visit visit) {
    if (!dir.is_open()) return {};
    TRY_ASSIGN(auto reader, DirReader::open(dir));
    for (;;) {
        TRY_ASSIGN(const DirEntry entry, reader.next());
        if (!entry) return {};
        TRY(visit(std::string(entry.name), entry.kind));
    }
}

}  // namespace larder::os
