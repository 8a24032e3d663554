// SPDX-License-Identifier: MIT
#include "format/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace larder::format {

namespace {

// The prefixes of the names in a staging area, which stand before the text of an id. All have the
// same length.
constexpr std::string_view staged_tree_prefix = "t-";
constexpr std::string_view staged_link_prefix = "l-";
constexpr std::string_view kept_tree_prefix = "k-";

}  // namespace

bool is_root_name(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 11> names = {
        format_name,       cachedir_tag_name, gitignore_name, locks_name,
        participants_name, staging_name,      buckets_name,   archive_name,
        retired_name,      deleting_name,     pins_name};
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_lock_name(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 4> names = {collector_lock_name, builds_lock_name,
                                                       gates_lock_name, buckets_lock_name};
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string participant_name(std::uint32_t number) { return std::to_string(number); }

std::optional<std::uint32_t> parse_participant_name(std::string_view name) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
    if (participant_name(number) != name) return std::nullopt;  // "007" is no second name for "7"
    return number;
}

std::string staged_tree_name(const Id& id) {
    return std::string(staged_tree_prefix).append(to_text(id));
}

std::string staged_link_name(const Id& id) {
    return std::string(staged_link_prefix).append(to_text(id));
}

std::string kept_tree_name(const Id& id) {
    return std::string(kept_tree_prefix).append(to_text(id));
}

std::optional<StagedName> parse_staged_name(std::string_view name) noexcept {
    static_assert(staged_tree_prefix.size() == staged_link_prefix.size() &&
                  staged_tree_prefix.size() == kept_tree_prefix.size());
    if (name.size() <= staged_tree_prefix.size()) return std::nullopt;
    const auto id = parse_id(name.substr(staged_tree_prefix.size()));
    if (!id) return std::nullopt;
    if (name.starts_with(staged_tree_prefix)) return StagedName{StagedName::Kind::tree, *id};
    if (name.starts_with(staged_link_prefix)) return StagedName{StagedName::Kind::link, *id};
    if (name.starts_with(kept_tree_prefix)) return StagedName{StagedName::Kind::kept, *id};
    return std::nullopt;
}

PathViaEntry::PathViaEntry(const Id& id, std::string_view key_path) noexcept {
    const auto text = characters_of(id);
    char* end = std::copy(text.begin(), text.end(), text_.data());
    end = std::copy(from_tree_to_buckets.begin(), from_tree_to_buckets.end(), end);
    const auto room = static_cast<std::size_t>(text_.data() + longest - end);
    const std::string_view that_fits = key_path.substr(0, room);
    *std::copy(that_fits.begin(), that_fits.end(), end) = '\0';
}

bool is_bucket_name(std::string_view name) {
    // Unlike a key, a bucket may not have the empty string for its name.
    return name.size() <= max_bucket_name && !decode_name(name).value_or("").empty();
}

bool is_key_name(std::string_view name) {
    return name.size() <= max_name && (is_hashed(name) || decode_name(name));
}

}  // namespace larder::format
