// What stands behind the public classes.
#pragma once

#include <api/background.hpp>
#include <atomic>
#include <larder/cache.hpp>
#include <root/locks.hpp>
#include <steps/held.hpp>
#include <steps/stage.hpp>

namespace larder::detail {

/// A cache as its caller opened it: a path, options, and the Root that the path leads to now.
///
/// The Root changes when the directory was deleted or replaced, and in a forked child, which opens its own. No lock guards the
/// change, since a lock could be inherited in the hands of a thread that the child does not have: the current Root is one atomic
/// pointer to a generation. Generations, a few words each, are kept until the cache is closed, so that a reader may look at one at any
/// time; the Root of one that has been superseded goes with the last who uses it.
class CacheState {
public:
    CacheState(std::filesystem::path path, OpenOptions options, steps::RootRef root);
    ~CacheState();
    CacheState(const CacheState&) = delete;
    CacheState& operator=(const CacheState&) = delete;

    /// For reads: this process's Root.
    [[nodiscard]] Result<steps::RootRef> root();
    /// For what writes or lists: also a Root that is still at its path.
    [[nodiscard]] Result<steps::RootRef> current_root();
    /// The same, for what works in these directories alone.
    [[nodiscard]] Result<steps::RootRef> current_root(std::initializer_list<os::Dir root::Handles::*> used);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] root::WaitLimits limits() const { return {options_.lock_timeout, options_.build_timeout, options_.stop, options_.on_wait}; }
    /// Null: no collections begin by themselves. The one before is kept until the cache is closed, as somebody may be looking at it.
    void set_background(std::unique_ptr<Background> background);
    /// At the end of a publish.
    void published(const steps::RootRef& root) const noexcept;
    [[nodiscard]] LinkKind link_kind() const noexcept { return now().root->link_kind(); }
    [[nodiscard]] bool is_read_only() const noexcept { return now().root->is_read_only(); }

private:
    struct Generation {
        explicit Generation(steps::RootRef opened) : root(opened), kept(std::move(opened)) {}
        const std::weak_ptr<root::Root> root;  ///< for everybody
        steps::RootRef kept;                   ///< for the one alone who has put another generation in this one's place
        Generation* before = nullptr;
    };
    struct Now {
        Generation* generation;
        steps::RootRef root;
    };
    [[nodiscard]] Now now() const noexcept;
    [[nodiscard]] Result<steps::RootRef> reopen(const Now& seen);

    std::filesystem::path path_;
    OpenOptions options_;
    std::atomic<Generation*> generation_;
    std::atomic<Background*> background_{nullptr};
    std::atomic<Background*> backgrounds_{nullptr};  ///< all that there ever were; no lock, as above
};

class LeaseState {
public:
    static Lease wrap(steps::HeldLease held) { return Lease(std::unique_ptr<LeaseState>(new LeaseState(std::move(held)))); }
    steps::HeldLease held;

private:
    explicit LeaseState(steps::HeldLease lease) : held(std::move(lease)) {}
};

class StagingState {
public:
    static Staging wrap(steps::Stage stage) { return Staging(std::unique_ptr<StagingState>(new StagingState(std::move(stage)))); }
    /// Nothing for one that was moved from.
    static std::optional<steps::Stage> unwrap(Staging&& staging);
    steps::Stage stage;

private:
    explicit StagingState(steps::Stage filled) : stage(std::move(filled)) {}
};

}  // namespace larder::detail
