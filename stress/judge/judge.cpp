// SPDX-License-Identifier: MIT
#include "stress/judge/judge.hpp"

#include <algorithm>

#include "stress/judge/checks.hpp"

namespace larder::stress {

namespace {

void count_registers(const Registers& registers, Verdict& verdict) {
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

Verdict judge(const History& history, const JudgeOptions& options) {
    Verdict verdict;
    verdict.operations = history.operations.size();
    Findings findings(history, options, verdict);
    const Scene scene{history, options, findings, verdict};

    const Writers writers(history);
    if (const auto twice = writers.duplicate()) {
        findings.add(Violation::Kind::foreign,
                     "two operations were to write the same version: no history that can be judged",
                     {scene.at(twice->first), scene.at(twice->second)});
        return verdict;
    }
    check_content(scene);
    check_hostages(scene);
    check_evictions(scene, writers);
    const Registers registers(history);
    count_registers(registers, verdict);
    for (std::size_t number = 0; number < registers.size(); ++number) {
        check_linearizable(scene, registers, number, writers);
        check_built_once(scene, registers, number);
    }
    return verdict;
}

}  // namespace larder::stress
