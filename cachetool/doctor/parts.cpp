// SPDX-License-Identifier: MIT
#include "cachetool/doctor/parts.hpp"

namespace cachetool::doctor {

std::optional<int> play_part_of(const std::vector<std::string>& line) {
    if (line.size() < 2 || line[0] != system::part_word) return std::nullopt;
    for (const auto* const part : {&hold_lock, &answer_in_memory, &lease_entry, &stay}) {
        if (line[1] == part->name) return system::play_part(*part, {line.begin() + 2, line.end()});
    }
    return std::nullopt;
}

}  // namespace cachetool::doctor
