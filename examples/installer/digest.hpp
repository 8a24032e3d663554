// SPDX-License-Identifier: MIT
// Digests of files, in the form in which RECORD has them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "failure.hpp"

namespace installer {

/// Computes a digest of several pieces.
class Digest {
public:
    /// Returns true for the algorithms that the wheel format allows, by the names of Python's
    /// hashlib: "sha256", "sha384" and "sha512".
    [[nodiscard]] static bool knows(std::string_view algorithm);

    /// Requires: knows(algorithm).
    explicit Digest(std::string_view algorithm = "sha256");
    ~Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;

    void add(std::string_view piece);

    /// Ends the computation and returns the bytes of the digest.
    [[nodiscard]] std::string finish();

private:
    struct Computation;  ///< libcrypto's (digest_openssl.cpp) or macOS's (digest_commoncrypto.cpp)
    std::unique_ptr<Computation> computation_;
};

[[nodiscard]] std::string hex(std::string_view bytes);

/// Returns base64 with the alphabet for URLs and file names, without padding, as in RECORD.
[[nodiscard]] std::string base64_url(std::string_view bytes);

/// Returns "sha256=" and the digest, as in RECORD.
[[nodiscard]] std::string record_hash(std::string_view content);

/// Returns the SHA-256 of a file's content in hexadecimal digits.
[[nodiscard]] Result<std::string> sha256_of_file(const fs::path& path);

}  // namespace installer
