// SPDX-License-Identifier: MIT
#include "stress/workload/actor.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "stress/content/names.hpp"
#include "stress/system/files.hpp"

namespace larder::stress {

Actor::Actor(RunProcess& in_process, std::uint16_t number, std::shared_ptr<Cache> with_cache)
    : process(in_process),
      thread(number),
      random(in_process.setting.seed, mix(in_process.number, number, 0xac7)),
      cache(std::move(with_cache)) {}

Version Actor::fresh_version() {
    return Version{process.number} << 32 |
           (process.versions.fetch_add(1, std::memory_order_relaxed) + 1);
}

Bucket Actor::bucket(std::uint32_t number) const {
    auto bucket = cache->bucket(bucket_name(number));
    if (!bucket) std::abort();  // the harness names its buckets well
    return std::move(*bucket);
}

std::filesystem::path Actor::fresh_scratch() {
    return setting().scratch / fmt::format("{}-{}-{}", process.number, thread, ++scratch_);
}

void Actor::hold(HeldEntry entry) {
    if (scenario().held == 0) return;
    if (held.size() >= scenario().held)
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(random.below(held.size())));
    held.push_back(std::move(entry));
}

void Actor::report_violation(const std::string& sentence) {
    process.board.violations.fetch_add(1, std::memory_order_relaxed);
    const auto path = setting().histories / fmt::format("notes.{}", process.number);
    std::string line = fmt::format("process {} thread {}: {}", process.number, thread, sentence);
    std::replace(line.begin(), line.end(), '\n', ' ');
    append_line(path, line + '\n');
}

}  // namespace larder::stress
