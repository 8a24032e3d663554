// SPDX-License-Identifier: MIT
// Every name on disk, by one grammar. No other file builds or parses a name.
//
//   root/                       = CACHEDIR.TAG  .gitignore  format  locks  participants/  staging/
//                                 buckets/  archive/  retired/  deleting/  pins/  boots/
//                                 roots/  generations/
//   participants/               = <number>
//   staging/<number>/           = l-<id>  o-<id>  k-<id>    links
//   buckets/<bucket>/           = <key>              a link
//   archive/<id>/               = record  manifest  judged  tree/
//   retired/links/              = <retired>          a link
//   retired/buckets/<retired>/  = <key>              a link
//   deleting/                   = anything
//   pins/<bucket>/              = <key>              an empty file
//   roots/<id>/                 = <root>             see root_file.hpp
//   boots/                      = <boot>             see boot_file.hpp
//
// If buckets are pointers, these stand in the place of the directories in buckets/ and in
// retired/buckets/, and otherwise there is no generations/:
//
//   staging/<number>/           = g-<generation>     a pointer
//   buckets/                    = <bucket>           a pointer
//   generations/<generation>/   = <key>              a link
//   retired/buckets/            = <retired>          a pointer
//
// Outside of a cache, beside a destination that is being made:
//
//   .larder-<boot>-<pid namespace>-<start>-<clock offset>-<pid>-<unique>/
//
//   <bucket>, <key> : see name.hpp      <id> : see id.hpp      <number> : decimal, no leading zero
//   <generation> : written like an id, but not the id of an entry
//   <retired> : written like an id, but not the id of an entry; it bears the time of retirement
//   <root> : written like an id; a hash, or drawn by a prune, which gives a root another name
//   <boot> and so on : the process that makes the destination, in hexadecimal digits
//
// A name that does not match the grammar is left alone, because a newer version may have made it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "format/id.hpp"
#include "format/name.hpp"
#include "os/process.hpp"
#include "os/unique.hpp"

