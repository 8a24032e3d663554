// SPDX-License-Identifier: MIT
// Larder itself, where the other probes were made: open, publish, replace, lease, refresh and collect, with a second process
// that is killed.
#include <fstream>

#include <larder/larder.hpp>

#include "cachetool/doctor/doctor.hpp"
#include "cachetool/system/other_process.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

larder::Result<larder::Lease> put(const larder::Bucket& bucket, const char* text) {
    auto staging = bucket.stage();
    if (!staging) return tl::make_unexpected(staging.error());
    std::ofstream(staging->path() / "file") << text;
    return bucket.publish("key", std::move(*staging), {.producer = "cachetool doctor"});
}

/// Empty, or what went wrong.
std::string put_and_replace(const larder::Bucket& bucket) {
    for (const char* text : {"old", "new"}) {
        const auto lease = put(bucket, text);
        if (!lease) return lease.error().message();
    }
    const auto lease = bucket.get("key");
    if (!lease) return lease.error().message();
    std::string text;
    std::ifstream(lease->path() / "file") >> text;
    return text == "new" ? "" : "an entry that was replaced is still what a get yields";
}

std::string purge_while_used(const fs::path& root, const larder::OpenOptions& options,
                             const larder::Cache& cache, const larder::Bucket& bucket) {
    std::optional<larder::Lease> held;  // the child's
    OtherProcess user([&] {
        const auto its_cache = larder::Cache::open(root, options);
        if (!its_cache) return false;
        const auto its_bucket = its_cache->bucket("doctor");
        if (!its_bucket) return false;
        auto lease = its_bucket->get("key");
        if (lease) held = std::move(*lease);
        return held.has_value();
    });
    if (!user.succeeded()) return "a second process can't use the cache";
    if (const auto refreshed = bucket.refresh(); !refreshed) return refreshed.error().message();
    const auto first = cache.collect();
    if (!first) return first.error().message();
    if (first->leased.size() != 1 || first->leased[0].process.pid != user.pid())
        return "a collection does not see the lease of another process";
    user.kill();
    const auto second = cache.collect();
    if (!second) return second.error().message();
    return second->entries == 1 && second->leased.empty()
               ? ""
               : "a collection takes a dead process for alive";
}

}  // namespace

void probe_larder(const fs::path& scratch, Probes& probes) {
    const auto root = scratch / "cache";
    constexpr const char* elsewhere =
        "a cache can't live there: name a directory on another file system by --cache or "
        "LARDER_CACHE_DIR";
    larder::OpenOptions options;
    auto cache = larder::Cache::open(root, options);
    // What is refused for this reason alone can be opened by who asks for it. Which file systems are meant only the library
    // knows.
    std::string network;
    if (!cache && cache.error().code == larder::Errc::refused) {
        network = cache.error().message();
        options.allow_network = true;
        cache = larder::Cache::open(root, options);
    }
    if (cache) {
        probes.push_back(network.empty()
                             ? Probe{"network", Verdict::ok,
                                     "not of a type that is known to be on the network", ""}
                             : Probe{"network", Verdict::broken, network, elsewhere});
    }
    if (!cache) {
        probes.push_back({"larder", Verdict::broken, cache.error().message(), elsewhere});
        return;
    }
    const auto bucket = cache->bucket("doctor");
    std::string wrong = bucket ? put_and_replace(*bucket) : bucket.error().message();
    if (wrong.empty()) wrong = purge_while_used(root, options, *cache, *bucket);
    if (wrong.empty()) {
        const auto verified = cache->verify();
        if (!verified)
            wrong = verified.error().message();
        else if (!verified->sound())
            wrong = "verify finds damage: " + verified->findings.front().what;
    }
    if (!wrong.empty()) {
        probes.push_back({"larder", Verdict::broken, wrong, elsewhere});
    } else {
        probes.push_back({"larder", Verdict::ok, "puts, gets, leases, refreshes and collects",
                          cache->link_kind() == larder::LinkKind::symlink
                              ? "a new cache has symlinks for links"
                              : "a new cache has small files for links"});
    }
}

}  // namespace cachetool::doctor
