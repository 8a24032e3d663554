// SPDX-License-Identifier: MIT
// Digests of contents: what publish writes down, and what a check of contents finds.

#include <fcntl.h>
#include <sys/stat.h>

#include <larder/content.hpp>

#include "catch.hpp"
#include "format/manifest.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;
using Kind = Finding::Kind;

namespace {

/// An algorithm of the test, which counts how many files it has read.
class CountingDigest final : public DigestAlgorithm {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "test-sum"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        ++started;
        return std::make_unique<Sum>();
    }
    mutable int started = 0;

private:
    class Sum final : public DigestStream {
        void add(std::string_view bytes) noexcept override {
            for (const char c : bytes) sum_ = sum_ * 31 + static_cast<unsigned char>(c);
        }
        std::string finish() override { return std::to_string(sum_) + "-"; }
        std::uint64_t sum_ = 7;
    };
};

/// An algorithm that always fails.
class FailingDigest final : public DigestAlgorithm {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "failing"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        return std::make_unique<Failed>();
    }

private:
    class Failed final : public DigestStream {
        void add(std::string_view) noexcept override {}
        std::string finish() override { return {}; }
    };
};

const std::string sha256_of_x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

/// Publishes a small tree with digests by SHA-256. Returns its tree.
fs::path put_with_digests(const Bucket& bucket, const std::string& key,
                          const DigestAlgorithm* digest = &sha256()) {
    Staging staging = value(bucket.stage());
    fs::create_directories(staging.path() / "lib/empty");
    write_file(staging.path() / "METADATA", "12345");
    write_file(staging.path() / "lib/run", "x");
    fs::create_symlink("run", staging.path() / "lib/link");
    return value(bucket.publish(key, std::move(staging), {.digest = digest})).path();
}

std::string manifest_of(const fs::path& tree) { return read_file(tree.parent_path() / "manifest"); }

ContentReport check(const Cache& cache, bool repair = false) {
    return value(cache.verify_content({.digests = {&sha256()}, .repair = repair}));
}

/// Returns "path: what" for each finding, with its path below the archive's entry.
std::vector<std::string> lines_of(const ContentReport& report, const fs::path& tree) {
    std::vector<std::string> lines;
    for (const Finding& finding : report.findings) {
        CHECK(finding.kind == Kind::changed);
        lines.push_back(finding.path.lexically_relative(tree).string() + ": " + finding.what);
    }
    return lines;
}

using Lines = std::vector<std::string>;

/// Changes the bytes of a file, and not its time of modification.
void edit_unnoticed(const fs::path& file, const std::string& bytes) {
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    write_file(file, bytes);
    const timespec times[2] = {status.st_atim, status.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
}

/// Sets a file's time of modification one second later. It goes by the file's own time, because the
/// clock that a program reads may be some milliseconds behind the one that stamps files. Returns
/// false if that fails.
bool set_modified_later(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return false;
    const timespec later[2] = {{0, UTIME_OMIT},
                               {status.st_mtim.tv_sec + 1, status.st_mtim.tv_nsec}};
    return ::utimensat(AT_FDCWD, file.c_str(), later, 0) == 0;
}

}  // namespace

TEST_CASE("a publish with a digest writes down the digest of each file and symlink") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    const std::string text = manifest_of(tree);
    CHECK(format::parse_manifest_head(text)->digest == "sha256");
    CHECK(text.find("f 644 1 " + sha256_of_x + " run\n") != std::string::npos);
    CHECK(text.find("l 3 - link") == std::string::npos);
    const ContentReport report = check(scene.cache);
    CHECK(report.sound());
    CHECK(report.findings.empty());
    CHECK(report.entries == 1);
    CHECK(report.files == 3);
    CHECK(report.bytes == 9);
    CHECK(report.without_digests == 0);
    CHECK(value(scene.cache.verify()).findings.empty());
}

