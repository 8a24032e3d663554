// SPDX-License-Identifier: MIT
// Makes an error that larder itself found, and passes an error on. Errors of the system are made in
// os/error.hpp.
#pragma once

#include <larder/try.hpp>

namespace larder {

/// Returns an error that no call of the system has caused. `detail` says why, and what to do.
[[nodiscard]] tl::unexpected<Error> fail(Errc code, const char* step, std::filesystem::path path,
                                         std::string detail);

}  // namespace larder

#define TRY(...) LARDER_TRY(__VA_ARGS__)
#define TRY_ASSIGN(declaration, ...) LARDER_TRY_ASSIGN(declaration, __VA_ARGS__)
