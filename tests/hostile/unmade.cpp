// SPDX-License-Identifier: MIT
// What larder did not make, or not so: entries that were changed, copies that followed links,
// directories of other users, and files that a power cut has emptied. Each is found, and the
// message or a repair leads out.

#include <sys/resource.h>
#include <sys/xattr.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "format/id.hpp"
#include "format/layout.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

using Kind = Finding::Kind;

constexpr uid_t another_user = 65534;

std::size_t count(const VerifyReport& report, Kind kind) {
    std::size_t found = 0;
    for (const Finding& finding : report.findings) found += finding.kind == kind ? 1 : 0;
    return found;
}

/// Opens a cache and makes a call that needs all its directories.
Result<> use(const fs::path& root, const OpenOptions& options) {
    const auto cache = Cache::open(root, options);
    if (!cache) return tl::make_unexpected(cache.error());
    return value(cache->bucket("none")).refresh();
}

/// Requires that a destroy of this path is refused, and that its dry run says the same; neither
/// changes anything.
void require_destroy_fails(const fs::path& path, Errc code, const std::string& part) {
    const auto before = exact_snapshot(path);
    const auto checked = Cache::check_destroy(path);
    const auto destroyed = Cache::destroy(path);
    REQUIRE_FALSE(destroyed);
    REQUIRE_FALSE(checked);
    INFO(destroyed.error().message());
    CHECK(destroyed.error().code == code);
    CHECK(contains(destroyed.error().message(), part));
    CHECK(checked.error().message() == destroyed.error().message());
    CHECK(exact_snapshot(path) == before);
}

template <class T>
void require_refused(const Result<T>& opened, const std::string& part) {
    REQUIRE_FALSE(opened);
    INFO(opened.error().message());
    CHECK(opened.error().code == Errc::refused);
    CHECK(contains(opened.error().message(), part));
}

OpenOptions unsafe() {
    OpenOptions options = test_options();
    options.allow_unsafe = true;
    return options;
}

}  // namespace

// ---- entries ----

TEST_CASE("repair takes out the key of an entry of which a directory was closed to its owner") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const std::string directory : {"", "sub", "sub/deep"}) {
        for (const mode_t mode : {0000, 0300, 0400}) {
            for (const bool by_content : {false, true}) {
                INFO(directory << " " << mode << " " << by_content);
                const TempDir dir;
                fs::permissions(dir.path(), fs::perms(0777));
                in_child([&](Child&) {
                    become_nobody();
                    const Cache cache = open_cache(dir.path() / "cache");
                    const Bucket bucket = value(cache.bucket("b"));
                    const fs::path tree = put(bucket, "k", "text").path();
                    const fs::path closed = directory.empty() ? tree : tree / directory;
                    fs::permissions(closed, fs::perms(mode));
                    const auto findings = [&](bool repair) {
                        return by_content ? value(cache.verify_content({.repair = repair})).findings
                                          : value(cache.verify({repair})).findings;
                    };
                    for (const bool repair : {false, true}) {
                        const auto found = findings(repair);
                        Child::must(found.size() == 1, "not one finding");
                        Child::must(found.front().kind == Kind::changed, "not changed");
                        Child::must(found.front().path == closed, found.front().path.string());
                        Child::must(found.front().repaired == repair, found.front().what);
                    }
                    Child::must(findings(false).empty(), "something is left");
                    Child::must(!bucket.get("k"), "the key has the entry");
                    (void)value(cache.collect());
                    Child::must(count_entries(cache.root() / "archive") == 0, "not deleted");
                });
            }
        }
    }
}

TEST_CASE("destroy ends an rm -rf that has left what a repair has moved away") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path keys = [&] {
            put(bucket, "k", "text");
            put(bucket, "file", "text");
            put(bucket, "link", "text");
            return keys_of(root / "buckets" / "b");
        }();
        for (const char* const key : {"k", "file", "link"}) fs::remove(keys / key);
        fs::create_directories(keys / "k" / "sub");
        write_file(keys / "k" / "sub" / "f", "text");
        write_file(keys / "file", "something else");
        fs::create_symlink("/nowhere", keys / "link");
        write_file(root / "boots", "no directory");
        const auto report = value(cache.verify({true}));
        Child::must(report.sound(), "not repaired");
    });
    CHECK(count_entries(root / "deleting") == 4);
    fs::remove(root / "format");
    fs::remove(root / "CACHEDIR.TAG");
    value(Cache::check_destroy(root));
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

TEST_CASE("an entry that has lost, got or changed a file is found, and repair retires it") {
    for (const std::string what : {"lost", "got", "longer", "symlink for a file"}) {
        INFO(what);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path tree = root / "archive" / put(bucket, "k", "text").id() / "tree";
        put(bucket, "other", "text");
        CHECK(value(cache.verify()).findings.empty());
        if (what == "lost") fs::remove(tree / "sub" / "deep" / "f2");
        if (what == "got") write_file(tree / "sub" / "more", "");
        if (what == "longer") write_file(tree / "f0", "text!");
        if (what == "symlink for a file") {
            fs::remove(tree / "f0");
            fs::create_symlink("sub/f1", tree / "f0");
        }
        const auto report = value(cache.verify());
        CHECK_FALSE(report.sound());
        CHECK(report.findings.size() == 1);
        CHECK(count(report, Kind::changed) == 1);
        CHECK(stands(tree));
        CHECK(value(cache.verify({.repair = true})).sound());
        CHECK(bucket.get("k").error().code == Errc::miss);
        CHECK(content_of(bucket, "other") == "text");
        CHECK(value(cache.collect()).entries == 1);
        require_no_leak(root, 1);
    }
}

TEST_CASE("a copy of a cache that followed its links: put says what to do, and repair heals it") {
    SKIP_UNLESS(test_options().link_kind == LinkKind::symlink, "links that a copy can follow");
    const TempDir dir;
    const fs::path root = dir.path() / "cache", copy = dir.path() / "copy";
    {
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "text");
        put(bucket, "old", "text");
        value(bucket.remove("old"));
    }
    REQUIRE(std::system(("cp -rL '" + root.string() + "' '" + copy.string() + "'").c_str()) == 0);
    const Cache cache = open_cache(copy);
    const Bucket bucket = value(cache.bucket("b"));
    Staging staging = value(bucket.stage());
    fill(staging.path(), "new");
    const auto published = bucket.publish("k", std::move(staging));
    REQUIRE_FALSE(published);
    CHECK(published.error().code == Errc::damaged);
    CHECK(contains(published.error().message(), "verify --repair"));
    const auto report = value(cache.verify());
    CHECK_FALSE(report.sound());
    // With pointers, the bucket itself is one more.
    CHECK(count(report, Kind::blocked) == (buckets_are_pointers() ? 3 : 2));
    CHECK(value(cache.verify({.repair = true})).sound());
    put(bucket, "k", "new");
    CHECK(content_of(bucket, "k") == "new");
    (void)value(cache.collect());
    require_no_leak(copy, 1);
    CHECK(count_entries(copy / "retired" / "links") == 0);
}

