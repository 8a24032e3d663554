// SPDX-License-Identifier: MIT
// Power cuts: what a cache holds when the machine has been started again. See disk.hpp for how the
// power is cut.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "catch.hpp"
#include "disk.hpp"
#include "format/layout.hpp"
#include "os/points.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

const char* const file_systems[] = {"ext4", "xfs", "btrfs"};

Bucket bucket_of(const fs::path& root, const std::string& name) {
    return value(open_cache(root).bucket(name));
}

/// Runs `test` on a disk of each type.
void on_each_disk(const std::function<void(CutDisk&)>& test) {
    const char* const only = std::getenv("LARDER_TEST_DISK");
    for (const char* const type : file_systems) {
        if (only != nullptr && type != std::string(only)) continue;
        INFO(type);
        const TempDir dir;
        CutDisk disk(dir.path(), type);
        if (!disk) {
            WARN("SKIPPED: needs root, a loop device and mkfs." << type);
            continue;
        }
        test(disk);
    }
}

/// A change that is made to a cache, and how to see afterwards that it was made. `made` is told
/// which durability made it, whose cache it was made in.
struct Change {
    std::string name;
    std::function<void(const fs::path& root, const std::string& bucket, Durability durability)>
        make;
    std::function<bool(const fs::path& root, const std::string& bucket)> is_made;
};

std::string content(const fs::path& root, const std::string& bucket, const std::string& key) {
    return content_of(bucket_of(root, bucket), key);
}

/// Each change is made to a bucket that holds "k" and "other", with "unpinned" pinned, and an entry
/// of "removed" in the trash.
void prepare(const fs::path& root, const std::string& name) {
    const Bucket bucket = bucket_of(root, name);
    put(bucket, "k", "old");
    put(bucket, "other", "other");
    put(bucket, "removed", "removed");
    value(bucket.pin("unpinned"));
    value(bucket.remove("removed"));
}

const std::vector<Change>& changes() {
    static const std::vector<Change> all = {
        {"refresh",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             value(bucket_of(root, bucket).refresh(durability));
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "k").empty() && content(root, bucket, "other").empty();
         }},
        {"refresh-some",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             (void)value(
                 bucket_of(root, bucket).refresh({.pattern = "k*", .durability = durability}));
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "k").empty();
         }},
        {"remove",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             value(bucket_of(root, bucket).remove("k", durability));
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "k").empty();
         }},
        {"pin",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             value(bucket_of(root, bucket).pin("k", durability));
         },
         [](const fs::path& root, const std::string& bucket) {
             return value(bucket_of(root, bucket).is_pinned("k"));
         }},
        {"unpin",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             value(bucket_of(root, bucket).unpin("unpinned", durability));
         },
         [](const fs::path& root, const std::string& bucket) {
             return !value(bucket_of(root, bucket).is_pinned("unpinned"));
         }},
        {"restore",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             const Cache cache = open_cache(root);
             for (const auto& entry : value(cache.trash())) {
                 if (entry.bucket == bucket)
                     (void)value(cache.restore(entry.id, {.durability = durability}));
             }
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "removed") == "removed";
         }},
        {"put",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             put(bucket_of(root, bucket), "new", "new", {durability, ""});
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "new") == "new";
         }},
        {"replace",
         [](const fs::path& root, const std::string& bucket, Durability durability) {
             put(bucket_of(root, bucket), "k", "new", {durability, ""});
         },
         [](const fs::path& root, const std::string& bucket) {
             return content(root, bucket, "k") == "new";
         }},
    };
    return all;
}

/// Collects, and requires that nothing is left but what the keys name.
void require_only_live_entries(const fs::path& root) {
    std::size_t live = 0;
    {
        const Cache cache = open_cache(root);
        (void)value(cache.collect());
        for (const std::string& name : value(cache.buckets()))
            live += value(value(cache.bucket(name)).keys()).size();
    }
    require_no_leak(root, live);
}

