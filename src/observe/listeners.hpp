// SPDX-License-Identifier: MIT
// The listeners that a Cache tells of its events: the log, the counters, the program's own
// functions.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <larder/event.hpp>

namespace larder::observe {

/// Is told the events of one Cache.
class Listener {
public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    /// Called with each event, by the thread that caused it, so at times by several threads at
    /// once. The event and its texts are valid during the call only.
    virtual void on_event(const Event& event) = 0;
};

/// Passes each event on to a function of the program.
class CallbackListener final : public Listener {
public:
    explicit CallbackListener(std::function<void(const Event&)> callback)
        : callback_(std::move(callback)) {}
    void on_event(const Event& event) override { callback_(event); }

private:
    std::function<void(const Event&)> callback_;
};

/// The listeners of one Cache. A Cache that has none pays for one look at this list.
class Listeners {
public:
    /// Adds a listener, which is told after those before it. Requires: no other thread uses this
    /// object yet.
    void add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
    [[nodiscard]] bool empty() const noexcept { return listeners_.empty(); }
    /// Tells all listeners, in the order in which they were added. Sets the event's time to now if
    /// it has none. Drops an exception that a listener throws, and tells the others all the same.
    /// Requires: the thread holds no bucket's lock, because a listener is code of the program, and
    /// may take its time.
    void tell(Event event) const noexcept;

private:
    std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace larder::observe