// ---- directories of other users ----

TEST_CASE("a root to which other users may write is refused, for writing and for reading") {
    SKIP_UNLESS(is_root_user(), "root, to change owners");
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put(value(open_cache(root).bucket("b")), "k", "text");
    OpenOptions reading = test_options();
    reading.read_only = true;
    for (const auto mode : {0777, 0722, 01777}) {
        INFO(mode);
        fs::permissions(root, fs::perms(mode));
        require_refused(Cache::open(root, test_options()), "other users may write");
        require_refused(Cache::open(root, reading), "chmod go-w");
        CHECK(content_of(value(value(Cache::open(root, unsafe())).bucket("b")), "k") == "text");
    }
    // A group of other users.
    fs::permissions(root, fs::perms(0770));
    REQUIRE(::chown(root.c_str(), 0, 65534) == 0);
    require_refused(Cache::open(root, test_options()), "other users may write");
    // The owner's own group.
    REQUIRE(::chown(root.c_str(), 0, 0) == 0);
    CHECK(Cache::open(root, test_options()));
    fs::permissions(root, fs::perms(0755));
    CHECK(Cache::open(root, test_options()));
}

TEST_CASE("a cache of which another user owns a part, or may write to one, is refused") {
    SKIP_UNLESS(is_root_user(), "root, to change owners");
    for (const char* const part : {"locks", "participants", "staging", "buckets", "archive",
                                   "deleting", "retired", "retired/links", "retired/buckets"}) {
        INFO(part);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        put(value(open_cache(root).bucket("b")), "k", "text");
        REQUIRE(::chown((root / part).c_str(), another_user, another_user) == 0);
        require_refused(use(root, test_options()), (root / part).string());
        CHECK(use(root, unsafe()));
        REQUIRE(::chown((root / part).c_str(), 0, 0) == 0);
        fs::permissions(root / part, fs::perms(0777));
        require_refused(use(root, test_options()), (root / part).string());
        fs::permissions(root / part, fs::perms(0700));
        CHECK(use(root, test_options()));
    }
}

namespace {

/// Gives a directory an access control list: full rights for its owner, `rights` for another user,
/// cut by `mask`.
void let_another_user(const fs::path& dir, unsigned char rights, unsigned char mask) {
    constexpr unsigned char owner_is = 1, user_is = 2, group_is = 4, mask_is = 16, others_are = 32;
    const auto entry = [](unsigned char tag, unsigned char what, std::uint32_t number) {
        std::string bytes{static_cast<char>(tag), '\0', static_cast<char>(what), '\0'};
        for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
        return bytes;
    };
    constexpr std::uint32_t no_number = 0xffff'ffff;
    const std::string list = std::string("\2\0\0\0", 4) + entry(owner_is, 7, no_number) +
                             entry(user_is, rights, another_user) + entry(group_is, 0, no_number) +
                             entry(mask_is, mask, no_number) + entry(others_are, 0, no_number);
    REQUIRE(::setxattr(dir.c_str(), "system.posix_acl_access", list.data(), list.size(), 0) == 0);
}

/// Returns whether the file system keeps access control lists.
bool keeps_lists(const fs::path& dir) {
    return ::getxattr(dir.c_str(), "system.posix_acl_access", nullptr, 0) >= 0 || errno == ENODATA;
}

}  // namespace

TEST_CASE("a cache to which another user may write by an access control list is refused") {
    SKIP_UNLESS(is_root_user(), "root, whose group is its own");
    for (const char* const part : {"", "buckets", "archive", "staging", "retired/links"}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache", listed = root / part;
        SKIP_UNLESS(keeps_lists(dir.path()), "a file system with access control lists");
        INFO(listed);
        put(value(open_cache(root).bucket("b")), "k", "text");
        const fs::path stands_at = fs::canonical(listed);
        let_another_user(stands_at, 7, 7);
        require_refused(use(root, test_options()), "other users may write");
        CHECK(use(root, unsafe()));
        // The mask takes the right away, as the advice says.
        fs::permissions(stands_at, fs::perms::group_write, fs::perm_options::remove);
        CHECK(use(root, test_options()));
        let_another_user(stands_at, 5, 7);
        CHECK(use(root, test_options()));
    }
}

TEST_CASE("root makes no cache below a directory of another user, unless it is allowed") {
    SKIP_UNLESS(is_root_user(), "root");
    const TempDir dir;
    const fs::path home = dir.path() / "home";
    fs::create_directory(home);
    REQUIRE(::chown(home.c_str(), another_user, another_user) == 0);
    const fs::path root = home / ".cache" / "larder";
    require_refused(Cache::open(root, test_options()), "65534");
    CHECK(count_entries(home) == 0);
    CHECK(Cache::open(root, unsafe()));
}

TEST_CASE("the user who may not open another user's cache reads who owns it") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0755));
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    in_child([&](Child&) {
        become_nobody();
        const auto opened = Cache::open(root, test_options());
        Child::must(!opened, "opened");
        Child::must(contains(opened.error().message(), "belongs to user root (0)"),
                    opened.error().message());
    });
}

// ---- files that a power cut has emptied ----

TEST_CASE("a tag or a .gitignore that a power cut has emptied is mended by the next collection") {
    for (const std::size_t left : {0, 1}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        (void)open_cache(root);
        fs::resize_file(root / "CACHEDIR.TAG", left * 30);
        fs::resize_file(root / ".gitignore", left);
        in_child([&](Child&) { (void)value(open_cache(root).collect()); });
        CHECK(read_file(root / "CACHEDIR.TAG") == format::cachedir_tag_text);
        CHECK(read_file(root / ".gitignore") == format::gitignore_text);
    }
}

TEST_CASE("a tag or a .gitignore with another text is left alone") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    write_file(root / "CACHEDIR.TAG", "mine");
    write_file(root / ".gitignore", "x");
    in_child([&](Child&) { (void)value(open_cache(root).collect()); });
    CHECK(read_file(root / "CACHEDIR.TAG") == "mine");
    CHECK(read_file(root / ".gitignore") == "x");
}

