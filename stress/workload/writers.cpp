// SPDX-License-Identifier: MIT
// Work that changes what a key names: put, replace, build, claim, remove, refresh.
#include <fmt/format.h>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/fault/calls.hpp"
#include "stress/workload/reading.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

/// Returns whether an operation has failed because it has waited too long for a lock, before its
/// effect.
bool is_from_lock(const Error& error) {
    return error.code == Errc::busy && error.why != Why::sharing;
}

/// Publishes a new tree under the key, and keeps the lease.
void put(Actor& actor, std::uint32_t bucket, std::uint32_t key) {
    const Version version = actor.fresh_version();
    PublishOptions options;
    options.producer = "stress";
    options.durability = actor.draw_durability();
    PossibleRemove removal(actor, bucket, key, options.durability);
    RecordedOp operation(actor, EventKind::put, bucket, key, version, options.durability);
    const auto end = [&](auto how) {
        operation.end(how);
        removal.end(false);
    };
    auto staging = [&] {
        const LibraryCall call;
        return actor.bucket(bucket).stage();
    }();
    if (!staging) return end(staging.error());
    if (const auto written =
            write_tree(staging->path(), {bucket, key, version, actor.scenario().tree});
        !written)
        return end(written.error());
    auto lease = [&] {
        const LibraryCall call;
        return actor.bucket(bucket).publish(key_name(key), std::move(*staging), options);
    }();
    // An error before the link has reached its key means that nothing is published. Only an error
    // in the sync comes after that.
    if (!lease && options.durability == Durability::power && !is_from_lock(lease.error()))
        return end(OpOutcome::unclear);
    if (!lease) return end(lease.error());
    operation.end(OpOutcome::ok, version);
    removal.end(true);
    actor.hold({std::move(*lease), bucket, key, version});
}

class PutWork : public Workload {
public:
    void setup(Actor& actor) override {
        for (std::uint32_t bucket = 0; bucket < actor.scenario().buckets; ++bucket) {
            for (std::uint32_t key = actor.thread; key < actor.scenario().fill;
                 key += actor.scenario().threads)
                put(actor, bucket, key);
        }
    }
    void start(Actor& actor) override { put(actor, actor.draw_bucket(), actor.draw_key()); }
};

class ReplaceWork : public Workload {
    void start(Actor& actor) override {
        if (const auto held = lease(actor, actor.draw_bucket(), actor.draw_key()))
            put(actor, held->bucket, held->key);
    }
};

class BuildWork : public Workload {
    void start(Actor& actor) override { build(actor, actor.draw_bucket(), actor.draw_key()); }

    void build(Actor& actor, std::uint32_t bucket, std::uint32_t key) {
        const Version version = actor.fresh_version();
        RecordedOp operation(actor, EventKind::build, bucket, key, version);
        const auto fill = [&](Staging& staging) -> Result<> {
            const OutsideLibrary outside;
            operation.middle();
            if (actor.random.chance(0.05))
                return tl::make_unexpected(
                    Error{Errc::build, 0, "build", {}, "it fails on purpose"});
            // Some builds need another build. It is always of a later key, so that builds never
            // wait in a circle.
            if (key + 1 < actor.scenario().keys && actor.random.chance(0.05))
                build(actor, bucket, key + 1);
            return write_tree(staging.path(), {bucket, key, version, actor.scenario().tree});
        };
        auto lease = [&] {
            const LibraryCall call;
            return actor.bucket(bucket).get_or_build(key_name(key), fill);
        }();
        if (!lease) {
            return operation.end(lease.error());
        }
        auto held = end_with_lease(actor, operation, std::move(*lease), bucket, key);
        if (!held) return;
        use(actor, *held);
        actor.hold(std::move(*held));
    }
};

class ClaimWork : public Workload {
    void start(Actor& actor) override { claim(actor, actor.draw_bucket(), actor.draw_key()); }

