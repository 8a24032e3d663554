// SPDX-License-Identifier: MIT
// Histories on disk: written by threads and forked processes, and cut short by the death of a
// process, by a full disk, or by an incomplete copy.

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <thread>

#include "catch.hpp"
#include "stress/history/log.hpp"
#include "stress/history/read.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

using namespace larder::stress;
using larder::Errc;
using larder::Result;
using larder::testing::Child;
using larder::testing::contains;
using larder::testing::TempDir;
using larder::testing::value;
namespace fs = std::filesystem;

namespace {

LogEvent event_of(std::uint32_t process, std::uint16_t thread, std::uint32_t operation,
                  EventPhase phase, EventKind kind, Version version = 0) {
    LogEvent event;
    event.process = process;
    event.thread = thread;
    event.operation = operation;
    event.phase = phase;
    event.kind = kind;
    event.version = version;
    event.outcome = phase == EventPhase::end ? OpOutcome::ok : OpOutcome::none;
    return event;
}

void put(HistoryLog& log, std::uint32_t process, std::uint16_t thread, std::uint32_t operation) {
    log.append(event_of(process, thread, operation, EventPhase::begin, EventKind::put,
                        1000 * thread + operation));
    log.append(event_of(process, thread, operation, EventPhase::end, EventKind::put,
                        1000 * thread + operation));
}

std::string refusal(const Result<History>& history) {
    REQUIRE_FALSE(history);
    CHECK(history.error().code == Errc::damaged);
    return history.error().message();
}

/// Overwrites a word of the header or of an event.
void overwrite(const fs::path& file, std::size_t offset, std::uint64_t word) {
    auto bytes = larder::testing::read_file(file);
    std::memcpy(bytes.data() + offset, &word, sizeof(word));
    larder::testing::write_file(file, bytes);
}

}  // namespace

TEST_CASE("a history reads as it was written, with times in order, even after the file has grown") {
    const TempDir directory;
    {
        auto log = value(HistoryLog::open_for_process(directory.path(), 3));
        for (std::uint32_t operation = 1; operation <= 1000; ++operation) put(log, 3, 0, operation);
    }
    const auto history = value(read_history(directory.path()));
    REQUIRE(history.operations.size() == 1000);
    Time before = 0;
    for (const auto& operation : history.operations) {
        CHECK(operation.process == 3);
        CHECK(operation.kind == EventKind::put);
        CHECK(operation.outcome == OpOutcome::ok);
        CHECK(operation.version == operation.operation);
        CHECK(before <= operation.begin);
        CHECK(operation.begin <= operation.end);
        before = operation.end;
    }
    CHECK(history.last == before);
}

TEST_CASE("threads share a log while it grows") {
    const TempDir directory;
    auto log = value(HistoryLog::create(directory.path() / "history.1", 1));
    constexpr std::uint16_t threads = 4;
    constexpr std::uint32_t each = 900;
    {
        std::vector<std::jthread> running;
        for (std::uint16_t thread = 0; thread < threads; ++thread) {
            running.emplace_back([&log, thread] {
                for (std::uint32_t operation = 1; operation <= each; ++operation)
                    put(log, 1, thread, operation);
            });
        }
    }
    const auto history = value(read_history(directory.path()));
    std::set<std::pair<std::uint16_t, std::uint32_t>> seen;
    for (const auto& operation : history.operations) {
        CHECK(operation.finished);
        seen.emplace(operation.thread, operation.operation);
    }
    CHECK(history.operations.size() == threads * each);
    CHECK(seen.size() == threads * each);
}

TEST_CASE(
    "a killed writer leaves all events that it has written; its operation ends with its process") {
    const TempDir directory;
    auto supervisor = value(HistoryLog::open_for_process(directory.path(), 0));
    Child writer([&](Child& self) {
        auto log = Child::must(HistoryLog::open_for_process(directory.path(), 1));
        put(log, 1, 0, 1);
        log.append(event_of(1, 0, 2, EventPhase::begin, EventKind::put, 77));
        self.say("in the middle");
        self.hear();
    });
    writer.wait_for("in the middle");
    writer.kill();
    auto ended = event_of(0, 0, 0, EventPhase::instant, EventKind::ended);
    ended.detail = 1;
    supervisor.append(ended);

    const auto history = value(read_history(directory.path()));
    REQUIRE(history.operations.size() == 2);
    CHECK(history.operations[0].finished);
    const auto& cut = history.operations[1];
    CHECK_FALSE(cut.finished);
    CHECK(cut.outcome == OpOutcome::unclear);
    CHECK(cut.intended == 77);
    CHECK(cut.end == history.incidents.of(1).ended);
    CHECK(cut.end == history.last);
    CHECK(cut.begin < cut.end);
}

