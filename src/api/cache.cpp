// SPDX-License-Identifier: MIT
#include <larder/cache.hpp>

#include "api/collecting.hpp"
#include "format/name.hpp"
#include "policy/limits.hpp"
#include "policy/pin.hpp"
#include "protocol/destroy.hpp"
#include "protocol/inspect.hpp"
#include "protocol/restore.hpp"
#include "protocol/verify.hpp"

namespace larder {

Cache::Cache(std::shared_ptr<detail::CacheState> state) noexcept : state_(std::move(state)) {}
Cache::Cache(Cache&&) noexcept = default;
Cache& Cache::operator=(Cache&&) noexcept = default;
Cache::~Cache() = default;

Result<Cache> Cache::open(const std::filesystem::path& root, const OpenOptions& options) {
    TRY_ASSIGN(auto state, detail::CacheState::open(root, options));
    return Cache(std::move(state));
}

Result<> Cache::destroy(const std::filesystem::path& root) { return protocol::destroy(root); }

const std::filesystem::path& Cache::root() const noexcept { return state_->path(); }
LinkKind Cache::link_kind() const noexcept { return state_->link_kind(); }
bool Cache::is_read_only() const noexcept { return state_->is_read_only(); }

Result<Bucket> Cache::bucket(std::string_view name) const {
    TRY_ASSIGN(std::string encoded, format::encode_bucket(name));
    return Bucket(state_, std::string(name), std::move(encoded));
}

Result<std::vector<std::string>> Cache::buckets() const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    return protocol::list_buckets(*root);
}

Result<CollectReport> Cache::collect(const Limits& limits, const CollectOptions& options) const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    detail::Call call(*state);
    return detail::collect(root, limits, options, call);
}

Result<CollectReport> Cache::evict(const EvictionPlan& plan, const CollectOptions& options) const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    detail::Call call(*state);
    return detail::evict(root, plan, options, call);
}

Result<> Cache::keep_within(const Limits& limits, const BackgroundOptions& options) const {
    TRY(policy::check_limits(limits));
    if (!limits.any()) {
        state_->set_background(nullptr);
        return {};
    }
    const auto collect = [&state = *state_, limits](const protocol::RootRef& root,
                                                    const CollectOptions& how) {
        detail::Call call(state);
        return detail::collect(root, limits, how, call);
    };
    state_->set_background(std::make_unique<policy::Background>(options, collect));
    return {};
}

Result<std::vector<PinInfo>> Cache::pins() const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    return policy::list_pins(*root);
}

Result<std::vector<EntryInfo>> Cache::trash() const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    return protocol::list_trash(*root);
}

Result<> Cache::visit_trash(const std::function<bool(const EntryInfo& entry)>& visit) const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    return protocol::visit_trash(*root, visit);
}

Result<Lease> Cache::restore(std::string_view id, bool replace) const {
    const auto parsed = format::parse_id(id);
    if (!parsed)
        return fail(Errc::invalid, "restore", {},
                    std::string("\"").append(id).append("\" is no id of an entry"));
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    detail::Call call(*state);
    TRY_ASSIGN(auto slot, protocol::restore(root, *parsed, replace, call.context()));
    call.tell({.kind = Event::Kind::restored}, slot.id());
    return Lease(std::move(slot));
}

Result<VerifyReport> Cache::verify(const VerifyOptions& options) const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    detail::Call call(*state);
    auto report = protocol::verify(root, options, call.context());
    if (!report || !call.has_listeners()) return report;
    for (const Finding& finding : report->findings) {
        if (finding.repaired)
            call.tell({.kind = Event::Kind::repaired,
                       .what = finding.path.string() + ": " + finding.what});
    }
    return report;
}

Counters Cache::counters() const noexcept { return state_->counters(); }

Result<StatusReport> Cache::status() const {
    const auto state = state_->keep();
    TRY_ASSIGN(const auto root, state->current_root());
    return protocol::status(*root);
}

}  // namespace larder
