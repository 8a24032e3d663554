// SPDX-License-Identifier: MIT
// Roots: what a path may lead to when a cache is opened there, and what may happen to it while the
// cache is open.

#include <algorithm>
#include <csignal>

#include "format/format_file.hpp"
#include "format/layout.hpp"
#include "os/link.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A path that leads to a cache with one entry, made by a process that has ended.
struct Site {
    TempDir dir;
    fs::path root = dir.path() / "cache";

    Site() {
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "good"); });
    }
};

OpenOptions reading() {
    OpenOptions options = test_options();
    options.read_only = true;
    return options;
}

template <class T>
void require_refused(const Result<T>& result, const std::string& word, Errc code = Errc::refused) {
    REQUIRE_FALSE(result);
    INFO(result.error().message());
    CHECK(name_of(result.error().code) == name_of(code));
    CHECK(result.error().message().find(word) != std::string::npos);
}

/// Requires that the next call that writes works, whatever happened to the root before.
void require_usable(const Cache& cache) {
    const Bucket bucket = value(cache.bucket("b"));
    CHECK(content_of(put(bucket, "again", "again")) == "again");
    CHECK(content_of(bucket, "again") == "again");
    REQUIRE(bucket.remove("again"));
    REQUIRE(bucket.refresh());
    CHECK(cache.collect());
    CHECK(value(cache.verify({true})).sound());  // if links were deleted, their entries are orphans
    CHECK(cache.collect());
    CHECK(value(cache.verify()).findings.empty());
    CHECK(stands(cache.root() / "format"));
}

/// What can happen to the root of an open cache.
const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> disasters = {
    {"rm -rf root", [](const fs::path& root) { fs::remove_all(root); }},
    {"rm -rf root/*",
     [](const fs::path& root) {
         for (const auto& entry : fs::directory_iterator(root)) {
             if (!entry.path().filename().string().starts_with(".")) fs::remove_all(entry.path());
         }
     }},
    {"rm -rf root/*/*",
     [](const fs::path& root) {
         for (const auto& entry : fs::directory_iterator(root)) {
             if (!entry.is_directory()) continue;
             for (const auto& inner : fs::directory_iterator(entry.path()))
                 fs::remove_all(inner.path());
         }
     }},
    {"rm -rf root && mkdir root",
     [](const fs::path& root) {
         fs::remove_all(root);
         fs::create_directory(root);
     }},
    {"another cache in its place",
     [](const fs::path& root) {
         fs::rename(root, root.string() + ".old");
         in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "another"); });
     }},
    {"renamed away", [](const fs::path& root) { fs::rename(root, root.string() + ".old"); }},
    {"rm -rf root/participants",
     [](const fs::path& root) { fs::remove_all(root / "participants"); }},
    {"rm -rf root/buckets", [](const fs::path& root) { fs::remove_all(root / "buckets"); }},
    {"rm -rf root/archive", [](const fs::path& root) { fs::remove_all(root / "archive"); }},
    {"rm -rf root/staging", [](const fs::path& root) { fs::remove_all(root / "staging"); }},
    {"rm -rf root/retired", [](const fs::path& root) { fs::remove_all(root / "retired"); }},
    {"rm -rf root/locks root/deleting",
     [](const fs::path& root) {
         fs::remove_all(root / "locks");
         fs::remove_all(root / "deleting");
     }},
    {"rm -rf root/participants/*",
     [](const fs::path& root) {
         for (const auto& inner : fs::directory_iterator(root / "participants"))
             fs::remove_all(inner.path());
     }},
};

/// Makes everything below the top unwritable, as in a cache that came with an image.
void make_read_only(const fs::path& top) {
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
        if (!entry.is_symlink())
            fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0555) : fs::perms(0444));
    }
    fs::permissions(top, fs::perms(0555));
}

