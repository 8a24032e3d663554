// SPDX-License-Identifier: MIT
#include "stress/run/crowd.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace larder::stress {

ProcessCrowd::ProcessCrowd(const RunSetting& setting, SharedBoard& board, HistoryLog& log)
    : setting_(setting), board_(board), log_(log) {
    board.supervisor = this_process_id();
    become_supervisor();
}

void ProcessCrowd::write_down(EventKind kind, std::uint32_t process) {
    LogEvent event;
    event.kind = kind;
    event.phase = EventPhase::instant;
    event.detail = process;
    log_.append(event);
}

CrowdMember* ProcessCrowd::spawn(const ProcessTask& task) {
    ProcessSeat* const seat = board_.claim_seat();
    if (seat == nullptr) return nullptr;
    const std::uint32_t number = board_.processes.fetch_add(1) + 1;
    seat->number = number;
    write_down(EventKind::born, number);
    const auto pid = fork_group_leader([&] { return live(setting_, board_, *seat, task); });
    if (!pid) {
        write_down(EventKind::ended, number);
        seat->state = ProcessSeat::empty;
        return nullptr;
    }
    seat->pid = *pid;
    seat->state = ProcessSeat::noticed;
    members_.push_back({*pid, number, seat, task.role});
    return &members_.back();
}

void ProcessCrowd::watch(SteadyTime until) {
    notice_children();
    bury_the_dead();
    const auto now = std::chrono::steady_clock::now();
    for (CrowdMember& member : members_) {
        if (member.stopped && member.continue_at <= now) {
            member.stopped = false;
            write_down(EventKind::continued, member.number);
            continue_group(member.pid);
        }
        if (member.kill_at && *member.kill_at <= now && !member.killed) kill_member(member);
        if (member.stopped) until = std::min(until, member.continue_at);
        if (member.kill_at && !member.killed) until = std::min(until, *member.kill_at);
    }
    // A forked child has no signal to say that it waits to be noticed. It waits for at most this
    // time.
    constexpr std::chrono::milliseconds longest{10};
    const auto left =
        std::clamp<std::chrono::nanoseconds>(until - now, std::chrono::nanoseconds(0), longest);
    if (wait_for_signal(left)) interrupted_ = true;
}

void ProcessCrowd::kill_member(CrowdMember& member) {
    member.killed = true;
    kill_process(member.pid);
    write_down(EventKind::killed, member.number);
}

void ProcessCrowd::stop_member(CrowdMember& member, std::chrono::milliseconds time) {
    if (member.stopped || member.killed) return;
    member.stopped = true;
    member.continue_at = std::chrono::steady_clock::now() + time;
    stop_group(member.pid);
    write_down(EventKind::stopped, member.number);
}

void ProcessCrowd::continue_all() {
    for (CrowdMember& member : members_) {
        if (member.stopped) write_down(EventKind::continued, member.number);
        member.stopped = false;
        continue_group(member.pid);
    }
}

std::size_t ProcessCrowd::count(ProcessRole role) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(members_.begin(), members_.end(),
                      [&](const CrowdMember& member) { return member.role == role; }));
}

bool ProcessCrowd::deserted() const noexcept { return members_.empty() && !has_children(); }

CrowdMember* ProcessCrowd::find(ProcessId pid) noexcept {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const CrowdMember& member) { return member.pid == pid; });
    return found == members_.end() ? nullptr : &*found;
}

void ProcessCrowd::notice_children() {
    for (ProcessSeat& seat : board_.seats) {
        if (seat.state.load(std::memory_order_acquire) != ProcessSeat::announced) continue;
        members_.push_back({seat.pid, seat.number, &seat, ProcessRole::worker});
        write_down(EventKind::born, seat.number);
        seat.state.store(ProcessSeat::noticed, std::memory_order_release);
    }
}

void ProcessCrowd::bury_the_dead() {
    while (const auto change = next_change()) {
        if (change->stopped) {
            note_stop(change->process);
        } else {
            bury(change->process);
        }
    }
}

void ProcessCrowd::note_stop(ProcessId pid) {
    take_stop(pid);
    CrowdMember* const member = find(pid);
    if (member == nullptr || member->stopped) return;
    const std::uint32_t time = member->seat->stop_ms.exchange(0);
    if (time == 0) return;  // the supervisor's own stop, which is over
    member->stopped = true;
    member->continue_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(time);
    write_down(EventKind::stopped, member->number);
}

void ProcessCrowd::bury(ProcessId pid) {
    notice_children();  // a child may have died before it was noticed
    CrowdMember* const member = find(pid);
    if (member == nullptr) {
        // A program that has outlived its cachetool, the process between a fork and its child, or a
        // child that had no seat yet. It may have been killed with its group.
        const ProcessEnd end = take_end(pid);
        if (end.signal != 0 && !end.was_killed())
            report_end(
                fmt::format("a program started by a process was ended by signal {}", end.signal));
        return;
    }
    judge_end(*member, take_end_of_group(pid));
    write_down(EventKind::ended, member->number);
    member->seat->state = ProcessSeat::empty;
    members_.erase(members_.begin() + (member - members_.data()));
}

void ProcessCrowd::judge_end(const CrowdMember& member, const ProcessEnd& end) {
    const bool at_point = member.seat->died_at.load() != 0;
    if (at_point) write_down(EventKind::killed, member.number);
    if (end.signal == 0 && end.exit_code == 0) return;
    if (end.was_killed() && (member.killed || at_point)) return;
    report_end(
        end.signal != 0
            ? fmt::format("process {} was ended by signal {}", member.number, end.signal)
            : fmt::format("process {} ended with exit code {}", member.number, end.exit_code));
}

void ProcessCrowd::report_end(std::string sentence) {
    strange_ends_.push_back(std::move(sentence));
    board_.violations.fetch_add(1);
}

}  // namespace larder::stress
