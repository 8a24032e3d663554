// SPDX-License-Identifier: MIT
// Damage by hand: whatever is put where larder keeps its own files, verify reports it, and no call
// follows it out of the cache. Names that larder does not know are never deleted, and repair heals
// what it can.

#include <algorithm>

#include "format/id.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/posix/fd.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

using Kind = Finding::Kind;

/// A cache with the entries "k" and "other" in bucket "b", and beside it a directory that no call
/// may touch.
struct Site {
    TempDir dir;
    fs::path outside = dir.path() / "outside";
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root);
    Bucket bucket = value(cache.bucket("b"));
    std::string id;
    std::map<std::string, std::string> outside_before;

    Site() {
        // This is as much like an entry as it can be: a call that follows a link here finds what it
        // looks for.
        fill(outside / "tree", "precious");
        write_file(outside / "record", "precious");
        write_file(outside / "precious", "precious");
        fill(dir.path() / "source", "new");
        put(bucket, "other", "other");
        id = put(bucket, "k", "good").id();
        fs::copy_file(entry() / "record", outside / "record", fs::copy_options::overwrite_existing);
        outside_before = exact_snapshot(outside);
    }

    [[nodiscard]] fs::path entry() const { return root / "archive" / id; }
    [[nodiscard]] fs::path key() const { return keys_of(root / "buckets" / "b") / "k"; }
    void require_outside_untouched() const { REQUIRE(exact_snapshot(outside) == outside_before); }
};

/// Writes a link of the cache's kind with the given text.
void forge(const fs::path& path, const std::string& text) {
    fs::remove(path);
    if (test_options().link_kind == LinkKind::symlink) {
        fs::create_symlink(text, path);
    } else {
        write_file(path, text + "\n");
    }
}

/// Does everything that a cache can do, whether it works or not, to see what it follows.
void do_everything(const Cache& cache) {
    const Bucket bucket = value(cache.bucket("b"));
    const auto publish = [&] {
        auto staging = bucket.stage();
        // This uses larder's own handles: the path of the staging area may lead elsewhere by now.
        if (!staging || !staging->copy_from(cache.root().parent_path() / "source")) return;
        (void)bucket.publish("k", std::move(*staging));
    };
    (void)bucket.get("k");
    (void)bucket.get("other");
    (void)bucket.info("k");
    (void)bucket.keys();
    (void)cache.buckets();
    (void)cache.status();
    (void)cache.verify();
    publish();
    (void)bucket.get("k");
    (void)bucket.remove("k");
    publish();
    (void)cache.collect();
    (void)bucket.refresh();
    (void)cache.collect();
    (void)cache.verify({true});
    (void)cache.collect();
    publish();
}

/// Does the same in a process that must open the damaged cache first.
void do_everything_anew(const fs::path& root) {
    in_child([&](Child&) {
        const auto cache = Cache::open(root, test_options());
        if (cache) do_everything(*cache);
    });
}

std::size_t count(const VerifyReport& report, Kind kind) {
    return static_cast<std::size_t>(
        std::count_if(report.findings.begin(), report.findings.end(),
                      [&](const Finding& finding) { return finding.kind == kind; }));
}

bool found_at(const VerifyReport& report, Kind kind, const fs::path& path) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
        return finding.kind == kind && finding.path == path && !finding.what.empty();
    });
}

/// Requires one finding of this kind, which breaks an invariant.
void require_found(const Site& site, Kind kind, const fs::path& path) {
    const auto report = value(site.cache.verify());
    REQUIRE(report.findings.size() == 1);
    CHECK(name_of(report.findings[0].kind) == name_of(kind));
    CHECK(report.findings[0].path == path);
    CHECK_FALSE(report.findings[0].what.empty());
    CHECK_FALSE(report.findings[0].repaired);
    CHECK_FALSE(report.sound());
    // The look has changed nothing: a second one finds the same.
    CHECK(value(site.cache.verify()).findings.size() == 1);
}

/// Requires that repair makes "k" a miss and keeps "other", that a collection then leaves nothing
/// behind, and that a put works.
void require_healed(const Site& site) {
    const auto repaired = value(site.cache.verify({true}));
    CHECK(repaired.sound());
    CHECK(value(site.cache.verify()).findings.empty());
    CHECK(content_of(site.bucket, "k").empty());
    CHECK(content_of(site.bucket, "other") == "other");
    REQUIRE_NOTHROW(require_no_leak(site.root, 1));
    put(site.bucket, "k", "healed");
    CHECK(content_of(site.bucket, "k") == "healed");
    REQUIRE_NOTHROW(require_no_leak(site.root, 2));
    site.require_outside_untouched();
}

