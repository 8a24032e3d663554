// SPDX-License-Identifier: MIT
// Where a tree may come from, and where it may go: no call moves away, or writes into, what is in a
// cache or around one.

#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

struct Site {
    TempDir dir;
    fs::path root = dir.path() / "above" / "cache";
    Cache cache = open_cache(root);
    Bucket bucket = value(cache.bucket("b"));
    fs::path source = dir.path() / "source";
    Lease lease = put(bucket, "k", "good");

    Site() { fill(source, "staged"); }
};

template <class T>
void require_invalid(const Result<T>& result, const fs::path& path) {
    REQUIRE_FALSE(result);
    CHECK(name_of(result.error().code) == name_of(Errc::invalid));
    INFO(result.error().message());
    CHECK(result.error().message().find(path.string()) != std::string::npos);
}

/// Returns ways to name something in the cache, and around it.
std::vector<fs::path> forbidden(const Site& site) {
    const fs::path tree = site.lease.path(), links = site.dir.path() / "links";
    fs::create_directories(links);
    fs::create_directory_symlink(tree, links / "to-tree");
    fs::create_directory_symlink(site.root, links / "to-root");
    fs::create_directory_symlink(site.root.parent_path(), links / "to-above");
    fs::create_directory_symlink(links / "to-tree", links / "to-link");
    return {tree,
            tree / "sub",
            tree.parent_path(),
            site.root / "archive",
            keys_of(site.root / "buckets" / "b"),
            site.root / "deleting",
            site.root,
            fs::path(site.root.string() + "/"),
            site.root / ".",
            site.root.parent_path(),
            site.dir.path(),
            "/",
            site.root / "archive" / ".." / ".." / "cache",
            links / "to-tree",
            links / "to-tree" / "sub",
            links / "to-root",
            links / "to-root" / "staging",
            links / "to-above",
            links / "to-above" / "cache",
            links / "to-link",
            links / "to-root" / ".."};
}

}  // namespace

TEST_CASE("a source in the cache, or above it, is neither copied nor moved") {
    const Site site;
    CHECK(content_of(site.bucket, "k") == "good");  // its use is in the lease table from here on
    const auto before = snapshot(site.root);
    for (const auto& source : forbidden(site)) {
        INFO(source);
        auto staging = value(site.bucket.stage());
        require_invalid(staging.copy_from(source), source);
        require_invalid(staging.move_from(source), source);
        CHECK(count_entries(staging.path()) == 0);
    }
    CHECK(content_of(site.lease) == "good");
    CHECK(content_of(site.bucket, "k") == "good");
    CHECK(snapshot(site.root) == before);
}

TEST_CASE("a relative path starts at the process's directory") {
    const Site site;
    in_child([&](Child&) {
        fs::current_path(site.root / "archive");
        auto staging = value(value(open_cache(site.root).bucket("b")).stage());
        const auto copied = staging.copy_from("."), moved = staging.move_from(".."),
                   above = staging.copy_from("../../..");
        for (const auto& result : {copied, moved, above})
            Child::must(!result && result.error().code == Errc::invalid, "not refused");
        fs::current_path(site.dir.path());
        Child::must(staging.copy_from("source"));
    });
}

TEST_CASE("a copy has all that its source has, and the source stays") {
    const Site site;
    fs::create_directory(site.source / "empty");
    fs::create_symlink("../nowhere", site.source / "link");
    fs::create_directory_symlink("/etc", site.source / "etc");
    fs::permissions(site.source / "f0", fs::perms(0755));
    const auto before = exact_snapshot(site.source);
    auto staging = value(site.bucket.stage());
    REQUIRE(staging.copy_from(site.source));
    CHECK(snapshot(staging.path()) == snapshot(site.source));
    CHECK((fs::status(staging.path() / "f0").permissions() & fs::perms::mask) == fs::perms(0755));
    CHECK(fs::is_symlink(staging.path() / "etc"));
    const Lease lease = value(site.bucket.publish("copy", std::move(staging)));
    CHECK(snapshot(lease.path()) == snapshot(site.source));
    CHECK(exact_snapshot(site.source) == before);
    CHECK(value(site.bucket.info("copy")).files == 5);
}

