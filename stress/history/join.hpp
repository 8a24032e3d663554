// SPDX-License-Identifier: MIT
// Makes operations of events, and refuses events that do not fit.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

/// The events of one thread must be added in the order in which it wrote them. Threads and
/// processes may come in any order, and so may instants, some of which are known only afterwards.
///
/// The joiner does not judge: a history says what was seen, even if that breaks a promise of the
/// cache. But it refuses what no harness can have written, such as an end without a begin, a clock
/// that goes back, or a dead process that goes on. Such a history is worthless.
class EventJoiner {
public:
    void reserve(std::size_t operations) { history_.operations.reserve(operations); }

    /// Adds an event. The error is a sentence that says what is wrong with it.
    [[nodiscard]] tl::expected<void, std::string> add(const LogEvent& event);

    /// Returns the history. Requires: the joiner is not used after this.
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
        open_;  ///< what has begun and not ended, as indexes in history_.operations
};

}  // namespace larder::stress