void require_miss(const Site& site) {
    const auto lease = site.bucket.get("k");
    REQUIRE_FALSE(lease);
    CHECK(lease.error().code == Errc::miss);
}

/// A put of "k" must be an error that names what stands in its way.
void require_put_refused(const Site& site, const fs::path& obstacle) {
    auto staging = value(site.bucket.stage());
    fill(staging.path(), "new");
    const auto published = site.bucket.publish("k", std::move(staging));
    REQUIRE_FALSE(published);
    CHECK(published.error().code == Errc::damaged);
    CHECK(published.error().message().find(obstacle.string()) != std::string::npos);
}

}  // namespace

TEST_CASE("a record that is cut off at any length is found, and heals") {
    const Site site;
    const std::string whole = read_file(site.entry() / "record");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        write_file(site.entry() / "record", whole.substr(0, length));
        const auto report = value(site.cache.verify());
        if (report.findings.size() != 1 ||
            !found_at(report, Kind::malformed, site.entry() / "record") || report.sound()) {
            FAIL_CHECK("not found when cut off after " << length << " bytes");
        }
    }
    const auto info = site.bucket.info("k");
    REQUIRE_FALSE(info);
    CHECK(info.error().code == Errc::damaged);
    require_healed(site);
}

TEST_CASE("a record that is missing is found, and heals") {
    const Site site;
    fs::remove(site.entry() / "record");
    require_found(site, Kind::malformed, site.entry() / "record");
    require_healed(site);
}

TEST_CASE("a record that is no file is found and not followed, and no call waits at it") {
    for (const std::string what : {"symlink", "directory", "FIFO", "endless"}) {
        INFO(what);
        const Site site;
        const fs::path record = site.entry() / "record";
        fs::remove(record);
        if (what == "symlink") fs::create_symlink(site.outside / "record", record);
        if (what == "directory") fs::create_directory(record);
        if (what == "FIFO") REQUIRE(::mkfifo(record.c_str(), 0600) == 0);
        if (what == "endless") {
            write_file(record, "");
            fs::resize_file(record, std::uintmax_t{1} << 40);
        }
        require_found(site, Kind::malformed, record);
        CHECK_FALSE(site.bucket.info("k"));
        require_healed(site);
    }
}

TEST_CASE("an entry without its tree is a miss, is found, and heals") {
    for (const std::string what : {"missing", "file", "symlink"}) {
        INFO(what);
        const Site site;
        fs::remove_all(site.entry() / "tree");
        if (what == "file") write_file(site.entry() / "tree", "");
        if (what == "symlink")
            fs::create_directory_symlink(site.outside / "tree", site.entry() / "tree");
        require_found(site, Kind::dangling, site.key());
        require_miss(site);  // the get retires the link at once
        CHECK(value(site.cache.verify()).sound());
        require_healed(site);
    }
}

TEST_CASE("a link to an entry that does not exist is a miss, is found, and heals") {
    const Site site;
    fs::remove_all(site.entry());
    require_found(site, Kind::dangling, site.key());
    require_healed(site);
}

TEST_CASE("a get retires a link that leads nowhere") {
    const Site site;
    fs::remove_all(site.entry());
    require_miss(site);
    CHECK_FALSE(stands(site.key()));
    CHECK(value(site.cache.verify()).sound());
}

TEST_CASE("a link with a foreign text is a miss, is found, is not followed, and heals") {
    const Site sample;
    const std::string good = format::target_of(*format::parse_id(sample.id));
    for (const std::string& text :
         {std::string("nowhere"), std::string("/etc"), std::string("../../../etc"),
          std::string("../../../outside/tree"), std::string("."), std::string(".."),
          std::string("k"), good + "/..", good + "/../../../../outside/tree", "x" + good,
          good.substr(1), "../" + good, "../../archive/" + std::string(26, '.') + "/tree",
          std::string(1000, 'x')}) {
        INFO(text);
        const Site site;
        forge(site.key(), text);
        require_miss(site);
        const auto info = site.bucket.info("k");
        REQUIRE_FALSE(info);
        CHECK(info.error().code == Errc::miss);
        {
            const auto report = value(site.cache.verify());
            CHECK(count(report, Kind::malformed) == 1);
            CHECK(found_at(report, Kind::malformed, site.key()));
            CHECK(found_at(report, Kind::orphan, site.entry()));  // its link is gone
            CHECK_FALSE(report.sound());
        }
        require_healed(site);
    }
}

