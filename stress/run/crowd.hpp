// SPDX-License-Identifier: MIT
// The processes of a run: the supervisor starts them, strikes them, and writes down what becomes of
// them.
//
// Each leads a process group of its own, so that a cachetool which it has started ends with it. The
// history says that a process has ended only when nothing of its group is left.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "stress/board/board.hpp"
#include "stress/history/log.hpp"
#include "stress/run/life.hpp"
#include "stress/system/children.hpp"

namespace larder::stress {

using SteadyTime = std::chrono::steady_clock::time_point;

/// One process of the run.
struct CrowdMember {
    ProcessId pid;
    std::uint32_t number;
    ProcessSeat* seat;
    ProcessRole role;
    bool killed = false;
    bool stopped = false;
    SteadyTime continue_at{};  ///< if it is stopped
    std::optional<SteadyTime> kill_at = {};
};

class ProcessCrowd {
public:
    /// Makes this process the supervisor.
    ProcessCrowd(const RunSetting& setting, SharedBoard& board, HistoryLog& log);

    /// Starts a process. Returns null if there is no free seat, or if there can be no more
    /// processes.
    CrowdMember* spawn(const ProcessTask& task);

    /// Does what becomes due until `until`: notices new children, lets stopped processes continue,
    /// buries dead ones. Returns earlier if something has happened.
    void watch(SteadyTime until);

    void kill_member(CrowdMember& member);
    void stop_member(CrowdMember& member, std::chrono::milliseconds time);
    void continue_all();

    [[nodiscard]] std::vector<CrowdMember>& members() noexcept { return members_; }
    [[nodiscard]] std::size_t count(ProcessRole role) const noexcept;
    /// Returns whether no process of the run is left, known to the supervisor or not.
    [[nodiscard]] bool deserted() const noexcept;
    /// Returns whether SIGINT or SIGTERM has come.
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }
    /// Returns a sentence about each process that ended as none should.
    [[nodiscard]] const std::vector<std::string>& strange_ends() const noexcept {
        return strange_ends_;
    }

private:
    void write_down(EventKind kind, std::uint32_t process);
    void notice_children();
    void bury_the_dead();
    void bury(ProcessId pid);
    void note_stop(ProcessId pid);
    void judge_end(const CrowdMember& member, const ProcessEnd& end);
    void report_end(std::string sentence);
    CrowdMember* find(ProcessId pid) noexcept;

    const RunSetting& setting_;
    SharedBoard& board_;
    HistoryLog& log_;
    std::vector<CrowdMember> members_;
    std::vector<std::string> strange_ends_;
    bool interrupted_ = false;
};

}  // namespace larder::stress
