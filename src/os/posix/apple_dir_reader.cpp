// SPDX-License-Identifier: MIT
// Lists a directory on macOS by readdir(3). This file was compiled for macOS, but never run there.
#ifdef __APPLE__

#include <dirent.h>

#include "os/dir_reader.hpp"
#include "os/posix/dir_entry.hpp"

namespace larder::os {

/// A listing, and how far it was read.
struct DirReader::Listing {
    /// Takes the stream over.
    Listing(DIR* opened, DirPath at_path) : stream(opened), path(std::move(at_path)) {}
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing() { ::closedir(stream); }

    DIR* stream;   // owned, with its descriptor
    DirPath path;  // for messages
};

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd fd, open_to_list(dir));
    DIR* stream = nullptr;
    const auto make_stream = [&] {
        stream = ::fdopendir(fd.get());
        return stream == nullptr ? -1 : 0;
    };
    if (retry(make_stream) != 0) return fail(errno, "open directory", dir.path);
    (void)fd.release();  // the stream has it now
    return DirReader(std::make_unique<Listing>(stream, dir.path));
}

/// Opens the directory again all the same: a stream owns its descriptor, and can't borrow one.
Result<DirReader> DirReader::borrow(const Dir& dir) { return open(dir); }

DirReader::DirReader(std::unique_ptr<Listing> listing) noexcept : listing_(std::move(listing)) {}
DirReader::DirReader(DirReader&&) noexcept = default;
DirReader& DirReader::operator=(DirReader&&) noexcept = default;
DirReader::~DirReader() = default;

Result<DirEntry> DirReader::next() {
    for (;;) {
        // The end and an error both return null. Only an error sets errno.
        const dirent* entry = nullptr;
        const auto read = [&] {
            errno = 0;
            entry = ::readdir(listing_->stream);
            return entry == nullptr && errno != 0 ? -1 : 0;
        };
        // ENOENT is an end too: another process has removed the directory meanwhile.
        if (retry(read) != 0 && errno != ENOENT) return fail(errno, "list", listing_->path);
        if (entry == nullptr) return DirEntry{};
        if (!is_dots(entry->d_name)) return DirEntry{entry->d_name, kind_in_listing(entry->d_type)};
    }
}

void DirReader::rewind() noexcept { ::rewinddir(listing_->stream); }

}  // namespace larder::os

#endif