TEST_CASE("a link with a foreign text can be replaced, and removed") {
    const Site site;
    forge(site.key(), "../../../outside/tree");
    put(site.bucket, "k", "new");
    CHECK(content_of(site.bucket, "k") == "new");
    forge(site.key(), "/etc");
    REQUIRE(site.bucket.remove("k"));
    CHECK_FALSE(stands(site.key()));
    forge(site.key(), "/etc");
    do_everything(site.cache);
    do_everything_anew(site.root);
    site.require_outside_untouched();
}

TEST_CASE(
    "verify does not look through an entry that is a symlink to outside, and no call deletes "
    "through it") {
    const Site site;
    fs::remove_all(site.entry());
    fs::create_directory_symlink(site.outside, site.entry());
    CHECK(found_at(value(site.cache.verify()), Kind::foreign, site.entry()));
    do_everything(site.cache);
    do_everything_anew(site.root);
    site.require_outside_untouched();
}

TEST_CASE("what is no link at a key's name is a miss, never replaced, and moved away by repair") {
    const bool symlinks = test_options().link_kind == LinkKind::symlink;
    std::vector<std::string> all = {"directory", "socket", "other kind"};
    all.push_back("FIFO");
    for (const std::string& what : all) {
        INFO(what);
        const Site site;
        const std::string good = format::target_of(*format::parse_id(site.id));
        REQUIRE(site.bucket.remove("k"));
        value(site.cache.collect());
        if (what == "directory") {
            fs::create_directory(site.key());
            write_file(site.key() / "mine", "mine");
        }
        if (what == "socket") make_socket(site.key());
        if (what == "FIFO") REQUIRE(::mkfifo(site.key().c_str(), 0600) == 0);
        if (what == "other kind" && symlinks) write_file(site.key(), good + "\n");
        if (what == "other kind" && !symlinks) fs::create_symlink(good, site.key());
        struct stat before {};
        REQUIRE(::lstat(site.key().c_str(), &before) == 0);

        require_miss(site);
        const auto report = value(site.cache.verify());
        REQUIRE(report.findings.size() == 1);
        CHECK(found_at(report, Kind::blocked, site.key()));
        CHECK_FALSE(report.sound());

        require_put_refused(site, site.key());
        const auto removed = site.bucket.remove("k");
        REQUIRE_FALSE(removed);
        CHECK(removed.error().code == Errc::damaged);
        (void)value(site.cache.collect());
        CHECK(count_entries(site.root / "archive") ==
              1);  // the entry that could not be published has not leaked

        // A refresh moves the bucket with all that is in it. What is no link stays there.
        REQUIRE(site.bucket.refresh());
        (void)value(site.cache.collect());
        (void)value(site.cache.collect());
        CHECK(count_entries(site.root / "archive") == 0);
        const auto left = fs::recursive_directory_iterator(site.root);
        CHECK(std::any_of(begin(left), end(left), [&](const fs::directory_entry& entry) {
            struct stat status {};
            return ::lstat(entry.path().c_str(), &status) == 0 && status.st_ino == before.st_ino &&
                   status.st_mode == before.st_mode;
        }));
        CHECK(value(site.cache.verify({true})).sound());
        (void)value(site.cache.collect());
        CHECK(count_entries(site.root / "retired" / "buckets") == 0);
        CHECK(value(site.cache.verify()).findings.empty());
        put(site.bucket, "k", "new");
        CHECK(content_of(site.bucket, "k") == "new");
    }
}

