// SPDX-License-Identifier: MIT
#include "cache/husk.hpp"

#include "cache/lease_table.hpp"
#include "format/boot_file.hpp"
#include "format/format_file.hpp"
#include "format/id.hpp"
#include "format/judged_file.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/root_file.hpp"
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

/// What the directories of a root may hold.
enum class Holds { husk, remains };

/// Returns whether a lease table, or the beginning of one, stands there.
Result<bool> is_table(const os::Dir& dir, const std::string& name) {
    TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, name));
    if (!format::parse_participant_name(name) || !info.is_regular()) return false;
    if (info.size == 0) return true;
    TRY_ASSIGN(const auto file, os::open_at(dir, name, os::OpenMode::read));
    return info.size == sizeof(format::LeaseTableBytes) && read_table(file, dir / name).has_value();
}

/// Returns whether a regular file stands there that holds no more bytes than that.
Result<bool> is_file_up_to(const os::Dir& dir, const std::string& name, std::size_t longest) {
    TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, name));
    return info.is_regular() && info.size <= longest;
}

/// Returns whether a file stands there that a killed process was about to rename to its place. All
/// such files are small, and begin in one way.
Result<bool> is_scratch(const os::Dir& dir, const std::string& name) {
    if (!format::parse_id(name)) return false;
    TRY_ASSIGN(const std::string text, os::read_file_at(dir, name, format::max_format));
    return text.empty() || text.starts_with(format::format_begin);
}

/// Returns whether the file of a boot stands there.
Result<bool> is_boot(const os::Dir& dir, const std::string& name) {
    if (!format::is_boot_name(name)) return false;
    return is_file_up_to(dir, name, format::max_boot_file);
}

/// Returns whether the file of a root stands there.
Result<bool> is_root_file(const os::Dir& dir, const std::string& name) {
    if (!format::parse_id(name)) return false;
    return is_file_up_to(dir, name, format::max_root_file);
}

/// Returns whether a directory of roots stands there.
Result<bool> is_roots_of_entry(const os::Dir& parent, const std::string& id, Holds holds) {
    if (holds == Holds::husk || !format::parse_id(id)) return false;
    TRY_ASSIGN(const os::Dir dir, os::open_dir_at(parent, id));
    return holds_only(dir, [&](const std::string& name) { return is_root_file(dir, name); });
}

/// Returns whether a directory stands there that is empty, or an entry, or a part of one. What is
/// doomed is in `deleting/`, and may be something else that was set aside: see Root::set_aside.
Result<bool> is_entry(const os::Dir& archive, const std::string& id, Holds holds, bool is_doomed) {
    TRY_ASSIGN(const os::Dir entry, os::open_dir_at(archive, id));
    return holds_only(entry, [&](const std::string& name) -> Result<bool> {
        if (holds == Holds::husk || !format::parse_id(id)) return false;
        if (name == format::judged_name) return is_file_up_to(entry, name, format::max_judged_file);
        TRY_ASSIGN(const os::FileInfo info, os::stat_at(entry, name));
        if (name == format::tree_name) return is_doomed || info.is_directory();
        return info.is_regular() && (name == format::record_name || name == format::manifest_name);
    });
}

/// Returns whether a link or a pointer, of any kind, or an empty file such as a pin stands there.
Result<bool> is_link(const os::Dir& dir, const std::string& name) {
    TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, name));
    if (info.is_regular() && info.size == 0) return true;
    for (const LinkKind kind : format::kinds_here()) {
        TRY_ASSIGN(const auto link, format::read_link(kind, dir, name));
        if (link.kind == format::LinkRead::Kind::entry) return true;
        TRY_ASSIGN(const auto pointer, format::read_pointer(kind, dir, name));
        if (pointer.kind == format::PointerRead::Kind::generation) return true;
    }
    return false;
}

/// Returns whether a directory of links stands there, in which further ones may lie, at most
/// `depth` below each other.
Result<bool> is_links(const os::Dir& parent, const std::string& name, Holds holds, int depth) {
    TRY_ASSIGN(const os::Dir dir, os::open_dir_at(parent, name));
    return holds_only(dir, [&](const std::string& below) -> Result<bool> {
        TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, below));
        if (holds == Holds::husk) return false;
        if (!info.is_directory()) return is_link(dir, below);
        if (depth == 0) return false;
        return is_links(dir, below, holds, depth - 1);
    });
}

