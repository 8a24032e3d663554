// SPDX-License-Identifier: MIT
#include "os/dir_reader.hpp"

#include "os/windows/nt.hpp"
#include "os/windows/reparse.hpp"
#include "os/windows/utf16.hpp"

extern "C" {
// winternl.h lacks this one.
NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event, PIO_APC_ROUTINE routine,
                                    void* context, IO_STATUS_BLOCK* block, void* buffer, ULONG size,
                                    FILE_INFORMATION_CLASS info, BOOLEAN only_one_entry,
                                    UNICODE_STRING* pattern, BOOLEAN from_the_start);
}

namespace larder::os {

namespace {

/// Returns whether a status says that another process has removed the directory meanwhile, so that
/// it has no names any more.
bool says_removed(NTSTATUS status) noexcept {
    return status == windows::delete_pending || status == windows::file_deleted ||
           status == windows::name_not_found;
}

}  // namespace

/// A listing, and how far it was read.
struct DirReader::Listing {
    /// What the system writes for each name: FILE_FULL_DIR_INFORMATION of the kernel's headers. The
    /// name continues behind the struct.
    struct FullEntry {
        ULONG to_next;  ///< bytes from this entry to the next one; 0 in the last one
        ULONG index;
        LARGE_INTEGER times[4];
        LARGE_INTEGER size;
        LARGE_INTEGER allocated;
        ULONG attributes;
        ULONG name_size;  ///< in bytes
        ULONG tag;        ///< of a reparse point; otherwise the size of extended attributes
        wchar_t name[1];

        /// Returns the kind of file. A reparse point that does not lead elsewhere is a file or
        /// directory that the system keeps in another form.
        [[nodiscard]] FileKind kind() const noexcept {
            const bool is_reparse_point = (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
            if (is_reparse_point && (tag & windows::surrogate_bit) != 0) return FileKind::symlink;
            return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FileKind::directory
                                                                : FileKind::regular;
        }
    };
    static constexpr std::size_t buffer_size = 32'768;  // some hundred names

    Listing(NTSTATUS status, FileHandle opened, DirPath at_path)
        : reopened(status), handle(std::move(opened)), path(std::move(at_path)) {}

    /// Fills the buffer with the next entries, if all in it were handed out. Returns false at the
    /// end of the listing.
    Result<bool> fill();

    NTSTATUS reopened;                                 // what opening `handle` was answered
    FileHandle handle;                                 // its own
    DirPath path;                                      // for messages
    std::string name;                                  // the last one that was handed out
    const FullEntry* next = nullptr;                   // in the buffer; null if none is left there
    alignas(FullEntry) std::byte buffer[buffer_size];  // not initialized
};

Result<bool> DirReader::Listing::fill() {
    if (next != nullptr) return true;
    if (says_removed(reopened)) return false;
    if (reopened < 0) return fail(windows::error_of(reopened), "list", path);
    IO_STATUS_BLOCK block{};
    const NTSTATUS status = ::NtQueryDirectoryFile(
        windows::handle_of(handle), nullptr, nullptr, nullptr, &block, buffer, buffer_size,
        static_cast<FILE_INFORMATION_CLASS>(windows::InfoClass::directory_full), FALSE, nullptr,
        FALSE);
    if (status == windows::no_more_files || status == windows::no_such_file || says_removed(status))
        return false;
    if (status < 0) return fail(windows::error_of(status), "list", path);
    next = reinterpret_cast<const FullEntry*>(buffer);
    return true;
}

namespace {

constexpr windows::How to_list{.access = FILE_LIST_DIRECTORY, .options = FILE_DIRECTORY_FILE};

}  // namespace

Result<DirReader> DirReader::open(const Dir& dir) {
    FileHandle own;
    const NTSTATUS status = windows::reopen(own, windows::handle_of(dir.handle), to_list);
    if (status < 0 && !says_removed(status))
        return fail(windows::error_of(status), "open directory", dir.path);
    return DirReader(std::make_unique<Listing>(status, std::move(own), dir.path));
}

/// Opens the directory again all the same: Wine lists a directory once for each handle, and never
/// shows that handle what has changed since.
Result<DirReader> DirReader::borrow(const Dir& dir) { return open(dir); }

DirReader::DirReader(std::unique_ptr<Listing> listing) noexcept : listing_(std::move(listing)) {}
DirReader::DirReader(DirReader&&) noexcept = default;
DirReader& DirReader::operator=(DirReader&&) noexcept = default;
DirReader::~DirReader() = default;

Result<DirEntry> DirReader::next() {
    for (Listing& listing = *listing_;;) {
        TRY_ASSIGN(const bool has_more, listing.fill());
        if (!has_more) return DirEntry{};
        const Listing::FullEntry& entry = *listing.next;
        listing.next = entry.to_next == 0
                           ? nullptr
                           : reinterpret_cast<const Listing::FullEntry*>(
                                 reinterpret_cast<const std::byte*>(&entry) + entry.to_next);
        listing.name.clear();
        windows::append_utf8<wchar_t>(listing.name,
                                      {entry.name, entry.name_size / sizeof(wchar_t)});
        if (listing.name != "." && listing.name != "..")
            return DirEntry{listing.name.c_str(), entry.kind()};
    }
}

void DirReader::rewind() noexcept {
    FileHandle again;
    listing_->next = nullptr;
    if (says_removed(listing_->reopened)) return;
    listing_->reopened = windows::reopen(again, windows::handle_of(listing_->handle), to_list);
    if (again) listing_->handle = std::move(again);
}

}  // namespace larder::os
