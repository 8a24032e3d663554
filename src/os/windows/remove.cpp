// SPDX-License-Identifier: MIT
#include "os/windows/remove.hpp"

#include "os/windows/nt.hpp"

namespace larder::os::windows {

namespace {

/// Marks an open file for deletion when its handle is closed, so that its name is gone then.
NTSTATUS dispose(HANDLE file) noexcept {
    // FILE_DISPOSITION_DELETE, FILE_DISPOSITION_POSIX_SEMANTICS, and since Windows 10 1809
    // FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE.
    for (ULONG flags : {0x13UL, 0x3UL}) {
        const NTSTATUS status =
            patiently(to_delete, [&] { return set(file, InfoClass::disposition_ex, flags); });
        if (!says_unknown(status) && !(status == cannot_delete && flags == 0x13)) return status;
    }
    BOOLEAN deleted = TRUE;
    return patiently(to_delete, [&] { return set(file, InfoClass::disposition, deleted); });
}

/// Takes the attribute away that forbids to delete a file. A system that can ignore it does so.
void allow_deletion(HANDLE file, const AttributeTag& found) noexcept {
    if ((found.attributes & FILE_ATTRIBUTE_READONLY) == 0) return;
    FileHandle writable;
    const How to_change{.access = FILE_WRITE_ATTRIBUTES, .options = FILE_OPEN_REPARSE_POINT};
    if (reopen(writable, file, to_change) < 0) return;
    FILE_BASIC_INFORMATION basic{};  // times of 0 stay as they are
    basic.FileAttributes = found.attributes & ~static_cast<ULONG>(FILE_ATTRIBUTE_READONLY);
    if (basic.FileAttributes == 0) basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
    (void)set(handle_of(writable), InfoClass::basic, basic);
}

}  // namespace

int remove_at(const Dir& parent, const std::string& name, DeletedKind what) noexcept {
    Name text(name);
    if (text.status() < 0) return error_of(text.status());
    FileHandle file;
    const NameToOpen place{handle_of(parent.handle), text.string()};
    NTSTATUS status =
        open_itself(file, place, {.access = DELETE | FILE_READ_ATTRIBUTES, .limit = to_delete});
    if (status < 0) return error_of(status);
    AttributeTag found;
    status = query_tag(handle_of(file), found);
    if (status < 0) return error_of(status);
    const bool is_directory = found.is_directory() && !found.is_link();
    if (what == DeletedKind::directory && !is_directory) return error_of(not_a_directory);
    if (what == DeletedKind::file && is_directory) return error_of(windows::is_a_directory);
    status = dispose(handle_of(file));
    if (status == cannot_delete && (found.attributes & FILE_ATTRIBUTE_READONLY) != 0) {
        allow_deletion(handle_of(file), found);
        status = dispose(handle_of(file));
    }
    return error_of(status);
}

}  // namespace larder::os::windows