TEST_CASE("an empty format is refused, and the message says what to do") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    fs::resize_file(root / "format", 0);
    in_child([&](Child&) {
        const auto opened = Cache::open(root, test_options());
        Child::must(!opened && opened.error().code == Errc::refused, "not refused");
        Child::must(contains(opened.error().message(), "delete this file"),
                    opened.error().message());
    });
    // What the message says does help.
    fs::remove(root / "format");
    in_child([&](Child&) {
        Child::must(content_of(value(open_cache(root).bucket("b")), "k") == "text", "no entry");
    });
}

TEST_CASE("what is no file in the place of format is refused, and moving it away helps") {
    for (const std::string what : {"directory", "pipe", "symlink"}) {
        INFO(what);
        const TempDir dir;
        const fs::path root = dir.path() / "cache", format = root / "format";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        fs::remove(format);
        if (what == "directory") fs::create_directory(format);
        if (what == "pipe") REQUIRE(::mkfifo(format.c_str(), 0600) == 0);
        if (what == "symlink") fs::create_symlink("CACHEDIR.TAG", format);
        in_child([&](Child&) {
            const auto opened = Cache::open(root, test_options());
            Child::must(!opened && opened.error().code == Errc::damaged, "not refused");
            Child::must(contains(opened.error().message(), "move away what stands here"),
                        opened.error().message());
        });
        fs::rename(format, dir.path() / "moved");
        in_child([&](Child&) {
            Child::must(content_of(value(open_cache(root).bucket("b")), "k") == "text", "no entry");
        });
    }
}

TEST_CASE("what is no file in the place of locks is named by a collection and by verify") {
    for (const std::string kind : {"pipe", "socket", "directory", "symlink"}) {
        INFO(kind);
        const TempDir dir;
        const fs::path root = dir.path() / "cache", locks = root / "locks";
        in_child([&](Child&) { (void)open_cache(root); });
        fs::remove(locks);
        if (kind == "pipe") REQUIRE(::mkfifo(locks.c_str(), 0600) == 0);
        if (kind == "socket") make_socket(locks);
        if (kind == "directory") fs::create_directory(locks);
        if (kind == "symlink") fs::create_symlink("nowhere", locks);
        in_child([&](Child&) {
            const Cache cache = open_cache(root);
            const auto verified = cache.verify();
            Child::must(!verified && contains(verified.error().message(), "move away"), "verify");
            const auto collected = cache.collect();
            Child::must(!collected && contains(collected.error().message(), "move away"),
                        "collect");
            for (const Errc code : {verified.error().code, collected.error().code})
                Child::must(code == Errc::damaged, kind + ": " + std::string(name_of(code)));
        });
    }
}

TEST_CASE("what is no file in the place of a tag is found, and a repair moves it away") {
    for (const std::string name : {"CACHEDIR.TAG", ".gitignore"}) {
        INFO(name);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { (void)open_cache(root); });
        fs::remove(root / name);
        fs::create_directories(root / name / "mine");
        in_child([&](Child&) {
            const Cache cache = open_cache(root);
            const VerifyReport report = value(cache.verify());
            Child::must(report.findings.size() == 1 &&
                            report.findings[0].kind == Finding::Kind::blocked &&
                            report.findings[0].path == root / name,
                        "not found");
            Child::must(value(cache.verify({true})).sound(), "not repaired");
            (void)value(cache.collect());
            Child::must(fs::is_regular_file(root / name), "not made anew");
        });
        in_child([&](Child&) { Child::must(Cache::destroy(root)); });
        CHECK_FALSE(stands(root));
    }
}

// ---- destroying a cache ----

TEST_CASE("destroy deletes a cache with read-only directories in it, as a user") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        {
            const Lease lease = put(value(open_cache(root).bucket("b")), "k", "text");
            fs::permissions(lease.path() / "sub" / "deep", fs::perms(0555));
            fs::permissions(lease.path() / "sub", fs::perms(0555));
        }
    });
    in_child([&](Child&) {
        become_nobody();
        Child::must(Cache::destroy(root));
    });
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy ends what an rm -rf has begun, for every file that may be left") {
    for (const std::string gone : {"format", "CACHEDIR.TAG", "both", "participants", "locks"}) {
        INFO(gone);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        if (gone == "both") {
            fs::remove(root / "format");
            fs::remove(root / "CACHEDIR.TAG");
        } else {
            fs::remove_all(root / gone);
        }
        value(Cache::destroy(root));
        CHECK_FALSE(stands(root));
    }
}

TEST_CASE("destroy deletes a cache whose format was cut off, whatever has become of its tag") {
    for (const std::string tag : {"ours", "gone", "empty", "edited"}) {
        for (const std::size_t left : {0, 3, 6, 9, 20}) {
            INFO(tag << ", " << left);
            const TempDir dir;
            const fs::path root = dir.path() / "cache";
            in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
            fs::resize_file(root / "format", left);
            if (tag == "gone") fs::remove(root / "CACHEDIR.TAG");
            if (tag == "empty") fs::resize_file(root / "CACHEDIR.TAG", 0);
            if (tag == "edited") write_file(root / "CACHEDIR.TAG", "the cache of our builds");
            value(Cache::destroy(root));
            CHECK_FALSE(stands(root));
        }
    }
}

TEST_CASE("a format that another program may have written makes no files larder's") {
    for (const std::string text : {"", "lar", "mine"}) {
        INFO(text);
        const TempDir dir;
        const fs::path root = dir.path() / "other";
        fs::create_directory(root);
        write_file(root / "format", text);
        for (const bool has_tag : {false, true}) {
            if (has_tag) write_file(root / "CACHEDIR.TAG", "mine");
            const auto before = exact_snapshot(root);
            const auto destroyed = Cache::destroy(root);
            REQUIRE_FALSE(destroyed);
            CHECK(contains(destroyed.error().message(), "no cache"));
            CHECK(exact_snapshot(root) == before);
        }
    }
}

