// SPDX-License-Identifier: MIT
// A program of Windows for test_windows.py. Its C library divides the command line, so what it says
// shows what any program would get.
//
//   windows_program say WORD...          prints each word on a line, in UTF-8
//   windows_program variable NAME        prints a variable of the environment
//   windows_program exit CODE            ends with the code
//   windows_program fill NAME            makes a file in the current directory, and says "filled"
//   windows_program stay                 says "ready", and ends when stdin is closed
//   windows_program leave WAITED MADE    starts `late` in the background, and ends
//   windows_program late WAITED MADE     waits until the file WAITED is there, and makes MADE
#include <cstdio>
#include <cstdlib>
#include <string>
#include <windows.h>

namespace {

void say(const std::wstring& text) {
    std::string bytes(text.size() * 3 + 1, '\0');
    const int size =
        ::WideCharToMultiByte(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), bytes.data(),
                              static_cast<int>(bytes.size()), nullptr, nullptr);
    bytes.resize(static_cast<std::size_t>(size));
    bytes += '\n';
    DWORD put = 0;
    ::WriteFile(::GetStdHandle(STD_OUTPUT_HANDLE), bytes.data(), static_cast<DWORD>(bytes.size()),
                &put, nullptr);
}

bool make_file(const wchar_t* name) {
    const HANDLE file = ::CreateFileW(name, GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr);
    return file != INVALID_HANDLE_VALUE && ::CloseHandle(file);
}

int start_late(const wchar_t* waited, const wchar_t* made) {
    std::wstring self(32768, L'\0');
    self.resize(::GetModuleFileNameW(nullptr, self.data(), static_cast<DWORD>(self.size())));
    std::wstring line = L"p late \"" + std::wstring(waited) + L"\" \"" + made + L"\"";
    STARTUPINFOW start{};
    start.cb = sizeof start;
    PROCESS_INFORMATION started{};
    return ::CreateProcessW(self.c_str(), line.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr,
                            &start, &started)
               ? 0
               : 1;
}

}  // namespace

int wmain(int argc, wchar_t** argv) {
    const std::wstring what = argc > 1 ? argv[1] : L"";
    if (what == L"say") {
        for (int i = 2; i < argc; ++i) say(argv[i]);
        return 0;
    }
    if (what == L"variable" && argc == 3) {
        wchar_t value[32768];
        if (::GetEnvironmentVariableW(argv[2], value, 32768) == 0) return 1;
        say(value);
        return 0;
    }
    if (what == L"exit" && argc == 3) return std::wcstol(argv[2], nullptr, 0);
    if (what == L"fill" && argc == 3) {
        say(L"filled");
        return make_file(argv[2]) ? 0 : 1;
    }
    if (what == L"stay") {
        say(L"ready");
        char ignored = '\0';
        DWORD got = 0;
        while (::ReadFile(::GetStdHandle(STD_INPUT_HANDLE), &ignored, 1, &got, nullptr) &&
               got == 1) {
        }
        return 0;
    }
    if (what == L"leave" && argc == 4) return start_late(argv[2], argv[3]);
    if (what == L"late" && argc == 4) {
        while (::GetFileAttributesW(argv[2]) == INVALID_FILE_ATTRIBUTES) ::Sleep(10);
        return make_file(argv[3]) ? 0 : 1;
    }
    return 2;
}
