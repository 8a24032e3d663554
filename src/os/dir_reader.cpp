// SPDX-License-Identifier: MIT
#include "os/dir_reader.hpp"

#include <fcntl.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <cerrno>

namespace larder::os {

namespace {

Result<Fd> open_again(const Dir& dir) {
    const int fd =
        retry([&] { return ::openat(dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return fail(errno, "open directory", dir.path);
    return Fd(fd);
}

bool is_dots(const char* name) {
    return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

}  // namespace

#ifdef __linux__

// The system call itself: a DIR owns its descriptor, and looks at it in three calls before it lists anything.

namespace {

constexpr std::size_t buffer_size = 32'768;  // glibc's own: some thousand names a call

/// getdents64(2). Names follow their heads, and the next head follows its name.
struct Head {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[1];
};

}  // namespace

DirReader::DirReader(Fd own, int fd, std::filesystem::path path)
    : own_(std::move(own)),
      fd_(fd),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_size)),
      path_(std::move(path)) {}

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd own, open_again(dir));
    const int fd = own.get();
    return DirReader(std::move(own), fd, dir.path);
}

Result<DirReader> DirReader::borrow(const Dir& dir) { return DirReader(Fd(), dir.get(), dir.path); }

Result<DirEntry> DirReader::next() {
    for (;;) {
        if (at_ == end_) {
            const long got = ::syscall(SYS_getdents64, fd_, buffer_.get(), buffer_size);
            // A directory that was removed while it is read has no names any more: an end, as POSIX says of readdir.
            if (got == 0 || (got < 0 && errno == ENOENT)) return DirEntry{};
            if (got < 0) return fail(errno, "list", path_);
            at_ = 0;
            end_ = static_cast<std::size_t>(got);
        }
        const auto* const head =
            reinterpret_cast<const Head*>(buffer_.get() + at_);  // the kernel aligns them
        at_ += head->length;
        if (!is_dots(head->name)) return DirEntry{head->name, head->type};
    }
}

void DirReader::rewind() noexcept {
    (void)::lseek(fd_, 0, SEEK_SET);
    at_ = end_ = 0;
}

#else

Result<DirReader> DirReader::open(const Dir& dir) {
    TRY_ASSIGN(Fd fd, open_again(dir));
    DIR* const stream = ::fdopendir(fd.get());
    if (stream == nullptr) return fail(errno, "open directory", dir.path);
    (void)fd.release();
    return DirReader(stream, dir.path);
}

Result<DirReader> DirReader::borrow(const Dir& dir) { return open(dir); }

Result<DirEntry> DirReader::next() {
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(stream_.get());
        if (entry == nullptr && errno != 0) return fail(errno, "list", path_);
        if (entry == nullptr) return DirEntry{};
        if (!is_dots(entry->d_name)) return DirEntry{entry->d_name, entry->d_type};
    }
}

void DirReader::rewind() noexcept { ::rewinddir(stream_.get()); }

#endif

}  // namespace larder::os