TEST_CASE("destroy ends an rm -rf that has left a judged entry, and files in deleting") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "k", "text");
        write_file(root / "archive" / lease.id() / "judged", "larder judged 1\n");
    });
    // Processes that were killed leave such files there.
    write_file(root / "deleting" / to_text(format::fresh_id()), "larder destroyed\n");
    write_file(root / "deleting" / to_text(format::fresh_id()), "larder boot 1\n");
    write_file(root / "deleting" / to_text(format::fresh_id()), "");
    fs::remove(root / "format");
    fs::remove(root / "CACHEDIR.TAG");
    const fs::path strange = root / "deleting" / to_text(format::fresh_id());
    write_file(strange, "precious");
    CHECK_FALSE(Cache::destroy(root));
    fs::remove(strange);
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy refuses what is no cache, and a cache that holds something else") {
    const TempDir dir;
    const fs::path other = dir.path() / "other", root = dir.path() / "cache";
    fs::create_directory(other);
    const auto refused = [](const fs::path& path, const std::string& part) {
        require_destroy_fails(path, Errc::refused, part);
    };
    write_file(other / "mine", "precious");
    refused(other, "no cache");
    fs::remove(other / "mine");
    fs::create_directory(other / "archive");
    write_file(other / "archive" / "mine", "precious");
    refused(other, "no cache");
    write_file(other / "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# pip's\n");
    refused(other, "no cache");
    in_child([&](Child&) { (void)open_cache(root); });
    write_file(root / "notes.txt", "precious");
    refused(root, "notes.txt");
    fs::remove(root / "notes.txt");
    write_file(root / "format", "larder 99\n");
    refused(root, "newer");
    CHECK_FALSE(Cache::destroy(dir.path() / "nothing"));
    CHECK_FALSE(Cache::check_destroy(dir.path() / "nothing"));
}

TEST_CASE("a tag of which all programs write the beginning makes no files larder's") {
    const std::string_view tag = format::cachedir_tag_text;
    const std::size_t first_line = tag.find('\n') + 1, own = tag.find("larder");
    for (const std::size_t left :
         {std::size_t{0}, first_line / 2, first_line - 1, first_line, own}) {
        INFO(left);
        const TempDir dir;
        const fs::path root = dir.path() / "backup";
        fs::create_directories(root / "archive" / "2025");
        write_file(root / "archive" / "2025" / "thesis.txt", "precious");
        write_file(root / "CACHEDIR.TAG", std::string(tag.substr(0, left)));
        const auto before = exact_snapshot(root);
        const auto destroyed = Cache::destroy(root);
        REQUIRE_FALSE(destroyed);
        CHECK(destroyed.error().code == Errc::refused);
        CHECK(contains(destroyed.error().message(), "no cache"));
        require_refused(Cache::open(root, test_options()), "not a cache");
        CHECK(exact_snapshot(root) == before);
    }
}

TEST_CASE("a cache whose making stopped within its tag can be completed, and destroyed") {
    const std::string_view tag = format::cachedir_tag_text;
    for (std::size_t left = 0; left <= tag.size(); ++left) {
        INFO(left);
        for (const bool has_directories : {false, true}) {
            const TempDir dir;
            const fs::path root = dir.path() / "cache";
            const auto begin = [&] {
                fs::create_directory(root);
                write_file(root / "CACHEDIR.TAG", std::string(tag.substr(0, left)));
                if (!has_directories) return;
                write_file(root / "locks", "");
                fs::create_directories(root / "retired" / "links");
            };
            begin();
            value(Cache::destroy(root));
            CHECK_FALSE(stands(root));
            begin();
            in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
            CHECK(read_file(root / "CACHEDIR.TAG") == tag);
        }
    }
}

TEST_CASE("a destroy whose mark is denied a name again and again ends with an error") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    fs::remove(root / "format");
    Child destroyer([&](Child&) {
        const AtPoints denied(
            [](const std::string& point) { return point == "os.noreplace" ? EEXIST : 0; });
        (void)::alarm(20);  // no attempt takes a second
        const auto destroyed = Cache::destroy(root);
        Child::must(!destroyed, "destroyed");
        Child::must(contains(destroyed.error().message(), "format"), destroyed.error().message());
    });
    CHECK(destroyer.join() == 0);
    CHECK(count_entries(root / "archive") == 1);
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy names a process that uses the cache, and changes nothing") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child user([&](Child& self) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "k", "used");
        self.say("leased");
        self.hear();
        Child::must(content_of(lease) == "used", "another content");
    });
    user.wait_for("leased");
    // It is not even marked for an instant: a kill there would leave a cache that does not open.
    Child destroyer(
        [&](Child&) {
            const auto destroyed = Cache::destroy(root);
            Child::must(!destroyed, "destroyed");
            Child::must(destroyed.error().code == Errc::busy, destroyed.error().message());
            Child::must(contains(destroyed.error().message(), "pid " + std::to_string(user.pid())),
                        destroyed.error().message());
        },
        {{}, {"destroy.written", "destroy.marked"}});
    CHECK(destroyer.join() == 0);
    CHECK(content_of(value(open_cache(root).bucket("b")), "k") == "used");
    user.go_on();
    CHECK(user.join() == 0);
}

TEST_CASE("destroy names a program that has a lease and has closed its descriptors") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child user([&](Child&) {
        Lease lease = put(value(open_cache(root).bucket("b")), "k", "used");
        Child::must(lease.keep_across_exec());
        // The program has the lease, and nothing that holds a lock. The words of this child end
        // when the program begins.
        for (int fd = 3; fd < 1024; ++fd) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::execlp("sleep", "sleep", "3600", nullptr);
        Child::must(false, "no program");
    });
    CHECK(user.listen().empty());
    const auto destroyed = Cache::destroy(root);
    REQUIRE_FALSE(destroyed);
    CHECK(destroyed.error().code == Errc::busy);
    CHECK(contains(destroyed.error().message(), "pid " + std::to_string(user.pid())));
    CHECK(content_of(value(open_cache(root).bucket("b")), "k") == "used");
    user.kill();
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

TEST_CASE("a process that joins while a cache is being destroyed keeps its lease") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    const Cache cache = open_cache(root);  // open, and it has not joined
    Child destroyer(
        [&](Child& self) {
            const auto destroyed = Cache::destroy(root);
            Child::must(!destroyed, "destroyed");
            Child::must(destroyed.error().code == Errc::busy, destroyed.error().message());
            self.say("refused");
        },
        {{"destroy.marked"}, {}});
    destroyer.wait_for("destroy.marked");
    const Lease lease = value(value(cache.bucket("b")).get("k"));
    destroyer.go_on();
    destroyer.wait_for("refused");
    CHECK(destroyer.join() == 0);
    CHECK(content_of(lease) == "text");
    in_child([&](Child&) { (void)open_cache(root); });  // it can be opened as before
}

namespace {

/// A process that destroys the cache at `root`, is held at `point`, and says whether it succeeded:
/// "destroyed", or "busy".
class HeldDestroyer {
public:
    HeldDestroyer(const fs::path& root, const std::string& point)
        : child_(
              [root](Child& self) {
                  const auto destroyed = Cache::destroy(root);
                  if (!destroyed)
                      Child::must(destroyed.error().code == Errc::busy,
                                  destroyed.error().message());
                  self.say(destroyed ? "destroyed" : "busy");
              },
              {{point}, {}}),
          point_(point) {
        child_.wait_for(point);
    }
    /// Lets it go on, past the same point again too, and returns what it says at its end.
    std::string end() {
        std::string said;
        do {
            child_.go_on();
            said = child_.listen();
        } while (said == point_);
        CHECK(child_.join() == 0);
        return said;
    }

private:
    Child child_;
    std::string point_;
};

/// Kills a destroy at a point.
void destroy_until(const fs::path& root, const std::string& point) {
    Child killed([&](Child&) { (void)Cache::destroy(root); }, {{}, {point}});
    CHECK(killed.join() == 128 + SIGKILL);
}

}  // namespace