/// Checks a cache that this process can't write: get works and writes nothing, and the calls that
/// write say so.
void check_reader(const fs::path& root, const OpenOptions& options) {
    const Cache cache = Child::must(Cache::open(root, options));
    const Bucket bucket = Child::must(cache.bucket("b"));
    Child::must(cache.is_read_only(), "not read-only");
    const Lease lease = Child::must(bucket.get("k"));
    Child::must(!lease.is_protected(), "protected");
    Child::must(content_of(lease) == "good", "another content");
    const auto missing = bucket.get("none"), elsewhere = Child::must(cache.bucket("none")).get("k");
    for (const auto* miss : {&missing, &elsewhere})
        Child::must(!*miss && miss->error().code == Errc::miss, "no miss");
    Child::must(Child::must(bucket.keys()).size() == 1, "keys");
    Child::must(Child::must(cache.buckets()).size() == 1, "buckets");
    Child::must(Child::must(bucket.info("k")).key == "k", "info");
    (void)Child::must(cache.status());
    const auto refuses = [](const auto& result, const char* what) {
        Child::must(!result, std::string(what) + " works");
        Child::must(result.error().code == Errc::read_only,
                    std::string(what) + ": " + result.error().message());
    };
    refuses(bucket.stage(), "stage");
    refuses(bucket.remove("k"), "remove");
    refuses(bucket.remove("none"), "remove of none");
    refuses(bucket.refresh(), "refresh");
    refuses(cache.collect(), "collect");
    refuses(bucket.get_or_build("none", [](Staging&) -> Result<> { return {}; }), "get_or_build");
    Child::must(content_of(bucket, "k") == "good", "gone");
}

}  // namespace

TEST_CASE("a root that is a file is refused, and does not change") {
    const TempDir dir;
    write_file(dir.path() / "file", "mine");
    require_refused(Cache::open(dir.path() / "file"), "not a directory");
    CHECK_FALSE(Cache::open(dir.path() / "file" / "below"));
    CHECK_FALSE(Cache::open(dir.path() / "file", reading()));
    CHECK(read_file(dir.path() / "file") == "mine");
}

TEST_CASE("a root that is a dangling symlink is refused, and nothing is made where it points") {
    const TempDir dir;
    fs::create_symlink(dir.path() / "nowhere", dir.path() / "link");
    require_refused(Cache::open(dir.path() / "link"), "symlink");
    CHECK_FALSE(stands(dir.path() / "nowhere"));
    fs::create_symlink("loop", dir.path() / "loop");
    CHECK_FALSE(Cache::open(dir.path() / "loop"));
    CHECK_FALSE(Cache::open(dir.path() / "link", reading()));
}

TEST_CASE("a root that is a symlink to a directory leads there") {
    const TempDir dir;
    fs::create_directory(dir.path() / "there");
    fs::create_directory_symlink("there", dir.path() / "link");
    const Cache cache = open_cache(dir.path() / "link");
    CHECK(cache.root() == dir.path() / "there");
    const Lease lease = put(value(cache.bucket("b")), "k", "good");
    CHECK(lease.path().string().starts_with((dir.path() / "there").string()));
    CHECK(content_of(value(open_cache(dir.path() / "there").bucket("b")), "k") == "good");
}

TEST_CASE("paths that name no directory are errors") {
    const TempDir dir;
    for (const fs::path& path : {fs::path(), fs::path("/dev/null"), fs::path("/proc/none/cache"),
                                 dir.path() / std::string(300, 'x')}) {
        INFO(path);
        const auto cache = Cache::open(path);
        REQUIRE_FALSE(cache);
        CHECK(cache.error().message().size() > 10);
    }
}

