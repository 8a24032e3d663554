// SPDX-License-Identifier: MIT
// Measures memory, which must not grow with the cache.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include "cache.hpp"
#include "rows.hpp"

namespace bench {

namespace {

/// Returns the bytes in a line of /proc/self/status. "VmRSS" is what the process has in memory, and
/// "VmHWM" the most that it ever had.
long status_of(const char* name) {
    std::ifstream file("/proc/self/status");
    for (std::string word; file >> word;) {
        long kib = 0;
        if (word == std::string(name) + ":" && file >> kib) return kib * 1024;
    }
    give_up("no /proc/self/status");
}

/// Returns what a child process measures of itself.
template <class Measure>
auto in_a_process(Measure measure) {
    using Value = decltype(measure());
    auto* const shared = static_cast<Value*>(
        ::mmap(nullptr, sizeof(Value), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (shared == MAP_FAILED) give_up("no memory");
    const pid_t pid = ::fork();
    if (pid < 0) give_up("can't fork");
    if (pid == 0) {
        *shared = measure();
        ::_exit(0);
    }
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0)
        give_up("a process of the benchmark has failed");
    const Value value = *shared;
    ::munmap(shared, sizeof(Value));
    return value;
}

/// Returns the memory of a process that opens, gets, puts and refreshes in this cache.
long memory_of_use(const fs::path& root) {
    return in_a_process([&] {
        const long before = status_of("VmRSS");
        const Opened opened(root);
        (void)opened.bucket.get(key_name(7));
        (void)value(opened.bucket.publish("new", value(opened.bucket.stage())));
        value(opened.bucket.refresh());
        return status_of("VmRSS") - before;
    });
}

void make_large_cache(const fs::path& root, unsigned keys) {
    make_cache(root, 0);
    fs::remove(root / "buckets" / "bench-v1");
    fill_bucket(root, "bench-v1", keys);
}

}  // namespace

long memory_growth(const fs::path& directory, unsigned keys) {
    const fs::path few = directory / "memory-few", many = directory / "memory-many";
    for (const auto& [root, size] : {std::pair{few, 100u}, std::pair{many, keys}}) {
        make_large_cache(root, size);
    }
    return memory_of_use(many) - memory_of_use(few);
}

Choosing measure_choosing(const fs::path& directory, unsigned keys) {
    const fs::path root = directory / "choosing";
    make_large_cache(root, keys);
    return in_a_process([&] {
        const Opened opened(root);
        const long before = status_of("VmRSS");
        const auto begun = std::chrono::steady_clock::now();
        // The limit allows all entries. They are listed and sorted, and none is evicted.
        const auto report = value(opened.cache.collect({.max_entries = keys}, {.dry_run = true}));
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        if (report.live_entries != keys || report.evicted != 0)
            give_up("not the entries that were made");
        return Choosing{seconds, std::max(status_of("VmHWM") - before, 0L)};
    });
}

}  // namespace bench