TEST_CASE("a destroy unlinks no table that a process has added since it locked them") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    const Cache cache = open_cache(root);  // open, and it has not joined
    HeldDestroyer destroyer(root, "destroy.locked");
    const Bucket bucket = value(cache.bucket("b"));
    const Lease lease = value(bucket.get("k"));
    CHECK(destroyer.end() == "busy");
    CHECK(count_entries(root / "participants") == 1);
    // A collector sees the lease.
    value(bucket.remove("k"));
    in_child([&](Child&) {
        Child::must(value(open_cache(root).collect()).leased.size() == 1, "the lease was not seen");
    });
    CHECK(content_of(lease) == "text");
}

TEST_CASE("if a destroy gives a cache back, what dead processes staged is still reaped") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    Child staging([&](Child&) { put(value(open_cache(root).bucket("b")), "other", "text"); },
                  {{}, {"publish.leased"}});
    CHECK(staging.join() == 128 + SIGKILL);
    const Cache cache = open_cache(root);
    HeldDestroyer destroyer(root, "destroy.locked");
    const Lease lease = value(value(cache.bucket("b")).get("k"));
    CHECK(destroyer.end() == "busy");
    in_child([&](Child&) { (void)value(open_cache(root).collect()); });
    require_no_leak(root, 1);
}

TEST_CASE("a process that has opened a table which a destroy then unlinks leases nothing by it") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    Child joiner(
        [&](Child&) {
            const auto lease = value(open_cache(root).bucket("b")).get("k");
            Child::must(!lease, "leased, and no collector sees it");
        },
        {{"adopt.opened"}, {}});
    joiner.wait_for("adopt.opened");
    // Its tables are gone, and its entries are there.
    destroy_until(root, "destroy.closed");
    joiner.go_on();
    CHECK(joiner.join() == 0);
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

namespace {

/// Opens a cache in a process that is held at the point `held_at`. Meanwhile a destroy begins, and
/// is held at `destroy_at`. Then `open` goes on, and must not lease anything; and then the destroy,
/// which must leave nothing. `has_parts` tells whether `participants/` stands between these two.
void open_beside_destroy(const fs::path& root, const std::string& held_at,
                         const std::string& destroy_at, bool has_parts,
                         const std::function<void()>& open) {
    INFO(destroy_at);
    Child opener(
        [&](Child& self) {
            open();
            self.say("refused");
        },
        {{held_at}, {}});
    opener.wait_for(held_at);
    HeldDestroyer destroyer(root, destroy_at);
    opener.go_on();
    opener.wait_for("refused");
    CHECK(opener.join() == 0);
    CHECK(stands(root / "participants") == has_parts);
    CHECK(destroyer.end() == "destroyed");
    CHECK_FALSE(stands(root));
}

}  // namespace

TEST_CASE(
    "a process that opens a cache which is destroyed meanwhile is refused, and leaves nothing") {
    for (const char* const point : {"destroy.closed", "destroy.one", "destroy.unmarked"}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        fs::remove_all(root / "staging");  // so that the open makes what the destroy deletes
        open_beside_destroy(root, "open.read", point, true, [&] {
            const auto opened = Cache::open(root, test_options());
            Child::must(!opened, "opened");
            Child::must(opened.error().code == Errc::refused, opened.error().message());
            Child::must(contains(opened.error().message(), "destroyed"), opened.error().message());
        });
    }
}

TEST_CASE("a process that opens a cache before a destroy, and reads its format after, is refused") {
    for (const char* const point : {"destroy.closed", "destroy.one"}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        open_beside_destroy(root, "open.found", point, false, [&] {  // it makes nothing
            const auto opened = Cache::open(root, test_options());
            Child::must(!opened, "opened");
            Child::must(opened.error().code == Errc::refused, opened.error().message());
        });
    }
}

TEST_CASE("a process that has read the format before a destroy leases nothing after it") {
    for (const char* const point : {"destroy.closed", "destroy.one"}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        open_beside_destroy(root, "open.read", point, buckets_are_pointers(), [&] {
            // With pointers, an open reads `format` once more, and is refused.
            const auto cache = Cache::open(root, test_options());
            Child::must(cache.has_value() != buckets_are_pointers(), "the open");
            if (cache)
                Child::must(!value(cache->bucket("b")).get("k"), "leased: no collector sees it");
        });
    }
}

TEST_CASE("a new cache that is made where a destroy has just deleted one stays") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "old"); });
    HeldDestroyer destroyer(root, "destroy.unmarked");
    const Lease lease = put(value(open_cache(root).bucket("b")), "k", "new");
    CHECK(destroyer.end() == "destroyed");
    CHECK(content_of(lease) == "new");
    CHECK(value(open_cache(root).verify()).sound());
}

TEST_CASE("a cache that is made while a destroy looks at its root is given back if it is used") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child maker([&](Child&) { (void)open_cache(root); }, {{}, {"open.format"}});
    CHECK(maker.join() == 128 + SIGKILL);
    HeldDestroyer destroyer(root, "destroy.written");
    const Lease lease = put(value(open_cache(root).bucket("b")), "k", "new");
    CHECK(destroyer.end() == "busy");
    CHECK(content_of(lease) == "new");
    in_child([&](Child&) { (void)open_cache(root); });
}

TEST_CASE(
    "a cache in use whose destroy was killed after its mark is given back by another destroy") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    OpenOptions options = test_options();
    options.link_kind = LinkKind::file;
    in_child([&](Child&) { put(value(open_cache(root, options).bucket("b")), "k", "text"); });
    const Cache cache = open_cache(root);
    destroy_until(root, "destroy.marked");
    const Lease lease = value(value(cache.bucket("b")).get("k"));
    in_child([&](Child&) {
        const auto opened = Cache::open(root, test_options());
        Child::must(!opened && contains(opened.error().message(), "cachetool destroy"),
                    "opened, or another message");
    });
    const auto destroyed = Cache::destroy(root);
    REQUIRE_FALSE(destroyed);
    CHECK(destroyed.error().code == Errc::busy);
    in_child([&](Child&) {
        Child::must(open_cache(root).link_kind() == LinkKind::file, "another kind of links");
    });
    CHECK(content_of(lease) == "text");
}

