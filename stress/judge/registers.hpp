// SPDX-License-Identifier: MIT
// The operations of a history, by key.
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

/// Each put, get, build and remove of each key; and each refresh, of each bucket.
class RegisterTable {
public:
    explicit RegisterTable(const History& history);

    [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
    /// In the order of their begins; never empty.
    [[nodiscard]] std::span<const OpIndex> operations(std::size_t number) const noexcept {
        return {ops_.data() + begins_[number], ops_.data() + begins_[number + 1]};
    }
    [[nodiscard]] const ClearIndex& refreshes(std::uint32_t bucket) const;

private:
    std::vector<OpIndex> ops_;
    std::vector<std::size_t> begins_{0};
    std::unordered_map<std::uint32_t, ClearIndex> refreshes_;
};

/// Which put or build was to write a version.
class VersionWriters {
public:
    explicit VersionWriters(const History& history);
    [[nodiscard]] std::optional<OpIndex> find(Version version) const;
    /// Two that were to write the same.
    [[nodiscard]] std::optional<std::pair<OpIndex, OpIndex>> duplicate() const;

private:
    const std::vector<Operation>& operations_;
    std::vector<OpIndex> by_version_;
};

}  // namespace larder::stress
