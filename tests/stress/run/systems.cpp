// SPDX-License-Identifier: MIT
// What the harness asks of the system: forks, words between processes, and commands.

#include <atomic>
#include <csignal>

#include "catch.hpp"
#include "stress/system/command.hpp"
#include "stress/system/forking.hpp"
#include "stress/system/shared_memory.hpp"

using namespace larder::stress;

namespace {

const std::function<void()> no_answer;

CommandRun run_shell(const std::string& script, const std::function<void()>& answer = no_answer,
                     CommandDeadline deadline = {}) {
    return run_command({"/bin/sh", "-c", script}, deadline, answer);
}

}  // namespace

TEST_CASE("a parent waits for the word of the child that it has forked away") {
    const auto has_read = make_shared_object<std::atomic<bool>>();
    OnceSignal signal;
    REQUIRE(fork_away([&] {
        *has_read = true;
        signal.give();
    }));
    signal.await();
    CHECK(*has_read);
}

TEST_CASE("a parent does not wait for a child that has ended without a word") {
    OnceSignal signal;
    REQUIRE(fork_away([] {}));
    signal.await();
}

TEST_CASE("a command's output and exit code are told") {
    const auto run = run_shell("echo some; exit 3");
    CHECK(run.out == "some\n");
    CHECK(run.code == 3);
    CHECK(run.signal() == 0);
    CHECK_FALSE(run_command({"/no/such/program"}, {}, no_answer).started);
}

TEST_CASE("a command is killed at its deadline") {
    const auto run =
        run_shell("while :; do :; done", no_answer, {.at = std::chrono::steady_clock::now()});
    CHECK(run.was_killed());
}

TEST_CASE("a command that ends what it has started is only asked to end at its deadline") {
    // The processes of a run ignore this signal, but no command that they start does.
    auto* const before = std::signal(SIGTERM, SIG_IGN);
    const auto run = run_shell("while :; do :; done", no_answer,
                               {.at = std::chrono::steady_clock::now(), .gently = true});
    (void)std::signal(SIGTERM, before);
    CHECK(run.signal() == SIGTERM);
    CHECK(run.was_killed());
}

TEST_CASE("a program that a command starts asks the process that runs the command") {
    int asked = 0;
    const auto run = run_shell("printf ! >&9; head -c 1 <&9", [&] { ++asked; });
    CHECK(run.code == 0);
    CHECK(run.out == "!");
    CHECK(asked == 1);
}
