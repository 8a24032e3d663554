// SPDX-License-Identifier: MIT
// Listing a directory.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <memory>

#include "os/file.hpp"

namespace larder::os {

struct DirEntry {
    const char* name = nullptr;
    unsigned char type = DT_UNKNOWN;  ///< a dirent's: DT_UNKNOWN where the file system does not say

    [[nodiscard]] explicit operator bool() const noexcept { return name != nullptr; }
};

/// The names in a directory, one by one, without "." and "..".
class DirReader {
public:
    /// One with a position of its own.
    [[nodiscard]] static Result<DirReader> open(const Dir& dir);
    /// One that reads from `dir`'s descriptor where the system can, without opening it again. Requires: nobody else does, from its
    /// opening on, and it stays open as long as this reads.
    [[nodiscard]] static Result<DirReader> borrow(const Dir& dir);

    /// False at the end. The name is valid until the next call.
    [[nodiscard]] Result<DirEntry> next();
    /// Begins again, and sees what has appeared since.
    void rewind() noexcept;

private:
#ifdef __linux__
    DirReader(Fd own, int fd, std::filesystem::path path);
    Fd own_;
    int fd_;
    std::unique_ptr<char[]> buffer_;
    std::size_t at_ = 0, end_ = 0;
#else
    struct Close {
        void operator()(DIR* stream) const noexcept { ::closedir(stream); }
    };
    DirReader(DIR* stream, std::filesystem::path path) noexcept
        : stream_(stream), path_(std::move(path)) {}
    std::unique_ptr<DIR, Close> stream_;
#endif
    std::filesystem::path path_;
};

/// Calls `visit(name, d_type)`, which returns a Result<>, for each name in `dir`.
template <class Visit>
[[nodiscard]] Result<> for_each_name(const Dir& dir, Visit visit) {
    if (!dir.fd) return {};
    TRY_ASSIGN(auto reader, DirReader::open(dir));
    for (;;) {
        TRY_ASSIGN(const DirEntry entry, reader.next());
        if (!entry) return {};
        TRY(visit(std::string(entry.name), entry.type));
    }
}

}  // namespace larder::os
