// SPDX-License-Identifier: MIT
// Calls that a signal interrupts, before or after they have happened, as FUSE and CIFS may. The
// linker puts the calls below in place of the system's (see CMakeLists.txt).

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <string_view>

#include "catch.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/link.hpp"
#include "os/rename.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

enum class Interruption { none, before, after, always };

/// What happens to the next call of this name, once.
std::string_view interrupted_call;
Interruption interruption = Interruption::none;
int interruptions = 0;

/// Makes the call, unless it is the one that is to be interrupted.
template <class Call>
auto perhaps_interrupted(std::string_view name, Call call) -> decltype(call()) {
    if (name != interrupted_call || interruption == Interruption::none) return call();
    const Interruption how = interruption == Interruption::always
                                 ? interruption
                                 : std::exchange(interruption, Interruption::none);
    if (how == Interruption::after && call() == -1) return -1;
    ++interruptions;
    errno = EINTR;
    return -1;
}

/// Interrupts one call of this name within `body`.
template <class Body>
auto interrupting(std::string_view call, Interruption how, Body body) {
    interrupted_call = call;
    interruption = how;
    interruptions = 0;
    const auto end = [] { interruption = Interruption::none; };
    struct AtEnd {
        decltype(end) run;
        ~AtEnd() { run(); }
    } at_end{end};
    auto result = body();
    CHECK(interruptions == 1);
    return result;
}

constexpr Interruption both[] = {Interruption::before, Interruption::after};

}  // namespace

extern "C" {
int __real_openat(int dir, const char* name, int flags, ...);
int __wrap_openat(int dir, const char* name, int flags, ...);
int __wrap_openat(int dir, const char* name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, unsigned);
    va_end(rest);
    return perhaps_interrupted("openat", [&] { return __real_openat(dir, name, flags, mode); });
}

int __real_mkdirat(int dir, const char* name, mode_t mode);
int __wrap_mkdirat(int dir, const char* name, mode_t mode);
int __wrap_mkdirat(int dir, const char* name, mode_t mode) {
    return perhaps_interrupted("mkdirat", [&] { return __real_mkdirat(dir, name, mode); });
}

int __real_unlinkat(int dir, const char* name, int flags);
int __wrap_unlinkat(int dir, const char* name, int flags);
int __wrap_unlinkat(int dir, const char* name, int flags) {
    return perhaps_interrupted("unlinkat", [&] { return __real_unlinkat(dir, name, flags); });
}

int __real_symlinkat(const char* text, int dir, const char* name);
int __wrap_symlinkat(const char* text, int dir, const char* name);
int __wrap_symlinkat(const char* text, int dir, const char* name) {
    return perhaps_interrupted("symlinkat", [&] { return __real_symlinkat(text, dir, name); });
}

ssize_t __real_readlinkat(int dir, const char* name, char* text, std::size_t size);
ssize_t __wrap_readlinkat(int dir, const char* name, char* text, std::size_t size);
ssize_t __wrap_readlinkat(int dir, const char* name, char* text, std::size_t size) {
    return perhaps_interrupted("readlinkat",
                               [&] { return __real_readlinkat(dir, name, text, size); });
}

int __real_linkat(int dir, const char* name, int to, const char* as, int flags);
int __wrap_linkat(int dir, const char* name, int to, const char* as, int flags);
int __wrap_linkat(int dir, const char* name, int to, const char* as, int flags) {
    return perhaps_interrupted("linkat", [&] { return __real_linkat(dir, name, to, as, flags); });
}

int __real_renameat(int dir, const char* name, int to, const char* as);
int __wrap_renameat(int dir, const char* name, int to, const char* as);
int __wrap_renameat(int dir, const char* name, int to, const char* as) {
    return perhaps_interrupted("renameat", [&] { return __real_renameat(dir, name, to, as); });
}

int __real_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags) {
    return perhaps_interrupted("fstatat", [&] { return __real_fstatat(dir, name, to, flags); });
}

int __real_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to) {
    return perhaps_interrupted("fstat", [&] { return __real_fstat(fd, to); });
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
// It reads six arguments, as the system's own function does, even if its caller passed fewer.
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(rest, long);
    va_end(rest);
    const auto& a = arguments;
    constexpr long exchange = 2;
    const bool is_rename = number == SYS_renameat2;
    const std::string_view name = is_rename && a[4] == exchange ? "exchange"
                                  : is_rename                   ? "renameat2"
                                  : number == SYS_getdents64    ? "getdents64"
                                                                : "syscall";
    return perhaps_interrupted(
        name, [&] { return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]); });
}
}

