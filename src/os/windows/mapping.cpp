// SPDX-License-Identifier: MIT
#include "os/mapping.hpp"

#include "os/windows/nt.hpp"

namespace larder::os {

struct Mapping::Region {
    explicit Region(void* mapped) noexcept : data(mapped) {}
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;
    ~Region() { ::UnmapViewOfFile(data); }

    void* data;
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
    const bool for_writing = access == Access::read_write;
    const HANDLE section =
        ::CreateFileMappingW(windows::handle_of(file), nullptr,
                             for_writing ? PAGE_READWRITE : PAGE_READONLY, 0, 0, nullptr);
    if (section == nullptr) return fail(windows::last_code(), "map", path);
    const FileHandle closed_at_end = windows::own(section);  // the view does not need it
    void* const data = ::MapViewOfFile(
        section, for_writing ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ, 0, 0, size);
    if (data == nullptr) return fail(windows::last_code(), "map", path);
    return Mapping(std::make_unique<Region>(data));
}

Mapping::Mapping(std::unique_ptr<Region> region) noexcept
    : region_(std::move(region)), data_(region_->data) {}
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;
Mapping::~Mapping() = default;

}  // namespace larder::os