TEST_CASE(
    "a root is made with mode 0700, the directories above it as usual, with the files that backups "
    "and git need") {
    const TempDir dir;
    const fs::path root = dir.path() / "a" / "b" / "cache";
    const Cache cache = open_cache(root);
    CHECK((fs::status(root).permissions() & fs::perms::mask) == fs::perms(0700));
    CHECK(read_file(root / "CACHEDIR.TAG")
              .starts_with("Signature: 8a477f597d28d172789f06886806bc55\n"));
    CHECK(read_file(root / ".gitignore") == "*\n");
    CHECK(read_file(root / "format") ==
          format::print_format({*test_options().link_kind, *test_options().bucket_kind}));
    CHECK(count_entries(root) == (buckets_are_pointers() ? 11 : 10));
    CHECK(count_entries(root / "deleting") == 0);
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE("a directory that holds something else is refused, untouched") {
    for (const char* name : {"file", ".hidden", "Format", "formats"}) {
        const TempDir dir;
        write_file(dir.path() / name, "mine");
        const auto before = exact_snapshot(dir.path());
        require_refused(Cache::open(dir.path(), test_options()), std::string("\"") + name + "\"");
        require_refused(Cache::open(dir.path(), reading()), "format");
        CHECK(exact_snapshot(dir.path()) == before);
    }
}

TEST_CASE("a cache of a newer format is refused, untouched") {
    for (const char* format :
         {"larder 6\n", "larder 6\nlinks symlink\n", "larder 7\nsomething: else\n"}) {
        const Site site;
        write_file(site.root / "format", format);
        fs::remove_all(site.root / "deleting");
        fs::remove(site.root / "CACHEDIR.TAG");
        const auto before = exact_snapshot(site.root);
        require_refused(Cache::open(site.root, test_options()), "newer");
        require_refused(Cache::open(site.root, reading()), "newer");
        CHECK(exact_snapshot(site.root) == before);
    }
}

TEST_CASE("a cache of an older format is refused, untouched, and the error says what to do") {
    const Site site;
    write_file(site.root / "format", "larder 1\nlinks symlink\n");
    const auto before = exact_snapshot(site.root);
    require_refused(Cache::open(site.root, test_options()), "an older larder");
    require_refused(Cache::open(site.root, test_options()), "delete the directory");
    require_refused(Cache::open(site.root, reading()), "an older larder");
    CHECK(exact_snapshot(site.root) == before);
}

TEST_CASE("a cache whose format became newer while it was open is not opened again") {
    const Site site;
    const Cache cache = open_cache(site.root);
    fs::remove_all(site.root / "deleting");  // so it must be opened again
    write_file(site.root / "format", "larder 6\n");
    const auto before = exact_snapshot(site.root);
    require_refused(cache.collect(), "newer");
    require_refused(value(cache.bucket("b")).remove("k"), "newer");
    CHECK(exact_snapshot(site.root) == before);
}

TEST_CASE(
    "a format that is garbage, cut off, or no file is an error that names it, and the cache does "
    "not change") {
    for (const std::string text :
         {"", "garbage", "larder 4", "larder 4\nlinks sym", "larder 4\nlinks telepathy\n"}) {
        INFO(text);
        const Site site;
        write_file(site.root / "format", text);
        const auto before = exact_snapshot(site.root);
        require_refused(Cache::open(site.root, test_options()), (site.root / "format").string());
        require_refused(Cache::open(site.root, reading()), (site.root / "format").string());
        CHECK(exact_snapshot(site.root) == before);
    }
    for (const std::string what : {"directory", "FIFO", "symlink", "endless"}) {
        INFO(what);
        const Site site;
        const fs::path format = site.root / "format";
        fs::rename(format, site.dir.path() / "format");
        if (what == "directory") fs::create_directory(format);
        if (what == "FIFO") REQUIRE(::mkfifo(format.c_str(), 0600) == 0);
        if (what == "symlink") fs::create_symlink(site.dir.path() / "format", format);
        if (what == "endless") {
            write_file(format, "garbage");
            fs::resize_file(format, std::uintmax_t{1} << 40);
        }
        const auto cache = Cache::open(site.root, test_options());
        REQUIRE_FALSE(cache);
        CHECK(cache.error().message().find(format.string()) != std::string::npos);
    }
}

TEST_CASE("a cache that has lost its format keeps its kinds, whatever the options say") {
    for (const LinkKind links : {LinkKind::symlink, LinkKind::file}) {
        for (const BucketKind buckets : {BucketKind::directory, BucketKind::pointer}) {
            for (const bool is_refreshed : {false, true}) {
                const TempDir dir;
                const fs::path root = dir.path() / "cache";
                OpenOptions as_made, other;
                as_made.link_kind = links;
                as_made.bucket_kind = buckets;
                other.link_kind = links == LinkKind::file ? LinkKind::symlink : LinkKind::file;
                other.bucket_kind =
                    buckets == BucketKind::pointer ? BucketKind::directory : BucketKind::pointer;
                in_child([&](Child&) {
                    const Bucket bucket = value(open_cache(root, as_made).bucket("b"));
                    put(bucket, "removed", "text");
                    put(bucket, "k", "text");
                    value(bucket.remove("removed"));
                    if (is_refreshed) value(bucket.refresh());
                });
                write_file(root / "buckets" / "strange", "a note");
                fs::remove(root / "format");
                const Cache cache = open_cache(root, other);
                CHECK(cache.link_kind() == links);
                CHECK(cache.bucket_kind() == buckets);
                if (!is_refreshed) CHECK(content_of(value(cache.bucket("b")), "k") == "text");
                value(cache.collect());
                fs::remove(root / "buckets" / "strange");
                CHECK(value(cache.verify()).findings.empty());
                require_no_leak(root, is_refreshed ? 0 : 1);
            }
        }
    }
}

TEST_CASE("the kind of link is the one in the format, whatever the options say") {
    const Site site;
    OpenOptions other = test_options();
    other.link_kind =
        test_options().link_kind == LinkKind::file ? LinkKind::symlink : LinkKind::file;
    for (const auto& options : {other, OpenOptions{}}) {
        const Cache cache = open_cache(site.root, options);
        CHECK(cache.link_kind() == test_options().link_kind);
        put(value(cache.bucket("b")), "k2", "good");
        CHECK(fs::is_symlink(keys_of(site.root / "buckets" / "b") / "k2") ==
              (test_options().link_kind == LinkKind::symlink));
    }
}

TEST_CASE(
    "a kind of link that does not exist here is an error, and the root can be used with another") {
    const TempDir dir;
    OpenOptions options;
    options.link_kind = LinkKind::junction;
    if (os::has_junctions()) return;  // Linux acts like Windows
    const auto cache = Cache::open(dir.path() / "cache", options);
    REQUIRE_FALSE(cache);
    CHECK(name_of(cache.error().code) == name_of(Errc::unsupported));
    CHECK(cache.error().detail.find("exist on Windows only") != std::string::npos);
    CHECK_FALSE(stands(dir.path() / "cache" / "format"));
    require_usable(open_cache(dir.path() / "cache"));
}

TEST_CASE("a cache with junctions is refused where there are none, and is not touched") {
    if (os::has_junctions()) return;  // Linux acts like Windows
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    const std::string format = "larder 4\nlinks junction\nbuckets pointer\n";
    write_file(root / "format", format);
    const auto refused = Cache::open(root, test_options());
    require_refused(refused, "directory junctions");
    require_refused(refused, "name another directory");
    CHECK(read_file(root / "format") == format);
}

TEST_CASE("a network file system is refused unless it is allowed, and the message says why") {
    const TempDir dir;
    const AtPoints network(
        [](const std::string& point) { return point == "open.network" ? 1 : 0; });
    const auto refused = Cache::open(dir.path() / "cache", test_options());
    require_refused(refused, "NFS");
    require_refused(refused, "mapped memory");
    OpenOptions options = test_options();
    options.allow_network = true;
    require_usable(open_cache(dir.path() / "cache", options));
}

TEST_CASE("eight processes that create one cache at once all use the same one") {
    const TempDir dir;
    const fs::path root = dir.path() / "a" / "cache";
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < 8; ++i) {
        children.push_back(std::make_unique<Child>(
            [&, i](Child& self) {
                self.say("ready");
                self.hear();
                OpenOptions options;
                options.link_kind = i % 2 == 0
                                        ? LinkKind::symlink
                                        : LinkKind::file;  // only one of the two kinds can win
                const Cache cache = Child::must(Cache::open(root, options));
                const Bucket bucket = Child::must(cache.bucket("b"));
                put(bucket, std::to_string(i), "content " + std::to_string(i));
                self.say("done");
                self.hear();
                for (int k = 0; k < 8; ++k)
                    Child::must(
                        content_of(bucket, std::to_string(k)) == "content " + std::to_string(k),
                        "not found");
            },
            Points{{"open.format"}, {}}));
    }
    for (auto& child : children) child->wait_for("ready");
    for (auto& child : children) child->go_on();
    // All are about to write the format, unless the first one has written it already.
    std::vector<Child*> undecided;
    for (auto& child : children) {
        if (child->listen() == "open.format") undecided.push_back(child.get());
    }
    CHECK_FALSE(undecided.empty());
    for (auto* child : undecided) child->go_on();
    for (auto* child : undecided) child->wait_for("done");
    for (auto& child : children) child->go_on();
    for (auto& child : children) CHECK(child->join() == 0);
    REQUIRE_NOTHROW(require_no_leak(root, 8));
}

