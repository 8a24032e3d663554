// SPDX-License-Identifier: MIT
#include "archive.hpp"

#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include "tree.hpp"

namespace installer {

namespace {

std::string reason(archive* reader) {
    const char* text = archive_error_string(reader);
    std::string line = text != nullptr ? text : "damaged";
    while (line.ends_with('\n')) line.pop_back();  // some of libarchive's texts end with one
    return printable(line);
}

}  // namespace

Result<Archive> Archive::open(const fs::path& path) {
    archive* reader = archive_read_new();
    Archive opened(path, reader);
    // A wheel is a zip archive with a directory at its end. No other format is tried, so a file
    // that is two kinds of archive at once is not read in one way here and in another way
    // elsewhere.
    if (archive_read_support_format_zip_seekable(reader) != ARCHIVE_OK ||
        archive_read_open_filename(reader, path.c_str(), 64 * 1024) != ARCHIVE_OK) {
        return refuse("read wheel", path,
                      fmt::format("not a zip archive, or a damaged one ({})", reason(reader)));
    }
    return opened;
}

Archive::~Archive() {
    if (reader_ != nullptr) archive_read_free(reader_);
}

Result<std::optional<Member>> Archive::next() {
    archive_entry* entry = nullptr;
    const int answer = archive_read_next_header(reader_, &entry);
    if (answer == ARCHIVE_EOF) return std::nullopt;
    const char* name = entry != nullptr ? archive_entry_pathname_utf8(entry) : nullptr;
    // A warning is as bad as an error: the archive describes each member twice, and the two
    // descriptions differ.
    if (answer != ARCHIVE_OK) {
        return refuse("read wheel", path_,
                      name != nullptr
                          ? fmt::format("member '{}': {}", printable(name), reason(reader_))
                          : reason(reader_));
    }
    if (name == nullptr) return refuse("read wheel", path_, "a member's name is not UTF-8");

    Member member;
    member.path = name;
    member.is_directory = archive_entry_filetype(entry) == AE_IFDIR;
    member.is_executable = (archive_entry_perm(entry) & 0111) != 0;
    if (member.is_directory && member.path.ends_with('/')) member.path.pop_back();
    member_ = member.path;

    const auto refuse_member = [&](std::string_view why) {
        return refuse("read wheel", path_, fmt::format("member '{}' {}", printable(member_), why));
    };
    if (const auto fault = fault_of_path(member.path); !fault.empty()) return refuse_member(fault);
    if (archive_entry_is_encrypted(entry) != 0) return refuse_member("is encrypted");
    if (archive_entry_symlink(entry) != nullptr || archive_entry_hardlink(entry) != nullptr ||
        archive_entry_filetype(entry) == AE_IFLNK) {
        return refuse_member("is a link, which a wheel may not have");
    }
    if (!member.is_directory && archive_entry_filetype(entry) != AE_IFREG) {
        return refuse_member("is neither a file nor a directory");
    }
    return member;
}

Result<std::size_t> Archive::read(std::span<char> buffer) {
    const la_ssize_t size = archive_read_data(reader_, buffer.data(), buffer.size());
    if (size < 0)
        return refuse("read wheel", path_,
                      fmt::format("member '{}': {}", member_, reason(reader_)));
    return static_cast<std::size_t>(size);
}

}  // namespace installer
