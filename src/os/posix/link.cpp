// SPDX-License-Identifier: MIT
#include "os/link.hpp"

#include <unistd.h>

#include "os/file_info.hpp"
#include "os/posix/fd.hpp"

namespace larder::os {

CallResult<std::size_t> read_symlink_at(const Dir& parent, const char* path, char* text,
                                        std::size_t size) noexcept {
    const ssize_t length =
        retry([&] { return ::readlinkat(fd_of(parent.handle), path, text, size); });
    if (length < 0) return tl::unexpected(std::error_code(errno, std::system_category()));
    return static_cast<std::size_t>(length);
}

Result<> make_symlink_at(const Dir& parent, const std::string& name, const std::string& text) {
    bool interrupted = false;
    if (retry([&] { return ::symlinkat(text.c_str(), fd_of(parent.handle), name.c_str()); },
              interrupted) == 0)
        return {};
    const int error = errno;
    // The call that was interrupted may have made the link: see the rules in fd.hpp.
    if (interrupted && error == EEXIST) {
        std::string there(text.size() + 1, '\0');
        const auto length = read_symlink_at(parent, name.c_str(), there.data(), there.size());
        if (length && std::string_view(there.data(), *length) == text) return {};
    }
    return fail(error, "make link", parent / name);
}

Result<> make_hard_link(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                        const std::string& to) {
    bool interrupted = false;
    const auto link = [&] {
        return ::linkat(fd_of(from_dir.handle), from.c_str(), fd_of(to_dir.handle), to.c_str(), 0);
    };
    if (retry(link, interrupted) == 0) return {};
    const int error = errno;
    // As above: another name of the same file is what the caller wanted.
    if (interrupted && error == EEXIST) {
        const auto source = try_stat_at(from_dir, from.c_str());
        const auto made = try_stat_at(to_dir, to.c_str());
        if (source && made && source->identity == made->identity) return {};
    }
    return refused(error, "link", to_dir / to);
}

}  // namespace larder::os
