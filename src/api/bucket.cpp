// SPDX-License-Identifier: MIT
#include <larder/bucket.hpp>

#include "api/collecting.hpp"
#include "format/name.hpp"
#include "format/record.hpp"
#include "policy/pin.hpp"
#include "protocol/claim.hpp"
#include "protocol/get.hpp"
#include "protocol/get_or_build.hpp"
#include "protocol/inspect.hpp"
#include "protocol/publish.hpp"
#include "protocol/retire.hpp"

namespace larder {

namespace {

/// Returns where the link of a key stands. The result refers to the strings that are passed, which
/// must live longer. Errors: `invalid` if the key is not UTF-8 or is too long.
Result<protocol::KeyRef> place_of(const cache::Root& root, const std::string& bucket,
                                  const std::string& encoded_bucket, std::string_view key) {
    TRY_ASSIGN(std::string path, format::encode_key_path(encoded_bucket, key, root.longest_name()));
    return protocol::KeyRef{bucket, encoded_bucket, key, std::move(path)};
}

/// Gets an entry, and counts the hit or the miss. Errors: those of protocol::get.
Result<protocol::SlotLease> get_counted(const detail::CacheState& cache, const detail::Call& call,
                                        const protocol::RootRef& root,
                                        const protocol::KeyRef& place) {
    auto got = protocol::get(root, place, call.context());
    cache.count_get(got);
    return got;
}

/// Returns the stop of the options; one that is never requested if there are none.
std::stop_token stop_of(const CallOptions* options) {
    return options != nullptr ? options->stop : std::stop_token();
}

/// Refuses options that no publish takes. Errors: `invalid`.
Result<> check_options(const PublishOptions& options) {
    if (options.metadata.size() <= format::max_metadata) return {};
    return fail(Errc::invalid, "publish", {},
                "the metadata has " + std::to_string(options.metadata.size()) +
                    " bytes, and an entry can have " + std::to_string(format::max_metadata));
}

/// Tells the listeners of a publish, and starts a collection in the background if one is due.
/// Called when the entry is visible. Nothing here can fail, so the publish cannot fail any more.
void after_publish(const detail::CacheState& cache, detail::Call& call,
                   const protocol::RootRef& root, const protocol::KeyRef& place,
                   const format::Id& id) {
    call.tell({.kind = Event::Kind::published, .bucket = place.bucket, .key = place.key}, id);
    cache.published(root);
}

/// Returns the error for a stage whose cache is not at its path any more, or has lost what this
/// process has open in it.
tl::unexpected<Error> cache_is_lost(const cache::Root& root) {
    const bool is_moved = root.is_lost({});
    return fail(Errc::refused, "publish", root.dirs().root.path,
                is_moved ? "the cache was moved or deleted since this was staged; stage it again"
                         : "another program has deleted the lease table of this process, or a "
                           "directory of the cache, since this was staged, so no lease would hold; "
                           "nothing was published: stage it again");
}

/// Publishes a stage, and returns a lease on the new entry. If the key was claimed, waits for the
/// bucket as long as a build may last. After an error the caller still owns the stage. Errors:
/// `invalid` if the stage belongs to another cache; `refused` if the cache was moved or deleted
/// since it was staged, or the lease table; those of protocol::publish.
Result<protocol::SlotLease> publish_stage(const detail::CacheState& cache,
                                          const CallOptions* call_options,
                                          const std::string& bucket,
                                          const std::string& encoded_bucket, std::string_view key,
                                          protocol::Stage& stage, bool is_claimed,
                                          const PublishOptions& options) {
    if (stage.root()->dirs().root.path != cache.path()) {
        return fail(Errc::invalid, "publish", cache.path(),
                    "staged in another cache, " + stage.root()->dirs().root.path.string());
    }
    const protocol::RootRef root = stage.root();
    TRY_ASSIGN(const auto place, place_of(*root, bucket, encoded_bucket, key));
    // If the directory of the lease tables was deleted, no collector would see the lease. All other
    // directories need no check: nothing can be made in one that was deleted, so the publish fails.
    if (root->is_lost({&cache::Handles::participants})) return cache_is_lost(*root);
    detail::Call call(cache, call_options);
    auto published = protocol::publish(
        stage, place, options,
        is_claimed ? protocol::patient_as_a_build(call.context()) : call.context());
    // If the cache was deleted meanwhile, that explains the failure better than its own error does.
    if (!published && root->is_lost()) return cache_is_lost(*root);
    TRY(published);
    after_publish(cache, call, root, place, published->id());
    return published;
}

}  // namespace

Bucket::Bucket(std::shared_ptr<detail::CacheState> cache,
               std::shared_ptr<const CallOptions> options, std::string name,
               std::string encoded) noexcept
    : cache_(std::move(cache)),
      options_(std::move(options)),
      name_(std::move(name)),
      encoded_(std::move(encoded)) {}
Bucket::Bucket(Bucket&&) noexcept = default;
Bucket& Bucket::operator=(Bucket&&) noexcept = default;
Bucket::~Bucket() = default;

const std::string& Bucket::name() const noexcept { return name_; }

Bucket Bucket::with(const CallOptions& options) const {
    return {cache_, std::make_shared<const CallOptions>(options), name_, encoded_};
}

Result<Lease> Bucket::get(std::string_view key) const {
    // root() asks the system nothing. To look whether the cache still stands at its path would cost
    // more than the get does.
    TRY_ASSIGN(const auto root, cache_->root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    detail::Call call(*cache_, options_.get());
    TRY_ASSIGN(auto lease, get_counted(*cache_, call, root, place));
    return Lease(std::move(lease));
}

Result<Lease> Bucket::get_or_build(std::string_view key, const Build& build,
                                   const PublishOptions& options) const {
    TRY(check_options(options));
    // A hit is by far the most frequent case. So first get as Bucket::get does, which does not ask
    // whether the cache still stands at its path.
    TRY_ASSIGN(const auto known_root, cache_->root());
    TRY_ASSIGN(const auto known_place, place_of(*known_root, name_, encoded_, key));
    detail::Call call(*cache_, options_.get());
    auto found = get_counted(*cache_, call, known_root, known_place);
    if (found) return Lease(std::move(*found));
    if (found.error().code != Errc::miss) return tl::make_unexpected(std::move(found).error());

    // A build takes long, and must not publish into a cache that was deleted or replaced. In
    // another cache the key may have another file name.
    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    bool is_built_here = false;  // false if another thread or process has built the entry
    const auto fill = [&](protocol::Stage& stage) -> Result<> {
        // The listeners learn of the wait now, because the build may take minutes.
        call.tell_notes();
        // The build gets the stage as a Staging. It is lent, and taken back afterwards. If the
        // build throws, `lent` deletes what was staged.
        Staging lent(std::move(stage), stop_of(options_.get()));
        auto filled = build(lent);
        if (!lent.stage_)
            return fail(Errc::invalid, "build", {}, "the build has moved its Staging away");
        stage = std::move(*lent.stage_);
        is_built_here = filled.has_value();
        return filled;
    };
    TRY_ASSIGN(auto lease, protocol::get_or_build(root, place, fill, options, call.context()));
    if (is_built_here) after_publish(*cache_, call, root, place, lease.id());
    return Lease(std::move(lease));
}

Result<Bucket::Claim> Bucket::claim(std::string_view key) const {
    // As in get_or_build.
    TRY_ASSIGN(const auto known_root, cache_->root());
    TRY_ASSIGN(const auto known_place, place_of(*known_root, name_, encoded_, key));
    detail::Call call(*cache_, options_.get());
    auto found = get_counted(*cache_, call, known_root, known_place);
    if (found) return Claim(Lease(std::move(*found)));
    if (found.error().code != Errc::miss) return tl::make_unexpected(std::move(found).error());

    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY_ASSIGN(auto claim, protocol::claim(root, place, call.context()));
    if (auto* const lease = std::get_if<protocol::SlotLease>(&claim))
        return Claim(Lease(std::move(*lease)));
    auto& claimed = std::get<protocol::ClaimedStage>(claim);
    return Claim(
        Staging(std::move(claimed.lock), std::move(claimed.stage), stop_of(options_.get())));
}

Result<Staging> Bucket::stage() const {
    // A link is made in the staging area, and directories are in the archive. If those two were
    // deleted, that fails, and only then is a look at them needed.
    TRY_ASSIGN(auto root,
               cache_->current_root({&cache::Handles::participants, &cache::Handles::buckets}));
    detail::Call call(*cache_, options_.get());
    auto stage = protocol::Stage::make(root, call.context());
    if (!stage && root->is_lost()) {
        TRY_ASSIGN(root, cache_->current_root());
        stage = protocol::Stage::make(root, call.context());
    }
    TRY(stage);
    return Staging(std::move(*stage), stop_of(options_.get()));
}

Result<Lease> Bucket::publish(std::string_view key, Staging&& staging,
                              const PublishOptions& options) const {
    // Check the arguments before the Staging is taken, so that a mistyped key does not cost what
    // was staged.
    TRY(format::encode_key(key));
    TRY(check_options(options));
    // From here on the Staging is gone, however this call ends. A claim ends last.
    const auto build = std::move(staging.build_);
    const auto stage = std::move(staging.stage_);
    if (!stage)
        return fail(Errc::invalid, "publish", cache_->path(),
                    "this Staging was published or moved away before");
    if (!stage->root()->is_ours()) {
        return fail(Errc::invalid, "publish", cache_->path(),
                    "a forked child can't publish what its parent staged");
    }
    auto published = publish_stage(*cache_, options_.get(), name_, encoded_, key, *stage,
                                   build != nullptr, options);
    // A tree that move_from took goes back to its owner. The error says where it is now.
    if (!published) return tl::make_unexpected(stage->give_back(std::move(published).error()));
    return Lease(std::move(*published));
}

Result<> Bucket::remove(std::string_view key, Durability durability) const {
    TRY_ASSIGN(const auto root, cache_->current_root());
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("remove"));
    detail::Call call(*cache_, options_.get());
    TRY(detail::retry_after_collect(
        root, call, [&] { return protocol::remove(root, place, durability, call.context()); }));
    call.tell({.kind = Event::Kind::removed, .bucket = name_, .key = key});
    return {};
}

Result<> Bucket::refresh(Durability durability) const {
    detail::Call call(*cache_, options_.get());
    const auto refresh_in = [&](const protocol::RootRef& root) -> Result<protocol::Refreshed> {
        TRY(root->must_be_writable("refresh"));
        auto refreshed = protocol::Refreshed::done;
        TRY(detail::retry_after_collect(root, call, [&]() -> Result<> {
            TRY_ASSIGN(refreshed, protocol::refresh(root, encoded_, durability, call.context()));
            return {};
        }));
        return refreshed;
    };
    // It renames the bucket from one of two directories to the other, and touches no others. If the
    // rename works, both of them are there. So look at them only if it does not.
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto refreshed, refresh_in(root));
    if (refreshed != protocol::Refreshed::done) {
        TRY_ASSIGN(const auto again,
                   cache_->current_root(
                       {&cache::Handles::buckets, &cache::GarbageHandles::retired_buckets}));
        if (again != root) TRY(refresh_in(again));
    }
    call.tell({.kind = Event::Kind::refreshed, .bucket = name_});
    return {};
}