TEST_CASE("digests that were handed in are taken, and only the other files are read") {
    const Scene scene;
    const CountingDigest digest;
    Staging staging = value(scene.bucket.stage());
    for (const char* name : {"noted", "other-size", "not-noted"})
        write_file(staging.path() / name, "x");
    fs::create_directory(staging.path() / "d");
    write_file(staging.path() / "d/noted", "x");
    value(staging.note("noted", 1, "\x01"));
    value(staging.note("d/noted", 1, "\x02"));
    value(staging.note("other-size", 2, "\x03"));
    value(staging.note("is-not-there", 1, "\x04"));
    const fs::path tree =
        value(scene.bucket.publish("k", std::move(staging), {.digest = &digest})).path();
    CHECK(digest.started == 2);
    const std::string text = manifest_of(tree);
    CHECK(text.find("f 644 1 01 noted\n") != std::string::npos);
    CHECK(text.find("f 644 1 02 noted\n") != std::string::npos);
    CHECK(text.find(" 03 other-size") == std::string::npos);
    CHECK(text.find("is-not-there") == std::string::npos);
}

TEST_CASE("what is handed in must be a path in the tree, and a digest") {
    const Scene scene;
    Staging staging = value(scene.bucket.stage());
    for (const char* path : {"", "/a", "../a", "a/../b", "a//b", "./a", "a/", ".", ".."}) {
        INFO(path);
        CHECK(outcome(staging.note(path, 1, "d")) == "invalid");
    }
    CHECK(outcome(staging.note("a", 1, "")) == "invalid");
    CHECK(outcome(staging.note("a", 1, std::string(65, 'd'))) == "invalid");
    CHECK(staging.note("a", 1, std::string(64, 'd')));
    // Without an algorithm the publish makes no digests.
    write_file(staging.path() / "a", "x");
    const fs::path tree = value(scene.bucket.publish("k", std::move(staging))).path();
    CHECK(manifest_of(tree).find("f 644 1 - a\n") != std::string::npos);
}

TEST_CASE("an algorithm that fails, or has no lawful name, is an error, and nothing is published") {
    const Scene scene;
    class Unnamed final : public DigestAlgorithm {
        [[nodiscard]] std::string_view name() const noexcept override { return "SHA 256"; }
        [[nodiscard]] std::unique_ptr<DigestStream> start() const override { return nullptr; }
    };
    const FailingDigest failing;
    const Unnamed unnamed;
    for (const DigestAlgorithm* digest :
         std::initializer_list<const DigestAlgorithm*>{&failing, &unnamed}) {
        Staging staging = value(scene.bucket.stage());
        fill(staging.path(), "x");
        const auto published = scene.bucket.publish("k", std::move(staging), {.digest = digest});
        CHECK(outcome(published) == (digest == &failing ? "unsupported" : "invalid"));
    }
    require_no_leak(scene.root, 0);
}

TEST_CASE("a check of contents finds each byte, and a repair takes the key out") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    put_with_digests(scene.bucket, "other");
    edit_unnoticed(tree / "METADATA", "1234!");
    CHECK(value(scene.cache.verify()).sound());  // which reads no file, and goes by the times
    CHECK(lines_of(check(scene.cache), tree) ==
          Lines{"METADATA: its bytes are not those of the manifest's digest"});
    fs::remove(tree / "lib/link");
    fs::create_symlink("rum", tree / "lib/link");
    fs::permissions(tree / "lib/run", fs::perms(0600));
    CHECK(lines_of(check(scene.cache), tree) ==
          Lines{"METADATA: its bytes are not those of the manifest's digest",
                "lib/link: it leads elsewhere than the manifest says",
                "lib/run: its mode is 600, and the manifest says 644"});
    const ContentReport report = check(scene.cache, true);
    CHECK(report.sound());
    CHECK(report.entries == 2);
    REQUIRE(report.findings.size() == 3);
    CHECK(report.findings[0].what.find("key k of bucket b was taken out") != std::string::npos);
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(outcome(scene.bucket.get("other")) == "ok");
    CHECK(fs::exists(tree / "METADATA"));  // the files are left to a collection
    CHECK(check(scene.cache).findings.empty());
    CHECK(value(scene.cache.verify()).findings.empty());
}

TEST_CASE("an edit through a hard link is told as that") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    fs::create_hard_link(tree / "METADATA", scene.dir.path() / "installed");
    write_file(scene.dir.path() / "installed", "edits");
    CHECK(lines_of(check(scene.cache), tree) ==
          Lines{"METADATA: its bytes are not those of the manifest's digest; the file has 2 names, "
                "so it was probably edited through a hard link to it"});
}

