// SPDX-License-Identifier: MIT
#include "api/state.hpp"

#include "observe/event_log.hpp"

namespace larder::detail {

using policy::BackgroundCollector;

namespace {

/// Makes the listeners that the options ask for, in the order in which they are told: the counters,
/// the log, the callbacks. Errors: those of opening the log.
Result<CacheListeners> listeners_of(const OpenOptions& options) {
    CacheListeners listeners;
    if (options.count) {
        auto counters = std::make_unique<observe::EventCounters>();
        listeners.counters = counters.get();
        listeners.all.add(std::move(counters));
    }
    if (!options.log.empty()) {
        TRY_ASSIGN(auto log, observe::EventLog::open(options.log));
        listeners.all.add(std::move(log));
    }
    if (options.on_event)
        listeners.all.add(std::make_unique<observe::CallbackListener>(options.on_event));
    if (options.on_wait) {
        listeners.all.add(std::make_unique<observe::CallbackListener>(
            [on_wait = options.on_wait](const Event& event) {
                if (event.kind == Event::Kind::waiting)
                    on_wait(std::string("waiting for ").append(event.who));
            }));
    }
    return listeners;
}

}  // namespace

Result<std::shared_ptr<CacheState>> CacheState::open(const std::filesystem::path& path,
                                                     const OpenOptions& options) {
    TRY_ASSIGN(auto listeners, listeners_of(options));
    TRY_ASSIGN(auto root, cache::open_root(path, options));
    std::filesystem::path absolute = root->dirs().root.path;
    const std::shared_ptr<CacheState> state(
        new CacheState(std::move(absolute), options, std::move(listeners), std::move(root)));
    // There are two counts of references. The caller's closes the cache when it comes to zero. The
    // state's own keeps the state alive until no call needs it any more.
    return std::shared_ptr<CacheState>(state.get(), [kept = state](CacheState*) mutable {
        kept->close();
        kept.reset();
    });
}

CacheState::CacheState(std::filesystem::path path, OpenOptions options, CacheListeners listeners,
                       protocol::RootRef root)
    : path_(std::move(path)),
      options_(std::move(options)),
      listeners_(std::move(listeners)),
      context_{options_.lock_timeout,
               options_.build_timeout,
               options_.stop,
               options_.keep_waiting ? &options_.keep_waiting : nullptr,
               nullptr,
               nullptr,
               options_.digests},
      generation_(new Generation(std::move(root))) {}

void CacheState::close() noexcept {
    BackgroundCollector* const newest = backgrounds_.load();
    // Stop all before waiting for the first, so that the waits do not add up.
    for (auto* each = newest; each != nullptr; each = each->replaced()) each->stop();
    for (auto* each = newest; each != nullptr; each = each->replaced()) each->finish();
}

CacheState::~CacheState() {
    for (BackgroundCollector* background = backgrounds_.load(); background != nullptr;) {
        BackgroundCollector* const replaced = background->replaced();
        delete background;
        background = replaced;
    }
    for (Generation* generation = generation_.load(); generation != nullptr;) {
        Generation* const before = generation->before;
        delete generation;
        generation = before;
    }
}

void CacheState::set_background(std::unique_ptr<BackgroundCollector> background) {
    BackgroundCollector* const fresh = background.release();
    if (fresh != nullptr) {
        // First put it into the list, by which the destructor finds it, and only then let publishes
        // see it. If another thread changes the list meanwhile, compare_exchange_weak stores the
        // new head in `newest`.
        BackgroundCollector* newest = backgrounds_.load(std::memory_order_relaxed);
        do {
            fresh->set_replaced(newest);
        } while (!backgrounds_.compare_exchange_weak(newest, fresh, std::memory_order_acq_rel));
    }
    BackgroundCollector* const old = background_.exchange(fresh, std::memory_order_acq_rel);
    if (old != nullptr) old->stop();
}

void CacheState::published(const protocol::RootRef& root) const noexcept {
    BackgroundCollector* const background = background_.load(std::memory_order_acquire);
    if (background == nullptr || !background->is_time_to_look()) return;
    try {
        background->start_if_due(root, shared_from_this());
    } catch (...) {
        // There was no memory, or no thread, for it. The next publish tries again.
    }
}

void CacheState::count_get(const Result<protocol::SlotLease>& got) const noexcept {
    if (listeners_.counters == nullptr) return;
    if (got || got.error().code == Errc::miss) listeners_.counters->count_get(got.has_value());
}

Counters CacheState::counters() const noexcept {
    return listeners_.counters != nullptr ? listeners_.counters->counters() : Counters();
}

CacheState::LiveRoot CacheState::current() const noexcept {
    for (;;) {
        Generation* const generation = generation_.load(std::memory_order_acquire);
        if (auto root = generation->root.lock()) return {generation, std::move(root)};
        // Another thread has replaced this generation since it was loaded, and has released its
        // Root. Load the new one.
    }
}

Result<protocol::RootRef> CacheState::root() {
    LiveRoot seen = current();
    if (seen.root->is_ours()) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::current_root() {
    LiveRoot seen = current();
    return with_garbage(seen.root->is_ours() && !seen.root->is_lost() ? std::move(seen.root)
                                                                      : reopen(seen));
}

Result<protocol::RootRef> CacheState::current_root(std::initializer_list<cache::WhichDir> used) {
    LiveRoot seen = current();
    return with_garbage(seen.root->is_ours() && !seen.root->is_lost(used) ? std::move(seen.root)
                                                                          : reopen(seen));
}

Result<protocol::RootRef> CacheState::with_garbage(Result<protocol::RootRef> root) {
    if (!root) return root;
    const auto opened = (*root)->open_garbage();
    if (opened) return root;
    if (!is_absent(opened)) return tl::make_unexpected(opened.error());
    // One of them was deleted, or all of the cache.
    return reopen(current());
}

Result<protocol::RootRef> CacheState::reopen(const LiveRoot& seen) {
    const auto kept = keep();  // A listener may close the cache.
    TRY_ASSIGN(auto root, cache::open_root(path_, options_, cache::Parts::all));
    auto fresh = std::make_unique<Generation>(std::move(root));
    fresh->before = seen.generation;
    Generation* expected = seen.generation;
    if (!generation_.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel))
        return current().root;  // Another thread was quicker. Its Root is as good as ours.
    (void)fresh.release();      // The list owns it now.

    // The old Root is released, unless this process is a forked child. A child keeps open what it
    // has inherited, because the leases of its parent may rest on it (see Lease).
    if (seen.root->is_ours()) {
        seen.generation->kept.reset();
        listeners_.all.tell({.kind = Event::Kind::reopened});
    }
    return current().root;
}

}  // namespace larder::detail
