// SPDX-License-Identifier: MIT
// The command lines of Windows. This runs on every system.
#include "cachetool/system/windows/words.hpp"
#include "catch.hpp"

using cachetool::system::windows::arguments_in;
using cachetool::system::windows::as_argument;
using cachetool::system::windows::command_line_of;
using Words = std::vector<std::string>;

// The second and third column are those of Microsoft's page "Parsing C command-line arguments".
TEST_CASE("a command line is divided by the rules of Microsoft's C library") {
    CHECK(arguments_in(R"(p "abc" d e)") == Words{"abc", "d", "e"});
    CHECK(arguments_in(R"(p a\\b d"e f"g h)") == Words{R"(a\\b)", "de fg", "h"});
    CHECK(arguments_in(R"(p a\\\"b c d)") == Words{R"(a\"b)", "c", "d"});
    CHECK(arguments_in(R"(p a\\\\"b c" d e)") == Words{R"(a\\b c)", "d", "e"});
    CHECK(arguments_in(R"(p "a b"" c d)") == Words{R"(a b" c d)"});
    CHECK(arguments_in(R"(p "" x)") == Words{"", "x"});
    CHECK(arguments_in("p \t a\t b  ") == Words{"a", "b"});
    CHECK(arguments_in(R"(p a\)") == Words{R"(a\)"});
    CHECK(arguments_in("p").empty());
    CHECK(arguments_in("").empty());
}

TEST_CASE("a program's name may hold spaces, and backslashes before its last quote") {
    CHECK(arguments_in(R"("C:\Program Files\p.exe" a)") == Words{"a"});
    CHECK(arguments_in(R"("C:\a b\" c)") == Words{"c"});
    CHECK(arguments_in(R"(C:\"a b"\p.exe c)") == Words{"c"});
}

TEST_CASE("an argument has quotes only if it needs them") {
    CHECK(as_argument("plain") == "plain");
    CHECK(as_argument(R"(C:\a\)") == R"(C:\a\)");
    CHECK(as_argument("") == R"("")");
    CHECK(as_argument("a b") == R"("a b")");
    CHECK(as_argument(R"(a"b)") == R"("a\"b")");
    CHECK(as_argument(R"(a b\)") == R"("a b\\")");
    CHECK(as_argument(R"(a\\"b)") == R"("a\\\\\"b")");
}

TEST_CASE("every word comes back out of a command line") {
    // All words of up to six of these letters: those that the rules speak of, and another one.
    constexpr std::string_view letters = "\\\" \ta";
    constexpr std::size_t longest = 6;
    std::size_t count = 0;
    for (std::size_t length = 0; length <= longest; ++length) {
        std::size_t words = 1;
        for (std::size_t i = 0; i < length; ++i) words *= letters.size();
        for (std::size_t number = 0; number < words; ++number) {
            std::string word;
            for (std::size_t left = number; word.size() < length; left /= letters.size())
                word += letters[left % letters.size()];
            const auto back = arguments_in(command_line_of({"C:\\a b\\p.exe", word, "end", word}));
            if (back != Words{word, "end", word}) FAIL("lost: " << word);
            ++count;
        }
    }
    CHECK(count == 19531);
}
