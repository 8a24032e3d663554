// SPDX-License-Identifier: MIT
// What src/os/windows promises between two processes of Windows. The test starts itself as the
// other process.

#include <atomic>
#include <filesystem>
#include <string>
#include <windows.h>

#include "catch.hpp"
#include "os/file_lock.hpp"
#include "os/mapping.hpp"
#include "os/process.hpp"
#include "support/windows_process.hpp"

using namespace larder;
using larder::testing::OtherProcess;
using larder::testing::say_and_stay;
using os::OpenMode;

namespace fs = std::filesystem;

namespace {

template <class T>
T must(Result<T> result) {
    if (!result) FAIL(result.error().message());
    return std::move(*result);
}

/// The directory that both processes work in.
fs::path shared_path() { return fs::temp_directory_path() / "larder-windows-processes"; }

os::Dir shared_dir() {
    fs::create_directories(shared_path());
    return must(os::open_dir(shared_path()));
}

/// Waits until a lock is free, as a caller does: the system frees the locks of a process that was
/// ended a moment later.
bool becomes_free(const os::Dir& dir, const char* name) {
    for (int tries = 0; tries < 1000; ++tries) {
        if (must(os::FileLock::try_lock(dir, name, os::Mode::exclusive))) return true;
        ::Sleep(10);
    }
    return false;
}

}  // namespace

TEST_CASE("other: hold a lock", "[.]") {
    const auto lock = must(os::FileLock::try_lock(shared_dir(), "lock", os::Mode::exclusive));
    say_and_stay(lock ? "held" : "refused");
}

TEST_CASE("other: add", "[.]") {
    const auto file = must(os::open_at(shared_dir(), "counter", OpenMode::read_write));
    const auto map = must(os::Mapping::map(file, 4096, "counter"));
    auto& counter = *static_cast<std::atomic<std::uint32_t>*>(map.data());
    for (int i = 0; i < 100'000; ++i) counter.fetch_add(1);
    say_and_stay("added");
}

TEST_CASE("a lock keeps another process out until it is killed") {
    const os::Dir dir = shared_dir();
    (void)os::remove_file_at(dir, "lock");
    OtherProcess other(L"\"other: hold a lock\"");
    REQUIRE(other.line() == "held");
    CHECK_FALSE(must(os::FileLock::try_lock(dir, "lock", os::Mode::exclusive)));
    CHECK_FALSE(must(os::FileLock::try_lock(dir, "lock", os::Mode::shared)));
    CHECK(must(os::look_at(dir, "lock")) == os::State::taken);
    other.end();
    CHECK(becomes_free(dir, "lock"));
}

TEST_CASE("another process is told to run until it has ended") {
    os::ProcessIdentity identity = os::this_process();
    {
        OtherProcess other(L"\"other: hold a lock\"");
        (void)other.line();
        identity.pid = other.pid();
        identity.start = 0;  // unknown
        CHECK(os::is_running(identity) == os::Running::yes);
        auto later = identity;
        later.start = os::this_process().start - 1;
        CHECK(os::is_running(later) == os::Running::no);
        other.end();
        // The test has a handle of the process, so its pid is in use still.
        CHECK(os::is_running(identity) == os::Running::no);
    }
    CHECK(os::is_running(identity) == os::Running::no);
}

TEST_CASE("a variable of the environment is told in UTF-8, however long it is") {
    REQUIRE(::SetEnvironmentVariableW(L"LARDER_TEST_TEXT", L"\x00e4"));
    CHECK(os::environment_variable("LARDER_TEST_TEXT") == "\xc3\xa4");
    REQUIRE(::SetEnvironmentVariableW(L"LARDER_TEST_TEXT", std::wstring(10'000, L'x').c_str()));
    CHECK(os::environment_variable("LARDER_TEST_TEXT") == std::string(10'000, 'x'));
    REQUIRE(::SetEnvironmentVariableW(L"LARDER_TEST_TEXT", L""));
    CHECK(os::environment_variable("LARDER_TEST_TEXT") == "");
    REQUIRE(::SetEnvironmentVariableW(L"LARDER_TEST_TEXT", nullptr));
    CHECK_FALSE(os::environment_variable("LARDER_TEST_TEXT"));
}

TEST_CASE("two processes count in one mapped file") {
    const os::Dir dir = shared_dir();
    (void)os::remove_file_at(dir, "counter");
    const auto file = must(os::open_at(dir, "counter", OpenMode::open_or_create));
    REQUIRE_FALSE(os::set_size(file, 4096));
    const auto map = must(os::Mapping::map(file, 4096, "counter"));
    auto& counter = *static_cast<std::atomic<std::uint32_t>*>(map.data());
    OtherProcess other(L"\"other: add\"");
    for (int i = 0; i < 100'000; ++i) counter.fetch_add(1);
    REQUIRE(other.line() == "added");
    CHECK(counter == 200'000);
}
