// SPDX-License-Identifier: MIT
// Names: every key has one, no name leads out of its directory, and a name reads back as what was
// encoded.

#include "format/name.hpp"

#include "format/layout.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

namespace {

bool is_safe_on_any_file_system(std::string_view name) {
    if (!is_one_name(name) || name.size() > max_name || name.front() == '.' || name.back() == '.')
        return false;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && std::string_view("-_+.%~").find(c) == std::string_view::npos) return false;
    }
    return true;
}

void check_encoding(std::string_view text) {
    must(decode_escapes(encode_escapes(text)) == text, "escapes read back");
    if (const auto key = encode_key(text)) {
        must(is_safe_on_any_file_system(*key), "a key's name is safe");
        must(is_key_name(*key), "a key's name is one");
        const auto decoded = decode_name(*key);
        must(is_hashed(*key) ? !decoded : decoded == text,
             "a key's name reads back, or has a hash");
        must(is_one_name(key_path("b", *key).substr(2)), "a key's path has two names");
        must(encode_key(text).value_or("") == *key, "a key has one name");
    }
    if (const auto bucket = encode_bucket(text)) {
        must(is_safe_on_any_file_system(*bucket) && bucket->size() <= max_bucket_name,
             "a bucket's name is safe");
        must(decode_name(*bucket) == text, "a bucket's name reads back");
    }
}

/// Checks any name that a directory may hold.
void check_decoding(std::string_view name) {
    if (const auto text = decode_name(name)) {
        must(encode_escapes(*text) == name, "a name is accepted in one spelling only");
        const auto key = encode_key(*text);
        must(!key || *key == name || name.size() > max_name, "and is the name of that key");
    }
    if (is_key_name(name)) must(is_safe_on_any_file_system(name), "a key's name is safe");
    if (is_hashed(name)) must(!decode_name(name), "a name with a hash has no key of its own");
    if (is_root_name(name)) must(is_one_name(name), "a root's names are names");
    if (const auto id = parse_id(name))
        must(to_text(*id) == name, "an id is accepted in one spelling only");
    if (const auto number = parse_participant_name(name))
        must(participant_name(*number) == name, "a number likewise");
    if (const auto staged = parse_staged_name(name)) {
        const auto name_again = [&] {
            switch (staged->kind) {
                case StagedName::Kind::link:
                    return staged_link_name(staged->id);
                case StagedName::Kind::old:
                    return old_link_name(staged->id);
                case StagedName::Kind::kept:
                    return kept_link_name(staged->id);
                case StagedName::Kind::pointer:
                    return begun_pointer_name(staged->id);
            }
            return std::string();
        };
        must(name_again() == name, "a staged name likewise");
    }
    if (const auto unfinished = parse_unfinished_name(name)) {
        must(unfinished_name(*unfinished) == name, "the name of what is not finished likewise");
        must(is_one_name(name), "and is one name");
    }
}

/// Checks that two keys have two names.
void check_two(std::string_view one, std::string_view other) {
    const auto first = encode_key(one), second = encode_key(other);
    if (first && second && one != other) must(*first != *second, "two keys have two names");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    check_encoding(text);
    check_decoding(text);
    check_two(text.substr(0, size / 2), text.substr(size / 2));
    return 0;
}
