// SPDX-License-Identifier: MIT
#include "cachetool/system/standard_streams.hpp"

#include <fcntl.h>

#include <algorithm>
#include <io.h>

#include "cachetool/system/windows/console.hpp"
#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {

namespace windows {

HANDLE stream_handle(StandardStream stream) noexcept {
    return ::GetStdHandle(stream == StandardStream::output ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
}

bool is_console(HANDLE stream) noexcept {
    DWORD mode = 0;
    return ::GetConsoleMode(stream, &mode) != FALSE;
}

}  // namespace windows

namespace {

/// Lets a console obey escape sequences, for as long as this process lives.
class EscapeSequences {
public:
    EscapeSequences() {
        for (const auto stream : {StandardStream::output, StandardStream::error}) {
            auto& console = consoles_[static_cast<std::size_t>(stream)];
            console.handle = windows::stream_handle(stream);
            if (::GetConsoleMode(console.handle, &console.before))
                ::SetConsoleMode(console.handle,
                                 console.before | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        }
    }
    ~EscapeSequences() {
        // In the other order: both streams may lead to one console.
        for (auto console = std::rbegin(consoles_); console != std::rend(consoles_); ++console)
            if (console->before != 0) ::SetConsoleMode(console->handle, console->before);
    }
    EscapeSequences(const EscapeSequences&) = delete;
    EscapeSequences& operator=(const EscapeSequences&) = delete;

private:
    struct Console {
        HANDLE handle = nullptr;
        DWORD before = 0;  ///< 0 if the stream leads to no console
    };
    Console consoles_[2];
};

/// A console shows UTF-16. Its code page decides only about programs that write bytes to it.
std::error_code write_to_console(HANDLE console, std::string_view text) {
    const auto units = windows::wide(text);
    std::wstring_view left = units;
    while (!left.empty()) {
        constexpr std::size_t at_once = 8192;  // arbitrary: older consoles take 64 KiB
        DWORD put = 0;
        const auto size = static_cast<DWORD>(std::min(left.size(), at_once));
        if (!::WriteConsoleW(console, left.data(), size, &put, nullptr)) return last_error();
        left.remove_prefix(put);
    }
    return {};
}

}  // namespace

void prepare_standard_streams() {
    // What the C library writes (a last message without memory) has its own line ends, too.
    ::_setmode(1, _O_BINARY);
    ::_setmode(2, _O_BINARY);
    static const EscapeSequences until_exit;
}

std::error_code write_all(StandardStream stream, std::string_view text) {
    const HANDLE handle = windows::stream_handle(stream);
    if (windows::is_console(handle)) return write_to_console(handle, text);
    while (!text.empty()) {
        DWORD put = 0;
        const auto size = static_cast<DWORD>(std::min<std::size_t>(text.size(), 1U << 30U));
        if (!::WriteFile(handle, text.data(), size, &put, nullptr)) {
            const auto error = last_error();
            const bool has_no_reader = error.value() == ERROR_NO_DATA ||
                                       error.value() == ERROR_BROKEN_PIPE ||
                                       error.value() == ERROR_PIPE_NOT_CONNECTED;
            return has_no_reader ? std::make_error_code(std::errc::broken_pipe) : error;
        }
        text.remove_prefix(put);
    }
    return {};
}

// The system has taken each write, and its cache reports a full disk at once.
std::error_code confirm_output() { return {}; }

}  // namespace cachetool::system
