// SPDX-License-Identifier: MIT
// Linux that acts like Windows (os/like_windows.hpp): each thing that it fakes is refused, or lost,
// as on Windows, and nothing else is.
#include "os/like_windows.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <fstream>
#include <functional>
#include <optional>

#include "catch.hpp"
#include "os/copy.hpp"
#include "os/file_lock.hpp"
#include "os/link.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "scratch.hpp"
#include "support/child.hpp"

using namespace larder;
using namespace larder::testing;
using os::Mode;
using os::OpenMode;
using os::Range;

namespace {

/// Called after each fcntl of this program.
std::function<void(int command)> after_fcntl;

/// A directory, in a process that acts like Windows as long as this lives.
struct LikeWindows {
    LikeWindows() { os::act_like_windows(true); }
    ~LikeWindows() {
        os::set_point_hook({});
        os::act_like_windows(was_on);
    }
    const bool was_on = os::is_like_windows();
    const Scratch scratch;
    const os::Dir& root = scratch;

    /// Makes "d/inner/f", and returns the directory "d".
    [[nodiscard]] os::Dir make_tree() const {
        os::Dir top = must(os::make_and_open_dir_at(root, "d"));
        const os::Dir inner = must(os::make_and_open_dir_at(top, "inner"));
        must(os::write_new_file_at(inner, "f", "text"));
        return top;
    }
    [[nodiscard]] os::FileHandle open(const std::string& name) const {
        return must(os::open_at(root, name, OpenMode::open_or_create));
    }
    /// Renames "d" to "e" and back. Returns why that was refused.
    [[nodiscard]] Why rename() const {
        const auto renamed = os::rename_new_at_once(root, "d", root, "e");
        if (renamed) must(os::rename_new_at_once(root, "e", root, "d"));
        return why_of(renamed);
    }
};

/// Locks bytes of a file where its data are, as no function of larder does.
void lock_data(const os::FileHandle& file, short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_len = 4;
    REQUIRE(::fcntl(static_cast<int>(file.native()), F_OFD_SETLK, &lock) == 0);
}

bool lock(const os::FileHandle& file, Mode mode, const Range& range) {
    return must(os::try_lock(file, mode, range, "f"));
}
bool is_locked(const os::FileHandle& file, const Range& range) {
    return must(os::is_locked(file, range, "f"));
}

}  // namespace

extern "C" {
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    std::va_list more;
    va_start(more, command);
    void* const argument = va_arg(more, void*);
    va_end(more);
    const int result = __real_fcntl(fd, command, argument);
    const int error = errno;
    if (after_fcntl) after_fcntl(command);
    errno = error;
    return result;
}
}

TEST_CASE("a directory is not renamed while something below it is open") {
    const LikeWindows windows;
    std::optional<os::Dir> top = windows.make_tree();
    CHECK(windows.rename() == Why::none);  // its own handle is not below it
    {
        const auto file = windows.open("d/inner/f");
        CHECK(windows.rename() == Why::denied);
        CHECK(windows.rename() == Why::denied);
        CHECK(why_of(os::rename_new(windows.root, "d", windows.root, "e")) == Why::denied);
        CHECK(why_of(os::rename_dir_new(windows.root, "d", windows.root, "e")) == Why::denied);
        CHECK(why_of(os::rename_new_atomic(windows.root, "d", windows.root, "e")) == Why::denied);
        CHECK(why_of(os::rename_dir_out(windows.root, "d", windows.scratch.path() / "e")) ==
              Why::denied);
        CHECK(why_of(os::rename_dir(windows.scratch.path() / "d", windows.root, "e")) ==
              Why::denied);
    }
    CHECK(windows.rename() == Why::none);
    {
        const os::Dir inner = must(os::open_dir_at(*top, "inner"));
        CHECK(windows.rename() == Why::denied);
    }
    {
        std::ifstream other_program(windows.scratch.path() / "d/inner/f");
        CHECK(windows.rename() == Why::denied);
    }
    CHECK(windows.rename() == Why::none);
}

TEST_CASE("what is open beside a directory, or was deleted below it, is not in the way") {
    const LikeWindows windows;
    (void)windows.make_tree();
    const auto beside = windows.open("d-and-more");
    const auto file = windows.open("d/inner/f");
    must(os::remove_file_at(must(os::open_dir_at(windows.root, "d/inner")), "f"));
    CHECK(windows.rename() == Why::none);
}

