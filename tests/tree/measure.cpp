// SPDX-License-Identifier: MIT
// Measuring and syncing a tree.
#include "tree/measure.hpp"

#include "support.hpp"

namespace larder::tree {

using namespace tree_test;

TEST_CASE("measure counts what is there, and follows no symlink") {
    TempDir temp;
    write(temp / "tree/a", "12345");
    write(temp / "tree/b/c", "123");
    write(temp / "outside/d", "1234567890");
    fs::create_directories(temp / "tree/empty");
    fs::create_directory_symlink("../outside", temp / "tree/link");
    const auto size = measure(open(temp / "tree"));
    REQUIRE(size);
    CHECK(size->bytes == 8);
    CHECK(size->files == 3);
}

TEST_CASE("a tree that is deeper than there are descriptors can be measured and synced") {
    TempDir temp;
    fs::create_directory(temp / "tree");
    make_deep(temp / "tree", 1000);
    CHECK(in_child([&] {
              limit(RLIMIT_NOFILE, 100);
              const auto dir = open(temp / "tree");
              const auto size = measure(dir);
              return size && size->files == 1 && size->bytes == 4 && sync(dir, *size) ? 0 : 1;
          }) == 0);
}

TEST_CASE("sync works for few files and for many, and for files that may not be read") {
    TempDir temp;
    write(temp / "tree/a/b");
    REQUIRE(::mkfifo((temp / "tree/pipe").c_str(), 0600) == 0);  // it must not wait here
    fs::create_symlink("nowhere", temp / "tree/link");
    fs::permissions(temp / "tree/a/b", fs::perms(0));
    give_to_nobody(temp / "tree");
    const std::uint64_t files = GENERATE(3U, 1'000'000U);
    CHECK(in_child([&] {
              become_nobody();
              return sync(open(temp / "tree"), {1, files}) ? 0 : 1;
          }) == 0);
}

}  // namespace larder::tree
