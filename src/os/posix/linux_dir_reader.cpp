// SPDX-License-Identifier: MIT
// Lists a directory on Linux by the system call itself. A DIR of the C library would own the
// descriptor, which may be borrowed here. That of glibc also makes three system calls before it
// lists anything.
#ifdef __linux__

#include <sys/syscall.h>
#include <unistd.h>

#include "os/dir_reader.hpp"
#include "os/posix/dir_entry.hpp"

namespace larder::os {

namespace {

constexpr std::size_t buffer_size = 32'768;  // as glibc has: a call returns some thousand names

/// What getdents64(2) writes for each name: linux_dirent64, which no header declares. The name
/// continues behind the struct, up to a zero byte.
struct RawEntry {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;  ///< of the whole entry, up to the next one
    unsigned char type;
    char name[1];
};

}  // namespace

/// A listing, and how far it was read.
struct DirReader::Listing {
    Listing(Fd opened, int reads_from, DirPath at_path)
        : own(std::move(opened)), fd(reads_from), path(std::move(at_path)) {}

    /// Fills the buffer with the next entries, if all in it were handed out. Returns false at the
    /// end of the listing.
    Result<bool> fill();

    Fd own;                       // none if the descriptor is borrowed
    int fd;                       // that of `own`, or the borrowed one
    DirPath path;                 // for messages
    std::size_t at = 0, end = 0;  // the part of the buffer that was not handed out yet
    alignas(RawEntry) char buffer[buffer_size];  // not initialized
};

Result<bool> DirReader::Listing::fill() {
    if (at != end) return true;
    const long got = retry([&] { return ::syscall(SYS_getdents64, fd, buffer, buffer_size); });
    // A directory that another process has removed meanwhile has no names any more. That is the end
    // of the listing, as POSIX says of readdir.
    if (got == 0 || (got < 0 && errno == ENOENT)) return false;
    if (got < 0) return fail(errno, "list", path);
    at = 0;
    end = static_cast<std::size_t>(got);
    return true;
}

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd own, open_to_list(dir));
    const int fd = own.get();
    return DirReader(std::make_unique<Listing>(std::move(own), fd, dir.path));
}

Result<DirReader> DirReader::borrow(const Dir& dir) {
    return DirReader(std::make_unique<Listing>(Fd(), fd_of(dir.handle), dir.path));
}

DirReader::DirReader(std::unique_ptr<Listing> listing) noexcept : listing_(std::move(listing)) {}
DirReader::DirReader(DirReader&&) noexcept = default;
DirReader& DirReader::operator=(DirReader&&) noexcept = default;
DirReader::~DirReader() = default;

Result<DirEntry> DirReader::next() {
    for (Listing& listing = *listing_;;) {
        TRY_ASSIGN(const bool has_more, listing.fill());
        if (!has_more) return DirEntry{};
        // The kernel aligns each entry, and fills the buffer with whole ones.
        const auto* const entry = reinterpret_cast<const RawEntry*>(listing.buffer + listing.at);
        listing.at += entry->length;
        if (!is_dots(entry->name)) return DirEntry{entry->name, kind_in_listing(entry->type)};
    }
}

void DirReader::rewind() noexcept {
    // This can't fail: the descriptor is that of a directory.
    (void)retry([&] { return ::lseek(listing_->fd, 0, SEEK_SET); });
    listing_->at = listing_->end = 0;
}

}  // namespace larder::os

#endif
