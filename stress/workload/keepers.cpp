// SPDX-License-Identifier: MIT
// Work on the cache as a whole: collect, evict, list, verify, open.
#include <fmt/format.h>
#include <map>
#include <utility>

#include <larder/try.hpp>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/fault/calls.hpp"
#include "stress/workload/workload.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

class CollectWork : public Workload {
public:
    void start(Actor& actor) override {
        RecordedOp operation(actor, EventKind::collect, 0, 0);
        const auto collected = [&] {
            const LibraryCall call;
            CollectOptions options;
            options.dry_run = actor.random.chance(0.05);
            options.threads = static_cast<unsigned>(actor.random.below(3));
            return actor.cache->collect({}, options);
        }();
        // A collection changes no key, however it ends.
        collected ? operation.end(OpOutcome::ok) : operation.end(collected.error());
        if (collected) report_unknown_names(actor, *collected);
        // What is settled need not be compared with its manifests after a power cut. That this
        // takes long holds up no other operation, so it is no part of the collection here.
        if (actor.random.chance(0.3)) {
            const LibraryCall call;
            (void)actor.cache->settle();
        }
    }

    /// Checks invariant 6: after one collection nothing is left that is not live.
    void check(Actor& actor) override {
        RecordedOp operation(actor, EventKind::collect, 0, 0);
        const auto collected = actor.cache->collect();
        if (!collected) {
            actor.report_violation("the last collection failed: " + collected.error().message());
            return operation.end(collected.error());
        }
        operation.end(OpOutcome::ok);
        report_unknown_names(actor, *collected);
        for (const auto& leased : collected->leased) {
            actor.report_violation(
                fmt::format("a lease of pid {} on {}, although that process has ended",
                            leased.process.pid, leased.id));
        }
        const fs::path root = actor.cache->root();
        for (const char* empty : {"retired/links", "retired/buckets", "deleting"})
            must_be_empty(actor, root / empty);
        for (const auto& area : fs::directory_iterator(root / "staging"))
            must_be_empty(actor, area.path());
    }

private:
    static void report_unknown_names(Actor& actor, const CollectReport& report) {
        for (const auto& path : report.unknown)
            actor.report_violation("collect found an unknown name: " + path.string());
    }

    static void must_be_empty(Actor& actor, const fs::path& directory) {
        for (const auto& left : fs::directory_iterator(directory))
            actor.report_violation("leaked: " + left.path().string());
    }
};

/// Collects with limits. One key of each bucket is pinned from the beginning.
class EvictWork : public Workload {
public:
    void setup(Actor& actor) override {
        for (std::uint32_t bucket = 0; bucket < actor.scenario().buckets; ++bucket) {
            if (const auto pinned = actor.bucket(bucket).pin(key_name(pinned_key)); !pinned)
                actor.report_violation("a pin failed: " + pinned.error().message());
        }
    }

    void start(Actor& actor) override {
        Limits limits;
        CollectOptions options;
        const auto all = std::uint64_t{actor.scenario().buckets} * actor.scenario().keys;
        if (actor.random.chance(0.7)) {
            limits.max_entries = actor.random.below(all + 1);
        } else {
            limits.max_size = actor.random.below(100'000);
        }
        limits.low_water = 50 + static_cast<unsigned>(actor.random.below(51));
        limits.keep = {bucket_name(0) + "/" + key_name(kept_key)};
        options.threads = static_cast<unsigned>(actor.random.below(3));

        // Each key is recorded, since a process that is killed in the middle may have evicted any
        // of them.
        RecordedOp whole(actor, EventKind::collect, 0, 0);
        CandidateKeys candidates;
        for (std::uint32_t bucket = 0; bucket < actor.scenario().buckets; ++bucket) {
            for (std::uint32_t key = 0; key < actor.scenario().keys; ++key) {
                candidates.try_emplace({bucket_name(bucket), key_name(key)},
                                       CandidateKey{bucket, key,
                                                    std::make_unique<RecordedOp>(
                                                        actor, EventKind::evict, bucket, key)});
            }
        }
        bool has_planned = false;
        options.on_progress = [&](const CollectProgress& progress) {
            if (progress.phase != CollectProgress::Phase::evicting || progress.done != 0) return;
            const OutsideLibrary outside;
            // On a full disk a collection collects what it has evicted, and plans the rest anew.
            if (std::exchange(has_planned, true)) record_anew(actor, candidates);
            for (auto& [name, candidate] : candidates) candidate.recorded->middle();
        };
        options.on_evict = [&](const Eviction& eviction) {
            const OutsideLibrary outside;
            record_eviction(actor, candidates, eviction);
        };
        const auto collected = [&] {
            const LibraryCall call;
            return actor.cache->collect(limits, options);
        }();
        for (auto& [name, candidate] : candidates) {
            if (candidate.recorded) candidate.recorded->end(OpOutcome::failed);
        }
        collected ? whole.end(OpOutcome::ok) : whole.end(collected.error());
    }

private:
    static constexpr std::uint32_t pinned_key = 0, kept_key = 1;

    struct CandidateKey {
        std::uint32_t bucket, key;
        std::unique_ptr<RecordedOp> recorded;  ///< null once it has ended
    };
    using CandidateKeys = std::map<std::pair<std::string, std::string>, CandidateKey>;

    /// Ends the operations of a plan, and begins those of the next one, which may choose what was
    /// put since the one before.
    static void record_anew(Actor& actor, CandidateKeys& candidates) {
        for (auto& [name, candidate] : candidates) {
            auto& [bucket, key, recorded] = candidate;
            if (recorded) recorded->end(OpOutcome::failed);
            recorded = std::make_unique<RecordedOp>(actor, EventKind::evict, bucket, key);
        }
    }

    /// Records an eviction with the version of the entry. The entry is retired, and no process
    /// collects before this returns, so its tree can still be read.
    static void record_eviction(Actor& actor, CandidateKeys& candidates, const Eviction& eviction) {
        const auto found = candidates.find({eviction.bucket, eviction.key});
        if (found == candidates.end())
            return actor.report_violation(fmt::format("{} {} was evicted, but no process put it",
                                                      eviction.bucket, eviction.key));
        auto& [bucket, key, recorded] = found->second;
        if (key == pinned_key)
            actor.report_violation(
                fmt::format("{}/{} was evicted although it is pinned", bucket, key));
        if (bucket == 0 && key == kept_key)
            actor.report_violation(
                fmt::format("{}/{} was evicted although it was to be kept", bucket, key));
        if (!recorded)
            return actor.report_violation(
                fmt::format("{}/{} was evicted twice by one plan", bucket, key));
        const auto reading =
            read_tree(actor.cache->root() / "archive" / eviction.id / "tree", {bucket, key, {}});
        // If this process can't read without descriptors or memory, the version is not known.
        recorded->end(reading && !reading->sound() ? OpOutcome::broken : OpOutcome::ok,
                      reading && reading->sound() ? reading->version : 0);
        recorded.reset();
    }
};

class ListWork : public Workload {
public:
    void start(Actor& actor) override {
        const auto bucket = actor.draw_bucket(), key = actor.draw_key();
        RecordedOp operation(actor, EventKind::list, bucket, 0);
        const auto listed = [&]() -> Result<> {
            const LibraryCall call;
            LARDER_TRY(actor.cache->buckets());
            LARDER_TRY(actor.bucket(bucket).keys());
            const auto info = actor.bucket(bucket).info(key_name(key));
            if (!info && info.error().code != Errc::miss) LARDER_TRY(info);
            LARDER_TRY(actor.cache->status());
            return {};
        }();
        listed ? operation.end(OpOutcome::ok) : operation.end(listed.error());
    }

