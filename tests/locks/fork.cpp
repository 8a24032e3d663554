// SPDX-License-Identifier: MIT
// fork without exec: the child inherits everything, owns nothing, and joins at its first use.

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include "cache/boots.hpp"
#include "catch.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A cache with all that a process can own in it.
struct Family {
    TempDir dir;
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root);
    Bucket bucket = value(cache.bucket("b"));
    Lease lease = put(bucket, "k", "old");
    Staging staging = [this] {
        Staging made = value(bucket.stage());
        fill(made.path(), "staged");
        return made;
    }();

    /// Requires that no call has taken them from this process. No entry is left afterwards.
    void check_all_is_ours() {
        const auto before = snapshot(lease.path());
        CHECK(before.size() == 5);
        value(bucket.refresh());
        const auto report = value(cache.collect());
        CHECK(report.entries == 0);
        REQUIRE(report.leased.size() == 1);
        CHECK(report.leased[0].process.pid == ::getpid());
        CHECK(snapshot(lease.path()) == before);
        CHECK(snapshot(staging.path()) == snapshot_of_staged());
        CHECK(content_of(value(bucket.publish("staged", std::move(staging)))) == "staged");
        value(bucket.refresh());
        lease.release();
        CHECK(value(cache.collect()).entries == 2);
    }

private:
    [[nodiscard]] static std::map<std::string, std::string> snapshot_of_staged() {
        return {{"f0", "staged"},
                {"sub", "<dir>"},
                {"sub/f1", "staged"},
                {"sub/deep", "<dir>"},
                {"sub/deep/f2", "staged"}};
    }
};

/// A fork in a callback. Both processes return from the callback, and go on with the same call.
class ForkInCall {
public:
    /// Forks. Returns in the child at once, and in the parent when the child has ended.
    void fork() {
        child_ = ::fork();
        if (child_ == 0) {
            ::alarm(50);  // only a hang takes that long
        } else {
            ::waitpid(child_, &status_, 0);
        }
    }
    /// In the child, ends it. In the parent, requires that the child's call ended as it should.
    void end_child(bool good) const {
        if (child_ == 0) ::_exit(good ? 0 : 1);
        Child::must(!WIFSIGNALED(status_), "the child's call did not end");
        Child::must(WEXITSTATUS(status_) == 0, "the child's call did not end as it should");
    }

private:
    pid_t child_ = -1;
    int status_ = 0;
};

/// An algorithm that finds one digest for all files, and calls a function before the first one.
class CallingDigest final : public DigestAlgorithm {
public:
    explicit CallingDigest(std::function<void()> call = {}) : call_(std::move(call)) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "same"; }
    [[nodiscard]] std::unique_ptr<DigestStream> start() const override {
        if (const auto call = std::exchange(call_, {})) call();
        return std::make_unique<SameDigest>();
    }

private:
    class SameDigest final : public DigestStream {
    public:
        void add(std::string_view) noexcept override {}
        [[nodiscard]] std::string finish() override { return "same"; }
    };
    mutable std::function<void()> call_;
};

/// Publishes "k" in a process of an earlier boot. So a get compares it with its digests.
void put_suspect(const fs::path& root) {
    Child earlier([&](Child&) {
        os::set_point_hook(
            [](const char* name) { return name == std::string("os.other-boot") ? 1 : 0; });
        const CallingDigest digest;
        PublishOptions how;
        how.digest = &digest;
        put(value(open_cache(root).bucket("b")), "k", "x", how);
    });
    REQUIRE(earlier.join() == 0);
}

/// Opens the cache for gets that compare with this algorithm.
Cache open_with(const fs::path& root, const DigestAlgorithm& digest) {
    OpenOptions options = test_options();
    options.digests = {&digest};
    return open_cache(root, options);
}

}  // namespace

TEST_CASE("a forked child's destructors touch nothing that belongs to its parent") {
    Family family;
    Child child([&](Child&) {
        const Staging staging = std::move(family.staging);
        const Lease lease = std::move(family.lease);
        const Bucket bucket = std::move(family.bucket);
        const Cache cache = std::move(family.cache);
    });
    REQUIRE(child.join() == 0);
    family.check_all_is_ours();
}

