// SPDX-License-Identifier: MIT
// Lets several threads do the same work on many items.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace installer {

/// Calls `work(i)` for each i below `count`, in at most `jobs` threads. Returns after all calls
/// have returned.
template <class Work>
void for_each_in_parallel(std::size_t count, std::size_t jobs, const Work& work) {
    std::atomic<std::size_t> next{0};
    const auto worker = [&] {
        for (std::size_t i = next++; i < count; i = next++) work(i);
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, jobs); ++i) threads.emplace_back(worker);
    worker();
}

}  // namespace installer