TEST_CASE(
    "a copy shares no file with its source: a write to the source does not change the entry") {
    const Site site;
    auto staging = value(site.bucket.stage());
    REQUIRE(staging.copy_from(site.source));
    const Lease lease = value(site.bucket.publish("copy", std::move(staging)));
    for (const char* name : {"f0", "sub/f1", "sub/deep/f2"}) {
        CHECK(fs::hard_link_count(site.source / name) == 1);
        write_file(site.source / name, "changed");
    }
    CHECK(content_of(lease) == "staged");
}

TEST_CASE("a file becomes the only one in the tree, even if a symlink leads to it") {
    const Site site;
    fs::create_directory_symlink(site.source, site.dir.path() / "link");
    auto staging = value(site.bucket.stage());
    REQUIRE(staging.copy_from(site.dir.path() / "link" / "f0"));
    CHECK(count_entries(staging.path()) == 1);
    CHECK(read_file(staging.path() / "f0") == "staged");
}

TEST_CASE("a source that can't be copied leaves nothing") {
    const Site site;
    REQUIRE(::mkfifo((site.source / "fifo").c_str(), 0600) == 0);
    for (const fs::path& source : {site.source, site.source / "fifo", site.dir.path() / "none",
                                   fs::path("/dev/null"), fs::path()}) {
        INFO(source);
        auto staging = value(site.bucket.stage());
        CHECK_FALSE(staging.copy_from(source));
    }
    for (const fs::path& source : {site.source / "f0", site.dir.path() / "none", fs::path()}) {
        auto staging = value(site.bucket.stage());
        CHECK_FALSE(staging.move_from(source));
    }
    fs::remove(site.source / "fifo");
    CHECK(stands(site.source / "f0"));
    CHECK(count_entries(site.root / "staging" / "0") == 0);
}

TEST_CASE("a move takes the directory itself, and works once") {
    const Site site;
    struct stat before {
    }, after{};
    REQUIRE(::stat(site.source.c_str(), &before) == 0);
    const fs::path second = site.dir.path() / "second";
    fill(second, "second");
    auto staging = value(site.bucket.stage());
    REQUIRE(staging.move_from(site.source));
    CHECK_FALSE(stands(site.source));
    REQUIRE(::stat(staging.path().c_str(), &after) == 0);
    CHECK(after.st_ino == before.st_ino);
    require_invalid(staging.move_from(second), staging.path());  // it is not empty any more
    CHECK(stands(second / "f0"));
    CHECK(content_of(value(site.bucket.publish("moved", std::move(staging)))) == "staged");
}

TEST_CASE("a moved tree that is not published goes back to where it came from") {
    const Site site;
    fs::permissions(site.source, fs::perms(0555));
    const auto snapshot_of_source = [&] {
        auto found = exact_snapshot(site.source);
        found.erase(".");  // a rename may change the time at which its status changed
        return found;
    };
    const auto before = snapshot_of_source();
    const auto modified = fs::last_write_time(site.source);
    const auto is_back = [&] {
        return snapshot_of_source() == before && fs::last_write_time(site.source) == modified &&
               fs::status(site.source).permissions() == fs::perms(0555);
    };
    const fs::path alias = site.dir.path() / "alias";
    fs::create_directory_symlink(site.source.parent_path(), alias);
    {
        auto dropped = value(site.bucket.stage());
        REQUIRE(dropped.move_from(alias / "source"));
        REQUIRE_FALSE(stands(site.source));
        CHECK_FALSE(dropped.copy_from(site.dir.path() / "none"));
        CHECK_FALSE(dropped.copy_from(site.dir.path() / "alias"));
        CHECK(stands(dropped.path() / "f0"));
    }
    CHECK(is_back());
    const auto fails_to_publish = [&](const Bucket& bucket, const std::string& key) {
        auto staging = value(site.bucket.stage());
        REQUIRE(staging.move_from(site.source));
        const auto published = bucket.publish(key, std::move(staging));
        REQUIRE_FALSE(published);
        INFO(published.error().message());
        CHECK(published.error().detail.find(site.source.string() + " was put back") !=
              std::string::npos);
        CHECK(is_back());
    };
    fs::create_directory(keys_of(site.root / "buckets" / "b") / "taken");
    fails_to_publish(site.bucket, "taken");
    const Cache other = open_cache(site.dir.path() / "other");
    fails_to_publish(value(other.bucket("b")), "k");
    const auto built = site.bucket.get_or_build("built", [&](Staging& staging) -> Result<> {
        REQUIRE(staging.move_from(site.source));
        return tl::make_unexpected(Error{Errc::build, 0, "build", {}, "no"});
    });
    REQUIRE_FALSE(built);
    CHECK(built.error().detail ==
          "no; " + site.source.string() + " was put back: try again when the cause is mended");
    CHECK(is_back());
    CHECK(count_entries(site.root / "archive") == 1);
    CHECK(count_entries(site.root / "staging" / "0") == 0);
    CHECK(count_entries(site.root / "retired" / "links") == 0);
}

