// SPDX-License-Identifier: MIT
// What a call of the public interface meets on its way: waits, takeovers, repairs, collections.
//
// The steps write it down, and api/ tells the program's listeners once the step has returned and
// holds no lock any more. Only a wait that goes on is announced at once.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <larder/event.hpp>

namespace larder::cache {

/// What a step met, to become an Event. Unlike an Event it owns its texts, because the step has
/// returned by the time it is told. See <larder/event.hpp> for what each kind of event fills in.
struct StepNote {
    Event::Kind kind;
    WallTime at{};  ///< set when it is written down
    std::string bucket{}, key{}, what{}, who{};
    std::chrono::nanoseconds took{};
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

/// The notes of one call. Only the thread that makes the call uses it.
class CallJournal {
public:
    CallJournal(const CallJournal&) = delete;
    CallJournal& operator=(const CallJournal&) = delete;

    /// Writes a note down. If memory has run out the note is lost, because what was done is done.
    void note(StepNote note) noexcept;
    /// Tells at once that a wait goes on. The thread may hold a build's or a gate's lock.
    virtual void announce(const StepNote& waiting) noexcept = 0;

protected:
    CallJournal() = default;
    ~CallJournal() = default;
    /// Returns what was written down since the last call, in order.
    [[nodiscard]] std::vector<StepNote> take_notes() noexcept { return std::exchange(notes_, {}); }

private:
    std::vector<StepNote> notes_;
};

}  // namespace larder::cache
