// SPDX-License-Identifier: MIT
// What is told of a file, beside what the system itself says.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "catch.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/posix/fd.hpp"
#include "support/cache.hpp"
#include "support/socket.hpp"

using namespace larder;
using namespace larder::testing;
using os::FileKind;

namespace {

/// A directory with one thing of each kind in it.
struct OfEachKind {
    OfEachKind() {
        write_file(dir.path() / "file", "12345");
        fs::create_directory(dir.path() / "directory");
        fs::create_symlink("nowhere", dir.path() / "symlink");
        REQUIRE(::mkfifo((dir.path() / "pipe").c_str(), 0600) == 0);
        make_socket(dir.path() / "socket");
    }

    TempDir dir;
    std::map<std::string, FileKind> kinds{{"file", FileKind::regular},
                                          {"directory", FileKind::directory},
                                          {"symlink", FileKind::symlink},
                                          {"pipe", FileKind::other},
                                          {"socket", FileKind::other}};
};

}  // namespace

TEST_CASE("every kind of file is told, and a symlink is not followed") {
    const OfEachKind all;
    const os::Dir dir = value(os::open_dir(all.dir.path()));
    for (const auto& [name, kind] : all.kinds) {
        INFO(name);
        CHECK(value(os::stat_at(dir, name)).kind == kind);
    }
    CHECK(os::try_stat_path("/dev/null", os::Follow::no)->kind == FileKind::character_device);
}

TEST_CASE("a listing tells the kinds, or that it does not know them") {
    const OfEachKind all;
    std::map<std::string, FileKind> listed;
    value(os::for_each_name(value(os::open_dir(all.dir.path())),
                            [&](const std::string& name, FileKind kind) -> Result<> {
                                listed[name] = kind;
                                return {};
                            }));
    CHECK(listed.size() == all.kinds.size());
    for (const auto& [name, kind] : listed) {
        INFO(name);
        CHECK((kind == FileKind::unknown || kind == all.kinds.at(name)));
    }
}

TEST_CASE("all that is told of a file is what the system says") {
    const TempDir temp;
    const fs::path path = temp.path() / "file";
    write_file(path, std::string(10'000, 'x'));
    fs::create_hard_link(path, temp.path() / "second");
    REQUIRE(::chmod(path.c_str(), 06750) == 0);
    const timespec times[2] = {{0, UTIME_OMIT}, {1'234'567'890, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);

    const os::FileInfo info = value(os::stat_at(value(os::open_dir(temp.path())), "file"));
    CHECK(info.is_regular());
    CHECK(static_cast<unsigned>(info.permissions) == (status.st_mode & 07777U));
    CHECK(info.size == 10'000);
    CHECK(info.allocated == static_cast<std::uint64_t>(status.st_blocks) * 512);
    CHECK(info.links == 2);
    CHECK(info.owner == ::geteuid());
    CHECK(info.identity.device == status.st_dev);
    CHECK(info.identity.inode == status.st_ino);
    CHECK(info.modified.seconds == 1'234'567'890);
    CHECK(info.modified.nanoseconds == status.st_mtim.tv_nsec);
}

TEST_CASE("a time that the clock does not have is its first or last") {
    using Clock = std::chrono::system_clock;
    CHECK(os::FileTime{0, 0}.to_clock() == Clock::time_point{});
    CHECK(os::FileTime{1, 500'000'000}.to_clock().time_since_epoch() ==
          std::chrono::milliseconds(1500));
    CHECK(os::FileTime{-1, 500'000'000}.to_clock().time_since_epoch() ==
          std::chrono::milliseconds(-500));
    CHECK(os::FileTime{std::numeric_limits<std::int64_t>::max(), 0}.to_clock() ==
          Clock::time_point::max());
    CHECK(os::FileTime{std::numeric_limits<std::int64_t>::min(), 0}.to_clock() ==
          Clock::time_point::min());
}

TEST_CASE("a file's time is set exactly, and a symlink's own") {
    const TempDir temp;
    write_file(temp.path() / "file", "");
    fs::create_symlink("file", temp.path() / "link");
    const os::Dir dir = value(os::open_dir(temp.path()));
    const os::FileTime before = value(os::stat_at(dir, "file")).modified;
    value(os::set_modified_at(dir, "link", {1'000'000'000, 5}));
    CHECK(value(os::stat_at(dir, "link")).modified.seconds == 1'000'000'000);
    CHECK(value(os::stat_at(dir, "file")).modified.seconds == before.seconds);
    // Before 1970, and after the clock of this program has ended.
    for (const std::int64_t seconds : {std::int64_t{-1'000}, std::int64_t{10'000'000'000}}) {
        value(os::set_modified_at(dir, "file", {seconds, 0}));
        const std::int64_t now = value(os::stat_at(dir, "file")).modified.seconds;
        struct stat status {};
        REQUIRE(::stat((temp.path() / "file").c_str(), &status) == 0);
        CHECK(now == status.st_mtim.tv_sec);
    }
}

TEST_CASE("an open handle tells when its last name has gone") {
    const TempDir temp;
    write_file(temp.path() / "file", "");
    const os::Dir dir = value(os::open_dir(temp.path()));
    const os::FileHandle file = value(os::open_at(dir, "file", os::OpenMode::read));
    CHECK(os::try_stat(file)->links == 1);
    value(os::remove_file_at(dir, "file"));
    CHECK(os::try_stat(file)->links == 0);
    CHECK_FALSE(os::exists_at(dir, "file").value());
}