TEST_CASE("a file is renamed, and replaced, while it is open") {
    const LikeWindows windows;
    const auto file = windows.open("f");
    must(os::rename_new(windows.root, "f", windows.root, "g"));
    const auto other = windows.open("h");
    must(os::rename_replacing(windows.root, "g", windows.root, "h"));
    CHECK(must(os::exists_at(windows.root, "h")));
}

TEST_CASE("what another process has open is in the way until it has ended") {
    const LikeWindows windows;
    (void)windows.make_tree();
    Child forked([&](Child& child) {
        const auto file = windows.open("d/inner/f");
        child.say("open");
        child.hear();
    });
    forked.wait_for("open");
    CHECK(windows.rename() == Why::denied);
    forked.kill();
    CHECK(windows.rename() == Why::none);

    const std::string path = (windows.scratch.path() / "d/inner/f").string();
    Child executed([&](Child& child) {
        if (::open(path.c_str(), O_RDONLY) < 0) return;
        child.say("open");
        ::execlp("sleep", "sleep", "600", nullptr);
    });
    executed.wait_for("open");
    eventually("it becomes another program", [&] {
        std::ifstream name("/proc/" + std::to_string(executed.pid()) + "/comm");
        std::string text;
        return std::getline(name, text) && text == "sleep";
    });
    CHECK(windows.rename() == Why::denied);
    executed.kill();
    CHECK(windows.rename() == Why::none);
}

TEST_CASE("names are not exchanged, and a new cache has neither symlinks nor bucket directories") {
    const LikeWindows windows;
    (void)windows.open("f");
    (void)windows.open("g");
    const auto exchanged = os::exchange(windows.root, "f", windows.root, "g");
    REQUIRE_FALSE(exchanged);
    CHECK(exchanged.error().code == Errc::unsupported);
    CHECK_FALSE(os::renames_directories_in_use());
    CHECK_FALSE(os::all_users_make_symlinks());
}

TEST_CASE("a directory replaces an empty one in two steps, and a full one not at all") {
    const LikeWindows windows;
    (void)windows.make_tree();
    must(os::make_dir_at(windows.root, "full"));
    must(os::make_dir_at(must(os::open_dir_at(windows.root, "full")), "inner"));
    const auto refused = os::rename_dir(windows.scratch.path() / "d", windows.root, "full");
    CHECK((why_of(refused) == Why::not_empty || why_of(refused) == Why::exists));
    must(os::make_dir_at(windows.root, "empty"));
    // The second step fails: by then the empty directory is gone.
    std::optional<os::FileHandle> reader;
    os::set_point_hook([&](const char* name) {
        return name == std::string_view("os.noreplace") &&
                       !must(os::exists_at(windows.root, "empty"))
                   ? EIO
                   : 0;
    });
    CHECK(why_of(os::rename_dir(windows.scratch.path() / "d", windows.root, "empty")) == Why::io);
    os::set_point_hook({});
    CHECK_FALSE(must(os::exists_at(windows.root, "empty")));
    must(os::make_dir_at(windows.root, "empty"));
    must(os::rename_dir(windows.scratch.path() / "d", windows.root, "empty"));
    CHECK(must(os::exists_at(windows.root, "empty/inner/f")));
}

TEST_CASE("bytes that another handle has locked are neither read nor written") {
    const LikeWindows windows;
    must(os::write_new_file_at(windows.root, "f", "abcdefgh"));
    const auto owner = windows.open("f"), other = windows.open("f");
    char text[8];
    const auto read = [&](std::uint64_t offset) {
        return os::why_of(os::read_at(other, text, 4, offset));
    };
    const auto write = [&](std::uint64_t offset) {
        return os::why_of(os::write_at(other, "ABCD", 4, offset));
    };
    lock_data(owner, F_WRLCK);
    CHECK(read(0) == Why::sharing);
    CHECK(read(3) == Why::sharing);
    CHECK(read(4) == Why::none);
    CHECK(write(0) == Why::sharing);
    CHECK(write(4) == Why::none);
    CHECK(os::why_of(os::read_some(other, text, sizeof text)) == Why::sharing);
    CHECK(why_of(os::write_all(other, "x", "f")) == Why::sharing);
    CHECK(os::read_file_at(windows.root, "f", 100).error().code == Errc::busy);
    CHECK(os::read_at(owner, text, 4, 0));
    CHECK_FALSE(os::write_at(owner, "ABCD", 4, 0));
    lock_data(owner, F_RDLCK);
    CHECK(read(0) == Why::none);
    CHECK(write(0) == Why::sharing);
    CHECK(os::read_some(other, text, sizeof text));
    os::act_like_windows(false);
    CHECK(write(0) == Why::none);
}

