// SPDX-License-Identifier: MIT
// Roots: an entry is kept for as long as a linked path leads to it.

#include <algorithm>

#include "catch.hpp"
#include "format/layout.hpp"
#include "format/root_file.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A cache with an entry at b/k, which is linked to a path in a directory beside the cache.
struct LinkedScene : Scene {
    LinkedScene() {
        fs::create_directory(site);
        id = put(bucket, "k", "old").id();
        value(cache.link("b", "k", path));
    }

    /// Returns what a program reads through the path.
    [[nodiscard]] std::string read() const { return read_file(path / "f0"); }
    [[nodiscard]] fs::path roots() const { return root / "roots" / id; }
    [[nodiscard]] bool stands() const { return fs::exists(root / "archive" / id); }
    [[nodiscard]] CollectReport collect() const { return value(cache.collect()); }

    fs::path site = dir.path() / "site";
    fs::path path = site / "venv";
    std::string id;
};

std::vector<RootInfo::State> states_in(const Cache& cache) {
    std::vector<RootInfo::State> states;
    for (const RootInfo& info : value(cache.roots())) states.push_back(info.state);
    std::sort(states.begin(), states.end());
    return states;
}

using State = RootInfo::State;

/// Writes a root of the entry by hand.
void forge_root(const LinkedScene& scene, const format::RootFile& file) {
    write_file(scene.roots() / format::root_file_name(file), format::print_root_file(file));
}

}  // namespace

TEST_CASE("a linked path leads to the entry, and is listed with its key", "[not-windows]") {
    const LinkedScene scene;
    CHECK(scene.read() == "old");
    CHECK(fs::read_symlink(scene.path).is_absolute());
    const auto roots = value(scene.cache.roots());
    REQUIRE(roots.size() == 1);
    CHECK(roots[0].path == scene.path);
    CHECK(roots[0].state == State::leads);
    CHECK(roots[0].id == scene.id);
    CHECK(roots[0].bucket == "b");
    CHECK(roots[0].key == "k");
    CHECK(value(scene.cache.verify()).sound());
}

TEST_CASE("a linked entry outlives remove, refresh, replacement and collections", "[not-windows]") {
    const std::map<std::string, std::function<void(const Scene&)>> retiring = {
        {"remove", [](const Scene& scene) { value(scene.bucket.remove("k")); }},
        {"refresh", [](const Scene& scene) { value(scene.bucket.refresh()); }},
        {"put", [](const Scene& scene) { put(scene.bucket, "k", "new"); }},
    };
    for (const auto& [how, retire] : retiring) {
        INFO(how);
        const LinkedScene scene;
        retire(scene);
        for (int i = 0; i < 2; ++i) {
            const auto report = scene.collect();
            CHECK(report.entries == 0);
            REQUIRE(report.rooted.size() == 1);
            CHECK(report.rooted[0].path == scene.path);
            CHECK(report.rooted[0].id == scene.id);
        }
        CHECK(scene.read() == "old");
        CHECK(value(scene.cache.verify()).sound());
        // Then the path goes.
        fs::remove(scene.path);
        CHECK(states_in(scene.cache) == std::vector{State::gone});
        CollectOptions dry;
        dry.dry_run = true;
        CHECK(value(scene.cache.collect({}, dry)).entries == 1);
        CHECK(scene.stands());
        CHECK(scene.collect().entries == 1);
        CHECK_FALSE(scene.stands());
        CHECK(fs::is_empty(scene.root / "roots"));
        CHECK(fs::is_empty(scene.root / "retired" / "links"));
    }
}

TEST_CASE("a limit and a plan pass over what is linked", "[not-windows]") {
    const LinkedScene scene;
    put(scene.bucket, "other", "x");
    Limits limits;
    limits.max_entries = 0;
    std::vector<Eviction> planned;
    CollectOptions dry;
    dry.dry_run = true;
    dry.on_evict = [&](const Eviction& eviction) { planned.push_back(eviction); };
    CHECK(value(scene.cache.collect(limits, dry)).rooted.size() == 1);
    REQUIRE(planned.size() == 1);
    CHECK(planned[0].key == "other");

    const auto report = value(scene.cache.collect(limits));
    CHECK(report.evicted == 1);
    REQUIRE(report.rooted.size() == 1);
    CHECK(report.rooted[0].id == scene.id);

    // A plan of a caller, which names the linked entry.
    Eviction eviction = planned[0];
    eviction.id = scene.id;
    eviction.last_used = std::chrono::system_clock::now() + std::chrono::hours(1);
    EvictionPlan plan;
    plan.evictions = {eviction};
    const auto evicted = value(scene.cache.evict(plan));
    CHECK(evicted.evicted == 0);
    CHECK(evicted.rooted.size() == 1);
    CHECK(content_of(scene.bucket, "k") == "old");
}

