// SPDX-License-Identifier: MIT
#include "os/mapping.hpp"

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>

#include "os/posix/fd.hpp"

namespace larder::os {

namespace {

/// Gives a descriptor to boost::interprocess::mapped_region. Boost's own file_mapping would open a
/// path, and cannot use a handle that is open already.
struct Mappable {
    int fd;  // the caller's; the mapping does not need it once it is made
    [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const noexcept {
        return boost::interprocess::ipcdetail::mapping_handle_from_file_handle(fd);
    }
};

}  // namespace

struct Mapping::Region {
    boost::interprocess::mapped_region mapped;
};

Result<Mapping> Mapping::map(const FileHandle& file, std::size_t size,
                             const std::filesystem::path& path) {
    return map_for(Access::read_write, file, size, path);
}

Result<Mapping> Mapping::map_to_read(const FileHandle& file, std::size_t size,
                                     const std::filesystem::path& path) {
    return map_for(Access::read, file, size, path);
}

Result<Mapping> Mapping::map_for(Access access, const FileHandle& file, std::size_t size,
                                 const std::filesystem::path& path) {
    using namespace boost::interprocess;
    const auto mode = access == Access::read_write ? read_write : read_only;
    try {
        return Mapping(
            std::make_unique<Region>(Region{mapped_region(Mappable{fd_of(file)}, mode, 0, size)}));
    } catch (const interprocess_exception& exception) {
        return fail(exception.get_native_error(), "map", path);
    }
}

Mapping::Mapping(std::unique_ptr<Region> region) noexcept
    : region_(std::move(region)), data_(region_->mapped.get_address()) {}
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;

}  // namespace larder::os
