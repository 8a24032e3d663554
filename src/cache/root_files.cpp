// SPDX-License-Identifier: MIT
#include "cache/root_files.hpp"

#include "format/layout.hpp"
#include "os/file_info.hpp"

namespace larder::cache {

Result<> write_if_missing(const os::Dir& root, const char* name, std::string_view text,
                          os::Permissions permissions) {
    if (const auto info = os::stat_at(root, name)) {
        if (!info->is_regular() || info->size >= text.size()) return {};
        const auto begun = os::read_file_at(root, name, text.size());
        if (!begun || !text.starts_with(*begun)) return {};
        TRY_ASSIGN(const os::FileHandle file, os::open_at(root, name, os::OpenMode::read_write));
        if (const auto error = os::write_at(file, text.data(), text.size(), 0))
            return os::fail(error, "write", root / name);
        return os::sync(file, root / name);
    }
    auto written = os::write_new_file_at(root, name, text, permissions);
    // A file system that is full, or refuses to make files, may still have this one.
    const bool stands =
        written || why_of(written) == Why::exists || os::exists_at(root, name).value_or(false);
    return stands ? Result<>() : written;
}

Result<> mend_tags(const os::Dir& root) {
    TRY(write_if_missing(root, format::cachedir_tag_name, format::cachedir_tag_text));
    return write_if_missing(root, format::gitignore_name, format::gitignore_text);
}

}  // namespace larder::cache
