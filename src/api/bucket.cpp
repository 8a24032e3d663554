// SPDX-License-Identifier: MIT
#include <larder/bucket.hpp>

#include "api/collecting.hpp"
#include "format/name.hpp"
#include "policy/pin.hpp"
#include "protocol/get.hpp"
#include "protocol/get_or_build.hpp"
#include "protocol/inspect.hpp"
#include "protocol/publish.hpp"
#include "protocol/retire.hpp"

namespace larder {

namespace {

/// Returns the place of a key. It refers to the strings that are passed. Errors: `invalid` if the
/// key cannot be encoded.
Result<protocol::KeyRef> place_of(const cache::Root& root, const std::string& bucket,
                                  const std::string& encoded_bucket, std::string_view key) {
    TRY_ASSIGN(std::string path, format::encode_key_path(encoded_bucket, key, root.longest_name()));
    return protocol::KeyRef{bucket, encoded_bucket, key, std::move(path)};
}

/// Gets an entry, and counts the hit or the miss.
Result<protocol::SlotLease> get_counted(const detail::CacheState& cache, const detail::Call& call,
                                        const protocol::RootRef& root,
                                        const protocol::KeyRef& place) {
    auto got = protocol::get(root, place, call.context());
    cache.count_get(got);
    return got;
}

/// Tells of a publish, and starts a collection if one is due. Called when the entry is visible, so
/// nothing here can fail the publish.
void after_publish(const detail::CacheState& cache, detail::Call& call,
                   const protocol::RootRef& root, const protocol::KeyRef& place,
                   const format::Id& id) {
    call.tell({.kind = Event::Kind::published, .bucket = place.bucket, .key = place.key}, id);
    cache.published(root);
}

/// Publishes the stage if it belongs to this cache. If that fails, the caller still owns the stage.
Result<protocol::SlotLease> publish_stage(const detail::CacheState& cache,
                                          const std::string& bucket,
                                          const std::string& encoded_bucket, std::string_view key,
                                          protocol::Stage& stage, const PublishOptions& options) {
    if (stage.root()->dirs().root.path != cache.path()) {
        return fail(Errc::invalid, "publish", cache.path(),
                    "staged in another cache, " + stage.root()->dirs().root.path.string());
    }
    const protocol::RootRef root = stage.root();
    TRY_ASSIGN(const auto place, place_of(*root, bucket, encoded_bucket, key));
    const auto lost = [&] {
        return fail(Errc::refused, "publish", cache.path(),
                    "the cache was moved or deleted since this was staged; stage it again");
    };
    // Check before the publish whether collectors will see the lease. A check after the publish is
    // not needed: if a directory was deleted meanwhile, nothing can be made in it, and the publish
    // fails.
    if (root->is_lost({&cache::Handles::participants})) return lost();
    detail::Call call(cache);
    auto slot = protocol::publish(stage, place, options, call.context());
    if (!slot && root->is_lost()) return lost();
    TRY(slot);
    after_publish(cache, call, root, place, slot->id());
    return slot;
}

}  // namespace

Bucket::Bucket(std::shared_ptr<detail::CacheState> cache, std::string name,
               std::string encoded) noexcept
    : cache_(std::move(cache)), name_(std::move(name)), encoded_(std::move(encoded)) {}
Bucket::Bucket(Bucket&&) noexcept = default;
Bucket& Bucket::operator=(Bucket&&) noexcept = default;
Bucket::~Bucket() = default;

const std::string& Bucket::name() const noexcept { return name_; }

Result<Lease> Bucket::get(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    detail::Call call(*cache_);
    TRY_ASSIGN(auto slot, get_counted(*cache_, call, root, place));
    return Lease(std::move(slot));
}

Result<Lease> Bucket::get_or_build(std::string_view key, const Build& build,
                                   const PublishOptions& options) const {
    TRY_ASSIGN(const auto known_root, cache_->root());
    TRY_ASSIGN(const auto place, place_of(*known_root, name_, encoded_, key));
    detail::Call call(*cache_);
    if (auto found = get_counted(*cache_, call, known_root, place); found) {
        return Lease(std::move(*found));
    } else if (found.error().code != Errc::miss) {
        return tl::make_unexpected(std::move(found).error());
    }
    TRY_ASSIGN(const auto root, cache_->current_root());
    bool built = false;
    const auto fill = [&](protocol::Stage& stage) -> Result<> {
        call.tell_notes();  // of the wait, before the build, because that may take minutes
        // Lend the stage to the build as a Staging, and take it back afterwards.
        Staging lent(std::move(stage));
        auto filled = build(lent);
        if (!lent.stage_)
            return fail(Errc::invalid, "build", {}, "the build has moved its Staging away");
        stage = std::move(*lent.stage_);
        built = filled.has_value();
        return filled;
    };
    TRY_ASSIGN(auto slot, protocol::get_or_build(root, place, fill, options, call.context()));
    if (built) after_publish(*cache_, call, root, place, slot.id());
    return Lease(std::move(slot));
}

Result<Staging> Bucket::stage() const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    detail::Call call(*cache_);
    TRY_ASSIGN(auto stage, protocol::Stage::make(root, call.context()));
    return Staging(std::move(stage));
}

