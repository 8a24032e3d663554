// SPDX-License-Identifier: MIT
#include "cachetool/system/path_text.hpp"

namespace cachetool::system {

std::string text_of(const std::filesystem::path& path) { return path.native(); }

std::filesystem::path path_of(std::string_view text) { return text; }

}  // namespace cachetool::system
