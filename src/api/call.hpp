// SPDX-License-Identifier: MIT
// One call of a public function, while it runs.
#pragma once

#include <optional>

#include "api/state.hpp"

namespace larder::detail {

/// Holds the context for the steps of the call. Tells the listeners what the steps have written
/// into the journal, and what the call has done. The destructor tells what is left, so a call that
/// fails tells its waits, too.
class Call final : private cache::CallJournal {
public:
    explicit Call(const CacheState& cache);
    ~Call() { tell_notes(); }

    [[nodiscard]] const cache::CallContext& context() const noexcept {
        return own_context_ ? *own_context_ : cache_.context();
    }
    /// Returns false if no event is wanted, so that the caller need not make one.
    [[nodiscard]] bool has_listeners() const noexcept { return own_context_.has_value(); }

    /// Tells the listeners what the steps have written down by now. Requires: the thread holds no
    /// bucket's lock.
    void tell_notes() noexcept;
    /// Does the same, and then tells them what the call has done.
    void tell(const Event& event) noexcept;
    /// Does the same, with the id of an entry. If there is no memory for it, the event is lost.
    void tell(Event event, const format::Id& id) noexcept;

private:
    /// Tells at once that a wait goes on. The journal asks for this while the step still waits.
    void announce(const cache::StepNote& waiting) noexcept override;

    const CacheState& cache_;
    std::optional<cache::CallContext> own_context_;  ///< nullopt if there are no listeners
};

}  // namespace larder::detail