/// Returns whether a directory of a root holds nothing that a user could miss.
Result<bool> is_part(const os::Dir& dir, const std::string& part, Holds holds) {
    return holds_only(dir, [&](const std::string& name) -> Result<bool> {
        if (part == format::participants_name) return is_table(dir, name);
        if (part == format::boots_name) return is_boot(dir, name);
        if (part == format::roots_name) return is_roots_of_entry(dir, name, holds);
        const bool is_doomed = part == format::deleting_name;
        if (is_doomed && holds == Holds::remains &&
            (is_scratch(dir, name).value_or(false) ||
             is_roots_of_entry(dir, name, holds).value_or(false)))
            return true;
        if (part == format::archive_name || is_doomed) return is_entry(dir, name, holds, is_doomed);
        if (part == format::buckets_name && holds == Holds::remains) {
            TRY_ASSIGN(const os::FileInfo info, os::stat_at(dir, name));
            if (!info.is_directory()) return is_link(dir, name);  // a pointer
        }
        // A refreshed bucket lies one level deeper.
        return is_links(dir, name, holds, part == format::retired_name ? 1 : 0);
    });
}

/// What the text of a `format` says of who wrote it.
enum class FormatText {
    others,
    cut_short,  ///< an empty file, or so little of our text that it may be another program's
    ours,       ///< our text, or a beginning of it that names larder
};

/// Looks at the `format` of a root, which a power cut may have emptied or cut off. Errors: those
/// of reading it, also if there is none.
Result<FormatText> look_at_format(const os::Dir& root) {
    TRY_ASSIGN(const std::string text,
               os::read_file_at(root, format::format_name, format::max_format));
    if (text.starts_with(format::format_begin)) return FormatText::ours;
    return format::format_begin.starts_with(text) ? FormatText::cut_short : FormatText::others;
}

/// Returns whether a tag stands there that does not say that the root is another program's. That
/// is one with our text or a beginning of it. If the root has a `format` of larder's, or what is
/// left of one, the tag may have any text, because a user may edit it.
Result<bool> is_tag(const os::Dir& root, Holds holds) {
    if (holds_beginning_of(root, format::cachedir_tag_name, format::cachedir_tag_text)) return true;
    if (holds == Holds::husk) return false;
    TRY_ASSIGN(const FormatText text, look_at_format(root));
    if (text == FormatText::others) return false;
    return is_file_up_to(root, format::cachedir_tag_name, format::max_format);
}

/// Returns whether the root holds nothing but larder's names, with nothing in them but that.
Result<bool> is_nothing_but(const os::Dir& root, Holds holds) {
    // That it is larder's: a .gitignore alone is no sign, nor is an empty `format`, with a tag of
    // another text or without one.
    bool has_sign = false;
    TRY_ASSIGN(
        const bool all, holds_only(root, [&](const std::string& name) -> Result<bool> {
            if (name == format::gitignore_name)
                return holds_beginning_of(root, format::gitignore_name, format::gitignore_text);
            if (!format::is_root_name(name)) return false;
            if (name == format::format_name) {
                if (holds == Holds::husk) return false;
                TRY_ASSIGN(const FormatText text, look_at_format(root));
                has_sign = has_sign || text == FormatText::ours;
                return text != FormatText::others;
            }
            if (name == format::cachedir_tag_name) {
                const bool is_ours =
                    holds_beginning_of(root, format::cachedir_tag_name, format::cachedir_tag_text);
                has_sign = has_sign || is_ours;
                return is_tag(root, holds);
            }
            has_sign = true;
            if (name == format::locks_name) {
                TRY_ASSIGN(const os::FileInfo info, os::stat_at(root, name));
                return info.is_regular() && info.size == 0;
            }
            TRY_ASSIGN(const os::Dir dir, os::open_dir_at(root, name));
            return is_part(dir, name, holds);
        }));
    return all && has_sign;
}

}  // namespace

Result<bool> is_husk(const os::Dir& root) { return is_nothing_but(root, Holds::husk); }

Result<bool> is_remains(const os::Dir& root) { return is_nothing_but(root, Holds::remains); }

bool holds_beginning_of(const os::Dir& dir, const char* name, std::string_view text) {
    const auto read = os::read_file_at(dir, name, format::max_format);
    return read && text.starts_with(*read);
}

}  // namespace larder::cache