/// Makes each change, for nothing more than the death of a process, to a bucket of its own, and
/// cuts the power. Returns the names of the changes that the cut has not undone.
std::string kept_over_cut(CutDisk& disk, const std::string& attempt) {
    disk.start_from("disk");
    const auto bucket_of_change = [&](const Change& change) { return change.name + attempt; };
    in_this_boot([&] {
        for (const Change& change : changes()) prepare(disk.root(), bucket_of_change(change));
    });
    disk.sync();
    in_this_boot([&] {
        for (const Change& change : changes())
            change.make(disk.root(), bucket_of_change(change), Durability::process);
    });
    disk.cut("cut" + attempt);
    disk.start_from("cut" + attempt);
    std::string kept;
    for (const Change& change : changes()) {
        Child look([&](Child& self) {
            after_boot([&] {
                self.say(change.is_made(disk.root(), bucket_of_change(change)) ? "kept" : "undone");
            });
        });
        if (look.listen() != "undone") kept += change.name + " ";
        CHECK(look.join() == 0);
    }
    return kept;
}

}  // namespace

TEST_CASE("a change that was made for power is there after a cut right after it") {
    on_each_disk([](CutDisk& disk) {
        // 1. all buckets are on the disk
        // 2. each change is made, for power, and the power is cut before the next one
        in_this_boot([&] {
            for (const Change& change : changes()) prepare(disk.root(), change.name);
        });
        disk.sync();
        for (const Change& change : changes()) {
            in_this_boot([&] { change.make(disk.root(), change.name, Durability::power); });
            disk.cut(change.name);
        }
        for (const Change& change : changes()) {
            INFO(change.name);
            disk.start_from(change.name);
            CHECK_NOTHROW(after_boot([&] {
                Child::must(change.is_made(disk.root(), change.name),
                            change.name + " was undone by the cut");
                require_only_live_entries(disk.root());
            }));
        }
    });
}

TEST_CASE("a change that was made for the death of a process is undone by a cut right after it") {
    // This shows that the test above would notice a sync that is missing. Any program of the
    // machine may bring everything to the disk by sync(2) in between, and then it is tried again.
    on_each_disk([](CutDisk& disk) {
        std::string kept = kept_over_cut(disk, "-1");
        for (const char* const attempt : {"-2", "-3"}) {
            if (!kept.empty()) kept = kept_over_cut(disk, attempt);
        }
        INFO("these are on the disk, and nothing has synced them: " << kept);
        CHECK(kept.empty());
    });
}

TEST_CASE("a key that a remove or an unpin for power does not find stays away after a cut") {
    // 1. a process removes "k", unpins "unpinned" and refreshes another bucket, for nothing more
    //    than its own death
    // 2. another one finds them gone, for power
    on_each_disk([](CutDisk& disk) {
        in_this_boot([&] {
            prepare(disk.root(), "b");
            prepare(disk.root(), "refreshed");
        });
        disk.sync();
        in_this_boot([&] {
            const Bucket bucket = bucket_of(disk.root(), "b");
            value(bucket.remove("k"));
            value(bucket.unpin("unpinned"));
            value(bucket_of(disk.root(), "refreshed").refresh());
        });
        in_this_boot([&] {
            Child::must(!bucket_of(disk.root(), "b").remove("k", Durability::power), "removed");
        });
        disk.cut("remove");
        in_this_boot(
            [&] { value(bucket_of(disk.root(), "refreshed").refresh(Durability::power)); });
        disk.cut("refresh");
        in_this_boot([&] {
            Child::must(!bucket_of(disk.root(), "b").unpin("unpinned", Durability::power),
                        "unpinned");
        });
        disk.cut("unpin");
        disk.start_from("remove");
        CHECK_NOTHROW(after_boot(
            [&] { Child::must(content(disk.root(), "b", "k").empty(), "the key is back"); }));
        disk.start_from("refresh");
        CHECK_NOTHROW(after_boot([&] {
            Child::must(content(disk.root(), "refreshed", "k").empty(), "the bucket is back");
        }));
        disk.start_from("unpin");
        CHECK_NOTHROW(after_boot([&] {
            Child::must(!value(bucket_of(disk.root(), "b").is_pinned("unpinned")),
                        "the pin is back");
        }));
    });
}

