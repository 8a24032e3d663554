// SPDX-License-Identifier: MIT
#include "os/glob.hpp"

#include "os/windows/glob_bytes.hpp"

namespace larder::os {

bool matches_glob(const std::string& pattern, const std::string& text) {
    return windows::matches_bytes(pattern, text);
}

}  // namespace larder::os
