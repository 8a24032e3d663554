// SPDX-License-Identifier: MIT
// A link is what a key is on disk; a pointer is what a bucket may be, a link to the directory that
// holds its keys. Only this file knows how symlinks, small files and junctions differ.
#pragma once

#include <optional>

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
        malformed,  ///< a link of this cache's kind that says something else
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

/// Makes a link to the entry `id`, which need not exist. A kill during the call may leave a
/// malformed link (kind `file`), so links are made in a staging area only, and renamed from there.
/// Errors: `exists` if something stands at `name`; `unsupported` for a kind that this system does
/// not have.
[[nodiscard]] Result<> make_link(LinkKind kind, const os::Dir& dir, const std::string& name,
                                 const Id& id);

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
[[nodiscard]] Result<> make_pointer(LinkKind kind, const os::Dir& dir, const std::string& name,
                                    const Id& generation);

/// Returns whether a regular file stands there that has no bytes, or zeros in their place. A power
/// cut may leave that of a link or a pointer of kind `file`. Errors: what keeps the file from being
/// read.
[[nodiscard]] Result<bool> is_torn(const os::Dir& dir, const std::string& name);

/// Returns true if links of this kind can be made, renamed and read back in `scratch`, which must
/// be private. Leaves nothing there.
[[nodiscard]] bool link_kind_works(LinkKind kind, const os::Dir& scratch);

}  // namespace larder::format
