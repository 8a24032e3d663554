// SPDX-License-Identifier: MIT
// SHA-256 by the library of each system, beside the examples of FIPS 180-2.
#include <larder/content.hpp>

#include "catch.hpp"

using namespace larder;

namespace {

std::string hex_of(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[static_cast<unsigned char>(byte) >> 4U];
        text += digits[static_cast<unsigned char>(byte) & 0xfU];
    }
    return text;
}

std::string digest_of(std::string_view text, std::size_t piece) {
    const auto stream = sha256().start();
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        stream->add(text.substr(0, piece));
    return hex_of(stream->finish());
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of its standard, in pieces of any size") {
    const struct {
        std::string text;
        const char* digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {std::string(1'000'000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (const auto& row : rows) {
        CHECK(digest_of(row.text, 1'000'000) == row.digest);
        CHECK(digest_of(row.text, 63) == row.digest);
    }
    CHECK(sha256().name() == "sha256");
}

TEST_CASE("streams of SHA-256 do not meet") {
    const auto one = sha256().start();
    const auto other = sha256().start();
    one->add("a");
    other->add("abc");
    one->add("bc");
    CHECK(one->finish() == other->finish());
}
