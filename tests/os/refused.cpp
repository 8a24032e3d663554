// SPDX-License-Identifier: MIT
// A refusal is not an answer: what the system does not tell counts as not known. The linker puts
// the calls below in place of the system's (see CMakeLists.txt).

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "os/copy.hpp"
#include "os/process.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"
#include "tree/remove.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// The call that fails, and its error number; none if that is 0.
std::string_view refused_call;
int refused_with = 0;

/// Refuses each call of this name with the error number until its destructor.
class Refusing {
public:
    Refusing(std::string_view call, int error) {
        refused_call = call;
        refused_with = error;
    }
    Refusing(const Refusing&) = delete;
    Refusing& operator=(const Refusing&) = delete;
    ~Refusing() { refused_with = 0; }
};

/// Returns whether the call of this name is to fail, and sets its errno.
bool is_refused(std::string_view call) {
    if (refused_with == 0 || call != refused_call) return false;
    errno = refused_with;
    return true;
}

/// The attribute that every file has, and those that were set.
constexpr std::string_view the_attribute{"user.larder", sizeof "user.larder"};
constexpr std::string_view the_value = "value";
std::vector<std::string> values_set;

/// Returns the error number of a call; 0 if there was none.
int error_of(const os::CallResult<bool>& result) { return result ? 0 : result.error().value(); }

/// Writes the bytes as a call for attributes does.
ssize_t answer(std::string_view bytes, void* to, std::size_t size) {
    if (size != 0) std::memcpy(to, bytes.data(), std::min(size, bytes.size()));
    return static_cast<ssize_t>(bytes.size());
}

}  // namespace

extern "C" {
int __real_stat(const char* path, struct stat* to);
int __wrap_stat(const char* path, struct stat* to);
int __wrap_stat(const char* path, struct stat* to) {
    const bool is_of_threads = std::string_view(path).ends_with("/task");
    return is_of_threads && is_refused("stat of threads") ? -1 : __real_stat(path, to);
}

int __real_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags) {
    return is_refused("fstatat") ? -1 : __real_fstatat(dir, name, to, flags);
}

ssize_t __wrap_flistxattr(int fd, char* names, std::size_t size);
ssize_t __wrap_flistxattr(int, char* names, std::size_t size) {
    return is_refused("flistxattr") ? -1 : answer(the_attribute, names, size);
}

ssize_t __wrap_fgetxattr(int fd, const char* name, void* value, std::size_t size);
ssize_t __wrap_fgetxattr(int, const char*, void* value, std::size_t size) {
    return is_refused("fgetxattr") ? -1 : answer(the_value, value, size);
}

int __wrap_fsetxattr(int fd, const char* name, const void* value, std::size_t size, int flags);
int __wrap_fsetxattr(int, const char*, const void* value, std::size_t size, int) {
    if (is_refused("fsetxattr")) return -1;
    values_set.emplace_back(static_cast<const char*>(value), size);
    return 0;
}
}

TEST_CASE("an attribute that cannot be read is not copied as an empty one") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    const auto copy = [&] {
        values_set.clear();
        return os::copy_attributes(dir.handle, dir.handle);
    };
    CHECK(copy() == true);
    CHECK(values_set == std::vector<std::string>{"value"});
    // The file system has no attributes, or another process has just removed this one.
    for (const auto& [call, refusal] :
         {std::pair{"flistxattr", EOPNOTSUPP}, {"fgetxattr", ENODATA}}) {
        {
            const Refusing refusing(call, refusal);
            CHECK(copy() == true);  // nothing is left out
            CHECK(values_set.empty());
        }
        {
            const Refusing refusing(call, EACCES);
            CHECK(copy() == false);
            CHECK(values_set.empty());
        }
        const Refusing refusing(call, EIO);
        CHECK(error_of(copy()) == EIO);
        CHECK(values_set.empty());
    }
    {
        const Refusing refusing("fsetxattr", EOPNOTSUPP);
        CHECK(copy() == false);
    }
    const Refusing refusing("fsetxattr", ENOSPC);
    CHECK(error_of(copy()) == ENOSPC);
}

TEST_CASE("a process is not taken for dead if the system does not tell its threads") {
    Child child(run_without_first_thread);
    const os::ProcessIdentity identity = without_first_thread(child);
    for (const int error : {0, ENOMEM, EACCES}) {
        const Refusing refusing("stat of threads", error);
        CHECK(os::is_running(identity) == os::Running::yes);
    }
    child.go_on();
    CHECK(child.join() == 0);
    CHECK(os::is_running(identity) == os::Running::no);
}

TEST_CASE("if a file cannot be looked at, what it frees is not known") {
    const TempDir temp;
    fs::create_directory(temp.path() / "cleared");
    write_file(temp.path() / "cleared" / "file", "12345");
    const os::Dir dir = value(os::open_dir(temp.path() / "cleared"));
    const Refusing refusing("fstatat", EACCES);
    const auto removed = value(tree::empty_dir(dir, {.threads = 1, .count_freed = true}));
    CHECK(removed.files == 1);
    CHECK(removed.freed == 0);
    CHECK(removed.freed_at_least);
}
