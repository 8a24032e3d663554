// SPDX-License-Identifier: MIT
#include "cachetool/system/pattern.hpp"

#include <fnmatch.h>

namespace cachetool::system {

bool matches(const std::string& text, const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

}  // namespace cachetool::system
