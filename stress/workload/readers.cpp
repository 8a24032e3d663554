// SPDX-License-Identifier: MIT
// Those that lease entries and read them: get, use, hoard, materialize.
#include <fmt/format.h>

#include "stress/fault/calls.hpp"
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

    /// Every live entry proves itself; whether it may be the one that is there is for the judge.
    void check(Actor& actor) override {
        for (std::uint32_t bucket = 0; bucket < actor.scenario().buckets; ++bucket) {
            for (std::uint32_t key = 0; key < actor.scenario().keys; ++key) {
                if (const auto held = lease(actor, bucket, key)) use(actor, *held);
            }
        }
    }
};

/// Others have replaced, refreshed and collected since it was leased.
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
        } else if (carried.error().sys_errno == EMLINK) {
            operation.end(OpOutcome::failed, held->version, EMLINK);  // the file system's own limit
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
