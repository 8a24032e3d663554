// SPDX-License-Identifier: MIT
// One call of a public function, while it runs.
#pragma once

#include <optional>
#include <stop_token>

#include "api/state.hpp"

namespace larder::detail {

/// Connects the steps of a call with the listeners of the cache. The steps get context(), and write
/// what they meet into the journal: waits, for example. The call tells the listeners of that, and
/// of what it has done, when it holds no bucket's lock any more.
///
/// Belongs to the thread that makes the call. Life: the arguments must live longer.
class Call final : private cache::CallJournal {
public:
    /// `options` may be null.
    explicit Call(const CacheState& cache, const CallOptions* options = nullptr);
    /// Tells what is left in the journal, so that a call that fails tells of its waits, too.
    ~Call() { tell_notes(); }

    /// Returns what each step of the call is given. It is valid as long as this object.
    [[nodiscard]] const cache::CallContext& context() const noexcept {
        return own_context_ ? *own_context_ : cache_.context();
    }
    /// Returns false if the cache has no listeners, so that the caller need not make an event.
    [[nodiscard]] bool has_listeners() const noexcept { return !cache_.listeners().empty(); }

    /// Tells the listeners what the steps have written down by now. Requires: the thread holds no
    /// bucket's lock.
    void tell_notes() noexcept;
    /// Does the same, and then tells them of `event`, which says what the call has done.
    void tell(const Event& event) noexcept;
    /// Does the same, with `id` as the id of the event. If there is no memory for the text of the
    /// id, the event is lost.
    void tell(Event event, const format::Id& id) noexcept;

private:
    /// Tells at once that a wait goes on. The journal asks for this while the step still waits.
    void announce(const cache::StepNote& waiting) noexcept override;

    /// Requests a stop when one that it watches is requested.
    struct PassOn {
        std::stop_source& to;
        void operator()() const noexcept { to.request_stop(); }
    };
    /// The stop of a call that has two: that of the cache, and one of its own.
    struct EitherStop {
        EitherStop(const std::stop_token& one, const std::stop_token& other)
            : from_one(one, PassOn{source}), from_other(other, PassOn{source}) {}
        std::stop_source source;
        std::stop_callback<PassOn> from_one, from_other;
    };

    const CacheState& cache_;
    /// The context of the cache, with this object as the journal and with the options of the call.
    /// Empty if there are neither listeners nor options: then the steps use that of the cache.
    std::optional<cache::CallContext> own_context_;
    std::optional<EitherStop> stop_;  // if the call has options
};

}  // namespace larder::detail