TEST_CASE(
    "a bucket that is a symlink to a directory outside is found, and no call writes through it") {
    const Site site;
    const fs::path there = site.root / "buckets" / "b";
    fs::remove_all(there);
    fs::create_directory_symlink(site.outside, there);
    const auto report = value(site.cache.verify());
    if (buckets_are_pointers() && test_options().link_kind == LinkKind::symlink) {
        // It is a pointer that larder did not make. It leads nowhere, and the next put removes it.
        CHECK(found_at(report, Kind::malformed, there));
        CHECK_FALSE(site.bucket.get("precious"));
        do_everything(site.cache);
        do_everything_anew(site.root);
        CHECK_FALSE((fs::is_symlink(there) && fs::read_symlink(there) == site.outside));
        site.require_outside_untouched();
        return;
    }
    CHECK(found_at(report, Kind::blocked, there));
    // The generation has no name, either.
    CHECK(count(report, Kind::orphan) == (buckets_are_pointers() ? 1 : 2));
    CHECK_FALSE(report.sound());

    require_put_refused(site, there);
    for (const auto& result : {site.bucket.remove("precious"), site.bucket.refresh()}) {
        REQUIRE_FALSE(result);
        CHECK(result.error().code == Errc::damaged);
    }
    CHECK_FALSE(site.bucket.get("precious"));
    do_everything(site.cache);
    do_everything_anew(site.root);
    CHECK_FALSE(fs::is_symlink(there));  // a repair has moved it away
    site.require_outside_untouched();
}

TEST_CASE("a bucket that is a file is found, and moved away by a repair alone") {
    const Site site;
    const fs::path there = site.root / "buckets" / "b";
    fs::remove_all(there);
    write_file(there, "mine");
    const bool may_be_link = test_options().link_kind == LinkKind::file;
    const bool may_be_pointer = buckets_are_pointers() && may_be_link;
    CHECK(found_at(value(site.cache.verify()), may_be_pointer ? Kind::malformed : Kind::blocked,
                   there));
    if (!may_be_pointer) require_put_refused(site, there);
    (void)value(site.cache.collect());
    if (!may_be_pointer) CHECK(read_file(there) == "mine");
    CHECK(value(site.cache.verify({.repair = true})).sound());
    put(site.bucket, "k", "new");
    CHECK(content_of(site.bucket, "k") == "new");
    do_everything(site.cache);
    do_everything_anew(site.root);
}

TEST_CASE(
    "a directory of the cache that is a symlink to outside is an error that names it, and is not "
    "followed") {
    for (const char* name : {"archive", "deleting", "staging", "retired", "retired/links",
                             "retired/buckets", "buckets", "participants"}) {
        INFO(name);
        const Site site;
        fs::rename(site.root / name, site.dir.path() / "moved");
        fs::create_directory_symlink(site.outside, site.root / name);
        // For a process that opens the cache now ...
        in_child([&](Child&) {
            // What only a writer needs is opened by the first call that is no get; with pointers,
            // by the open.
            auto cache = Cache::open(site.root, test_options());
            const bool is_needed_later =
                !buckets_are_pointers() && (std::string_view(name).starts_with("retired") ||
                                            std::string_view(name) == "deleting");
            Child::must(cache.has_value() == is_needed_later, "not opened when it is needed");
            Result<> failed;
            if (!cache) failed = tl::make_unexpected(cache.error());
            if (cache) failed = value(cache->bucket("b")).refresh();
            Child::must(!failed, "not refused");
            const std::string message = failed.error().message();
            Child::must(contains(message, (site.root / name).string()), message);
        });
        do_everything_anew(site.root);
        // ... and for one that had it open before.
        do_everything(site.cache);
        CHECK(fs::is_symlink(site.root / name));
        site.require_outside_untouched();
    }
}

TEST_CASE("reaping does not follow a staging area that is a symlink to outside") {
    const Site site;
    std::string areas;
    for (int number = 0; number < 3; ++number) {
        const fs::path area = site.root / "staging" / std::to_string(number);
        fs::remove_all(area);
        fs::create_directory_symlink(site.outside, area);
        write_file(site.root / "participants" / std::to_string(number + 1),
                   "");  // it has no owner, so it is reaped
    }
    write_file(site.outside / format::old_link_name({1, 2}), "mine");
    write_file(site.outside / format::staged_link_name({1, 2}), "mine");
    const auto before = exact_snapshot(site.outside);
    CHECK(found_at(value(site.cache.verify()), Kind::blocked, site.root / "staging" / "1"));
    do_everything(site.cache);
    do_everything_anew(site.root);
    CHECK(exact_snapshot(site.outside) == before);
}

