// SPDX-License-Identifier: MIT
// The format is APPNOTE.TXT of PKWARE. Sections 4.3.7 and 4.3.12 have the headers of a member,
// before its bytes and in the directory. Sections 4.3.14 to 4.3.16 have the ends. Numbers are
// little-endian.
#include "zip_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fmt/core.h>
#include <string_view>

#include "tree.hpp"

namespace installer {

namespace {

constexpr std::size_t local_header_size = 30, header_size = 46, end_size = 22, long_end_size = 56,
                      locator_size = 20, comment_limit = 0xffff;

// A directory has about 150 bytes for each member. A wheel with more than this has too many
// members.
constexpr std::uint64_t directory_limit = 64 << 20;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
    std::uint64_t number = 0;
    for (std::size_t i = size; i-- > 0;)
        number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
}

/// Returns `size` bytes from `offset` on, or fewer if the file ends before that.
std::string read_at(const Fd& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const ssize_t got = ::pread(file.get(), bytes.data() + have, size - have,
                                    static_cast<off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}

}  // namespace

Result<Directory> read_directory(const fs::path& archive) {
    const auto damaged = [&](const char* why) { return refuse("read wheel", archive, why); };
    const Fd file(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return system_failure("open", archive);
    const auto file_size = static_cast<std::uint64_t>(status.st_size);

    // The end record. Only a comment may follow it, whose length it knows.
    const std::uint64_t tail_start =
        file_size - std::min<std::uint64_t>(file_size, end_size + comment_limit);
    const std::string tail =
        read_at(file, tail_start, static_cast<std::size_t>(file_size - tail_start));
    const auto end = tail.rfind("PK\x05\x06");
    if (end == std::string::npos || tail.size() - end < end_size)
        return damaged("not a zip archive, or its end is missing");
    if (number_at(tail, end + 20, 2) != tail.size() - end - end_size)
        return damaged("something follows the zip archive's end");
    std::uint64_t count = number_at(tail, end + 10, 2), size = number_at(tail, end + 12, 4),
                  start = number_at(tail, end + 16, 4);
    std::uint64_t directory_end = tail_start + end;

    // If numbers do not fit, a locator before the end record leads to a longer end record.
    if (end >= locator_size &&
        std::string_view(tail).substr(end - locator_size).starts_with("PK\x06\x07")) {
        directory_end = number_at(tail, end - locator_size + 8, 8);
        const std::string long_end = read_at(file, directory_end, long_end_size);
        if (long_end.size() != long_end_size || !long_end.starts_with("PK\x06\x06"))
            return damaged("the zip archive's end is damaged");
        count = number_at(long_end, 32, 8), size = number_at(long_end, 40, 8),
        start = number_at(long_end, 48, 8);
    }
    if (size > directory_limit) return damaged("the zip archive's directory is too large");
    if (start > directory_end || directory_end - start != size)
        return damaged("the zip archive's directory is not where it should be");

    std::string directory = read_at(file, start, static_cast<std::size_t>(size));
    std::vector<DirectoryLine> lines;
    for (std::size_t at = 0; at < directory.size();) {
        if (directory.size() - at < header_size || directory.compare(at, 4, "PK\x01\x02") != 0) {
            return damaged("the zip archive's directory is damaged");
        }
        const std::size_t name_size = number_at(directory, at + 28, 2);
        const std::size_t whole = header_size + name_size + number_at(directory, at + 30, 2) +
                                  number_at(directory, at + 32, 2);
        if (directory.size() - at < whole) return damaged("the zip archive's directory is damaged");
        lines.push_back({directory.substr(at + header_size, name_size),
                         number_at(directory, at + 42, 4), number_at(directory, at + 20, 4)});
        at += whole;
    }
    if (directory.size() != size || lines.size() != count)
        return damaged("the zip archive's directory is damaged");
    return Directory{std::move(directory), std::move(lines)};
}

Result<std::string> raw_member(const fs::path& archive, const DirectoryLine& line) {
    const Fd file(::open(archive.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_failure("open", archive);
    const std::string header = read_at(file, line.start, local_header_size);
    if (header.size() != local_header_size || !header.starts_with("PK\x03\x04")) {
        return refuse("read wheel", archive,
                      fmt::format("member '{}' is not where it should be", printable(line.name)));
    }
    const std::uint64_t size =
        local_header_size + number_at(header, 26, 2) + number_at(header, 28, 2) + line.packed;
    if (size > directory_limit) {
        return refuse(
            "read wheel", archive,
            fmt::format("member '{}' is larger than any metadata can be", printable(line.name)));
    }
    return read_at(file, line.start, static_cast<std::size_t>(size));
}

}  // namespace installer