TEST_CASE("a second destroy of a cache is refused until the first has ended") {
    for (const std::string point : {"destroy.written", "destroy.marked", "destroy.locked",
                                    "destroy.closed", "destroy.settled", "destroy.one"}) {
        INFO(point);
        for (const bool has_locks : {true, false}) {
            const TempDir dir;
            const fs::path root = dir.path() / "cache";
            in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
            if (!has_locks) fs::remove_all(root / "locks");
            HeldDestroyer first(root, point);
            in_child([&](Child&) {
                const auto second = Cache::destroy(root);
                Child::must(!second, "destroyed");
                Child::must(second.error().code == Errc::busy, second.error().message());
            });
            CHECK(first.end() == "destroyed");
            CHECK_FALSE(stands(root));
        }
    }
}

TEST_CASE("two destroys that meet at the end of a cache take no new cache in its place") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const auto destroy = [root](Child& self) {
        const auto destroyed = Cache::destroy(root);
        if (!destroyed)
            Child::must(destroyed.error().code == Errc::busy, destroyed.error().message());
        self.say(destroyed ? "destroyed" : "busy");
    };
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "old"); });
    Child first(destroy, {{"destroy.one", "destroy.unmarked"}, {}});
    first.wait_for("destroy.one");
    // Now it has let go of the collector's lock, and deletes `locks`.
    while (count_entries(root) > 3) {
        first.go_on();
        first.wait_for("destroy.one");
    }
    Child second(destroy, {{"destroy.closed"}, {}});
    const std::string said = second.listen();
    CHECK(said == "busy");
    first.go_on();
    first.wait_for("destroy.unmarked");
    const Lease lease = put(value(open_cache(root).bucket("b")), "k", "new");
    if (said != "busy") {
        second.go_on();
        (void)second.listen();
    }
    CHECK(second.join() == 0);
    CHECK(content_of(lease) == "new");
    first.go_on();
    first.wait_for("destroyed");
    CHECK(first.join() == 0);
    CHECK(content_of(lease) == "new");
    CHECK(value(open_cache(root).verify()).sound());
}

TEST_CASE("destroy deletes a cache with more lease tables than it may open files") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    for (int number = 1; number < 200; ++number)
        write_file(root / "participants" / std::to_string(number), "");
    in_child([&](Child&) {
        const rlimit few{64, 64};
        Child::must(::setrlimit(RLIMIT_NOFILE, &few) == 0, "no limit");
        value(Cache::destroy(root));
    });
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy takes a root with nothing but larder's directories, and no root with a file") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache", used = dir.path() / "used";
    in_child([&](Child&) { put(value(open_cache(used).bucket("b")), "k", "text"); });
    for (const std::string left : {"participants", "locks", "retired/links", "staging/0"}) {
        INFO(left);
        fs::create_directories(left == "locks" ? root : root / left);
        if (left == "participants") fs::copy(used / "participants/0", root / "participants/0");
        if (left == "locks") fs::copy(used / "locks", root / "locks");
        require_refused(Cache::open(root, test_options()), "cachetool destroy");
        value(Cache::destroy(root));
        CHECK_FALSE(stands(root));
    }
    for (const std::string file :
         {"participants/0", "participants/list", "locks", "locks/key", "staging/0/mine",
          "staging/mine", "archive/mine", "deleting/x"}) {
        INFO(file);
        fs::create_directories((root / file).parent_path());
        write_file(root / file, "precious");
        const auto destroyed = Cache::destroy(root);
        REQUIRE_FALSE(destroyed);
        CHECK(destroyed.error().code == Errc::refused);
        CHECK(read_file(root / file) == "precious");
        fs::remove_all(root);
    }
}

TEST_CASE("destroy takes no directory for a cache whose archive has names like ids") {
    const std::string id = "01arz3ndektsv4rrffq69g5fav";
    const std::string link = "../../archive/" + id + "/tree";
    struct Case {
        std::string file, text;
    };
    const std::vector<Case> strange = {
        {"archive/" + id, "precious"},
        {"archive/" + id + "/notes", "precious"},
        {"archive/" + id + "/tree", "precious"},
        {"archive/" + id + "/record/notes", "precious"},
        {"buckets/notes", "precious"},
        {"buckets/b/notes", "precious"},
        {"buckets/b/k/notes", link},
        {"retired/links/notes", "precious"},
        {"retired/buckets/x/notes", "precious"},
        {"staging/0/notes", "precious"},
        {"pins/b/notes", "precious"},
        {"deleting/notes", "precious"},
        {"deleting/" + id + "/notes", "precious"},
        {"boots/notes", "precious"},
        {".gitignore", "*.o\n"},
        {"locks", "precious"},
    };
    const auto make_remains = [&](const fs::path& root) {
        fs::create_directories(root / "archive" / id / "tree" / "sub");
        write_file(root / "archive" / id / "tree" / "sub" / "f", "text");
        for (const char* const each : {"buckets/b", "retired/links", "retired/buckets/x"}) {
            fs::create_directories(root / each);
            fs::create_symlink(link, root / each / "k");
        }
        fs::create_directories(root / "deleting" / id / "tree");
        fs::create_directories(root / "pins/b");
        write_file(root / "pins/b/k", "");
        write_file(root / "buckets/b/file", link + "\n");
        write_file(root / ".gitignore", "*\n");
        write_file(root / "CACHEDIR.TAG", std::string(format::cachedir_tag_text.substr(0, 44)));
    };
    for (const Case& each : strange) {
        INFO(each.file);
        const TempDir dir;
        const fs::path root = dir.path() / "stranger";
        make_remains(root);
        fs::remove_all(root / each.file);
        if (!fs::is_directory(fs::symlink_status((root / each.file).parent_path())))
            fs::remove((root / each.file).parent_path());
        fs::create_directories((root / each.file).parent_path());
        write_file(root / each.file, each.text);
        const auto before = exact_snapshot(root);
        const auto destroyed = Cache::destroy(root);
        REQUIRE_FALSE(destroyed);
        CHECK(destroyed.error().code == Errc::refused);
        CHECK(contains(destroyed.error().message(), "no cache"));
        const auto opened = Cache::open(root, test_options());
        REQUIRE_FALSE(opened);
        CHECK_FALSE(contains(opened.error().message(), "destroy"));
        CHECK(exact_snapshot(root) == before);
    }
    const TempDir dir;
    const fs::path root = dir.path() / "remains";
    make_remains(root);
    require_refused(Cache::open(root, test_options()), "cachetool destroy");
    value(Cache::destroy(root));
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy refuses a cache with a tree that a failed publish has kept for its owner") {
    for (const std::string when : {"before", "during"}) {
        INFO(when);
        const TempDir dir;
        const fs::path root = dir.path() / "cache", source = dir.path() / "source";
        fs::create_directory(source);
        fill(source, "precious");
        in_child([&](Child&) { (void)open_cache(root); });
        const auto keep = [&](const Cache& cache) {
            const Bucket bucket = value(cache.bucket("b"));
            auto staging = value(bucket.stage());
            value(staging.move_from(source));
            fs::create_directories(source / "other");
            put(bucket, "other", "x");  // makes the bucket
            fs::create_directory(keys_of(root / "buckets" / "b") / "taken");
            Child::must(!bucket.publish("taken", std::move(staging)), "it was published");
        };
        Child mover([&](Child& child) {
            const Cache cache = open_cache(root);
            if (when == "before") keep(cache);
            child.say("ready");
            child.hear();
            if (when == "during") keep(cache);
        });
        mover.wait_for("ready");
        if (when == "before") mover.kill();
        if (when == "before") {
            in_child([&](Child&) {
                const auto checked = Cache::check_destroy(root);
                Child::must(!checked && contains(checked.error().message(), "move it away"),
                            "the dry run did not see the tree");
            });
        }
        Child destroyer(
            [&](Child&) {
                const auto destroyed = Cache::destroy(root);
                Child::must(!destroyed, "destroyed");
                Child::must(destroyed.error().code == Errc::refused, destroyed.error().message());
                Child::must(contains(destroyed.error().message(), "move it away"),
                            destroyed.error().message());
            },
            {when == "before" ? std::vector<std::string>{}
                              : std::vector<std::string>{"destroy.written"},
             {}});
        if (when == "during") {
            destroyer.wait_for("destroy.written");
            mover.go_on();
            CHECK(mover.join() == 0);
            destroyer.go_on();
            destroyer.wait_for("destroy.written");  // of what gives the cache back
            destroyer.go_on();
        }
        CHECK(destroyer.join() == 0);
        const Cache cache = open_cache(root);
        const auto report = value(cache.verify());
        REQUIRE(count(report, Kind::foreign) == 1);
        const fs::path kept = report.findings.front().path;
        CHECK(read_file(kept / "f0") == "precious");
        fs::rename(kept, dir.path() / "away");
        in_child([&](Child&) { Child::must(Cache::destroy(root)); });
        CHECK_FALSE(stands(root));
    }
}

