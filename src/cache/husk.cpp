// SPDX-License-Identifier: MIT
#include "cache/husk.hpp"

#include "cache/lease_table.hpp"
#include "format/boot_file.hpp"
#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"

namespace larder::cache {

namespace {

/// Returns whether `is_fine` says so of every name in a directory. What can't be looked at is not
/// fine.
template <class IsFine>
Result<bool> holds_only(const os::Dir& dir, IsFine is_fine) {
    bool all = true;
    TRY(os::for_each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
        if (all) all = is_fine(name).value_or(false);
        return {};
    }));
    return all;
}

/// Returns whether a directory of a root holds nothing that a user could miss.
Result<bool> is_husk_part(const os::Dir& dir, const std::string& part) {
    return holds_only(dir, [&](const std::string& name) -> Result<bool> {
        TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, name));
        if (part == format::participants_name && format::parse_participant_name(name)) {
            if (!info.is_regular()) return false;
            if (info.size == 0) return true;
            TRY_ASSIGN(const auto file, os::open_at(dir, name, os::OpenMode::read));
            return info.size == sizeof(format::LeaseTableBytes) &&
                   read_table(file, dir / name).has_value();
        }
        if (part == format::boots_name)
            return format::is_boot_name(name) && info.is_regular() &&
                   info.size <= format::max_boot_file;
        if (!info.is_directory()) return false;
        TRY_ASSIGN(const os::Dir below, os::open_dir_at(dir, name));
        return holds_only(below, [](const std::string&) -> Result<bool> { return false; });
    });
}

}  // namespace

Result<bool> is_husk(const os::Dir& root) {
    bool has_sign = false;  // that it is larder's: a .gitignore alone is none
    TRY_ASSIGN(const bool husk, holds_only(root, [&](const std::string& name) -> Result<bool> {
                   if (name == format::gitignore_name)
                       return holds_beginning_of(root, format::gitignore_name,
                                                 format::gitignore_text);
                   if (!format::is_root_name(name)) return false;
                   has_sign = true;
                   if (name == format::cachedir_tag_name)
                       return holds_beginning_of(root, format::cachedir_tag_name,
                                                 format::cachedir_tag_text);
                   if (name == format::locks_name) {
                       TRY_ASSIGN(const os::FileInfo info, os::stat_at(root, name));
                       return info.is_regular() && info.size == 0;
                   }
                   TRY_ASSIGN(const os::Dir dir, os::open_dir_at(root, name));
                   return is_husk_part(dir, name);
               }));
    return husk && has_sign;
}

bool holds_beginning_of(const os::Dir& dir, const char* name, std::string_view text) {
    const auto read = os::read_file_at(dir, name, format::max_format);
    return read && text.starts_with(*read);
}

}  // namespace larder::cache