TEST_CASE("a creation that is killed is completed by the next open") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child victim([&](Child&) { (void)Cache::open(root, test_options()); }, {{}, {"open.format"}});
    REQUIRE(victim.join() == 128 + SIGKILL);
    CHECK_FALSE(stands(root / "format"));
    require_refused(Cache::open(root, reading()), "format");
    require_usable(open_cache(root));
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("a creation that can't be synced is an error, and the next open completes it") {
    const char* const synced[] = {"CACHEDIR.TAG", ".gitignore", "format", "the root's directory"};
    for (int failing_sync = 0; failing_sync < 4; ++failing_sync) {
        INFO(synced[failing_sync]);
        const bool placed = failing_sync == 3;
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        {
            int syncs = 0;
            const AtPoints failing([&](const std::string& point) {
                return point == "os.sync" && syncs++ == failing_sync ? EIO : 0;
            });
            const auto cache = Cache::open(root, test_options());
            REQUIRE_FALSE(cache);
            CHECK(cache.error().sys_errno == EIO);
        }
        CHECK(stands(root / "format") == placed);
        const Cache cache = open_cache(root);
        put(value(cache.bucket("b")), "k", "good");
        REQUIRE_NOTHROW(require_no_leak(root, 1));
    }
}

TEST_CASE(
    "if symlinks don't work, a cache is made with small files, and stays so in every later open",
    "[not-windows]") {  // where its buckets are pointers besides
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    {
        const AtPoints no_symlinks(
            [](const std::string& point) { return point == "link.probe-symlink" ? EPERM : 0; });
        CHECK(value(Cache::open(root)).link_kind() == LinkKind::file);
    }
    CHECK(read_file(root / "format") == "larder 5\nlinks file\nbuckets directory\n");
    in_child([&](Child&) {
        const Cache cache = value(Cache::open(root));
        Child::must(cache.link_kind() == LinkKind::file, "the cache's own kind");
        put(value(cache.bucket("b")), "k", "good");
    });
    CHECK(fs::is_regular_file(fs::symlink_status(keys_of(root / "buckets" / "b") / "k")));
    CHECK(content_of(value(value(Cache::open(root)).bucket("b")), "k") == "good");
    const AtPoints nothing_works(
        [](const std::string& point) { return point.starts_with("link.probe-") ? EPERM : 0; });
    OpenOptions by_name;
    by_name.link_kind = LinkKind::symlink;
    require_refused(Cache::open(dir.path() / "other", by_name), "do not work", Errc::unsupported);
}