TEST_CASE("a writer killed at any instant leaves a history that can be read") {
    // The scheduler decides where the child is killed, after it has said that it has done this many
    // operations. Whatever it has written must fit together.
    for (std::uint32_t round = 1; round <= 20; ++round) {
        const TempDir directory;
        Child writer([&](Child& self) {
            auto log = Child::must(HistoryLog::create(directory.path() / "history.1", 1));
            for (std::uint32_t operation = 1;; ++operation) {
                put(log, 1, 0, operation);
                if (operation == round * 10) self.say("many");
            }
        });
        writer.wait_for("many");
        writer.kill();
        const auto history = value(read_history(directory.path()));
        REQUIRE(history.operations.size() >= round * 10);
        const auto unfinished = std::count_if(history.operations.begin(), history.operations.end(),
                                              [](const auto& o) { return !o.finished; });
        CHECK(unfinished <= 1);
    }
}

TEST_CASE("an event whose time was never written does not count") {
    const TempDir directory;
    const auto file = directory.path() / "history.1";
    {
        auto log = value(HistoryLog::create(file, 16));
        put(log, 1, 0, 1);
        put(log, 1, 0, 2);
    }
    overwrite(file, LogHeader::size + 3 * sizeof(LogEvent), 0);
    const auto history = value(read_history(directory.path()));
    REQUIRE(history.operations.size() == 2);
    CHECK(history.operations[0].finished);
    CHECK_FALSE(history.operations[1].finished);
    CHECK(history.operations[1].end == never);
}

TEST_CASE("a history cut off at any length is refused") {
    const TempDir directory;
    const auto file = directory.path() / "history.1";
    {
        auto log = value(HistoryLog::create(file, 6));
        put(log, 1, 0, 1);
        put(log, 1, 0, 2);
    }
    CHECK(value(read_history(directory.path())).operations.size() == 2);
    for (auto length = fs::file_size(file); length-- > 0;) {
        fs::resize_file(file, length);
        if (!contains(refusal(read_history(directory.path())), "cut off")) FAIL("at " << length);
    }
}

TEST_CASE("if a forked child appends to its parent's history, the history is refused") {
    const TempDir directory;
    auto log = value(HistoryLog::open_for_process(directory.path(), 1));
    put(log, 1, 0, 1);
    Child child([&](Child&) { put(log, 1, 0, 2); });
    REQUIRE(child.join() == 0);
    put(log, 1, 0, 3);
    CHECK(contains(refusal(read_history(directory.path())), "2 events of a forked child"));
}

TEST_CASE("a forked child leaves its parent's history alone, and writes its own") {
    const TempDir directory;
    auto log = value(HistoryLog::open_for_process(directory.path(), 1));
    put(log, 1, 0, 1);
    Child child([&](Child&) {
        { const HistoryLog inherited = std::move(log); }
        auto own = Child::must(HistoryLog::open_for_process(directory.path(), 2));
        put(own, 2, 1, 1);
    });
    REQUIRE(child.join() == 0);
    put(log, 1, 0, 2);
    CHECK(value(read_history(directory.path())).operations.size() == 3);
}

TEST_CASE("events that a full disk has no space for are counted, and the history is refused") {
    const TempDir directory;
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
        WARN("skipped: this process can't mount a small file system");
        return;
    }
    {
        auto log = value(HistoryLog::open_for_process(directory.path(), 1));
        for (std::uint32_t operation = 1; operation <= 1000; ++operation) put(log, 1, 0, operation);
        CHECK(contains(refusal(read_history(directory.path())), "events are lost"));
        const auto next = HistoryLog::create(directory.path() / "history.2", 4096);
        REQUIRE_FALSE(next);
        CHECK(next.error().code == Errc::no_space);
        CHECK_FALSE(fs::exists(directory.path() / "history.2"));
        CHECK_FALSE(fs::exists(directory.path() / "history.2.new"));
    }
    REQUIRE(::umount(directory.path().c_str()) == 0);
}

TEST_CASE("events that no harness writes are refused") {
    const TempDir directory;
    const auto file = directory.path() / "history.1";
    {
        auto log = value(HistoryLog::create(file, 16));
        put(log, 1, 0, 1);
    }
    const auto good = larder::testing::read_file(file);
    const auto event = [&](std::size_t number) {
        LogEvent read;
        std::memcpy(&read, good.data() + LogHeader::size + number * sizeof(LogEvent),
                    sizeof(LogEvent));
        return read;
    };
    const auto refused_with = [&](std::size_t number, const LogEvent& changed,
                                  const std::string& why) {
        auto bytes = good;
        std::memcpy(bytes.data() + LogHeader::size + number * sizeof(LogEvent), &changed,
                    sizeof(LogEvent));
        larder::testing::write_file(file, bytes);
        const auto message = refusal(read_history(directory.path()));
        CAPTURE(message, why);
        CHECK(contains(message, why));
    };
    const auto change = [&](std::size_t number, auto how, const std::string& why) {
        LogEvent changed = event(number);
        how(changed);
        refused_with(number, changed, why);
    };
    change(
        0, [](LogEvent& e) { e.kind = static_cast<EventKind>(40); }, "no harness writes");
    change(
        0, [](LogEvent& e) { e.phase = static_cast<EventPhase>(9); }, "no harness writes");
    change(
        1, [](LogEvent& e) { e.outcome = static_cast<OpOutcome>(9); }, "no harness writes");
    change(
        1, [](LogEvent& e) { e.outcome = OpOutcome::none; }, "no harness writes");
    change(
        0, [](LogEvent& e) { e.phase = EventPhase::instant; }, "no harness writes");
    change(
        0, [](LogEvent& e) { e.process = 2; }, "another process wrote it");
    change(
        0, [](LogEvent& e) { e.version = 0; }, "does not say which");
    change(
        1, [](LogEvent& e) { e.operation = 2; }, "no begin");
    change(
        1, [](LogEvent& e) { e.key = 5; }, "differs from that of its begin");
    change(
        1, [](LogEvent& e) { e.kind = EventKind::get; }, "differs from that of its begin");
    change(
        1, [](LogEvent& e) { e.time = 1; }, "before its begin");
    change(
        1,
        [](LogEvent& e) {
            e.phase = EventPhase::begin;
            e.outcome = OpOutcome::none;
        },
        "begun already");

    larder::testing::write_file(file, good);
    overwrite(file, 0, 0x1234);
    CHECK(contains(refusal(read_history(directory.path())), "not a history"));

    larder::testing::write_file(file, good);
    larder::testing::write_file(directory.path() / "history.01", good);
    CHECK(contains(refusal(read_history(directory.path())), "a second history of process 1"));

    fs::remove(directory.path() / "history.01");
    fs::remove(file);
    fs::create_symlink("elsewhere", file);
    CHECK_FALSE(read_history(directory.path()));
}

