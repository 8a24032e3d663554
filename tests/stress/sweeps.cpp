// SPDX-License-Identifier: MIT
// The sweep by itself: more letters at once than histories of operations hold, so that many configurations stand side by side.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"
#include "stress/judge/sweep.hpp"

using larder::stress::has_order;
using larder::stress::Letter;
using larder::stress::Puzzle;
using larder::stress::Time;

namespace {

using Kind = Letter::Kind;

/// Every set of letters that some order can have begun with, and whether the key is full after it.
bool some_order_exists(const std::vector<Letter>& letters) {
    const std::size_t sets = std::size_t{1} << letters.size();
    std::vector<char> reached(2 * sets, 0);
    reached[0] = 1;
    std::size_t must = 0;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const bool may_be_left_out = !letters[i].certain && (letters[i].kind == Kind::fill ||
                                                             letters[i].kind == Kind::clear);
        if (!may_be_left_out) must |= std::size_t{1} << i;
    }
    for (std::size_t set = 0; set < sets; ++set) {
        Time latest_begin = 0;
        for (std::size_t i = 0; i < letters.size(); ++i) {
            if ((set >> i & 1) != 0) latest_begin = std::max(latest_begin, letters[i].from);
        }
        for (const std::size_t full : {0U, 1U}) {
            if (reached[2 * set + full] == 0) continue;
            if ((set & must) == must) return true;
            for (std::size_t i = 0; i < letters.size(); ++i) {
                const auto& letter = letters[i];
                if ((set >> i & 1) != 0 || letter.to < latest_begin) continue;
                if (letter.kind == Kind::take && full == 0) continue;
                if (letter.kind == Kind::absent && full == 1) continue;
                reached[2 * (set | std::size_t{1} << i) + (letter.kind == Kind::fill ? 1 : 0)] = 1;
            }
        }
    }
    return false;
}

std::vector<Letter> random_letters(std::mt19937& random, std::size_t most, Time span,
                                   Time longest) {
    constexpr Kind kinds[] = {Kind::fill, Kind::fill, Kind::clear,
                              Kind::take, Kind::take, Kind::absent};
    std::vector<Letter> letters(most / 2 + random() % (most / 2 + 1));
    for (auto& letter : letters) {
        letter.kind = kinds[random() % std::size(kinds)];
        letter.from = random() % span;
        // Short ones leave no choice, long ones leave all of it: some of each.
        letter.to = letter.from + random() % (random() % 2 == 0 ? 3 : longest);
        letter.certain =
            letter.kind == Kind::take || letter.kind == Kind::absent || random() % 3 != 0;
    }
    return letters;
}

}  // namespace

TEST_CASE("the sweep agrees with reaching every set of letters") {
    std::mt19937 random(4);
    std::size_t with = 0, without = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto letters = random_letters(random, 12, 20, 12);
        const bool order = some_order_exists(letters);
        ++(order ? with : without);
        Puzzle puzzle{letters, {}};
        if (has_order(puzzle) != order) {
            for (const auto& letter : letters) {
                UNSCOPED_INFO("fcta"[static_cast<int>(letter.kind)]
                              << (letter.certain ? "! " : "? ") << letter.from << ' ' << letter.to);
            }
            FAIL("all sets say " << order);
        }
    }
    CHECK(with > 2'000);
    CHECK(without > 2'000);
}

TEST_CASE(
    "of two configurations that have used as many letters, the one that used the earlier ones goes "
    "on") {
    // Found by trying: it takes a dozen letters for rule 5 to matter in that way, and few dozens of them do.
    const auto letter = [](Kind kind, Time from, Time to, bool certain = true) {
        return Letter{from, to, kind, certain};
    };
    constexpr bool maybe = false;
    const std::vector<Letter> letters = {
        letter(Kind::absent, 1, 1),        letter(Kind::fill, 1, 1),
        letter(Kind::fill, 3, 11, maybe),  letter(Kind::fill, 4, 9),
        letter(Kind::clear, 5, 10),        letter(Kind::fill, 6, 7, maybe),
        letter(Kind::clear, 7, 11, maybe), letter(Kind::take, 10, 15),
        letter(Kind::take, 11, 11),        letter(Kind::take, 14, 14),
        letter(Kind::fill, 15, 15),        letter(Kind::clear, 18, 26)};
    REQUIRE(some_order_exists(letters));
    Puzzle puzzle{letters, {}};
    CHECK(has_order(puzzle));
}
