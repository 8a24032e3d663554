// SPDX-License-Identifier: MIT
// An entry is `archive/<id>/{record, tree/}`. Every step reaches it by its id and never by
// following a link.
#pragma once

#include <optional>
#include <string>

#include "cache/root.hpp"
#include "format/record.hpp"
#include "tree/measure.hpp"

namespace larder::protocol {

/// Returns true if the entry has its tree: both are directories, in the archive itself. Returns
/// false if one of them is missing, or is something else (a symlink, a file). An error means that
/// this can't be told. Does not look for the record.
[[nodiscard]] Result<bool> is_complete(const cache::Root& root, const format::Id& id);

/// Returns the record of an entry. Errors: `damaged` if it is certain that the record or its entry
/// is missing, cut off or changed, so that a caller may retire the entry. Any other error says
/// nothing about the entry.
[[nodiscard]] Result<format::Record> read_record(const cache::Root& root, const format::Id& id);

/// Gives the owner of an entry the rights to search it, and to read its record and its manifest, if
/// a program has taken them away. Best effort: what reads the entry next tells whether it may.
void make_readable(const cache::Root& root, const format::Id& id);

/// Returns the directory that an error of reading an entry is about, if it is one of its tree, and
/// belongs to this user, who may not read it: then a program has taken that right away since the
/// entry was published. `tree` is the path of the tree. Returns nullopt for any other error.
[[nodiscard]] std::optional<std::filesystem::path> shut_directory(
    const Error& error, const std::filesystem::path& tree);

/// What is wrong with such a directory.
inline constexpr const char* shut_since =
    "its owner may not read this directory any more: something has changed it since its entry was "
    "published";

/// Compares the size of an entry's tree with its record. Returns in words how they differ, or
/// nullopt if they agree.
[[nodiscard]] std::optional<std::string> difference_from_record(const tree::Size& size,
                                                                const format::Record& record);

/// Returns the absolute path of the entry's tree, whether it exists or not.
[[nodiscard]] std::filesystem::path tree_path(const cache::Root& root, const format::Id& id);

}  // namespace larder::protocol