TEST_CASE("larder's own locks hinder no read and no write") {
    const LikeWindows windows;
    must(os::write_new_file_at(windows.root, "f", "abcdefgh"));
    const auto owner = windows.open("f"), other = windows.open("f");
    for (const Range& range : {Range::whole(), Range::byte(0), Range::byte(3)}) {
        REQUIRE(lock(owner, Mode::exclusive, range));
        CHECK_FALSE(lock(other, Mode::shared, range));
        CHECK(os::read_file_at(windows.root, "f", 100).value() == "abcdefgh");
        CHECK_FALSE(os::write_at(other, "abcd", 4, 0));
        must(os::unlock(owner, "f"));
    }
    // The last byte that a lock can have.
    constexpr std::uint64_t last = (std::uint64_t{1} << 62U) - 1;
    REQUIRE(lock(owner, Mode::exclusive, Range::whole()));
    CHECK_FALSE(lock(other, Mode::exclusive, Range::byte(last)));
}

TEST_CASE("a shared lock that becomes exclusive is released first, and may be lost") {
    const LikeWindows windows;
    const auto mine = windows.open("f"), other = windows.open("f");
    const Range byte = Range::byte(7);
    REQUIRE(lock(mine, Mode::shared, byte));
    CHECK(lock(mine, Mode::shared, byte));
    CHECK(lock(mine, Mode::exclusive, byte));
    CHECK_FALSE(lock(other, Mode::shared, byte));
    CHECK(lock(mine, Mode::shared, byte));  // in one step: no other handle got it
    CHECK(lock(other, Mode::shared, byte));
    CHECK_FALSE(lock(mine, Mode::exclusive, byte));  // it has its shared lock again
    must(os::unlock(other, "f"));
    CHECK(is_locked(other, byte));
    // Another handle takes it in between.
    int commands = 0;
    after_fcntl = [&](int command) {
        if (command != F_OFD_SETLK || ++commands != 1) return;
        CHECK(lock(other, Mode::exclusive, byte));
    };
    CHECK_FALSE(lock(mine, Mode::exclusive, byte));
    after_fcntl = {};
    must(os::unlock(other, "f"));
    CHECK_FALSE(is_locked(other, byte));
}

TEST_CASE("a handle's exclusive lock is in the way of a wider lock of its own") {
    const LikeWindows windows;
    const auto mine = windows.open("f");
    REQUIRE(lock(mine, Mode::exclusive, Range::byte(7)));
    CHECK_FALSE(lock(mine, Mode::exclusive, Range::whole()));
    CHECK(lock(mine, Mode::exclusive, Range::byte(8)));
}

TEST_CASE("a look at a lock takes it for an instant, in which another handle does not get it") {
    const LikeWindows windows;
    const auto looker = windows.open("f"), other = windows.open("f");
    const Range byte = Range::byte(7);
    int commands = 0;
    std::optional<bool> got;
    after_fcntl = [&](int command) {
        if (command == F_OFD_SETLK && ++commands == 1) got = lock(other, Mode::shared, byte);
    };
    CHECK_FALSE(is_locked(looker, byte));
    after_fcntl = {};
    CHECK(got == false);
    CHECK(lock(other, Mode::shared, byte));
    CHECK(is_locked(looker, byte));
    CHECK_FALSE(is_locked(other, byte));  // its own
    REQUIRE(lock(looker, Mode::shared, byte));
    CHECK_FALSE(is_locked(other, byte));  // nor does Windows tell that it is shared
}

TEST_CASE("a lock can be looked at by a reader whom the system lets not write") {
    const LikeWindows windows;
    (void)windows.open("f");
    const auto reader = must(os::open_at(windows.root, "f", OpenMode::read));
    const auto owner = windows.open("f");
    CHECK_FALSE(is_locked(reader, Range::byte(1)));
    REQUIRE(lock(owner, Mode::exclusive, Range::byte(1)));
    CHECK(is_locked(reader, Range::byte(1)));
}

