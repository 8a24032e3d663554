// SPDX-License-Identifier: MIT
// What a call of the public interface hands to each step of the protocol.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include <larder/digest.hpp>

#include "cache/call_journal.hpp"

namespace larder::cache {

/// The limits of the call's waits, what ends it early, and where it writes down what it met. The
/// call owns it and all that it points to, and outlives each step.
struct CallContext {
    std::chrono::milliseconds lock_timeout;   ///< of a wait for a bucket's lock, with its gate
    std::chrono::milliseconds build_timeout;  ///< of a wait for another thread's build
    std::stop_token stop;                     ///< ends waits and partial refreshes early
    /// Asked while the call waits: see OpenOptions::keep_waiting. Null if the program has none.
    const std::function<bool()>* keep_waiting = nullptr;
    /// Asked as well, with what the call waits for: see CallOptions::on_wait. Null for none.
    const std::function<bool(const Wait&)>* on_wait = nullptr;
    CallJournal* journal = nullptr;  ///< null if the program has no listener
    /// The algorithms that the program has: see OpenOptions::digests.
    std::span<const DigestAlgorithm* const> digests{};
};

}  // namespace larder::cache
