// SPDX-License-Identifier: MIT
#include "os/path_text.hpp"

namespace larder::os {

std::string text_of(const std::filesystem::path& path) { return path.native(); }

std::filesystem::path path_of(std::string_view text) { return text; }

}  // namespace larder::os
