// SPDX-License-Identifier: MIT
// Carry: a tree arrives as it was, by links, clones or copies, and by many threads at once.
#include "tree/carry.hpp"

#include <string_view>

#include "support.hpp"

namespace larder::tree {

using namespace tree_test;

namespace {

/// Returns what a tree holds, as text that can be compared: names, types, modes, times and
/// contents.
std::vector<std::string> account_of(const fs::path& top) {
    std::vector<std::string> account;
    for (const auto& each : fs::recursive_directory_iterator(top)) {
        const auto status = look(each.path());
        std::string line = each.path().lexically_relative(top).string() + " " +
                           std::to_string(status.st_mode) + " " +
                           std::to_string(status.st_mtim.tv_sec) + "." +
                           std::to_string(status.st_mtim.tv_nsec);
        if (each.is_symlink()) {
            line += " -> " + fs::read_symlink(each.path()).string();
        } else if (each.is_regular_file()) {
            line += " = " + read(each.path());
        }
        account.push_back(std::move(line));
    }
    std::sort(account.begin(), account.end());
    return account;
}

void make_source(const fs::path& top) {
    write(top / "plain", "plain");
    write(top / "bin/program", "#!/bin/sh\n");
    write(top / "bin/empty", "");
    write(top / "name with\nnewline and \xff\xfe", "odd");
    write(top / "secret", "secret");
    write(top / "large", std::string(300'000, 'L') + "end");
    fs::create_directories(top / "empty/empty");
    fs::create_symlink("bin/program", top / "link");
    fs::create_symlink("nowhere/at/all", top / "dangling");
    fs::create_directory_symlink("bin", top / "dir-link");
    fs::permissions(top / "bin/program", fs::perms(0755));
    fs::permissions(top / "bin/empty", fs::perms(0666));
    fs::permissions(top / "secret", fs::perms(0400));
    fs::permissions(top / "empty/empty", fs::perms(01777));
    set_time(top / "plain", 1'000'000'000, 123'456'000);
    set_time(top / "link", 1'000'000'001, 0);
    set_time(top / "empty/empty", 1'000'000'002, 0);
    set_time(top / "empty", 1'000'000'003, 0);
    set_time(top / "bin", 1'000'000'004, 0);
}

std::vector<std::string> expected_of(const fs::path& source) {
    const auto sticky = look(source / "empty/empty").st_mode;
    fs::permissions(source / "empty/empty", fs::perms(0777));  // the sticky bit is not carried
    auto account = account_of(source);
    ::chmod((source / "empty/empty").c_str(), sticky & 07777);
    return account;
}

Result<MaterializeReport> carry(const fs::path& source, const fs::path& destination,
                                const MaterializeOptions& options = {}) {
    fs::create_directories(destination);
    return tree::carry(open(source), {.dir = open(destination)}, options);
}

}  // namespace

TEST_CASE("a carried tree equals its source, by each kind of transfer and under any umask") {
    TempDir temp;
    make_source(temp / "source");
    const auto expected = expected_of(temp / "source");
    const auto mode = GENERATE(LinkMode::automatic, LinkMode::hardlink, LinkMode::copy);
    const unsigned threads = GENERATE(1U, 4U);
    fs::create_directory(temp / "target");
    const mode_t before = ::umask(GENERATE(0, 0177));
    const auto report = carry(temp / "source", temp / "target", {.mode = mode, .threads = threads});
    ::umask(before);
    REQUIRE(report);
    CHECK(account_of(temp / "target") == expected);
    CHECK(report->symlinks == 3);
    CHECK(report->directories == 3);
    CHECK(report->bytes == 5 + 10 + 3 + 6 + 300'003);
    CHECK(report->cloned + report->hardlinked + report->copied == 6);
    if (mode == LinkMode::hardlink) CHECK(report->hardlinked == 6);
    if (mode == LinkMode::copy) CHECK(report->copied == 6);
    const bool same = look(temp / "source/plain").st_ino == look(temp / "target/plain").st_ino;
    CHECK(same == (report->hardlinked == 6));
}

TEST_CASE("if the kernel can't copy, reading and writing does") {
    TempDir temp;
    make_source(temp / "source");
    const AtPoint hook([&](const char* name) {
        return std::string_view(name) == "tree.copy_file_range" ? EXDEV : 0;
    });
    REQUIRE(carry(temp / "source", temp / "target", {.mode = LinkMode::copy}));
    CHECK(account_of(temp / "target") == expected_of(temp / "source"));
}

TEST_CASE("carry_file carries one file, or symlink, and no directory") {
    TempDir temp;
    make_source(temp / "source");
    fs::create_directory(temp / "target");
    const auto source = open(temp / "source"), target = open(temp / "target");
    CHECK(carry_file(source, "plain", {.dir = target}, {.mode = LinkMode::copy})->copied == 1);
    CHECK(carry_file(source, "dangling", {.dir = target}, {})->symlinks == 1);
    CHECK(carry_file(source, "bin", {.dir = target}, {}).error().code == Errc::invalid);
    CHECK(carry_file(source, "none", {.dir = target}, {}).error().sys_errno == ENOENT);
    CHECK(read(temp / "target/plain") == "plain");
    CHECK(std::distance(fs::directory_iterator(temp / "target"), {}) == 2);
}

TEST_CASE("several threads carry many files, and all arrive") {
    TempDir temp;
    for (int i = 0; i < 3000; ++i)
        write(temp / "source" / std::to_string(i % 30) / std::to_string(i), std::to_string(i));
    const auto report = carry(temp / "source", temp / "target");
    REQUIRE(report);
    CHECK(report->cloned + report->hardlinked + report->copied == 3000);
    CHECK(account_of(temp / "target") == account_of(temp / "source"));
}

TEST_CASE(
    "directories that exist are filled and keep their mode; new ones get their source's mode when "
    "they are full") {
    TempDir temp;
    write(temp / "source/read-only/inner/file");
    write(temp / "source/exists/file");
    fs::permissions(temp / "source/read-only/inner", fs::perms(0555));
    fs::permissions(temp / "source/read-only", fs::perms(0555));
    fs::create_directories(temp / "target/exists");
    write(temp / "target/exists/other");
    fs::permissions(temp / "target/exists", fs::perms(0711));
    give_to_nobody(temp / "source");
    give_to_nobody(temp / "target");
    CHECK(in_child([&] {
              become_nobody();
              return tree::carry(open(temp / "source"), {.dir = open(temp / "target")},
                                 {.mode = LinkMode::copy})
                         ? 0
                         : 1;
          }) == 0);
    CHECK((look(temp / "target/read-only").st_mode & 07777) == 0555);
    CHECK((look(temp / "target/read-only/inner").st_mode & 07777) == 0555);
    CHECK((look(temp / "target/exists").st_mode & 07777) == 0711);
    CHECK(fs::exists(temp / "target/exists/other"));
    for (const char* name : {"source", "target"}) {
        fs::permissions(temp / name / "read-only", fs::perms(0755));
        fs::permissions(temp / name / "read-only/inner", fs::perms(0755));
    }
}

TEST_CASE("two carries into one place with a read-only directory: one takes the right back early") {
    TempDir temp;
    for (const char* name : {"one", "two"}) write(temp / "source/read-only" / name, name);
    fs::create_symlink("one", temp / "source/read-only/link");
    fs::create_hard_link(temp / "source/read-only/one", temp / "source/read-only/other-name");
    fs::create_directory(temp / "source/read-only/inner");
    fs::permissions(temp / "source/read-only", fs::perms(0555));
    const auto mode = GENERATE(LinkMode::copy, LinkMode::hardlink);
    const bool replaces = GENERATE(false, true);
    if (replaces) REQUIRE(carry(temp / "source", temp / "target", {.mode = LinkMode::copy}));
    fs::create_directories(temp / "target/read-only");
    give_to_nobody(temp / "source");
    give_to_nobody(temp / "target");
    const auto filled = temp / "target/read-only";
    // The other one has lent the right before this one begins, and ends while this one is at work.
    fs::permissions(filled, fs::perms(0755));
    int taken_back = 0;
    const auto take_back = [&](const char* name) {
        const std::string_view at = name;
        if (at == "tree.copy_file_range" || at == "tree.link") {
            fs::permissions(filled, fs::perms(0555));
            ++taken_back;
        }
        return 0;
    };
    CHECK(in_child([&] {
              become_nobody();
              const AtPoint hook(take_back);
              const auto report = tree::carry(open(temp / "source"), {.dir = open(temp / "target")},
                                              {.mode = mode, .replace = replaces, .threads = 1});
              if (!report) ::fputs((report.error().message() + "\n").c_str(), stderr);
              return report && taken_back > 0 ? 0 : 1;
          }) == 0);
    CHECK((look(filled).st_mode & 07777) == 0555);
    std::vector<std::string> names;
    for (const auto& each : fs::directory_iterator(filled)) names.push_back(each.path().filename());
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"inner", "link", "one", "other-name", "two"});
    for (const char* name : {"source", "target"})
        fs::permissions(temp / name / "read-only", fs::perms(0755));
}

TEST_CASE("a set-user-id bit is not carried, and a set-group-id bit is only inherited") {
    TempDir temp;
    write(temp / "source/program");
    fs::create_directories(temp / "source/dir");
    fs::permissions(temp / "source/program", fs::perms(04755));
    fs::create_directory(temp / "target");
    fs::permissions(temp / "target", fs::perms(02755));
    const auto report = carry(temp / "source", temp / "target");
    REQUIRE(report);
    CHECK(report->hardlinked == 0);
    CHECK((look(temp / "target/program").st_mode & 07777) == 0755);
    CHECK((look(temp / "target/dir").st_mode & 07777) == 02755);
}

TEST_CASE(
    "a kind of transfer that is asked for and does not work is an error; automatic takes the "
    "next") {
    TempDir here;
    SKIP_UNLESS(fs::exists("/dev/shm"), "no second file system");
    TempDir there("/dev/shm");
    SKIP_UNLESS(look(here.path()).st_dev != look(there.path()).st_dev, "no second file system");
    make_source(here / "source");
    for (const auto mode : {LinkMode::hardlink, LinkMode::clone}) {
        const fs::path target = there / (mode == LinkMode::clone ? "clones" : "hardlinks");
        const auto refused = carry(here / "source", target, {.mode = mode, .threads = 1});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::unsupported);
        CHECK(refused.error().sys_errno != 0);
        CHECK(refused.error().path.parent_path().string().starts_with(target.string()));
        for (const auto& each : fs::recursive_directory_iterator(target))
            CHECK_FALSE(each.is_regular_file());
    }
    const auto report = carry(here / "source", there / "target");
    REQUIRE(report);
    CHECK(report->copied == 6);
    CHECK(account_of(there / "target") == expected_of(here / "source"));
}

TEST_CASE("a kind that never works is tried once; one that fails for one file is tried again") {
    TempDir temp;
    for (int i = 0; i < 10; ++i) write(temp / "source" / std::to_string(i));
    const int error = GENERATE(EMLINK, EPERM, EXDEV, EOPNOTSUPP, EACCES, EOVERFLOW, EIO);
    int tried = 0;
    {
        const AtPoint hook([&](const char* name) {
            return std::string_view(name) == "tree.link" && ++tried > 0 ? error : 0;
        });
        const auto report = carry(temp / "source", temp / "target", {.threads = 1});
        REQUIRE(report);
        SKIP_UNLESS(report->cloned == 0, "files are cloned here");
        CHECK(report->copied == 10);
        CHECK(tried == (error == EMLINK || error == EPERM ? 10 : 1));
        const auto refused = carry(temp / "source", temp / "refused", {.mode = LinkMode::hardlink});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == Errc::unsupported);
        CHECK(refused.error().sys_errno == error);
    }
}

#ifdef __linux__
TEST_CASE("files are cloned if the file system can") {
    const std::string type = GENERATE("xfs", "btrfs");
    const LoopMounted disk(type, "400M");
    SKIP_UNLESS(disk, "no rights or tools for a loop mount of " + type);
    make_source(disk.path() / "source");
    const auto mode = GENERATE(LinkMode::automatic, LinkMode::clone);
    const auto report = carry(disk.path() / "source", disk.path() / "target", {.mode = mode});
    REQUIRE(report);
    CHECK(report->cloned == 6);
    CHECK(account_of(disk.path() / "target") == expected_of(disk.path() / "source"));
}
#endif

TEST_CASE("two processes fill one destination at the same time") {
    TempDir temp;
    for (int i = 0; i < 1000; ++i) {
        const auto dir = fs::path("shared") / std::to_string(i % 10);
        write(temp / "a" / dir / ("a" + std::to_string(i)), std::to_string(i));
        write(temp / "b" / dir / ("b" + std::to_string(i)), std::to_string(i));
        write(temp / "a" / dir / ("same" + std::to_string(i)), "same");
        write(temp / "b" / dir / ("same" + std::to_string(i)), "same");
    }
    fs::create_directory(temp / "target");
    const auto mode = GENERATE(LinkMode::copy, LinkMode::hardlink);
    CHECK(in_child([&] {
              const MaterializeOptions options{.mode = mode, .replace = true};
              const pid_t other = ::fork();
              const auto done = carry(temp / (other == 0 ? "a" : "b"), temp / "target", options);
              if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
              if (other == 0) ::_exit(done ? 0 : 1);
              int status = 0;
              ::waitpid(other, &status, 0);
              return done && status == 0 ? 0 : 1;
          }) == 0);
    int files = 0;
    for (const auto& each : fs::recursive_directory_iterator(temp / "target"))
        files += each.is_regular_file();
    CHECK(files == 3000);
}

TEST_CASE("three sparse files of 8 EiB add up to the largest number, and not to a small one") {
    const TempDir temp(fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path());
    fs::create_directories(temp / "source");
    fs::create_directories(temp / "target");
    for (const char* const name : {"a", "b", "c"}) {
        write(temp / "source" / name, "");
        if (::truncate((temp / "source" / name).c_str(), std::numeric_limits<off_t>::max()) != 0) {
            WARN("SKIPPED: needs a file system with files of 8 EiB");
            return;
        }
    }
    const os::Dir source = open(temp / "source"), target = open(temp / "target");
    const auto report = carry(source, {.dir = target}, {.mode = LinkMode::hardlink});
    REQUIRE(report);
    CHECK(report->bytes == std::numeric_limits<std::uint64_t>::max());
}

}  // namespace larder::tree
