// SPDX-License-Identifier: MIT
#include "format/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hex.hpp"

namespace larder::format {

namespace {

// The prefixes of the names in a staging area, which stand before the text of an id. All have the
// same length.
constexpr std::string_view staged_link_prefix = "l-";
constexpr std::string_view old_link_prefix = "o-";
constexpr std::string_view kept_link_prefix = "k-";
constexpr std::string_view begun_pointer_prefix = "g-";
constexpr std::string_view unfinished_prefix = ".larder-";

std::string hex_digits(std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    return {digits.data(), end};
}

/// Takes a number and the dash behind it off the front of `text`. Returns 0 if none stands there:
/// the caller compares the whole name with the one that it reads.
std::uint64_t take_hex_number(std::string_view& text) {
    const auto part = text.substr(0, text.find('-'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    std::uint64_t number = 0;
    std::from_chars(part.data(), part.data() + part.size(), number, 16);
    return number;
}

}  // namespace

bool is_own_tag(std::string_view text) noexcept {
    constexpr std::string_view own_name = " larder";
    constexpr std::size_t named = cachedir_tag_text.find(own_name) + own_name.size();
    return text.size() >= named && cachedir_tag_text.starts_with(text);
}

bool is_root_name(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 14> names = {
        format_name,  cachedir_tag_name, gitignore_name, locks_name,      participants_name,
        staging_name, buckets_name,      archive_name,   retired_name,    deleting_name,
        pins_name,    boots_name,        roots_name,     generations_name};
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

std::string staged_link_name(const Id& id) {
    return std::string(staged_link_prefix).append(to_text(id));
}

std::string old_link_name(const Id& id) { return std::string(old_link_prefix).append(to_text(id)); }

std::string kept_link_name(const Id& id) {
    return std::string(kept_link_prefix).append(to_text(id));
}

std::string begun_pointer_name(const Id& generation) {
    return std::string(begun_pointer_prefix).append(to_text(generation));
}

std::string generation_path(const Id& generation, std::string_view encoded_key) {
    return to_text(generation).append("/").append(encoded_key);
}

std::string entry_tree_path(const Id& id) { return to_text(id) + "/" + tree_name; }

std::optional<StagedName> parse_staged_name(std::string_view name) noexcept {
    static_assert(staged_link_prefix.size() == old_link_prefix.size() &&
                  staged_link_prefix.size() == kept_link_prefix.size() &&
                  staged_link_prefix.size() == begun_pointer_prefix.size());
    if (name.size() <= staged_link_prefix.size()) return std::nullopt;
    const auto id = parse_id(name.substr(staged_link_prefix.size()));
    if (!id) return std::nullopt;
    if (name.starts_with(staged_link_prefix)) return StagedName{StagedName::Kind::link, *id};
    if (name.starts_with(old_link_prefix)) return StagedName{StagedName::Kind::old, *id};
    if (name.starts_with(kept_link_prefix)) return StagedName{StagedName::Kind::kept, *id};
    if (name.starts_with(begun_pointer_prefix)) return StagedName{StagedName::Kind::pointer, *id};
    return std::nullopt;
}

std::string unfinished_name(const UnfinishedName& name) {
    std::string text(unfinished_prefix);
    text += os::to_text(name.maker.boot);
    for (const std::uint64_t number :
         {name.maker.pid_namespace, name.maker.start,
          static_cast<std::uint64_t>(name.maker.clock_offset),
          static_cast<std::uint64_t>(name.maker.pid), name.unique.random,
          static_cast<std::uint64_t>(name.unique.counter)})
        text += "-" + hex_digits(number);
    return text;
}

std::optional<UnfinishedName> parse_unfinished_name(std::string_view name) {
    UnfinishedName read;
    read.maker.boot_is_real = true;
    constexpr std::size_t boot_digits = 2 * std::tuple_size_v<os::BootId>;
    if (!name.starts_with(unfinished_prefix)) return std::nullopt;
    std::string_view rest = name.substr(unfinished_prefix.size());
    if (rest.size() <= boot_digits || rest[boot_digits] != '-') return std::nullopt;
    for (std::size_t i = 0; i < boot_digits; i += 2) {
        const int high = base::hex_value(rest[i]), low = base::hex_value(rest[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        read.maker.boot[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
    }
    rest.remove_prefix(boot_digits + 1);
    read.maker.pid_namespace = take_hex_number(rest);
    read.maker.start = take_hex_number(rest);
    read.maker.clock_offset = static_cast<std::int64_t>(take_hex_number(rest));
    read.maker.pid = static_cast<std::int64_t>(take_hex_number(rest));
    read.unique.random = take_hex_number(rest);
    read.unique.counter = static_cast<std::uint32_t>(take_hex_number(rest));
    if (unfinished_name(read) != name) return std::nullopt;  // each has one spelling
    return read;
}

PathViaEntry::PathViaEntry(const Id& id, KeysBelow below, std::string_view key_path) noexcept {
    const auto text = characters_of(id);
    const auto way = below == KeysBelow::buckets ? from_tree_to_buckets : from_tree_to_generations;
    char* end = std::copy(text.begin(), text.end(), text_.data());
    end = std::copy(way.begin(), way.end(), end);
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
