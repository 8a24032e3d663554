// SPDX-License-Identifier: MIT
// Forking with things in hand: a child must hurt nothing of its parent's, and work by itself.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/fault/calls.hpp"
#include "stress/fault/forking.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

/// From child to parent: the child says that it has done with what it inherited, or ends.
class OnceSignal {
public:
    OnceSignal() { open_ = ::pipe2(ends_, O_CLOEXEC) == 0; }
    ~OnceSignal() {
        close(0);
        close(1);
    }
    OnceSignal(const OnceSignal&) = delete;
    OnceSignal& operator=(const OnceSignal&) = delete;

    void say() {
        (void)!::write(ends_[1], "!", 1);
        close(1);
    }
    /// Returns as well when whoever could say it has ended, however that was.
    void hear() {
        close(1);
        char c = 0;
        while (open_ && ::read(ends_[0], &c, 1) < 0 && errno == EINTR) {
        }
    }

private:
    void close(int end) {
        if (ends_[end] >= 0) ::close(ends_[end]);
        ends_[end] = -1;
    }
    bool open_ = false;
    int ends_[2] = {-1, -1};
};

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

        OnceSignal word;
        // The parent lets go of no lease before the child has read what it inherited: that is all that is promised to it.
        // Should the parent be killed meanwhile, the child's copy of the participant's lock keeps the leases.
        const bool forked = fork_away([&] {
            staging.reset();  // a copy: nothing of the parent's goes with it
            actor.process.live_as_child(actor, [&] { word.say(); });
        });
        if (forked) word.hear();

        PossibleRemove removal(actor, bucket, key, !actor.setting().can_exchange);
        RecordedOp operation(actor, EventKind::put, bucket, key, version);
        auto published = [&]() -> Result<Lease> {
            if (!written) return tl::make_unexpected(written.error());
            const LibraryCall call;
            return actor.bucket(bucket).publish(key_name(key), std::move(**staging));
        }();
        published ? operation.end(OpOutcome::ok, version) : operation.end(published.error());
        removal.end(published.has_value());
    }
};

}  // namespace

std::unique_ptr<Workload> make_forker(std::string_view name) {
    if (name == "fork") return std::make_unique<ForkWork>();
    return nullptr;
}

}  // namespace larder::stress
