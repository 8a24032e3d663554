// SPDX-License-Identifier: MIT
// Measures how much memory and time the judge needs. It is run by hand.
//
//     bench_judge [OPERATIONS [KEYS [PROCESSES]]]
//
// Real processes change registers in shared memory, which are linearizable by construction. They
// record what they do, as the harness does. The outcome of one change in fifty is recorded as
// unknown. Now and then a process yields in the middle of an operation, so that most other
// operations overlap it.

#include "stress/judge/judge.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <random>
#include <string>

#include "stress/history/log.hpp"
#include "stress/history/read.hpp"
#include "stress/judge/report.hpp"

using namespace larder::stress;

namespace {

using SharedRegister = std::atomic<Version>;  // 0 means empty

class RegisterWorker {
public:
    RegisterWorker(HistoryLog log, std::uint32_t process, SharedRegister* registers,
                   std::uint32_t keys)
        : log_(std::move(log)),
          process_(process),
          registers_(registers),
          keys_(keys),
          random_(process) {}

    void run(std::uint64_t operations) {
        for (std::uint64_t i = 0; i < operations; ++i) one();
    }

private:
    void one() {
        const auto dice = random_() % 1000;
        event_ = {};
        event_.process = process_;
        event_.operation = ++operation_;
        event_.key = static_cast<std::uint32_t>(random_()) % keys_;
        SharedRegister& here = registers_[event_.key];
        if (dice < 300) {
            put(here);
        } else if (dice < 800) {
            begin(EventKind::get);
            const Version version = here.load();
            end(version == 0 ? OpOutcome::miss : OpOutcome::ok, version);
        } else if (dice < 999 || keys_ > 1000) {
            remove(here);
        } else {
            begin(EventKind::refresh);
            for (std::uint32_t key = 0; key < keys_; ++key) registers_[key] = 0;
            end(OpOutcome::ok, 0);
        }
    }

    void put(SharedRegister& here) {
        const Version version = std::uint64_t{process_} << 32 | operation_;
        begin(EventKind::put, version);
        const bool unclear = random_() % 50 == 0;
        if (!unclear || random_() % 2 == 0) here = version;
        end(unclear ? OpOutcome::unclear : OpOutcome::ok, version);
    }

    void remove(SharedRegister& here) {
        begin(EventKind::remove);
        const bool unclear = random_() % 50 == 0;
        const bool had = (!unclear || random_() % 2 == 0) && here.exchange(0) != 0;
        end(unclear ? OpOutcome::unclear : had ? OpOutcome::ok : OpOutcome::miss, 0);
    }

    void begin(EventKind kind, Version version = 0) {
        event_.kind = kind;
        event_.version = version;
        log_.append(event_);
        if (random_() % 8 == 0) ::sched_yield();
    }

    void end(OpOutcome outcome, Version version) {
        if (random_() % 8 == 0) ::sched_yield();
        event_.phase = EventPhase::end;
        event_.outcome = outcome;
        event_.version = version;
        log_.append(event_);
    }

    HistoryLog log_;
    std::uint32_t process_;
    SharedRegister* registers_;
    std::uint32_t keys_;
    std::mt19937 random_;
    std::uint32_t operation_ = 0;
    LogEvent event_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

long peak_megabytes() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

void hammer(const std::filesystem::path& directory, std::uint64_t operations, std::uint32_t keys,
            std::uint32_t processes) {
    const std::size_t size = keys * sizeof(SharedRegister);
    void* const shared =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) std::abort();
    auto* const registers = new (shared) SharedRegister[keys]();
    for (std::uint32_t process = 1; process <= processes; ++process) {
        if (::fork() != 0) continue;
        auto log = HistoryLog::open_for_process(directory, process);
        if (!log) std::abort();
        RegisterWorker(std::move(*log), process, registers, keys).run(operations / processes);
        ::_exit(0);
    }
    for (int status = 0; ::wait(&status) > 0;) {
        if (status != 0) std::abort();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int number, unsigned long otherwise) {
        return argc > number ? std::strtoul(argv[number], nullptr, 10) : otherwise;
    };
    const std::uint64_t operations = argument(1, 10'000'000);
    const auto keys = static_cast<std::uint32_t>(argument(2, 1000)),
               processes = static_cast<std::uint32_t>(argument(3, 16));
    std::string name = (std::filesystem::temp_directory_path() / "bench-judge-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return 1;

    auto start = std::chrono::steady_clock::now();
    hammer(name, operations, keys, processes);
    std::printf("written in %.2f s\n", seconds_since(start));
    start = std::chrono::steady_clock::now();
    const auto history = read_history(name);
    std::filesystem::remove_all(name);
    if (!history) return std::fprintf(stderr, "%s\n", history.error().message().c_str()), 1;
    std::printf("read in %.2f s; %ld MB at the highest\n", seconds_since(start), peak_megabytes());
    start = std::chrono::steady_clock::now();
    const auto verdict = judge(*history);
    std::printf("judged in %.2f s; %ld MB at the highest\n%s", seconds_since(start),
                peak_megabytes(), text_of(verdict).c_str());
    return verdict.sound() ? 0 : 1;
}
