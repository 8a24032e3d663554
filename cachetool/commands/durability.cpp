// SPDX-License-Identifier: MIT
#include "cachetool/commands/durability.hpp"

namespace cachetool {

Expected<larder::Durability> durability_of(const ParsedArguments& arguments,
                                           larder::Durability usual) {
    const auto* const text = arguments.value_of("durability");
    if (text == nullptr) return usual;
    if (*text == "process") return larder::Durability::process;
    if (*text == "power") return larder::Durability::power;
    return fail_usage("--durability wants process or power");
}

}  // namespace cachetool
