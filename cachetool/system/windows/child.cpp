// SPDX-License-Identifier: MIT
#include "cachetool/system/child.hpp"

#include <algorithm>
#include <atomic>

#include "cachetool/system/path_text.hpp"
#include "cachetool/system/windows/console_events.hpp"
#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/started_process.hpp"
#include "cachetool/system/windows/words.hpp"

namespace cachetool::system {
namespace {

std::atomic<int> ending_signal{0};

/// A console tells its events to all of its programs, so the child has this one, too.
BOOL WINAPI note_while_child_runs(DWORD event) {
    ending_signal = windows::signal_of(event);
    return windows::noted(event);
}

class ConsoleEventsNoted {
public:
    ConsoleEventsNoted() {
        ending_signal = 0;
        ::SetConsoleCtrlHandler(note_while_child_runs, TRUE);
    }
    ~ConsoleEventsNoted() { ::SetConsoleCtrlHandler(note_while_child_runs, FALSE); }
    ConsoleEventsNoted(const ConsoleEventsNoted&) = delete;
    ConsoleEventsNoted& operator=(const ConsoleEventsNoted&) = delete;
};

ProgramEnd not_run(std::error_code error) {
    const bool is_absent =
        error.value() == ERROR_FILE_NOT_FOUND || error.value() == ERROR_PATH_NOT_FOUND;
    return {.exit_code = is_absent ? command_not_found : cannot_execute, .not_run = error};
}

bool ends_with(std::wstring_view file, std::wstring_view ending) {
    if (file.size() < ending.size()) return false;
    const auto last = file.substr(file.size() - ending.size());
    return ::CompareStringOrdinal(last.data(), static_cast<int>(last.size()), ending.data(),
                                  static_cast<int>(ending.size()), TRUE) == CSTR_EQUAL;
}

}  // namespace

ProgramEnd run_child(const std::vector<std::string>& program, ChildOutput output,
                     const std::string& directory) {
    const auto file = windows::program_file(program.front());
    if (file.empty()) return not_run({ERROR_FILE_NOT_FOUND, std::system_category()});
    // Such a file is run by cmd, which reads the command line by rules of its own: an argument
    // could become a command. So the user has to say by which words cmd is to run it.
    if (ends_with(file, L".bat") || ends_with(file, L".cmd"))
        return {.exit_code = cannot_execute,
                .not_run = std::make_error_code(std::errc::executable_format_error),
                .is_batch_file = true};

    const ConsoleEventsNoted noted;
    const HANDLE input = ::GetStdHandle(STD_INPUT_HANDLE);
    const HANDLE errors = ::GetStdHandle(STD_ERROR_HANDLE);
    const HANDLE out =
        output == ChildOutput::to_stderr ? errors : ::GetStdHandle(STD_OUTPUT_HANDLE);
    const windows::StartedProcess child(file, windows::wide(windows::command_line_of(program)),
                                        {input, out, errors}, path_of(directory).native());
    if (child.error()) return not_run(child.error());
    const auto code = child.wait();
    child.release_others();
    return {.exit_code = static_cast<int>(code), .ending_signal = ending_signal};
}

std::string signal_for_people(int signal) {
    switch (signal) {
        case windows::interrupt:
            return "Ctrl-C";
        case windows::quit:
            return "Ctrl-Break";
        case windows::hang_up:
            return "the end of its console";
        default:
            return "the end of the session";
    }
}

// A process of Windows cannot become another program. So this one stays as its parent.
ProgramEnd become(const std::vector<std::string>& program) {
    return run_child(program, ChildOutput::inherited);
}

}  // namespace cachetool::system
