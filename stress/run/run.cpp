// SPDX-License-Identifier: MIT
#include "stress/run/run.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>

#include "stress/history/read.hpp"
#include "stress/judge/judge.hpp"
#include "stress/run/crowd.hpp"
#include "stress/run/metronome.hpp"
#include "stress/run/strikes.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// How many findings of one kind are told: more than that explain nothing more.
constexpr std::size_t most_told = 20;

/// How long the workers may take to end once they are asked to and all faults are over: as long as the longest that one of
/// their operations may take, as long as everything stalled at a time, and half a minute. Arbitrary: all of them end at once.
std::chrono::nanoseconds grace(const Scenario& scenario, const SharedBoard& board) {
    const milliseconds longest(
        std::max({scenario.lock_timeout_ms, scenario.build_timeout_ms, scenario.held_up_ms}));
    return std::max<std::chrono::nanoseconds>(longest, slowest_second(board)) +
           std::chrono::nanoseconds(board.longest_stall) + seconds(30);
}

class Supervisor {
public:
    Supervisor(const RunSetting& setting, const RunExtent& extent, SharedBoard& board,
               RunProgress& progress, HistoryLog& log)
        : setting_(setting),
          extent_(extent),
          board_(board),
          progress_(progress),
          crowd_(setting, board, log),
          random_(setting.seed, 0) {}

    RunOutcome run() {
        board_.operations_left =
            extent_.operations ? static_cast<std::int64_t>(*extent_.operations) : INT64_MAX;
        alone(ProcessRole::setup, "setting up");
        const auto begun = std::chrono::steady_clock::now();
        work();
        outcomes_.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        finish();
        alone(ProcessRole::check, "looking at what is left");
        outcomes_.interrupted = crowd_.interrupted();
        outcomes_.processes = board_.processes;
        outcomes_.checks.push_back({"every process ends as it should", crowd_.strange_ends(),
                                    crowd_.strange_ends().size()});
        outcomes_.checks.push_back({"nobody is held up", held_up_, held_up_.size()});
        return std::move(outcomes_);
    }

private:
    /// One process by itself, to its end.
    void alone(ProcessRole role, std::string_view phase) {
        if (crowd_.spawn(role) == nullptr) return held_up_.push_back("no process could be started");
        while (!crowd_.deserted()) {
            crowd_.watch(std::chrono::steady_clock::now() + seconds(1));
            progress_.show(phase, crowd_.members().size());
        }
    }

    /// As many workers as there should be, until time or operations are over.
    void work() {
        StrikeContext field{setting_, board_, crowd_, random_};
        StrikeSchedule strikes(setting_, random_);
        (void)crowd_.spawn(
            ProcessRole::metronome);  // without it a slow machine is taken for one that waits
        const auto end = extent_.seconds
                             ? std::chrono::steady_clock::now() + seconds(*extent_.seconds)
                             : std::chrono::steady_clock::time_point::max();
        while (std::chrono::steady_clock::now() < end && board_.operations_left.load() > 0 &&
               !crowd_.interrupted()) {
            while (crowd_.count(ProcessRole::worker) < setting_.scenario.processes &&
                   crowd_.spawn(ProcessRole::worker) != nullptr) {
            }
            crowd_.watch(std::min(strikes.strike_due(field), end));
            progress_.show(setting_.scenario.name, crowd_.members().size());
        }
        board_.ending = true;
        strikes.end(field);
    }

    /// No faults any more: whoever does not end now is held up by something.
    void finish() {
        const auto asked = std::chrono::steady_clock::now();
        crowd_.continue_all();
        while (!crowd_.deserted()) {
            crowd_.watch(std::chrono::steady_clock::now() + seconds(1));
            progress_.show("ending", crowd_.members().size());
            // Looked at each time: that everything stalls is known when it is over.
            if (std::chrono::steady_clock::now() - asked < grace(setting_.scenario, board_))
                continue;
            for (CrowdMember& member : crowd_.members()) {
                if (member.killed) continue;
                held_up_.push_back(fmt::format(
                    "process {} (pid {}) does not end, {} s after it was asked to", member.number,
                    member.pid,
                    std::chrono::duration_cast<seconds>(grace(setting_.scenario, board_)).count()));
                board_.violations.fetch_add(1);
                crowd_.kill(member);
            }
        }
        board_.ending = false;
        board_.operations_left = INT64_MAX;
    }