TEST_CASE("a put for power into a bucket that was not made for power is there after a cut") {
    on_each_disk([](CutDisk& disk) {
        in_this_boot([&] {
            // A pointer that is a file has bytes that a cut can take.
            OpenOptions options;
            options.link_kind = LinkKind::file;
            options.bucket_kind = BucketKind::pointer;
            (void)open_cache(disk.root(), options);
        });
        disk.sync();
        in_this_boot([&] { put(bucket_of(disk.root(), "b"), "first", "x"); });
        in_this_boot([&] {
            put(bucket_of(disk.root(), "b"), "k", "for power", {Durability::power, ""});
            disk.write_names_alone();
        });
        disk.cut("cut");
        disk.start_from("cut");
        CHECK_NOTHROW(after_boot(
            [&] { Child::must(content(disk.root(), "b", "k") == "for power", "it is lost"); }));
    });
}

TEST_CASE("an entry whose files a cut has emptied is a miss in the next boot") {
    on_each_disk([](CutDisk& disk) {
        in_this_boot([&] { put(bucket_of(disk.root(), "b"), "whole", "x"); });
        disk.sync();
        in_this_boot([&] { put(bucket_of(disk.root(), "b"), "k", "torn"); });
        in_this_boot([&] {
            // A link or a pointer that is a small file would be empty as well, and name nothing.
            const fs::path bucket = disk.root() / "buckets/b";
            if (fs::is_regular_file(bucket)) sync_path(bucket, ::fsync);
            if (test_options().link_kind == LinkKind::file)
                sync_path(keys_of(bucket) / "k", ::fsync);
            disk.write_names_alone();
        });
        disk.cut("cut");
        disk.start_from("cut");
        in_this_boot([&] {
            // The cut has torn it, or this test would show nothing.
            const Bucket bucket = bucket_of(disk.root(), "b");
            const auto info = bucket.info("k");
            Child::must(!info && info.error().code == Errc::damaged, "its record is whole");
            // In the boot in which it was made it would be served: it is not looked at.
            Child::must(read_file(value(bucket.get("k")).path() / "f0").empty(), "not torn");
        });
        after_boot([&] {
            OpenOptions options = test_options();
            options.read_only = true;
            const Bucket reader = value(open_cache(disk.root(), options).bucket("b"));
            Child::must(content_of(reader, "k").empty(), "it is served");
            Child::must(content_of(reader, "whole") == "x", "a whole entry is not served");
        });
        after_boot([&] {
            std::string told;
            OpenOptions options = test_options();
            options.on_event = [&](const Event& event) {
                if (event.kind == Event::Kind::repaired)
                    told += std::string(event.key) + ": " + std::string(event.what);
            };
            const Cache cache = open_cache(disk.root(), options);
            const Bucket bucket = value(cache.bucket("b"));
            Child::must(!bucket.get("k"), "it is served");
            Child::must(told == "k: a torn entry", "told \"" + told + "\"");
            Child::must(content_of(bucket, "whole") == "x", "a whole entry is not served");
            Child::must(value(bucket.keys()).size() == 1, "its link was not retired");
            put(bucket, "k", "new");
            require_only_live_entries(disk.root());
            Child::must(content_of(bucket, "k") == "new", "it was not replaced");
        });
    });
}