TEST_CASE(
    "a forked child that releases what it inherited, or tries to use it, touches nothing that "
    "belongs to its parent") {
    Family family;
    Child child([&](Child&) {
        const auto kept = family.lease.keep_across_exec();
        Child::must(!kept && kept.error().code == Errc::invalid, "kept");
        Child::must(content_of(family.lease) == "old", "the inherited lease can't be read");
        family.lease.release();
        const auto published = family.bucket.publish("stolen", std::move(family.staging));
        Child::must(!published && published.error().code == Errc::invalid, "published");
    });
    REQUIRE(child.join() == 0);
    CHECK(content_of(family.bucket, "stolen").empty());
    family.check_all_is_ours();
}

TEST_CASE("a forked child uses the Cache it inherited, as a participant of its own") {
    Family family;
    Child child([&](Child& self) {
        const Lease read = value(family.bucket.get("k"));
        const Lease mine = put(family.bucket, "child's", "by the child");
        const Staging staging = value(family.bucket.stage());
        self.say(mine.id());
        self.hear();
        Child::must(content_of(family.bucket, "child's") == "by the child", "the entry has gone");
        value(family.bucket.remove("child's"));
        Child::must(value(family.cache.collect()).leased.size() == 1, "its lease was not seen");
        Child::must(content_of(mine) == "by the child", "the leased entry has changed");
        const Cache gone = std::move(family.cache);
    });
    const std::string id = child.listen();
    const auto status = value(family.cache.status());
    REQUIRE(status.processes.size() == 2);
    CHECK(status.processes[0].participant != status.processes[1].participant);
    CHECK(status.processes[0].pid != status.processes[1].pid);
    CHECK(status.leases.size() == 3);
    for (const auto& lease : status.leases)
        CHECK((lease.id != id || lease.process.pid == child.pid()));
    child.go_on();
    REQUIRE(child.join() == 0);
    CHECK(value(family.cache.collect()).entries ==
          1);  // the entry that the child removed, and had leased until it ended
    family.check_all_is_ours();
    CHECK(value(family.cache.status()).processes.size() == 1);
}

TEST_CASE("parent and child draw different ids") {
    Family family;
    Child child([&](Child& self) {
        for (int i = 0; i < 20; ++i)
            self.say(value(family.bucket.publish("child's", value(family.bucket.stage()))).id());
    });
    std::vector<std::string> ids;
    for (int i = 0; i < 20; ++i)
        ids.push_back(value(family.bucket.publish("parent's", value(family.bucket.stage()))).id());
    for (int i = 0; i < 20; ++i) ids.push_back(child.listen());
    CHECK(child.join() == 0);
    std::sort(ids.begin(), ids.end());
    CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("a killed parent's lease stays while the forked child lives") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child parent([&](Child& self) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "k", "old");
        Child child([&](Child&) {
            self.say(lease.path().string());
            self.hear();
            Child::must(content_of(lease) == "old", "the files have changed");
            self.say("read");
        });
        ::pause();
    });
    const fs::path leased = parent.listen();
    parent.kill();
    const auto before = snapshot(leased);
    const Cache cache = open_cache(root);
    value(value(cache.bucket("b")).refresh());
    const auto report = value(cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.leased.size() == 1);
    CHECK(snapshot(leased) == before);
    parent.go_on();  // the child listens instead of its parent
    parent.wait_for("read");
    eventually("the child has ended, and the lease with it",
               [&] { return value(cache.collect()).entries == 1; });
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("a parent that closes its cache leaves nothing behind, although its forked child lives") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child parent([&](Child& self) {
        std::optional<Child> child;
        {
            const Cache cache = open_cache(root);
            const Lease lease = put(value(cache.bucket("b")), "k", "old");
            child.emplace([](Child& its) { its.hear(); });
        }
        self.say("closed");
        self.hear();
        child->go_on();
        Child::must(child->join() == 0, "the child failed");
    });
    parent.wait_for("closed");
    {
        const Cache cache = open_cache(root);
        CHECK(value(cache.status()).processes.empty());
        put(value(cache.bucket("b")), "k", "new");
        CHECK(count_entries(root / "participants") == 1);  // it can be adopted
        CHECK(value(cache.collect()).entries == 1);
    }
    parent.go_on();
    CHECK(parent.join() == 0);
}

