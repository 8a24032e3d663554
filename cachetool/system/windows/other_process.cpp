// SPDX-License-Identifier: MIT
#include "cachetool/system/other_process.hpp"

#include "cachetool/system/windows/started_process.hpp"
#include "cachetool/system/windows/words.hpp"

namespace cachetool::system {
namespace {

struct PipeEnds {
    windows::ScopedHandle read, write;

    PipeEnds() {
        HANDLE from = nullptr, to = nullptr;
        if (!::CreatePipe(&from, &to, nullptr, 0)) return;
        read = windows::ScopedHandle(from);
        write = windows::ScopedHandle(to);
    }
};

/// Returns '\0' if the other end is closed.
char read_byte(HANDLE pipe) {
    char byte = '\0';
    DWORD got = 0;
    return ::ReadFile(pipe, &byte, 1, &got, nullptr) && got == 1 ? byte : '\0';
}

std::wstring own_file() {
    std::wstring file(32768, L'\0');  // no path is longer
    file.resize(::GetModuleFileNameW(nullptr, file.data(), static_cast<DWORD>(file.size())));
    return file;
}

}  // namespace

struct OtherProcess::ChildState {
    windows::ScopedHandle stay;  ///< the child lives until this end of a pipe is closed
    windows::StartedProcess process;
};

OtherProcess::OtherProcess(const ProcessPart& part, const std::vector<std::string>& words) {
    PipeEnds report, stay;
    const auto file = own_file();
    std::vector<std::string> line{windows::narrow(file), part_word, part.name};
    line.insert(line.end(), words.begin(), words.end());
    child_ = std::make_unique<ChildState>(ChildState{
        std::move(stay.write),
        windows::StartedProcess(
            file, windows::wide(windows::command_line_of(line)),
            {stay.read.get(), report.write.get(), ::GetStdHandle(STD_ERROR_HANDLE)}, {})});
    report.write.close();
    if (child_->process.error()) return;
    pid_ = child_->process.pid();
    succeeded_ = read_byte(report.read.get()) == 'y';
}

OtherProcess::~OtherProcess() { crash(); }

void OtherProcess::crash() {
    if (pid_ <= 0) return;
    child_->process.kill();
    pid_ = -1;
}

int play_part(const ProcessPart& part, const std::vector<std::string>& words) {
    const char report = part.act(words) ? 'y' : 'n';
    DWORD put = 0;
    // Without a report, the other process would wait for one as long as this one stays.
    if (!::WriteFile(::GetStdHandle(STD_OUTPUT_HANDLE), &report, 1, &put, nullptr)) return 1;
    static_cast<void>(read_byte(::GetStdHandle(STD_INPUT_HANDLE)));
    return 0;
}

}  // namespace cachetool::system