TEST_CASE("foreign names in every directory are found, break nothing, and survive everything") {
    const Site site;
    const std::vector<fs::path> places = {
        "",
        "participants",
        "staging",
        "staging/0",
        "buckets",
        "retired",
        "retired/links",
        "retired/buckets",
        "archive",
        "archive/" + site.id,
        fs::relative(keys_of(site.root / "buckets/b"), site.root)};
    std::vector<fs::path> files;
    for (const auto& place : places) {
        // "Foreign" is never a name of larder: it has a capital.
        const fs::path at = site.root / place;
        write_file(at / "Foreign", "mine");
        fs::create_directories(at / "Foreign directory" / "deep");
        write_file(at / "Foreign directory" / "deep" / "file", "mine");
        fs::create_directory_symlink(site.outside, at / "Foreign link");
        REQUIRE(::mkfifo((at / "Foreign FIFO").c_str(), 0600) == 0);
        files.insert(files.end(), {at / "Foreign", at / "Foreign directory" / "deep" / "file"});
    }
    const auto require_all_there = [&](std::size_t without_last) {
        for (std::size_t i = 0; i + 2 * without_last < files.size(); ++i) {
            INFO(files[i]);
            REQUIRE(read_file(files[i]) == "mine");
        }
        for (std::size_t i = 0; i + without_last < places.size(); ++i) {
            CHECK(stands(site.root / places[i] / "Foreign FIFO"));
            CHECK(stands(site.root / places[i] / "Foreign link"));
        }
    };
    for (const bool repair : {false, true}) {
        const auto report = value(site.cache.verify({repair}));
        for (const auto& place : places) {
            for (const char* name :
                 {"Foreign", "Foreign directory", "Foreign link", "Foreign FIFO"}) {
                INFO(place << " " << name);
                CHECK(found_at(report, Kind::foreign,
                               (place.empty() ? site.root : site.root / place) / name));
            }
        }
        CHECK(report.findings.size() == 4 * places.size());
        CHECK(report.sound());
        const auto collected = value(site.cache.collect());
        CHECK(collected.entries == 0);
        CHECK(collected.unknown.size() == 8);  // collect looks in both parts of retired/
        require_all_there(0);
    }
    CHECK(content_of(site.bucket, "k") == "good");

    // The bucket goes, and the entries with it. Foreign names in them move with them, and the
    // others stay.
    REQUIRE(site.bucket.refresh());
    (void)value(site.cache.collect());
    require_all_there(2);
    do_everything(site.cache);
    do_everything_anew(site.root);
    require_all_there(2);
    std::size_t in_retired = 0;
    for (const char* part : {"retired/buckets", "generations"}) {
        if (!fs::exists(site.root / part)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(site.root / part))
            in_retired += entry.path().filename() == "Foreign";
    }
    CHECK(in_retired >= 2);
    site.require_outside_untouched();
}

TEST_CASE("what lies in deleting/ is deleted, and no link in it is followed") {
    const Site site;
    fs::create_directories(site.root / "deleting" / "anything" / "deep");
    fs::create_directory_symlink(site.outside, site.root / "deleting" / "link");
    fs::create_directory_symlink(site.outside,
                                 site.root / "deleting" / "anything" / "deep" / "link");
    fs::create_symlink(site.outside / "precious", site.root / "deleting" / "file");
    REQUIRE(::mkfifo((site.root / "deleting" / "fifo").c_str(), 0600) == 0);
    (void)value(site.cache.collect());
    CHECK(count_entries(site.root / "deleting") == 0);
    site.require_outside_untouched();
}

TEST_CASE("wrong kinds of file under staged names of a dead process are reaped, and not followed") {
    const Site site;
    const fs::path area = site.root / "staging" / "1";
    in_child([&](Child&) {
        // A second participant, which is killed.
        const Cache cache = open_cache(site.root);
        put(value(cache.bucket("b")), "third", "third");
        Child::must(stands(area), "there is no second participant");
        ::_exit(0);
    });
    forge(area / format::staged_link_name({1, 1}), "/etc");
    forge(area / format::staged_link_name({1, 2}), "../../../outside/tree");
    forge(area / format::staged_link_name({1, 3}), format::target_of({9, 9}));
    // Where links are small files, a symlink is nothing of larder's, and only a repair moves it.
    if (test_options().link_kind == LinkKind::file) {
        forge(area / format::staged_link_name({1, 4}), "/etc");
    } else {
        fs::create_directory_symlink(site.outside, area / format::staged_link_name({1, 4}));
    }
    forge(area / format::old_link_name({1, 4}), "/etc");
    forge(area / format::old_link_name({1, 5}), "/etc");
    forge(area / format::old_link_name({1, 6}), format::target_of({9, 9}));
    forge(area / format::kept_link_name({1, 7}), format::target_of({1, 7}));
    // An entry that was staged, with a link in it, and one whose archive is a link.
    forge(area / format::staged_link_name({1, 8}), format::target_of({1, 8}));
    fs::create_directories(site.root / "archive" / format::to_text({1, 8}) / "tree");
    fs::create_directory_symlink(site.outside,
                                 site.root / "archive" / format::to_text({1, 8}) / "tree" / "link");
    forge(area / format::staged_link_name({1, 9}), format::target_of({1, 9}));
    fs::create_directory_symlink(site.outside, site.root / "archive" / format::to_text({1, 9}));
    (void)value(site.cache.collect());
    CHECK(count_entries(area) == 0);
    CHECK(count_entries(site.root / "retired" / "links") == 0);
    CHECK(count_entries(site.root / "deleting") == 0);
    CHECK(value(site.cache.verify()).findings.empty());
    site.require_outside_untouched();
    REQUIRE_NOTHROW(require_no_leak(site.root, 3));
}

