// SPDX-License-Identifier: MIT
// Example 5: two programs with one thread each want the same 200 entries, and build them from an
// event loop.
//
// What you learn: claim does what get_or_build does, but never waits and takes no callback. So a
// loop with one thread, as in Node, asyncio or tokio, can build any number of entries at a time. If
// another program builds an entry just now, the claim is `busy`, and the loop asks again later.

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "example.hpp"

using namespace example;

namespace {

constexpr int keys = 200;
constexpr int at_once = 20;  // so many entries does one program build at a time

/// A key that the loop wants.
struct Task {
    std::string key;
    std::optional<larder::Staging> staging;  // while this program builds it
    int parts = 0;                           // how many parts of it have come
};

struct LoopState {
    int building = 0;  // how many entries this program builds now
    int built = 0;     // and how many it has built
};

/// Does the next step of a task, and never waits. Returns the lease when there is one.
std::optional<larder::Lease> step(const larder::Bucket& bucket, Task& task, LoopState& state) {
    if (!task.staging) {
        if (state.building == at_once) return std::nullopt;
        auto claim = bucket.claim(task.key);
        if (!claim && claim.error().code == larder::Errc::busy) return std::nullopt;
        auto claimed = value_of(std::move(claim));
        if (auto* const lease = std::get_if<larder::Lease>(&claimed)) return std::move(*lease);
        // No other program builds this entry as long as we have the Staging.
        task.staging = std::get<larder::Staging>(std::move(claimed));
        ++state.building;
    } else if (task.parts < 3) {
        // In a real program, a part of a download or the output of a compiler comes in here.
        ++task.parts;
        write_file(task.staging->path() / ("part" + std::to_string(task.parts)), task.key);
    } else {
        --state.building;
        ++state.built;
        // If a build fails, destroy the Staging instead. Then another program can claim the key.
        return value_of(bucket.publish(task.key, std::move(*task.staging)));
    }
    return std::nullopt;
}

/// Runs one program with its loop. Returns how many entries it has built.
int run(const fs::path& root) {
    const larder::Cache cache = value_of(larder::Cache::open(root));
    const larder::Bucket bucket = value_of(cache.bucket("downloads-v1"));
    std::deque<Task> tasks;
    for (int i = 0; i < keys; ++i) tasks.push_back({"file-" + std::to_string(i), std::nullopt, 0});

    std::vector<larder::Lease> leases;
    LoopState state;
    while (!tasks.empty()) {
        const std::size_t had = tasks.size();
        for (std::size_t i = 0; i < had; ++i) {
            Task task = std::move(tasks.front());
            tasks.pop_front();
            if (auto lease = step(bucket, task, state)) {
                leases.push_back(std::move(*lease));
                continue;
            }
            tasks.push_back(std::move(task));
        }
        // All that is left is built by the other program. An event loop would set a timer.
        if (state.building == 0 && !tasks.empty()) ::poll(nullptr, 0, 10);
    }
    for (const auto& lease : leases) {
        if (!fs::exists(lease.path() / "part3")) expect(false, "each entry is whole");
    }
    return state.built;
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path root = playground(argc, argv) / "cache";
    const pid_t other = ::fork();
    expect(other >= 0, "a second program starts");
    const int built = run(root);
    if (other == 0) ::_exit(built);  // at most 200, so it fits into an exit status

    int status = 0;
    ::waitpid(other, &status, 0);
    const int built_by_other = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    expect(built + built_by_other == keys,
           "this program built " + std::to_string(built) + " entries, the other one built " +
               std::to_string(built_by_other) + ": each was built once");
    return 0;
}
