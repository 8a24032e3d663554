// SPDX-License-Identifier: MIT
// Example 4: list a cache and its users, remove entries, and get the disk space back.
//
// What you learn: remove and refresh take effect at once and leave garbage. collect deletes the
// garbage later, in any process. Its cost grows with the garbage, not with the cache. verify checks
// the cache while other processes use it. `cachetool` does all of this from a shell.

#include <algorithm>

#include "example.hpp"

using namespace example;

namespace {

void put(const larder::Bucket& bucket, const std::string& key, std::string_view content) {
    larder::Staging stage = value_of(bucket.stage());
    write_file(stage.path() / "file", content);
    value_of(bucket.publish(key, std::move(stage), {.producer = "example 4"}));
}

}  // namespace

int main(int argc, char** argv) {
    const larder::Cache cache = value_of(larder::Cache::open(playground(argc, argv) / "cache"));
    const larder::Bucket apples = value_of(cache.bucket("apples-v1"));
    const larder::Bucket pears = value_of(cache.bucket("pears-v1"));
    for (const char* key : {"boskoop", "elstar", "https://example.org/cox?size=L"})
        put(apples, key, "an apple");
    put(pears, "conference", "a pear");

    // List the entries. A key is any text. It is encoded into a file name and never used as a path.
    auto keys = value_of(apples.keys());
    std::sort(keys.begin(), keys.end());
    for (const auto& key : keys) {
        const larder::EntryInfo info = value_of(apples.info(key));
        std::cout << "  " << info.bucket << " has " << info.key << ": " << info.bytes
                  << " bytes, by " << info.producer << "\n";
    }
    expect(keys.size() == 3 && keys.at(2) == "https://example.org/cox?size=L",
           "three keys, spelled as they were put");
    expect(value_of(cache.buckets()).size() == 2, "the cache has two buckets");

    // Remove a key while there is a lease on its entry.
    larder::Lease elstar = value_of(apples.get("elstar"));
    value_of(apples.remove("elstar"));
    const auto again = apples.remove("elstar");
    expect(!again && again.error().code == larder::Errc::miss,
           "a key that was removed cannot be removed again");

    // Purge a whole bucket. This is one rename, for any number of keys, and does not affect the
    // other bucket.
    value_of(pears.refresh());
    expect(!pears.get("conference"), "the pear was removed");
    expect(apples.get("boskoop").has_value(), "the apples were not");

    // Which processes use the cache? This one, and it holds one lease.
    const larder::StatusReport status = value_of(cache.status());
    expect(status.leases.size() == 1 && status.leases.at(0).key == "elstar",
           "there is one lease, on elstar");
    expect(status.leases.at(0).process.pid == ::getpid(), "this process holds it");

    // Ask what a collection would delete, and then collect. The leased entry is garbage too, but it
    // must stay for now.
    const larder::CollectReport would = value_of(cache.collect({}, {.dry_run = true}));
    expect(would.entries == 1, "a dry run reports that one entry would be deleted");
    const larder::CollectReport did = value_of(cache.collect());
    expect(did.entries == 1 && did.leased.size() == 1, "one entry was deleted, and one is leased");
    expect(read_file(elstar.path() / "file") == "an apple", "which can still be read");

    // Release the lease, and collect again.
    elstar.release();
    expect(value_of(cache.collect()).entries == 1, "after its release it was deleted, too");

    // Check the cache. Two entries are left, both are named by a key, and there is no garbage.
    const larder::VerifyReport report = value_of(cache.verify());
    for (const auto& finding : report.findings) {
        std::cout << "  found " << larder::name_of(finding.kind) << ": " << finding.path.string()
                  << ": " << finding.what << "\n";
    }
    expect(report.sound() && report.findings.empty(), "verify finds nothing wrong");
    expect(report.live == 2 && report.garbage == 0, "two live entries, no garbage");
    return 0;
}