    /// Checks invariant 2 from outside: the archive has as many entries as there are keys.
    void check(Actor& actor) override {
        std::uint64_t live = 0, archived = 0;
        const auto buckets = actor.cache->buckets();
        if (!buckets)
            return actor.report_violation("the last listing failed: " + buckets.error().message());
        for (const auto& name : *buckets) {
            const auto bucket = actor.cache->bucket(name);
            const auto keys = bucket ? bucket->keys() : tl::make_unexpected(bucket.error());
            if (!keys)
                return actor.report_violation("the last listing failed: " + keys.error().message());
            live += keys->size();
        }
        for ([[maybe_unused]] const auto& entry :
             fs::directory_iterator(actor.cache->root() / "archive"))
            ++archived;
        if (live != archived)
            actor.report_violation(
                fmt::format("the archive has {} entries, but there are {} keys", archived, live));
    }
};

class VerifyWork : public Workload {
public:
    void start(Actor& actor) override { verify(actor); }
    void check(Actor& actor) override {
        const auto report = verify(actor);
        if (!report) return actor.report_violation("the last verify failed");
        if (report->garbage != 0)
            actor.report_violation(fmt::format(
                "{} retired entries are left after the last collection", report->garbage));
        if (report->entries != report->live)
            actor.report_violation(fmt::format("there are {} entries, of which only {} are live",
                                               report->entries, report->live));
    }

private:
    /// Returns whether the finding is no violation: a process that is killed while it writes a link
    /// of kind file or junction leaves a part of it, which waits for its deletion.
    static bool is_half_a_link(const Actor& actor, const Finding& finding) {
        const auto retired = actor.cache->root() / "retired" / "links";
        return finding.kind == Finding::Kind::foreign &&
               actor.cache->link_kind() != LinkKind::symlink &&
               finding.path.parent_path() == retired;
    }

    /// Verifies. Its calls never fail on purpose, since a table that can't be read would be a
    /// finding.
    static std::optional<VerifyReport> verify(Actor& actor) {
        RecordedOp operation(actor, EventKind::verify, 0, 0);
        auto report = actor.cache->verify();
        if (!report) {
            operation.end(report.error());
            return std::nullopt;
        }
        for (const auto& finding : report->findings) {
            if (is_half_a_link(actor, finding)) continue;
            actor.report_violation(fmt::format("verify: {} {}: {}", name_of(finding.kind),
                                               finding.path.string(), finding.what));
        }
        operation.end(report->sound() ? OpOutcome::ok : OpOutcome::broken);
        return std::move(*report);
    }
};

class OpenWork : public Workload {
    void start(Actor& actor) override {
        RecordedOp operation(actor, EventKind::open, 0, 0);
        auto opened = [&] {
            const LibraryCall call;
            return Cache::open(actor.setting().cache, open_options(actor.setting()));
        }();
        if (!opened) return operation.end(opened.error());
        operation.end(OpOutcome::ok);
        // Leases that were taken through the cache before stay valid, and keep that cache open.
        actor.cache = std::make_shared<Cache>(std::move(*opened));
    }
};

}  // namespace

std::unique_ptr<Workload> make_keeper(std::string_view name) {
    if (name == "collect") return std::make_unique<CollectWork>();
    if (name == "evict") return std::make_unique<EvictWork>();
    if (name == "list") return std::make_unique<ListWork>();
    if (name == "verify") return std::make_unique<VerifyWork>();
    if (name == "open") return std::make_unique<OpenWork>();
    return nullptr;
}

}  // namespace larder::stress