TEST_CASE("a moved tree whose place is taken is kept in the cache, and no collection deletes it") {
    const Site site;
    fs::create_directory(keys_of(site.root / "buckets" / "b") / "taken");
    // A process of its own, because a collection reaps the staging areas of dead processes alone.
    Child mover([&](Child& child) {
        const Cache cache = open_cache(site.root);
        const Bucket bucket = value(cache.bucket("b"));
        auto staging = value(bucket.stage());
        Child::must(staging.move_from(site.source).has_value(), "the move");
        fs::create_directory(site.source);
        const fs::path kept = staging.path();
        const auto published = bucket.publish("taken", std::move(staging));
        Child::must(!published, "it was published");
        Child::must(contains(published.error().detail, kept.string()),
                    "the error does not name it");
        child.say("kept " + kept.string());
        child.hear();
    });
    const fs::path kept = mover.listen().substr(std::string("kept ").size());
    SECTION("while the process lives") {
        value(site.cache.collect());
        mover.go_on();
        CHECK(mover.join() == 0);
    }
    SECTION("after the process was killed") {
        mover.kill();
        CHECK(value(site.cache.collect()).reaped == 1);
    }
    SECTION("after another process has taken its table over") {
        mover.kill();
        in_child([&](Child&) { value(open_cache(site.root).collect()); });
    }
    value(site.cache.collect());
    CHECK(fs::is_empty(site.source));
    CHECK(read_file(kept / "f0") == "staged");
    const auto findings = value(site.cache.verify()).findings;
    CHECK(std::any_of(findings.begin(), findings.end(),
                      [&](const Finding& each) { return each.path == kept; }));
}

TEST_CASE("a symlink to a directory can't be moved, and stays") {
    const Site site;
    fs::create_directory_symlink(site.source, site.dir.path() / "link");
    auto staging = value(site.bucket.stage());
    require_invalid(staging.move_from(site.dir.path() / "link"), site.dir.path() / "link");
    CHECK(stands(site.dir.path() / "link"));
    CHECK(stands(site.source / "f0"));
}

TEST_CASE("a move across file systems is unsupported, and leaves the source") {
    const Site site;
    const fs::path at = site.dir.path() / "elsewhere";
    fs::create_directory(at);
    const Mount mount("tmpfs", at, "tmpfs");
    SKIP_UNLESS(mount, "the right to mount a tmpfs");
    fill(at / "source", "staged");
    const auto before = exact_snapshot(at / "source");
    auto staging = value(site.bucket.stage());
    const auto moved = staging.move_from(at / "source");
    REQUIRE_FALSE(moved);
    CHECK(name_of(moved.error().code) == name_of(Errc::unsupported));
    CHECK(exact_snapshot(at / "source") == before);
    // The staging works as before: the message names a copy, and a copy works.
    REQUIRE(staging.copy_from(at / "source"));
    CHECK(content_of(value(site.bucket.publish("k2", std::move(staging)))) == "staged");
}

