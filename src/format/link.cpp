// SPDX-License-Identifier: MIT
#include "format/link.hpp"

#include "format/layout.hpp"
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

/// What stands at a name and, if it is a link, its text, which `buffer` then holds.
struct Text {
    LinkRead::Kind
        kind;  ///< absent, foreign, malformed; or entry, if the text is one of an entry's
    std::string_view text{};
};

/// Reads what stands at a name, and its text if that may be a link of ours. Whether the text names
/// an entry is judged by the caller. An error means that this can't be told, and that the key may
/// have an entry.
Result<Text> read_symlink(const os::Dir& dir, const char* name, Buffer& buffer) {
    const auto length = os::read_symlink_at(dir, name, buffer.data(), buffer.size());
    if (length) return Text{LinkRead::Kind::entry, {buffer.data(), *length}};
    switch (os::why_of(length)) {
        case Why::absent:
        case Why::not_directory:
            return Text{LinkRead::Kind::absent};
        case Why::invalid:
            // Something other than a symlink stands here, or the system refuses the call itself.
            if (const auto info = os::try_stat_at(dir, name); info && !info->is_symlink())
                return Text{LinkRead::Kind::foreign};
            break;
        default:
            break;
    }
    return os::fail(length.error(), "read link", dir / name);
}

/// Does the same for links of kind `file`. A text without its newline is malformed: it was cut off,
/// or another process is just writing it.
Result<Text> read_small_file(const os::Dir& dir, const char* name, Buffer& buffer) {
    // Without blocking, because a foreign FIFO may stand here.
    const auto file = os::try_open_at(dir, name, os::OpenMode::read_nonblocking);
    switch (os::why_of(file)) {
        case Why::none:
            break;
        case Why::absent:
        case Why::not_directory:
            return Text{LinkRead::Kind::absent};
        case Why::is_link:
        case Why::no_device:
            return Text{LinkRead::Kind::foreign};
        default:
            return os::fail(file.error(), "read link", dir / name);
    }
    std::string_view text;
    // A read may return fewer bytes than there are. Half a link would count as none, and its key as
    // a miss. The newline shows that the text is complete, so that one read is enough.
    while (text.size() < buffer.size() && !text.ends_with('\n')) {
        const auto got =
            os::read_some(*file, buffer.data() + text.size(), buffer.size() - text.size());
        if (os::why_of(got) == Why::is_directory || os::why_of(got) == Why::would_block)
            return Text{LinkRead::Kind::foreign};
        if (!got) return os::fail(got.error(), "read link", dir / name);
        if (*got == 0) break;
        text = {buffer.data(), text.size() + *got};
    }
    if (text.empty()) {
        const auto info = os::try_stat(*file);
        if (!info) return os::fail(info.error(), "read link", dir / name);
        if (!info->is_regular()) return Text{LinkRead::Kind::foreign};
    }
    if (!text.ends_with('\n')) return Text{LinkRead::Kind::malformed};
    text.remove_suffix(1);
    return Text{LinkRead::Kind::entry, text};
}

/// Returns the error for links of a kind that this system does not have.
tl::unexpected<Error> no_junctions(const os::Dir& dir, const std::string& name) {
    return fail(Errc::unsupported, "link", dir / name, "directory junctions exist on Windows only");
}

/// Reads what stands at a name of a cache with links of this kind. In a directory that a read-only
/// cache lacks, nothing stands.
Result<Text> read_text(LinkKind kind, const os::Dir& dir, const char* name, Buffer& buffer) {
    if (!dir.is_open()) return Text{LinkRead::Kind::absent};
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

/// Makes a link `first`, renames it to `second` and reads it there. Returns whether all that works.
/// The caller removes both names.
bool can_make_and_rename(LinkKind kind, const os::Dir& dir, const std::string& first,
                         const std::string& second) {
    const Id id = fresh_id();
    if (!make_link(kind, dir, first, id)) return false;
    if (!os::rename_new(dir, first, dir, second)) return false;
    const auto read = read_link(kind, dir, second);
    return read && read->names(id);
}

/// Returns true if the text has the form of a target. What stands in the place of the id is not
/// looked at.
bool is_target(std::string_view text) noexcept {
    return text.size() == target_length && text.starts_with(before_id) && text.ends_with(after_id);
}

}  // namespace

std::string target_of(const Id& id) {
    return std::string(before_id).append(to_text(id)).append(after_id);
}

std::optional<Id> parse_target(std::string_view target) noexcept {
    if (!is_target(target)) return std::nullopt;
    return parse_id(target.substr(before_id.size(), id_length));
}

Result<LinkRead> read_link(LinkKind kind, const os::Dir& dir, const std::string& name) {
    Buffer buffer;
    TRY_ASSIGN(const Text read, read_text(kind, dir, name.c_str(), buffer));
    if (read.kind != LinkRead::Kind::entry) return LinkRead{read.kind, {}};
    const auto id = parse_target(read.text);
    if (!id) return LinkRead{LinkRead::Kind::malformed, {}};
    return LinkRead{LinkRead::Kind::entry, *id};
}

bool link_names_complete_entry(LinkKind kind, const os::Dir& archive, const std::string& key_path,
                               const Id& id) {
    const auto path = key_path_via_entry(id, key_path);
    Buffer buffer;
    const auto read = read_text(kind, archive, path.c_str(), buffer);
    if (!read || !is_target(read->text)) return false;
    return read->text.substr(before_id.size(), id_length) == path.id_text();
}

Result<> make_link(LinkKind kind, const os::Dir& dir, const std::string& name, const Id& id) {
    switch (kind) {
        case LinkKind::symlink:
            return os::make_symlink_at(dir, name, target_of(id));
        case LinkKind::file:
            return os::write_new_file_at(dir, name, target_of(id) + "\n");
        case LinkKind::junction:
            break;
    }
    return no_junctions(dir, name);
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
