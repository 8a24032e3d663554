// SPDX-License-Identifier: MIT
#include <larder/cache.hpp>

#include "api/state.hpp"
#include "format/name.hpp"
#include "policy/evict.hpp"
#include "policy/plan.hpp"
#include "protocol/collect.hpp"
#include "protocol/inspect.hpp"
#include "protocol/restore.hpp"
#include "protocol/verify.hpp"

namespace larder {

namespace detail {

namespace {

Result<std::unique_ptr<observe::Observer>> observer_of(const OpenOptions& options) {
    std::optional<observe::EventLog> log;
    if (!options.log.empty()) {
        TRY_ASSIGN(log, observe::EventLog::open(options.log));
    }
    if (!options.on_event && !log && !options.count) return nullptr;
    return std::make_unique<observe::Observer>(options.on_event, std::move(log), options.count);
}

}  // namespace

Result<std::shared_ptr<CacheState>> CacheState::open(const std::filesystem::path& path,
                                                     const OpenOptions& options) {
    TRY_ASSIGN(auto observer, observer_of(options));
    TRY_ASSIGN(auto root, cache::open_root(path, options));
    std::filesystem::path absolute = root->dirs().root.path;
    return std::shared_ptr<CacheState>(
        new CacheState(std::move(absolute), options, std::move(observer), std::move(root)));
}

CacheState::CacheState(std::filesystem::path path, OpenOptions options,
                       std::unique_ptr<observe::Observer> observer, protocol::RootRef root)
    : path_(std::move(path)),
      options_(std::move(options)),
      observer_(std::move(observer)),
      context_{options_.lock_timeout, options_.build_timeout, options_.stop, options_.on_wait,
               observer_.get()},
      generation_(new Generation(std::move(root))) {}

CacheState::~CacheState() {
    for (policy::Background* background = backgrounds_.load(); background != nullptr;)
        delete std::exchange(background, background->before);
    for (Generation* generation = generation_.load(); generation != nullptr;) {
        Generation* const before = generation->before;
        delete generation;
        generation = before;
    }
}

void CacheState::set_background(std::unique_ptr<policy::Background> background) {
    policy::Background* const fresh = background.release();
    if (fresh != nullptr) {
        fresh->before = backgrounds_.load(std::memory_order_relaxed);
        while (
            !backgrounds_.compare_exchange_weak(fresh->before, fresh, std::memory_order_acq_rel)) {
        }
    }
    if (policy::Background* const old = background_.exchange(fresh, std::memory_order_acq_rel))
        old->retire();
}

void CacheState::published(const protocol::RootRef& root) const noexcept {
    policy::Background* const background = background_.load(std::memory_order_acquire);
    if (background == nullptr || !background->is_time_to_look()) return;
    try {
        background->start_if_due(root, context_);
    } catch (const std::exception&) {
        // No memory to be had: the next one that is due.
    }
}

void CacheState::tell(Event event, const format::Id& id) const noexcept {
    if (!observer_) return;
    try {
        const std::string text = to_text(id);
        event.id = text;
        observer_->tell(event);
    } catch (const std::bad_alloc&) {
    }
}

CacheState::Now CacheState::now() const noexcept {
    for (;;) {
        Generation* const generation = generation_.load(std::memory_order_acquire);
        if (auto root = generation->root.lock()) return {generation, std::move(root)};
        // Superseded since it was loaded: there is another one.
    }
}

Result<protocol::RootRef> CacheState::root() {
    Now seen = now();
    if (seen.root->is_ours()) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::current_root() {
    Now seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost()) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::current_root(
    std::initializer_list<os::Dir cache::Handles::*> used) {
    Now seen = now();
    if (seen.root->is_ours() && !seen.root->is_lost(used)) return std::move(seen.root);
    return reopen(seen);
}

Result<protocol::RootRef> CacheState::reopen(const Now& seen) {
    TRY_ASSIGN(auto root, cache::open_root(path_, options_));
    auto* const fresh = new Generation(std::move(root));
    fresh->before = seen.generation;
    if (Generation* current = seen.generation;
        !generation_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
        delete fresh;  // another thread was quicker
        return now().root;
    }
    // What a forked child inherited stays open there, as its parent's leases may rest on it (see Lease).
    if (seen.root->is_ours()) {
        seen.generation->kept.reset();
        tell({.kind = Event::Kind::reopened});
    }
    return now().root;
}

}  // namespace detail

Cache::Cache(std::shared_ptr<detail::CacheState> state) noexcept : state_(std::move(state)) {}
Cache::Cache(Cache&&) noexcept = default;
Cache& Cache::operator=(Cache&&) noexcept = default;
Cache::~Cache() = default;

Result<Cache> Cache::open(const std::filesystem::path& root, const OpenOptions& options) {
    TRY_ASSIGN(auto state, detail::CacheState::open(root, options));
    return Cache(std::move(state));
}

const std::filesystem::path& Cache::root() const noexcept { return state_->path(); }
LinkKind Cache::link_kind() const noexcept { return state_->link_kind(); }
bool Cache::is_read_only() const noexcept { return state_->is_read_only(); }

Result<Bucket> Cache::bucket(std::string_view name) const {
    TRY_ASSIGN(std::string encoded, format::encode_bucket(name));
    return Bucket(state_, std::string(name), std::move(encoded));
}

Result<std::vector<std::string>> Cache::buckets() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return protocol::list_buckets(*root);
}

Result<CollectReport> Cache::collect(const CollectOptions& options) const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return policy::has_limits(options)
               ? policy::collect_within_limits(root, options, state_->context())
               : protocol::collect(root, options, state_->context());
}

Result<> Cache::keep_within(const CollectOptions& limits, const BackgroundOptions& options) const {
    TRY(policy::check_limits(limits));
    if (limits.dry_run || limits.plan)
        return fail(Errc::invalid, "keep within limits", state_->path(),
                    "limits alone, not a dry run or a plan");
    state_->set_background(policy::has_limits(limits)
                               ? std::make_unique<policy::Background>(limits, options)
                               : nullptr);
    return {};
}

Result<std::vector<EntryInfo>> Cache::trash() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return protocol::list_trash(*root);
}

Result<Lease> Cache::restore(std::string_view id, bool replace) const {
    const auto parsed = format::parse_id(id);
    if (!parsed)
        return fail(Errc::invalid, "restore", {},
                    std::string("\"").append(id).append("\" is no id of an entry"));
    TRY_ASSIGN(const auto root, state_->current_root());
    TRY_ASSIGN(auto held, protocol::restore(root, *parsed, replace, state_->context()));
    state_->tell({.kind = Event::Kind::restored}, held.id());
    return Lease(std::move(held));
}

Result<VerifyReport> Cache::verify(const VerifyOptions& options) const {
    TRY_ASSIGN(const auto root, state_->current_root());
    auto report = protocol::verify(root, options, state_->context());
    if (!report || !options.repair || state_->context().observer == nullptr) return report;
    for (const Finding& finding : report->findings) {
        if (finding.repaired)
            state_->tell({.kind = Event::Kind::repaired,
                          .what = finding.path.string() + ": " + finding.what});
    }
    return report;
}

Counters Cache::counters() const noexcept { return state_->counters(); }

Result<StatusReport> Cache::status() const {
    TRY_ASSIGN(const auto root, state_->current_root());
    return protocol::status(*root);
}

}  // namespace larder
