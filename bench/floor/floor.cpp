// SPDX-License-Identifier: MIT
#include "floor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "contest.hpp"

namespace bench {

namespace {

void must(bool done, const char* what) {
    if (!done) give_up(std::string(what) + ": " + std::to_string(errno));
}

/// The bytes of two locks in one file.
constexpr off_t gate = off_t{1} << 61, bucket_lock = gate + (off_t{1} << 60);

/// Calls fcntl(2) for a lock of one byte.
struct flock lock_call(int file, int command, short type, off_t byte) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    must(::fcntl(file, command, &range) == 0, "fcntl");
    return range;
}

int open_locks(int root) {
    const int file = ::openat(root, "locks", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0, "locks");
    return file;
}

void unlock(int file, off_t byte) {
    lock_call(file, F_OFD_SETLK, F_UNLCK, byte);
    ::close(file);
}

constexpr std::array<const char*, 10> files = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

}  // namespace

int open_directory(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0, path.c_str());
    return fd;
}

void read_link(int dir, const char* name) {
    std::array<char, 64> target;
    must(::readlinkat(dir, name, target.data(), target.size()) > 0 || errno == ENOENT,
         "readlinkat");
}

void write_files(int dir) {
    static const std::array<char, 4096> bytes = {'x'};
    for (const char* name : files) {
        const int fd = ::openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        must(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == ssize_t{bytes.size()}, "write");
        ::close(fd);
    }
}

void make_chain(const std::string& top, unsigned depth) {
    int dir = AT_FDCWD;
    for (unsigned i = 0; i < depth; ++i) {
        const char* const name = i == 0 ? top.c_str() : "d";
        must(::mkdirat(dir, name, 0700) == 0 || errno == EEXIST, "mkdirat");
        const int below = ::openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(below >= 0, "openat");
        const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, timespec{1, 0}};
        must(::futimens(below, times.data()) == 0, "utimensat");
        if (i > 0) ::close(dir);
        dir = below;
    }
    ::close(dir);
}

BarePut::BarePut(const std::string& directory) {
    must(::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST, directory.c_str());
    root = open_directory(directory);
    for (const char* name : {"staging", "archive", "buckets", "buckets/bench-v1"}) {
        must(::mkdirat(root, name, 0700) == 0 || errno == EEXIST, name);
    }
    staging = open_directory(directory + "/staging");
    archive = open_directory(directory + "/archive");
    bucket = open_directory(directory + "/buckets/bench-v1");
}

void BarePut::put(const char* id, const char* key) const {
    must(::mkdirat(staging, id, 0700) == 0, "mkdirat");
    const int dir = ::openat(staging, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(dir >= 0, "openat");
    write_files(dir);
    ::close(dir);
    must(::renameat(staging, id, archive, id) == 0, "renameat");
    must(::symlinkat(id, staging, key) == 0, "symlinkat");
    must(::renameat(staging, key, bucket, key) == 0, "renameat");
}

void BarePut::undo(const char* id, const char* key) const {
    must(::unlinkat(bucket, key, 0) == 0, "unlinkat");
    const int dir = ::openat(archive, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const char* name : files) must(::unlinkat(dir, name, 0) == 0, "unlinkat");
    ::close(dir);
    must(::unlinkat(archive, id, AT_REMOVEDIR) == 0, "rmdir");
}

BareLocks::BareLocks(const std::string& directory) {
    must(::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST, directory.c_str());
    root = open_directory(directory);
    for (const char* name : {"pins", "retired"})
        must(::mkdirat(root, name, 0700) == 0 || errno == EEXIST, name);
    pins = open_directory(directory + "/pins");
    retired = open_directory(directory + "/retired");
}

void BareLocks::pin(const char* key) const {
    const int file = open_locks(root);
    lock_call(file, F_OFD_GETLK, F_WRLCK, gate);
    lock_call(file, F_OFD_SETLK, F_RDLCK, bucket_lock);
    const int made = ::openat(pins, key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(made >= 0, "openat");
    ::close(made);
    unlock(file, bucket_lock);
}

void BareLocks::unpin(const char* key) const { must(::unlinkat(pins, key, 0) == 0, "unlinkat"); }

void BareLocks::remove(const char* key) const {
    const int waiting = open_locks(root), file = open_locks(root);
    lock_call(waiting, F_OFD_SETLK, F_WRLCK, gate);
    lock_call(file, F_OFD_SETLK, F_WRLCK, bucket_lock);
    unlock(waiting, gate);
    read_link(root, key);
    must(::renameat(root, key, retired, key) == 0, "renameat");
    unlock(file, bucket_lock);
}

void BareLocks::undo_remove(const char* key) const {
    must(::renameat(retired, key, root, key) == 0, "renameat");
}

void open_get_close(const std::string& lock_file, const std::string& buckets, const char* name) {
    const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(lock >= 0 && ::flock(lock, LOCK_SH) == 0, "lock");
    const int dir = open_directory(buckets);
    read_link(dir, name);
    read_link(dir, name);
    ::close(dir);
    ::close(lock);
}

}  // namespace bench
