#include <larder/cache.hpp>

#include <api/state.hpp>
#include <layout/name.hpp>
#include <steps/collect.hpp>
#include <steps/evict.hpp>
#include <steps/inspect.hpp>
#include <steps/plan.hpp>
#include <steps/restore.hpp>
#include <steps/verify.hpp>

namespace larder {

namespace detail {

CacheState::CacheState(std::filesystem::path path, OpenOptions options, steps::RootRef root)
    : path_(std::move(path)), options_(std::move(options)), generation_(new Generation(std::move(root))) {}

CacheState::~CacheState() {
    for (Background* background = backgrounds_.load(); background != nullptr;) delete std::exchange(background, background->before);
    for (Generation* generation = generation_.load(); generation != nullptr;) {
        Generation* const before = generation->before;
        delete generation;
        generation = before;
    }
}

void CacheState::set_background(std::unique_ptr<Background> background) {
    Background* const fresh = background.release();
    if (fresh != nullptr) {
        fresh->before = backgrounds_.load(std::memory_order_relaxed);
        while (!backgrounds_.compare_exchange_weak(fresh->before, fresh, std::memory_order_acq_rel)) {
        }
    }
    if (Background* const old = background_.exchange(fresh, std::memory_order_acq_rel)) old->retire();
}

void CacheState::published(const steps::RootRef& root) const noexcept {
    Background* const background = background_.load(std::memory_order_acquire);
    if (background == nullptr || !background->is_time_to_look()) return;
    try {
        background->start_if_due(root, limits());
    } catch (const std::exception&) {
        // No memory to be had: the next one that is due.
    }
}

CacheState::Now CacheState::now() const noexcept {
    for (;;) {
        Generation* const generation = generation_.load(std::memory_order_acquire);
        if (auto root = generation->root.lock()) return {generation, std::move(root)};
        // Superseded since it was loaded: there is another one.
    }
}

Result<steps::RootRef> CacheState::root() {
    Now seen = now();
    if (seen.root->is_ours()) return std::move(seen.root);
    return reopen(seen);
}

Result<steps::RootRef> CacheState::current_root() {
    Now seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost()) return std::move(seen.root);
    return reopen(seen);
}

Result<steps::RootRef> CacheState::current_root(std::initializer_list<os::Dir root::Handles::*> used) {
    Now seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost(used)) return std::move(seen.root);
    return reopen(seen);
}

Result<steps::RootRef> CacheState::reopen(const Now& seen) {
    TRY_ASSIGN(auto root, root::open_root(path_, options_));
    auto* const fresh = new Generation(std::move(root));
    fresh->before = seen.generation;
    if (Generation* current = seen.generation; !generation_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
        delete fresh;  // another thread was quicker
        return now().root;
    }
    // What a forked child inherited stays open there, as its parent's leases may rest on it (see Lease).
    if (seen.root->is_ours()) seen.generation->kept.reset();
    return now().root;
}

}  // namespace detail

Cache::Cache(std::shared_ptr<detail::CacheState> state) noexcept : state_(std::move(state)) {}
Cache::Cache(Cache&&) noexcept = default;
Cache& Cache::operator=(Cache&&) noexcept = default;
Cache::~Cache() = default;

Result<Cache> Cache::open(const std::filesystem::path& root, const OpenOptions& options) {
    TRY_ASSIGN(auto opened, root::open_root(root, options));
    std::filesystem::path path = opened->dirs().root.path;
    return Cache(std::make_shared<detail::CacheState>(std::move(path), options, std::move(opened)));
}

const std::filesystem::path& Cache::root() const noexcept { return state_->path(); }
LinkKind Cache::link_kind() const noexcept { return state_->link_kind(); }
bool Cache::is_read_only() const noexcept { return state_->is_read_only(); }

Result<Bucket> Cache::bucket(std::string_view name) const {
    TRY_ASSIGN(std::string encoded, layout::encode_bucket(name));
    return Bucket(state_, std::string(name), std::move(encoded));
}

Result<std::vector<std::string>> Cache::buckets() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return steps::list_buckets(*root);
}

Result<CollectReport> Cache::collect(const CollectOptions& options) const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return steps::has_limits(options) ? steps::collect_within_limits(root, options, state_->limits()) : steps::collect(root, options);
}

Result<> Cache::keep_within(const CollectOptions& limits, const BackgroundOptions& options) const {
    TRY(steps::check_limits(limits));
    if (limits.dry_run || limits.plan) return os::fail(Errc::invalid, "keep within limits", state_->path(), "limits alone, not a dry run or a plan");
    state_->set_background(steps::has_limits(limits) ? std::make_unique<detail::Background>(limits, options) : nullptr);
    return {};
}

Result<std::vector<EntryInfo>> Cache::retired() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return steps::list_retired(*root);
}

Result<Lease> Cache::restore(std::string_view id, bool replace) const {
    const auto parsed = layout::parse_id(id);
    if (!parsed) return os::fail(Errc::invalid, "restore", {}, "\"" + std::string(id) + "\" is no id of an entry");
    TRY_ASSIGN(const auto root, state_->current_root());
    TRY_ASSIGN(auto held, steps::restore(root, *parsed, replace, state_->limits()));
    return detail::LeaseState::wrap(std::move(held));
}

Result<VerifyReport> Cache::verify(const VerifyOptions& options) const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return steps::verify(root, options, state_->limits());
}

Result<StatusReport> Cache::status() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return steps::status(*root);
}

}  // namespace larder
