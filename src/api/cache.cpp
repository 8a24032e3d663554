// SPDX-License-Identifier: MIT
#include <optional>

#include <larder/cache.hpp>

#include "api/collecting.hpp"
#include "format/name.hpp"
#include "policy/limits.hpp"
#include "policy/pin.hpp"
#include "protocol/dedupe.hpp"
#include "protocol/destroy.hpp"
#include "protocol/entry_roots.hpp"
#include "protocol/inspect.hpp"
#include "protocol/link.hpp"
#include "protocol/restore.hpp"
#include "protocol/settle.hpp"
#include "protocol/verify.hpp"
#include "protocol/verify_content.hpp"

namespace larder {

namespace {

/// What one call of a Cache works with. It keeps the state alive: a callback may destroy the Cache
/// while the call that makes the callback still runs.
struct HeldCache {
    std::shared_ptr<detail::CacheState> state;
    protocol::RootRef root;
    std::shared_ptr<const CallOptions> options;
};

/// Returns the state and a Root whose directories still stand at their paths. Errors: those of
/// CacheState::current_root.
Result<HeldCache> hold(detail::CacheState& cache,
                       const std::shared_ptr<const CallOptions>& options) {
    auto state = cache.keep();
    TRY_ASSIGN(auto root, state->current_root());
    return HeldCache{.state = std::move(state), .root = std::move(root), .options = options};
}

}  // namespace

Cache::Cache(std::shared_ptr<detail::CacheState> state,
             std::shared_ptr<const CallOptions> options) noexcept
    : state_(std::move(state)), options_(std::move(options)) {}
Cache::Cache(Cache&&) noexcept = default;
Cache& Cache::operator=(Cache&&) noexcept = default;
Cache::~Cache() = default;

Result<Cache> Cache::open(const std::filesystem::path& root, const OpenOptions& options) {
    TRY_ASSIGN(auto state, detail::CacheState::open(root, options));
    return Cache(std::move(state), nullptr);
}

Result<> Cache::destroy(const std::filesystem::path& root) { return protocol::destroy(root); }

Result<> Cache::check_destroy(const std::filesystem::path& root) {
    return protocol::check_destroy(root);
}

const std::filesystem::path& Cache::root() const noexcept { return state_->path(); }
LinkKind Cache::link_kind() const noexcept { return state_->link_kind(); }
BucketKind Cache::bucket_kind() const noexcept { return state_->bucket_kind(); }
bool Cache::is_read_only() const noexcept { return state_->is_read_only(); }

Cache Cache::with(const CallOptions& options) const {
    return {state_, std::make_shared<const CallOptions>(options)};
}

Result<Bucket> Cache::bucket(std::string_view name) const {
    TRY_ASSIGN(std::string encoded, format::encode_bucket(name));
    return Bucket(state_, options_, std::string(name), std::move(encoded));
}

Result<std::vector<std::string>> Cache::buckets() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::list_buckets(*cache.root);
}

Result<> Cache::visit_entries(const std::vector<std::string>& buckets,
                              const std::function<bool(const VisitedEntry& entry)>& visit) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::visit_entries(*cache.root, buckets, visit);
}

Result<CollectReport> Cache::collect(const Limits& limits, const CollectOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    detail::Call call(*cache.state, cache.options.get());
    return detail::collect(cache.root, limits, options, call);
}

Result<CollectReport> Cache::evict(const EvictionPlan& plan, const CollectOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    detail::Call call(*cache.state, cache.options.get());
    return detail::evict(cache.root, plan, options, call);
}

Result<> Cache::keep_within(const Limits& limits, const BackgroundOptions& options) const {
    TRY(policy::check_limits(limits));
    if (!limits.any()) {
        state_->set_background(nullptr);
        return {};
    }
    // A plain reference, because the state owns the collector, which owns this function. A shared
    // one would keep the state alive for ever.
    const auto collect = [&state = *state_, limits](const protocol::RootRef& root,
                                                    const CollectOptions& how) {
        detail::Call call(state);
        return detail::collect(root, limits, how, call);
    };
    state_->set_background(std::make_unique<policy::BackgroundCollector>(options, collect));
    return {};
}

