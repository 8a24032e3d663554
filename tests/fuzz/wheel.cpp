// SPDX-License-Identifier: MIT
// The installer's wheels: an archive that it accepts means what it says, and leads only below the
// target.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <installer/archive.hpp>
#include <installer/tree.hpp>
#include <installer/wheel.hpp>
#include <installer/zip_directory.hpp>
#include <set>

#include "property.hpp"

using namespace larder::fuzz;

namespace {

/// Makes a file in memory with these bytes, and a path that opens it.
std::filesystem::path file_of(std::string_view bytes) {
    static const int fd = ::memfd_create("wheel", MFD_CLOEXEC);
    must(fd >= 0 && ::ftruncate(fd, 0) == 0, "there is a file");
    must(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
         "it can be written");
    return "/proc/self/fd/" + std::to_string(fd);
}

/// Reads everything, but at most `limit` bytes: the installer has limits of its own for what claims
/// to be large.
void read_through(const std::filesystem::path& path, std::size_t limit) {
    auto archive = installer::Archive::open(path);
    if (!archive) return;
    std::vector<char> buffer(64 * 1024);
    for (;;) {
        const auto member = archive->next();
        if (!member || !*member) return;
        must(installer::fault_of_path((**member).path).empty(),
             "a member's path leads nowhere else");
        for (;;) {
            const auto size = archive->read(buffer);
            if (!size || *size == 0) break;
            must(*size <= buffer.size(), "no more is read than there is room for");
            if (*size > limit) return;
            limit -= *size;
        }
    }
}

void inspect(const std::filesystem::path& path) {
    const installer::WheelFile wheel{path, "example", "1.0", "example-1.0-py3-none-any.whl seal:0",
                                     "0"};
    const installer::WheelLimits limits{1 << 20, 1000};
    const auto contents = installer::inspect(wheel, limits);
    if (!contents) return;
    const auto directory = installer::read_directory(path);
    must(directory.has_value(), "an archive that is accepted has a directory in order");
    const auto is_named = [&](std::string_view name) {
        return std::any_of(directory->lines.begin(), directory->lines.end(),
                           [&](const auto& line) { return line.name == name; });
    };
    std::set<std::string> destinations;
    for (const auto& [member, file] : contents->files) {
        must(is_named(member), "a member is named in the directory");
        must(installer::fault_of_path(file.destination).empty(),
             "a destination is a plain path below the target");
        must(file.is_dropped || destinations.insert(file.destination).second,
             "a destination is one member's alone");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = file_of(text_of(data, size));
    (void)installer::seal_of(path);
    read_through(path, 1 << 20);
    inspect(path);
    return 0;
}
