// SPDX-License-Identifier: MIT
#include <larder/bucket.hpp>

#include "api/room.hpp"
#include "api/state.hpp"
#include "format/name.hpp"
#include "policy/pin.hpp"
#include "protocol/get.hpp"
#include "protocol/get_or_build.hpp"
#include "protocol/inspect.hpp"
#include "protocol/publish.hpp"
#include "protocol/retire.hpp"

namespace larder {

namespace {

Result<protocol::KeyRef> place_of(const std::string& bucket, const std::string& encoded_bucket,
                                  std::string_view key) {
    TRY_ASSIGN(std::string path, format::encode_key_path(encoded_bucket, key));
    return protocol::KeyRef{bucket, encoded_bucket, key, std::move(path)};
}

Result<protocol::SlotLease> get_counted(const detail::CacheState& cache,
                                        const protocol::RootRef& root,
                                        const protocol::KeyRef& place) {
    auto got = protocol::get(root, place, cache.context());
    if (got || got.error().code == Errc::miss) cache.count_get(got.has_value());
    return got;
}

/// Tells of a publish, and starts a collection if one is due.
void after_publish(const detail::CacheState& cache, const protocol::RootRef& root,
                   const protocol::KeyRef& place, const format::Id& id) {
    cache.tell({.kind = Event::Kind::published, .bucket = place.bucket, .key = place.key}, id);
    cache.published(root);
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
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->root());
    TRY_ASSIGN(auto held, get_counted(*cache_, root, place));
    return Lease(std::move(held));
}

Result<Lease> Bucket::get_or_build(std::string_view key, const Build& build,
                                   const PublishOptions& options) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto known_root, cache_->root());
    if (auto found = get_counted(*cache_, known_root, place); found) {
        return Lease(std::move(*found));
    } else if (found.error().code != Errc::miss) {
        return tl::make_unexpected(std::move(found).error());
    }
    TRY_ASSIGN(const auto root, cache_->current_root());
    bool built = false;
    const auto fill = [&](protocol::Stage& stage) -> Result<> {
        // The caller's side of a Staging, lent to the build and then taken back.
        Staging lent(std::move(stage));
        auto filled = build(lent);
        if (!lent.stage_)
            return fail(Errc::invalid, "build", {}, "the build has moved its Staging away");
        stage = std::move(*lent.stage_);
        built = filled.has_value();
        return filled;
    };
    TRY_ASSIGN(auto held, protocol::build_once(root, place, fill, options, cache_->context()));
    if (built) after_publish(*cache_, root, place, held.id());
    return Lease(std::move(held));
}

Result<Staging> Bucket::stage() const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(auto stage, protocol::Stage::make(root, cache_->context()));
    return Staging(std::move(stage));
}

Result<Lease> Bucket::publish(std::string_view key, Staging&& staging,
                              const PublishOptions& options) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    const auto stage = std::move(staging.stage_);
    if (!stage)
        return fail(Errc::invalid, "publish", cache_->path(),
                    "this Staging was published or moved away before");
    if (!stage->root()->is_ours())
        return fail(Errc::invalid, "publish", cache_->path(),
                    "a forked child can't publish what its parent staged");
    if (stage->root()->dirs().root.path != cache_->path()) {
        return fail(Errc::invalid, "publish", cache_->path(),
                    "staged in another cache, " + stage->root()->dirs().root.path.string());
    }
    const protocol::RootRef root = stage->root();
    const auto lost = [&] {
        return fail(Errc::refused, "publish", cache_->path(),
                    "the cache was moved or deleted since this was staged; stage it again");
    };
    // Before: nobody would see the lease. After: nothing can be made in a deleted directory, so publishing has failed by itself.
    if (root->is_lost({&cache::Handles::participants})) return lost();
    auto held = protocol::publish(std::move(*stage), place, options, cache_->context());
    if (!held && root->is_lost()) return lost();
    TRY(held);
    after_publish(*cache_, root, place, held->id());
    return Lease(std::move(*held));
}

Result<> Bucket::remove(std::string_view key) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->current_root());
    if (root->is_read_only())
        return fail(Errc::read_only, "remove", cache_->path(),
                    "the cache is open for reading only");
    const auto& context = cache_->context();
    TRY(detail::with_room(root, context, [&] { return protocol::remove(root, place, context); }));
    cache_->tell({.kind = Event::Kind::removed, .bucket = name_, .key = key});
    return {};
}

Result<> Bucket::refresh() const {
    TRY_ASSIGN(const auto root,
               cache_->current_root({&cache::Handles::buckets, &cache::Handles::retired_buckets}));
    if (root->is_read_only())
        return fail(Errc::read_only, "refresh", cache_->path(),
                    "the cache is open for reading only");
    const auto& context = cache_->context();
    TRY(detail::with_room(root, context,
                          [&] { return protocol::refresh(root, encoded_, context); }));
    cache_->tell({.kind = Event::Kind::refreshed, .bucket = name_});
    return {};
}

Result<std::uint64_t> Bucket::refresh(const RefreshOptions& options) const {
    TRY_ASSIGN(const auto root,
               cache_->current_root({&cache::Handles::buckets, &cache::Handles::retired_links}));
    if (root->is_read_only())
        return fail(Errc::read_only, "refresh", cache_->path(),
                    "the cache is open for reading only");
    const auto& context = cache_->context();
    std::uint64_t taken = 0;
    const auto done = detail::with_room(root, context, [&] {
        auto refreshed = protocol::refresh_some(root, name_, encoded_, options, context);
        taken += refreshed.taken;
        return std::move(refreshed.done);
    });
    if (!options.dry_run && (done || taken != 0)) {
        const std::string_view which =
            options.pattern.empty() ? std::string_view("every key") : options.pattern;
        cache_->tell(
            {.kind = Event::Kind::refreshed, .bucket = name_, .what = which, .entries = taken});
    }
    TRY(done);
    return taken;
}

Result<std::vector<std::string>> Bucket::keys() const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    return protocol::list_keys(*root, encoded_);
}

Result<> Bucket::pin(std::string_view key) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    if (root->is_read_only())
        return fail(Errc::read_only, "pin", cache_->path(), "the cache is open for reading only");
    return policy::pin(*root, place, cache_->context());
}

Result<> Bucket::unpin(std::string_view key) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    if (root->is_read_only())
        return fail(Errc::read_only, "unpin", cache_->path(), "the cache is open for reading only");
    return policy::unpin(*root, place);
}

Result<bool> Bucket::is_pinned(std::string_view key) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    return policy::is_pinned(*root, place);
}

Result<EntryInfo> Bucket::info(std::string_view key) const {
    TRY_ASSIGN(const auto place, place_of(name_, encoded_, key));
    TRY_ASSIGN(const auto root, cache_->current_root());
    return protocol::info(*root, place);
}

}  // namespace larder
