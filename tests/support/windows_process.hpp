// SPDX-License-Identifier: MIT
// Real processes for tests on Windows, which has no fork: a test starts its own program once more.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <windows.h>

#include "catch.hpp"

namespace larder::testing {

/// Another process, which runs one test case of this program, and two pipes to it. The destructor
/// ends it.
class OtherProcess {
public:
    /// `arguments` names the test case.
    explicit OtherProcess(const std::wstring& arguments) {
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
    ~OtherProcess() {
        ::TerminateProcess(process_, 1);
        ::WaitForSingleObject(process_, INFINITE);
        for (const HANDLE handle : {to_, from_, process_}) ::CloseHandle(handle);
    }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;

    /// Waits for a line that the child prints. Catch2 prints one first, with the child's arguments.
    std::string line() {
        std::string text = next_line();
        if (text.starts_with("Filters: ")) text = next_line();
        return text;
    }
    /// Ends it at once, as an accident would, and waits for its end.
    void end() {
        REQUIRE(::TerminateProcess(process_, 7));
        REQUIRE(::WaitForSingleObject(process_, 30'000) == WAIT_OBJECT_0);
    }
    /// Lets it go on from where it waits.
    void go_on() {
        DWORD put = 0;
        REQUIRE(::WriteFile(to_, "g", 1, &put, nullptr));
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

/// Prints a line, and waits until the test ends this process.
[[noreturn]] inline void say_and_stay(const std::string& line) {
    std::cout << line << std::endl;
    ::Sleep(INFINITE);
    std::abort();
}

/// Prints a line, and waits until the test lets this process go on.
inline void say_and_wait(const std::string& line) {
    std::cout << line << std::endl;
    if (std::cin.get() != 'g') std::abort();
}

}  // namespace larder::testing
