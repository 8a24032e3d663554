// SPDX-License-Identifier: MIT
// The processes of a run, as the supervisor sees them: it starts them, strikes them, and writes down what becomes of them.
//
// Each is the leader of a process group of its own, so that a cachetool which it has started can be ended with it: only when
// nothing of the group is left does the history say that the process has ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "stress/board/board.hpp"
#include "stress/history/log.hpp"
#include "stress/run/life.hpp"

namespace larder::stress {

using SteadyTime = std::chrono::steady_clock::time_point;

struct CrowdMember {
    pid_t pid;
    std::uint32_t number;
    ProcessSeat* seat;
    ProcessRole role;
    bool killed = false;
    bool stopped = false;
    SteadyTime continue_at{};  ///< where it is stopped
    std::optional<SteadyTime> kill_at = {};
};

class ProcessCrowd {
public:
    /// Makes this process the parent of all its descendants whose own parent has ended.
    ProcessCrowd(const RunSetting& setting, SharedBoard& board, HistoryLog& log);

    /// Null where there is no room, or no process to be had.
    CrowdMember* spawn(ProcessRole role);

    /// Sees to whatever becomes due until `until`, or returns earlier, when something has happened: children are noticed, the
    /// stopped go on, the dead are buried.
    void watch(SteadyTime until);

    void kill(CrowdMember& member);
    void stop(CrowdMember& member, std::chrono::milliseconds time);
    void continue_all();

    [[nodiscard]] std::vector<CrowdMember>& members() noexcept { return members_; }
    [[nodiscard]] std::size_t count(ProcessRole role) const noexcept;
    /// No process of the run is left, known to us or not.
    [[nodiscard]] bool deserted() const noexcept;
    /// SIGINT or SIGTERM has come.
    [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }
    /// Processes that ended as none should.
    [[nodiscard]] const std::vector<std::string>& strange_ends() const noexcept {
        return strange_ends_;
    }

private:
    void write_down(EventKind kind, std::uint32_t process);
    void notice_children();
    void bury_the_dead();
    void bury(pid_t pid);
    void note_stop(pid_t pid);
    void judge_end(const CrowdMember& member, int status);
    void report_end(std::string sentence);
    CrowdMember* find(pid_t pid) noexcept;

    const RunSetting& setting_;
    SharedBoard& board_;
    HistoryLog& log_;
    std::vector<CrowdMember> members_;
    std::vector<std::string> strange_ends_;
    bool interrupted_ = false;
};

}  // namespace larder::stress