TEST_CASE("an entry whose algorithm is unknown is checked by sizes and times, and said to be so") {
    const Scene scene;
    const CountingDigest other;
    const fs::path tree = put_with_digests(scene.bucket, "other", &other);
    const fs::path none = put_with_digests(scene.bucket, "none", nullptr);
    put_with_digests(scene.bucket, "sha256");
    ContentReport report = check(scene.cache);
    CHECK(report.entries == 3);
    CHECK(report.without_digests == 2);
    CHECK(report.findings.empty());
    edit_unnoticed(tree / "METADATA", "1234!");
    edit_unnoticed(none / "METADATA", "1234!");
    CHECK(check(scene.cache).findings.empty());
    // With both algorithms both are compared.
    report = value(scene.cache.verify_content({.digests = {&sha256(), &other}}));
    CHECK(report.without_digests == 1);
    CHECK(lines_of(report, tree) ==
          Lines{"METADATA: its bytes are not those of the manifest's digest"});
    write_file(none / "METADATA", "longer");
    CHECK(check(scene.cache).findings.size() == 1);
    // No install takes a file that was modified, so it is found.
    REQUIRE(set_modified_later(tree / "METADATA"));
    CHECK(check(scene.cache).findings.size() == 2);
}

TEST_CASE("the entries whose check is longest ago come first, and a budget ends the check") {
    const Scene scene;
    // The entry that was published last was checked first.
    const std::vector<std::string> keys = {"c", "b", "a"};
    std::map<std::string, fs::path> trees;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        trees[keys[i]] = put_with_digests(scene.bucket, keys[i]);
        const auto seconds = static_cast<time_t>(1'000'000'000 - i);
        const timespec old[2] = {{seconds, 0}, {seconds, 0}};
        const fs::path manifest = trees[keys[i]].parent_path() / "manifest";
        REQUIRE(::utimensat(AT_FDCWD, manifest.c_str(), old, 0) == 0);
    }
    write_file(trees["b"] / "METADATA", "1234!");
    for (const std::size_t found : {0U, 1U, 0U}) {
        const ContentReport report =
            value(scene.cache.verify_content({.digests = {&sha256()}, .budget = 0ms}));
        CHECK(report.entries == 1);
        CHECK(report.unchecked == 2);
        CHECK(report.findings.size() == found);
    }
    const ContentReport all =
        value(scene.cache.verify_content({.digests = {&sha256()}, .budget = 1h}));
    CHECK(all.entries == 3);
    CHECK(all.unchecked == 0);
}

TEST_CASE("a check of some buckets leaves the others alone") {
    const Scene scene;
    const Bucket other = value(scene.cache.bucket("other"));
    put_with_digests(scene.bucket, "k");
    write_file(put_with_digests(other, "k") / "METADATA", "1234!");
    const auto check_bucket = [&](const char* bucket) {
        return value(scene.cache.verify_content({.digests = {&sha256()}, .buckets = {bucket}}));
    };
    CHECK(check_bucket("b").findings.empty());
    CHECK(check_bucket("b").entries == 1);
    CHECK(check_bucket("other").findings.size() == 1);
    CHECK(check_bucket("missing").entries == 0);
}

