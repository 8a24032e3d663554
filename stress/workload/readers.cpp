// SPDX-License-Identifier: MIT
// Work that leases entries and reads them: get, use, hoard, materialize.
#include <fmt/format.h>

#include "stress/fault/calls.hpp"
#include "stress/system/error.hpp"
#include "stress/workload/reading.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

class GetWork : public Workload {
public:
    void start(Actor& actor) override {
        auto held = lease(actor, actor.draw_bucket(), actor.draw_key());
        if (!held) return;
        use(actor, *held);
        actor.hold(std::move(*held));
    }

    /// Reads every live entry. The judge decides whether it may be the one that is there.
    void check(Actor& actor) override {
        for (std::uint32_t bucket = 0; bucket < actor.scenario().buckets; ++bucket) {
            for (std::uint32_t key = 0; key < actor.scenario().keys; ++key) {
                if (const auto held = lease(actor, bucket, key)) use(actor, *held);
            }
        }
    }
};

/// Reads an entry that was leased a while ago. Other processes have replaced, refreshed and
/// collected since.
class UseWork : public Workload {
    void start(Actor& actor) override {
        if (actor.held.empty()) return;
        const auto chosen =
            actor.held.begin() + static_cast<std::ptrdiff_t>(actor.random.below(actor.held.size()));
        use(actor, *chosen);
        if (actor.random.chance(0.3)) actor.held.erase(chosen);
    }
};

class HoardWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        for (int i = 0; i < 100; ++i) {
            auto held = lease(actor, bucket, key);
            if (!held) return;
            actor.hold(std::move(*held));
        }
    }
};

class MaterializeWork : public Workload {
    void start(Actor& actor) override {
        auto held = lease(actor, actor.draw_bucket(), actor.draw_key());
        if (!held) return;
        const auto destination = actor.fresh_scratch();
        RecordedOp operation(actor, EventKind::use, held->bucket, held->key, held->version);
        const auto carried = [&] {
            const LibraryCall call;
            MaterializeOptions options;
            options.threads = static_cast<unsigned>(actor.random.below(3));
            if (actor.random.chance(0.3)) options.mode = LinkMode::copy;
            return materialize(held->lease.path(), destination, options);
        }();
        if (carried) {
            end_with_reading(actor, operation, *held, destination);
        } else if (reason_of(carried.error()) == std::errc::too_many_links) {
            // The file system's own limit.
            operation.end(OpOutcome::failed, held->version,
                          static_cast<std::uint64_t>(carried.error().sys_errno));
        } else {
            operation.end(carried.error());
        }
        discard_tree(destination);
        actor.hold(std::move(*held));
    }
};

}  // namespace

std::unique_ptr<Workload> make_reader(std::string_view name) {
    if (name == "get") return std::make_unique<GetWork>();
    if (name == "use") return std::make_unique<UseWork>();
    if (name == "hoard") return std::make_unique<HoardWork>();
    if (name == "materialize") return std::make_unique<MaterializeWork>();
    return nullptr;
}

}  // namespace larder::stress
