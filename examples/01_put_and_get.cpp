// SPDX-License-Identifier: MIT
// Example 1: put a directory into a cache, get it back, install it in another place.
//
// What you learn: a cache has buckets, a bucket has keys, and a key names one directory, which
// never changes. You fill a private directory and publish it. What you read is *leased*: it stays
// where it is until you release the lease.

#include "example.hpp"

using namespace example;

int main(int argc, char** argv) {
    const fs::path here = playground(argc, argv);

    // Opening creates the cache if it does not exist. Every function returns a Result, which holds
    // a value or an Error. No function throws.
    const larder::Cache cache = value_of(larder::Cache::open(here / "cache"));

    // The name of the bucket has a version. When a later version of your program unpacks things in
    // another way, it uses `wheels-v2`. Then the old and the new version share the cache, and
    // neither sees the entries of the other.
    const larder::Bucket wheels = value_of(cache.bucket("wheels-v1"));

    // A miss is a normal answer. It has an error code of its own.
    const auto nothing = wheels.get("hello-1.0");
    expect(!nothing && nothing.error().code == larder::Errc::miss,
           "a key that was never put is a miss");

    // Fill a private directory. No other process sees it yet. If this process died now, another one
    // would delete it.
    larder::Staging stage = value_of(wheels.stage());
    fs::create_directories(stage.path() / "hello");
    write_file(stage.path() / "hello" / "greeting.txt", "Good morning\n");

    // Publish it. The entry appears in one step, complete. The Staging is consumed, and you hold a
    // lease.
    const larder::Lease put =
        value_of(wheels.publish("hello-1.0", std::move(stage), {.producer = "example 1"}));
    std::cout << "  published as " << put.path().string() << "\n";

    // From now on every get of the key returns this entry. It needs no lock.
    const larder::Lease got = value_of(wheels.get("hello-1.0"));
    expect(got.id() == put.id(), "get returns the entry that was published");
    expect(read_file(got.path() / "hello" / "greeting.txt") == "Good morning\n",
           "the entry has its content");

    // Never write into an entry. To use it in another place, materialize it there. larder clones
    // the files if the file system can. Otherwise it makes hard links, and otherwise copies. The
    // report says which. A hard link *is* the file of the cache, so replace such a file instead of
    // writing into it. Clones and copies are yours.
    const auto report = value_of(larder::materialize(got.path(), here / "site-packages"));
    std::cout << "  installed: " << report.cloned << " cloned, " << report.hardlinked
              << " hard-linked, " << report.copied << " copied\n";
    expect(read_file(here / "site-packages" / "hello" / "greeting.txt") == "Good morning\n",
           "the installed file reads the same");

    // Publishing under the same key again replaces the entry for later gets. A process that has a
    // lease on the old entry keeps it.
    larder::Staging newer = value_of(wheels.stage());
    write_file(newer.path() / "greeting.txt", "Good evening\n");
    const larder::Lease replaced = value_of(wheels.publish("hello-1.0", std::move(newer)));
    expect(value_of(wheels.get("hello-1.0")).id() == replaced.id(),
           "a new get returns the new entry");
    expect(read_file(got.path() / "hello" / "greeting.txt") == "Good morning\n",
           "the old lease still reads the old entry");

    // The destructors release the leases. The old entry is garbage now. Example 4 collects garbage.
    return 0;
}
