// SPDX-License-Identifier: MIT
// SHA-256, for the digests of files. It is a library of its own, larder::content, because it needs
// libcrypto on Linux and larder itself does not.
#pragma once

#include <larder/digest.hpp>

namespace larder {

/// Returns SHA-256 by OpenSSL's libcrypto, or by the system on macOS and Windows. Its name is
/// "sha256". It lives as long as the program. Concurrency: any thread may call it at any time.
[[nodiscard]] const DigestAlgorithm& sha256() noexcept;

}  // namespace larder
