// SPDX-License-Identifier: MIT
// A file as memory that survives the death of the process which writes to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "stress/system/error.hpp"

namespace larder::stress {

/// A file that is mapped shared once, at the greatest size that it may have, and grows under the
/// mapping. Only addresses are spent in advance.
///
/// Space is allocated before it is touched, never sparse: a page for which the disk has no space
/// would be a SIGBUS. So a caller touches only what was allocated.
class MappedFile {
public:
    /// Makes the file, or empties it, allocates its first `size` bytes and maps `greatest_size`. If
    /// that fails no file is left.
    [[nodiscard]] static SystemResult<MappedFile> create(const std::filesystem::path& path,
                                                         std::uint64_t size,
                                                         std::size_t greatest_size);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile();

    [[nodiscard]] void* data() const noexcept { return data_; }
    /// Allocates the bytes between `from` and `to`.
    [[nodiscard]] SystemResult<> allocate(std::uint64_t from, std::uint64_t to) const noexcept;

private:
    MappedFile(int fd, void* data, std::size_t mapped) noexcept
        : fd_(fd), data_(data), mapped_(mapped) {}
    int fd_;
    void* data_;
    std::size_t mapped_;
};

}  // namespace larder::stress
