// SPDX-License-Identifier: MIT
// Carry beside obstacles: files in its way, symlinks that it must not follow, disks that are full.
#include <cstring>
#include <ctime>
#include <string_view>

#include "support.hpp"
#include "support/socket.hpp"
#include "tree/carry.hpp"
#include "tree/measure.hpp"
#include "tree/remove.hpp"

namespace larder::tree {

using namespace tree_test;

namespace {

Result<MaterializeReport> carry(const fs::path& source, const fs::path& destination,
                                const MaterializeOptions& options = {}) {
    fs::create_directories(destination);
    return tree::carry(open(source), {.dir = open(destination)}, options);
}

std::string code(const Result<MaterializeReport>& result) {
    return result ? "done" : std::string(name_of(result.error().code));
}

std::size_t count(const fs::path& directory) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

}  // namespace

TEST_CASE("a pipe or a socket can't be carried, and the error names it") {
    TempDir temp;
    fs::create_directories(temp / "source/dir");
    if (GENERATE(true, false)) {
        REQUIRE(::mkfifo((temp / "source/dir/odd").c_str(), 0600) == 0);
    } else {
        testing::make_socket(temp / "source/dir/odd");
    }
    const auto refused = carry(temp / "source", temp / "target");
    REQUIRE(code(refused) == "invalid");
    CHECK(refused.error().path == temp / "source/dir/odd");
}

TEST_CASE("a file in the way stays as it is, unless it may be replaced") {
    TempDir temp;
    write(temp / "source/dir/file", "new");
    write(temp / "target/dir/file", "old");
    const auto mode = GENERATE(LinkMode::automatic, LinkMode::hardlink, LinkMode::copy);
    const auto refused = carry(temp / "source", temp / "target", {.mode = mode});
    REQUIRE(code(refused) == "exists");
    CHECK(refused.error().path == temp / "target/dir/file");
    CHECK(read(temp / "target/dir/file") == "old");
    CHECK(code(carry(temp / "source", temp / "target", {.mode = mode, .replace = true})) == "done");
    CHECK(read(temp / "target/dir/file") == "new");
    CHECK(count(temp / "target/dir") == 1);
}

TEST_CASE("a replacement never writes to the old file, which may be a hard link into a cache") {
    TempDir temp;
    write(temp / "cache/file", "precious");
    write(temp / "source/file", "new");
    fs::create_directory(temp / "target");
    fs::create_hard_link(temp / "cache/file", temp / "target/file");
    REQUIRE(carry(temp / "source", temp / "target", {.mode = LinkMode::copy, .replace = true}));
    CHECK(read(temp / "target/file") == "new");
    CHECK(read(temp / "cache/file") == "precious");
}

TEST_CASE("replacing a hard link by a link to the same file leaves no other file") {
    TempDir temp;
    write(temp / "source/file");
    for (int i = 0; i < 2; ++i) {
        REQUIRE(
            carry(temp / "source", temp / "target", {.mode = LinkMode::hardlink, .replace = true}));
        CHECK(count(temp / "target") == 1);
        CHECK(look(temp / "source/file").st_nlink == 2);
    }
}

TEST_CASE("a symlink in a file's way is replaced, and not what it leads to") {
    TempDir temp;
    write(temp / "source/file", "new");
    fs::create_symlink("nothing", temp / "source/link");
    write(temp / "outside", "precious");
    fs::create_directory(temp / "target");
    fs::create_symlink("../outside", temp / "target/file");
    fs::create_symlink("../outside", temp / "target/link");
    const auto mode = GENERATE(LinkMode::automatic, LinkMode::hardlink, LinkMode::copy);
    CHECK(code(carry(temp / "source", temp / "target", {.mode = mode})) == "exists");
    REQUIRE(carry(temp / "source", temp / "target", {.mode = mode, .replace = true}));
    CHECK(read(temp / "outside") == "precious");
    CHECK_FALSE(fs::is_symlink(temp / "target/file"));
    CHECK(fs::read_symlink(temp / "target/link") == "nothing");
    CHECK(count(temp / "target") == 2);
}

TEST_CASE("a directory is never replaced by a file, nor a file by a directory") {
    TempDir temp;
    write(temp / "source/a", "file");
    fs::create_directories(temp / "target/a");
    write(temp / "source2/b/file");
    write(temp / "target2/b", "file");
    const bool replace = GENERATE(true, false);
    CHECK(code(carry(temp / "source", temp / "target", {.replace = replace})) == "exists");
    CHECK(code(carry(temp / "source2", temp / "target2", {.replace = replace})) == "exists");
    CHECK(fs::is_directory(temp / "target/a"));
    CHECK(read(temp / "target2/b") == "file");
    CHECK(count(temp / "target") == 1);
}

TEST_CASE("no symlink below the destination is followed") {
    TempDir temp;
    write(temp / "source/dir/file");
    fs::create_directories(temp / "outside");
    fs::create_directory(temp / "target");
    fs::create_directory_symlink("../outside", temp / "target/dir");
    const bool replace = GENERATE(true, false);
    const auto refused = carry(temp / "source", temp / "target", {.replace = replace});
    REQUIRE(code(refused) == "exists");
    CHECK(refused.error().path == temp / "target/dir");
    CHECK(fs::is_empty(temp / "outside"));
}

TEST_CASE("each level of a chain of directories costs the same to carry, however deep it is") {
    // The processor's time, because other processes may keep this one waiting. Without that rule,
    // eight times as many levels cost a hundred times as much.
    const auto cost_of = [](const fs::path& source, const fs::path& target) {
        const std::clock_t before = std::clock();
        REQUIRE(carry(source, target, {.mode = LinkMode::copy, .threads = 1}));
        REQUIRE(measure(open(target)));
        return std::clock() - before;
    };
    TempDir temp(fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path());
    fs::create_directory(temp / "short");
    fs::create_directory(temp / "long");
    make_deep(temp / "short", 500);
    make_deep(temp / "long", 4000);
    std::clock_t few = 1'000'000'000, many = few;
    for (int i = 0; i < 3; ++i) {
        few = std::min(few, cost_of(temp / "short", temp / ("few" + std::to_string(i))));
        many = std::min(many, cost_of(temp / "long", temp / ("many" + std::to_string(i))));
    }
    CHECK(many < 24 * few);
    // std::filesystem::remove_all needs a descriptor for each level.
    REQUIRE(empty_dir(open(temp.path()), {}));
}

TEST_CASE("the path of a directory is cut in its middle if no call could use it") {
    os::DirPath path(fs::path("/top"));
    for (int i = 0; i < 3000; ++i) path = path.below("name" + std::to_string(i));
    CHECK(path.string().size() <= 4096);
    CHECK(path.string().starts_with("/top/name0/name1/"));
    CHECK(path.string().find("/.../") != std::string::npos);
    CHECK(path.string().ends_with("/name2998/name2999"));
    CHECK(os::DirPath(fs::path("/")).below("a").string() == "/a");
    CHECK(os::DirPath(fs::path(".")).below("a").below("b").string() == "./a/b");
}

TEST_CASE("a tree that is deeper than there are descriptors arrives whole") {
    TempDir temp;
    fs::create_directories(temp / "source");
    fs::create_directories(temp / "target");
    make_deep(temp / "source", 1000);
    CHECK(in_child([&] {
              limit(RLIMIT_NOFILE, 128);
              const auto report = tree::carry(open(temp / "source"), {.dir = open(temp / "target")},
                                              {.threads = 1});
              if (!report) std::fprintf(stderr, "%s\n", report.error().message().c_str());
              return report && report->directories == 1000 && report->bytes == 4 ? 0 : 1;
          }) == 0);
}

TEST_CASE("a destination inside the source is an error, and not an endless tree") {
    TempDir temp;
    write(temp / "source/a/file");
    CHECK(code(carry(temp / "source", temp / "source/a/b/target")) == "invalid");
    CHECK(code(carry(temp / "source", temp / "source")) == "invalid");
}

#ifdef __linux__
TEST_CASE("on a full disk carry is an error, and leaves no half-written file") {
    TempDir temp;
    const std::string bytes(600'000, 'x');
    for (const char* name : {"a", "b", "c", "d"}) write(temp / "source/dir" / name, bytes);
    fs::create_directory(temp / "target");
    const Mounted disk("none", temp / "target", "tmpfs", 0, "size=1536k");
    SKIP_UNLESS(disk, "no rights to mount");
    const bool in_kernel = GENERATE(true, false);
    const AtPoint hook([&](const char* name) {
        return !in_kernel && std::string_view(name) == "tree.copy_file_range" ? EXDEV : 0;
    });
    CHECK(code(carry(temp / "source", temp / "target")) == "no_space");
    CHECK(count(temp / "target/dir") == 2);
    for (const auto& each : fs::directory_iterator(temp / "target/dir"))
        CHECK(each.file_size() == bytes.size());
    // Nor does a replacement.
    CHECK(code(carry(temp / "source", temp / "target", {.replace = true})) == "no_space");
    CHECK(count(temp / "target/dir") == 2);
    for (const auto& each : fs::directory_iterator(temp / "target/dir"))
        CHECK(each.file_size() == bytes.size());
}
#endif

}  // namespace larder::tree
