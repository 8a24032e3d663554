// SPDX-License-Identifier: MIT
// What the headers of src/os promise on every system. This file asks the system for nothing itself,
// so it is built and run on each of them.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "catch.hpp"
#include "os/clock.hpp"
#include "os/copy.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/file_system.hpp"
#include "os/glob.hpp"
#include "os/link.hpp"
#include "os/mapping.hpp"
#include "os/points.hpp"
#include "os/process.hpp"
#include "os/rename.hpp"
#include "os/unique.hpp"
#include "scratch.hpp"

using namespace larder;
using namespace larder::testing;
using os::FileKind;
using os::OpenMode;

namespace fs = std::filesystem;

namespace {

void put(const os::Dir& dir, const std::string& name, std::string_view text) {
    must(os::write_new_file_at(dir, name, text));
}

std::string get(const os::Dir& dir, const std::string& name) {
    return must(os::read_file_at(dir, name, 100'000));
}

std::map<std::string, FileKind> list(const os::Dir& dir) {
    std::map<std::string, FileKind> names;
    must(os::for_each_name(dir, [&](const std::string& name, FileKind kind) -> Result<> {
        CHECK(names.emplace(name, kind).second);
        return {};
    }));
    return names;
}

/// Names that are odd, and that every system takes.
const std::vector<std::string> odd_names = {
    "a b", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8d\x8e", "%41", "-", "~", std::string(200, 'n')};

}  // namespace

TEST_CASE("a directory is made, opened and removed, and nothing else is taken for one") {
    const Scratch root;
    CHECK(is_absent(os::open_dir_at(root, "d")));
    must(os::make_dir_at(root, "d"));
    CHECK(why_of(os::make_dir_at(root, "d")) == Why::exists);
    const os::Dir inner = must(os::open_dir_at(root, "d"));
    CHECK(must(os::stat_of(inner)).is_directory());
    CHECK(must(os::is_writable(inner)));
    CHECK(must(os::open_dir_unmounted_at(root, "d")).is_open());
    put(root, "f", "");
    CHECK(why_of(os::open_dir_at(root, "f")) == Why::not_directory);
    CHECK(why_of(os::make_and_open_dir_at(root, "f")) == Why::not_directory);
    put(inner, "f", "");
    const auto full = os::remove_dir_at(root, "d");
    CHECK((why_of(full) == Why::not_empty || why_of(full) == Why::exists));
    CHECK(why_of(os::remove_dir_at(root, "f")) == Why::not_directory);
    must(os::remove_file_at(inner, "f"));
    must(os::remove_dir_at(root, "d"));
    CHECK(is_absent(os::remove_dir_at(root, "d")));
    CHECK(list(root).size() == 1);
    CHECK(is_absent(os::open_dir(root.path() / "nothing")));
    must(os::make_dir_if_missing(root.path() / "new"));
    must(os::make_dir_if_missing(root.path() / "new"));
    CHECK(must(os::is_dir_at(root, "new")));
    CHECK_FALSE(must(os::is_dir_at(root, "old")));
    CHECK(os::is_dir_at(root, "f").error().code == Errc::damaged);
}

TEST_CASE("a file is written and read, and its name comes back as it was given") {
    const Scratch root;
    for (const auto& name : odd_names) put(root, name, name);
    for (const auto& name : odd_names) CHECK(get(root, name) == name);
    const auto listed = list(root);
    CHECK(listed.size() == odd_names.size());
    for (const auto& name : odd_names) {
        INFO(name);
        REQUIRE(listed.contains(name));
        CHECK((listed.at(name) == FileKind::regular || listed.at(name) == FileKind::unknown));
        CHECK(must(os::exists_at(root, name)));
        must(os::remove_file_at(root, name));
        CHECK_FALSE(must(os::exists_at(root, name)));
        CHECK(is_absent(os::remove_file_at(root, name)));
    }
    CHECK(list(root).empty());
}

TEST_CASE("each mode opens what it says") {
    const Scratch root;
    CHECK(is_absent(os::open_at(root, "f", OpenMode::read)));
    CHECK(is_absent(os::open_at(root, "f", OpenMode::read_write)));
    CHECK(os::why_of(os::try_open_at(root, "f", OpenMode::read_nonblocking)) == Why::absent);
    {
        const auto file = must(os::open_at(root, "f", OpenMode::create_new));
        CHECK_FALSE(os::write_at(file, "abcdef", 6, 0));
    }
    CHECK(why_of(os::open_at(root, "f", OpenMode::create_new)) == Why::exists);
    must(os::make_dir_at(root, "d"));
    CHECK(why_of(os::open_at(root, "d", OpenMode::create_new)) == Why::exists);
    CHECK(why_of(os::open_at(root, "d", OpenMode::read_write)) == Why::is_directory);
    CHECK(os::read_file_at(root, "d", 10).error().code == Errc::damaged);
    const auto file = must(os::open_at(root, "f", OpenMode::open_or_create));
    char text[8] = "";
    CHECK(must(os::read_at(file, text, sizeof text, 2)) == 4);
    CHECK(std::string_view(text, 4) == "cdef");
    CHECK(must(os::read_at(file, text, sizeof text, 100)) == 0);
    CHECK_FALSE(os::write_at(file, "XY", 2, 8));
    CHECK(must(os::read_at(file, text, 4, 6)) == 4);
    CHECK(std::string_view(text, 4) == std::string_view("\0\0XY", 4));
    CHECK_FALSE(os::set_size(file, 3));
    CHECK(get(root, "f") == "abc");
    CHECK(os::read_file_at(root, "f", 2).error().code == Errc::damaged);
    CHECK(must(os::read_some(file, text, sizeof text)) <= 3);
    must(os::sync(file, "f"));
    must(os::sync(must(os::open_dir(root.path()))));
    const auto directory = os::try_open_at(root, "d", OpenMode::read_nonblocking);
    CHECK(os::why_of(os::read_some(must(os::open_at(root, "d", OpenMode::read)), text, 1)) ==
          Why::is_directory);
    CHECK(directory.has_value());
}

TEST_CASE("two handles append to one file, and no line is lost") {
    const Scratch root;
    const auto one = must(os::open_to_append(root.path() / "log"));
    const auto other = must(os::open_to_append(root.path() / "log"));
    for (int i = 0; i < 10; ++i) {
        os::write_once(one, "one\n");
        os::write_once(other, "other\n");
    }
    std::string expected;
    for (int i = 0; i < 10; ++i) expected += "one\nother\n";
    CHECK(get(root, "log") == expected);
}

TEST_CASE("a listing begins again, and a second reader has its own place") {
    const Scratch root;
    constexpr int count = 600;  // more than one call of the system returns
    for (int i = 0; i < count; ++i) put(root, "file-" + std::to_string(i), "");
    auto reader = must(os::DirReader::open(root));
    auto second = must(os::DirReader::borrow(root));
    std::set<std::string> names;
    for (auto entry = must(reader.next()); entry; entry = must(reader.next()))
        CHECK(names.insert(entry.name).second);
    CHECK(names.size() == count);
    CHECK_FALSE(must(reader.next()));
    CHECK(must(second.next()));
    put(root, "one-more", "");
    reader.rewind();
    std::size_t again = 0;
    while (must(reader.next())) ++again;
    CHECK(again == count + 1);
}

TEST_CASE("a directory that was removed lists nothing") {
    const Scratch root;
    must(os::make_dir_at(root, "d"));
    const os::Dir dir = must(os::open_dir_at(root, "d"));
    auto early = must(os::DirReader::open(dir));
    must(os::remove_dir_at(root, "d"));
    CHECK_FALSE(must(early.next()));
    early.rewind();
    CHECK_FALSE(must(early.next()));
    auto late = must(os::DirReader::open(dir));
    CHECK_FALSE(must(late.next()));
}

TEST_CASE("a rename keeps what stands at the name unless it is asked to replace it") {
    const Scratch root;
    must(os::make_dir_at(root, "d"));
    const os::Dir inner = must(os::open_dir_at(root, "d"));
    put(root, "a", "a");
    put(inner, "b", "b");
    CHECK(why_of(os::rename_new(root, "a", inner, "b")) == Why::exists);
    CHECK(why_of(os::rename_new_atomic(root, "a", inner, "b")) == Why::exists);
    CHECK(is_absent(os::rename_new(root, "none", inner, "c")));
    must(os::rename_new(root, "a", inner, "c"));
    CHECK(get(inner, "c") == "a");
    must(os::rename_replacing(inner, "c", inner, "b"));
    CHECK(get(inner, "b") == "a");
    CHECK(list(inner).size() == 1);
    CHECK(is_absent(os::rename_replacing(root, "none", inner, "b")));
    must(os::rename_new(root, "d", root, "e"));
    CHECK(get(inner, "b") == "a");  // the handle goes with its directory
    CHECK(list(root).size() == 1);
}

TEST_CASE("a short name and a long one are renamed") {
    const Scratch root;
    put(root, "a", "text");
    const std::string long_name(255, 'x');
    must(os::rename_new(root, "a", root, long_name));
    must(os::rename_new(root, long_name, root, "b"));
    CHECK(get(root, "b") == "text");
}

TEST_CASE("a file that is read is replaced after the reader has gone, or at once") {
    const Scratch root;
    put(root, "old", "old");
    put(root, "new", "new");
    auto reader = must(os::open_at(root, "old", OpenMode::read));
    // Where the system denies it, the call is made again until the reader has gone.
    std::thread closer([&] { reader.reset(); });
    const auto replaced = os::rename_replacing(root, "new", root, "old");
    closer.join();
    must(replaced);
    CHECK(get(root, "old") == "new");
}

TEST_CASE("a file that stays open is replaced, or told to be in use") {
    const Scratch root;
    put(root, "old", "old");
    put(root, "new", "new");
    const auto reader = must(os::open_at(root, "old", OpenMode::read));
    const auto replaced = os::rename_replacing(root, "new", root, "old");
    if (replaced) {
        CHECK(get(root, "old") == "new");
    } else {
        CHECK(replaced.error().code == Errc::busy);
        CHECK(get(root, "old") == "old");
        CHECK(get(root, "new") == "new");
    }
    char text[4] = "";
    CHECK(must(os::read_at(reader, text, 3, 0)) == 3);
    CHECK(std::string(text) == "old");
}

TEST_CASE("a rename that does not wait renames what is free") {
    const Scratch root;
    put(root, "a", "a");
    put(root, "b", "b");
    CHECK(why_of(os::rename_new_at_once(root, "a", root, "b")) == Why::exists);
    CHECK(is_absent(os::rename_new_at_once(root, "none", root, "c")));
    must(os::rename_new_at_once(root, "a", root, "c"));
    CHECK(get(root, "c") == "a");
}

TEST_CASE("directories go in and out of a directory") {
    const Scratch root;
    must(os::make_dir_at(root, "cache"));
    const os::Dir cache = must(os::open_dir_at(root, "cache"));
    must(os::make_dir_if_missing(root.path() / "tree"));
    put(must(os::open_dir(root.path() / "tree")), "file", "text");
    must(os::make_dir_at(cache, "slot"));
    must(os::rename_dir(root.path() / "tree", cache, "slot"));  // an empty one is replaced
    CHECK(get(must(os::open_dir_at(cache, "slot")), "file") == "text");
    must(os::make_dir_if_missing(root.path() / "tree"));
    const auto full = os::rename_dir(root.path() / "tree", cache, "slot");
    CHECK((why_of(full) == Why::not_empty || why_of(full) == Why::exists));
    CHECK(why_of(os::rename_dir_out(cache, "slot", root.path() / "tree")) == Why::exists);
    must(os::rename_dir_out(cache, "slot", root.path() / "out"));
    CHECK(get(must(os::open_dir(root.path() / "out")), "file") == "text");
    CHECK(list(cache).empty());
}

TEST_CASE("two names are exchanged, or that is refused") {
    const Scratch root;
    put(root, "a", "a");
    put(root, "b", "b");
    if (const auto exchanged = os::exchange(root, "a", root, "b"); !exchanged)
        CHECK(exchanged.error().code == Errc::unsupported);
    else
        CHECK(get(root, "a") == "b");
}

TEST_CASE("a file that is open can be deleted, and its name be given again") {
    const Scratch root;
    put(root, "f", "old");
    const auto reader = must(os::open_at(root, "f", OpenMode::read));
    must(os::remove_file_at(root, "f"));
    CHECK_FALSE(must(os::exists_at(root, "f")));
    put(root, "f", "new");
    CHECK(get(root, "f") == "new");
    char text[4] = "";
    CHECK(must(os::read_at(reader, text, 3, 0)) == 3);
    CHECK(std::string(text) == "old");
}

TEST_CASE("a hard link is the same file, and its rename onto itself changes nothing") {
    const Scratch root;
    put(root, "a", "text");
    must(os::make_hard_link(root, "a", root, "b"));
    CHECK(why_of(os::make_hard_link(root, "a", root, "b")) == Why::exists);
    const auto one = must(os::stat_at(root, "a")), other = must(os::stat_at(root, "b"));
    CHECK(one.identity == other.identity);
    CHECK(one.links == 2);
    put(root, "c", "text");
    CHECK(must(os::stat_at(root, "c")).identity != one.identity);
    must(os::rename_replacing(root, "a", root, "b"));
    CHECK(list(root).size() == 3);
    must(os::remove_file_at(root, "a"));
    CHECK(get(root, "b") == "text");
}

TEST_CASE("a symlink is made and read, or that is refused") {
    const Scratch root;
    put(root, "file", "");
    char text[100];
    CHECK(os::why_of(os::read_symlink_at(root, "none", text, sizeof text)) == Why::absent);
    CHECK(os::why_of(os::read_symlink_at(root, "file", text, sizeof text)) == Why::invalid);
    const auto made = os::make_symlink_at(root, "link", "../archive/x");
    if (!made) {
        CHECK((why_of(made) == Why::not_supported || why_of(made) == Why::not_permitted));
        CHECK_FALSE(must(os::exists_at(root, "link")));
        return;
    }
    CHECK(must(os::stat_at(root, "link")).is_symlink());
    const auto length = must(os::read_symlink_at(root, "link", text, sizeof text));
    CHECK(std::string(text, length) == "../archive/x");
    CHECK(why_of(os::open_at(root, "link", OpenMode::read)) == Why::is_link);
    must(os::remove_file_at(root, "link"));
}

TEST_CASE("no directory is made where a link leads that leads to nothing") {
    const Scratch root;
    if (!os::make_symlink_at(root, "link", "missing", os::LeadsTo::directory)) return;
    CHECK(why_of(os::make_dir_at(root, "link")) == Why::exists);
    must(os::make_dir_if_missing(root.path() / "link"));
    CHECK(list(root).size() == 1);
    must(os::remove_file_at(root, "link"));
}

TEST_CASE("a file that may not be written is synced by a handle that reads it") {
    const Scratch root;
    put(root, "f", "text");
    must(os::set_permissions_at(root, "f", os::Permissions::owner_read));
    must(os::sync(must(os::open_at(root, "f", OpenMode::read)), root.path() / "f"));
    const auto info = must(os::stat_at(root, "f"));
    CHECK((info.permissions & os::Permissions::owner_write) == os::Permissions::none);
    CHECK(get(root, "f") == "text");
}

TEST_CASE("the time and the right to write are set and told") {
    const Scratch root;
    put(root, "f", "12345");
    const os::FileTime time{1'000'000'000, 123'456'700};
    must(os::set_modified_at(root, "f", time));
    const auto info = must(os::stat_at(root, "f"));
    CHECK(info.modified == time);
    CHECK(info.size == 5);
    CHECK(info.is_regular());
    const auto before = os::wall_time();
    must(os::touch_at(root, "f"));
    const auto touched = must(os::stat_at(root, "f")).modified.to_clock();
    CHECK(touched >= before - std::chrono::seconds(1));
    CHECK(touched <= os::wall_time() + std::chrono::seconds(1));
    must(os::set_permissions_at(root, "f", os::Permissions::owner_read));
    CHECK((must(os::stat_at(root, "f")).permissions & os::Permissions::owner_write) ==
          os::Permissions::none);
    must(os::remove_file_at(root, "f"));  // the right to write is that of the directory
    const auto file = must(os::open_at(root, "g", OpenMode::create_new));
    CHECK_FALSE(os::try_set_modified(file, time));
    CHECK(must(os::try_stat(file)).modified == time);
    const auto dir = must(os::open_dir(root.path()));
    CHECK_FALSE(os::try_set_modified(dir.handle, time));
    CHECK(must(os::stat_of(dir)).modified == time);
}

TEST_CASE("a path with several parts leads through directories alone") {
    const Scratch root;
    must(os::make_dir_at(root, "archive"));
    const os::Dir archive = must(os::open_dir_at(root, "archive"));
    must(os::make_dir_at(archive, "id"));
    const os::Dir entry = must(os::open_dir_at(archive, "id"));
    must(os::make_dir_at(entry, "tree"));
    must(os::make_dir_at(root, "buckets"));
    put(must(os::open_dir_at(root, "buckets")), "key", "link");
    CHECK(must(os::try_stat_at(archive, "id/tree")).is_directory());
    CHECK(must(os::stat_of(must(os::open_dir_at(archive, ".")))).identity ==
          must(os::stat_of(archive)).identity);
    CHECK(must(os::try_stat_at(archive, "./id/./tree/..")).identity ==
          must(os::try_stat_at(archive, "id")).identity);
    CHECK(must(os::try_stat_at(archive, "id/tree/../..")).identity ==
          must(os::stat_of(archive)).identity);
    CHECK(must(os::try_stat_at(archive, "id/tree/..")).identity ==
          must(os::stat_of(entry)).identity);
    const char* const to_key = "id/tree/../../../buckets/key";
    CHECK(must(os::try_stat_at(archive, to_key)).size == 4);
    CHECK(os::try_open_at(archive, to_key, OpenMode::read_nonblocking).has_value());
    CHECK(os::why_of(os::try_stat_at(archive, "id/tree/../../../buckets/none")) == Why::absent);
    CHECK(os::why_of(os::try_stat_at(archive, "no/tree/../../../buckets/key")) == Why::absent);
    must(os::remove_dir_at(entry, "tree"));
    CHECK(os::why_of(os::try_stat_at(archive, to_key)) == Why::absent);
    put(entry, "tree", "a file");
    const auto through_file = os::why_of(os::try_stat_at(archive, to_key));
    CHECK((through_file == Why::not_directory || through_file == Why::absent));
}

TEST_CASE("paths longer than 260 characters work") {
    const Scratch root;
    const std::string part(100, 'p');
    fs::path whole = root.path();
    os::Dir dir = must(os::open_dir(whole));
    for (int depth = 0; depth < 4; ++depth) {
        dir = must(os::make_and_open_dir_at(dir, part));
        whole /= part;
    }
    put(dir, "file", "deep");
    CHECK(get(must(os::open_dir(whole)), "file") == "deep");
    CHECK(must(os::try_stat_path(whole / "file", os::Follow::no)).size == 4);
    CHECK(fs::path(dir.path) == whole);
    CHECK(must(os::try_stat_path(whole / ".." / part / "." / "file", os::Follow::no)).size == 4);
    must(os::make_dir_if_missing(whole / "more"));
    CHECK(must(os::is_dir_at(dir, "more")));
    must(os::rename_dir_out(dir, "more", whole / "other"));
    must(os::rename_dir(whole / "other", dir, "more"));
    // <filesystem> need not be able to delete it.
    must(os::remove_dir_at(dir, "more"));
    must(os::remove_file_at(dir, "file"));
    dir.handle.reset();
    for (; whole != root.path(); whole = whole.parent_path())
        must(os::remove_dir_at(must(os::open_dir(whole.parent_path())), part));
}

TEST_CASE("one handle's lock keeps out all others, byte by byte") {
    const Scratch root;
    const auto one = must(os::open_at(root, "locks", OpenMode::open_or_create));
    const auto other = must(os::open_at(root, "locks", OpenMode::open_or_create));
    const auto byte = os::Range::byte(7), next = os::Range::byte(8);
    const auto whole = os::Range::whole();
    using enum os::Mode;
    const auto lock = [](const os::FileHandle& file, os::Mode mode, const os::Range& range) {
        return must(os::try_lock(file, mode, range, "locks"));
    };
    CHECK(lock(one, exclusive, byte));
    CHECK_FALSE(lock(other, exclusive, byte));
    CHECK_FALSE(lock(other, shared, byte));
    CHECK_FALSE(lock(other, exclusive, whole));
    CHECK(must(os::is_locked(other, byte, "locks")));
    CHECK_FALSE(must(os::is_locked(one, byte, "locks")));
    CHECK_FALSE(must(os::is_locked(other, next, "locks")));
    CHECK(lock(other, exclusive, next));
    CHECK(lock(one, exclusive, byte));  // it has it already
    must(os::unlock(one, "locks"));
    CHECK_FALSE(must(os::is_locked(other, byte, "locks")));
    must(os::unlock(other, "locks"));

    CHECK(lock(one, shared, byte));
    CHECK(lock(other, shared, byte));
    CHECK_FALSE(lock(other, exclusive, byte));
    must(os::unlock(one, "locks"));
    CHECK(lock(other, exclusive, byte));  // a shared lock becomes exclusive
    CHECK_FALSE(lock(one, shared, byte));
    CHECK(lock(other, shared, byte));  // and shared again
    CHECK(lock(one, shared, byte));
    must(os::unlock(one, "locks"));
    must(os::unlock(other, "locks"));

    // A locked byte does not hinder those who read and write the data.
    CHECK(lock(one, exclusive, whole));
    CHECK_FALSE(os::write_at(other, "data", 4, 0));
    CHECK(get(root, "locks") == "data");
}

TEST_CASE("a closed handle has no lock, and a FileLock lets go at its end") {
    const Scratch root;
    using enum os::Mode;
    {
        auto file = must(os::open_at(root, "l", OpenMode::open_or_create));
        CHECK(must(os::try_lock(file, exclusive, os::Range::whole(), "l")));
        CHECK(must(os::look_at(root, "l")) == os::State::taken);
    }
    CHECK(must(os::look_at(root, "l")) == os::State::free);
    CHECK(must(os::look_at(root, "none")) == os::State::missing);
    {
        auto held = must(os::FileLock::try_lock(root, "l", exclusive, os::Range::byte(3)));
        REQUIRE(held);
        CHECK_FALSE(must(os::FileLock::try_lock(root, "l", shared, os::Range::byte(3))));
        CHECK(must(os::FileLock::try_lock(root, "l", shared, os::Range::byte(4))));
        CHECK_FALSE(must(os::FileLock::try_lock_existing(root, "l")));
        CHECK(must(os::still_has_name(held->file(), root, "l")));
        os::FileLock moved = std::move(*held);
        CHECK_FALSE(must(os::FileLock::try_lock(root, "l", shared, os::Range::byte(3))));
    }
    CHECK(must(os::FileLock::try_lock_existing(root, "l")));
    CHECK(is_absent(os::FileLock::try_lock_existing(root, "none")));
}

// Wine keeps the name of a deleted file as long as any of its bytes is locked.
TEST_CASE("a locked file can be deleted, and has its name no more", "[not-wine]") {
    const Scratch root;
    const auto held = must(os::FileLock::try_lock(root, "l", os::Mode::exclusive));
    REQUIRE(held);
    must(os::remove_file_at(root, "l"));
    CHECK_FALSE(must(os::still_has_name(held->file(), root, "l")));
    put(root, "l", "");
    CHECK_FALSE(must(os::still_has_name(held->file(), root, "l")));
}

TEST_CASE("two mappings of a file are one memory, and the file reads the same") {
    const Scratch root;
    const auto file = must(os::open_at(root, "m", OpenMode::open_or_create));
    CHECK_FALSE(os::set_size(file, 8192));
    const auto one = must(os::Mapping::map(file, 8192, "m"));
    const auto other =
        must(os::Mapping::map_to_read(must(os::open_at(root, "m", OpenMode::read)), 8192, "m"));
    static_cast<char*>(one.data())[5000] = 'x';
    CHECK(static_cast<const char*>(other.data())[5000] == 'x');
    char read = 0;
    CHECK(must(os::read_at(file, &read, 1, 5000)) == 1);
    CHECK(read == 'x');
    CHECK_FALSE(os::write_at(file, "y", 1, 5001));
    CHECK(static_cast<const char*>(other.data())[5001] == 'y');
}

TEST_CASE("a copy has the time and the rights of its source") {
    const Scratch root;
    put(root, "source", "text");
    must(os::set_modified_at(root, "source", {1'000'000'000, 0}));
    must(os::set_permissions_at(root, "source", os::Permissions::owner_read));
    const auto info = must(os::stat_at(root, "source"));
    {
        const auto source = must(os::open_at(root, "source", OpenMode::read));
        const std::string copy_name = "copy", unfinished_name = "unfinished";
        auto copy = must(os::NewFile::create(root, copy_name));
        must(os::write_all(copy.handle(), "text", "copy"));
        CHECK(must(copy.complete(source, info, os::Refusal::is_error)));
        const auto unfinished = must(os::NewFile::create(root, unfinished_name));
        const auto run = os::next_data(source, 0, info.size);
        CHECK(run.start == 0);
        CHECK(run.length == 4);
        if (const auto clone = os::clone_file(source, info, root, "clone", os::Refusal::is_error))
            CHECK(get(root, "clone") == "text");
        else
            CHECK(clone.error().code == Errc::unsupported);
    }
    const auto copied = must(os::stat_at(root, "copy"));
    CHECK(copied.modified == info.modified);
    CHECK(copied.permissions == info.permissions);
    CHECK(get(root, "copy") == "text");
    CHECK_FALSE(must(os::exists_at(root, "unfinished")));
    // <filesystem> need not be able to delete what cannot be written to.
    for (const auto& [name, kind] : list(root)) must(os::remove_file_at(root, name));
}

TEST_CASE("the file system has space and takes long names") {
    const Scratch root;
    const auto space = must(os::space_of(root));
    CHECK(space.size > 0);
    CHECK(space.free <= space.size);
    CHECK(os::longest_name(root) >= 143);  // ecryptfs has the shortest that is in use
    const os::FileHandle& handle = static_cast<const os::Dir&>(root).handle;
    CHECK(os::traits_of(handle).network == nullptr);
}

TEST_CASE("this process runs, and no other one is taken for it") {
    const auto self = os::this_process();
    CHECK(self.pid == os::process_id());
    CHECK(os::is_here(self));
    CHECK(os::is_running(self) == os::Running::yes);
    auto earlier = self;
    REQUIRE(self.start != 0);
    earlier.start -= 1'000'000;
    CHECK(os::is_running(earlier) == os::Running::no);
    auto none = self;
    none.pid = 0;
    CHECK(os::is_running(none) == os::Running::no);
    CHECK(os::this_command().find("portable") != std::string::npos);
    CHECK_FALSE(os::environment_variable("LARDER_NO_SUCH_VARIABLE"));
}

TEST_CASE("no number is drawn twice") {
    must(os::draw_token());
    CHECK(os::process_token() != 0);
    CHECK(os::process_token() == os::process_token());
    std::set<std::uint32_t> counters;
    for (int i = 0; i < 100; ++i) counters.insert(os::draw_unique().counter);
    CHECK(counters.size() == 100);
}

TEST_CASE("the clock of the boot goes forward") {
    const auto before = os::boot_time().since_boot;
    CHECK(before.count() > 0);
    CHECK(os::boot_time().since_boot >= before);
    CHECK(os::time_since_boot().count() > 0);
}

TEST_CASE("a pattern fits whole names") {
    CHECK(os::matches_glob("*.whl", "a.whl"));
    CHECK(os::matches_glob("a?c", "abc"));
    CHECK(os::matches_glob("[a-c]*", "bx"));
    CHECK(os::matches_glob("\\*", "*"));
    CHECK_FALSE(os::matches_glob("\\*", "x"));
    CHECK_FALSE(os::matches_glob("a", "ab"));
    CHECK(os::matches_glob("*", ".hidden/and more"));
}