TEST_CASE("other names are ignored; a directory without a history is an error") {
    const TempDir directory;
    CHECK(read_history(directory.path()).error().code == Errc::miss);
    CHECK_FALSE(read_history(directory.path() / "nowhere"));
    for (const char* name :
         {"report.json", "history.1.new", "history.", "history.-1", "history.99999999999"}) {
        larder::testing::write_file(directory.path() / name, "something");
    }
    CHECK(read_history(directory.path()).error().code == Errc::miss);
    auto log = value(HistoryLog::open_for_process(directory.path(), 1));
    CHECK(value(read_history(directory.path())).operations.empty());
    CHECK(HistoryLog::open_for_process(directory.path(), 1).error().code == Errc::exists);
}

TEST_CASE("incidents are kept by process") {
    const TempDir directory;
    auto log = value(HistoryLog::open_for_process(directory.path(), 0));
    for (const EventKind kind : {EventKind::born, EventKind::stopped, EventKind::continued,
                                 EventKind::stopped, EventKind::killed, EventKind::ended}) {
        auto event = event_of(0, 0, 0, EventPhase::instant, kind);
        event.detail = 7;
        log.append(event);
    }
    const auto history = value(read_history(directory.path()));
    REQUIRE(history.incidents.all().size() == 6);
    const auto& life = history.incidents.of(7);
    CHECK(life.born == history.incidents.all()[0].time);
    REQUIRE(life.stopped.size() == 2);
    CHECK(life.stopped[0].from == history.incidents.all()[1].time);
    CHECK(life.stopped[0].to == history.incidents.all()[2].time);
    CHECK(life.stopped[1].to == life.killed);
    CHECK(life.last() == life.killed);
    CHECK(life.ended == history.last);
    CHECK(history.incidents.of(8).ended == never);
}

TEST_CASE("an event that is known only afterwards has the time at which it happened") {
    const TempDir directory;
    auto log = value(HistoryLog::open_for_process(directory.path(), 5));
    const auto append_at = [&](EventKind kind, std::uint64_t detail, Time time) {
        auto event = event_of(5, 0, 0, EventPhase::instant, kind);
        event.detail = detail;
        event.time = 77;  // is overwritten
        log.append_at(event, time);
    };
    put(log, 5, 0, 1);
    append_at(EventKind::stopped, 0, 5000);
    put(log, 5, 0, 2);
    append_at(EventKind::continued, 0, 4000);
    append_at(EventKind::stopped, 0, 2000);
    append_at(EventKind::continued, 0, 5500);

    const auto history = value(read_history(directory.path()));
    CHECK(history.operations.size() == 2);
    const auto& stopped = history.incidents.of(0).stopped;
    REQUIRE(stopped.size() == 2);
    CHECK(stopped[0].from == 2000);
    CHECK(stopped[0].to == 4000);
    CHECK(stopped[1].from == 5000);
    CHECK(stopped[1].to == 5500);
    CHECK(history.last == history.operations[1].end);
}

TEST_CASE("one stop may begin when the one before ends") {
    const TempDir directory;
    auto log = value(HistoryLog::open_for_process(directory.path(), 5));
    for (const Time begin : {2000, 3000}) {
        log.append_at(event_of(5, 0, 0, EventPhase::instant, EventKind::continued), begin + 1000);
        log.append_at(event_of(5, 0, 0, EventPhase::instant, EventKind::stopped), begin);
    }
    const auto history = value(read_history(directory.path()));
    const auto& stopped = history.incidents.of(0).stopped;
    REQUIRE(stopped.size() == 2);
    CHECK(stopped[0].to == 3000);
    CHECK(stopped[1].from == 3000);
    CHECK(stopped[1].to == 4000);
}