TEST_CASE("a check of contents is no use of an entry, and waits for no collection") {
    const Scene scene;
    put_with_digests(scene.bucket, "k");
    const fs::path link = keys_of(scene.root / "buckets/b") / "k";
    struct stat before {
    }, after{};
    if (test_options().link_kind == LinkKind::symlink) {
        const timespec old[2] = {{1, 0}, {1'000'000'000, 0}};
        REQUIRE(::utimensat(AT_FDCWD, link.c_str(), old, AT_SYMLINK_NOFOLLOW) == 0);
    }
    REQUIRE(::lstat(link.c_str(), &before) == 0);
    Child collector([&](Child&) { value(open_cache(scene.root).collect()); },
                    {{"collect.locked"}, {}});
    collector.wait_for("collect.locked");
    CHECK(outcome(scene.cache.verify()) == "busy");
    CHECK(check(scene.cache).entries == 1);
    collector.go_on();
    CHECK(collector.join() == 0);
    REQUIRE(::lstat(link.c_str(), &after) == 0);
    CHECK(after.st_mtim.tv_sec == before.st_mtim.tv_sec);
}

TEST_CASE(
    "an entry that is checked is leased, and one that was refreshed meanwhile is no finding") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    write_file(tree / "METADATA", "1234!");
    Child checker(
        [&](Child& self) {
            const ContentReport report = check(open_cache(scene.root), true);
            self.say(std::to_string(report.findings.size()));
        },
        {{"content.leased"}, {}});
    checker.wait_for("content.leased");
    value(scene.bucket.refresh());
    value(scene.cache.collect());
    CHECK(fs::exists(tree / "METADATA"));  // leased
    put_with_digests(scene.bucket, "k");
    checker.go_on();
    CHECK(checker.listen() == "0");
    CHECK(checker.join() == 0);
    CHECK(outcome(scene.bucket.get("k")) == "ok");  // the new entry is not taken out
    value(scene.cache.collect());
    CHECK_FALSE(fs::exists(tree));
    require_no_leak(scene.root, 1);
}

TEST_CASE("a restored entry keeps its digests") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    const std::string id = tree.parent_path().filename();
    value(scene.bucket.remove("k"));
    edit_unnoticed(tree / "lib/run", "y");  // by its size and time, so restore takes it
    const fs::path restored = value(scene.cache.restore(id)).path();
    CHECK(manifest_of(restored).find(sha256_of_x + " run\n") != std::string::npos);
    const ContentReport report = check(scene.cache);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].path == restored / "lib/run");
}

TEST_CASE("a check of contents in a cache that is only read leases and notes nothing") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k");
    write_file(tree / "METADATA", "1234!");
    OpenOptions options = test_options();
    options.read_only = true;
    const Cache reader = open_cache(scene.root, options);
    CHECK(check(reader).findings.size() == 1);
    CHECK(outcome(reader.verify_content({.digests = {&sha256()}, .repair = true})) == "read_only");
}

TEST_CASE("materialize puts no file anywhere that was modified after its entry was published") {
    const Scene scene;
    const fs::path tree = put_with_digests(scene.bucket, "k", GENERATE(&sha256(), nullptr));
    const fs::path first = scene.dir.path() / "first", second = scene.dir.path() / "second";
    const LinkMode mode = GENERATE(LinkMode::automatic, LinkMode::hardlink, LinkMode::copy);
    CHECK(value(materialize(tree, first, {.mode = LinkMode::hardlink})).hardlinked == 2);
    CHECK(materialize(tree, second, {.mode = mode}));
    fs::remove_all(second);
    // The user of the first copy edits a file in place, some time later.
    write_file(first / "lib/run", "y");
    REQUIRE(set_modified_later(first / "lib/run"));
    const auto put = materialize(tree, second, {.mode = mode});
    REQUIRE_FALSE(put);
    CHECK(put.error().code == Errc::damaged);
    CHECK(put.error().message().find("lib/run") != std::string::npos);
    CHECK_FALSE(fs::exists(second));
    // So verify does not call it sound, and reads no file to find it.
    const auto found = value(scene.cache.verify()).findings;
    REQUIRE(found.size() == 1);
    CHECK(found.front().kind == Finding::Kind::changed);
    CHECK(found.front().path == tree / "lib/run");
    CHECK(found.front().what.find("modified after") != std::string::npos);
    // The way by the link of the key is the same.
    if (test_options().link_kind == LinkKind::symlink)
        CHECK(outcome(materialize(keys_of(scene.root / "buckets/b") / "k", second,
                                  {.mode = mode})) == "damaged");
    // Nor does it come back under a new id, as if it had been published so.
    value(scene.bucket.remove("k"));
    CHECK(outcome(scene.cache.restore(tree.parent_path().filename().string())) == "damaged");
}

TEST_CASE("a restore takes a file that was modified if its digest is that of the manifest") {
    const Scene scene;
    for (const std::string bytes : {"x", "y"}) {
        INFO(bytes);
        const fs::path tree = put_with_digests(scene.bucket, "k");
        const std::string id = tree.parent_path().filename().string();
        const fs::path file = tree / "lib/run";
        const auto size = read_file(file).size();
        if (bytes == "y") write_file(file, std::string(size, 'y'));
        REQUIRE(set_modified_later(file));
        value(scene.bucket.remove("k"));
        // Without the algorithm it can't be told.
        CHECK(outcome(scene.cache.restore(id)) == "damaged");
        OpenOptions options = test_options();
        options.digests = {&sha256()};
        const Cache cache = open_cache(scene.root, options);
        CHECK(outcome(cache.restore(id)) == (bytes == "x" ? "ok" : "damaged"));
        if (bytes == "x") {
            CHECK(materialize(value(scene.bucket.get("k")).path(), scene.dir.path() / "to"));
            CHECK(value(scene.cache.verify()).sound());
        }
    }
}