namespace larder::format {

inline constexpr const char* format_name = "format";
inline constexpr const char* cachedir_tag_name = "CACHEDIR.TAG";
inline constexpr const char* gitignore_name = ".gitignore";
inline constexpr const char* locks_name = "locks";  ///< a file: see lock_bytes.hpp
inline constexpr const char* participants_name = "participants";
inline constexpr const char* staging_name = "staging";
inline constexpr const char* buckets_name = "buckets";
inline constexpr const char* archive_name = "archive";
inline constexpr const char* generations_name = "generations";  ///< if buckets are pointers
inline constexpr const char* retired_name = "retired";
inline constexpr const char* retired_links_name = "links";      ///< in retired/
inline constexpr const char* retired_buckets_name = "buckets";  ///< in retired/
inline constexpr const char* deleting_name = "deleting";
inline constexpr const char* pins_name = "pins";    ///< made with the first pin
inline constexpr const char* roots_name = "roots";  ///< made by the first link to a path
inline constexpr const char* boots_name = "boots";  ///< made by the first collection
inline constexpr const char* record_name = "record";
inline constexpr const char* manifest_name = "manifest";
inline constexpr const char* judged_name = "judged";  ///< made by a get: see judged_file.hpp
inline constexpr const char* tree_name = "tree";

/// https://bford.info/cachedir/
inline constexpr std::string_view cachedir_tag_text =
    "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a cache of larder's. It can "
    "be deleted at any time.\n";
inline constexpr std::string_view gitignore_text = "*\n";

/// Returns true if a tag with this text is larder's: it holds cachedir_tag_text, or a beginning of
/// it that names larder. What stands before that name, other programs write, too.
[[nodiscard]] bool is_own_tag(std::string_view text) noexcept;

/// Returns true if `name` stands in a root by the grammar above.
[[nodiscard]] bool is_root_name(std::string_view name) noexcept;

/// Returns the name of a participant in `participants/` and in `staging/`.
[[nodiscard]] std::string participant_name(std::uint32_t number);
/// Returns the number of a name in `participants/` or `staging/`. Returns nullopt for any other
/// name, and for a number in another spelling than that of participant_name.
[[nodiscard]] std::optional<std::uint32_t> parse_participant_name(std::string_view name);

/// Returns the name of the link that names the entry `id` from its birth until it is published.
/// After an exchange, the link to the entry that `id` has replaced has this name.
[[nodiscard]] std::string staged_link_name(const Id& id);
/// Returns the name of the link to the entry that `id` is about to replace.
[[nodiscard]] std::string old_link_name(const Id& id);
/// Returns the name of the link to an entry `id` whose tree a failed publish could not give back to
/// its owner. No process deletes that tree.
[[nodiscard]] std::string kept_link_name(const Id& id);
/// Returns the name of the pointer to a generation that has no bucket yet.
[[nodiscard]] std::string begun_pointer_name(const Id& generation);
/// What a name in a staging area is: one of the three links above, or a pointer, and the id in its
/// name.
struct StagedName {
    enum class Kind { link, old, kept, pointer };
    Kind kind;
    Id id;
};
/// Returns nullopt for a name that the four functions above cannot have made.
[[nodiscard]] std::optional<StagedName> parse_staged_name(std::string_view name) noexcept;

/// What the name of a directory tells that is filled beside a destination (tree/unfinished.hpp).
struct UnfinishedName {
    os::ProcessIdentity maker;  ///< its boot id is real
    os::Unique unique{};
};
[[nodiscard]] std::string unfinished_name(const UnfinishedName& name);
/// Returns nullopt for a name that unfinished_name cannot have made.
[[nodiscard]] std::optional<UnfinishedName> parse_unfinished_name(std::string_view name);

/// Returns the path of a link in a generation, from `generations/`.
[[nodiscard]] std::string generation_path(const Id& generation, std::string_view encoded_key);

/// The directories of the root in which the links of keys stand.
enum class KeysBelow {
    buckets,      ///< the path of a link is "<bucket>/<key>"
    generations,  ///< "<generation>/<key>"
};

/// The result of key_path_via_entry. It lies on the stack, because every get makes one, and has
/// room for the longest such path.
class PathViaEntry {
public:
    PathViaEntry(const Id& id, KeysBelow below, std::string_view key_path) noexcept;
    /// Returns the path, which lives as long as this object.
    [[nodiscard]] const char* c_str() const noexcept { return text_.data(); }
    /// Returns the id's text, with which the path begins.
    [[nodiscard]] std::string_view id_text() const noexcept { return {text_.data(), id_length}; }

private:
    static constexpr std::string_view from_tree_to_buckets = "/tree/../../../buckets/";
    static constexpr std::string_view from_tree_to_generations = "/tree/../../../generations/";
    static constexpr std::size_t longest =
        id_length + from_tree_to_generations.size() + max_bucket_name + 1 + max_name;
    std::array<char, longest + 1> text_;  // ends with a zero byte
};

/// Returns the path of a key's link from `archive/`, through an entry's tree and back:
/// "<id>/tree/../../../buckets/<bucket>/<key>". It leads to the link only if that entry is
/// complete. `key_path` is the link's path from the directory `below`; one that is too long for a
/// link is cut off, and leads nowhere.
[[nodiscard]] inline PathViaEntry key_path_via_entry(const Id& id, KeysBelow below,
                                                     std::string_view key_path) noexcept {
    return {id, below, key_path};
}

/// Returns the path of an entry's tree from `archive/`.
[[nodiscard]] std::string entry_tree_path(const Id& id);

/// Returns whether encode_bucket can have made `name`.
[[nodiscard]] bool is_bucket_name(std::string_view name);
/// Returns whether encode_key can have made `name`.
[[nodiscard]] bool is_key_name(std::string_view name);

}  // namespace larder::format
