// SPDX-License-Identifier: MIT
#include "stress/run/run.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <set>

#include <larder/try.hpp>

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

/// How many findings of one kind are told. More would explain nothing more.
constexpr std::size_t most_told = 20;

/// Returns how long the workers may take to end after they are asked to and all faults are over:
/// the longest time that an operation may take, plus the longest stall, plus half a minute, which
/// is arbitrary: all of them end at once.
std::chrono::nanoseconds grace(const Scenario& scenario, const SharedBoard& board) {
    const milliseconds longest(
        std::max({scenario.lock_timeout_ms, scenario.build_timeout_ms, scenario.held_up_ms}));
    return std::max<std::chrono::nanoseconds>(longest, slowest_second(board)) +
           std::chrono::nanoseconds(board.longest_stall) + seconds(30);
}

class Supervisor {
public:
    Supervisor(const RunSetting& setting, const RunExtent& extent, SharedBoard& board,
               RunProgress& progress, HistoryLog& log, CutDisk* disk)
        : setting_(setting),
          extent_(extent),
          board_(board),
          progress_(progress),
          crowd_(setting, board, log),
          random_(setting.seed, 0),
          field_{setting_, board_, crowd_, random_, log, disk, {}} {}

    RunOutcome run() {
        board_.operations_left =
            extent_.operations ? static_cast<std::int64_t>(*extent_.operations) : INT64_MAX;
        alone({ProcessRole::setup}, "setting up");
        const auto begun = std::chrono::steady_clock::now();
        work();
        outcomes_.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        finish();
        alone({ProcessRole::check}, "looking at what is left");
        outcomes_.interrupted = crowd_.interrupted();
        outcomes_.processes = board_.processes;
        survive_cuts();
        outcomes_.checks.push_back({"every process ends as it should", crowd_.strange_ends(),
                                    crowd_.strange_ends().size()});
        outcomes_.checks.push_back({"no process is held up", held_up_, held_up_.size()});
        return std::move(outcomes_);
    }

private:
    /// Runs one process by itself to its end.
    void alone(const ProcessTask& task, std::string_view phase) {
        if (crowd_.spawn(task) == nullptr) return held_up_.push_back("no process could be started");
        while (!crowd_.deserted()) {
            crowd_.watch(std::chrono::steady_clock::now() + seconds(1));
            progress_.show(phase, crowd_.members().size());
        }
    }

    /// Keeps as many workers running as there should be, until the time or the operations are over.
    void work() {
        StrikeSchedule strikes(setting_, random_);
        (void)crowd_.spawn(
            {ProcessRole::metronome});  // without it, slowness would look like waiting
        const auto end = extent_.seconds
                             ? std::chrono::steady_clock::now() + seconds(*extent_.seconds)
                             : std::chrono::steady_clock::time_point::max();
        while (std::chrono::steady_clock::now() < end && board_.operations_left.load() > 0 &&
               !crowd_.interrupted()) {
            while (crowd_.count(ProcessRole::worker) < setting_.scenario.processes &&
                   crowd_.spawn({ProcessRole::worker}) != nullptr) {
            }
            crowd_.watch(std::min(strikes.strike_due(field_), end));
            progress_.show(setting_.scenario.name, crowd_.members().size());
        }
        board_.ending = true;
        strikes.end(field_);
    }

    /// Starts a process in the boot after each power cut. What it finds is judged with the rest.
    void survive_cuts() {
        for (const std::uint32_t cut : field_.cuts) {
            if (crowd_.interrupted()) break;
            if (const auto shown = field_.disk->show(cut); !shown) {
                cuts_.push_back(fmt::format("power cut {}: {}", cut, shown.error().message()));
                continue;
            }
            alone({ProcessRole::survivor, cut}, fmt::format("after power cut {}", cut));
        }
        if (!field_.cuts.empty()) {
            if (const auto shown = field_.disk->show(0); !shown)
                cuts_.push_back(shown.error().message());
            outcomes_.checks.push_back(
                {"each disk can be mounted after its power was cut", cuts_, cuts_.size()});
        }
    }

    /// Waits until all workers have ended. There are no faults any more, so a worker that does not
    /// end is held up by something.
    void finish() {
        const auto asked = std::chrono::steady_clock::now();
        crowd_.continue_all();
        while (!crowd_.deserted()) {
            crowd_.watch(std::chrono::steady_clock::now() + seconds(1));
            progress_.show("ending", crowd_.members().size());
            // Computed each time, because a stall is known only when it is over.
            if (std::chrono::steady_clock::now() - asked < grace(setting_.scenario, board_))
                continue;
            for (CrowdMember& member : crowd_.members()) {
                if (member.killed) continue;
                held_up_.push_back(fmt::format(
                    "process {} (pid {}) has not ended {} s after it was asked to", member.number,
                    member.pid,
                    std::chrono::duration_cast<seconds>(grace(setting_.scenario, board_)).count()));
                board_.violations.fetch_add(1);
                crowd_.kill_member(member);
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
    StrikeContext field_;
    RunOutcome outcomes_;
    std::vector<std::string> held_up_;
    std::vector<std::string> cuts_;  ///< a sentence about each that could not be looked at
};

/// Returns how long an operation that never waits may take. It is the largest of the scenario's
/// limit, the time that a second of computation took at the worst, and three times the slowest
/// operation of the two processes that were alone in the cache, before and after the run.
std::chrono::nanoseconds hostage_limit(const History& history, const Scenario& scenario,
                                       const SharedBoard& board, std::uint64_t last) {
    std::uint64_t slowest = 0;
    for (const Operation& operation : history.operations) {
        const bool alone = operation.process == 1 || operation.process == last;
        if (alone && operation.finished)
            slowest = std::max(slowest, operation.end - operation.begin);
    }
    return std::max<std::chrono::nanoseconds>({milliseconds(scenario.held_up_ms),
                                               slowest_second(board),
                                               std::chrono::nanoseconds(3 * slowest)});
}

/// Returns how long a process may lose the processor between an event and writing it down: what the
/// judge allows by default, or, if the machine is slower, three times the worst ten milliseconds of
/// computation.
std::chrono::nanoseconds noise(const SharedBoard& board) {
    return std::max(JudgeOptions{}.noise, 3 * slowest_work(board));
}

/// Reads what the processes have noted about what they found.
RunCheck read_notes(const fs::path& histories) {
    RunCheck check{
        "every tree is whole, every error has a reason, and one collection leaves what is live",
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
    RunCheck check{"a correct cache can have this history", {}, 0};
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
                       RunProgress& progress, CutDisk* disk) {
    auto outcomes = [&]() -> Result<RunOutcome> {
        LARDER_TRY_ASSIGN(HistoryLog log, HistoryLog::open_for_process(setting.histories, 0));
        return Supervisor(setting, extent, board, progress, log, disk).run();
    }();
    if (!outcomes) return outcomes;
    progress.clear();
    LARDER_TRY_ASSIGN(const History history, read_history(setting.histories));
    JudgeOptions options;
    options.lock_timeout = milliseconds(setting.scenario.lock_timeout_ms);
    options.build_timeout = milliseconds(setting.scenario.build_timeout_ms);
    options.hostage_limit = hostage_limit(history, setting.scenario, board, outcomes->processes);
    options.noise = noise(board);
    outcomes->held_up_seconds = std::chrono::duration<double>(options.hostage_limit).count();
    outcomes->verdict = judge(history, options);
    outcomes->checks.push_back(read_notes(setting.histories));
    outcomes->checks.push_back(check_of(outcomes->verdict));
    return outcomes;
}

}  // namespace larder::stress