    const RunSetting& setting_;
    const RunExtent& extent_;
    SharedBoard& board_;
    RunProgress& progress_;
    ProcessCrowd crowd_;
    Random random_;
    RunOutcome outcomes_;
    std::vector<std::string> held_up_;
};

/// How long an operation may take that waits for nobody: the scenario's limit, or what a second of a processor took at the
/// worst; and where the disk is slower than that, three times what the slowest operation took in the two processes that were
/// alone in the cache, before the run and after.
std::chrono::nanoseconds hostage_limit(const History& history, const Scenario& scenario,
                                       const SharedBoard& board) {
    std::uint64_t slowest = 0;
    for (const Operation& operation : history.operations) {
        const bool alone = operation.process == 1 || operation.process == board.processes;
        if (alone && operation.finished)
            slowest = std::max(slowest, operation.end - operation.begin);
    }
    return std::max<std::chrono::nanoseconds>({milliseconds(scenario.held_up_ms),
                                               slowest_second(board),
                                               std::chrono::nanoseconds(3 * slowest)});
}

/// What a process may lose between a deed and writing it down: what the judge allows anyway, or where the machine is slower
/// than that, three times what a moment's work took at the worst.
std::chrono::nanoseconds noise(const SharedBoard& board) {
    return std::max(JudgeOptions{}.noise, 3 * slowest_work(board));
}

/// What the processes have written about what they found.
RunCheck read_notes(const fs::path& histories) {
    RunCheck check{
        "every tree proves itself, every error is explained, and one collection leaves what is "
        "live",
        {},
        0};
    std::set<std::string> told;
    for (const auto& file : fs::directory_iterator(histories)) {
        if (!file.path().filename().string().starts_with("notes.")) continue;
        std::ifstream stream(file.path());
        for (std::string line; std::getline(stream, line); ++check.found) {
            if (told.size() < most_told) told.insert(line);
        }
    }
    check.findings.assign(told.begin(), told.end());
    return check;
}

RunCheck check_of(const JudgeVerdict& verdict) {
    RunCheck check{"the history is one that a correct cache can have", {}, 0};
    for (const auto found : verdict.found) check.found += found;
    for (const auto& violation : verdict.violations) {
        check.findings.push_back(fmt::format("{}: {}\n{}", name_of(violation.kind),
                                             violation.explanation, violation.timeline));
    }
    return check;
}

}  // namespace

std::uint64_t RunOutcome::violations() const noexcept {
    std::uint64_t count = 0;
    for (const auto& check : checks) count += check.found;
    return count;
}

Result<RunOutcome> run(const RunSetting& setting, const RunExtent& extent, SharedBoard& board,
                       RunProgress& progress) {
    auto outcomes = [&]() -> Result<RunOutcome> {
        auto log = HistoryLog::open_for_process(setting.histories, 0);
        if (!log) return tl::make_unexpected(std::move(log).error());
        return Supervisor(setting, extent, board, progress, *log).run();
    }();
    if (!outcomes) return outcomes;
    progress.clear();
    const auto history = read_history(setting.histories);
    if (!history) return tl::make_unexpected(history.error());
    JudgeOptions options;
    options.lock_timeout = milliseconds(setting.scenario.lock_timeout_ms);
    options.build_timeout = milliseconds(setting.scenario.build_timeout_ms);
    options.hostage_limit = hostage_limit(*history, setting.scenario, board);
    options.noise = noise(board);
    outcomes->held_up_seconds = std::chrono::duration<double>(options.hostage_limit).count();
    outcomes->verdict = judge(*history, options);
    outcomes->checks.push_back(read_notes(setting.histories));
    outcomes->checks.push_back(check_of(outcomes->verdict));
    return outcomes;
}

}  // namespace larder::stress
