// SPDX-License-Identifier: MIT
// Example 1: put a directory into a cache, get it back, install it somewhere.
//
// What you learn: a cache has buckets, a bucket has keys, and a key names one directory that never changes. You fill a private
// directory, publish it, and what you get to read is *leased*: it stays where it is until you let go.

#include "example.hpp"

using namespace example;

int main(int argc, char** argv) {
    const fs::path here = playground(argc, argv);

    // Opening creates the cache where there is none. Every function returns a Result, which holds a value or an Error; nothing
    // throws.
    const larder::Cache cache = value_of(larder::Cache::open(here / "cache"));

    // The bucket's name has a version in it. When a later version of your program unpacks things differently, it uses
    // `wheels-v2`: old and new then share the cache without ever meeting.
    const larder::Bucket wheels = value_of(cache.bucket("wheels-v1"));

    // A miss is an answer, not a disaster: it has a code of its own.
    const auto nothing = wheels.get("hello-1.0");
    expect(!nothing && nothing.error().code == larder::Errc::miss, "what was never put is a miss");

    // Fill a private directory. Nobody sees it yet; if this process died now, it would be cleaned up after.
    larder::Staging stage = value_of(wheels.stage());
    fs::create_directories(stage.path() / "hello");
    write_file(stage.path() / "hello" / "greeting.txt", "Good morning\n");

    // Publish it: from one instant to the next it is there, complete. The Staging is used up, and you hold a lease.
    const larder::Lease put =
        value_of(wheels.publish("hello-1.0", std::move(stage), {.producer = "example 1"}));
    std::cout << "  published as " << put.path().string() << "\n";

    // Whoever asks by the key now gets the same entry, without a lock and without writing anything to the disk.
    const larder::Lease got = value_of(wheels.get("hello-1.0"));
    expect(got.id() == put.id(), "get yields what was published");
    expect(read_file(got.path() / "hello" / "greeting.txt") == "Good morning\n",
           "with its content");

    // Entries are never written to. To use one elsewhere, materialize it: by a clone, else hard links, else copies. The report
    // says which. (A hard link *is* the cache's file: replace such files, never write into them. Copies are yours.)
    const auto report = value_of(larder::materialize(got.path(), here / "site-packages"));
    std::cout << "  installed: " << report.cloned << " cloned, " << report.hardlinked
              << " hard-linked, " << report.copied << " copied\n";
    expect(read_file(here / "site-packages" / "hello" / "greeting.txt") == "Good morning\n",
           "the installed file reads the same");

    // Publishing under the same key again replaces the entry for whoever asks next, and for nobody who already has it.
    larder::Staging newer = value_of(wheels.stage());
    write_file(newer.path() / "greeting.txt", "Good evening\n");
    const larder::Lease replaced = value_of(wheels.publish("hello-1.0", std::move(newer)));
    expect(value_of(wheels.get("hello-1.0")).id() == replaced.id(),
           "a new get yields the new entry");
    expect(read_file(got.path() / "hello" / "greeting.txt") == "Good morning\n",
           "the old lease still reads the old one");

    // The destructors let go of the leases. The old entry is garbage now: example 4 collects some.
    return 0;
}
