// SPDX-License-Identifier: MIT
#include "protocol/destroyable.hpp"

#include "cache/husk.hpp"
#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/user.hpp"

namespace larder::protocol {

namespace {

/// Returns the text of a small file, and nullopt if there is none.
Result<std::optional<std::string>> read_if_there(const os::Dir& dir, const char* name) {
    auto text = os::read_file_at(dir, name, format::max_format);
    if (is_absent(text)) return std::nullopt;
    TRY(text);
    return std::move(*text);
}

/// Returns whether this is a cache, or what is left of one. Any sign will do: the format, a tag
/// that names larder, or larder's directories with nothing of others in them. Errors: `refused`
/// if a newer larder made it.
Result<bool> is_cache(const os::Dir& root) {
    const auto text = read_format_text(root);
    // If its owner may not read it, the tag decides, which must be readable then; and `format` is
    // read again later.
    if (why_of(text) != Why::denied) TRY(text);
    if (text && *text) {
        const auto read = format::parse_format(**text);
        if (read.kind == format::FormatRead::Kind::newer)
            return refuse_destroy(root.path, "a newer larder made this cache; use that one");
        if (read.kind != format::FormatRead::Kind::unknown) return true;
    }
    TRY_ASSIGN(const auto tag, read_if_there(root, format::cachedir_tag_name));
    if (tag && format::is_own_tag(*tag)) return true;
    return cache::is_remains(root);
}

/// Returns whether a name of the root is larder's, and what stands there is of the kind that
/// larder makes. Succeeds too if it is gone meanwhile.
Result<bool> is_part_of_cache(const os::Dir& root, const std::string& name) {
    if (!format::is_root_name(name)) return false;
    const auto info = os::stat_at(root, name);
    if (is_absent(info)) return true;
    TRY(info);
    const bool is_file = name == format::format_name || name == format::cachedir_tag_name ||
                         name == format::gitignore_name || name == format::locks_name;
    return is_file ? info->is_regular() : info->is_directory();
}

/// Refuses if the name in a staging area is that of a tree that is still there.
Result<> check_not_kept(const os::Dir& root, const std::string& name) {
    const auto staged = format::parse_staged_name(name);
    if (!staged || staged->kind != format::StagedName::Kind::kept) return {};
    const auto archive = os::open_dir_at(root, format::archive_name);
    if (is_absent(archive)) return {};
    TRY(archive);
    const std::string tree = format::entry_tree_path(staged->id);
    const auto stands = os::stat_at(*archive, tree);
    if (is_absent(stands)) return {};
    TRY(stands);
    return refuse_destroy(
        *archive / tree,
        "a user has moved this tree here, and the publish that failed could not put "
        "it back; move it away first, or delete it");
}

}  // namespace

tl::unexpected<Error> refuse_destroy(const std::filesystem::path& path, std::string why) {
    return fail(Errc::refused, "destroy cache", path, std::move(why));
}

Result<std::optional<std::string>> read_format_text(const os::Dir& root) {
    auto text = os::read_file_at(root, format::format_name, format::max_format);
    if (is_absent(text)) return std::nullopt;
    const bool is_other =
        why_of(text) == Why::is_link || (!text && text.error().code == Errc::damaged);
    if (is_other) return std::string();
    TRY(text);
    return std::move(*text);
}

Result<> check_destroyable(const os::Dir& root) {
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(root));
    if (info.owner != os::this_user() && !os::is_superuser()) {
        return refuse_destroy(root.path, "it belongs to user " + os::user_name(info.owner) +
                                             ", and this process runs as " +
                                             os::user_name(os::this_user()));
    }
    std::string strange;
    TRY(os::for_each_name(root, [&](const std::string& name, os::FileKind) -> Result<> {
        TRY_ASSIGN(const bool is_part, is_part_of_cache(root, name));
        if (!is_part) strange = name;
        return {};
    }));
    TRY_ASSIGN(const bool ours, is_cache(root));
    if (!ours) return refuse_destroy(root.path, "this is no cache of larder's");
    if (strange.empty()) return {};
    return refuse_destroy(
        root.path, "it holds \"" + strange + "\", which is not larder's; move that away first");
}

Result<> check_kept(const os::Dir& root) {
    const auto staging = os::open_dir_at(root, format::staging_name);
    if (is_absent(staging)) return {};
    TRY(staging);
    return os::for_every_name(*staging, [&](const std::string& number, os::FileKind) -> Result<> {
        const auto area = os::open_dir_at(*staging, number);
        if (is_no_directory(area) || is_absent(area)) return {};
        TRY(area);
        return os::for_every_name(*area, [&](const std::string& name, os::FileKind) {
            return check_not_kept(root, name);
        });
    });
}

}  // namespace larder::protocol
