// SPDX-License-Identifier: MIT
// What a tree holds, and how that differs from a manifest.
#include "tree/inventory.hpp"

#include "support.hpp"
#include "tree/measure.hpp"

namespace larder::tree {

using namespace tree_test;

namespace {

/// Returns the names of a tree as a manifest of it has them, without its head and end.
std::string manifest_of(const Inventory& inventory) {
    format::ManifestPrinter printer({.boot = {}, .digest = {}, .newest = {}});
    (void)printer.take();
    REQUIRE(inventory.for_each([&](const format::ManifestItem& item) -> Result<> {
        printer.add(item);
        return {};
    }));
    return printer.take();
}

Inventory inventory_of(const fs::path& tree) {
    Inventory inventory;
    REQUIRE(measure(open(tree), &inventory));
    return inventory;
}

/// Returns how a tree differs from what another one, or this one, held before: "path: how" for each
/// difference.
std::vector<std::string> differences(const Inventory& before, const fs::path& tree) {
    const Inventory now = inventory_of(tree);
    std::vector<std::string> found;
    Comparison comparison(now, [&](const std::string& path, const std::string& how) {
        found.push_back(path + ": " + how);
    });
    REQUIRE(before.for_each([&](const format::ManifestItem& item) -> Result<> {
        comparison.take(item);
        return {};
    }));
    comparison.end();
    return found;
}

using Lines = std::vector<std::string>;
const std::string added = "it was added: the manifest does not list it";

/// A tree in which files and directories stand beside each other in many orders.
void make_tree(const fs::path& tree) {
    for (const char* path : {"a", "b-c", "b/d", "b/e/f", "b/e/g", "b.c/d", "m/n/o/p", "z/last"})
        write(tree / path);
    fs::create_directories(tree / "empty");
    fs::create_symlink("a", tree / "b/link");
}

}  // namespace

TEST_CASE("an inventory lists a tree in the order of a manifest") {
    const TempDir temp;
    write(temp / "tree/b", "12345");
    write(temp / "tree/a/c", "");
    write(temp / "tree/a-b", "1");
    fs::create_symlink("nowhere", temp / "tree/a/link");
    fs::create_directories(temp / "tree/d/e");
    fs::permissions(temp / "tree", fs::perms(0750));
    fs::permissions(temp / "tree/b", fs::perms(04711));
    fs::permissions(temp / "tree/a", fs::perms(0700));
    CHECK(manifest_of(inventory_of(temp / "tree")) ==
          "d 0 750 .\nf 644 1 - a-b\nf 4711 5 - b\nd 1 700 a\nf 644 0 - c\nl 7 - link\n"
          "d 1 755 d\nd 2 755 e\n");
}

TEST_CASE("two equal trees have equal lines, in whatever order they were made") {
    const TempDir temp;
    make_tree(temp / "one");
    fs::create_directories(temp / "two");
    fs::copy(temp / "one", temp / "two",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    fs::remove(temp / "two/a");
    write(temp / "two/a");
    CHECK(manifest_of(inventory_of(temp / "one")) == manifest_of(inventory_of(temp / "two")));
    CHECK(differences(inventory_of(temp / "one"), temp / "two").empty());
}

TEST_CASE("an inventory knows the latest time of modification of the files") {
    const TempDir temp;
    fs::create_directories(temp / "tree/d");
    CHECK(inventory_of(temp / "tree").newest() == os::FileTime{});
    write(temp / "tree/d/old");
    set_time(temp / "tree/d/old", -5, 7);
    CHECK(inventory_of(temp / "tree").newest() == os::FileTime{-5, 7});
    write(temp / "tree/new");
    set_time(temp / "tree/new", 2'000'000'000, 1);
    CHECK(inventory_of(temp / "tree").newest() == os::FileTime{2'000'000'000, 1});
}

TEST_CASE("each kind of difference is told, with its path") {
    const TempDir temp;
    const fs::path tree = temp / "tree";
    make_tree(tree);
    const Inventory before = inventory_of(tree);
    CHECK(differences(before, tree).empty());

    write(tree / "a", "longer");
    CHECK(differences(before, tree) == Lines{"a: it holds 6 bytes, and the manifest says 1"});
    write(tree / "a");
    fs::permissions(tree / "b/e/g", fs::perms(0600));
    CHECK(differences(before, tree) == Lines{"b/e/g: its mode is 600, and the manifest says 644"});
    fs::permissions(tree / "b/e/g", fs::perms(0644));
    fs::permissions(tree / "b/e", fs::perms(0711));
    CHECK(differences(before, tree) == Lines{"b/e: its mode is 711, and the manifest says 755"});
    fs::permissions(tree / "b/e", fs::perms(0755));
    fs::permissions(tree, fs::perms(0700));
    CHECK(differences(before, tree) == Lines{": its mode is 700, and the manifest says 755"});
    fs::permissions(tree, fs::perms(0755));

    fs::rename(tree / "b/d", tree / "b/D");
    CHECK(differences(before, tree) == Lines{"b/D: " + added, "b/d: it is missing"});
    fs::rename(tree / "b/D", tree / "b/d");
    fs::rename(tree / "m", tree / "k");
    CHECK(differences(before, tree) == Lines{"k: " + added, "m: it is missing"});
    fs::rename(tree / "k", tree / "m");

    fs::remove(tree / "b/link");
    fs::create_symlink("ab", tree / "b/link");
    CHECK(differences(before, tree) ==
          Lines{"b/link: its text has 2 bytes, and the manifest says 1"});
    fs::remove(tree / "b/link");
    write(tree / "b/link", "a");
    CHECK(differences(before, tree) ==
          Lines{"b/link: it is a file, and the manifest says a symlink"});
    fs::remove(tree / "b/link");
    fs::create_directory(tree / "b/link");
    CHECK(differences(before, tree) == Lines{"b/link: it is missing", "b/link: " + added});
}

TEST_CASE("every file that is lost or added is told, and nothing else") {
    const TempDir temp;
    const fs::path tree = temp / "tree";
    make_tree(tree);
    const Inventory before = inventory_of(tree);
    std::vector<fs::path> all;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) all.push_back(entry.path());
    for (const fs::path& each : all) {
        const std::string path =
            fs::relative(each.parent_path(), tree) == "."
                ? each.filename().string()
                : (fs::relative(each.parent_path(), tree) / each.filename()).string();
        INFO(path);
        fs::rename(each, temp / "away");
        CHECK(differences(before, tree) == Lines{path + ": it is missing"});
        const Inventory without = inventory_of(tree);
        fs::rename(temp / "away", each);
        CHECK(differences(without, tree) == Lines{path + ": " + added});
        CHECK(differences(before, tree).empty());
    }
}

TEST_CASE("a tree of a thousand levels can be compared, and its lines stay short") {
    const TempDir temp;
    fs::create_directory(temp / "tree");
    make_deep(temp / "tree", 1000);
    const Inventory before = inventory_of(temp / "tree");
    CHECK(differences(before, temp / "tree").empty());
    CHECK(manifest_of(before).size() < std::size_t{1000} * 40);
}

}  // namespace larder::tree
