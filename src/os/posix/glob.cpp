// SPDX-License-Identifier: MIT
#include "os/glob.hpp"

#include <fnmatch.h>

namespace larder::os {

bool matches_glob(const std::string& pattern, const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

}  // namespace larder::os
