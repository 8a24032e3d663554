// SPDX-License-Identifier: MIT
#include "format/name.hpp"

#include <algorithm>
#include <array>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>

#include "base/error.hpp"
#include "base/hex.hpp"
#include "format/id.hpp"

namespace larder::format {

namespace {

/// What stands before the hash in the name of a long key. No escape begins so.
constexpr std::string_view hash_mark = "%~";
constexpr std::size_t hash_length = hash_mark.size() + id_length;
/// How many bytes fewer may be kept before the hash, so that no half of an escape is kept.
constexpr std::size_t max_cut = 2;

/// Returns a table that says of each byte whether it is one of `characters`.
constexpr std::array<bool, 256> table_of(std::string_view characters) {
    std::array<bool, 256> is{};
    for (const unsigned char c : characters) is[c] = true;
    return is;
}
/// The characters that stay as they are anywhere in a name.
constexpr auto plain = table_of("abcdefghijklmnopqrstuvwxyz0123456789-_+");
/// Those that do so if they are neither the first nor the last.
constexpr auto plain_inside = table_of("abcdefghijklmnopqrstuvwxyz0123456789-_+.");

/// Returns whether the key needs no encoding. Most keys need none.
bool is_its_own_name(std::string_view key, std::size_t longest_name) {
    if (key.empty() || key.size() > longest_name || key.front() == '.' || key.back() == '.')
        return false;
    return std::all_of(key.begin(), key.end(),
                       [](char c) { return plain_inside[static_cast<unsigned char>(c)]; });
}

/// What may follow the first byte of a character in UTF-8.
struct Utf8Tail {
    std::size_t length = 0;        ///< how many bytes follow
    unsigned least_second = 0x80;  ///< what the second byte must at least be
    unsigned most_second = 0xbf;
};

/// Returns what may follow a byte of 0x80 or more, by table 3-7 of the Unicode standard; nullopt if
/// no character begins with it. The bounds of the second byte exclude overlong forms (after 0xe0
/// and 0xf0), surrogates (after 0xed), and what lies beyond U+10FFFF (after 0xf4).
std::optional<Utf8Tail> tail_after(unsigned lead) {
    if (lead < 0xc2 || lead > 0xf4) return std::nullopt;
    Utf8Tail tail;
    tail.length = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead == 0xe0) tail.least_second = 0xa0;
    if (lead == 0xed) tail.most_second = 0x9f;
    if (lead == 0xf0) tail.least_second = 0x90;
    if (lead == 0xf4) tail.most_second = 0x8f;
    return tail;
}

/// Returns whether the text is well-formed UTF-8.
bool is_utf8(std::string_view text) {
    // Behind the end stands a 0, which follows no byte of 0x80 or more.
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    for (std::size_t i = 0; i < text.size();) {
        if (byte(i) < 0x80) {
            ++i;
            continue;
        }
        const auto tail = tail_after(byte(i));
        if (!tail) return false;
        const unsigned second = byte(i + 1);
        if (second < tail->least_second || second > tail->most_second) return false;
        for (std::size_t k = 2; k <= tail->length; ++k) {
            if (byte(i + k) < 0x80 || byte(i + k) > 0xbf) return false;
        }
        i += 1 + tail->length;
    }
    return true;
}

}  // namespace

Id hash_of(std::string_view bytes) {
    const boost::uuids::name_generator_sha1 generate(boost::uuids::ns::oid());
    const auto uuid = generate(bytes.data(), bytes.size());
    Id id;
    std::size_t at = 0;
    for (const auto byte : uuid) {
        auto& word = at < 8 ? id.high : id.low;
        word = word << 8 | byte;
        ++at;
    }
    return id;
}

