// SPDX-License-Identifier: MIT
// Digests of files, as RECORD writes them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "failure.hpp"

struct evp_md_ctx_st;

namespace installer {

/// Computes a digest piece by piece.
class Digest {
public:
    /// `algorithm` as hashlib calls it. Of these the wheel format allows "sha256" and better: nothing else is known here.
    [[nodiscard]] static bool knows(std::string_view algorithm);

    /// Requires: knows(algorithm).
    explicit Digest(std::string_view algorithm = "sha256");

    void add(std::string_view piece);

    /// Ends the computation. The digest in bytes.
    [[nodiscard]] std::string finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] std::string hex(std::string_view bytes);

/// The alphabet that is safe in URLs and file names, without the padding: how RECORD writes a digest.
[[nodiscard]] std::string base64_url(std::string_view bytes);

/// "sha256=…", as in RECORD.
[[nodiscard]] std::string record_hash(std::string_view content);

/// The SHA-256 of a file's content, in hex.
[[nodiscard]] Result<std::string> sha256_of_file(const fs::path& path);

}  // namespace installer
