// SPDX-License-Identifier: MIT
// Where the junctions of a cache lead. A junction has no relative target, so it says
// "<root>/archive/<id>/tree" where a symlink would say "../../archive/<id>/tree".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace larder::format {

/// Returns where a junction leads that stands for the text of a link or of a pointer, in a cache
/// whose root has this absolute path. All have slashes.
[[nodiscard]] std::string junction_target_of(std::string_view root, std::string_view text);

/// The two parts of where a junction leads. They refer to its text.
struct JunctionTarget {
    std::string_view root;   ///< the path of a cache: of this one, unless it was moved or copied
    std::string_view below;  ///< "archive/<id>/tree" or "generations/<id>", with any 26 characters
};
/// Takes a text of junction_target_of apart. Returns nullopt for any other text.
[[nodiscard]] std::optional<JunctionTarget> parse_junction_target(std::string_view target) noexcept;

/// Returns the text of the link or pointer for which a junction stands that leads to this.
[[nodiscard]] std::string text_of(const JunctionTarget& target);

}  // namespace larder::format
