// SPDX-License-Identifier: MIT
#include "os/windows/nt.hpp"

#include <aclapi.h>
#include <algorithm>
#include <new>
#include <sddl.h>
#include <thread>

#include "os/windows/numbers.hpp"
#include "os/windows/reparse.hpp"
#include "os/windows/utf16.hpp"

namespace larder::os::windows {

int error_of(NTSTATUS status) noexcept {
    switch (status) {
        // The system itself calls these a denial.
        case is_a_directory:
            return error_directory_not_supported;
        case delete_pending:
            return ERROR_DELETE_PENDING;
        case link_encountered:
            return error_reparse_point_encountered;
        default:
            return static_cast<int>(::RtlNtStatusToDosError(status));
    }
}

Name::Name(std::string_view text) noexcept {
    string_.Buffer = text_.data();
    // Win32 forbids these in names, and a colon leads to a stream. A backslash would be a
    // separator, which it is not in larder.
    constexpr std::string_view reserved = "\\:*?\"<>|";
    const bool has_reserved = std::any_of(text.begin(), text.end(), [&](char c) {
        return static_cast<unsigned char>(c) < 0x20 || reserved.find(c) != reserved.npos;
    });
    if (text.empty() || has_reserved) {
        status_ = name_invalid;
        return;
    }
    const auto size = to_utf16(text, text_.data(), text_.size());
    if (!size) {
        status_ = text.size() > text_.size() ? name_too_long : name_invalid;
        return;
    }
    std::replace(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(*size), L'/', L'\\');
    string_.Length = string_.MaximumLength = static_cast<USHORT>(*size * sizeof(wchar_t));
}

Path::Path(const std::filesystem::path& path) noexcept {
    constexpr std::wstring_view prefix = L"\\??\\", network = L"UNC\\";
    constexpr std::size_t longest = 32'767;  // in characters: a UNICODE_STRING has no more
    const std::wstring_view given = path.native();
    // In such a path, the system itself takes "." and ".." for names.
    const bool is_verbatim = given.starts_with(L"\\\\?\\") || given.starts_with(prefix);
    const std::size_t room = prefix.size() + network.size() + longest + 1;
    text_.reset(new (std::nothrow) wchar_t[room]);
    if (!text_) {
        status_ = no_memory;
        return;
    }
    // The absolute path is put where the longest prefix fits in front of it.
    wchar_t* start = text_.get() + prefix.size() + network.size();
    std::size_t size = given.size();
    if (size > longest) {
        status_ = name_too_long;
        return;
    }
    if (is_verbatim) {
        std::copy(given.begin(), given.end(), start);
    } else {
        size = ::GetFullPathNameW(path.c_str(), static_cast<DWORD>(longest + 1), start, nullptr);
        if (size == 0) status_ = name_invalid;
        if (size > longest) status_ = name_too_long;
        if (status_ < 0) return;
    }
    const std::wstring_view whole(start, size);
    if (whole.starts_with(L"\\\\?\\") || whole.starts_with(L"\\\\.\\") ||
        whole.starts_with(prefix)) {
        start += prefix.size();
        size -= prefix.size();
    } else if (whole.starts_with(L"\\\\")) {
        start -= network.size() - 2;
        size += network.size() - 2;
        std::copy(network.begin(), network.end(), start);
    }
    start -= prefix.size();
    size += prefix.size();
    std::copy(prefix.begin(), prefix.end(), start);
    if (size > longest) {
        status_ = name_too_long;
        return;
    }
    string_.Buffer = start;
    string_.Length = string_.MaximumLength = static_cast<USHORT>(size * sizeof(wchar_t));
}

NTSTATUS open(FileHandle& opened, const NameToOpen& place, const How& how) noexcept {
    UNICODE_STRING none{};
    OBJECT_ATTRIBUTES where{};
    // A directory may tell capitals from small letters, so a name in one is asked for as it is. A
    // whole path begins with the letter of a drive, which is known in one case alone.
    const ULONG flags = place.directory == nullptr ? OBJ_CASE_INSENSITIVE : 0;
    InitializeObjectAttributes(&where, place.name == nullptr ? &none : place.name, flags,
                               place.directory, nullptr);
    constexpr ULONG all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    HANDLE handle = nullptr;
    NTSTATUS status = ok;
    for (Retry retry(how.limit);;) {
        IO_STATUS_BLOCK block{};
        status = ::NtCreateFile(&handle, how.access | SYNCHRONIZE, &where, &block, nullptr,
                                how.attributes, all, how.disposition,
                                how.options | FILE_SYNCHRONOUS_IO_NONALERT, nullptr, 0);
        if (status == delete_pending && how.disposition == FILE_OPEN) return name_not_found;
        if (status >= 0 || !retry.again(status)) break;
    }
    if (status < 0) return status;
    opened = own(handle);
    return ok;
}

NTSTATUS open_itself(FileHandle& opened, const NameToOpen& place, const How& how) noexcept {
    How with_option = how;
    with_option.options |= FILE_OPEN_REPARSE_POINT;
    return open(opened, place, with_option);
}

NTSTATUS open_no_link(FileHandle& opened, const NameToOpen& place, const How& how) noexcept {
    FileHandle file;
    How asked = how;
    asked.access |= FILE_READ_ATTRIBUTES;
    NTSTATUS status = open_itself(file, place, asked);
    if (status < 0) return status;
    AttributeTag found;
    status = query_tag(handle_of(file), found);
    if (status < 0) return status;
    if (found.is_link()) return link_encountered;
    // A filter of the system's shows the file as it is. That is asked for by the open file, because
    // a link may stand at the name by now.
    if (found.tag != 0) {
        asked.disposition = FILE_OPEN;
        return reopen(opened, handle_of(file), asked);
    }
    opened = std::move(file);
    return ok;
}

NTSTATUS reopen(FileHandle& opened, HANDLE file, const How& how) noexcept {
    return open(opened, {.directory = file}, how);
}

namespace {

using Open = NTSTATUS (*)(FileHandle&, const NameToOpen&, const How&) noexcept;

/// Returns whether a path may have a part "." or "..".
bool may_have_dots(std::string_view path) noexcept {
    return path.starts_with('.') || path.find("/.") != path.npos;
}

/// A path without "." and "..", and how many directories above its start it begins.
class Route {
public:
    /// Walks along a path from an open directory. Fails if ".." follows something that is no
    /// directory.
    NTSTATUS walk(HANDLE directory, std::string_view path) noexcept {
        while (!path.empty()) {
            const auto slash = std::min(path.find('/'), path.size());
            const std::string_view part = path.substr(0, slash);
            path.remove_prefix(std::min(slash + 1, path.size()));
            if (part == ".") continue;
            if (part == "..") {
                const NTSTATUS status = go_up(directory);
                if (status < 0) return status;
            } else if (!push(part)) {
                return name_too_long;
            }
        }
        return ok;
    }

