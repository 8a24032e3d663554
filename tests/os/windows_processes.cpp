// SPDX-License-Identifier: MIT
// What src/os/windows promises between two processes of Windows. The test starts itself as the
// other process.

#include <atomic>
#include <filesystem>
#include <iostream>
#include <string>
#include <windows.h>

#include "catch.hpp"
#include "os/file_lock.hpp"
#include "os/mapping.hpp"
#include "os/process.hpp"

using namespace larder;
using os::OpenMode;

namespace fs = std::filesystem;

namespace {

template <class T>
T must(Result<T> result) {
    if (!result) FAIL(result.error().message());
    return std::move(*result);
}

/// A child, which runs one of the cases below, and two pipes to it.
class Other {
public:
    explicit Other(const std::wstring& arguments) {
        wchar_t program[32768];
        REQUIRE(::GetModuleFileNameW(nullptr, program, 32768) > 0);
        std::wstring line = L"\"" + std::wstring(program) + L"\" " + arguments;
        SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
        HANDLE child_in = nullptr, child_out = nullptr;
        REQUIRE(::CreatePipe(&child_in, &to_, &inherited, 0));
        REQUIRE(::CreatePipe(&from_, &child_out, &inherited, 0));
        REQUIRE(::SetHandleInformation(to_, HANDLE_FLAG_INHERIT, 0));
        REQUIRE(::SetHandleInformation(from_, HANDLE_FLAG_INHERIT, 0));
        STARTUPINFOW start{};
        start.cb = sizeof start;
        start.dwFlags = STARTF_USESTDHANDLES;
        start.hStdInput = child_in;
        start.hStdOutput = child_out;
        start.hStdError = ::GetStdHandle(STD_ERROR_HANDLE);
        PROCESS_INFORMATION made{};
        REQUIRE(::CreateProcessW(program, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr,
                                 &start, &made));
        ::CloseHandle(made.hThread);
        ::CloseHandle(child_in);
        ::CloseHandle(child_out);
        process_ = made.hProcess;
        pid_ = made.dwProcessId;
    }
    ~Other() {
        ::TerminateProcess(process_, 1);
        ::WaitForSingleObject(process_, INFINITE);
        for (const HANDLE handle : {to_, from_, process_}) ::CloseHandle(handle);
    }
    Other(const Other&) = delete;
    Other& operator=(const Other&) = delete;

    /// Waits for a line that the child prints. Catch2 prints one first, with the child's arguments.
    std::string line() {
        std::string text = next_line();
        if (text.starts_with("Filters: ")) text = next_line();
        return text;
    }
    void end() {
        REQUIRE(::TerminateProcess(process_, 7));
        REQUIRE(::WaitForSingleObject(process_, 30'000) == WAIT_OBJECT_0);
    }
    [[nodiscard]] DWORD pid() const { return pid_; }

private:
    std::string next_line() {
        std::string text;
        for (char c = 0;;) {
            DWORD got = 0;
            if (!::ReadFile(from_, &c, 1, &got, nullptr) || got == 0 || c == '\n') return text;
            if (c != '\r') text += c;
        }
    }

    HANDLE to_ = nullptr, from_ = nullptr, process_ = nullptr;
    DWORD pid_ = 0;
};

/// The directory that both processes work in.
fs::path shared_path() { return fs::temp_directory_path() / "larder-windows-processes"; }

os::Dir shared_dir() {
    fs::create_directories(shared_path());
    return must(os::open_dir(shared_path()));
}

/// Prints a line, and waits until the test ends this process.
[[noreturn]] void say_and_stay(const std::string& line) {
    std::cout << line << std::endl;
    ::Sleep(INFINITE);
    std::abort();
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
    Other other(L"\"other: hold a lock\"");
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
        Other other(L"\"other: hold a lock\"");
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
    Other other(L"\"other: add\"");
    for (int i = 0; i < 100'000; ++i) counter.fetch_add(1);
    REQUIRE(other.line() == "added");
    CHECK(counter == 200'000);
}
