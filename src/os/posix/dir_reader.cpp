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

bool is_dots(const char* name) {
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
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

/// What getdents64(2) writes for each name: this head, and then the rest of the name.
struct Head {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
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

    Fd own;  // none if the descriptor is borrowed
    int fd;
    DirPath path;
    std::size_t at = 0, end = 0;             // the part of the buffer that was not handed out yet
    alignas(Head) char buffer[buffer_size];  // not initialized
#else
    Listing(DIR* opened, DirPath at_path) : stream(opened), path(std::move(at_path)) {}
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing() { ::closedir(stream); }

    DIR* stream;
    DirPath path;
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

Result<DirEntry> DirReader::next() {
    for (Listing& listing = *listing_;;) {
        if (listing.at == listing.end) {
            const long got = retry(
                [&] { return ::syscall(SYS_getdents64, listing.fd, listing.buffer, buffer_size); });
            // A directory that another process has removed meanwhile has no names any more. That
            // is the end of the listing, as POSIX says of readdir.
            if (got == 0 || (got < 0 && errno == ENOENT)) return DirEntry{};
            if (got < 0) return fail(errno, "list", listing.path);
            listing.at = 0;
            listing.end = static_cast<std::size_t>(got);
        }
        const auto* const head =
            reinterpret_cast<const Head*>(listing.buffer + listing.at);  // the kernel aligns them
        listing.at += head->length;
        if (!is_dots(head->name)) return DirEntry{head->name, kind_of(head->type)};
    }
}

void DirReader::rewind() noexcept {
    (void)retry([&] { return ::lseek(listing_->fd, 0, SEEK_SET); });
    listing_->at = listing_->end = 0;
}

#else

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd fd, open_again(dir));
    DIR* stream = nullptr;
    if (retry([&] {
            stream = ::fdopendir(fd.get());
            return stream == nullptr ? -1 : 0;
        }) != 0)
        return fail(errno, "open directory", dir.path);
    (void)fd.release();
    return DirReader(std::make_unique<Listing>(stream, dir.path));
}

Result<DirReader> DirReader::borrow(const Dir& dir) { return open(dir); }

Result<DirEntry> DirReader::next() {
    for (;;) {
        const dirent* entry = nullptr;
        (void)retry([&] {
            errno = 0;
            entry = ::readdir(listing_->stream);
            return entry == nullptr && errno != 0 ? -1 : 0;
        });
        // ENOENT is an end too: another process has removed the directory meanwhile.
        if (entry == nullptr && errno != 0 && errno != ENOENT)
            return fail(errno, "list", listing_->path);
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