TEST_CASE("a restore leaves the path as it is, and both entries are kept", "[not-windows]") {
    const LinkedScene scene;
    value(scene.bucket.remove("k"));
    const std::string restored = value(scene.cache.restore(scene.id)).id();
    CHECK(restored != scene.id);
    CHECK(scene.collect().entries == 0);
    CHECK(scene.read() == "old");
    CHECK(content_of(scene.bucket, "k") == "old");
}

TEST_CASE("a linked entry outlives the start of the machine", "[not-windows]") {
    const LinkedScene scene;
    value(scene.bucket.remove("k"));
    Child later([&](Child& child) {
        fail_at(child, {{"os.other-boot", 1}});
        const Cache cache = open_cache(scene.root);
        Child::must(value(cache.collect()).entries == 0, "deleted");
    });
    REQUIRE(later.join() == 0);
    CHECK(scene.read() == "old");
}

TEST_CASE("linking to a path again replaces the symlink, and frees the old entry",
          "[not-windows]") {
    const LinkedScene scene;
    const std::string next = put(scene.bucket, "k", "new").id();
    value(scene.cache.link("b", "k", scene.path));
    CHECK(scene.read() == "new");
    CHECK(scene.collect().entries == 1);
    CHECK_FALSE(scene.stands());
    CHECK(scene.read() == "new");
    // The same entry once more has one root.
    value(scene.cache.link("b", "k", scene.path));
    CHECK(count_entries(scene.root / "roots" / next) == 1);
    // A foreign symlink is replaced, too.
    fs::remove(scene.path);
    fs::create_symlink("/nowhere", scene.path);
    value(scene.cache.link("b", "k", scene.path));
    CHECK(scene.read() == "new");
}

TEST_CASE("what is no symlink is not replaced, and stays", "[not-windows]") {
    const LinkedScene scene;
    const fs::path file = scene.site / "file", directory = scene.site / "directory";
    write_file(file, "mine");
    fs::create_directory(directory);
    for (const auto& path : {file, directory})
        CHECK(outcome(scene.cache.link("b", "k", path)) == "exists");
    CHECK(read_file(file) == "mine");
    CHECK(fs::is_directory(directory));
    CHECK(count_entries(scene.roots()) == 1);
}

TEST_CASE("a path that can't be linked is refused, and nothing is written", "[not-windows]") {
    const LinkedScene scene;
    CHECK(outcome(scene.cache.link("b", "absent", scene.site / "x")) == "miss");
    CHECK(outcome(scene.cache.link("b", "k", "")) == "invalid");
    CHECK(outcome(scene.cache.link("b", "k", scene.site / "..")) == "invalid");
    CHECK(outcome(scene.cache.link("b", "k", "/")) == "invalid");
    CHECK(outcome(scene.cache.link("b", "k", scene.root / "x")) == "invalid");
    CHECK(outcome(scene.cache.link("b", "k", scene.path / "x")) == "invalid");
    CHECK(outcome(scene.cache.link("b", "k", scene.site / "none" / "x")) == "system");
    {
        const FailingHere failing({{"link.network", 1}});
        CHECK(outcome(scene.cache.link("b", "k", scene.site / "x")) == "refused");
    }
    CHECK_FALSE(fs::exists(fs::symlink_status(scene.site / "x")));
    CHECK(count_entries(scene.root / "roots") == 1);
    OpenOptions reading = test_options();
    reading.read_only = true;
    CHECK(outcome(open_cache(scene.root, reading).link("b", "k", scene.site / "x")) == "read_only");
}

