// SPDX-License-Identifier: MIT
#include "stress/judge/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace larder::stress {

namespace {

template <class Visit>
void for_each_kind(const JudgeVerdict& verdict, const Visit& visit) {
    for (std::size_t kind = 0; kind < Violation::kinds; ++kind)
        visit(name_of(static_cast<Violation::Kind>(kind)), verdict.found[kind]);
}

}  // namespace

std::string text_of(const JudgeVerdict& verdict) {
    auto text = fmt::format(
        "{}\n"
        "  {} operations, {} of them changes that may have happened or not\n"
        "  {} keys, each judged on its own, with {} / {} / {} operations (fewest / median / most)\n"
        "  {} builds compared with the next build of their key, {} evictions, {} times compared "
        "with "
        "a limit\n",
        verdict.sound() ? "sound" : "VIOLATED", verdict.operations, verdict.unclear,
        verdict.registers, verdict.fewest, verdict.median, verdict.most, verdict.builds,
        verdict.evictions, verdict.waits);
    if (verdict.cuts != 0)
        text += fmt::format("  {} power cuts, with {} reads after them\n", verdict.cuts,
                            verdict.cut_reads);
    for_each_kind(verdict, [&](std::string_view kind, std::uint64_t count) {
        if (count > 0) text += fmt::format("  {}: {}\n", kind, count);
    });
    for (const auto& violation : verdict.violations) {
        text += fmt::format("\n{}: {}\n\n{}", name_of(violation.kind), violation.explanation,
                            violation.timeline);
    }
    return text;
}

std::string json_of(const JudgeVerdict& verdict) {
    nlohmann::json found = nlohmann::json::object(), violations = nlohmann::json::array();
    for_each_kind(verdict, [&](std::string_view kind, std::uint64_t count) {
        found[std::string(kind)] = count;
    });
    for (const auto& violation : verdict.violations) {
        violations.push_back({{"kind", name_of(violation.kind)},
                              {"explanation", violation.explanation},
                              {"timeline", violation.timeline}});
    }
    const nlohmann::json document = {
        {"sound", verdict.sound()},
        {"operations", verdict.operations},
        {"unclear", verdict.unclear},
        {"registers", verdict.registers},
        {"operations_per_register",
         {{"fewest", verdict.fewest}, {"median", verdict.median}, {"most", verdict.most}}},
        {"builds", verdict.builds},
        {"evictions", verdict.evictions},
        {"waits", verdict.waits},
        {"cuts", verdict.cuts},
        {"cut_reads", verdict.cut_reads},
        {"found", std::move(found)},
        {"violations", std::move(violations)}};
    return document.dump(2);
}

}  // namespace larder::stress
