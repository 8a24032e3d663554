// SPDX-License-Identifier: MIT
// A link: what a key is on disk. The one seam behind which symlink, small file and junction differ.
#pragma once

#include <optional>

#include <larder/options.hpp>

#include "format/id.hpp"
#include "os/dir.hpp"

namespace larder::format {

/// What a link says: "../../archive/<id>/tree". A bucket and `retired/links` are equally deep, so
/// that it holds in both; 45 bytes, which ext4 keeps in the inode.
[[nodiscard]] std::string target_of(const Id& id);
/// Accepts exactly what target_of makes. A link is never followed: paths are built from the id.
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
    Id id;

    [[nodiscard]] bool names(const Id& other) const noexcept {
        return kind == Kind::entry && id == other;
    }
};

/// Reads without following. Atomic beside renames: the link that stood there at one instant.
[[nodiscard]] Result<LinkRead> read_link(LinkKind kind, const os::Dir& dir,
                                         const std::string& name);

/// Whether a key's link, at its path from `buckets/`, names `id`, and leads to a complete tree: a
/// cache that was copied in part has links that lead nowhere. One system call answers both: it
/// reads the link by way of the entry (from `archive/` through its tree, and back). That the way is
/// shut, or the link says something else, tells nothing by itself.
[[nodiscard]] bool names_what_is_there(LinkKind kind, const os::Dir& archive,
                                       const std::string& key_path, const Id& id);

/// Makes a link. A kill in the middle may leave a malformed one (kind file), so links are only ever
/// made in a staging area.
[[nodiscard]] Result<> make_link(LinkKind kind, const os::Dir& dir, const std::string& name,
                                 const Id& id);

/// Whether links of this kind can be made, renamed and read back in `scratch`, which must be
/// private. Leaves nothing.
[[nodiscard]] bool link_kind_works(LinkKind kind, const os::Dir& scratch);

}  // namespace larder::format
