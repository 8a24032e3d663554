// SPDX-License-Identifier: MIT
#include "stress/judge/violation_log.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "stress/history/text.hpp"
#include "stress/judge/timeline.hpp"

namespace larder::stress {

std::string_view name_of(Violation::Kind kind) noexcept {
    switch (kind) {
        case Violation::Kind::content:
            return "content";
        case Violation::Kind::foreign:
            return "foreign";
        case Violation::Kind::lost:
            return "lost";
        case Violation::Kind::stale:
            return "stale";
        case Violation::Kind::disorder:
            return "disorder";
        case Violation::Kind::built_twice:
            return "built_twice";
        case Violation::Kind::hostage:
            return "hostage";
        case Violation::Kind::evicted:
            return "evicted";
        case Violation::Kind::undone:
            return "undone";
    }
    return "disorder";
}

bool JudgeVerdict::sound() const noexcept {
    return std::all_of(found.begin(), found.end(), [](std::uint64_t count) { return count == 0; });
}

bool ViolationLog::count(Violation::Kind kind) {
    return ++verdict_.found[static_cast<std::size_t>(kind)] <= options_.most_explained;
}

void ViolationLog::explain(Violation::Kind kind, std::string explanation,
                           std::vector<Operation> operations) {
    const auto in_order = [](const Operation& operation) {
        return std::tie(operation.begin, operation.process, operation.thread, operation.operation);
    };
    std::sort(operations.begin(), operations.end(),
              [&](const Operation& a, const Operation& b) { return in_order(a) < in_order(b); });
    const auto same = [&](const Operation& a, const Operation& b) {
        return in_order(a) == in_order(b);
    };
    operations.erase(std::unique(operations.begin(), operations.end(), same), operations.end());
    auto drawn = timeline(operations, history_.incidents);
    verdict_.violations.push_back(
        {kind, std::move(explanation), std::move(operations), std::move(drawn)});
}

void ViolationLog::add(Violation::Kind kind, std::string explanation,
                       std::vector<Operation> operations) {
    if (count(kind)) explain(kind, std::move(explanation), std::move(operations));
}

std::string describe(const Operation& operation) {
    auto text = fmt::format("{} of {}", name_of(operation.kind), operation.bucket);
    if (names_a_key(operation.kind)) text += fmt::format("/{}", operation.key);
    if (operation.kind == EventKind::put || operation.kind == EventKind::build) {
        text += fmt::format(" (version {})", operation.intended);
    } else if (operation.version != 0) {
        text += fmt::format(" (version {})", operation.version);
    }
    return text + fmt::format(" by process {}, thread {}", operation.process, operation.thread);
}

}  // namespace larder::stress