TEST_CASE("looking, opening and listing are made again") {
    const TempDir temp;
    write_file(temp.path() / "file", "12345");
    fs::create_symlink("text", temp.path() / "link");
    const os::Dir dir = value(os::open_dir(temp.path()));
    for (const Interruption how : both) {
        CHECK(value(interrupting("fstatat", how, [&] { return os::stat_at(dir, "file"); })).size ==
              5);
        CHECK(value(interrupting("fstat", how, [&] { return os::stat_of(dir); })).is_directory());
        CHECK(interrupting("openat", how,
                           [&] { return os::open_at(dir, "file", os::OpenMode::read); }));
        CHECK(interrupting("readlinkat", how, [&] {
                  char text[8];
                  return os::read_symlink_at(dir, "link", text, sizeof text);
              }) == 4U);
    }
    std::size_t names = 0;
    value(interrupting("getdents64", Interruption::before, [&] {
        return os::for_each_name(dir, [&](const std::string&, os::FileKind) -> Result<> {
            ++names;
            return {};
        });
    }));
    CHECK(names == 2);
}

TEST_CASE("a removal that was interrupted has happened once") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    for (const Interruption how : both) {
        write_file(temp.path() / "file", "");
        CHECK(interrupting("unlinkat", how, [&] { return os::remove_file_at(dir, "file"); }));
        CHECK_FALSE(os::exists_at(dir, "file").value());
        fs::create_directory(temp.path() / "directory");
        CHECK(interrupting("unlinkat", how, [&] { return os::remove_dir_at(dir, "directory"); }));
        CHECK_FALSE(os::exists_at(dir, "directory").value());
    }
    // What was never there is absent, however often it is looked for.
    CHECK(is_absent(os::remove_file_at(dir, "file")));
}

TEST_CASE("a rename that was interrupted has happened once") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    for (const Interruption how : both) {
        for (const auto rename : {os::rename_new, os::rename_new_atomic}) {
            write_file(temp.path() / "from", "x");
            CHECK(interrupting("renameat2", how, [&] { return rename(dir, "from", dir, "to"); }));
            CHECK_FALSE(os::exists_at(dir, "from").value());
            CHECK(read_file(temp.path() / "to") == "x");
            value(os::remove_file_at(dir, "to"));
        }
        write_file(temp.path() / "from", "new");
        write_file(temp.path() / "to", "old");
        CHECK(interrupting("renameat", how,
                           [&] { return os::rename_replacing(dir, "from", dir, "to"); }));
        CHECK(read_file(temp.path() / "to") == "new");
        value(os::remove_file_at(dir, "to"));
        fs::create_directory(temp.path() / "tree");
        CHECK(interrupting("renameat", how,
                           [&] { return os::rename_dir(temp.path() / "tree", dir, "moved"); }));
        value(os::remove_dir_at(dir, "moved"));
    }
    // Neither what is absent nor what is taken is mistaken for a success.
    write_file(temp.path() / "to", "taken");
    CHECK(why_of(interrupting("renameat2", Interruption::before, [&] {
              return os::rename_new(dir, "from", dir, "free");
          })) == Why::absent);
    write_file(temp.path() / "from", "x");
    CHECK(why_of(interrupting("renameat2", Interruption::before, [&] {
              return os::rename_new(dir, "from", dir, "to");
          })) == Why::exists);
}

TEST_CASE("a link that was interrupted is made once, and another one is not taken for it") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    write_file(temp.path() / "file", "x");
    for (const Interruption how : both) {
        CHECK(
            interrupting("symlinkat", how, [&] { return os::make_symlink_at(dir, "s", "text"); }));
        CHECK(fs::read_symlink(temp.path() / "s") == "text");
        CHECK(
            interrupting("linkat", how, [&] { return os::make_hard_link(dir, "file", dir, "h"); }));
        CHECK(value(os::stat_at(dir, "file")).links == 2);
        value(os::remove_file_at(dir, "s"));
        value(os::remove_file_at(dir, "h"));
    }
    fs::create_symlink("other", temp.path() / "s");
    write_file(temp.path() / "h", "other");
    CHECK(why_of(interrupting("symlinkat", Interruption::before, [&] {
              return os::make_symlink_at(dir, "s", "text");
          })) == Why::exists);
    CHECK(why_of(interrupting("linkat", Interruption::before, [&] {
              return os::make_hard_link(dir, "file", dir, "h");
          })) == Why::exists);
}