TEST_CASE("a test lets opens, renames and deletes meet a program that holds the file") {
    const LikeWindows windows;
    (void)windows.make_tree();
    (void)windows.open("f");
    std::string struck;
    os::set_point_hook([&](const char* name) { return name == struck ? ETXTBSY : 0; });
    const auto all = [&] {
        std::string busy;
        const auto note = [&](const char* what, const auto& result) {
            if (!result && result.error().code == Errc::busy) busy += std::string(" ") + what;
        };
        note("open", os::open_at(windows.root, "f", OpenMode::read));
        note("open-directory", os::open_dir_at(windows.root, "d"));
        note("open-unmounted", os::open_dir_unmounted_at(windows.root, "d"));
        note("rename", os::rename_new(windows.root, "f", windows.root, "g"));
        note("rename", os::rename_new(windows.root, "g", windows.root, "f"));
        note("replace", os::rename_replacing(windows.root, "f", windows.root, "f"));
        note("rename-out", os::rename_dir_out(windows.root, "d", windows.scratch.path() / "e"));
        note("rename-in", os::rename_dir(windows.scratch.path() / "e", windows.root, "d"));
        note("remove-directory", os::remove_dir_at(windows.root, "d"));
        note("remove", os::remove_file_at(windows.root, "f"));
        (void)windows.scratch;
        return busy;
    };
    struck = "os.open-held";
    CHECK(all() == " open open-directory open-unmounted");
    os::set_point_hook({});
    os::act_like_windows(false);
    (void)windows.open("f");
    os::act_like_windows(true);
    os::set_point_hook([&](const char* name) { return name == struck ? ETXTBSY : 0; });
    struck = "os.rename-held";
    CHECK(all() == " rename rename replace rename-out rename-in");
    (void)windows.open("f");
    struck = "os.delete-held";
    CHECK(all() == " remove-directory remove");
    os::act_like_windows(false);
    CHECK(all().empty());
}

TEST_CASE("a junction is read, set again where it is, and replaced by no rename") {
    const LikeWindows windows;
    const os::Dir& root = windows.root;
    CHECK(os::has_junctions());
    CHECK(must(os::junction_path_of(root)) == root.path.string());
    must(os::make_junction_at(root, "j", "/some/where"));
    CHECK(os::read_junction_at(root, "j") == "/some/where");
    CHECK(why_of(os::make_junction_at(root, "j", "/else")) == Why::exists);

    const os::FileHandle opened = must(os::open_junction_at(root, "j"));
    must(os::rename_new(root, "j", root, "moved"));
    must(os::make_junction_at(root, "j", "/another"));
    must(os::set_junction(opened, "/a/longer/target/than/before", "j"));
    CHECK(os::read_junction_at(root, "moved") == "/a/longer/target/than/before");
    CHECK(os::read_junction_at(root, "j") == "/another");
    must(os::set_junction(opened, "/s", "j"));
    CHECK(os::read_junction_at(root, "moved") == "/s");

    CHECK(why_of(os::rename_replacing(root, "moved", root, "j")) == Why::denied);
    must(os::write_new_file_at(root, "f", "text"));
    CHECK(why_of(os::rename_replacing(root, "f", root, "j")) == Why::denied);
    CHECK(os::read_junction_at(root, "j") == "/another");
    must(os::rename_replacing(root, "j", root, "f"));
    must(os::remove_file_at(root, "f"));
}

TEST_CASE("what is no junction is not read as one, and not opened to be set") {
    const LikeWindows windows;
    const os::Dir& root = windows.root;
    must(os::write_new_file_at(root, "file", "text"));
    must(os::write_new_file_at(root, "unset", ""));
    must(os::make_symlink_at(root, "symlink", "/some/where"));
    must(os::make_dir_at(root, "directory"));
    for (const char* name : {"file", "symlink", "directory"}) {
        INFO(name);
        CHECK(os::why_of(os::read_junction_at(root, name)) == Why::invalid);
        CHECK(why_of(os::open_junction_at(root, name)) == Why::invalid);
        CHECK_FALSE(os::is_unset_junction_at(root, name));
    }
    CHECK(os::why_of(os::read_junction_at(root, "none")) == Why::absent);
    CHECK(why_of(os::open_junction_at(root, "none")) == Why::absent);
    CHECK(os::is_unset_junction_at(root, "unset"));
    must(os::set_junction(must(os::open_junction_at(root, "unset")), "/some/where", "unset"));
    CHECK(os::read_junction_at(root, "unset") == "/some/where");
}