    /// Opens where the walk has ended.
    NTSTATUS end(FileHandle& opened, HANDLE directory, const How& how, Open open_end) noexcept {
        if (above_ > 0) return end_above(opened, directory, how, open_end);
        if (size_ == 0) return reopen(opened, directory, how);
        Name name(below());
        if (name.status() < 0) return name.status();
        return open_end(opened, {directory, name.string()}, how);
    }

private:
    [[nodiscard]] std::string_view below() const noexcept { return {text_.data(), size_}; }

    bool push(std::string_view part) noexcept {
        if (size_ + 1 + part.size() > text_.size()) return false;
        if (size_ > 0) text_[size_++] = '/';
        size_ = static_cast<std::size_t>(
            std::copy(part.begin(), part.end(), text_.begin() + size_) - text_.begin());
        is_checked_ = false;
        return true;
    }

    NTSTATUS go_up(HANDLE directory) noexcept {
        if (size_ == 0) {
            ++above_;
            return ok;
        }
        // What lies above a directory that was opened is one, too.
        if (!is_checked_) {
            FileHandle passed;
            const How as_directory{.access = FILE_TRAVERSE, .options = FILE_DIRECTORY_FILE};
            const NTSTATUS status = end(passed, directory, as_directory, open_no_link);
            if (status < 0) return status;
            is_checked_ = true;
        }
        const auto slash = below().rfind('/');
        size_ = slash == std::string_view::npos ? 0 : slash;
        return ok;
    }