TEST_CASE("a directory with a foreign .gitignore or tag is not made a cache") {
    for (const bool tag : {false, true}) {
        const TempDir dir;
        write_file(dir.path() / (tag ? "CACHEDIR.TAG" : ".gitignore"),
                   tag ? "Signature: 8a477f597d28d172789f06886806bc55\n# pip's\n" : "*.o\n");
        const auto before = exact_snapshot(dir.path());
        require_refused(Cache::open(dir.path(), test_options()),
                        tag ? "CACHEDIR.TAG" : ".gitignore");
        CHECK(exact_snapshot(dir.path()) == before);
    }
}

TEST_CASE(
    "a creation that was interrupted after any number of names is completed by the next open") {
    const std::vector<std::string> names = {"participants",  "staging",         "buckets",
                                            "archive",       "deleting",        "retired",
                                            "retired/links", "retired/buckets", "locks"};
    for (std::size_t made = 0; made <= names.size(); ++made) {
        const TempDir dir;
        write_file(dir.path() / "CACHEDIR.TAG", std::string(format::cachedir_tag_text));
        for (std::size_t i = 0; i < made; ++i) {
            if (names[i] == "locks") {
                write_file(dir.path() / names[i], "");
            } else {
                fs::create_directory(dir.path() / names[i]);
            }
        }
        INFO(made);
        require_usable(open_cache(dir.path()));
    }
    const TempDir dir;
    write_file(dir.path() / "CACHEDIR.TAG", "");
    require_usable(open_cache(dir.path()));
}

