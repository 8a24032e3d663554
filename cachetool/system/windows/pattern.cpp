// SPDX-License-Identifier: MIT
#include "cachetool/system/pattern.hpp"

#include "src/os/windows/glob_bytes.hpp"

namespace cachetool::system {

bool matches(const std::string& text, const std::string& pattern) {
    return larder::os::windows::matches_bytes(pattern, text);
}

}  // namespace cachetool::system
