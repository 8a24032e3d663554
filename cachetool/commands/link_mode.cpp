// SPDX-License-Identifier: MIT
#include "cachetool/commands/link_mode.hpp"

#include <map>
#include <string>

namespace cachetool {

Expected<std::optional<larder::LinkMode>> link_mode_of(const ParsedArguments& arguments) {
    static const std::map<std::string, larder::LinkMode> modes = {
        {"auto", larder::LinkMode::automatic},
        {"clone", larder::LinkMode::clone},
        {"hardlink", larder::LinkMode::hardlink},
        {"copy", larder::LinkMode::copy}};
    const auto* const text = arguments.value_of("link-mode");
    if (text == nullptr) return std::nullopt;
    const auto mode = modes.find(*text);
    if (mode == modes.end()) return fail_usage("--link-mode wants auto, clone, hardlink or copy");
    return mode->second;
}

}  // namespace cachetool
