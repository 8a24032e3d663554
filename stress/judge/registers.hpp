// SPDX-License-Identifier: MIT
// The operations of a history, by key.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "stress/history/history.hpp"
#include "stress/judge/clears.hpp"
#include "stress/judge/model.hpp"

namespace larder::stress {

/// Each put, get, build and remove of each key; and each refresh, of each bucket.
class Registers {
public:
    explicit Registers(const History& history);

    [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
    /// In the order of their begins; never empty.
    [[nodiscard]] std::span<const Place> operations(std::size_t number) const noexcept {
        return {places_.data() + begins_[number], places_.data() + begins_[number + 1]};
    }
    [[nodiscard]] const Clears& refreshes(std::uint32_t bucket) const;

private:
    std::vector<Place> places_;
    std::vector<std::size_t> begins_{0};
    std::unordered_map<std::uint32_t, Clears> refreshes_;
};

/// Which put or build was to write a version.
class Writers {
public:
    explicit Writers(const History& history);
    [[nodiscard]] std::optional<Place> find(Version version) const;
    /// Two that were to write the same.
    [[nodiscard]] std::optional<std::pair<Place, Place>> duplicate() const;

private:
    const std::vector<Operation>& operations_;
    std::vector<Place> by_version_;
};

}  // namespace larder::stress
