// SPDX-License-Identifier: MIT
#include "stress/system/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stress/system/posix.hpp"

namespace larder::stress {

namespace {

SystemResult<> allocate_in(int fd, std::uint64_t from, std::uint64_t to) noexcept {
    const int refused =
        ::posix_fallocate(fd, static_cast<off_t>(from), static_cast<off_t>(to - from));
    if (refused != 0) return tl::make_unexpected(std::error_code(refused, std::generic_category()));
    return {};
}

}  // namespace

SystemResult<MappedFile> MappedFile::create(const std::filesystem::path& path, std::uint64_t size,
                                            std::size_t greatest_size) {
    Fd fd(
        retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600); }));
    if (!fd) return tl::make_unexpected(last_reason());
    const auto give_up = [&](const std::error_code& reason) {
        ::unlink(path.c_str());
        return tl::make_unexpected(reason);
    };
    if (const auto allocated = allocate_in(fd.get(), 0, size); !allocated)
        return give_up(allocated.error());
    void* const data = ::mmap(nullptr, greatest_size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
    if (data == MAP_FAILED) return give_up(last_reason());
    return MappedFile(fd.release(), data, greatest_size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      data_(std::exchange(other.data_, nullptr)),
      mapped_(other.mapped_) {}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(data_, mapped_);
    if (fd_ >= 0) ::close(fd_);
}

SystemResult<> MappedFile::allocate(std::uint64_t from, std::uint64_t to) const noexcept {
    return allocate_in(fd_, from, to);
}

}  // namespace larder::stress
