// SPDX-License-Identifier: MIT
#include "os/file.hpp"

#include <array>

#include "os/file_info.hpp"

namespace larder::os {

Result<std::string> read_file_at(const Dir& parent, const std::string& name, std::size_t limit) {
    const auto no_file = [&] {
        return larder::fail(Errc::damaged, "read", parent / name, "not a regular file");
    };
    // Without blocking, because a pipe may stand there.
    const auto file = open_at(parent, name, OpenMode::read_nonblocking);
    if (why_of(file) == Why::no_device) return no_file();  // a socket can't be opened
    TRY(file);
    const auto info = try_stat(*file);
    if (!info) return fail(info.error(), "look at", parent / name);
    if (!info->is_regular()) return no_file();
    std::string bytes;
    std::array<char, 4096> chunk{};
    for (;;) {
        const auto got = read_some(*file, chunk.data(), chunk.size());
        if (!got) return fail(got.error(), "read", parent / name);
        bytes.append(chunk.data(), *got);
        if (bytes.size() > limit)
            return fail(Errc::damaged, "read", parent / name,
                        "larger than anything larder writes here");
        // A read that has reached the size need not be followed by one that finds the end. (A file
        // in user space may have no size, and then only that one tells.)
        if (*got == 0 || (*got < chunk.size() && bytes.size() == info->size)) return bytes;
    }
}

Result<> write_new_file_at(const Dir& parent, const std::string& name, std::string_view bytes,
                           Permissions permissions) {
    // The path comes first: if memory ran out between the two calls, an empty file would be left.
    const std::filesystem::path path = parent / name;
    TRY_ASSIGN(const FileHandle file, open_at(parent, name, OpenMode::create_new, permissions));
    auto written = write_all(file, bytes, path);
    if (!written) (void)remove_file_at(parent, name);
    return written;
}

Result<> sync(const Dir& dir) { return sync(dir.handle, dir.path); }

}  // namespace larder::os
