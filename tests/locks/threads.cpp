// SPDX-License-Identifier: MIT
// Many threads, and several Cache objects, in one process.

#include <mutex>
#include <thread>
#include <utility>

#include "catch.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Returns what a collection in another process deletes, and how many leases it meets.
std::pair<std::uint64_t, std::uint64_t> collect_elsewhere(const fs::path& root) {
    Child collector([&](Child& self) {
        const auto report = value(open_cache(root).collect());
        self.say(std::to_string(report.entries));
        self.say(std::to_string(report.leased.size()));
    });
    const auto entries = std::stoull(collector.listen()), leased = std::stoull(collector.listen());
    REQUIRE(collector.join() == 0);
    return {entries, leased};
}

}  // namespace

TEST_CASE(
    "several Caches on one root are one participant, and closing one ends nothing of another") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const Lease lease = put(bucket, "k", "old");
    const Staging staging = value(bucket.stage());
    const auto before = snapshot(lease.path());
    {
        const Cache second = open_cache(root), third = open_cache(root / "." / ".." / "cache");
        const Lease gone = put(value(second.bucket("b")), "gone", "gone");
        (void)value(value(third.bucket("b")).get("k"));
        CHECK(count_entries(root / "participants") == 1);
        CHECK(value(third.status()).processes.size() == 1);
    }
    CHECK(value(cache.status()).processes.size() == 1);
    value(bucket.refresh());
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(1, 1));
    CHECK(snapshot(lease.path()) == before);
    CHECK(fs::exists(staging.path()));
}

TEST_CASE("a lease outlives its Cache") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Lease lease = put(value(open_cache(root).bucket("b")), "k", "old");
    value(value(open_cache(root).bucket("b")).refresh());
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(0, 1));
    CHECK(content_of(lease) == "old");
    lease.release();
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(1, 0));
}

TEST_CASE("closing a Cache does not end the locks that another holds in the middle of a publish") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    put(value(cache.bucket("b")), "doomed", "old");
    HeldThread holder("publish.locked", [&] { put(value(cache.bucket("b")), "k", "new"); });
    const auto remove_waits = [&] {
        Child other([&](Child& self) {
            const auto removed = value(open_cache(root, impatient()).bucket("b")).remove("doomed");
            self.say(!removed && removed.error().code == Errc::interrupted ? "waits" : "does not");
        });
        return other.listen() == "waits";
    };
    CHECK(remove_waits());
    {
        const Cache second = open_cache(root);
        put(value(second.bucket("b")), "k",
            "second");  // takes the same lock, shared, and releases it
        const Cache third = open_cache(root, impatient());
        CHECK_FALSE(value(third.bucket("b"))
                        .remove("doomed"));  // tries in vain, and closes the lock's file
    }
    CHECK(remove_waits());
    holder.finish();
    CHECK_FALSE(remove_waits());
}

TEST_CASE("two threads that publish hold the lock until both are done") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root, impatient());
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "doomed", "old");
    HeldThread holder("publish.locked", [&] { put(bucket, "k", "new"); });
    put(bucket, "other", "new");  // the first of the two to unlock
    const auto removed = bucket.remove("doomed");
    REQUIRE_FALSE(removed);
    CHECK(removed.error().code == Errc::interrupted);
}

TEST_CASE("many threads do everything at once, and no entry is torn, lost or leaked") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    constexpr int threads = 8, turns = 60;
    std::mutex mutex;
    std::vector<std::string> troubles;
    {
        const Cache shared = open_cache(root);
        std::vector<std::thread> workers;
        for (int me = 0; me < threads; ++me) {
            workers.emplace_back([&, me] {
                const auto work = [&] {
                    const Cache own = open_cache(root);
                    const Cache& cache = me % 2 == 0 ? shared : own;
                    for (int turn = 0; turn < turns; ++turn) {
                        const Bucket bucket = value(cache.bucket(turn % 3 == 0 ? "a" : "b"));
                        const std::string key = "k" + std::to_string((turn / 2 + me) % 3);
                        const auto allow = [](const auto& result, Errc allowed) {
                            if (!result && result.error().code != allowed)
                                throw std::runtime_error(result.error().message());
                        };
                        switch ((turn + me) % 8) {
                            case 0:
                            case 1: {
                                const std::string content =
                                    std::to_string(me) + "/" + std::to_string(turn);
                                const Lease lease = put(bucket, key, content);
                                if (content_of(lease) != content)
                                    throw std::runtime_error("not what was published");
                                break;
                            }
                            case 2:
                            case 3:
                                (void)content_of(bucket,
                                                 key);  // throws if the files do not agree
                                break;
                            case 4: {
                                const Lease lease = value(
                                    bucket.get_or_build(key, [](Staging& staging) -> Result<> {
                                        fill(staging.path(), "built");
                                        return {};
                                    }));
                                (void)content_of(lease);
                                break;
                            }
                            case 5:
                                allow(bucket.remove(key), Errc::miss);
                                break;
                            case 6:
                                allow(bucket.refresh(), Errc::miss);
                                break;
                            default:
                                allow(cache.collect(), Errc::busy);
                                break;
                        }
                    }
                };
                try {
                    work();
                } catch (const std::exception& exception) {
                    const std::lock_guard guard(mutex);
                    troubles.emplace_back(exception.what());
                }
            });
        }
        for (auto& worker : workers) worker.join();
        CHECK(value(shared.status()).locks.empty());
        CHECK(value(shared.status()).leases.empty());
        CHECK(count_entries(root / "participants") == 1);
    }
    for (const auto& trouble : troubles) FAIL_CHECK(trouble);
    std::size_t live = 0;
    {
        const Cache cache = open_cache(root);
        for (const auto& name : value(cache.buckets()))
            live += value(value(cache.bucket(name)).keys()).size();
    }
    REQUIRE_NOTHROW(require_no_leak(root, live));
}

TEST_CASE("ten thousand leases in one process") {
    constexpr std::size_t entries = 100, each = 100;
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    std::vector<std::vector<Lease>> leases(entries);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::string key = std::to_string(i);
        leases[i].push_back(value(bucket.publish(key, value(bucket.stage()))));
        while (leases[i].size() < each) leases[i].push_back(value(bucket.get(key)));
    }
    CHECK(count_entries(root / "participants") == 40);  // 256 each
    value(bucket.refresh());
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(0, entries * each));
    CHECK(count_entries(root / "archive") == entries);

    // One lease of a hundred is enough, wherever its slot is.
    for (std::size_t i = 0; i < entries; ++i) {
        Lease last = std::move(leases[i][i % each]);
        leases[i].clear();
        leases[i].push_back(std::move(last));
    }
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(0, entries));
    for (const auto& left : leases) CHECK(fs::is_directory(left[0].path()));

    for (std::size_t i = 1; i < entries; ++i) leases[i].clear();
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(entries - 1, 1));
    CHECK(fs::is_directory(leases[0][0].path()));
    leases.clear();
    CHECK(collect_elsewhere(root) == std::pair<std::uint64_t, std::uint64_t>(1, 0));

    // The released slots are used again.
    const std::size_t tables = count_entries(root / "participants");
    for (int i = 0; i < 300; ++i) (void)value(bucket.publish("again", value(bucket.stage())));
    CHECK(count_entries(root / "participants") == tables);
    REQUIRE_NOTHROW(require_no_leak(root, 1));
}
