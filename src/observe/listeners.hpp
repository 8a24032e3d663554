// SPDX-License-Identifier: MIT
// The listeners that a Cache tells of its events: the log, the counters, the program's own
// functions.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <larder/event.hpp>

namespace larder::observe {

/// Hears the events of one Cache.
class Listener {
public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;
    /// May be called by several threads at once, by each with an event of its own.
    virtual void hear(const Event& event) = 0;
};

/// Listens with a function of the program.
class CallbackListener final : public Listener {
public:
    explicit CallbackListener(std::function<void(const Event&)> callback)
        : callback_(std::move(callback)) {}
    void hear(const Event& event) override { callback_(event); }

private:
    std::function<void(const Event&)> callback_;
};

/// The listeners of one Cache. A Cache that has none pays for one look at this list.
class Listeners {
public:
    void add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
    [[nodiscard]] bool empty() const noexcept { return listeners_.empty(); }
    /// Tells all listeners, in the order in which they were added. Sets the event's time to now if
    /// it has none. Drops an exception that a listener throws. Requires: the thread holds no
    /// bucket's lock.
    void tell(Event event) const noexcept;

private:
    std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace larder::observe
