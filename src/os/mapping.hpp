// SPDX-License-Identifier: MIT
// A file as memory that processes share.
#pragma once

#include <cstddef>
#include <memory>

#include "os/dir.hpp"

namespace larder::os {

/// The first bytes of a file as memory, until the destructor. The file may be closed earlier. What
/// one process writes there, every other process that maps the file reads at once.
class Mapping {
public:
    /// Maps `size` bytes for reading and writing. `path` is for messages. Requires: the file has at
    /// least that many bytes, and does not become shorter: an access behind its end kills the
    /// process by SIGBUS.
    [[nodiscard]] static Result<Mapping> map(const FileHandle& file, std::size_t size,
                                             const std::filesystem::path& path);
    /// Does the same for reading only.
    [[nodiscard]] static Result<Mapping> map_to_read(const FileHandle& file, std::size_t size,
                                                     const std::filesystem::path& path);
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    ~Mapping();

    /// Returns the first byte. It is valid until the destructor, also if the Mapping is moved. An
    /// object that was moved from must not be asked.
    [[nodiscard]] void* data() const noexcept { return data_; }

private:
    enum class Access { read, read_write };
    struct Region;
    static Result<Mapping> map_for(Access access, const FileHandle& file, std::size_t size,
                                   const std::filesystem::path& path);
    explicit Mapping(std::unique_ptr<Region> region) noexcept;

    std::unique_ptr<Region> region_;  // owns the memory
    void* data_ = nullptr;            // in region_
};

}  // namespace larder::os
