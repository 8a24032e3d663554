// SPDX-License-Identifier: MIT
// Digests of files. larder itself has no algorithm: a caller gives it one, such as the one of
// <larder/content.hpp>.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace larder {

/// The computation of one digest, from bytes that come in pieces.
class DigestStream {
public:
    DigestStream() = default;
    DigestStream(const DigestStream&) = delete;
    DigestStream& operator=(const DigestStream&) = delete;
    virtual ~DigestStream() = default;

    virtual void add(std::string_view bytes) noexcept = 0;
    /// Ends the computation and returns the bytes of the digest: 64 at most, and for one algorithm
    /// always as many. Returns an empty text if the algorithm has failed. Call it once.
    [[nodiscard]] virtual std::string finish() = 0;
};

/// An algorithm that makes digests.
///
/// Concurrency: any thread may call any member at any time.
class DigestAlgorithm {
public:
    DigestAlgorithm() = default;
    DigestAlgorithm(const DigestAlgorithm&) = delete;
    DigestAlgorithm& operator=(const DigestAlgorithm&) = delete;
    virtual ~DigestAlgorithm() = default;

    /// Returns the name that stands in manifests: 1 to 32 small letters, digits and dashes. No two
    /// algorithms have the same name, and "none" is no name.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Begins a computation. Throws std::bad_alloc if memory runs out.
    [[nodiscard]] virtual std::unique_ptr<DigestStream> start() const = 0;
};

}  // namespace larder