TEST_CASE("the cache under another name, by a bind mount, is the same cache") {
    const Site site;
    const fs::path at = site.dir.path() / "alias";
    fs::create_directory(at);
    const Mount mount(site.root.string(), at, "none", MS_BIND);
    SKIP_UNLESS(mount, "the right to make a bind mount");
    auto staging = value(site.bucket.stage());
    const fs::path tree = at / site.lease.path().lexically_relative(site.root);
    REQUIRE(stands(tree / "f0"));
    CHECK_FALSE(staging.move_from(tree));
    require_invalid(staging.copy_from(tree), tree);
    require_invalid(materialize(site.lease.path(), at / "staging" / "there"),
                    at / "staging" / "there");
    CHECK(content_of(site.lease) == "good");
}

TEST_CASE("nothing is materialized into a cache, or over what contains it") {
    const Site site;
    const auto before = snapshot(site.root);
    for (const auto& destination : forbidden(site)) {
        INFO(destination);
        const auto report = materialize(site.lease.path(), destination);
        REQUIRE_FALSE(report);
        CHECK(name_of(report.error().code) == name_of(Errc::invalid));
    }
    const Cache other = open_cache(site.dir.path() / "other");
    for (const fs::path& destination :
         {other.root(), other.root() / "new", other.root() / "deleting" / "a" / "b"}) {
        const auto report = materialize(site.lease.path(), destination);
        REQUIRE_FALSE(report);
        CHECK(name_of(report.error().code) == name_of(Errc::invalid));
    }
    CHECK(snapshot(site.root) == before);
    CHECK(count_entries(other.root() / "deleting") == 0);
}

TEST_CASE("nothing is moved out of another cache, whose entry may be leased; a copy works") {
    const Site site;
    const Cache other = open_cache(site.dir.path() / "other");
    const Bucket theirs = value(other.bucket("b"));
    const Lease lease = put(theirs, "k", "theirs");
    auto staging = value(site.bucket.stage());
    for (const fs::path& source :
         {lease.path(), lease.path() / "sub", lease.path().parent_path(), other.root()}) {
        require_invalid(staging.move_from(source), source);
    }
    CHECK(content_of(lease) == "theirs");
    value(staging.copy_from(lease.path()));
    CHECK(content_of(value(site.bucket.publish("copied", std::move(staging)))) == "theirs");
    CHECK(value(other.verify()).findings.empty());
    CHECK(value(site.cache.verify()).findings.empty());
}

TEST_CASE("a staging of another cache is refused, and is deleted") {
    const Site site;
    const Cache other = open_cache(site.dir.path() / "other");
    {
        auto staging = value(site.bucket.stage());
        fill(staging.path(), "staged");
        const auto published = value(other.bucket("b")).publish("k", std::move(staging));
        REQUIRE_FALSE(published);
        CHECK(name_of(published.error().code) == name_of(Errc::invalid));
        CHECK(published.error().message().find(site.root.string()) != std::string::npos);
    }
    CHECK(count_entries(site.root / "staging" / "0") == 0);
    CHECK(count_entries(other.root() / "archive") == 0);
    REQUIRE_NOTHROW(require_no_leak(site.root, 1));
    REQUIRE_NOTHROW(require_no_leak(other.root(), 0));
}

TEST_CASE("another Cache on the same root, and another bucket, may publish a staging") {
    const Site site;
    auto staging = value(site.bucket.stage());
    fill(staging.path(), "staged");
    const Cache same = open_cache(site.root);
    CHECK(content_of(value(value(same.bucket("c")).publish("k", std::move(staging)))) == "staged");
}

TEST_CASE("a staging that was published, or moved from, can't be published") {
    const Site site;
    auto staging = value(site.bucket.stage());
    fill(staging.path(), "staged");
    Staging moved = std::move(staging);
    CHECK(staging.path().empty());
    const auto refuse = [&](Staging& spent) {
        const auto published = site.bucket.publish("k", std::move(spent));
        REQUIRE_FALSE(published);
        CHECK(name_of(published.error().code) == name_of(Errc::invalid));
    };
    refuse(staging);
    REQUIRE(site.bucket.publish("k2", std::move(moved)));
    refuse(moved);
    CHECK(content_of(site.bucket, "k") == "good");
    CHECK(content_of(site.bucket, "k2") == "staged");
    REQUIRE_NOTHROW(require_no_leak(site.root, 2));
}

