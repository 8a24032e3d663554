// SPDX-License-Identifier: MIT
#include "cachetool/system/windows/started_process.hpp"

#include <algorithm>
#include <memory>

#include "cachetool/system/environment.hpp"
#include "cachetool/system/windows/last_error.hpp"

namespace cachetool::system::windows {

namespace {

/// Copies of handles that a started program can inherit. A program of another thread that is
/// started meanwhile does not inherit them, because it has a list of its own.
class InheritedHandles {
public:
    explicit InheritedHandles(const StandardHandles& handles) {
        const HANDLE self = ::GetCurrentProcess();
        for (std::size_t i = 0; i < handles.size(); ++i) {
            HANDLE copy = nullptr;
            if (handles[i] != nullptr && handles[i] != INVALID_HANDLE_VALUE &&
                ::DuplicateHandle(self, handles[i], self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS)) {
                copies_[i] = ScopedHandle(copy);
                list_[count_++] = copy;
            }
        }
        SIZE_T size = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
        memory_ = std::make_unique<std::byte[]>(size);
        auto* const attributes = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.get());
        if (::InitializeProcThreadAttributeList(attributes, 1, 0, &size)) attributes_ = attributes;
        if (attributes_ != nullptr && count_ > 0)
            ::UpdateProcThreadAttribute(attributes_, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                        list_.data(), count_ * sizeof(HANDLE), nullptr, nullptr);
    }
    ~InheritedHandles() {
        if (attributes_ != nullptr) ::DeleteProcThreadAttributeList(attributes_);
    }
    InheritedHandles(const InheritedHandles&) = delete;
    InheritedHandles& operator=(const InheritedHandles&) = delete;

    void describe(STARTUPINFOEXW& start) const {
        start.StartupInfo.cb = sizeof start;
        start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
        start.StartupInfo.hStdInput = copies_[0].get();
        start.StartupInfo.hStdOutput = copies_[1].get();
        start.StartupInfo.hStdError = copies_[2].get();
        start.lpAttributeList = attributes_;
    }
    [[nodiscard]] BOOL inherits() const noexcept { return count_ > 0 ? TRUE : FALSE; }

private:
    std::array<ScopedHandle, 3> copies_;
    std::array<HANDLE, 3> list_{};
    std::size_t count_ = 0;
    std::unique_ptr<std::byte[]> memory_;
    LPPROC_THREAD_ATTRIBUTE_LIST attributes_ = nullptr;
};

bool is_file(const std::wstring& path) {
    const DWORD attributes = ::GetFileAttributesW(long_path(path).c_str());
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

/// Returns the path, or the path with one of the endings of programs, or an empty text.
std::wstring with_ending(const std::wstring& path) {
    for (const wchar_t* const ending : {L"", L".com", L".exe", L".bat", L".cmd"}) {
        if (is_file(path + ending)) return path + ending;
    }
    return {};
}

}  // namespace

StartedProcess::StartedProcess(const std::wstring& file, std::wstring command_line,
                               const StandardHandles& streams, const std::wstring& directory)
    : job_(::CreateJobObjectW(nullptr, nullptr)) {
    limit_job(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE);
    const InheritedHandles inherited(streams);
    STARTUPINFOEXW start{};
    inherited.describe(start);
    PROCESS_INFORMATION started{};
    // It runs when it belongs to the job, so that nothing it starts is outside.
    constexpr DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED;
    if (!::CreateProcessW(file.c_str(), command_line.data(), nullptr, nullptr, inherited.inherits(),
                          flags, nullptr, directory.empty() ? nullptr : directory.c_str(),
                          &start.StartupInfo, &started)) {
        error_ = last_error();
        return;
    }
    process_ = ScopedHandle(started.hProcess);
    const ScopedHandle thread(started.hThread);
    pid_ = static_cast<std::int64_t>(started.dwProcessId);
    if (!::AssignProcessToJobObject(job_.get(), started.hProcess)) {
        error_ = last_error();
        ::TerminateProcess(started.hProcess, 1);
        return;
    }
    ::ResumeThread(started.hThread);
}

void StartedProcess::limit_job(DWORD flags) const {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    // A program may start another one outside of the job, if it asks for that.
    limits.BasicLimitInformation.LimitFlags = flags | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    ::SetInformationJobObject(job_.get(), JobObjectExtendedLimitInformation, &limits,
                              sizeof limits);
}

std::uint32_t StartedProcess::wait() const {
    ::WaitForSingleObject(process_.get(), INFINITE);
    DWORD code = 1;
    ::GetExitCodeProcess(process_.get(), &code);
    return code;
}

void StartedProcess::kill() const {
    ::TerminateJobObject(job_.get(), 1);
    ::WaitForSingleObject(process_.get(), INFINITE);
}

void StartedProcess::release_others() const { limit_job(0); }

std::wstring program_file(const std::string& name) {
    const auto file = wide(name);
    if (file.find_first_of(L"/\\:") != file.npos) return with_ending(file);
    const auto path = wide(environment_variable("PATH").value_or(""));
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find(L';', begin), path.size());
        auto directory = path.substr(begin, end - begin);
        std::erase(directory, L'"');
        if (!directory.empty()) {
            const auto found = with_ending(directory + L'\\' + file);
            if (!found.empty()) return found;
        }
        begin = end + 1;
    }
    return {};
}

}  // namespace cachetool::system::windows