TEST_CASE("a directory at a staged link's name is not deleted") {
    const Site site;
    const fs::path area = site.root / "staging" / "1";
    fs::create_directories(area / format::staged_link_name({1, 1}));
    write_file(area / format::staged_link_name({1, 1}) / "mine", "mine");
    write_file(site.root / "participants" / "1", "");
    (void)value(site.cache.collect());
    (void)value(site.cache.collect());
    std::size_t left = 0;
    for (const auto& entry : fs::recursive_directory_iterator(site.root))
        left += entry.path().filename() == "mine";
    CHECK(left == 1);
}

TEST_CASE("retired links with another text are collected, and not followed") {
    const Site site;
    const fs::path links = site.root / "retired" / "links";
    for (const char* text :
         {"nowhere", "/etc", "../../../etc", "../../../outside/tree", "../../archive/x/tree"}) {
        forge(links / to_text(format::fresh_id()), text);
    }
    forge(links / to_text(format::fresh_id()),
          format::target_of({9, 9}));  // an entry that does not exist
    (void)value(site.cache.collect());
    CHECK(count_entries(links) == 0);
    CHECK(value(site.cache.verify()).findings.empty());
    CHECK(content_of(site.bucket, "k") == "good");
    site.require_outside_untouched();
}

TEST_CASE(
    "a refreshed bucket with a directory, a symlink and a FIFO in it loses only what is larder's") {
    const Site site;
    put(value(site.cache.bucket("gone")), "k", "x");
    value(value(site.cache.bucket("gone")).refresh());
    const fs::path refreshed =
        keys_of(fs::directory_iterator(site.root / "retired" / "buckets")->path());
    const fs::path elsewhere = site.root / "retired" / "buckets" / to_text(format::fresh_id());
    fs::create_directories(refreshed / "directory");
    write_file(refreshed / "directory" / "mine", "mine");
    forge(refreshed / "link", "/etc");
    fs::create_directory_symlink(site.outside, elsewhere);
    const auto report = value(site.cache.verify());
    // A symlink there may be a pointer, and this one names nothing, so a collection unlinks it.
    const bool may_be_pointer =
        buckets_are_pointers() && test_options().link_kind == LinkKind::symlink;
    CHECK(found_at(report, Kind::foreign, elsewhere) == !may_be_pointer);
    const auto collected = value(site.cache.collect());
    CHECK(std::count(collected.unknown.begin(), collected.unknown.end(), elsewhere) ==
          (may_be_pointer ? 0 : 1));
    CHECK(std::count(collected.unknown.begin(), collected.unknown.end(), refreshed / "directory") ==
          1);
    CHECK(read_file(refreshed / "directory" / "mine") == "mine");
    CHECK_FALSE(stands(refreshed / "link"));
    CHECK(fs::is_symlink(elsewhere) == !may_be_pointer);
    site.require_outside_untouched();
}

TEST_CASE("a copy of a link under another key is found, and repair retires it and not the entry") {
    const Site site;
    const fs::path copy = keys_of(site.root / "buckets" / "b") / "copy";
    fs::copy(site.key(), copy, fs::copy_options::copy_symlinks);
    const auto report = value(site.cache.verify());
    CHECK(found_at(report, Kind::misnamed, copy));
    CHECK(found_at(report, Kind::shared, site.entry()));
    CHECK_FALSE(report.sound());
    (void)value(site.cache.verify({true}));
    (void)value(site.cache.collect());
    CHECK(content_of(site.bucket, "k") == "good");
    CHECK(content_of(site.bucket, "copy").empty());
    CHECK(value(site.cache.verify()).findings.empty());
    REQUIRE_NOTHROW(require_no_leak(site.root, 2));
}

