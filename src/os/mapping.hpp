// SPDX-License-Identifier: MIT
// A file as memory that processes share.
#pragma once

#include <cstddef>
#include <memory>

#include "os/dir.hpp"

namespace larder::os {

/// The first bytes of a file, for reading and writing, until the destructor. The file may be closed
/// earlier.
class Mapping {
public:
    /// Maps `size` bytes. Requires: the file has at least that many.
    [[nodiscard]] static Result<Mapping> map(const FileHandle& file, std::size_t size,
                                             const std::filesystem::path& path);
    /// Does the same for reading only.
    [[nodiscard]] static Result<Mapping> map_to_read(const FileHandle& file, std::size_t size,
                                                     const std::filesystem::path& path);
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    ~Mapping();

    [[nodiscard]] void* data() const noexcept { return data_; }

private:
    struct Region;
    static Result<Mapping> map_as(const FileHandle& file, std::size_t size, bool writable,
                                  const std::filesystem::path& path);
    explicit Mapping(std::unique_ptr<Region> region) noexcept;

    std::unique_ptr<Region> region_;
    void* data_ = nullptr;
};

}  // namespace larder::os
