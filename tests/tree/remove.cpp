// SPDX-License-Identifier: MIT
// Deleting a tree: all of it, nothing else, however deep, wide or hostile it is.
#include "tree/remove.hpp"

#include <fcntl.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

#include <atomic>
#include <cerrno>
#include <string_view>

#include "support.hpp"

namespace larder::tree {

using namespace tree_test;

TEST_CASE("empty_dir deletes everything in a directory, and keeps it") {
    const unsigned threads = GENERATE(0U, 1U, 4U);
    TempDir temp;
    for (int i = 0; i < 1000; ++i)
        write(temp / "deleting" / std::to_string(i % 10) / std::to_string(i % 7) /
              std::to_string(i));
    write(temp / "deleting/a file\nwith \xff in its name");
    fs::create_directories(temp / "deleting/empty/empty");
    fs::create_symlink("nowhere", temp / "deleting/link");
    REQUIRE(::mkfifo((temp / "deleting/pipe").c_str(), 0600) == 0);
    const auto removed = empty_dir(open(temp / "deleting"), {.threads = threads});
    REQUIRE(removed);
    CHECK(removed->files == 1003);
    CHECK(removed->directories == 10 + 70 + 2);
    CHECK(fs::is_empty(temp / "deleting"));
}

TEST_CASE("many threads share one wide directory") {
    TempDir temp;
    for (int i = 0; i < 3000; ++i) write(temp / "deleting/wide" / std::to_string(i));
    const auto removed = empty_dir(open(temp / "deleting"), {.threads = 8});
    REQUIRE(removed);
    CHECK(removed->files == 3000);
    CHECK(fs::is_empty(temp / "deleting"));
}

TEST_CASE("remove_tree_at deletes a tree, a file or a link, and is no error if there is none") {
    TempDir temp;
    write(temp / "tree/a/b/c");
    write(temp / "file");
    write(temp / "outside/kept");
    fs::create_directory_symlink("outside", temp / "link");
    const auto dir = open(temp.path());
    CHECK(remove_tree_at(dir, "tree")->directories == 3);
    CHECK(remove_tree_at(dir, "file")->files == 1);
    CHECK(remove_tree_at(dir, "link")->files == 1);
    const auto none = remove_tree_at(dir, "none");
    REQUIRE(none);
    CHECK(none->files + none->directories == 0);
    CHECK(fs::exists(temp / "outside/kept"));
    CHECK(std::distance(fs::directory_iterator(temp.path()), {}) == 1);
}

TEST_CASE("deleting follows no symlink") {
    TempDir temp;
    write(temp / "outside/kept");
    write(temp / "deleting/tree/file");
    fs::create_directory_symlink(temp / "outside", temp / "deleting/link");
    fs::create_directory_symlink(temp / "outside", temp / "deleting/tree/link");
    REQUIRE(empty_dir(open(temp / "deleting"), {.threads = 0}));
    CHECK(fs::is_empty(temp / "deleting"));
    CHECK(fs::exists(temp / "outside/kept"));
}

TEST_CASE("deleting follows no symlink that replaces a directory just before that is opened") {
    TempDir temp;
    write(temp / "outside/kept");
    write(temp / "deleting/tree/inner/file");
    bool swapped = false;
    const AtPoint hook([&](const char* name) {
        if (std::string_view(name) == "os.openat2" && !fs::is_symlink(temp / "deleting/tree")) {
            if (swapped) return 0;
            swapped = true;
            fs::rename(temp / "deleting/tree", temp / "aside");
            fs::create_directory_symlink(temp / "outside", temp / "deleting/tree");
        }
        return 0;
    });
    REQUIRE(empty_dir(open(temp / "deleting"), {.threads = 1}));
    CHECK(swapped);
    CHECK(fs::is_empty(temp / "deleting"));
    CHECK(fs::exists(temp / "outside/kept"));
    CHECK(fs::exists(temp / "aside/inner/file"));
}

TEST_CASE("a tree that is far deeper than there are descriptors is deleted") {
    TempDir temp;
    fs::create_directory(temp / "deleting");
    make_deep(temp / "deleting", 5000);
    // 40 descriptors are fewer than one walk may hold, so it runs out of them as well.
    const rlim_t descriptors = GENERATE(160, 40);
    CHECK(in_child([&] {
              limit(RLIMIT_NOFILE, descriptors);
              const auto removed = empty_dir(open(temp / "deleting"), {.threads = 1});
              if (!removed) std::fprintf(stderr, "%s\n", removed.error().message().c_str());
              return removed && removed->files == 1 && removed->directories == 5000 ? 0 : 1;
          }) == 0);
    CHECK(fs::is_empty(temp / "deleting"));
    REQUIRE(remove_tree_at(open(temp.path()), "deleting"));
}

TEST_CASE("remove_tree_at and several threads delete a deep tree") {
    TempDir temp;
    fs::create_directories(temp / "deleting/a");
    fs::create_directories(temp / "deleting/b");
    make_deep(temp / "deleting/a", 300);
    make_deep(temp / "deleting/b", 300);
    if (GENERATE(true, false)) {
        REQUIRE(remove_tree_at(open(temp.path()), "deleting"));
        CHECK_FALSE(fs::exists(temp / "deleting"));
    } else {
        REQUIRE(empty_dir(open(temp / "deleting"), {.threads = 4}));
        CHECK(fs::is_empty(temp / "deleting"));
    }
}

TEST_CASE("read-only directories are made writable first") {
    TempDir temp;
    write(temp / "deleting/module/read-only/file");
    fs::create_directories(temp / "deleting/module/closed/inner");
    fs::create_directories(temp / "deleting/module/no-search/inner");
    give_to_nobody(temp / "deleting");
    fs::permissions(temp / "deleting/module/read-only", fs::perms(0555));
    fs::permissions(temp / "deleting/module/closed", fs::perms(0));
    fs::permissions(temp / "deleting/module/no-search", fs::perms(0600));
    fs::permissions(temp / "deleting/module", fs::perms(0555));
    CHECK(in_child([&] {
              become_nobody();
              const auto removed = empty_dir(open(temp / "deleting"), {.threads = 2});
              if (!removed) std::fprintf(stderr, "%s\n", removed.error().message().c_str());
              return removed ? 0 : 1;
          }) == 0);
    CHECK(fs::is_empty(temp / "deleting"));
}

TEST_CASE("several processes empty one directory at the same time") {
    TempDir temp;
    for (int i = 0; i < 2000; ++i)
        write(temp / "deleting" / std::to_string(i % 20) / std::to_string(i));
    make_deep(temp / "deleting", 200);
    CHECK(in_child([&] {
              std::vector<pid_t> children;
              for (int i = 0; i < 3; ++i) {
                  const pid_t child = ::fork();
                  if (child == 0)
                      ::_exit(empty_dir(open(temp / "deleting"), {.threads = 2}) ? 0 : 1);
                  children.push_back(child);
              }
              int failed = 0;
              for (const pid_t child : children) {
                  int status = 0;
                  ::waitpid(child, &status, 0);
                  failed += status != 0;
              }
              return failed;
          }) == 0);
    // A process that has listed the top does not see what another moves up there later. That other
    // process does.
    CHECK(fs::is_empty(temp / "deleting"));
}

TEST_CASE(
    "what appears in a directory while it is deleted is deleted too, unless that never ends") {
    TempDir temp;
    write(temp / "deleting/tree/file");
    write(temp / "deleting/other/file");
    const int times = GENERATE(1, 100);
    int written = 0;
    const AtPoint hook([&](const char* name) {
        if (std::string_view(name) == "tree.remove_dir" && written < times &&
            fs::exists(temp / "deleting/tree")) {
            write(temp / "deleting/tree/late" / std::to_string(++written));
        }
        return 0;
    });
    const auto removed = empty_dir(open(temp / "deleting"), {.threads = 1});
    CHECK_FALSE(fs::exists(temp / "deleting/other"));
    if (times == 1) {
        REQUIRE(removed);
        CHECK(fs::is_empty(temp / "deleting"));
    } else {
        REQUIRE_FALSE(removed);
        CHECK(removed.error().sys_errno == ENOTEMPTY);
    }
}

TEST_CASE("if no thread can be started, one does all the work") {
    SKIP_UNLESS(is_root(),
                "only a user whose processes can be counted, other than ours, shows this");
    TempDir temp;
    for (int i = 0; i < 1000; ++i)
        write(temp / "deleting" / std::to_string(i % 10) / std::to_string(i));
    give_to_nobody(temp / "deleting");
    CHECK(in_child([&] {
              limit(RLIMIT_NPROC, 0);
              become_nobody();
              return empty_dir(open(temp / "deleting"), {.threads = 4}) ? 0 : 1;
          }) == 0);
    CHECK(fs::is_empty(temp / "deleting"));
}

#ifdef __linux__
TEST_CASE("deleting crosses no mount, of another file system or of a part of this one") {
    TempDir temp;
    write(temp / "outside/kept");
    write(temp / "deleting/tree/file");
    write(temp / "deleting/other/file");
    fs::create_directories(temp / "deleting/tree/inner/mounted");
    const bool bind = GENERATE(true, false);
    const bool old_kernel = GENERATE(true, false);
    const fs::path at = temp / "deleting/tree/inner/mounted";
    const Mounted mounted(bind ? (temp / "outside").string() : "none", at, bind ? "none" : "tmpfs",
                          bind ? static_cast<unsigned long>(MS_BIND) : 0UL);
    SKIP_UNLESS(mounted, "no rights to mount");
    if (!bind) write(at / "kept");
    // This runs in a child, since a process remembers what the kernel lacks.
    CHECK(in_child([&] {
              const AtPoint hook([&](const char* name) {
                  return old_kernel && std::string_view(name) == "os.openat2" ? ENOSYS : 0;
              });
              const auto removed = empty_dir(open(temp / "deleting"), {.threads = 2});
              return !removed && removed.error().sys_errno == EBUSY && removed.error().path == at
                         ? 0
                         : 1;
          }) == 0);
    CHECK(fs::exists(at / "kept"));
    CHECK_FALSE(fs::exists(temp / "deleting/other"));
    CHECK_FALSE(fs::exists(temp / "deleting/tree/file"));
    CHECK(in_child([&] { return remove_tree_at(open(at.parent_path()), "mounted") ? 1 : 0; }) == 0);
    CHECK(fs::exists(at / "kept"));
}

TEST_CASE("what can't be deleted stays and is reported, and all else is deleted") {
    TempDir temp;
    for (const char* name : {"a", "b", "c"}) write(temp / "deleting/tree" / name);
    const larder::os::Fd fd(::open((temp / "deleting/tree/b").c_str(), O_RDONLY | O_CLOEXEC));
    int flags = FS_IMMUTABLE_FL;
    SKIP_UNLESS(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0,
                "no rights to make a file immutable, or no such file system");
    const auto removed = empty_dir(open(temp / "deleting"), {.threads = 1});
    flags = 0;
    REQUIRE(::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().sys_errno == EPERM);
    CHECK(removed.error().path == temp / "deleting/tree/b");
    CHECK(std::distance(fs::directory_iterator(temp / "deleting/tree"), {}) == 1);
}
#endif

}  // namespace larder::tree
