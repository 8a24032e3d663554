// SPDX-License-Identifier: MIT
// A link is what a key is on disk; a pointer is what a bucket may be, a link to the directory that
// holds its keys. Only this file knows how symlinks, small files and junctions differ.
#pragma once

#include <optional>
#include <span>

#include <larder/options.hpp>

#include "format/id.hpp"
#include "format/layout.hpp"
#include "os/dir.hpp"

namespace larder::format {

/// Returns the text of a link to an entry: "../../archive/<id>/tree". A bucket and `retired/links`
/// are equally deep, so the text is right in both. It has 45 bytes, which ext4 keeps in the inode.
[[nodiscard]] std::string target_of(const Id& id);
/// Returns the id of a text that target_of can have made; nullopt for any other text. larder never
/// follows a link: it builds paths from the id.
[[nodiscard]] std::optional<Id> parse_target(std::string_view target) noexcept;

/// What stands at a link's name.
struct LinkRead {
    enum class Kind {
        absent,
        entry,      ///< a link of ours: `id` is what it names
        malformed,  ///< a link of this cache's kind that says something else, or a part of one
        foreign,    ///< no link of this cache's kind
    };
    Kind kind = Kind::absent;
    Id id;  ///< the zero id unless `kind` is `entry`

    /// Returns whether this is a link to the entry `other`.
    [[nodiscard]] bool names(const Id& other) const noexcept {
        return kind == Kind::entry && id == other;
    }
};

/// Reads the link without following it. The result is one link that stood there at one instant,
/// whatever is renamed at the same time. Errors: the system's, if it is not known what stands
/// there; then the key may have an entry.
[[nodiscard]] Result<LinkRead> read_link(LinkKind kind, const os::Dir& dir,
                                         const std::string& name);

/// Returns true if the key's link names `id` and the entry has its tree. One system call checks
/// both, because the path passes through `archive/<id>/tree`. False proves nothing (a directory may
/// be unsearchable): read the link again. `key_path` is the link's path from the directory `below`.
[[nodiscard]] bool link_names_complete_entry(LinkKind kind, const os::Dir& archive, KeysBelow below,
                                             std::string_view key_path, const Id& id);

/// Makes a link to the entry `id`, which need not exist. `root` is the root of the cache: a
/// junction holds its path. A kill during the call may leave a malformed link (kinds `file` and
/// `junction`), so links are made in a staging area only, and renamed from there. Errors: `exists`
/// if something stands at `name`; `unsupported` for a kind that this system does not have.
[[nodiscard]] Result<> make_link(LinkKind kind, const os::Dir& root, const os::Dir& dir,
                                 const std::string& name, const Id& id);

/// A junction that is open, to be set again. It is set where it is by then, also if it was renamed
/// since.
class OpenJunction {
public:
    /// Opens the junction at `path` in `dir`. Errors: `absent` if nothing stands there;
    /// Why::invalid if something stands there that is no junction.
    [[nodiscard]] static Result<OpenJunction> open(const os::Dir& dir, const std::string& path);
    /// Makes it lead to the entry `id`, or to a generation, of the cache with this root. That is
    /// one step: every reader finds the old link or the new one, and a kill leaves one of the two.
    [[nodiscard]] Result<> set_link(const os::Dir& root, const Id& id) const;
    [[nodiscard]] Result<> set_pointer(const os::Dir& root, const Id& generation) const;

private:
    OpenJunction(os::FileHandle file, std::filesystem::path where)
        : file_(std::move(file)), where_(std::move(where)) {}
    [[nodiscard]] Result<> set(const os::Dir& root, const std::string& text) const;

    os::FileHandle file_;
    std::filesystem::path where_;  // for messages
};

/// Returns whether a link or a pointer leads into the cache with this root. That is so for each
/// kind but `junction`, which holds an absolute path: the root may have been moved since. Returns
/// true if no junction of a cache stands there.
[[nodiscard]] Result<bool> leads_into(LinkKind kind, const os::Dir& root, const os::Dir& dir,
                                      const std::string& name);

/// Removes a link or a pointer, also one that is malformed. Errors: `absent`;
[[nodiscard]] Result<> remove_link(LinkKind kind, const os::Dir& dir, const std::string& name);

/// Returns the text of a pointer: "../generations/<generation>". It leads there from `buckets/`.
/// Elsewhere a pointer is only read.
[[nodiscard]] std::string pointer_target_of(const Id& generation);
/// Returns the generation of a text that pointer_target_of can have made; nullopt for any other
/// text.
[[nodiscard]] std::optional<Id> parse_pointer_target(std::string_view target) noexcept;

/// What stands at a pointer's name.
struct PointerRead {
    enum class Kind {
        absent,
        generation,  ///< a pointer of ours: `generation` is what it names
        malformed,   ///< a link of this cache's kind that says something else
        foreign,     ///< no link of this cache's kind
    };
    Kind kind = Kind::absent;
    Id generation;  ///< the zero id unless `kind` is `generation`

    /// Returns whether this is a pointer to the generation `other`.
    [[nodiscard]] bool names(const Id& other) const noexcept {
        return kind == Kind::generation && generation == other;
    }
};

/// Reads a pointer of a cache with links of this kind, as read_link reads a link.
[[nodiscard]] Result<PointerRead> read_pointer(LinkKind kind, const os::Dir& dir,
                                               const std::string& name);
/// Makes a pointer to a generation, which need not exist, as make_link makes a link.
[[nodiscard]] Result<> make_pointer(LinkKind kind, const os::Dir& root, const os::Dir& dir,
                                    const std::string& name, const Id& generation);

/// Returns whether a regular file stands there that has no bytes, or zeros in their place. A power
/// cut may leave that of a link or a pointer of kind `file`. Errors: what keeps the file from being
/// read.
[[nodiscard]] Result<bool> is_torn(const os::Dir& dir, const std::string& name);

/// Returns the kinds of links that this system can have.
[[nodiscard]] std::span<const LinkKind> kinds_here() noexcept;
/// Returns true if links of this kind can be made, renamed, set again if they are junctions, and
/// read back in `scratch`, which must be private. Leaves nothing there.
[[nodiscard]] bool link_kind_works(LinkKind kind, const os::Dir& scratch);

}  // namespace larder::format
