// SPDX-License-Identifier: MIT
// Uses larder where the other probes were made: open, publish, replace, lease, refresh and collect,
// with a second process that is killed.
#include <chrono>
#include <thread>

#include <larder/larder.hpp>

#include "cachetool/doctor/parts.hpp"
#include "cachetool/doctor/probes.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/other_process.hpp"
#include "cachetool/system/path_text.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

constexpr const char* elsewhere =
    "a cache can't live there: name a directory on another file system by --cache or "
    "LARDER_CACHE_DIR";

/// Returns `what` as the result of a trial that went wrong.
tl::unexpected<larder::Error> wrong(std::string what) {
    larder::Error error;
    error.detail = std::move(what);
    return tl::unexpected(std::move(error));
}

/// Leases the entry for as long as this process lives.
larder::Result<> lease_forever(const fs::path& root, const larder::OpenOptions& options) {
    static std::optional<larder::Lease> held;
    LARDER_TRY_ASSIGN(const auto cache, larder::Cache::open(root, options));
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket("doctor"));
    LARDER_TRY_ASSIGN(held, bucket.get("key"));
    return {};
}

bool act_lease_entry(const std::vector<std::string>& words) {
    larder::OpenOptions options;
    options.allow_network = words.size() > 1;
    return lease_forever(system::path_of(words.at(0)), options).has_value();
}

/// Uses one bucket of a cache, step by step. Each step fails if the cache does not do what it
/// promises.
class LarderTrial {
public:
    LarderTrial(fs::path root, larder::OpenOptions options, const larder::Cache& cache)
        : root_(std::move(root)), options_(std::move(options)), cache_(cache) {}

    [[nodiscard]] larder::Result<> run() const {
        LARDER_TRY_ASSIGN(const auto bucket, cache_.bucket("doctor"));
        LARDER_TRY(put_and_replace(bucket));
        LARDER_TRY(refresh_while_used(bucket));
        LARDER_TRY_ASSIGN(const auto verified, cache_.verify());
        if (verified.sound()) return {};
        return wrong("verify finds damage: " + verified.findings.front().what);
    }

private:
    static larder::Result<larder::Lease> put(const larder::Bucket& bucket, const char* text) {
        LARDER_TRY_ASSIGN(auto staging, bucket.stage());
        if (const auto error = system::write_text(staging.path() / "file", text))
            return wrong("a file can't be written into a stage: " + error.message());
        return bucket.publish("key", std::move(staging), {.producer = "cachetool doctor"});
    }

    static larder::Result<> put_and_replace(const larder::Bucket& bucket) {
        LARDER_TRY(put(bucket, "old"));
        LARDER_TRY(put(bucket, "new"));
        LARDER_TRY_ASSIGN(const auto lease, bucket.get("key"));
        std::string text;
        if (const auto error = system::read_text(lease.path() / "file", text))
            return wrong("a file of an entry can't be read: " + error.message());
        if (text != "new") return wrong("a get returns an entry that was replaced");
        return use_long_key(bucket);
    }

    /// Uses a key whose name is as long as the cache's names can be.
    static larder::Result<> use_long_key(const larder::Bucket& bucket) {
        const std::string key(1000, 'k');  // arbitrary: longer than any name
        LARDER_TRY_ASSIGN(auto staging, bucket.stage());
        LARDER_TRY(bucket.publish(key, std::move(staging), {.producer = "cachetool doctor"}));
        LARDER_TRY(bucket.get(key));
        LARDER_TRY(bucket.remove(key));
        return {};
    }

    [[nodiscard]] larder::Result<> refresh_while_used(const larder::Bucket& bucket) const {
        std::vector<std::string> words{system::text_of(root_)};
        if (options_.allow_network) words.emplace_back("network");
        system::OtherProcess user(lease_entry, words);
        if (!user.succeeded()) return wrong("a second process can't use the cache");
        LARDER_TRY(bucket.refresh());
        LARDER_TRY_ASSIGN(const auto first, cache_.collect());
        if (first.leased.size() != 1 || first.leased[0].process.pid != user.pid())
            return wrong("a collection does not see the lease of another process");
        user.crash();
        // Windows frees the locks of a process that was ended a moment later.
        for (int tries = 0; tries < 100; ++tries) {
            LARDER_TRY_ASSIGN(const auto second, cache_.collect());
            if (second.entries == 1 && second.leased.empty()) return {};
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return wrong("a collection takes a dead process for alive");
    }

    fs::path root_;
    larder::OpenOptions options_;
    const larder::Cache& cache_;
};

}  // namespace

const system::ProcessPart lease_entry{"lease-entry", act_lease_entry};

std::string kinds_of(const larder::Cache& cache) {
    const std::string links = cache.link_kind() == larder::LinkKind::symlink    ? "symlinks"
                              : cache.link_kind() == larder::LinkKind::junction ? "junctions"
                                                                                : "small files";
    return links + " for links, and " +
           (cache.bucket_kind() == larder::BucketKind::directory ? "directories for buckets"
                                                                 : "pointers for buckets");
}

void probe_larder(const fs::path& scratch, ProbeResults& results) {
    const auto root = scratch / "cache";
    larder::OpenOptions options;
    auto cache = larder::Cache::open(root, options);
    // Only the library knows which file systems are on the network. A cache that is refused for
    // this reason alone can be opened with allow_network.
    std::string network;
    if (!cache && cache.error().code == larder::Errc::refused) {
        network = cache.error().message();
        options.allow_network = true;
        cache = larder::Cache::open(root, options);
    }
    if (!cache) {
        results.push_back({"larder", ProbeVerdict::broken, cache.error().message(), elsewhere});
        return;
    }
    results.push_back(network.empty()
                          ? ProbeResult{"network", ProbeVerdict::ok,
                                        "not of a type that is known to be on the network", ""}
                          : ProbeResult{"network", ProbeVerdict::broken, network, elsewhere});
    if (const auto tried = LarderTrial(root, options, *cache).run(); !tried) {
        results.push_back({"larder", ProbeVerdict::broken, tried.error().message(), elsewhere});
        return;
    }
    results.push_back({"larder", ProbeVerdict::ok, "puts, gets, leases, refreshes and collects",
                       "a new cache has " + kinds_of(*cache)});
}

}  // namespace cachetool::doctor