Result<Lease> Bucket::publish(std::string_view key, Staging&& staging,
                              const PublishOptions& options) const {
    const auto known_name = format::encode_key(key);
    if (!known_name) return tl::make_unexpected(known_name.error());  // and the Staging stays
    const auto stage = std::move(staging.stage_);
    if (!stage)
        return fail(Errc::invalid, "publish", cache_->path(),
                    "this Staging was published or moved away before");
    if (!stage->root()->is_ours()) {
        return fail(Errc::invalid, "publish", cache_->path(),
                    "a forked child can't publish what its parent staged");
    }
    auto slot = publish_stage(*cache_, name_, encoded_, key, *stage, options);
    if (!slot) return tl::make_unexpected(stage->give_back(std::move(slot).error()));
    return Lease(std::move(*slot));
}

Result<> Bucket::remove(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("remove"));
    detail::Call call(*cache_);
    TRY(detail::retry_after_collect(root, call,
                                    [&] { return protocol::remove(root, place, call.context()); }));
    call.tell({.kind = Event::Kind::removed, .bucket = name_, .key = key});
    return {};
}

Result<> Bucket::refresh() const {
    TRY_ASSIGN(const auto root,
               cache_->current_root({&cache::Handles::buckets, &cache::Handles::retired_buckets}));
    TRY(root->must_be_writable("refresh"));
    detail::Call call(*cache_);
    TRY(detail::retry_after_collect(
        root, call, [&] { return protocol::refresh(root, encoded_, call.context()); }));
    call.tell({.kind = Event::Kind::refreshed, .bucket = name_});
    return {};
}

Result<std::uint64_t> Bucket::refresh(const RefreshOptions& options) const {
    TRY_ASSIGN(const auto root,
               cache_->current_root({&cache::Handles::buckets, &cache::Handles::retired_links}));
    TRY(root->must_be_writable("refresh"));
    detail::Call call(*cache_);
    std::uint64_t taken = 0;
    const auto done = detail::retry_after_collect(root, call, [&] {
        auto refreshed = protocol::refresh_some(root, name_, encoded_, options, call.context());
        taken += refreshed.taken;
        return std::move(refreshed.done);
    });
    if (!options.dry_run && (done || taken != 0)) {
        const std::string_view which =
            options.pattern.empty() ? std::string_view("every key") : options.pattern;
        call.tell(
            {.kind = Event::Kind::refreshed, .bucket = name_, .what = which, .entries = taken});
    }
    TRY(done);
    return taken;
}

Result<std::vector<std::string>> Bucket::keys() const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    return protocol::list_keys(*root, encoded_);
}

Result<> Bucket::visit_keys(const std::function<bool(const std::string& key)>& visit) const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    return protocol::visit_keys(*root, encoded_, visit);
}

Result<> Bucket::pin(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("pin"));
    detail::Call call(*cache_);
    return policy::pin(*root, place, call.context());
}

Result<> Bucket::unpin(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("unpin"));
    return policy::unpin(*root, place);
}

Result<bool> Bucket::is_pinned(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    return policy::is_pinned(*root, place);
}

Result<EntryInfo> Bucket::info(std::string_view key) const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    return protocol::info(*root, place);
}

}  // namespace larder