TEST_CASE("a dry run of a destroy refuses what the destroy refuses, and changes nothing") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache", link = dir.path() / "link";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    const auto before = exact_snapshot(root);
    value(Cache::check_destroy(root));
    CHECK(exact_snapshot(root) == before);
    fs::create_directory_symlink(root, link);
    require_destroy_fails(link, Errc::refused, "symlink");
    if (is_root_user()) {
        in_child([&](Child&) {
            REQUIRE(::chown(root.c_str(), 0, 0) == 0);
            fs::permissions(dir.path(), fs::perms(0755));
            become_nobody();
            const auto checked = Cache::check_destroy(root), destroyed = Cache::destroy(root);
            Child::must(!checked && !destroyed, "not refused");
            for (const Error& error : {checked.error(), destroyed.error()})
                Child::must(contains(error.message(), "it belongs to user"), error.message());
        });
    }
    {
        Child user([&](Child& self) {
            const Lease lease = value(value(open_cache(root).bucket("b")).get("k"));
            self.say("leased");
            self.hear();
        });
        user.wait_for("leased");
        require_destroy_fails(root, Errc::busy, std::to_string(user.pid()));
        user.go_on();
        CHECK(user.join() == 0);
    }
    HeldDestroyer other(root, "destroy.marked");
    require_destroy_fails(root, Errc::busy, "another process");
    CHECK(other.end() == "destroyed");
}

TEST_CASE("a dry run takes back the rights to look, and so does a destroy that is refused") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const mode_t mode : {0000, 0100, 0300, 0400}) {
        for (const bool is_ours : {true, false}) {
            INFO(mode << " " << is_ours);
            const TempDir dir;
            fs::permissions(dir.path(), fs::perms(0777));
            const fs::path root = dir.path() / "cache";
            in_child([&](Child&) {
                become_nobody();
                if (is_ours) {
                    put(value(open_cache(root).bucket("b")), "k", "text");
                } else {
                    fs::create_directory(root);
                    write_file(root / "format", "mine");
                }
                for (const auto& each : fs::recursive_directory_iterator(root)) {
                    if (is_ours && each.is_regular_file()) fs::permissions(each, fs::perms(0));
                    if (!is_ours) fs::permissions(each, fs::perms(0));
                }
                for (const char* const part : {"participants", "staging", "archive", "locks"})
                    if (is_ours) fs::permissions(root / part, fs::perms(0));
                fs::permissions(root, fs::perms(mode));
            });
            const auto modes = [&] {
                std::map<std::string, fs::perms> found;
                found["."] = fs::status(root).permissions();
                for (const auto& each : fs::recursive_directory_iterator(root))
                    found[each.path()] = each.symlink_status().permissions();
                return found;
            };
            const auto before = modes();
            in_child([&](Child&) {
                become_nobody();
                const auto checked = Cache::check_destroy(root);
                if (is_ours) Child::must(checked);
                if (!is_ours)
                    Child::must(!checked && contains(checked.error().message(), "no cache"),
                                "not refused");
            });
            CHECK(modes() == before);
            in_child([&](Child&) {
                become_nobody();
                const auto destroyed = Cache::destroy(root);
                if (is_ours) Child::must(destroyed);
                if (!is_ours)
                    Child::must(!destroyed && contains(destroyed.error().message(), "no cache"),
                                "not refused");
            });
            if (is_ours) CHECK_FALSE(stands(root));
            if (!is_ours) CHECK(modes() == before);
        }
    }
}

TEST_CASE("a destroy that may delete no lease table leaves a cache that opens, and says why") {
    const TempDir dir;
    const LoopDisk disk = LoopDisk::ext4(dir.path(), "");
    SKIP_UNLESS(disk, "a loop device");
    const fs::path root = disk.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    fs::create_directory(root / "staging" / "1");
    REQUIRE(run("chattr +i " + (root / "participants").string()));
    in_child([&](Child&) {
        const auto destroyed = Cache::destroy(root);
        Child::must(!destroyed, "destroyed");
        const std::string said = destroyed.error().message();
        Child::must(contains(said, "participants") && !contains(said, "no process can open"), said);
        Child::must(content_of(value(open_cache(root).bucket("b")), "k") == "text", "no entry");
    });
    REQUIRE(run("chattr -i " + (root / "participants").string()));
    in_child([&](Child&) { Child::must(Cache::destroy(root)); });
    CHECK_FALSE(stands(root));
}

