// SPDX-License-Identifier: MIT
#include "stress/workload/actor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "os/fd.hpp"
#include "stress/content/names.hpp"

namespace larder::stress {

Actor::Actor(Crew& in_crew, std::uint16_t number, std::shared_ptr<Cache> with_cache)
    : crew(in_crew),
      thread(number),
      random(in_crew.setting.seed, mix(in_crew.process, number, 0xac7)),
      cache(std::move(with_cache)) {}

Version Actor::fresh_version() {
    return Version{crew.process} << 32 |
           (crew.versions.fetch_add(1, std::memory_order_relaxed) + 1);
}

Bucket Actor::bucket(std::uint32_t number) const {
    auto bucket = cache->bucket(bucket_name(number));
    if (!bucket) std::abort();  // the names of buckets are the harness's own, and good
    return std::move(*bucket);
}

std::filesystem::path Actor::fresh_scratch() {
    return setting().scratch / fmt::format("{}-{}-{}", crew.process, thread, ++scratch_);
}

void Actor::hold(Held entry) {
    if (scenario().held == 0) return;
    if (held.size() >= scenario().held)
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(random.below(held.size())));
    held.push_back(std::move(entry));
}

void Actor::report_violation(const std::string& sentence) {
    crew.board.violations.fetch_add(1, std::memory_order_relaxed);
    const auto path = setting().histories / fmt::format("notes.{}", crew.process);
    const os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    std::string line = fmt::format("process {} thread {}: {}", crew.process, thread, sentence);
    std::replace(line.begin(), line.end(), '\n', ' ');
    line += '\n';
    if (!fd || ::write(fd.get(), line.data(), line.size()) < 0)
        (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace larder::stress