Result<std::vector<PinInfo>> Cache::pins() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return policy::list_pins(*cache.root);
}

Result<> Cache::link(std::string_view bucket, std::string_view key,
                     const std::filesystem::path& destination, const LinkOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    TRY_ASSIGN(const std::string encoded, format::encode_bucket(bucket));
    TRY_ASSIGN(std::string path, format::encode_key_path(encoded, key, cache.root->longest_name()));
    detail::Call call(*cache.state, cache.options.get());
    const protocol::KeyRef place{bucket, encoded, key, std::move(path)};
    return protocol::link_path(cache.root, place, destination, options, call.context());
}

Result<> Cache::unlink(const std::filesystem::path& destination) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::unlink_path(*cache.root, destination);
}

Result<std::vector<RootInfo>> Cache::roots() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    std::vector<RootInfo> roots;
    TRY(protocol::for_each_root(*cache.root, [&](const protocol::FoundRoot& found) -> Result<> {
        roots.push_back(
            protocol::info_of(*cache.root, found, protocol::state_of(*cache.root, found)));
        return {};
    }));
    return roots;
}

Result<PruneReport> Cache::prune_roots(const PruneOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    TRY(cache.root->must_be_writable("prune roots"));
    return protocol::prune_roots(*cache.root, options);
}

Result<std::vector<EntryInfo>> Cache::trash() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::list_trash(*cache.root);
}

Result<> Cache::visit_trash(const std::function<bool(const EntryInfo& entry)>& visit) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::visit_trash(*cache.root, visit);
}

Result<Lease> Cache::restore(std::string_view id, const RestoreOptions& options) const {
    const std::optional<format::Id> retired = format::parse_id(id);
    if (!retired)
        return fail(Errc::invalid, "restore", {},
                    std::string("\"").append(id).append("\" is no id of an entry"));
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    detail::Call call(*cache.state, cache.options.get());
    TRY_ASSIGN(auto restored, protocol::restore(cache.root, *retired, options, call.context()));
    call.tell({.kind = Event::Kind::restored}, restored.id());
    return Lease(std::move(restored));
}

namespace {

/// Tells the listeners of each finding that was repaired.
void tell_of_repairs(detail::Call& call, const std::vector<Finding>& findings) {
    if (!call.has_listeners()) return;
    for (const Finding& finding : findings) {
        if (finding.repaired)
            call.tell({.kind = Event::Kind::repaired,
                       .what = finding.path.string() + ": " + finding.what});
    }
}

}  // namespace

Result<VerifyReport> Cache::verify(const VerifyOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    detail::Call call(*cache.state, cache.options.get());
    TRY_ASSIGN(auto report, protocol::verify(cache.root, options, call.context()));
    tell_of_repairs(call, report.findings);
    return report;
}

Result<ContentReport> Cache::verify_content(const ContentOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    if (options.repair) TRY(cache.root->must_be_writable("verify"));
    std::vector<std::string> encoded_buckets;
    for (const std::string& bucket : options.buckets) {
        TRY_ASSIGN(encoded_buckets.emplace_back(), format::encode_bucket(bucket));
    }
    detail::Call call(*cache.state, cache.options.get());
    TRY_ASSIGN(auto report,
               protocol::verify_content(cache.root, encoded_buckets, options, call.context()));
    tell_of_repairs(call, report.findings);
    return report;
}

Result<DedupeReport> Cache::dedupe(const DedupeOptions& options) const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    TRY(cache.root->must_be_writable("dedupe"));
    detail::Call call(*cache.state, cache.options.get());
    return protocol::dedupe(cache.root, options, call.context());
}

Result<> Cache::settle() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::settle(*cache.root);
}

Counters Cache::counters() const noexcept { return state_->counters(); }

Result<StatusReport> Cache::status() const {
    TRY_ASSIGN(const HeldCache cache, hold(*state_, options_));
    return protocol::status(*cache.root);
}

}  // namespace larder
