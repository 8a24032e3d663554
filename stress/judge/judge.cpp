// SPDX-License-Identifier: MIT
#include "stress/judge/judge.hpp"

#include <algorithm>

#include "stress/judge/checks.hpp"

namespace larder::stress {

namespace {

void count_registers(const RegisterTable& registers, JudgeVerdict& verdict) {
    verdict.registers = registers.size();
    std::vector<std::uint64_t> sizes;
    for (std::size_t number = 0; number < registers.size(); ++number)
        sizes.push_back(registers.operations(number).size());
    if (sizes.empty()) return;
    std::sort(sizes.begin(), sizes.end());
    verdict.fewest = sizes.front();
    verdict.median = sizes[sizes.size() / 2];
    verdict.most = sizes.back();
}

}  // namespace

JudgeVerdict judge(const History& history, const JudgeOptions& options) {
    JudgeVerdict verdict;
    verdict.operations = history.operations.size();
    ViolationLog violations(history, options, verdict);
    const JudgeContext context{history, options, violations, verdict};

    const VersionWriters writers(history);
    if (const auto twice = writers.duplicate()) {
        violations.add(
            Violation::Kind::foreign,
            "two operations were to write the same version: this history can't be judged",
            {context.at(twice->first), context.at(twice->second)});
        return verdict;
    }
    check_content(context);
    check_hostages(context);
    check_evictions(context, writers);
    const RegisterTable registers(history);
    count_registers(registers, verdict);
    for (std::size_t number = 0; number < registers.size(); ++number) {
        check_linearizable(context, registers, number, writers);
        check_built_once(context, registers, number);
    }
    check_cuts(context, registers, writers);
    return verdict;
}

}  // namespace larder::stress
