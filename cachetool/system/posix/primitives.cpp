// SPDX-License-Identifier: MIT
#include "cachetool/system/primitives.hpp"

namespace cachetool::system {

std::vector<Primitive> try_primitives(const std::filesystem::path& /*scratch*/) { return {}; }

}  // namespace cachetool::system
