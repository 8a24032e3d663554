// SPDX-License-Identifier: MIT
// Which paths lie in a cache, and what materialize does with its destination.
#include <larder/materialize.hpp>

#include "support.hpp"
#include "tree/containment.hpp"

namespace larder {

using namespace tree_test;

namespace {

void make_cache(const fs::path& root) {
    write(root / "format", "larder 4\nlinks symlink\nbuckets directory\n");
    write(root / "archive/id/tree/file", "content");
}

/// Returns the root of the cache around a path; nullopt if there is none.
std::optional<fs::path> cache_around(const fs::path& path) {
    const auto root = tree::enclosing_cache(path);
    REQUIRE(root);
    return *root;
}

bool is_within(const fs::path& inner, const fs::path& outer) {
    const auto within = tree::lies_within(inner, outer);
    REQUIRE(within);
    return *within;
}

}  // namespace

TEST_CASE("enclosing_cache finds the cache around a path, even if that does not exist") {
    TempDir temp;
    make_cache(temp / "cache");
    fs::create_directory_symlink("cache/archive", temp / "way-in");
    CHECK(cache_around(temp / "cache") == fs::canonical(temp / "cache"));
    CHECK(cache_around(temp / "cache/") == fs::canonical(temp / "cache"));
    CHECK(cache_around(temp / "cache/archive/id/tree") == fs::canonical(temp / "cache"));
    CHECK(cache_around(temp / "cache/none/none") == fs::canonical(temp / "cache"));
    CHECK(cache_around(temp / "way-in/id") == fs::canonical(temp / "cache"));
    CHECK(cache_around(temp / "none/../way-in/none") == fs::canonical(temp / "cache"));
    CHECK_FALSE(cache_around(temp / "none"));
    CHECK_FALSE(cache_around(temp / "cache/../none"));
}

TEST_CASE("only a regular file `format` with the right beginning makes a cache") {
    TempDir temp;
    write(temp / "other/format", "larde");
    write(temp / "cache/format", "larder 4\n");
    fs::create_directory(temp / "linked");
    fs::create_symlink("../cache/format", temp / "linked/format");
    fs::create_directories(temp / "dir/format");
    fs::create_directory(temp / "pipe");
    REQUIRE(::mkfifo((temp / "pipe/format").c_str(), 0600) == 0);
    for (const char* name : {"other", "linked", "dir", "pipe"})
        CHECK_FALSE(cache_around(temp / name / "x"));
    CHECK(cache_around(temp / "cache/x"));
}

TEST_CASE("lies_within follows symlinks, and compares whole names") {
    TempDir temp;
    fs::create_directories(temp / "a/b");
    fs::create_directories(temp / "ab");
    fs::create_directory_symlink("a/b", temp / "link");
    CHECK(is_within(temp / "a/b", temp / "a"));
    CHECK(is_within(temp / "a", temp / "a"));
    CHECK(is_within(temp / "a/", temp / "a"));
    CHECK(is_within(temp / "link/none", temp / "a"));
    CHECK(is_within(temp / "a/b/none", temp / "link"));
    CHECK_FALSE(is_within(temp / "ab", temp / "a"));
    CHECK_FALSE(is_within(temp / "a", temp / "a/b"));
    CHECK_FALSE(is_within(temp / "none", temp / "other"));
}

TEST_CASE("materialize makes its destination, with the mode and time of the tree") {
    TempDir temp;
    make_cache(temp / "cache");
    const fs::path tree = temp / "cache/archive/id/tree";
    fs::permissions(tree, fs::perms(0750));
    set_time(tree, 1'000'000, 5);
    for (const char* name : {"one", "two/three", "four/"}) {
        const auto report = materialize(tree, temp / name, {.mode = LinkMode::copy});
        REQUIRE(report);
        CHECK(report->copied == 1);
        CHECK(report->directories == 1);
        CHECK(read(temp / name / "file") == "content");
    }
    CHECK((look(temp / "one").st_mode & 07777) == 0750);
    CHECK(look(temp / "one").st_mtim.tv_sec == 1'000'000);
    // A destination that exists is filled, and keeps its mode.
    fs::create_directory(temp / "exists");
    fs::permissions(temp / "exists", fs::perms(0700));
    const auto report = materialize(tree, temp / "exists");
    REQUIRE(report);
    CHECK(report->directories == 0);
    CHECK((look(temp / "exists").st_mode & 07777) == 0700);
}

TEST_CASE("materialize refuses places where it would do harm, and changes nothing") {
    TempDir temp;
    make_cache(temp / "home/cache");
    make_cache(temp / "other-cache");
    fs::create_directory_symlink("home/cache", temp / "link");
    write(temp / "plain/tree/file");
    const fs::path tree = temp / "home/cache/archive/id/tree";
    const auto code = [](const Result<MaterializeReport>& result) {
        return result ? "done" : name_of(result.error().code);
    };
    CHECK(code(materialize(tree, temp / "home/cache/new")) == "invalid");
    CHECK(code(materialize(tree, tree)) == "invalid");
    CHECK(code(materialize(tree, temp / "other-cache/new/deep")) == "invalid");
    CHECK(code(materialize(tree, temp / "link/new")) == "invalid");
    CHECK(code(materialize(tree, temp / "home")) == "invalid");
    CHECK(code(materialize(tree, "/")) == "invalid");
    CHECK(code(materialize(temp / "plain/tree", temp / "plain")) == "invalid");
    CHECK(code(materialize(temp / "plain/tree", temp / "plain/tree/inner")) == "invalid");
    CHECK(code(materialize(temp / "plain/none", temp / "new")) == "system");
    write(temp / "file");
    CHECK(code(materialize(tree, temp / "file")) == "exists");
    CHECK_FALSE(fs::exists(temp / "new"));
    CHECK_FALSE(fs::exists(temp / "home/cache/new"));
    CHECK_FALSE(fs::exists(temp / "other-cache/new"));
    CHECK_FALSE(fs::exists(temp / "plain/tree/inner"));
}

}  // namespace larder