TEST_CASE(
    "a copy of a key's link among the retired is found, and the entry stays, repaired or not") {
    for (const bool repair : {false, true}) {
        const Site site;
        fs::copy(site.key(), site.root / "retired" / "links" / to_text(format::fresh_id()),
                 fs::copy_options::copy_symlinks);
        CHECK(found_at(value(site.cache.verify()), Kind::shared, site.entry()));
        CHECK_FALSE(value(site.cache.verify()).sound());
        if (repair) CHECK(value(site.cache.verify({true})).sound());
        (void)value(site.cache.collect());
        CHECK(content_of(site.bucket, "k") == "good");
        CHECK(value(site.cache.verify()).findings.empty());
        REQUIRE_NOTHROW(require_no_leak(site.root, 2));
    }
}

TEST_CASE("an entry whose link was deleted is an orphan: it stays until repair gives it a link") {
    const Site site;
    fs::remove(site.key());
    require_found(site, Kind::orphan, site.entry());
    (void)value(site.cache.collect());
    CHECK(stands(site.entry()));
    {
        const auto report = value(site.cache.verify({true}));
        CHECK(report.sound());
        CHECK(report.garbage == 1);
    }
    CHECK(stands(site.entry()));
    require_healed(site);
}

TEST_CASE("a lease table that can't be read is found, and nothing is collected while it exists") {
    for (const std::string what : {"garbage", "newer", "directory", "symlink", "FIFO"}) {
        INFO(what);
        const Site site;
        const fs::path table = site.root / "participants" / "1";
        if (what == "garbage") write_file(table, std::string(16384, 'x'));
        if (what == "newer") write_file(table, "lardtbl3" + std::string(20000, '\0'));
        if (what == "directory") fs::create_directory(table);
        if (what == "symlink") fs::create_symlink(site.outside / "precious", table);
        if (what == "FIFO") REQUIRE(::mkfifo(table.c_str(), 0600) == 0);
        REQUIRE(site.bucket.remove("k"));

        const auto report = value(site.cache.verify());
        CHECK(count(report, Kind::participant) == 1);
        CHECK(found_at(report, Kind::participant, table));
        CHECK_FALSE(report.sound());
        const auto collected = site.cache.collect();
        REQUIRE_FALSE(collected);
        CHECK(collected.error().message().find(table.string()) != std::string::npos);
        if (what == "garbage" || what == "newer") CHECK(collected.error().code == Errc::damaged);
        CHECK(stands(site.entry()));  // the table may lease it
        CHECK(stands(table));
        // All else works, and in a new process too.
        CHECK(content_of(site.bucket, "other") == "other");
        put(site.bucket, "k", "new");
        in_child([&](Child&) {
            const Bucket bucket = value(open_cache(site.root).bucket("b"));
            put(bucket, "k2", "new");
            Child::must(content_of(bucket, "k2") == "new", "another content");
        });
        do_everything(site.cache);
        do_everything_anew(site.root);
        site.require_outside_untouched();

        fs::remove_all(table);
        (void)value(site.cache.collect());
        CHECK_FALSE(stands(site.entry()));
        CHECK(value(site.cache.verify()).findings.empty());
    }
}

TEST_CASE("a lease table that was cut off has no owner") {
    const Site site;
    in_child([&](Child&) {
        put(value(open_cache(site.root).bucket("b")), "k2", "new");
        ::_exit(0);
    });
    fs::resize_file(site.root / "participants" / "1", 4096);
    REQUIRE(site.bucket.remove("k"));
    CHECK(value(site.cache.collect()).entries == 1);
    CHECK(value(site.cache.verify()).findings.empty());
    in_child([&](Child&) {
        const Bucket bucket = value(open_cache(site.root).bucket("b"));
        Child::must(content_of(bucket, "k2") == "new", "another content");
    });
}