    /// Windows opens nothing above a handle, so this asks for the path of the directory.
    NTSTATUS end_above(FileHandle& opened, HANDLE directory, const How& how,
                       Open open_end) noexcept {
        std::array<wchar_t, 4096> path;
        const DWORD got =
            ::GetFinalPathNameByHandleW(directory, path.data(), static_cast<DWORD>(path.size()), 0);
        if (got == 0) return access_denied;
        if (got + size_ + 1 > path.size()) return name_too_long;
        std::size_t length = got;
        for (std::size_t i = 0; i < above_; ++i) {
            const auto slash = std::wstring_view(path.data(), length).rfind(L'\\');
            if (slash == std::wstring_view::npos || slash < 4) return name_not_found;
            length = slash;
        }
        if (size_ > 0) {
            Name name(below());
            if (name.status() < 0) return name.status();
            path[length++] = L'\\';
            const auto rest = name.view();
            std::copy(rest.begin(), rest.end(), path.begin() + length);
            length += rest.size();
        }
        path[1] = L'?';  // the system's own calls write "\??\" for the "\\?\" of Win32
        UNICODE_STRING whole{};
        whole.Buffer = path.data();
        whole.Length = whole.MaximumLength = static_cast<USHORT>(length * sizeof(wchar_t));
        return open_end(opened, {nullptr, &whole}, how);
    }