TEST_CASE("materialize in each mode, and replace") {
    const Site site;
    auto staging = value(site.bucket.stage());
    fill(staging.path(), "tree");
    fs::create_directory(staging.path() / "empty");
    fs::create_symlink("f0", staging.path() / "link");
    fs::permissions(staging.path() / "f0", fs::perms(0555));
    const Lease lease = value(site.bucket.publish("tree", std::move(staging)));
    const auto tree = snapshot(lease.path());
    for (const LinkMode mode : {LinkMode::automatic, LinkMode::hardlink, LinkMode::copy}) {
        const fs::path to = site.dir.path() / "to" / std::to_string(static_cast<int>(mode));
        const auto report = materialize(lease.path(), to, {mode});
        REQUIRE(report);
        CHECK(snapshot(to) == tree);
        CHECK((fs::status(to / "f0").permissions() & fs::perms::mask) == fs::perms(0555));
        CHECK(report->cloned + report->hardlinked + report->copied == 3);
        CHECK(report->symlinks == 1);
        CHECK(report->directories == 4);
        CHECK(report->bytes == 12);
        if (mode == LinkMode::hardlink) CHECK(report->hardlinked == 3);
        if (mode == LinkMode::copy) CHECK(report->copied == 3);
        CHECK((fs::hard_link_count(to / "sub/f1") > 1) == (report->hardlinked == 3));

        const auto again = materialize(lease.path(), to, {mode});
        REQUIRE_FALSE(again);
        CHECK(name_of(again.error().code) == name_of(Errc::exists));
        const auto replaced = materialize(lease.path(), to, {mode, true});
        REQUIRE(replaced);
        CHECK(snapshot(to) == tree);
        CHECK(replaced->directories == 0);
    }
    CHECK(snapshot(lease.path()) == tree);
}

TEST_CASE("a link mode that does not work here is an error, and nothing is copied") {
    const Site site;
    const fs::path at = site.dir.path() / "elsewhere";
    fs::create_directory(at);
    const Mount mount("tmpfs", at, "tmpfs");
    SKIP_UNLESS(mount, "the right to mount a tmpfs");
    for (const LinkMode mode : {LinkMode::hardlink, LinkMode::clone}) {
        const auto report = materialize(site.lease.path(), at / "to", {mode});
        REQUIRE_FALSE(report);
        CHECK(name_of(report.error().code) == name_of(Errc::unsupported));
        CHECK_FALSE(stands(at / "to" / "f0"));
    }
    const auto report = materialize(site.lease.path(), at / "automatic");
    REQUIRE(report);
    CHECK(report->copied == 3);
}

TEST_CASE("a relative destination starts at the process's directory, even if that is in an entry") {
    in_child([](Child&) {
        const TempDir dir;
        const Cache cache = open_cache(dir.path() / "cache");
        const Bucket bucket = value(cache.bucket("b"));
        const Lease one = put(bucket, "one", "1"), other = put(bucket, "other", "2");
        const auto before = snapshot(one.path());
        fs::current_path(one.path());
        const auto report = materialize(other.path(), "out");
        Child::must(!report && report.error().code == Errc::invalid, "refused");
        Child::must(snapshot(one.path()) == before, "unchanged");
    });
}

TEST_CASE("a Staging that was published can't be filled any more") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    auto staging = value(bucket.stage());
    (void)value(bucket.publish("k", std::move(staging)));
    const auto copied = staging.copy_from(dir.path()), moved = staging.move_from(dir.path());
    REQUIRE_FALSE(copied);
    REQUIRE_FALSE(moved);
    CHECK(copied.error().code == Errc::invalid);
    CHECK(moved.error().code == Errc::invalid);
}