TEST_CASE("a cache of an older format can't be linked from, and works otherwise", "[not-windows]") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    { put(open_bucket(root), "k", "content"); }
    std::string text = read_file(root / "format");
    REQUIRE(text.starts_with("larder 5\n"));
    write_file(root / "format", "larder 4" + text.substr(text.find('\n')));
    const Cache cache = open_cache(root);
    CHECK(content_of(value(cache.bucket("b")), "k") == "content");
    CHECK(outcome(cache.link("b", "k", dir.path() / "venv")) == "unsupported");
    CHECK_FALSE(fs::exists(root / "roots"));
    CHECK(read_file(root / "format").starts_with("larder 4\n"));
}

TEST_CASE("a relative path and one through a symlink are written down absolute", "[not-windows]") {
    const LinkedScene scene;
    fs::create_directory_symlink(scene.site, scene.dir.path() / "other-name");
    value(scene.cache.link("b", "k", scene.dir.path() / "other-name" / "second"));
    fs::remove(scene.dir.path() / "other-name");
    fs::remove(scene.path);
    value(scene.bucket.remove("k"));
    const auto report = scene.collect();
    REQUIRE(report.rooted.size() == 1);
    CHECK(report.rooted[0].path == scene.site / "second");
}

TEST_CASE("a path that leads to the entry in another spelling keeps it", "[not-windows]") {
    const LinkedScene scene;
    fs::remove(scene.path);
    fs::create_symlink("../cache/archive/" + scene.id + "/tree", scene.path);
    value(scene.bucket.remove("k"));
    CHECK(scene.collect().rooted.size() == 1);
    CHECK(scene.read() == "old");
}

TEST_CASE("a path that was moved, or replaced by something else, keeps nothing", "[not-windows]") {
    const std::map<std::string, std::function<void(const LinkedScene&)>> changing = {
        {"moved", [](const LinkedScene& s) { fs::rename(s.path, s.site / "elsewhere"); }},
        {"a file",
         [](const LinkedScene& s) {
             fs::remove(s.path);
             write_file(s.path, "x");
         }},
        {"another link",
         [](const LinkedScene& s) {
             fs::remove(s.path);
             fs::create_symlink("/tmp", s.path);
         }},
        {"a circle",
         [](const LinkedScene& s) {
             fs::remove(s.path);
             fs::create_symlink("venv", s.path);
         }},
        {"its directory", [](const LinkedScene& s) { fs::remove_all(s.site); }},
        {"a file above",
         [](const LinkedScene& s) {
             fs::remove_all(s.site);
             write_file(s.site, "x");
         }},
    };
    for (const auto& [how, change] : changing) {
        INFO(how);
        const LinkedScene scene;
        change(scene);
        value(scene.bucket.remove("k"));
        CHECK(scene.collect().entries == 1);
        CHECK(fs::is_empty(scene.root / "roots"));
    }
}

TEST_CASE("of several paths one is enough", "[not-windows]") {
    const LinkedScene scene;
    for (const char* name : {"a", "c", "z"}) value(scene.cache.link("b", "k", scene.site / name));
    value(scene.bucket.remove("k"));
    for (const char* name : {"venv", "a", "z"}) {
        fs::remove(scene.site / name);
        CHECK(scene.collect().rooted.size() == 1);
    }
    CHECK(read_file(scene.site / "c" / "f0") == "old");
    fs::remove(scene.site / "c");
    CHECK(scene.collect().entries == 1);
}

TEST_CASE("a root of another device counts although nothing stands at its path", "[not-windows]") {
    const LinkedScene scene;
    fs::remove(scene.path);
    forge_root(scene, {.destination = "/no-such-disk/venv", .device = 1});
    value(scene.bucket.remove("k"));
    CHECK(states_in(scene.cache) == std::vector{State::unreachable, State::gone});
    CHECK(scene.collect().rooted.size() == 1);
    CHECK(scene.stands());
    CHECK(value(scene.cache.prune_roots()).kept == 1);
    PruneOptions all;
    all.unreachable = true;
    CHECK(value(scene.cache.prune_roots(all)).dropped.size() == 1);
    CHECK(scene.collect().entries == 1);
}