TEST_CASE(
    "a child that is forked while another thread is in the middle of a step is not blocked by it") {
    const std::vector<std::pair<std::string, std::function<void(const Cache&)>>> middles{
        {"publish.leased", [](const Cache& cache) { put(value(cache.bucket("b")), "new", "new"); }},
        {"publish.locked", [](const Cache& cache) { put(value(cache.bucket("b")), "new", "new"); }},
        {"remove.checked",
         [](const Cache& cache) { value(value(cache.bucket("b")).remove("doomed")); }},
        {"lock.at-gate",
         [](const Cache& cache) { value(value(cache.bucket("b")).remove("doomed")); }},
        {"collect.locked",
         [](const Cache& cache) { (void)value(cache.collect({}, {.threads = 1})); }},
        {"build.locked",
         [](const Cache& cache) {
             (void)value(value(cache.bucket("b")).get_or_build("k", [](Staging&) -> Result<> {
                 return {};
             }));
         }},
        {"adopt.locked", [](const Cache& cache) { put(value(cache.bucket("b")), "new", "new"); }},
        {"open.format",
         [](const Cache& cache) { (void)open_cache(cache.root().parent_path() / "another"); }},
    };
    for (const auto& [point, middle] : middles) {
        INFO(point);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        Child preparing([&](Child&) { put(value(open_cache(root).bucket("b")), "doomed", "old"); });
        REQUIRE(preparing.join() == 0);
        {
            const Cache cache = open_cache(root);
            HeldThread thread(point, [&, &work = middle] { work(cache); });
            Child child([&](Child&) {
                const Bucket bucket = value(cache.bucket("child's"));
                Child::must(content_of(put(bucket, "k", "by the child")) == "by the child",
                            "not what was published");
                value(bucket.remove("k"));
                put(bucket, "k", "again");
                Child::must(content_of(bucket, "k") == "again", "not what was published");
                (void)open_cache(dir.path() / "of its own");
            });
            CHECK(child.join() == 0);
            REQUIRE_NOTHROW(thread.finish());
        }
        REQUIRE_NOTHROW(
            require_no_leak(root, value(value(open_cache(root).bucket("b")).keys()).size() + 1));
    }
}