TEST_CASE(
    "a cache that was restored without its empty directories is completed, and keeps its entries") {
    const Site site;
    for (const char* name : {"deleting", "staging", "retired", "locks", "participants"})
        fs::remove_all(site.root / name);
    const Cache cache = open_cache(site.root);
    CHECK(content_of(value(cache.bucket("b")), "k") == "good");
    CHECK(value(cache.verify()).findings.empty());
    require_usable(cache);
}

TEST_CASE("a cache that was restored without its links, or its entries, has misses and no errors") {
    for (const char* name : {"buckets", "archive", "buckets/b"}) {
        INFO(name);
        const Site site;
        fs::remove_all(site.root / name);
        const Cache cache = open_cache(site.root);
        CHECK(content_of(value(cache.bucket("b")), "k").empty());
        CHECK(value(cache.verify({true})).sound());
        require_usable(cache);
        REQUIRE_NOTHROW(require_no_leak(site.root, 0));
    }
}

TEST_CASE("if a root is taken away between two calls, the next call that writes works") {
    for (const auto& [name, strike] : disasters) {
        INFO(name);
        const Site site;
        const Cache cache = open_cache(site.root);
        const Bucket bucket = value(cache.bucket("b"));
        CHECK(content_of(bucket, "k") == "good");
        strike(site.root);
        require_usable(cache);
        REQUIRE_NOTHROW(put(bucket, "k", "new"));
        CHECK(content_of(bucket, "k") == "new");
        in_child([&](Child&) {
            Child::must(content_of(value(open_cache(site.root).bucket("b")), "k") == "new",
                        "another cache");
        });
    }
}

TEST_CASE("a root that is taken away again and again leaves no descriptor behind") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const auto descriptors = [] { return count_entries("/proc/self/fd"); };
    put(bucket, "k", "good");
    const std::size_t at_first = descriptors();
    for (int i = 0; i < 10; ++i) {
        fs::remove_all(root);
        put(bucket, "k", "good");
        CHECK(descriptors() == at_first);
    }
    // A descriptor that is in use stays while it is in use.
    {
        const Lease lease = value(bucket.get("k"));
        fs::remove_all(root);
        put(bucket, "k", "good");
        CHECK(descriptors() > at_first);
    }
    CHECK(descriptors() == at_first);
}

