// SPDX-License-Identifier: MIT
// Measures get while another process works in the same cache without a pause.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "cache.hpp"
#include "floor.hpp"
#include "rows.hpp"

namespace bench {

namespace {

/// Puts into the bucket that is read, refreshes another bucket, and collects, until it is killed.
[[noreturn]] void work_without_pause(const fs::path& root) {
    const Opened opened(root);
    const auto other = value(opened.cache.bucket("other"));
    for (unsigned i = 0;; ++i) {
        (void)value(
            opened.bucket.publish(key_name(1'000'000 + i % 10), value(opened.bucket.stage())));
        (void)value(other.publish(key_name(i % 10), value(other.stage())));
        if (i % 10 == 0) value(other.refresh());
        if (i % 10 == 5) (void)value(opened.cache.collect());
    }
}

/// A process that works only while an instance of Awake exists.
class Neighbour {
public:
    explicit Neighbour(const fs::path& root) : pid_(::fork()) {
        if (pid_ < 0) give_up("can't fork");
        if (pid_ == 0) work_without_pause(root);
        ::kill(pid_, SIGSTOP);
    }
    ~Neighbour() {
        ::kill(pid_, SIGKILL);
        (void)::waitpid(pid_, nullptr, 0);
    }
    Neighbour(const Neighbour&) = delete;
    Neighbour& operator=(const Neighbour&) = delete;

    void wake() const { ::kill(pid_, SIGCONT); }
    void stop() const {
        ::kill(pid_, SIGSTOP);
        int status = 0;
        if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status))
            give_up("the process that works beside has failed");
    }

private:
    pid_t pid_;
};

template <class Call>
void time_each(unsigned calls, Call call, std::vector<double>& nanoseconds) {
    using clock = std::chrono::steady_clock;
    for (unsigned i = 0; i < calls; ++i) {
        const auto begin = clock::now();
        call(i);
        nanoseconds.push_back(
            std::chrono::duration<double, std::nano>(clock::now() - begin).count());
    }
}

}  // namespace

Busy measure_busy(const fs::path& directory, unsigned rounds, unsigned calls) {
    const fs::path root = directory / "cache";
    make_common_cache(root);
    const Neighbour neighbour(root);
    neighbour.stop();
    const Opened opened(root);
    const int buckets = open_directory(root / "buckets");
    std::vector<std::string> keys, paths;
    for (unsigned i = 0; i < 500; ++i) {
        keys.push_back(key_name(i));
        paths.push_back("bench-v1/" + keys.back());
    }
    const auto get = [&](unsigned i) { (void)value(opened.bucket.get(keys[i % keys.size()])); };
    const auto links = [&](unsigned i) {
        read_link(buckets, paths[i % paths.size()].c_str());
        read_link(buckets, paths[i % paths.size()].c_str());
    };
    Busy busy;
    for (unsigned round = 0; round < rounds; ++round) {
        time_each(calls, get, busy.get_alone);
        time_each(calls, links, busy.links_alone);
        neighbour.wake();
        time_each(calls, get, busy.get_busy);
        time_each(calls, links, busy.links_busy);
        neighbour.stop();
    }
    ::close(buckets);
    return busy;
}

}  // namespace bench