Result<std::string> encode_key(std::string_view key, std::size_t longest_name) {
    if (is_its_own_name(key, longest_name)) return std::string(key);
    if (key.size() > max_key)
        return fail(Errc::invalid, "key", {}, "longer than " + std::to_string(max_key) + " bytes");
    if (!is_utf8(key))
        return fail(Errc::invalid, "key", {}, "not UTF-8: " + encode_escapes(key.substr(0, 60)));
    std::string name = encode_escapes(key);
    if (name.size() <= longest_name) return name;
    // The hash needs room, so only the first bytes are kept. If the cut falls into an escape, which
    // has three bytes, that escape goes as a whole.
    std::size_t keep = longest_name - hash_length;
    if (name[keep - 1] == '%') {
        keep -= 1;
    } else if (name[keep - 2] == '%') {
        keep -= 2;
    }
    return name.substr(0, keep).append(hash_mark).append(to_text(hash_of(key)));
}

std::string key_path(std::string_view encoded_bucket, std::string_view encoded_key) {
    std::string path;
    path.reserve(encoded_bucket.size() + 1 + encoded_key.size());
    return path.append(encoded_bucket).append("/").append(encoded_key);
}

Result<std::string> encode_key_path(std::string_view encoded_bucket, std::string_view key,
                                    std::size_t longest_name) {
    if (is_its_own_name(key, longest_name)) return key_path(encoded_bucket, key);
    TRY_ASSIGN(const std::string name, encode_key(key, longest_name));
    return key_path(encoded_bucket, name);
}

Result<std::string> encode_bucket(std::string_view name) {
    if (name.empty()) return fail(Errc::invalid, "bucket name", {}, "empty");
    if (name.size() > max_bucket_name || !is_utf8(name)) {
        return fail(Errc::invalid, "bucket name", {},
                    "not UTF-8, or longer than " + std::to_string(max_bucket_name) +
                        " bytes: " + encode_escapes(name.substr(0, 60)));
    }
    std::string encoded = encode_escapes(name);
    if (encoded.size() > max_bucket_name) {
        return fail(Errc::invalid, "bucket name", {},
                    encoded.substr(0, 60) + "…: longer than " + std::to_string(max_bucket_name) +
                        " bytes once encoded");
    }
    return encoded;
}

bool is_hashed(std::string_view name) {
    if (name.size() <= hash_length || name.size() > max_name) return false;
    const auto kept = name.substr(0, name.size() - hash_length);
    const auto hash = name.substr(kept.size());
    if (!hash.starts_with(hash_mark) || !parse_id(hash.substr(hash_mark.size()))) return false;
    // A name is never shortened to less than this, whatever the longest name of the cache.
    if (kept.size() + max_cut < min_longest_name - hash_length) return false;
    // What is kept must be an encoded text. Append a letter, because the part that is kept may end
    // with a dot, but an encoded text may not.
    return decode_escapes(std::string(kept).append("k")).has_value();
}

std::string encode_escapes(std::string_view text) {
    if (text.empty()) return "%";
    std::string name;
    name.reserve(text.size() + 16);
    std::size_t copied = 0;  // the first byte of the text that is not in the name yet
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        // A dot at the start would hide the file, and some systems drop one at the end.
        const bool is_inner_dot = byte == '.' && i != 0 && i + 1 != text.size();
        if (plain[byte] || is_inner_dot) continue;
        name.append(text.substr(copied, i - copied));
        name += '%';
        name += "0123456789abcdef"[byte >> 4];
        name += "0123456789abcdef"[byte & 15];
        copied = i + 1;
    }
    return name.append(text.substr(copied));
}

std::optional<std::string> decode_escapes(std::string_view name) {
    if (name == "%") return std::string();
    std::string text;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '%') {
            text += name[i];
            continue;
        }
        if (i + 2 >= name.size()) return std::nullopt;
        const int high = base::hex_value(name[i + 1]), low = base::hex_value(name[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        text += static_cast<char>(high * 16 + low);
        i += 2;
    }
    // Accept only the spelling that larder writes: %61 is not a second name for "a".
    if (text.empty() || encode_escapes(text) != name) return std::nullopt;
    return text;
}

std::optional<std::string> decode_name(std::string_view name) {
    auto text = decode_escapes(name);
    if (!text || !is_utf8(*text)) return std::nullopt;
    return text;
}

}  // namespace larder::format