    std::array<char, 1024> text_;
    std::size_t size_ = 0;
    std::size_t above_ = 0;
    bool is_checked_ = true;  // whether what lies at the end is a directory
};

NTSTATUS open_along(FileHandle& opened, HANDLE directory, std::string_view path, const How& how,
                    Open open_end) noexcept {
    if (!may_have_dots(path)) {
        Name name(path);
        if (name.status() < 0) return name.status();
        return open_end(opened, {directory, name.string()}, how);
    }
    Route route;
    const NTSTATUS status = route.walk(directory, path);
    return status < 0 ? status : route.end(opened, directory, how, open_end);
}

}  // namespace

NTSTATUS open_path(FileHandle& opened, HANDLE directory, std::string_view path,
                   const How& how) noexcept {
    return open_along(opened, directory, path, how, open_no_link);
}

NTSTATUS open_path_itself(FileHandle& opened, HANDLE directory, std::string_view path,
                          const How& how) noexcept {
    return open_along(opened, directory, path, how, open_itself);
}

bool AttributeTag::is_link() const noexcept { return (tag & surrogate_bit) != 0; }

NTSTATUS query_tag(HANDLE file, AttributeTag& found) noexcept {
    FILE_BASIC_INFORMATION basic{};
    const NTSTATUS status = query(file, InfoClass::basic, basic);
    if (status < 0) return status;
    found = {.attributes = basic.FileAttributes, .tag = 0};
    if ((basic.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0) return ok;
    return query(file, InfoClass::attribute_tag, found);
}

bool Retry::again(NTSTATUS status) noexcept {
    using namespace std::chrono;
    milliseconds longest{};
    if (status == sharing_violation || status == delete_pending || status == user_mapped_file)
        longest = limit_.sharing;
    else if (status == access_denied || status == cannot_delete)
        longest = limit_.denied;
    const auto now = steady_clock::now();
    if (pause_ == microseconds(0)) started_ = now;
    if (now - started_ >= longest) return false;
    constexpr microseconds first_pause(20), last_pause(10'000);
    pause_ = pause_ == microseconds(0) ? first_pause : std::min(2 * pause_, last_pause);
    std::this_thread::sleep_for(pause_);
    return true;
}

std::string to_text(std::wstring_view text) {
    std::string bytes;
    append_utf8<wchar_t>(bytes, text);
    return bytes;
}

std::wstring final_path(HANDLE file) {
    std::wstring path(MAX_PATH, L'\0');
    for (;;) {
        const DWORD size =
            ::GetFinalPathNameByHandleW(file, path.data(), static_cast<DWORD>(path.size() + 1), 0);
        if (size <= path.size()) {
            path.resize(size);
            return path;
        }
        path.resize(size);
    }
}

namespace {

/// Frees what a call of Windows has allocated.
struct LocalFreer {
    void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};

/// The user with whose rights this thread acts.
class ThisUser {
public:
    ThisUser() noexcept {
        HANDLE token = nullptr;
        if (!::OpenThreadToken(::GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
            !::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token))
            return;
        const FileHandle closed_at_end = own(token);
        DWORD size = 0;
        is_known_ = ::GetTokenInformation(token, TokenUser, &user_,
                                          static_cast<DWORD>(sizeof user_), &size) != 0;
    }

    /// Returns null if the system does not tell.
    [[nodiscard]] PSID sid() noexcept { return is_known_ ? user_.head.User.Sid : nullptr; }

private:
    struct {
        TOKEN_USER head;
        std::array<std::byte, SECURITY_MAX_SID_SIZE> sid;
    } user_{};
    bool is_known_ = false;
};

/// Returns whether a user or group may do everything here in any case: this user, the system
/// itself, the administrators, and the service that installs Windows.
bool is_trusted(PSID sid, PSID user) noexcept {
    if (user != nullptr && ::EqualSid(sid, user)) return true;
    for (const WELL_KNOWN_SID_TYPE known : {WinLocalSystemSid, WinBuiltinAdministratorsSid}) {
        if (::IsWellKnownSid(sid, known)) return true;
    }
    // The service that installs and updates Windows itself owns much of it.
    static constexpr wchar_t installer[] =
        L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    PSID made = nullptr;
    if (!::ConvertStringSidToSidW(installer, &made)) return false;
    const std::unique_ptr<void, LocalFreer> owned(made);
    return ::EqualSid(sid, made);
}

/// Returns whether a name of an access control list stands for the owner: of the file itself, or of
/// what is made in the directory.
bool stands_for_owner(PSID sid) noexcept {
    return ::IsWellKnownSid(sid, WinCreatorOwnerSid) ||
           ::IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
}

}  // namespace

bool list_lets_others_write(HANDLE file) noexcept {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    // The handle of a directory lacks the right to read the list.
    FileHandle readable;
    if (reopen(readable, file, {.access = READ_CONTROL, .options = FILE_OPEN_REPARSE_POINT}) < 0)
        return true;
    if (::GetSecurityInfo(handle_of(readable), SE_FILE_OBJECT,
                          OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, nullptr, nullptr,
                          nullptr, nullptr, &descriptor) != ERROR_SUCCESS)
        return true;
    const std::unique_ptr<void, LocalFreer> freer(descriptor);
    return descriptor_lets_others_write(descriptor);
}

bool descriptor_lets_others_write(PSECURITY_DESCRIPTOR descriptor) noexcept {
    PSID owner = nullptr;
    PACL list = nullptr;
    BOOL has_list = FALSE, is_default = FALSE;
    if (!::GetSecurityDescriptorOwner(descriptor, &owner, &is_default) ||
        !::GetSecurityDescriptorDacl(descriptor, &has_list, &list, &is_default))
        return true;
    // No list at all lets every user do all.
    if (!has_list || list == nullptr || owner == nullptr) return true;
    ThisUser user;
    // An owner may always change the list.
    if (!is_trusted(owner, user.sid())) return true;
    constexpr DWORD writing = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA |
                              FILE_WRITE_ATTRIBUTES | FILE_DELETE_CHILD | DELETE | WRITE_DAC |
                              WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;
    for (DWORD i = 0; i < list->AceCount; ++i) {
        void* entry = nullptr;
        if (!::GetAce(list, i, &entry)) return true;
        const auto* const header = static_cast<const ACE_HEADER*>(entry);
        // An entry that only those inherit who are made below says nothing of the file itself. A
        // directory hands it on, so it counts there too: what is made in a cache would have it.
        if (header->AceType == ACCESS_DENIED_ACE_TYPE) continue;
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE) return true;  // one with conditions
        auto* const allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        PSID const sid = &allowed->SidStart;
        if ((allowed->Mask & writing) != 0 && !stands_for_owner(sid) &&
            !is_trusted(sid, user.sid()))
            return true;
    }
    return false;
}

}  // namespace larder::os::windows