TEST_CASE(
    "if a root is taken away, each kind of call works or is an error, and none makes half a "
    "cache") {
    using Call = std::function<bool(const Cache&, const Bucket&)>;
    const std::vector<std::pair<std::string, Call>> calls = {
        {"info", [](const Cache&, const Bucket& bucket) { return bucket.info("k").has_value(); }},
        {"keys", [](const Cache&, const Bucket& bucket) { return bucket.keys().has_value(); }},
        {"buckets", [](const Cache& cache, const Bucket&) { return cache.buckets().has_value(); }},
        {"status", [](const Cache& cache, const Bucket&) { return cache.status().has_value(); }},
        {"stage", [](const Cache&, const Bucket& bucket) { return bucket.stage().has_value(); }},
        {"remove",
         [](const Cache&, const Bucket& bucket) { return bucket.remove("k").has_value(); }},
        {"refresh",
         [](const Cache&, const Bucket& bucket) { return bucket.refresh().has_value(); }},
        {"collect", [](const Cache& cache, const Bucket&) { return cache.collect().has_value(); }},
        {"verify", [](const Cache& cache, const Bucket&) { return cache.verify().has_value(); }},
    };
    for (const auto& [disaster, strike] : disasters) {
        for (const auto& [name, call] : calls) {
            INFO(disaster << ", then " << name);
            const Site site;
            const Cache cache = open_cache(site.root);
            const Bucket bucket = value(cache.bucket("b"));
            (void)bucket.get("k");
            strike(site.root);
            (void)call(cache, bucket);
            require_usable(cache);
        }
    }
}

TEST_CASE(
    "if a root is taken away between stage and publish, publish is an error, or the entry exists") {
    for (const auto& [name, strike] : disasters) {
        if (name == "another cache in its place" || name == "renamed away") continue;
        INFO(name);
        const Site site;
        const Cache cache = open_cache(site.root);
        const Bucket bucket = value(cache.bucket("b"));
        auto staging = value(bucket.stage());
        fill(staging.path(), "staged");
        strike(site.root);
        const auto published = bucket.publish("k", std::move(staging));
        if (published) {
            CHECK(content_of(*published) == "staged");
            CHECK(content_of(bucket, "k") == "staged");
        } else {
            CHECK(published.error().code == Errc::refused);
        }
        require_usable(cache);
    }
}

TEST_CASE("an unwritable place for a root is an error that names it") {
    SKIP_UNLESS(is_root_user(), "a user that can become another");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    in_child([&](Child&) {
        become_nobody();
        for (const fs::path& root : {dir.path() / "cache", dir.path() / "a" / "cache"}) {
            const auto cache = Cache::open(root, test_options());
            Child::must(!cache, "opened");
            Child::must(cache.error().message().find(dir.path().string()) != std::string::npos,
                        cache.error().message());
        }
    });
    CHECK(count_entries(dir.path()) == 0);
}

TEST_CASE("an empty directory that can't be written is no cache, and an error") {
    SKIP_UNLESS(is_root_user(), "a user that can become another");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    in_child([&](Child&) {
        become_nobody();
        const auto cache = Cache::open(dir.path(), test_options());
        Child::must(!cache, "opened");
        Child::must(cache.error().code == Errc::refused, cache.error().message());
    });
}

TEST_CASE("another user's cache is refused if it could be written, and the error names the owner") {
    SKIP_UNLESS(is_root_user(), "a user that can become another");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        put(value(open_cache(root).bucket("b")), "k", "good");
    });
    const auto before = exact_snapshot(root);
    require_refused(Cache::open(root, test_options()), "65534");
    CHECK(exact_snapshot(root) == before);
    in_child([&](Child&) { check_reader(root, reading()); });  // reading it does no harm
    CHECK(exact_snapshot(root) == before);
}

TEST_CASE("a cache that another user may only read gives hits, and nothing is written") {
    SKIP_UNLESS(is_root_user(), "a user that can become another");
    const Site site;
    fs::permissions(site.dir.path(), fs::perms(0755));
    make_read_only(site.root);
    const auto before = exact_snapshot(site.root);
    in_child([&](Child&) {
        become_nobody();
        check_reader(site.root, test_options());
        check_reader(site.root, reading());
    });
    CHECK(exact_snapshot(site.root) == before);
}

TEST_CASE("a cache that is opened for reading by choice gives hits, and nothing is written") {
    const Site site;
    const auto before = exact_snapshot(site.root);
    in_child([&](Child&) { check_reader(site.root, reading()); });
    CHECK(exact_snapshot(site.root) == before);
}

