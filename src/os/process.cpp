// SPDX-License-Identifier: MIT
#include "os/process.hpp"

namespace larder::os {

std::string to_text(const BootId& boot) {
    std::string text;
    for (const auto byte : boot) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

}  // namespace larder::os
