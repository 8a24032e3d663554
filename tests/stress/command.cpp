// SPDX-License-Identifier: MIT
// stress-judge as scripts use it: its output and its exit codes.

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "stress/history/log.hpp"
#include "stress/history/text.hpp"
#include "support/cache.hpp"

using namespace larder::stress;
using larder::testing::contains;
using larder::testing::TempDir;
using larder::testing::value;
namespace fs = std::filesystem;

namespace {

struct JudgeRun {
    int code = -1;
    std::string out;  ///< standard output and error
};

JudgeRun run(const std::string& arguments) {
    std::FILE* const pipe = ::popen((STRESS_JUDGE " " + arguments + " 2>&1").c_str(), "re");
    REQUIRE(pipe != nullptr);
    JudgeRun ran;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) ran.out += static_cast<char>(c);
    const int status = ::pclose(pipe);
    REQUIRE(WIFEXITED(status));
    ran.code = WEXITSTATUS(status);
    return ran;
}

std::string history(const char* name) { return (fs::path(HISTORIES) / name).string(); }

}  // namespace

TEST_CASE("stress-judge: a sound history gives 0, and a summary") {
    const auto ran = run(history("good/removes-race.txt"));
    CHECK(ran.code == 0);
    CHECK(
        ran.out ==
        "sound\n"
        "  6 operations, 0 of them changes that may have happened or not\n"
        "  1 keys, each judged on its own, with 6 / 6 / 6 operations (fewest / median / most)\n"
        "  0 builds compared with the next build of their key, 0 evictions, 6 times compared with "
        "a limit\n");
}

TEST_CASE("stress-judge: a violation gives 1, and a timeline that can be judged by itself") {
    const TempDir directory;
    const auto ran = run(history("bad/stale.read-after-refresh.txt"));
    CHECK(ran.code == 1);
    CHECK(contains(ran.out, "VIOLATED\n"));
    CHECK(contains(ran.out, "\n  stale: 1\n"));
    const auto explanation = ran.out.find("\nstale: ");
    REQUIRE(explanation != std::string::npos);
    CHECK(ran.out.substr(explanation) ==
          "\nstale: 0/1: get of 0/1 (version 1) by process 1, thread 0 read a version that was "
          "gone before the read began: after refresh of 0 by process 2, thread 0\n\n"
          "# 1.0.1 put 0/1 v1 ok  |---|\n"
          "# 2.0.1 refresh 0 ok           |---|\n"
          "# 1.0.2 get 0/1 v1 ok                  |---|\n"
          "1 1.0.1 begin put 0/1 v1\n"
          "11 1.0.1 end put 0/1 v1 ok\n"
          "21 2.0.1 begin refresh 0\n"
          "31 2.0.1 end refresh 0 ok\n"
          "41 1.0.2 begin get 0/1\n"
          "51 1.0.2 end get 0/1 v1 ok\n");
    larder::testing::write_file(directory.path() / "again.txt",
                                ran.out.substr(ran.out.find("\n\n", explanation + 1)));
    CHECK(run((directory.path() / "again.txt").string()).code == 1);
}

TEST_CASE("stress-judge: writes the verdict as JSON, beside the text or instead of it") {
    const TempDir directory;
    const auto file = (directory.path() / "verdict.json").string();
    CHECK(run("--json " + file + ' ' + history("bad/lost.acknowledged-put.txt")).code == 1);
    const auto verdict = nlohmann::json::parse(larder::testing::read_file(file));
    CHECK(verdict["sound"] == false);
    CHECK(verdict["operations"] == 2);
    CHECK(verdict["found"]["lost"] == 1);
    CHECK(verdict["found"]["stale"] == 0);
    REQUIRE(verdict["violations"].size() == 1);
    CHECK(verdict["violations"][0]["kind"] == "lost");
    CHECK(contains(verdict["violations"][0]["timeline"], "end get 0/1 miss"));

    const auto ran = run("--json - " + history("good/removes-race.txt"));
    CHECK(ran.code == 0);
    CHECK(nlohmann::json::parse(ran.out)["sound"] == true);
    CHECK(run("--json " + (directory.path() / "no/where").string() + ' ' +
              history("good/removes-race.txt"))
              .code == 2);
}

TEST_CASE("stress-judge: judges a directory that processes have written") {
    const TempDir directory;
    const auto text = value(read_text(history("bad/lost.acknowledged-put.txt")));
    {
        auto log = value(HistoryLog::open_for_process(directory.path(), 1));
        for (const auto& operation : text.operations) {
            for (const auto& event : events_of(operation)) log.append(event);
        }
    }
    const auto ran = run(directory.path().string());
    CHECK(ran.code == 1);
    CHECK(contains(ran.out, "\n  lost: 1\n"));
}

TEST_CASE("stress-judge: options change the limits") {
    CHECK(run(history("bad/hostage.get.txt")).code == 1);
    CHECK(run("--hostage-limit 7.5 " + history("bad/hostage.get.txt")).code == 0);
    CHECK(run("--lock-timeout 3 --hostage-limit 8 " +
              history("bad/hostage.busy-without-a-long-stop.txt"))
              .code == 0);
    CHECK(run("--unlocked-builds " + history("bad/built_twice.at-once.txt")).code == 0);
    CHECK(run("--noise 2.5 " + history("bad/built_twice.at-once.txt")).code == 0);
    CHECK(run("--build-timeout 0.00000001 " + history("bad/built_twice.lock-not-checked-again.txt"))
              .code == 0);
    CHECK_FALSE(
        contains(run("--explain 0 " + history("bad/lost.acknowledged-put.txt")).out, "timeline"));
}

TEST_CASE("stress-judge: wrong usage and unreadable histories give 2, and a reason") {
    const TempDir directory;
    const auto refused = [](const std::string& arguments, const std::string& why) {
        const auto ran = run(arguments);
        INFO(ran.out);
        CHECK(ran.code == 2);
        CHECK(contains(ran.out, why));
    };
    refused("", "which history?");
    refused("--nonsense x", "--nonsense");
    refused("--%original_token%=x", "%original_token%");  // a placeholder in messages of Boost
    refused("one two", "see stress-judge --help");
    refused("--noise -1 " + history("good/removes-race.txt"), "--noise needs a number of seconds");
    refused("--noise nan " + history("good/removes-race.txt"), "seconds");
    refused("--noise soon " + history("good/removes-race.txt"), "soon");
    refused((directory.path() / "nowhere").string(), "read history");
    refused(directory.path().string(), "it has no file history.*");
    larder::testing::write_file(directory.path() / "bad.txt", "10 1.0.1 begun\n");
    refused((directory.path() / "bad.txt").string(), "line 1");
    larder::testing::write_file(directory.path() / "history.1", "short");
    refused(directory.path().string(), "cut off");
    CHECK(run("--help").code == 0);
    CHECK(contains(run("--help").out, "usage: stress-judge"));
}