namespace {

/// The points of a publish, in their order. Those of record, then replace come with a file system
/// that exchanges no names, and the last two of a sync for power alone.
const std::vector<std::string> publish_points = {
    "stage.linked",
    "stage.made",
    "publish.listed",
    "publish.recorded",
    "publish.leased",
    "publish.archive-synced",
    "publish.locked",
    "publish.before-placing-new",
    "publish.before-exchange",
    "replace.written-down",
    "replace.placed",
    "publish.placed",
    "publish.retired",
    "publish.retired-synced",
};

/// How "k" is put while the power is cut.
struct CutPut {
    Durability durability;
    bool exchanges;  ///< two names can be exchanged
    bool replaces;   ///< the key has an entry
};

/// Puts "new" at "k" in another process, and cuts the power at each point, and when the put has
/// returned. A put that is not for power gets its names to the disk before each cut, and not its
/// bytes: that tears most. Returns the names of the cuts.
std::vector<std::string> cut_at_each_point(CutDisk& disk, const CutPut& put_options) {
    const auto& [durability, exchanges, replaces] = put_options;
    Child publisher([&, durability = durability, exchanges = exchanges](Child& self) {
        os::set_point_hook([&self, exchanges](const char* name) {
            const auto& points = publish_points;
            if (std::find(points.begin(), points.end(), name) != points.end()) {
                self.say(name);
                self.hear();
            }
            const std::string point = name;
            return !exchanges && (point == "os.exchange" || point == "os.noreplace") ? EINVAL : 0;
        });
        put(bucket_of(disk.root(), "b"), "k", "new", {durability, ""});
        self.say("end");
        self.hear();
    });
    std::vector<std::string> cuts;
    for (std::string at = publisher.listen(); !at.empty(); at = publisher.listen()) {
        if (durability == Durability::process) in_this_boot([&] { disk.write_names_alone(); });
        // Without an exchange some points are met twice.
        cuts.push_back(std::to_string(cuts.size()) + "-" + at);
        disk.cut(cuts.back());
        if (at == "end") break;
        publisher.go_on();
    }
    publisher.kill();
    return cuts;
}

/// Returns what a get of "k" finds: its content, or "miss". An entry whose files are empty is no
/// miss.
std::string served(const fs::path& root) {
    const auto got = bucket_of(root, "b").get("k");
    if (!got) return std::string(name_of(got.error().code));
    return "\"" + content_of(*got) + "\"";
}

/// Starts from each cut in a later boot, and requires that nothing torn is served, that what was
/// for power is there, and that one collection leaves only live entries. Returns how many cuts have
/// torn the entry, or its link.
std::size_t require_sound_after(CutDisk& disk, const CutPut& put_options,
                                const std::vector<std::string>& cuts) {
    const auto& [durability, exchanges, replaces] = put_options;
    std::size_t torn = 0;
    for (const std::string& cut : cuts) {
        INFO("cut at " << cut);
        disk.start_from(cut);
        const auto look = [&, durability = durability, replaces = replaces](Child& self) {
            const bool has_link =
                fs::exists(fs::symlink_status(keys_of(disk.root() / "buckets/b") / "k"));
            const std::string before = served(disk.root());
            const bool is_new = before == "\"new\"";
            const bool is_as_before = before == (replaces ? "\"old\"" : "miss");
            const bool is_lost = before == "miss" && durability == Durability::process;
            const bool must_be_new = cut == cuts.back() && durability == Durability::power;
            Child::must(is_new || (!must_be_new && (is_as_before || is_lost)),
                        "after the cut at " + cut + " a get found " + before);
            require_only_live_entries(disk.root());
            Child::must(served(disk.root()) == before, "the collection has changed the key");
            self.say(has_link && before == "miss" ? "torn" : "whole");
        };
        Child survivor([&](Child& self) { after_boot([&] { look(self); }); });
        if (survivor.listen() == "torn") ++torn;
        CHECK(survivor.join() == 0);
        disk.forget(cut);
    }
    return torn;
}

}  // namespace

TEST_CASE("a put that a cut interrupts leaves the old entry or the new one, whole") {
    std::size_t all = 0;
    on_each_disk([&](CutDisk& disk) {
        std::size_t torn = 0;
        for (const Durability durability : {Durability::power, Durability::process}) {
            for (const bool exchanges : {true, false}) {
                for (const bool replaces : {true, false}) {
                    const CutPut how{durability, exchanges, replaces};
                    INFO((durability == Durability::power ? "for power" : "not for power")
                         << (exchanges ? "" : ", without an exchange")
                         << (replaces ? ", over an old entry" : ", at a new key"));
                    disk.start_from("disk");
                    in_this_boot([&] {
                        const Bucket bucket = bucket_of(disk.root(), "b");
                        put(bucket, "other", "other", {Durability::power, ""});
                        if (bucket.get("k")) value(bucket.remove("k", Durability::power));
                        if (replaces) put(bucket, "k", "old", {Durability::power, ""});
                        (void)value(open_cache(disk.root()).collect());
                    });
                    disk.sync();
                    const auto cuts = cut_at_each_point(disk, how);
                    // A point that is not met, or a new one, would change these numbers.
                    const std::size_t for_power = durability == Durability::power ? 2 : 0;
                    const std::size_t met = for_power + (exchanges ? 10 : replaces ? 14 : 12);
                    REQUIRE(cuts.size() == met);
                    torn += require_sound_after(disk, how, cuts);
                    all += cuts.size();
                    if (durability == Durability::power) CHECK(torn == 0);
                }
            }
        }
        CHECK(torn > 0);  // or nothing was there that could have been served
    });
    WARN("cuts at points of a publish: " << all);
}

