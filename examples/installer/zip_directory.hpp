// The names in a zip archive as they are written in it.
#pragma once

#include <string>
#include <vector>

#include "failure.hpp"

namespace installer {

/// Every name in the archive's directory, byte for byte. libarchive shows less: it ends a name at a NUL, and of two members
/// that share their bytes it shows one. Other readers do otherwise, so an archive where that matters means different things to
/// different programs, and is not for installing.
/// Errors: `build` where there is no directory right at the file's end, or it is not in order.
[[nodiscard]] Result<std::vector<std::string>> names_in_directory(const fs::path& archive);

}  // namespace installer
