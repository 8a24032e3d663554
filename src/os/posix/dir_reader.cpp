// SPDX-License-Identifier: MIT
#include "os/dir_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "os/posix/fd.hpp"

namespace larder::os {

namespace {

/// Opens the directory a second time. The result has a position of its own.
Result<Fd> open_again(const Dir& dir) {
    Fd fd(retry(
        [&] { return ::openat(fd_of(dir.handle), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) return fail(errno, "open directory", dir.path);
    return fd;
}

/// Returns whether a name is "." or "..".
bool is_dots(const char* name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/// Returns the kind that a listing gives; many file systems give none.
FileKind kind_of(unsigned char type) {
    switch (type) {
        case DT_UNKNOWN:
            return FileKind::unknown;
        case DT_REG:
            return FileKind::regular;
        case DT_DIR:
            return FileKind::directory;
        case DT_LNK:
            return FileKind::symlink;
        case DT_CHR:
            return FileKind::character_device;
        default:
            return FileKind::other;
    }
}

}  // namespace

#ifdef __linux__
// Linux lists by the system call itself. A DIR of glibc would own the descriptor, which may be
// borrowed here, and makes three system calls before it lists anything.

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

#endif

/// A listing, and how far it was read.
struct DirReader::Listing {
#ifdef __linux__
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
#else
    /// Takes the stream over.
    Listing(DIR* opened, DirPath at_path) : stream(opened), path(std::move(at_path)) {}
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing() { ::closedir(stream); }

    DIR* stream;   // owned, with its descriptor
    DirPath path;  // for messages
#endif
};

#ifdef __linux__

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd own, open_again(dir));
    const int fd = own.get();
    return DirReader(std::make_unique<Listing>(std::move(own), fd, dir.path));
}

Result<DirReader> DirReader::borrow(const Dir& dir) {
    return DirReader(std::make_unique<Listing>(Fd(), fd_of(dir.handle), dir.path));
}

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

Result<DirEntry> DirReader::next() {
    for (Listing& listing = *listing_;;) {
        TRY_ASSIGN(const bool has_more, listing.fill());
        if (!has_more) return DirEntry{};
        // The kernel aligns each entry, and fills the buffer with whole ones.
        const auto* const entry = reinterpret_cast<const RawEntry*>(listing.buffer + listing.at);
        listing.at += entry->length;
        if (!is_dots(entry->name)) return DirEntry{entry->name, kind_of(entry->type)};
    }
}

void DirReader::rewind() noexcept {
    // This can't fail: the descriptor is that of a directory.
    (void)retry([&] { return ::lseek(listing_->fd, 0, SEEK_SET); });
    listing_->at = listing_->end = 0;
}

#else

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd fd, open_again(dir));
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
        if (!is_dots(entry->d_name)) return DirEntry{entry->d_name, kind_of(entry->d_type)};
    }
}

void DirReader::rewind() noexcept { ::rewinddir(listing_->stream); }

#endif

DirReader::DirReader(std::unique_ptr<Listing> listing) noexcept : listing_(std::move(listing)) {}
DirReader::DirReader(DirReader&&) noexcept = default;
DirReader& DirReader::operator=(DirReader&&) noexcept = default;
DirReader::~DirReader() = default;

}  // namespace larder::os
