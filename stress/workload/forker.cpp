// SPDX-License-Identifier: MIT
// Forks while the process has leases and a stage. The child must not harm anything of its parent,
// and must be able to work by itself.
#include <larder/try.hpp>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/fault/calls.hpp"
#include "stress/system/forking.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

class ForkWork : public Workload {
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        const Version version = actor.fresh_version();
        auto staging = [&] {
            const LibraryCall call;
            return std::optional(actor.bucket(bucket).stage());
        }();
        if (!*staging) return;
        const auto written =
            write_tree((*staging)->path(), {bucket, key, version, actor.scenario().tree});

        OnceSignal has_read;
        // The parent releases no lease before the child has read what it inherited: a child may
        // rely on its parent's leases only as long as the parent has them. If the parent is killed
        // meanwhile, the child's copy of the participant's lock keeps the leases.
        const bool forked = fork_away([&] {
            staging.reset();  // a copy: destroying it must not harm the parent's stage
            actor.process.live_as_child(actor, [&] { has_read.give(); });
        });
        if (forked) has_read.await();

        RecordedOp operation(actor, EventKind::put, bucket, key, version);
        auto published = [&]() -> Result<Lease> {
            LARDER_TRY(written);
            const LibraryCall call;
            return actor.bucket(bucket).publish(key_name(key), std::move(**staging));
        }();
        published ? operation.end(OpOutcome::ok, version) : operation.end(published.error());
    }
};

}  // namespace

std::unique_ptr<Workload> make_forker(std::string_view name) {
    if (name == "fork") return std::make_unique<ForkWork>();
    return nullptr;
}

}  // namespace larder::stress
