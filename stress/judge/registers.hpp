// SPDX-License-Identifier: MIT
// Groups the operations of a history by key.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "stress/history/history.hpp"
#include "stress/judge/clear_index.hpp"
#include "stress/judge/model.hpp"

namespace larder::stress {

/// The puts, gets, builds, removes and evictions of each key, and the refreshes of each bucket.
/// What processes do after a power cut is not among them.
class RegisterTable {
public:
    explicit RegisterTable(const History& history);

    [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
    /// Returns the operations on one key in the order of their begins. There is at least one.
    [[nodiscard]] std::span<const OpIndex> operations(std::size_t number) const noexcept {
        return {ops_.data() + begins_[number], ops_.data() + begins_[number + 1]};
    }
    /// Returns the refreshes of a bucket.
    [[nodiscard]] const ClearIndex& refreshes(std::uint32_t bucket) const;

private:
    std::vector<OpIndex> ops_;
    std::vector<std::size_t> begins_{0};
    std::unordered_map<std::uint32_t, ClearIndex> refreshes_;
};

/// The operation that was to write each version.
class VersionWriters {
public:
    explicit VersionWriters(const History& history);
    /// Returns the put or build that was to write `version`; nullopt if there is none.
    [[nodiscard]] std::optional<OpIndex> find(Version version) const;
    /// Returns two operations that were to write the same version; nullopt if there are none.
    [[nodiscard]] std::optional<std::pair<OpIndex, OpIndex>> duplicate() const;

private:
    const std::vector<Operation>& operations_;
    std::vector<OpIndex> by_version_;
};

}  // namespace larder::stress
