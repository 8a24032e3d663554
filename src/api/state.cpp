// SPDX-License-Identifier: MIT
#include "api/state.hpp"

#include "observe/event_log.hpp"

namespace larder::detail {

namespace {

/// Makes the listeners that the options ask for, in the order in which they are told: the counters,
/// the log, the callbacks. Errors: those of opening the log.
Result<CacheListeners> listeners_of(const OpenOptions& options) {
    CacheListeners asked;
    if (options.count) {
        auto counters = std::make_unique<observe::EventCounters>();
        asked.counters = counters.get();
        asked.listeners.add(std::move(counters));
    }
    if (!options.log.empty()) {
        TRY_ASSIGN(auto log, observe::EventLog::open(options.log));
        asked.listeners.add(std::move(log));
    }
    const auto call = [&](std::function<void(const Event&)> callback) {
        asked.listeners.add(std::make_unique<observe::CallbackListener>(std::move(callback)));
    };
    if (options.on_event) call(options.on_event);
    if (options.on_wait) {
        call([on_wait = options.on_wait](const Event& event) {
            if (event.kind == Event::Kind::waiting)
                on_wait(std::string("waiting for ").append(event.who));
        });
    }
    return asked;
}

}  // namespace

Result<std::shared_ptr<CacheState>> CacheState::open(const std::filesystem::path& path,
                                                     const OpenOptions& options) {
    TRY_ASSIGN(auto asked, listeners_of(options));
    TRY_ASSIGN(auto root, cache::open_root(path, options));
    std::filesystem::path absolute = root->dirs().root.path;
    const std::shared_ptr<CacheState> state(
        new CacheState(std::move(absolute), options, std::move(asked), std::move(root)));
    // The reference of the caller closes the cache when it goes; the state itself lives until no
    // call needs it any more.
    return std::shared_ptr<CacheState>(state.get(), [kept = state](CacheState*) mutable {
        kept->close();
        kept.reset();
    });
}

CacheState::CacheState(std::filesystem::path path, OpenOptions options, CacheListeners asked,
                       protocol::RootRef root)
    : path_(std::move(path)),
      options_(std::move(options)),
      asked_(std::move(asked)),
      context_{options_.lock_timeout, options_.build_timeout, options_.stop,
               options_.keep_waiting ? &options_.keep_waiting : nullptr},
      generation_(new Generation(std::move(root))) {}

void CacheState::close() noexcept {
    policy::Background* const newest = backgrounds_.load();
    for (policy::Background* each = newest; each != nullptr; each = each->before()) each->stop();
    for (policy::Background* each = newest; each != nullptr; each = each->before()) each->finish();
}

CacheState::~CacheState() {
    for (policy::Background* background = backgrounds_.load(); background != nullptr;)
        delete std::exchange(background, background->before());
    for (Generation* generation = generation_.load(); generation != nullptr;) {
        Generation* const before = generation->before;
        delete generation;
        generation = before;
    }
}

void CacheState::set_background(std::unique_ptr<policy::Background> background) {
    policy::Background* const fresh = background.release();
    if (fresh != nullptr) {
        // First put it into the list, by which the destructor finds it, and only then let publishes
        // see it.
        policy::Background* newest = backgrounds_.load(std::memory_order_relaxed);
        do {
            fresh->set_before(newest);
        } while (!backgrounds_.compare_exchange_weak(newest, fresh, std::memory_order_acq_rel));
    }
    if (policy::Background* const old = background_.exchange(fresh, std::memory_order_acq_rel))
        old->stop();
}

void CacheState::published(const protocol::RootRef& root) const noexcept {
    policy::Background* const background = background_.load(std::memory_order_acquire);
    if (background == nullptr || !background->is_time_to_look()) return;
    try {
        background->start_if_due(root, shared_from_this());
    } catch (...) {
        // There was no memory for it. The next publish tries again.
    }
}

void CacheState::count_get(const Result<protocol::SlotLease>& got) const noexcept {
    if (asked_.counters == nullptr) return;
    if (got || got.error().code == Errc::miss) asked_.counters->count_get(got.has_value());
}

Counters CacheState::counters() const noexcept {
    return asked_.counters != nullptr ? asked_.counters->counters() : Counters();
}

CacheState::LiveRoot CacheState::now() const noexcept {
    for (;;) {
        Generation* const generation = generation_.load(std::memory_order_acquire);
        if (auto root = generation->root.lock()) return {generation, std::move(root)};
        // Another thread has replaced this generation since it was loaded. Load the new one.
    }
}

Result<protocol::RootRef> CacheState::root() {
    LiveRoot seen = now();
    if (seen.root->is_ours()) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::current_root() {
    LiveRoot seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost()) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::current_root(
    std::initializer_list<os::Dir cache::Handles::*> used) {
    LiveRoot seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost(used)) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::reopen(const LiveRoot& seen) {
    const auto kept = keep();  // a listener may close the cache
    TRY_ASSIGN(auto root, cache::open_root(path_, options_));
    auto* const fresh = new Generation(std::move(root));
    fresh->before = seen.generation;
    if (Generation* current = seen.generation;
        !generation_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
        delete fresh;  // another thread was quicker
        return now().root;
    }
    // A forked child keeps what it inherited open, because the leases of its parent may rest on it
    // (see Lease).
    if (seen.root->is_ours()) {
        seen.generation->kept.reset();
        asked_.listeners.tell({.kind = Event::Kind::reopened});
    }
    return now().root;
}

}  // namespace larder::detail
