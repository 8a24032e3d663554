// SPDX-License-Identifier: MIT
#include "format/link.hpp"

#include "format/junction.hpp"
#include "os/file.hpp"
#include "os/link.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"

namespace larder::format {

namespace {

constexpr std::string_view before_id = "../../archive/";
constexpr std::string_view after_id = "/tree";
constexpr std::size_t target_length = before_id.size() + id_length + after_id.size();
static_assert(target_length < 60, "ext4 keeps a symlink of less than 60 bytes in its inode");

/// One byte more than any link of larder has, so that a longer text is recognized. A newline ends
/// the text of kind `file`.
using Buffer = std::array<char, target_length + 2>;

constexpr std::string_view before_generation = "../generations/";
constexpr std::size_t pointer_target_length = before_generation.size() + id_length;
static_assert(pointer_target_length <= target_length, "a Buffer has room for both");

/// What stands at the name of a link, and its text.
struct LinkText {
    LinkRead::Kind kind;      ///< `entry` if there is a text, whether it names an entry or not
    std::string_view text{};  ///< in the caller's buffer; empty for the other kinds
};

/// Reads what stands at a name, and its text if it is a symlink. Whether the text names an entry is
/// left to the caller. An error means that it is not known what stands there, and that the key may
/// have an entry.
Result<LinkText> read_symlink(const os::Dir& dir, const char* name, Buffer& buffer) {
    const auto length = os::read_symlink_at(dir, name, buffer.data(), buffer.size());
    if (length) return LinkText{LinkRead::Kind::entry, {buffer.data(), *length}};
    switch (os::why_of(length)) {
        case Why::absent:
        case Why::not_directory:  // a part of the path is no directory
            return LinkText{LinkRead::Kind::absent};
        case Why::invalid:
            // Something other than a symlink stands here, or the system refuses the call itself.
            if (const auto info = os::try_stat_at(dir, name); info && !info->is_symlink())
                return LinkText{LinkRead::Kind::foreign};
            break;
        default:
            break;
    }
    return os::fail(length.error(), "read link", dir / name);
}

/// Reads the text of an open file that may be a link of kind `file`. A text without its newline is
/// malformed: it was cut off, or another process is just writing it.
Result<LinkText> read_text_of(const os::FileHandle& file, const os::Dir& dir, const char* name,
                              Buffer& buffer) {
    std::string_view text;
    // A read may return fewer bytes than there are. Half a link would count as none, and its key as
    // a miss. The newline shows that the text is complete, so that one read is usually enough.
    while (text.size() < buffer.size() && !text.ends_with('\n')) {
        const auto got =
            os::read_some(file, buffer.data() + text.size(), buffer.size() - text.size());
        // A directory can be opened, but not read. A pipe has nothing to read.
        if (os::why_of(got) == Why::is_directory || os::why_of(got) == Why::would_block)
            return LinkText{LinkRead::Kind::foreign};
        if (!got) return os::fail(got.error(), "read link", dir / name);
        if (*got == 0) break;
        text = {buffer.data(), text.size() + *got};
    }
    // A pipe that no process writes to looks like an empty file.
    if (text.empty()) {
        const auto info = os::try_stat(file);
        if (!info) return os::fail(info.error(), "read link", dir / name);
        if (!info->is_regular()) return LinkText{LinkRead::Kind::foreign};
    }
    if (!text.ends_with('\n')) return LinkText{LinkRead::Kind::malformed};
    text.remove_suffix(1);
    return LinkText{LinkRead::Kind::entry, text};
}

/// Does the same as read_symlink for links of kind `file`.
Result<LinkText> read_small_file(const os::Dir& dir, const char* name, Buffer& buffer) {
    // Without blocking, because a foreign pipe may stand here.
    const auto file = os::try_open_at(dir, name, os::OpenMode::read_nonblocking);
    switch (os::why_of(file)) {
        case Why::none:
            return read_text_of(*file, dir, name, buffer);
        case Why::absent:
        case Why::not_directory:  // a part of the path is no directory
            return LinkText{LinkRead::Kind::absent};
        case Why::is_link:
        case Why::no_device:  // a socket, or a device without a driver
            return LinkText{LinkRead::Kind::foreign};
        default:
            return os::fail(file.error(), "read link", dir / name);
    }
}

/// Does the same as read_symlink for junctions. The text is that of a symlink in the same place: of
/// which root the junction tells is left to leads_into.
Result<LinkText> read_junction(const os::Dir& dir, const char* name, Buffer& buffer) {
    const auto target = os::read_junction_at(dir, name);
    switch (os::why_of(target)) {
        case Why::none:
            break;
        case Why::absent:
        case Why::not_directory:  // a part of the path is no directory
            return LinkText{LinkRead::Kind::absent};
        case Why::invalid:
            // A process may have been killed while it made this one.
            return LinkText{os::is_unset_junction_at(dir, name) ? LinkRead::Kind::malformed
                                                                : LinkRead::Kind::foreign};
        default:
            return os::fail(target.error(), "read link", dir / name);
    }
    const auto parts = parse_junction_target(*target);
    if (!parts) return LinkText{LinkRead::Kind::malformed};
    const std::string text = text_of(*parts);
    text.copy(buffer.data(), buffer.size());
    return LinkText{LinkRead::Kind::entry, {buffer.data(), text.size()}};
}

/// Returns the error for links of a kind that this system does not have.
tl::unexpected<Error> no_junctions(const os::Dir& dir, const std::string& name) {
    return fail(Errc::unsupported, "link", dir / name, "directory junctions exist on Windows only");
}

/// Reads what stands at a name of a cache with links of this kind, and its text. In a directory
/// that a read-only cache lacks, nothing stands.
Result<LinkText> read_text(LinkKind kind, const os::Dir& dir, const char* name, Buffer& buffer) {
    if (!dir.is_open()) return LinkText{LinkRead::Kind::absent};
    switch (kind) {
        case LinkKind::symlink:
            return read_symlink(dir, name, buffer);
        case LinkKind::file:
            return read_small_file(dir, name, buffer);
        case LinkKind::junction:
            if (os::has_junctions()) return read_junction(dir, name, buffer);
            break;
    }
    return no_junctions(dir, name);
}

/// Makes a link with this text.
Result<> make_text(LinkKind kind, const os::Dir& root, const os::Dir& dir, const std::string& name,
                   const std::string& text) {
    switch (kind) {
        case LinkKind::symlink:
            return os::make_symlink_at(dir, name, text, os::LeadsTo::directory);
        case LinkKind::file:
            return os::write_new_file_at(dir, name, text + "\n");
        case LinkKind::junction:
            break;
    }
    if (!os::has_junctions()) return no_junctions(dir, name);
    TRY_ASSIGN(const std::string root_path, os::junction_path_of(root));
    return os::make_junction_at(dir, name, junction_target_of(root_path, text));
}

/// Sets the junction at `name` again, and reads it. Returns whether that works.
bool can_set_again(const os::Dir& dir, const std::string& name) {
    const Id id = fresh_id();
    const auto junction = OpenJunction::open(dir, name);
    if (!junction || !junction->set_link(dir, id)) return false;
    const auto read = read_link(LinkKind::junction, dir, name);
    return read && read->names(id);
}

/// Makes a link `first`, renames it to `second` and reads it there. Returns whether all that works.
/// May leave a link at either name, which the caller removes.
bool can_make_and_rename(LinkKind kind, const os::Dir& dir, const std::string& first,
                         const std::string& second) {
    const Id id = fresh_id();
    if (!make_link(kind, dir, dir, first, id)) return false;
    if (!os::rename_new(dir, first, dir, second)) return false;
    const auto read = read_link(kind, dir, second);
    if (!read || !read->names(id)) return false;
    return kind != LinkKind::junction || can_set_again(dir, second);
}

/// Returns whether a test lets the trial of this kind fail.
bool probe_fails(LinkKind kind) {
    switch (kind) {
        case LinkKind::symlink:
            return os::point("link.probe-symlink") != 0;
        case LinkKind::file:
            return os::point("link.probe-file") != 0;
        case LinkKind::junction:
            return os::point("link.probe-junction") != 0;
    }
    return false;  // never: all values are listed above
}

/// Returns whether the text is a target, apart from its id, which may be any 26 characters.
bool has_form_of_target(std::string_view text) noexcept {
    return text.size() == target_length && text.starts_with(before_id) && text.ends_with(after_id);
}

}  // namespace

std::string target_of(const Id& id) {
    return std::string(before_id).append(to_text(id)).append(after_id);
}

std::optional<Id> parse_target(std::string_view target) noexcept {
    if (!has_form_of_target(target)) return std::nullopt;
    return parse_id(target.substr(before_id.size(), id_length));
}

Result<LinkRead> read_link(LinkKind kind, const os::Dir& dir, const std::string& name) {
    Buffer buffer;
    TRY_ASSIGN(const LinkText link, read_text(kind, dir, name.c_str(), buffer));
    if (link.kind != LinkRead::Kind::entry) return LinkRead{.kind = link.kind, .id = {}};
    const auto id = parse_target(link.text);
    if (!id) return LinkRead{.kind = LinkRead::Kind::malformed, .id = {}};
    return LinkRead{.kind = LinkRead::Kind::entry, .id = *id};
}

bool link_names_complete_entry(LinkKind kind, const os::Dir& archive, KeysBelow below,
                               std::string_view key_path, const Id& id) {
    const auto path = key_path_via_entry(id, below, key_path);
    Buffer buffer;
    const auto link = read_text(kind, archive, path.c_str(), buffer);
    if (!link || !has_form_of_target(link->text)) return false;
    // Compare the texts, because every get comes here: parsing the id would cost more.
    return link->text.substr(before_id.size(), id_length) == path.id_text();
}

Result<> make_link(LinkKind kind, const os::Dir& root, const os::Dir& dir, const std::string& name,
                   const Id& id) {
    return make_text(kind, root, dir, name, target_of(id));
}

Result<OpenJunction> OpenJunction::open(const os::Dir& dir, const std::string& path) {
    TRY_ASSIGN(os::FileHandle file, os::open_junction_at(dir, path));
    return OpenJunction(std::move(file), dir / path);
}

Result<> OpenJunction::set_link(const os::Dir& root, const Id& id) const {
    return set(root, target_of(id));
}

Result<> OpenJunction::set_pointer(const os::Dir& root, const Id& generation) const {
    return set(root, pointer_target_of(generation));
}

Result<> OpenJunction::set(const os::Dir& root, const std::string& text) const {
    TRY_ASSIGN(const std::string root_path, os::junction_path_of(root));
    return os::set_junction(file_, junction_target_of(root_path, text), where_);
}

Result<bool> leads_into(LinkKind kind, const os::Dir& root, const os::Dir& dir,
                        const std::string& name) {
    if (kind != LinkKind::junction) return true;
    TRY_ASSIGN(const std::string root_path, os::junction_path_of(root));
    const auto target = os::read_junction_at(dir, name.c_str());
    if (!target) return true;
    const auto parts = parse_junction_target(*target);
    return !parts || parts->root == root_path;
}

Result<> remove_link(LinkKind kind, const os::Dir& dir, const std::string& name) {
    auto removed = os::remove_file_at(dir, name);
    if (kind != LinkKind::junction || why_of(removed) != Why::is_directory) return removed;
    // A process that was killed has left an empty directory. If it holds anything, it stays.
    return os::remove_dir_at(dir, name);
}

std::string pointer_target_of(const Id& generation) {
    return std::string(before_generation).append(to_text(generation));
}

std::optional<Id> parse_pointer_target(std::string_view target) noexcept {
    if (target.size() != pointer_target_length || !target.starts_with(before_generation))
        return std::nullopt;
    return parse_id(target.substr(before_generation.size()));
}

Result<PointerRead> read_pointer(LinkKind kind, const os::Dir& dir, const std::string& name) {
    using Kind = PointerRead::Kind;
    Buffer buffer;
    TRY_ASSIGN(const LinkText link, read_text(kind, dir, name.c_str(), buffer));
    switch (link.kind) {
        case LinkRead::Kind::absent:
            return PointerRead{.kind = Kind::absent, .generation = {}};
        case LinkRead::Kind::foreign:
            return PointerRead{.kind = Kind::foreign, .generation = {}};
        case LinkRead::Kind::malformed:
            return PointerRead{.kind = Kind::malformed, .generation = {}};
        case LinkRead::Kind::entry:
            break;
    }
    const auto generation = parse_pointer_target(link.text);
    if (!generation) return PointerRead{.kind = Kind::malformed, .generation = {}};
    return PointerRead{.kind = Kind::generation, .generation = *generation};
}

Result<> make_pointer(LinkKind kind, const os::Dir& root, const os::Dir& dir,
                      const std::string& name, const Id& generation) {
    return make_text(kind, root, dir, name, pointer_target_of(generation));
}

Result<bool> is_torn(const os::Dir& dir, const std::string& name) {
    // A longer file is no link. What is no regular file, or was removed meanwhile, is not torn.
    const auto text = os::read_file_at(dir, name, Buffer().size());
    if (is_absent(text) || why_of(text) == Why::is_link) return false;
    if (!text && text.error().code == Errc::damaged) return false;
    TRY(text);
    return text->find_first_not_of('\0') == std::string::npos;
}

std::span<const LinkKind> kinds_here() noexcept {
    static constexpr LinkKind all[] = {LinkKind::symlink, LinkKind::file, LinkKind::junction};
    return std::span(all).first(os::has_junctions() ? 3 : 2);
}

bool link_kind_works(LinkKind kind, const os::Dir& scratch) {
    if (probe_fails(kind)) return false;
    const std::string first = to_text(fresh_id());
    const std::string second = to_text(fresh_id());
    const bool works = can_make_and_rename(kind, scratch, first, second);
    (void)remove_link(kind, scratch, first);
    (void)remove_link(kind, scratch, second);
    return works;
}

}  // namespace larder::format
