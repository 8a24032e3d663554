// SPDX-License-Identifier: MIT
#include "format/junction.hpp"

#include "format/id.hpp"

namespace larder::format {

namespace {

constexpr std::string_view up = "../";
constexpr std::string_view below_archive = "archive/", at_tree = "/tree",
                           below_generations = "generations/";

/// Takes the last characters of a target apart if they have this form, with an id in the middle.
std::optional<JunctionTarget> split(std::string_view target, std::string_view before,
                                    std::string_view after) noexcept {
    const std::size_t length = before.size() + id_length + after.size();
    if (target.size() < length + 2) return std::nullopt;  // a root, a slash and what is below it
    const std::string_view below = target.substr(target.size() - length);
    const std::string_view root = target.substr(0, target.size() - length - 1);
    if (!below.starts_with(before) || !below.ends_with(after)) return std::nullopt;
    if (target[root.size()] != '/') return std::nullopt;
    return JunctionTarget{.root = root, .below = below};
}

}  // namespace

std::string junction_target_of(std::string_view root, std::string_view text) {
    while (text.starts_with(up)) text.remove_prefix(up.size());
    return std::string(root).append("/").append(text);
}

std::optional<JunctionTarget> parse_junction_target(std::string_view target) noexcept {
    const auto entry = split(target, below_archive, at_tree);
    return entry ? entry : split(target, below_generations, {});
}

std::string text_of(const JunctionTarget& target) {
    // A key lies two levels below the root, and a bucket one.
    const std::string_view ways = target.below.starts_with(below_archive) ? "../../" : "../";
    return std::string(ways).append(target.below);
}

}  // namespace larder::format