TEST_CASE("a lock file of another kind is an error, and is not followed") {
    const Site site;
    const fs::path locks = site.root / "locks";
    for (const fs::path& to :
         {site.outside / "precious", site.dir.path() / "would-be-created", site.outside}) {
        INFO(to);
        fs::remove(locks);
        fs::create_symlink(to, locks);
        const auto collected = site.cache.collect();
        REQUIRE_FALSE(collected);
        CHECK(collected.error().message().find(locks.string()) != std::string::npos);
        do_everything(site.cache);
        do_everything_anew(site.root);
        auto staging = value(site.bucket.stage());
        CHECK_FALSE(value(site.cache.bucket("c")).publish("k", std::move(staging)));
        CHECK(fs::is_symlink(locks));
        CHECK_FALSE(stands(site.dir.path() / "would-be-created"));
        site.require_outside_untouched();
    }
    fs::remove(locks);
    fs::create_directory(locks);
    write_file(locks / "file", "mine");
    CHECK_FALSE(site.cache.collect());
    do_everything(site.cache);
    do_everything_anew(site.root);
    CHECK(read_file(locks / "file") == "mine");
}

TEST_CASE("an entry that is a symlink to outside is a miss, and is found") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const fs::path entry = root / "archive" / put(bucket, "k", "good").id();
    fs::rename(entry, dir.path() / "outside");
    fs::create_directory_symlink(dir.path() / "outside", entry);
    CHECK_FALSE(value(cache.verify()).sound());
    CHECK_FALSE(bucket.info("k"));
    CHECK_FALSE(bucket.get("k"));
}

TEST_CASE(
    "malformed links among the retired are found, break nothing, and go with the next collection") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    put(value(cache.bucket("b")), "k", "good");
    forge(root / "retired" / "links" / to_text(format::fresh_id()), "/etc");
    const auto report = value(cache.verify());
    CHECK(report.findings.size() == 1);
    CHECK(report.sound());
    (void)value(cache.collect());
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE(
    "without root's rights, an entry that is closed to a process is a hit only if entry and tree "
    "are directories") {
    SKIP_UNLESS(is_root_user(), "a user that can become another");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache", closed = dir.path() / "closed";
    fs::create_directories(closed / "tree");
    fs::permissions(closed, fs::perms(0700));
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path tree = put(bucket, "closed tree", "good").path();
        fs::permissions(tree, fs::perms::none);
        Child::must(bucket.get("closed tree"));

        const fs::path led_away = put(bucket, "entry led away", "good").path().parent_path();
        fs::remove_all(led_away);
        fs::create_directory_symlink(closed, led_away);
        Child::must(!bucket.get("entry led away"), "an entry that is a symlink is a miss");

        const fs::path tree_led_away = put(bucket, "tree led away", "good").path();
        fs::remove_all(tree_led_away);
        fs::create_directory_symlink(closed / "tree", tree_led_away);
        Child::must(!bucket.get("tree led away"), "a tree that is a symlink is a miss");
    });
}

TEST_CASE(
    "an entry whose record can't be read because no descriptor is free is an error, and stays") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const std::string key(format::max_name + 1,
                          'k');  // its name is hashed, so a get compares it with the record
    put(bucket, key, "good");
    in_child([&](Child&) {
        const Cache mine = open_cache(root);
        const Bucket in_it = value(mine.bucket("b"));
        Child::must(in_it.get(key));
        std::vector<os::Fd> all;
        for (;;) {
            os::Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!fd) break;
            all.push_back(std::move(fd));
        }
        const auto got = in_it.get(key);
        const auto told = in_it.info(key);
        const auto collected = mine.collect();
        all.clear();
        Child::must(!got && got.error().code == Errc::system && got.error().sys_errno == EMFILE,
                    "get says why it can't");
        Child::must(!told && told.error().code == Errc::system, "info says why it can't");
        Child::must(!collected, "collect says that it can't");
        Child::must(in_it.get(key));
    });
    CHECK(content_of(bucket, key) == "good");
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE("a publish says so if another program has deleted what was staged, or its table") {
    for (const std::string what : {"table", "link", "tree"}) {
        INFO(what);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        Staging staging = value(bucket.stage());
        write_file(staging.path() / "f", "text");
        fs::path link;
        for (const auto& each : fs::directory_iterator(root / "staging" / "0")) link = each.path();
        if (what == "table") fs::remove(root / "participants" / "0");
        if (what == "link") fs::remove(link);
        if (what == "tree") fs::remove_all(staging.path().parent_path());
        in_child([&](Child&) { (void)value(open_cache(root).collect()); });
        const auto published = bucket.publish("k", std::move(staging));
        REQUIRE_FALSE(published);
        const std::string said = published.error().message();
        INFO(said);
        CHECK(contains(said, "another program has deleted"));
        CHECK(contains(said, what == "table"  ? "lease table"
                             : what == "link" ? link.filename().string()
                                              : "archive"));
        CHECK_FALSE(bucket.get("k"));
    }
}