TEST_CASE("a destroy that can't open the locks is an error, and deletes nothing") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        put(value(open_cache(root).bucket("b")), "k", "text");
    });
    // The file belongs to root, so the user can't get the right to open it.
    REQUIRE(::chown((root / "locks").c_str(), 0, 0) == 0);
    fs::permissions(root / "locks", fs::perms(0));
    in_child([&](Child&) {
        become_nobody();
        const auto destroyed = Cache::destroy(root);
        Child::must(!destroyed, "destroyed without the collector's lock");
        Child::must(contains(destroyed.error().message(), "locks"), destroyed.error().message());
    });
    REQUIRE(::chown((root / "locks").c_str(), another_user, another_user) == 0);
    fs::permissions(root / "locks", fs::perms(0600));
    in_child([&](Child&) {
        become_nobody();
        Child::must(content_of(value(open_cache(root).bucket("b")), "k") == "text", "no entry");
    });
}

TEST_CASE("destroy deletes a cache of which its owner has taken the rights from himself") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const std::string part :
         {"all", "root 0500", "root 0400", "root 0300", "root 0000", "each", "locks", "format",
          "CACHEDIR.TAG", "participants", "participants/0", "staging", "archive", "deleting"}) {
        INFO(part);
        const TempDir dir;
        fs::permissions(dir.path(), fs::perms(0777));
        const fs::path root = dir.path() / "cache";
        in_child([&](Child&) {
            become_nobody();
            put(value(open_cache(root).bucket("b")), "k", "text");
        });
        if (part == "all") {
            REQUIRE(run("chmod -R a-w " + root.string()));
        } else if (part == "each") {
            REQUIRE(run("chmod -R 000 " + root.string() + "/*"));
        } else if (part.starts_with("root ")) {
            REQUIRE(run("chmod " + part.substr(5) + " " + root.string()));
        } else {
            fs::permissions(root / part, fs::perms(0));
        }
        in_child([&](Child&) {
            become_nobody();
            Child::must(Cache::destroy(root));
        });
        CHECK_FALSE(stands(root));
    }
}

TEST_CASE("destroy refuses what stands in the place of a part of a cache, and says what to do") {
    for (const std::string part : {"format", "locks", "CACHEDIR.TAG", ".gitignore", "participants",
                                   "staging", "archive", "deleting", "pins"}) {
        for (const std::string kind : {"other", "link"}) {
            INFO(part << " " << kind);
            const TempDir dir;
            const fs::path root = dir.path() / "cache";
            in_child([&](Child&) {
                const Bucket bucket = value(open_cache(root).bucket("b"));
                put(bucket, "k", "text");
                value(bucket.pin("k"));
            });
            const bool was_directory = fs::is_directory(root / part);
            fs::rename(root / part, dir.path() / "part");
            if (kind == "link") {
                fs::create_symlink(dir.path() / "part", root / part);
            } else if (was_directory) {
                write_file(root / part, "precious");
            } else {
                fs::create_directories(root / part / "precious");
            }
            require_destroy_fails(root, Errc::refused, '"' + part + '"');
            require_destroy_fails(root, Errc::refused, "move that away");
            fs::remove_all(root / part);
            value(Cache::destroy(root));
            CHECK_FALSE(stands(root));
            CHECK(stands(dir.path() / "part"));
        }
    }
}

TEST_CASE("destroy says what to do about a process that joins, or that can't be told") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    const auto refusal = [&] {
        const auto destroyed = Cache::destroy(root);
        REQUIRE_FALSE(destroyed);
        CHECK(destroyed.error().code == Errc::busy);
        return destroyed.error().message();
    };
    {
        Child joiner([&](Child&) { (void)value(open_cache(root).bucket("b")).get("k"); },
                     {{"adopt.locked"}, {}});
        joiner.wait_for("adopt.locked");
        CHECK(contains(refusal(), "a process that just begins to use the cache"));
    }
    Child user([&](Child& self) {
        const AtPoints unknown(
            [](const std::string& point) { return point == "os.pid-namespace"; });
        Lease lease = value(value(open_cache(root).bucket("b")).get("k"));
        Child::must(lease.keep_across_exec());
        self.say("leased");
        self.hear();
    });
    user.wait_for("leased");
    const std::string who = "pid " + std::to_string(user.pid());
    user.kill();
    {
        const AtPoints unseen([](const std::string& point) { return point == "os.all-processes"; });
        const std::string said = refusal();
        INFO(said);
        CHECK(contains(said, "it can't be told whether " + who));
        CHECK(contains(said, "gc --presume-dead"));
        CollectOptions presume;
        presume.presume_dead = true;
        in_child([&](Child&) { (void)value(open_cache(root).collect({}, presume)); });
        value(Cache::destroy(root));
    }
    CHECK_FALSE(stands(root));
}

TEST_CASE("destroy through a symlink is refused, so that no path is closed") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache", link = dir.path() / "link";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
    fs::create_directory_symlink(root, link);
    for (const fs::path& path : {link, link / ""}) {
        const auto destroyed = Cache::destroy(path);
        REQUIRE_FALSE(destroyed);
        CHECK(destroyed.error().code == Errc::refused);
        CHECK(contains(destroyed.error().message(), root.string()));
    }
    CHECK(content_of(value(open_cache(link).bucket("b")), "k") == "text");
}

TEST_CASE("destroy deletes a cache on a disk that has no space, or can make no file") {
    for (const std::string options : {"size=1m", "nr_inodes=60"}) {
        for (const bool has_garbage : {true, false}) {
            INFO(options << " " << has_garbage);
            const TempDir dir;
            const Mount disk("none", dir.path(), "tmpfs", 0, options);
            SKIP_UNLESS(disk, "root, to mount a tmpfs");
            const fs::path root = dir.path() / "cache";
            in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
            if (has_garbage) write_file(root / "deleting" / "x", std::string(8192, 'x'));
            const auto fill_disk = [&] {
                for (int number = 0;; ++number) {
                    std::ofstream file(dir.path() / ("file" + std::to_string(number)));
                    file << std::string(options == "size=1m" ? 4096 : 0, 'x') << std::flush;
                    if (!file) return;
                }
            };
            fill_disk();
            in_child([&](Child&) { Child::must(Cache::destroy(root)); });
            CHECK_FALSE(stands(root));
        }
    }
}
