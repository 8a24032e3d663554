// SPDX-License-Identifier: MIT
#include "format/link.hpp"

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
            break;
    }
    return no_junctions(dir, name);
}

/// Makes a link with this text.
Result<> make_text(LinkKind kind, const os::Dir& dir, const std::string& name,
                   const std::string& text) {
    switch (kind) {
        case LinkKind::symlink:
            return os::make_symlink_at(dir, name, text, os::LeadsTo::directory);
        case LinkKind::file:
            return os::write_new_file_at(dir, name, text + "\n");
        case LinkKind::junction:
            break;
    }
    return no_junctions(dir, name);
}

/// Makes a link `first`, renames it to `second` and reads it there. Returns whether all that works.
/// May leave a link at either name, which the caller removes.
bool can_make_and_rename(LinkKind kind, const os::Dir& dir, const std::string& first,
                         const std::string& second) {
    const Id id = fresh_id();
    if (!make_link(kind, dir, first, id)) return false;
    if (!os::rename_new(dir, first, dir, second)) return false;
    const auto read = read_link(kind, dir, second);
    return read && read->names(id);
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

Result<> make_link(LinkKind kind, const os::Dir& dir, const std::string& name, const Id& id) {
    return make_text(kind, dir, name, target_of(id));
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

Result<> make_pointer(LinkKind kind, const os::Dir& dir, const std::string& name,
                      const Id& generation) {
    return make_text(kind, dir, name, pointer_target_of(generation));
}

Result<bool> is_torn(const os::Dir& dir, const std::string& name) {
    // A longer file is no link. What is no regular file, or was removed meanwhile, is not torn.
    const auto text = os::read_file_at(dir, name, Buffer().size());
    if (is_absent(text) || why_of(text) == Why::is_link) return false;
    if (!text && text.error().code == Errc::damaged) return false;
    TRY(text);
    return text->find_first_not_of('\0') == std::string::npos;
}

bool link_kind_works(LinkKind kind, const os::Dir& scratch) {
    if (os::point(kind == LinkKind::symlink ? "link.probe-symlink" : "link.probe-file") != 0)
        return false;
    const std::string first = to_text(fresh_id());
    const std::string second = to_text(fresh_id());
    const bool works = can_make_and_rename(kind, scratch, first, second);
    (void)os::remove_file_at(scratch, first);
    (void)os::remove_file_at(scratch, second);
    return works;
}

}  // namespace larder::format