TEST_CASE("a cache on a read-only file system gives hits, and nothing is written") {
    const Site site;
    const Mount mount(site.root.string(), site.root, "none", MS_BIND);
    SKIP_UNLESS(mount && mount.again(MS_BIND | MS_RDONLY),
                "the right to make a read-only bind mount");
    const auto before = exact_snapshot(site.root);
    in_child([&](Child&) {
        check_reader(site.root, test_options());
        check_reader(site.root, reading());
    });
    CHECK(exact_snapshot(site.root) == before);
}

TEST_CASE("a destroy whose root can't be removed says that only the directory is left, each time") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    fs::create_directory(root);
    const Mount mount("tmpfs", root, "tmpfs");
    SKIP_UNLESS(mount, "the right to mount a tmpfs");
    fs::permissions(root, fs::perms::owner_all);
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    for (int i = 0; i < 2; ++i) {
        const auto destroyed = Cache::destroy(root);
        REQUIRE_FALSE(destroyed);
        CHECK(contains(destroyed.error().message(), "only its directory is left"));
        CHECK(fs::is_empty(root));
    }
}

TEST_CASE("one process may have a cache open for reading and for writing") {
    const Site site;
    const Cache reader = open_cache(site.root, reading()), writer = open_cache(site.root);
    CHECK(reader.is_read_only());
    CHECK_FALSE(writer.is_read_only());
    CHECK_FALSE(value(value(reader.bucket("b")).get("k")).is_protected());
    CHECK(value(value(writer.bucket("b")).get("k")).is_protected());
    put(value(writer.bucket("b")), "k", "new");
    CHECK(content_of(value(reader.bucket("b")), "k") == "new");
}

TEST_CASE("a missing root is not created for reading") {
    const TempDir dir;
    CHECK_FALSE(Cache::open(dir.path() / "cache", reading()));
    CHECK(count_entries(dir.path()) == 0);
}

TEST_CASE("a root whose path ends with a slash is made like any other") {
    const TempDir dir;
    const Cache cache = open_cache((dir.path() / "cache").string() + "/");
    CHECK((fs::status(dir.path() / "cache").permissions() & fs::perms::mask) == fs::perms(0700));
    CHECK(cache.root() == dir.path() / "cache");
}

TEST_CASE("a read-only cache that was restored in part has misses") {
    for (const char* name : {"buckets", "archive"}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "good"); });
        fs::remove_all(root / name);
        OpenOptions options = test_options();
        options.read_only = true;
        const Cache cache = open_cache(root, options);
        const Bucket bucket = value(cache.bucket("b"));
        const auto lease = bucket.get("k");
        REQUIRE_FALSE(lease);
        CHECK(lease.error().code == Errc::miss);
        CHECK(bucket.keys());
        CHECK(cache.buckets());
        const auto info = bucket.info("none");
        REQUIRE_FALSE(info);
        CHECK(info.error().code == Errc::miss);
    }
}

TEST_CASE("if a root is renamed between stage and publish, publish says so") {
    for (const bool another : {false, true}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        auto staging = value(bucket.stage());
        fill(staging.path(), "staged");
        fs::rename(root, root.string() + ".old");
        if (another)
            in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "another"); });
        const auto published = bucket.publish("k", std::move(staging));
        REQUIRE_FALSE(published);
        CHECK(published.error().code == Errc::refused);
        put(bucket, "k", "again");
        CHECK(content_of(bucket, "k") == "again");
    }
}

TEST_CASE(
    "a directory that only has names like a cache's is not made one, and nothing in it is "
    "deleted") {
    const TempDir dir;
    fs::create_directories(dir.path() / "deleting" / "photos");
    write_file(dir.path() / "deleting" / "photos" / "a.jpg", "precious");
    const auto before = snapshot(dir.path());
    require_refused(Cache::open(dir.path(), test_options()), "deleting");
    CHECK(snapshot(dir.path()) == before);
}
