// SPDX-License-Identifier: MIT
// A beat of the metronome says nothing, or that all processes were stopped.

#include "catch.hpp"
#include "stress/history/join.hpp"
#include "stress/run/stall.hpp"
#include "support/cache.hpp"

using namespace larder::stress;

namespace {

constexpr Time begin = 10'000'000'000;
constexpr std::uint32_t metronome = 7;

History joined(const std::vector<std::vector<LogEvent>>& beats) {
    EventJoiner joiner;
    for (const auto& beat : beats) {
        for (const auto& event : beat) REQUIRE(joiner.add(event));
    }
    auto history = joiner.finish();
    REQUIRE(history);
    return std::move(*history);
}

}  // namespace

TEST_CASE("a beat that takes no longer than it may says nothing") {
    CHECK(events_of_beat(metronome, {begin, begin + usual_beat}).empty());
    CHECK(events_of_beat(metronome, {begin, begin + longest_usual_beat}).empty());
}

TEST_CASE("during a longer beat all processes were stopped, from its begin to its end") {
    const Time end = begin + longest_usual_beat + 1;
    const auto events = events_of_beat(metronome, {begin, end});
    REQUIRE(events.size() == 2);
    for (const auto& event : events) {
        CHECK(event.process == metronome);
        CHECK(event.detail == 0);
    }
    const auto history = joined({events});
    const auto& stopped = history.incidents.of(0).stopped;
    REQUIRE(stopped.size() == 1);
    CHECK(stopped[0].from == begin);
    CHECK(stopped[0].to == end);
    CHECK(history.incidents.of(metronome).stopped.empty());
}

TEST_CASE("neighbouring beats leave no gap") {
    const Time between = begin + 2 * longest_usual_beat, end = between + 3 * longest_usual_beat;
    const auto history = joined(
        {events_of_beat(metronome, {begin, between}), events_of_beat(metronome, {between, end})});
    const auto& stopped = history.incidents.of(0).stopped;
    REQUIRE(stopped.size() == 2);
    CHECK(stopped[0].to == between);
    CHECK(stopped[1].from == between);
    CHECK(stopped[1].to == end);
}

TEST_CASE("a metronome that is killed while it writes down a stall has stopped no process") {
    auto events = events_of_beat(metronome, {begin, begin + 2 * longest_usual_beat});
    REQUIRE(events.size() == 2);
    events.pop_back();
    CHECK(joined({events}).incidents.of(0).stopped.empty());
}
