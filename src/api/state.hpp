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
    /// Errors: `system` where the log can't be opened.
    [[nodiscard]] static Result<std::shared_ptr<CacheState>> open(const std::filesystem::path& path, const OpenOptions& options);
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
    [[nodiscard]] const root::Caller& caller() const noexcept { return caller_; }
    void tell(const Event& event) const noexcept { caller_.tell(event); }
    /// The same, of an entry: where there is no memory to say which, nothing is told, for what was done is done.
    void tell(Event event, const layout::Id& id) const noexcept;
    /// A get that came to this.
    void count_get(bool hit) const noexcept {
        if (observer_) observer_->count_get(hit);
    }
    [[nodiscard]] Counters counters() const noexcept { return observer_ ? observer_->counters() : Counters(); }
    /// Null: no collections begin by themselves. The one before is kept until the cache is closed, as somebody may be looking at it.
    void set_background(std::unique_ptr<Background> background);
    /// At the end of a publish.
    void published(const steps::RootRef& root) const noexcept;
    [[nodiscard]] LinkKind link_kind() const noexcept { return now().root->link_kind(); }
    [[nodiscard]] bool is_read_only() const noexcept { return now().root->is_read_only(); }

private:
    CacheState(std::filesystem::path path, OpenOptions options, std::unique_ptr<observe::Observer> observer, steps::RootRef root);

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
    std::unique_ptr<observe::Observer> observer_;  ///< null: nobody asked
    root::Caller caller_;
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