    void claim(Actor& actor, std::uint32_t bucket, std::uint32_t key) {
        const Version version = actor.fresh_version();
        RecordedOp build(actor, EventKind::build, bucket, key, version);
        RecordedOp call(actor, EventKind::claim, bucket, key);
        auto claimed = [&] {
            const LibraryCall library;
            return actor.bucket(bucket).claim(key_name(key));
        }();
        if (!claimed) {
            call.end(claimed.error());
            return build.end(OpOutcome::failed);
        }
        call.end(OpOutcome::ok);
        if (auto* const found = std::get_if<Lease>(&*claimed))
            return keep(actor, build, std::move(*found), bucket, key);
        build.middle();
        auto staging = std::get<Staging>(std::move(*claimed));
        // Other builders are refused until the staging has gone, so the build ends after that.
        const auto give_up = [&](auto outcome) {
            { const auto dropped = std::move(staging); }
            build.end(outcome);
        };
        if (actor.random.chance(0.05)) return give_up(OpOutcome::failed);
        // No claim waits, so they may be made in any order.
        if (actor.random.chance(0.1)) claim(actor, bucket, actor.draw_key());
        if (const auto written =
                write_tree(staging.path(), {bucket, key, version, actor.scenario().tree});
            !written)
            return give_up(written.error());
        auto published = [&] {
            const LibraryCall library;
            return actor.bucket(bucket).publish(key_name(key), std::move(staging));
        }();
        if (!published) return build.end(published.error());
        keep(actor, build, std::move(*published), bucket, key);
    }

    static void keep(Actor& actor, RecordedOp& build, Lease lease, std::uint32_t bucket,
                     std::uint32_t key) {
        auto held = end_with_lease(actor, build, std::move(lease), bucket, key);
        if (!held) return;
        use(actor, *held);
        actor.hold(std::move(*held));
    }
};

/// Ends a removal or a refresh that has failed. Its effect is one rename, and only the sync that
/// makes it hold over a power cut comes after that.
void end_with_error(RecordedOp& operation, const Error& error, Durability durability) {
    const bool before_effect =
        durability == Durability::process || is_from_lock(error) || error.code == Errc::miss;
    before_effect ? operation.end(error) : operation.end(OpOutcome::unclear);
}

class RemoveWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        const Durability durability = actor.draw_durability();
        RecordedOp operation(actor, EventKind::remove, bucket, key, 0, durability);
        const auto removed = [&] {
            const LibraryCall call;
            return actor.bucket(bucket).remove(key_name(key), durability);
        }();
        if (removed) return operation.end(OpOutcome::ok);
        end_with_error(operation, removed.error(), durability);
    }
};

class RefreshWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket();
        // If a call fails on purpose, the keys are retired one by one. Then an error comes after
        // some of them, and a key that is put meanwhile may be met a second time.
        const bool may_be_partial = errors_are_planned();
        const Durability durability = actor.draw_durability();
        RecordedOp operation(actor, EventKind::refresh, bucket, 0, 0, durability);
        std::optional<RecordedOp> again;
        if (may_be_partial) again.emplace(actor, EventKind::refresh, bucket, 0);
        const auto refreshed = [&] {
            const LibraryCall call;
            return actor.bucket(bucket).refresh(durability);
        }();
        if (again) again->end(OpOutcome::unclear);
        if (refreshed) return operation.end(OpOutcome::ok);
        if (may_be_partial) return operation.end(OpOutcome::unclear);
        end_with_error(operation, refreshed.error(), durability);
    }
};

}  // namespace

std::unique_ptr<Workload> make_writer(std::string_view name) {
    if (name == "put") return std::make_unique<PutWork>();
    if (name == "replace") return std::make_unique<ReplaceWork>();
    if (name == "build") return std::make_unique<BuildWork>();
    if (name == "claim") return std::make_unique<ClaimWork>();
    if (name == "remove") return std::make_unique<RemoveWork>();
    if (name == "refresh") return std::make_unique<RefreshWork>();
    return nullptr;
}

}  // namespace larder::stress