TEST_CASE("what can't be read as a root keeps its entry, until a repair takes it away",
          "[not-windows]") {
    const format::RootFile file{.destination = "/a", .device = 1};
    const std::string good = format::print_root_file(file);
    for (const std::string& bytes :
         {std::string(), std::string("larder root 2\n"), good.substr(0, good.size() - 1),
          std::string(20'000, 'x'), std::string("\0\0\0", 3)}) {
        const LinkedScene scene;
        fs::remove(scene.path);
        for (const auto& each : fs::directory_iterator(scene.roots())) fs::remove(each.path());
        write_file(scene.roots() / fresh_name(), bytes);
        value(scene.bucket.remove("k"));
        CHECK(scene.collect().rooted.size() == 1);
        CHECK(states_in(scene.cache) == std::vector{State::unreadable});
        CHECK(value(scene.cache.prune_roots()).dropped.empty());
        CHECK_FALSE(value(scene.cache.verify()).sound());
        VerifyOptions repair;
        repair.repair = true;
        CHECK(value(scene.cache.verify(repair)).sound());
        CHECK(scene.collect().entries == 1);
    }
}

TEST_CASE("roots of an entry that is gone are found, and a repair or a prune removes them",
          "[not-windows]") {
    for (const bool by_repair : {true, false}) {
        const LinkedScene scene;
        fs::create_directory(scene.root / "roots" / fresh_name());
        const std::string gone = fresh_name();
        fs::create_directory(scene.root / "roots" / gone);
        const format::RootFile file{.destination = scene.path.string(), .device = 1};
        write_file(scene.root / "roots" / gone / format::root_file_name(file),
                   format::print_root_file(file));
        CHECK_FALSE(value(scene.cache.verify()).sound());
        if (by_repair) {
            VerifyOptions repair;
            repair.repair = true;
            CHECK(value(scene.cache.verify(repair)).sound());
        } else {
            CHECK(value(scene.cache.prune_roots()).dropped.size() == 1);
        }
        CHECK_FALSE(fs::exists(scene.root / "roots" / gone));
        CHECK(fs::exists(scene.roots()));
        CHECK(scene.read() == "old");
    }
}

TEST_CASE("an unlink removes the symlink and its root, and nothing else", "[not-windows]") {
    const LinkedScene scene;
    CHECK(outcome(scene.cache.unlink(scene.site / "other")) == "miss");
    value(scene.cache.unlink(scene.path));
    CHECK_FALSE(fs::exists(fs::symlink_status(scene.path)));
    CHECK(value(scene.cache.roots()).empty());
    CHECK(outcome(scene.cache.unlink(scene.path)) == "miss");
    // A file that a user has put there stays.
    value(scene.cache.link("b", "k", scene.path));
    fs::remove(scene.path);
    write_file(scene.path, "mine");
    value(scene.cache.unlink(scene.path));
    CHECK(read_file(scene.path) == "mine");
    CHECK(value(scene.cache.roots()).empty());
}

TEST_CASE("a prune drops roots of live entries, and a dry run only reports them", "[not-windows]") {
    const LinkedScene scene;
    value(scene.cache.link("b", "k", scene.site / "second"));
    fs::remove(scene.path);
    PruneOptions dry;
    dry.dry_run = true;
    CHECK(value(scene.cache.prune_roots(dry)).dropped.size() == 1);
    CHECK(count_entries(scene.roots()) == 2);
    const auto report = value(scene.cache.prune_roots());
    REQUIRE(report.dropped.size() == 1);
    CHECK(report.dropped[0].path == scene.path);
    CHECK(report.kept == 1);
    CHECK(count_entries(scene.roots()) == 1);
}

TEST_CASE("a prune leaves the roots of a link that is at work, and one that comes between",
          "[not-windows]") {
    // The link has written its root, and its path does not lead to the entry yet.
    {
        const LinkedScene scene;
        const fs::path second = scene.site / "second";
        Child linking([&](Child&) { value(open_cache(scene.root).link("b", "k", second)); },
                      {{"link.rooted"}, {}});
        linking.wait_for("link.rooted");
        CHECK(value(scene.cache.prune_roots()).dropped.empty());
        linking.go_on();
        REQUIRE(linking.join() == 0);
        value(scene.bucket.remove("k"));
        fs::remove(scene.path);
        CHECK(scene.collect().rooted.size() == 1);
        CHECK(read_file(second / "f0") == "old");
    }
    // The link begins and ends after the prune has looked at the path, once or twice.
    for (const char* point : {"roots.moved-aside", "roots.judged-one"}) {
        INFO(point);
        const LinkedScene scene;
        fs::remove(scene.path);
        Child pruning([&](Child&) { (void)value(open_cache(scene.root).prune_roots()); },
                      {{point}, {}});
        pruning.wait_for(point);
        value(scene.cache.link("b", "k", scene.path));
        pruning.go_on();
        REQUIRE(pruning.join() == 0);
        value(scene.bucket.remove("k"));
        CHECK(scene.collect().rooted.size() == 1);
        CHECK(scene.read() == "old");
    }
}

TEST_CASE("a collection that begins while a link is at work leaves its entry", "[not-windows]") {
    for (const char* point : {"link.rooted", "link.made"}) {
        INFO(point);
        const LinkedScene scene;
        const fs::path second = scene.site / "second";
        Child linking([&](Child&) { value(open_cache(scene.root).link("b", "k", second)); },
                      {{point}, {}});
        linking.wait_for(point);
        fs::remove(scene.path);
        value(scene.bucket.remove("k"));
        CHECK(scene.collect().leased.size() == 1);
        linking.go_on();
        REQUIRE(linking.join() == 0);
        CHECK(scene.collect().rooted.size() == 1);
        CHECK(read_file(second / "f0") == "old");
    }
}

TEST_CASE("a link that ends between the slots and the roots of a collection keeps its entry",
          "[not-windows]") {
    const LinkedScene scene;
    fs::remove(scene.path);
    const fs::path second = scene.site / "second";
    Child linking([&](Child&) { value(open_cache(scene.root).link("b", "k", second)); },
                  {{"link.rooted"}, {}});
    linking.wait_for("link.rooted");
    value(scene.bucket.remove("k"));
    // The collection has listed and has not read the slots. If it had asked the roots by now, it
    // would find none that counts.
    Child collecting([&](Child&) { (void)value(open_cache(scene.root).collect()); },
                     {{"collect.listed"}, {}});
    collecting.wait_for("collect.listed");
    linking.go_on();
    REQUIRE(linking.join() == 0);
    collecting.go_on();
    REQUIRE(collecting.join() == 0);
    CHECK(read_file(second / "f0") == "old");
}

TEST_CASE("a destroy refuses a cache to which a path leads", "[not-windows]") {
    const LinkedScene scene;
    Child other([&](Child&) {
        const auto destroyed = Cache::destroy(scene.root);
        Child::must(outcome(destroyed) == "busy", "busy");
    });
    REQUIRE(other.join() == 0);
    const TempDir dir;
    const fs::path root = dir.path() / "cache", path = dir.path() / "venv";
    Child making([&](Child&) {
        const Cache cache = open_cache(root);
        put(value(cache.bucket("b")), "k", "content");
        value(cache.link("b", "k", path));
    });
    REQUIRE(making.join() == 0);
    const auto destroyed = Cache::destroy(root);
    CHECK(outcome(destroyed) == "refused");
    CHECK(contains(destroyed.error().message(), path.string()));
    CHECK(read_file(path / "f0") == "content");
    fs::remove(path);
    value(Cache::destroy(root));
    CHECK_FALSE(fs::exists(root));
}

TEST_CASE("a link for power is on the disk", "[not-windows]") {
    const LinkedScene scene;
    LinkOptions power;
    power.durability = Durability::power;
    value(scene.cache.link("b", "k", scene.site / "second", power));
    CHECK(read_file(scene.site / "second" / "f0") == "old");
    const FailingHere failing({{"os.sync", 5}});
    CHECK(outcome(scene.cache.link("b", "k", scene.site / "third", power)) == "system");
}

TEST_CASE("a link that was killed leaves nothing that the next one does not clean up",
          "[not-windows]") {
    const LinkedScene scene;
    put(scene.bucket, "k", "new");
    Child victim([&](Child&) { value(open_cache(scene.root).link("b", "k", scene.path)); },
                 {{}, {"link.beside"}});
    REQUIRE(victim.join() == 128 + SIGKILL);
    CHECK(scene.read() == "old");
    CHECK(count_entries(scene.site) == 2);
    Child next([&](Child&) { value(open_cache(scene.root).link("b", "k", scene.path)); });
    REQUIRE(next.join() == 0);
    CHECK(count_entries(scene.site) == 1);
    CHECK(scene.read() == "new");
}