Result<std::uint64_t> Bucket::refresh(const RefreshOptions& options) const {
    // It renames links from one of these two directories to the other, and touches no others.
    TRY_ASSIGN(const auto root, cache_->current_root({&cache::Handles::buckets,
                                                      &cache::GarbageHandles::retired_links}));
    TRY(root->must_be_writable("refresh"));
    detail::Call call(*cache_, options_.get());
    std::uint64_t taken = 0;  // by both tries, if the disk was full at the first one
    const auto done = detail::retry_after_collect(root, call, [&] {
        auto refreshed = protocol::refresh_some(root, name_, encoded_, options, call.context());
        taken += refreshed.taken;
        return std::move(refreshed.done);
    });
    // After an error some keys may be gone all the same, and the listeners learn of them.
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

Result<> Bucket::pin(std::string_view key, Durability durability) const {
    // `pins/` is opened anew by each call, so the root is the only open directory to check.
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("pin"));
    detail::Call call(*cache_, options_.get());
    return policy::pin(*root, place, durability, call.context());
}

Result<> Bucket::unpin(std::string_view key, Durability durability) const {
    TRY_ASSIGN(const auto root, cache_->current_root({}));
    TRY_ASSIGN(const auto place, place_of(*root, name_, encoded_, key));
    TRY(root->must_be_writable("unpin"));
    return policy::unpin(*root, place, durability);
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
