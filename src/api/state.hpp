// SPDX-License-Identifier: MIT
// What stands behind the public classes.
#pragma once

#include <atomic>

#include <larder/cache.hpp>

#include "cache/call_context.hpp"
#include "observe/event_counters.hpp"
#include "policy/background.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::detail {

/// The listeners that the options of a Cache ask for.
struct CacheListeners {
    observe::Listeners listeners;
    observe::EventCounters* counters = nullptr;  ///< one of them; null if nothing is counted
};

/// A cache as its caller opened it: a path, options, and the Root that the path leads to now.
///
/// The Root changes when the directory was deleted or replaced, and in a forked child, which opens its own. No lock guards the
/// change, since a lock could be inherited in the hands of a thread that the child does not have: the current Root is one atomic
/// pointer to a generation. Generations, a few words each, are kept until the cache is closed, so that a reader may look at one at any
/// time; the Root of one that has been superseded goes with the last who uses it.
class CacheState {
public:
    /// Errors: `system` if the log can't be opened.
    [[nodiscard]] static Result<std::shared_ptr<CacheState>> open(const std::filesystem::path& path,
                                                                  const OpenOptions& options);
    ~CacheState();
    CacheState(const CacheState&) = delete;
    CacheState& operator=(const CacheState&) = delete;

    /// For reads: this process's Root.
    [[nodiscard]] Result<protocol::RootRef> root();
    /// For what writes or lists: also a Root that is still at its path.
    [[nodiscard]] Result<protocol::RootRef> current_root();
    /// The same, for what works in these directories alone.
    [[nodiscard]] Result<protocol::RootRef> current_root(
        std::initializer_list<os::Dir cache::Handles::*> used);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const cache::CallContext& context() const noexcept { return context_; }
    [[nodiscard]] const observe::Listeners& listeners() const noexcept { return asked_.listeners; }
    /// Counts a get. A miss counts as one only if nothing else went wrong.
    void count_get(const Result<protocol::SlotLease>& got) const noexcept;
    [[nodiscard]] Counters counters() const noexcept;
    /// Null: no collections begin by themselves. The one before is kept until the cache is closed,
    /// since another thread may be looking at it.
    void set_background(std::unique_ptr<policy::Background> background);
    /// At the end of a publish.
    void published(const protocol::RootRef& root) const noexcept;
    [[nodiscard]] LinkKind link_kind() const noexcept { return now().root->link_kind(); }
    [[nodiscard]] bool is_read_only() const noexcept { return now().root->is_read_only(); }

private:
    CacheState(std::filesystem::path path, OpenOptions options, CacheListeners asked,
               protocol::RootRef root);

    struct Generation {
        explicit Generation(protocol::RootRef opened) : root(opened), kept(std::move(opened)) {}
        const std::weak_ptr<cache::Root> root;  ///< for everybody
        protocol::RootRef
            kept;  ///< for the one alone who has put another generation in this one's place
        Generation* before = nullptr;
    };
    struct Now {
        Generation* generation;
        protocol::RootRef root;
    };
    [[nodiscard]] Now now() const noexcept;
    [[nodiscard]] Result<protocol::RootRef> reopen(const Now& seen);

    std::filesystem::path path_;
    OpenOptions options_;
    CacheListeners asked_;
    cache::CallContext context_;
    std::atomic<Generation*> generation_;
    std::atomic<policy::Background*> background_{nullptr};
    std::atomic<policy::Background*> backgrounds_{
        nullptr};  ///< all that there ever were; no lock, as above
};

}  // namespace larder::detail