TEST_CASE("a repair takes out the keys of a cache that was copied without its times") {
    const Scene scene;
    put(scene.bucket, "k", "text");
    const fs::path copy = scene.dir.path() / "copy", to = scene.dir.path() / "to";
    fs::copy(scene.root, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    Child user([&](Child&) {
        const Cache cache = open_cache(copy);
        const Bucket bucket = value(cache.bucket("b"));
        {
            const Lease lease = value(bucket.get("k"));
            Child::must(set_modified_later(lease.path() / "f0"), "its time was not set");
            Child::must(outcome(materialize(lease.path(), to)) == "damaged", "it was put");
        }
        Child::must(!value(cache.verify()).sound(), "sound");
        Child::must(value(cache.verify({true})).sound(), "not repaired");
        Child::must(!bucket.get("k"), "the key has the entry");
        put(bucket, "k", "anew");
        Child::must(value(cache.verify()).findings.empty(), "something is left");
        const Lease lease = value(bucket.get("k"));
        Child::must(materialize(lease.path(), to).has_value(), "it was not put");
    });
    CHECK(user.join() == 0);
}

TEST_CASE("files of any age can be published and materialized") {
    const Scene scene;
    Staging staging = value(scene.bucket.stage());
    for (const auto& [name, seconds] : std::map<std::string, time_t>{
             {"past", -1'000'000}, {"zero", 0}, {"future", 4'000'000'000}}) {
        write_file(staging.path() / name, "x");
        const timespec times[2] = {{seconds, 1}, {seconds, 1}};
        REQUIRE(::utimensat(AT_FDCWD, (staging.path() / name).c_str(), times, 0) == 0);
    }
    const fs::path tree = value(scene.bucket.publish("k", std::move(staging))).path();
    CHECK(materialize(tree, scene.dir.path() / "copy", {.mode = LinkMode::copy}));
    CHECK(value(scene.cache.verify()).findings.empty());
}

TEST_CASE("verify, verify of contents and materialize agree about files that were modified") {
    // What each says of an entry whose file was modified: with a digest or without one, with other
    // bytes or the same, to a program that has the algorithm or has not.
    for (const bool has_digest : {true, false}) {
        for (const bool is_edited : {true, false}) {
            for (const bool has_algorithm : {true, false}) {
                INFO(has_digest << is_edited << has_algorithm);
                const Scene scene;
                Staging staging = value(scene.bucket.stage());
                fs::create_directory(staging.path() / "sub");
                write_file(staging.path() / "sub" / "f", "text");
                write_file(staging.path() / "other", "text");
                const auto published = value(scene.bucket.publish(
                    "k", std::move(staging), {.digest = has_digest ? &sha256() : nullptr}));
                const fs::path tree = published.path(), file = tree / "sub" / "f";
                if (is_edited) write_file(file, "TEXT");
                // By the file's own clock, which no other clock of the system precedes so far.
                fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(2));
                const std::vector<const DigestAlgorithm*> digests(has_algorithm ? 1 : 0, &sha256());
                OpenOptions options = test_options();
                options.digests = digests;
                const Cache cache = open_cache(scene.root, options);
                const bool is_good = has_digest && has_algorithm && !is_edited;
                CHECK(value(cache.verify()).sound() == is_good);
                CHECK(value(cache.verify_content({.digests = digests})).sound() == is_good);
                for (const LinkMode mode : {LinkMode::hardlink, LinkMode::copy}) {
                    const fs::path to = scene.dir.path() / "to";
                    const auto put = materialize(tree, to, {.mode = mode, .digests = digests});
                    CHECK(put.has_value() == is_good);
                    if (!put) {
                        CHECK(put.error().code == Errc::damaged);
                        CHECK(put.error().path == file);
                    }
                    fs::remove_all(to);
                }
                (void)value(cache.verify({true}));
                CHECK(value(cache.verify_content({.digests = digests})).sound());
                CHECK(scene.bucket.get("k").has_value() == is_good);
            }
        }
    }
}