TEST_CASE("a directory or file whose making was interrupted is made once") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    const auto make_file = [&](const char* name) {
        return os::open_at(dir, name, os::OpenMode::create_new);
    };
    for (const Interruption how : both) {
        CHECK(interrupting("mkdirat", how, [&] { return os::make_dir_at(dir, "directory"); }));
        value(os::remove_dir_at(dir, "directory"));
        const auto made = value(interrupting("openat", how, [&] { return make_file("file"); }));
        CHECK(os::write_all(made, "text", temp.path()));
        CHECK(read_file(temp.path() / "file") == "text");
        value(os::remove_file_at(dir, "file"));
        CHECK(interrupting("mkdirat", how, [&] { return os::make_and_open_dir_at(dir, "d"); }));
        value(os::remove_dir_at(dir, "d"));
    }
    // What can't be ours is not taken for it.
    fs::create_directories(temp.path() / "full/inner");
    write_file(temp.path() / "written", "text");
    write_file(temp.path() / "empty", "");
    fs::create_hard_link(temp.path() / "empty", temp.path() / "linked");
    CHECK(why_of(interrupting("mkdirat", Interruption::before,
                              [&] { return os::make_dir_at(dir, "full"); })) == Why::exists);
    for (const char* name : {"written", "linked", "full"}) {
        CHECK(why_of(interrupting("openat", Interruption::before,
                                  [&] { return make_file(name); })) == Why::exists);
    }
    // Without a signal, nothing that stands there is taken for ours.
    fs::remove(temp.path() / "linked");
    CHECK(why_of(make_file("empty")) == Why::exists);
    CHECK(why_of(os::make_dir_at(dir, "full/inner")) == Why::exists);
}

TEST_CASE("a call that is always interrupted is an error") {
    const TempDir temp;
    write_file(temp.path() / "file", "");
    fs::create_directory(temp.path() / "directory");
    fs::create_symlink("text", temp.path() / "link");
    const os::Dir dir = value(os::open_dir(temp.path()));
    interrupted_call = "unlinkat";
    interruption = Interruption::always;
    CHECK(why_of(os::remove_file_at(dir, "file")) == Why::interrupted);
    CHECK(why_of(os::remove_dir_at(dir, "directory")) == Why::interrupted);
    interrupted_call = "linkat";
    CHECK(why_of(os::make_hard_link(dir, "file", dir, "h")) == Why::interrupted);
    interrupted_call = "mkdirat";
    CHECK(why_of(os::make_dir_at(dir, "d")) == Why::interrupted);
    interrupted_call = "fstatat";
    CHECK(why_of(os::stat_at(dir, "file")) == Why::interrupted);
    interruption = Interruption::none;
}

TEST_CASE("an exchange that was interrupted is left to its caller") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    write_file(temp.path() / "a", "1");
    write_file(temp.path() / "b", "2");
    if (!os::exchange(dir, "a", dir, "b")) return;  // this file system can't
    CHECK(why_of(interrupting("exchange", Interruption::after, [&] {
              return os::exchange(dir, "a", dir, "b");
          })) == Why::interrupted);
    CHECK(read_file(temp.path() / "a") == "1");
}

TEST_CASE("a publish whose exchange is always interrupted retires first, and then renames") {
    const TempDir temp;
    const Cache cache = open_cache(temp.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "first");
    interrupted_call = "exchange";
    interruption = Interruption::always;
    put(bucket, "k", "second");
    interruption = Interruption::none;
    CHECK(content_of(bucket, "k") == "second");
    CHECK(value(cache.collect()).entries == 1);
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE("a publish whose exchange was interrupted has happened once") {
    const TempDir temp;
    const Cache cache = open_cache(temp.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "first");
    put(bucket, "k", "second");  // finds out whether there is an exchange
    bool exchanges = false;
    for (const Interruption how : both) {
        interrupted_call = "exchange";
        interruption = how;
        const std::string content = how == Interruption::before ? "third" : "fourth";
        put(bucket, "k", content);
        exchanges = std::exchange(interruption, Interruption::none) == Interruption::none;
        CHECK(content_of(bucket, "k") == content);
    }
    if (!exchanges) return;
    const auto report = value(cache.collect());
    CHECK(report.entries == 3);
    CHECK(value(cache.verify()).findings.empty());
    CHECK(content_of(bucket, "k") == "fourth");
}

TEST_CASE("a publish whose exchange with a malformed link was interrupted has happened once") {
    for (const Interruption how : both) {
        const TempDir temp;
        const Cache cache = open_cache(temp.path() / "cache");
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path link = keys_of(cache.root() / "buckets" / "b") / "k";
        put(bucket, "k", "first");
        fs::remove(link);
        if (cache.link_kind() == LinkKind::symlink) {
            fs::create_symlink("no link of an entry", link);
        } else {
            write_file(link, "no link of an entry\n");
        }
        interrupted_call = "exchange";
        interruption = how;
        const Lease lease = put(bucket, "k", "second");
        interruption = Interruption::none;
        CHECK(content_of(bucket, "k") == "second");
        CHECK(value(cache.verify({.repair = true})).sound());
        CHECK(content_of(bucket, "k") == "second");
    }
}
