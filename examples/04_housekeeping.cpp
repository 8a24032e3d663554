// SPDX-License-Identifier: MIT
// Example 4: what is in a cache, who uses it, how to take things out, and how to get the space back.
//
// What you learn: taking out (remove, refresh) is instant and makes garbage; deleting (collect) comes later, in any process,
// and costs in proportion to the garbage. verify checks the cache while others work. `cachetool` does all of this from a shell.

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

    // What is there. A key is any text: it is encoded into a file's name, and never taken for a path.
    auto keys = value_of(apples.keys());
    std::sort(keys.begin(), keys.end());
    for (const auto& key : keys) {
        const larder::EntryInfo info = value_of(apples.info(key));
        std::cout << "  " << info.bucket << " has " << info.key << ": " << info.bytes
                  << " bytes, by " << info.producer << "\n";
    }
    expect(keys.size() == 3 && keys.at(2) == "https://example.org/cox?size=L",
           "three keys, as they were given");
    expect(value_of(cache.buckets()).size() == 2, "two buckets");

    // Take one key out, while somebody has it.
    larder::Lease elstar = value_of(apples.get("elstar"));
    value_of(apples.remove("elstar"));
    const auto again = apples.remove("elstar");
    expect(!again && again.error().code == larder::Errc::miss,
           "what is gone can't be removed again");

    // Take a whole bucket out: one rename, whatever the number of its keys. The other bucket does not notice.
    value_of(pears.refresh());
    expect(!pears.get("conference"), "the pear is gone");
    expect(apples.get("boskoop").has_value(), "the apples are not");

    // Who is using the cache? This process, and it holds one lease.
    const larder::StatusReport status = value_of(cache.status());
    expect(status.leases.size() == 1 && status.leases.at(0).key == "elstar",
           "one lease is held, on elstar");
    expect(status.leases.at(0).process.pid == ::getpid(), "by this very process");

    // What would a collection delete? And then do it. The leased entry is garbage too, and has to stay for now.
    const larder::CollectReport would = value_of(cache.collect({.dry_run = true}));
    expect(would.entries == 1, "a dry run says that one entry would go");
    const larder::CollectReport did = value_of(cache.collect());
    expect(did.entries == 1 && did.leased.size() == 1, "one entry was deleted, one is leased");
    expect(read_file(elstar.path() / "file") == "an apple", "and can be read as before");

    // Let go, and collect again.
    elstar.release();
    expect(value_of(cache.collect()).entries == 1, "released, it was deleted as well");

    // Is everything as it should be? Two entries are left, both named by a key, and there is no garbage.
    const larder::VerifyReport report = value_of(cache.verify());
    for (const auto& finding : report.findings) {
        std::cout << "  found " << larder::name_of(finding.kind) << ": " << finding.path.string()
                  << ": " << finding.what << "\n";
    }
    expect(report.sound() && report.findings.empty(), "verify finds nothing wrong");
    expect(report.live == 2 && report.garbage == 0, "two live entries, no garbage");
    return 0;
}
