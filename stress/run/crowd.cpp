// SPDX-License-Identifier: MIT
#include "stress/run/crowd.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <thread>

namespace larder::stress {

namespace {

sigset_t signals_to_wait_for() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) ::sigaddset(&set, signal);
    return set;
}

}  // namespace

ProcessCrowd::ProcessCrowd(const RunSetting& setting, SharedBoard& board, HistoryLog& log)
    : setting_(setting), board_(board), log_(log) {
    board.supervisor = ::getpid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const sigset_t signals = signals_to_wait_for();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

void ProcessCrowd::write_down(EventKind kind, std::uint32_t process) {
    LogEvent event;
    event.kind = kind;
    event.phase = EventPhase::instant;
    event.detail = process;
    log_.append(event);
}

CrowdMember* ProcessCrowd::spawn(ProcessRole role) {
    ProcessSeat* const seat = board_.claim_seat();
    if (seat == nullptr) return nullptr;
    const std::uint32_t number = board_.processes.fetch_add(1) + 1;
    seat->number = number;
    write_down(EventKind::born, number);
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setpgid(0, 0);
        // Whoever asks the run to end asks the supervisor, which ends us all in order: also where everybody of our name was asked. Ignored
        // first, and let through then.
        for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
        const sigset_t signals = signals_to_wait_for();
        ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
        ::_exit(live(setting_, board_, *seat, role));
    }
    if (pid < 0) {
        write_down(EventKind::ended, number);
        seat->state = ProcessSeat::empty;
        return nullptr;
    }
    ::setpgid(pid, pid);  // whoever is first: it may be struck as a group from now on
    seat->pid = pid;
    seat->state = ProcessSeat::noticed;
    members_.push_back({pid, number, seat, role});
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
            ::kill(-member.pid, SIGCONT);
        }
        if (member.kill_at && *member.kill_at <= now && !member.killed) kill(member);
        if (member.stopped) until = std::min(until, member.continue_at);
        if (member.kill_at && !member.killed) until = std::min(until, *member.kill_at);
    }
    // A forked child can't tell us that it waits to be noticed: it waits for as long as this at most.
    constexpr std::chrono::milliseconds longest{10};
    const auto left =
        std::clamp<std::chrono::nanoseconds>(until - now, std::chrono::nanoseconds(0), longest);
    const timespec time{0, static_cast<long>(left.count())};
    const sigset_t signals = signals_to_wait_for();
    const int signal = ::sigtimedwait(&signals, nullptr, &time);
    if (signal == SIGINT || signal == SIGTERM) interrupted_ = true;
}

void ProcessCrowd::kill(CrowdMember& member) {
    member.killed = true;
    ::kill(member.pid, SIGKILL);
    write_down(EventKind::killed, member.number);
}

void ProcessCrowd::stop(CrowdMember& member, std::chrono::milliseconds time) {
    if (member.stopped || member.killed) return;
    member.stopped = true;
    member.continue_at = std::chrono::steady_clock::now() + time;
    ::kill(-member.pid, SIGSTOP);
    write_down(EventKind::stopped, member.number);
}

void ProcessCrowd::continue_all() {
    for (CrowdMember& member : members_) {
        if (member.stopped) write_down(EventKind::continued, member.number);
        member.stopped = false;
        ::kill(-member.pid, SIGCONT);
    }
}

std::size_t ProcessCrowd::count(ProcessRole role) const noexcept {
    return static_cast<std::size_t>(
        std::count_if(members_.begin(), members_.end(),
                      [&](const CrowdMember& member) { return member.role == role; }));
}

bool ProcessCrowd::deserted() const noexcept {
    siginfo_t info{};
    return members_.empty() && ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 &&
           errno == ECHILD;
}

CrowdMember* ProcessCrowd::find(pid_t pid) noexcept {
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
    for (;;) {
        siginfo_t info{};
        // Looked at and left there: while its leader is unburied, a group's number is nobody else's.
        if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == 0)
            return;
        if (info.si_code == CLD_STOPPED) {
            note_stop(info.si_pid);
        } else {
            bury(info.si_pid);
        }
    }
}

void ProcessCrowd::note_stop(pid_t pid) {
    siginfo_t info{};
    (void)::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG);
    CrowdMember* const member = find(pid);
    if (member == nullptr || member->stopped) return;
    const std::uint32_t time = member->seat->stop_ms.exchange(0);
    if (time == 0) return;  // our own stop, which has been undone since
    member->stopped = true;
    member->continue_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(time);
    write_down(EventKind::stopped, member->number);
}

void ProcessCrowd::bury(pid_t pid) {
    notice_children();  // it may be one that has died before it was noticed
    CrowdMember* const member = find(pid);
    if (member == nullptr) {
        // A program that has outlived its cachetool, what was between a fork and its child, or a child that had no seat yet. It
        // may have been killed with its group.
        int status = 0;
        (void)::waitpid(pid, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
            report_end(
                fmt::format("a child of a process was ended by signal {}", WTERMSIG(status)));
        return;
    }
    ::kill(-pid, SIGKILL);
    int status = 0;
    (void)::waitpid(pid, &status, 0);
    // What is left of its group becomes ours as its parents end.
    while (::kill(-pid, SIGKILL) == 0) {
        int ignored = 0;
        if (::waitpid(-pid, &ignored, WNOHANG) <= 0)
            std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    judge_end(*member, status);
    write_down(EventKind::ended, member->number);
    member->seat->state = ProcessSeat::empty;
    members_.erase(members_.begin() + (member - members_.data()));
}

void ProcessCrowd::judge_end(const CrowdMember& member, int status) {
    const bool at_point = member.seat->died_at.load() != 0;
    if (at_point) write_down(EventKind::killed, member.number);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && (member.killed || at_point)) return;
    report_end(
        WIFSIGNALED(status)
            ? fmt::format("process {} was ended by signal {}", member.number, WTERMSIG(status))
            : fmt::format("process {} has ended with {}", member.number, WEXITSTATUS(status)));
}

void ProcessCrowd::report_end(std::string sentence) {
    strange_ends_.push_back(std::move(sentence));
    board_.violations.fetch_add(1);
}

}  // namespace larder::stress
