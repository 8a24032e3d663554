// SPDX-License-Identifier: MIT
// Putting Events together to Operations, and refusing those that do not fit.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Takes the Events of each thread in the order in which it wrote them; the order among threads and processes is free, and so
/// is that of instants, of which some are known only afterwards.
///
/// A history is what was seen, and not what should have been: what breaks a promise of the cache is for the judge. What no
/// harness can have written (an end without a begin, a clock that goes back, a dead process that goes on) makes it worthless.
class EventJoiner {
public:
    void reserve(std::size_t operations) { history_.operations.reserve(operations); }

    /// Errors: what is wrong with the Event, in words.
    [[nodiscard]] tl::expected<void, std::string> add(const LogEvent& event);

    /// Requires: nothing is done with the Joiner after this.
    [[nodiscard]] tl::expected<History, std::string> finish();

private:
    struct OpId {
        std::uint32_t process, operation;
        std::uint16_t thread;
        bool operator==(const OpId&) const = default;
    };
    struct Hash {
        std::size_t operator()(const OpId& who) const noexcept;
    };

    [[nodiscard]] tl::expected<void, std::string> begin(const LogEvent& event);
    [[nodiscard]] tl::expected<void, std::string> go_on(const LogEvent& event);

    History history_;
    std::unordered_map<OpId, std::uint32_t, Hash>
        open_;  ///< what has begun and not ended, as places in history_.operations
};

}  // namespace larder::stress
