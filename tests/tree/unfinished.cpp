// SPDX-License-Identifier: MIT
// What a materialize leaves beside its destination when it is killed, and what deletes that.
#include "tree/unfinished.hpp"

#include <set>

#include <larder/materialize.hpp>

#include "format/layout.hpp"
#include "os/process.hpp"
#include "support.hpp"
#include "support/child.hpp"
#include "tree/walk.hpp"

namespace larder {

using namespace tree_test;
using testing::Child;

namespace {

fs::path make_tree(const TempDir& temp) {
    write(temp / "tree/sub/file", "content");
    write(temp / "tree/other", "content");
    return temp / "tree";
}

/// Makes a destination in a process of its own, which is killed at a point if one is named. Returns
/// its exit code.
int install(const fs::path& tree, const fs::path& destination, const char* kill_at = nullptr) {
    testing::Points points;
    if (kill_at != nullptr) points.kill_at = {kill_at};
    Child child(
        [&](Child&) {
            Child::must(materialize(tree, destination, {.mode = LinkMode::hardlink, .threads = 1}));
        },
        points);
    return child.join();
}

std::set<std::string> names_in(const fs::path& dir) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir)) names.insert(entry.path().filename());
    return names;
}

/// Leaves an unfinished directory in `place`, and returns its name.
std::string abandon(const fs::path& tree, const fs::path& place) {
    const auto before = names_in(place);
    REQUIRE(install(tree, place / "wanted", "tree.link") == 128 + SIGKILL);
    REQUIRE_FALSE(fs::exists(place / "wanted"));
    for (const auto& name : names_in(place)) {
        if (!before.contains(name)) return name;
    }
    FAIL("nothing was left");
    return {};
}

}  // namespace

TEST_CASE("what a killed materialize left is deleted by the next one in the same place") {
    TempDir temp;
    const auto tree = make_tree(temp);
    fs::create_directories(temp / "place");
    fs::create_directories(temp / "elsewhere");
    const auto name = abandon(tree, temp / "place");
    CHECK(name.starts_with(".larder-"));
    CHECK(install(tree, temp / "elsewhere/new") == 0);
    CHECK(names_in(temp / "place") == std::set{name});
    CHECK(install(tree, temp / "place/new") == 0);
    CHECK(names_in(temp / "place") == std::set<std::string>{"new"});
    CHECK(read(tree / "sub/file") == "content");
}

TEST_CASE("a kill while the rest of a killed materialize is deleted leaves nothing worse") {
    TempDir temp;
    const auto tree = make_tree(temp);
    fs::create_directories(temp / "place");
    const auto name = abandon(tree, temp / "place");
    fs::create_directories(temp / "place" / name / "one/two");
    CHECK(install(tree, temp / "place/new", "tree.remove_dir") == 128 + SIGKILL);
    CHECK(names_in(temp / "place") == std::set{name});
    CHECK(install(tree, temp / "place/new") == 0);
    CHECK(names_in(temp / "place") == std::set<std::string>{"new"});
}

TEST_CASE("what a live process fills stays, and becomes its destination") {
    TempDir temp;
    const auto tree = make_tree(temp);
    fs::create_directories(temp / "place");
    Child slow(
        [&](Child&) {
            Child::must(
                materialize(tree, temp / "place/slow", {.mode = LinkMode::hardlink, .threads = 1}));
        },
        {.hold_at = {"tree.link"}});
    slow.wait_for("tree.link");
    const auto filling = names_in(temp / "place");
    REQUIRE(filling.size() == 1);
    CHECK(install(tree, temp / "place/fast") == 0);
    CHECK(names_in(temp / "place") == std::set<std::string>{"fast", *filling.begin()});
    slow.go_on();
    slow.wait_for("tree.link");
    slow.go_on();
    CHECK(slow.join() == 0);
    CHECK(names_in(temp / "place") == std::set<std::string>{"fast", "slow"});
}

TEST_CASE("nothing but what a dead process of this boot has left is deleted") {
    TempDir temp;
    const auto tree = make_tree(temp);
    fs::create_directories(temp / "place");
    fs::create_directories(temp / "precious/sub");
    const auto name = abandon(tree, temp / "place");
    const auto parsed = format::parse_unfinished_name(name);
    REQUIRE(parsed);
    fs::remove_all(temp / "place" / name);

    std::set<std::string> stay;
    const auto keep = [&](const std::string& kept) {
        stay.insert(kept);
        return temp / "place" / kept;
    };
    fs::create_directories(keep(".larder-of-the-user") / "sub");
    fs::create_directories(keep(tree::fresh_name()) / "sub");
    auto other = *parsed;
    other.maker.boot[0] ^= 1U;
    fs::create_directories(keep(format::unfinished_name(other)) / "sub");
    other = *parsed;
    other.maker.start = 0;
    fs::create_directories(keep(format::unfinished_name(other)) / "sub");
    fs::create_directories(keep(name + "x") / "sub");
    SECTION("a directory") {
        // Another pid namespace: whether its process runs can be told by a search everywhere alone.
        other = *parsed;
        other.maker = os::this_process();
        fs::create_directories(keep(format::unfinished_name(other)) / "sub");
    }
    SECTION("a symlink, which is deleted and not followed") {
        fs::create_directory_symlink(temp / "precious", temp / "place" / name);
    }
    SECTION("a file") { write(keep(name)); }
    REQUIRE(install(tree, temp / "place/new") == 0);
    stay.insert("new");
    CHECK(names_in(temp / "place") == stay);
    CHECK(fs::exists(temp / "precious/sub"));
}

