// SPDX-License-Identifier: MIT
// Directories in which a process may use names and which it may not list, such as a drop directory;
// and directories of its own to which it may not write.

#include <sys/stat.h>
#include <unistd.h>

#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

constexpr uid_t nobody = 65534;

void own(const fs::path& path) { REQUIRE(::chown(path.c_str(), nobody, nobody) == 0); }

/// A directory of root's that other users reach, and in it one of this mode that they can't list.
class DropDir {
public:
    explicit DropDir(unsigned mode) {
        fs::permissions(dir_.path(), fs::perms(0755));
        fs::create_directory(path());
        set(mode);
    }
    void set(unsigned mode) const { REQUIRE(::chmod(path().c_str(), mode) == 0); }
    [[nodiscard]] fs::path path() const { return dir_.path() / "drop"; }
    [[nodiscard]] fs::path root() const { return path() / "cache"; }

private:
    TempDir dir_;
};

/// Makes a cache in the drop directory, which belongs to the user `nobody`.
void make_cache(const DropDir& drop) {
    fs::create_directory(drop.root());
    own(drop.root());
    in_child([&](Child&) {
        become_nobody();
        put(value(open_cache(drop.root()).bucket("b")), "k", "text");
    });
}

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
}

}  // namespace

TEST_CASE("destroy in a directory that its user may not list deletes all that it can") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const bool is_closed : {false, true}) {
        INFO(is_closed);
        const DropDir drop(0711);
        make_cache(drop);
        if (is_closed) fs::permissions(drop.root(), fs::perms::none);
        in_child([&](Child&) {
            become_nobody();
            // Nothing here lets the user remove a name of root's directory.
            const auto checked = Cache::check_destroy(drop.root());
            Child::must(!checked, "not foreseen");
            const auto destroyed = Cache::destroy(drop.root());
            Child::must(!destroyed, "removed");
            Child::must(contains(destroyed.error().message(), "only its directory is left"),
                        destroyed.error().message());
            for (const Error& error : {checked.error(), destroyed.error()}) {
                Child::must(error.code == Errc::system, "another code");
                Child::must(contains(error.message(), "ask the owner of " + drop.path().string()),
                            error.message());
            }
        });
        CHECK(count_entries(drop.root()) == 0);
        in_child([&](Child&) {
            become_nobody();
            put(value(open_cache(drop.root()).bucket("b")), "k", "text");
        });
    }
}

TEST_CASE("destroy in a directory that its user may change and not list deletes the whole cache") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const unsigned mode : {01733U, 0300U}) {
        INFO(mode);
        const DropDir drop(mode);
        if (mode == 0300U) own(drop.path());
        make_cache(drop);
        in_child([&](Child&) {
            become_nobody();
            Child::must(Cache::check_destroy(drop.root()));
            Child::must(Cache::destroy(drop.root()));
        });
        CHECK_FALSE(stands(drop.root()));
    }
}

TEST_CASE("what can't be listed can be filled, and a file in it can be staged") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const DropDir drop(01733), home(0711);
    write_file(drop.path() / "file", "of root's");
    write_file(drop.path() / "format", "another program's");
    make_cache(home);
    in_child([&](Child&) {
        become_nobody();
        const Bucket bucket = value(open_cache(home.root()).bucket("b"));
        const Lease lease = value(bucket.get("k"));
        for (const fs::path& to : {drop.path() / "new", drop.path() / "new", drop.path()}) {
            value(materialize(lease.path(), to, {.replace = true}));
            Child::must(read_file(to / "sub" / "deep" / "f2") == "text", to.string());
        }
        // A directory of this kind in the destination is filled, too.
        const fs::path sub = drop.path() / "new" / "sub";
        fs::permissions(sub, fs::perms(0300));
        value(materialize(lease.path(), drop.path() / "new", {.replace = true}));
        Child::must(mode_of(sub) == 0300, "another mode");

        auto staging = value(bucket.stage());
        value(staging.copy_from(drop.path() / "file"));
        Child::must(read_file(staging.path() / "file") == "of root's", "not staged");
    });
}

TEST_CASE("materialize fills the read-only directories that an earlier call has made") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const DropDir place(0777);
    in_child([&](Child&) {
        become_nobody();
        const fs::path source = place.path() / "source", to = place.path() / "to";
        fill(source, "text");
        fs::permissions(source / "sub" / "deep", fs::perms(0555));
        fs::permissions(source / "sub", fs::perms(0555));
        const auto install = [&](bool replace) {
            return materialize(source, to, {.mode = LinkMode::copy, .replace = replace});
        };
        // A file in the way ends the first call, and the second one completes what it has begun.
        fs::create_directories(to);
        write_file(to / "f0", "mine");
        fs::create_directories(to / "sub" / "deep");
        fs::permissions(to / "sub" / "deep", fs::perms(0555));
        fs::permissions(to / "sub", fs::perms(0555));
        Child::must(!install(false), "replaced");
        Child::must(mode_of(to / "sub") == 0555, "open after an error");
        for (int again = 0; again < 2; ++again) {
            value(install(true));
            Child::must(read_file(to / "f0") == "text", "f0");
            Child::must(read_file(to / "sub" / "deep" / "f2") == "text", "f2");
            Child::must(mode_of(to / "sub") == 0555, "sub is open");
            Child::must(mode_of(to / "sub" / "deep") == 0555, "deep is open");
        }
        // A directory that the tree has open, and its owner has closed, stays closed.
        fs::permissions(source / "sub", fs::perms(0755));
        fs::permissions(source / "sub" / "deep", fs::perms(0755));
        write_file(source / "sub" / "deep" / "new", "new");
        fs::permissions(source / "sub", fs::perms(0555));
        const auto refused = install(true);
        Child::must(!refused && refused.error().why == Why::denied, "filled a closed directory");
        Child::must(mode_of(to / "sub" / "deep") == 0555, "opened");
        Child::must(mode_of(to / "sub") == 0555, "sub is open after a refusal");
        for (const char* const each : {"source/sub", "source/sub/deep", "to/sub", "to/sub/deep"})
            fs::permissions(place.path() / each, fs::perms(0755));
    });
}