TEST_CASE(
    "a child that is forked during another thread's first use of the library is not blocked by "
    "it",
    "[not-qemu]") {
    // This needs a fresh program, since this one has used the library already.
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child([&](Child&) {
        program.become({LOCK_TESTS_PROGRAM, "fork-at-first-use", root.string()});
    });
    program.wait_for("got");
    CHECK(child.join() == 0);
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("locks that a thread held at a fork end with the parent, and not with the child") {
    struct Holding {
        const char* point;
        std::function<void(const Cache&)> work;
    };
    const std::vector<Holding> all{
        {"publish.locked", [](const Cache& cache) { put(value(cache.bucket("b")), "new", "new"); }},
        {"remove.checked",
         [](const Cache& cache) { value(value(cache.bucket("b")).remove("doomed")); }},
        {"lock.at-gate",
         [](const Cache& cache) { value(value(cache.bucket("b")).remove("doomed")); }},
        {"collect.locked", [](const Cache& cache) { (void)value(cache.collect()); }},
        {"build.locked",
         [](const Cache& cache) {
             (void)value(value(cache.bucket("b")).get_or_build("k", [](Staging&) -> Result<> {
                 return {};
             }));
         }},
    };
    for (const auto& holding : all) {
        INFO(holding.point);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        put(value(open_cache(root).bucket("b")), "doomed", "old");
        Child parent([&](Child& self) {
            const Cache cache = open_cache(root);
            HeldThread thread(holding.point, [&] { holding.work(cache); });
            Child child([&](Child&) {
                self.say("child");
                self.hear();
                self.say("end");
            });
            ::pause();
        });
        parent.wait_for("child");
        parent.kill();
        {
            const Cache cache = open_cache(root, impatient());
            const Bucket bucket = value(cache.bucket("b"));
            CHECK(cache.collect().has_value());
            CHECK(bucket.get_or_build("k", [](Staging&) -> Result<> { return {}; }).has_value());
            CHECK(bucket.remove("doomed").has_value());
        }
        parent.go_on();
        parent.wait_for("end");
        eventually("the child has ended", [&] {
            return value(open_cache(root).status()).processes.empty() ||
                   value(open_cache(root).collect()).reaped > 0;
        });
        REQUIRE_NOTHROW(require_no_leak(root, 1));
    }
}

TEST_CASE("locks that a thread held at a fork can be released while the child lives") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root, impatient());
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "doomed", "old");
    HeldThread thread("publish.locked", [&] { put(bucket, "k", "new"); });
    Child child([](Child& self) {
        self.say("up");
        self.hear();
    });
    child.wait_for("up");
    CHECK_FALSE(bucket.remove("doomed"));
    thread.finish();
    CHECK(bucket.remove("doomed").has_value());
    child.go_on();
    CHECK(child.join() == 0);
}

TEST_CASE(
    "a child that goes on with a get of its parent is not blocked by a thread that opens what no "
    "get needs") {
    // 1. A thread opens the directories of garbage, and is held
    // 2. A get compares a suspect with its digests, and a digest forks
    // 3. The child goes on with the get, and opens the same directories to write `judged`
    if (buckets_are_pointers()) return;  // then an open opens all directories
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put_suspect(root);
    Child process([&](Child&) {
        ForkInCall in_call;
        const CallingDigest digest([&] { in_call.fork(); });
        const Cache cache = open_with(root, digest);
        HeldThread thread("open.garbage", [&] { (void)value(cache.trash()); });
        const auto got = value(cache.bucket("b")).get("k");
        in_call.end_child(got && content_of(*got) == "x");
        thread.finish();
        Child::must(got && content_of(*got) == "x", "a miss");
    });
    CHECK(process.join() == 0);
}

TEST_CASE("a child that goes on with a get of its parent does not write to its parent's table") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put_suspect(root);
    Child process([&](Child&) {
        ForkInCall in_call;
        const auto table = [&] { return read_file(root / "participants" / "0"); };
        const CallingDigest digest([&] {
            const std::string before = table();
            in_call.fork();
            Child::must(table() == before, "the child has changed the table");
        });
        const auto got = value(open_with(root, digest).bucket("b")).get("k");
        in_call.end_child(got && content_of(*got) == "x");
    });
    CHECK(process.join() == 0);
}

TEST_CASE("a child that returns from a build of its parent publishes nothing") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child process([&](Child&) {
        const Bucket bucket = value(open_cache(root).bucket("b"));
        ForkInCall in_call;
        const auto got = bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
            fill(stage.path(), "built");
            in_call.fork();
            return {};
        });
        in_call.end_child(!got && got.error().code == Errc::invalid);
        Child::must(got && content_of(*got) == "built", "the parent has not published");
    });
    CHECK(process.join() == 0);
    REQUIRE_NOTHROW(require_no_leak(root, 1));
}

TEST_CASE("a child is not blocked by a thread that was reading the file of an earlier boot") {
    const TempDir dir;
    const os::Dir root = value(os::open_dir(dir.path()));
    cache::EarlierBoots boots;
    const auto watermark = [&] { return value(boots.watermark_of(root, std::string(32, '0'))); };
    HeldThread thread("os.birth", [&] { (void)watermark(); });
    Child child([&](Child&) { Child::must(!watermark(), "a watermark that was never written"); });
    CHECK(child.join() == 0);
    REQUIRE_NOTHROW(thread.finish());
}
