// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "stress/judge/checks.hpp"

namespace larder::stress {

void check_content(const JudgeContext& context) {
    constexpr auto kind = Violation::Kind::content;
    for (const auto& operation : context.history.operations) {
        if (operation.outcome == OpOutcome::broken) {
            context.violations.add(
                kind,
                fmt::format("{} found a tree that is torn, mixed, foreign or changed",
                            describe(operation)),
                {operation});
        } else if (operation.outcome != OpOutcome::ok || operation.intended == 0 ||
                   operation.version == operation.intended) {
            continue;
        } else if (operation.kind == EventKind::use) {
            context.violations.add(
                kind,
                fmt::format("{} reads what was leased as version {}: it changed under its lease",
                            describe(operation), operation.intended),
                {operation});
        } else if (operation.kind == EventKind::put) {
            context.violations.add(
                kind, fmt::format("{} returned version {}", describe(operation), operation.version),
                {operation});
        } else if (operation.kind == EventKind::build && operation.middle != 0) {
            context.violations.add(kind,
                                   fmt::format("{} called its own builder, but returned version {}",
                                               describe(operation), operation.version),
                                   {operation});
        }
    }
}

}  // namespace larder::stress