TEST_CASE("what was settled is there after a cut, and is not compared with its manifest") {
    on_each_disk([](CutDisk& disk) {
        in_this_boot([&] {
            put(bucket_of(disk.root(), "b"), "k", "settled");
            value(open_cache(disk.root()).settle());
            put(bucket_of(disk.root(), "b"), "later", "x");
        });
        disk.cut("cut");
        disk.start_from("cut");
        CHECK_NOTHROW(after_boot([&] {
            const Bucket bucket = bucket_of(disk.root(), "b");
            const auto got = bucket.get("k");
            Child::must(got && content_of(*got) == "settled", "it was undone");
            Child::must(!fs::exists(got->path().parent_path() / "judged"), "it was compared");
            require_only_live_entries(disk.root());
        }));
    });
}

TEST_CASE("the tag and the .gitignore of a cache survive a cut right after it was made") {
    on_each_disk([](CutDisk& disk) {
        Child maker(
            [&](Child& self) {
                (void)open_cache(disk.root());
                self.say("end");
                self.hear();
            },
            {{"open.format"}, {}});
        maker.wait_for("open.format");
        // Its files are on the disk; this brings their names there, too.
        in_this_boot([&] { disk.write_names_alone(); });
        disk.cut("without-format");
        maker.go_on();
        maker.wait_for("end");
        disk.cut("made");
        maker.kill();
        for (const char* const cut : {"without-format", "made"}) {
            INFO(cut);
            disk.start_from(cut);
            CHECK_NOTHROW(after_boot([&] {
                Child::must(read_file(disk.root() / "CACHEDIR.TAG") == format::cachedir_tag_text,
                            "the tag is not whole");
                Child::must(read_file(disk.root() / ".gitignore") == format::gitignore_text,
                            "the .gitignore is not whole");
                put(bucket_of(disk.root(), "b"), "k", "x");
            }));
        }
    });
}

TEST_CASE("no cut while a destroy marks a cache, or gives it back, closes the cache for good") {
    on_each_disk([](CutDisk& disk) {
        const fs::path root = disk.root();
        in_this_boot([&] { put(bucket_of(root, "b"), "k", "old", {Durability::power, ""}); });
        disk.sync();
        Child user(
            [&](Child& self) {
                const Lease lease = value(bucket_of(root, "b").get("k"));
                self.say("leased");
                self.hear();
            },
            {{"adopt.opened"}, {}});
        user.wait_for("adopt.opened");
        Child destroyer(
            [&](Child& self) {
                const auto destroyed = Cache::destroy(root);
                Child::must(!destroyed && destroyed.error().code == Errc::busy, "not busy");
                self.say("busy");
                self.hear();
            },
            {{"destroy.marked"}, {}});
        destroyer.wait_for("destroy.marked");
        in_this_boot([&] { disk.write_names_alone(); });
        disk.cut("marked");
        user.go_on();
        user.wait_for("leased");
        destroyer.go_on();
        destroyer.wait_for("busy");
        disk.cut("given-back");
        in_this_boot([&] { disk.write_names_alone(); });
        disk.cut("names-written");
        destroyer.kill();
        user.kill();
        for (const char* const cut : {"given-back", "names-written"}) {
            INFO(cut);
            disk.start_from(cut);
            CHECK_NOTHROW(after_boot(
                [&] { Child::must(content(root, "b", "k") == "old", "not the entry"); }));
        }
        disk.start_from("marked");
        CHECK_NOTHROW(after_boot([&] {
            const auto opened = Cache::open(root, test_options());
            Child::must(!opened && contains(opened.error().message(), "is being destroyed"),
                        opened ? "it opens" : opened.error().message());
            Child::must(Cache::destroy(root));
        }));
    });
}