TEST_CASE("nothing is deleted where another user can have named it") {
    TempDir temp;
    const auto tree = make_tree(temp);
    fs::create_directories(temp / "place");
    const auto name = abandon(tree, temp / "place");
    SECTION("a place that others may write to") {
        fs::permissions(temp / "place", fs::perms(0777));
        REQUIRE(install(tree, temp / "place/new") == 0);
        CHECK(names_in(temp / "place") == std::set<std::string>{"new", name});
        // As in /tmp: there each user renames only what is the user's own.
        fs::permissions(temp / "place", fs::perms(01777));
        REQUIRE(install(tree, temp / "place/newer") == 0);
        CHECK(names_in(temp / "place") == std::set<std::string>{"new", "newer"});
    }
    SECTION("a directory that another user may have moved to such a place") {
        // The right to write to a directory is what the system asks of one who moves it to another
        // place, even if that place is sticky.
        fs::permissions(temp / "place", fs::perms(01777));
        const auto others_may = GENERATE(0777, 0722);
        fs::permissions(temp / "place" / name, fs::perms(others_may));
        REQUIRE(install(tree, temp / "place/new") == 0);
        CHECK(names_in(temp / "place") == std::set<std::string>{"new", name});
        fs::permissions(temp / "place" / name, fs::perms(0755));
        REQUIRE(install(tree, temp / "place/newer") == 0);
        CHECK(names_in(temp / "place") == std::set<std::string>{"new", "newer"});
    }
    SECTION("a directory that another user moves to such a place") {
        SKIP_UNLESS(is_root(), "only root can act as another user");
        fs::remove_all(temp / "place" / name);
        fs::permissions(temp / "place", fs::perms(01777));
        // A directory of theirs holds one of this user's to which all may write, and in that stands
        // a file that only this user may delete.
        fs::create_directories(temp / "theirs/shared/sub");
        write(temp / "theirs/shared/sub/file", "precious");
        fs::permissions(temp / "theirs/shared", fs::perms(0777));
        REQUIRE(::chown((temp / "theirs").c_str(), 65534, 65534) == 0);
        Child other([&](Child&) {
            Child::must(
                ::setgroups(0, nullptr) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0,
                "not another user");
            Child::must(::unlink((temp / "theirs/shared/sub/file").c_str()) != 0, "deleted it");
            fs::rename(temp / "theirs/shared", temp / "place" / name);
        });
        REQUIRE(other.join() == 0);
        REQUIRE(install(tree, temp / "place/new") == 0);
        CHECK(fs::exists(temp / "place" / name / "sub/file"));
    }
    SECTION("a place or a directory of another user") {
        SKIP_UNLESS(is_root(), "only root can make files of another user");
        const auto theirs = GENERATE(std::string("."), std::string("the directory"));
        const auto path = theirs == "." ? temp / "place" : temp / "place" / name;
        REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
        REQUIRE(install(tree, temp / "place/new") == 0);
        CHECK(names_in(temp / "place") == std::set<std::string>{"new", name});
    }
}

TEST_CASE("an unfinished name tells its maker, in one spelling") {
    format::UnfinishedName name;
    name.maker = os::this_process();
    name.maker.boot_is_real = true;
    name.maker.clock_offset = -5;
    name.unique = {.random = 0xfedc'ba98'7654'3210U, .counter = 7};
    const auto text = format::unfinished_name(name);
    const auto parsed = format::parse_unfinished_name(text);
    REQUIRE(parsed);
    CHECK(parsed->maker.boot == name.maker.boot);
    CHECK(parsed->maker.boot_is_real);
    CHECK(parsed->maker.pid_namespace == name.maker.pid_namespace);
    CHECK(parsed->maker.start == name.maker.start);
    CHECK(parsed->maker.clock_offset == -5);
    CHECK(parsed->maker.pid == name.maker.pid);
    CHECK(parsed->unique.random == name.unique.random);
    CHECK(parsed->unique.counter == 7);
    for (const auto& wrong :
         {text + "g", text.substr(0, text.size() - 1) + "07", text + "-", text + "-0",
          text.substr(1), " " + text, text.substr(0, text.rfind('-')), std::string(".larder-"),
          std::string(".larder-0123456789abcdef01234567"), std::string()}) {
        INFO(wrong);
        CHECK_FALSE(format::parse_unfinished_name(wrong));
    }
}

}  // namespace larder
