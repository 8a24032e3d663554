// SPDX-License-Identifier: MIT
// The manifest: a text file beside an entry's tree that says what the tree holds. It is printed and
// parsed in pieces, because a tree of a million files has one of many megabytes.
#pragma once

#include <boost/crc.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/file_info.hpp"

namespace larder::format {

// On disk a manifest is lines of text, in this order:
//     larder manifest 1
//     boot HEX                    the boot of the machine in which the entry was completed
//     boottime SECONDS.NANOS      when that was, on the clock of that boot
//     timens N                    the time namespace whose clock it was; 0 if unknown
//     digest NAME|none            the algorithm of the digests
//     newest SECONDS.NANOS        the latest time of modification of all files
//     head CRC                    CRC-32 of all bytes before this line, eight hexadecimal digits
//     … one line for each name in the tree, see below …
//     end CRC                     CRC-32 of all bytes before this line
//
// The lines for the names:
//     d DEPTH MODE NAME           a directory; the top has the depth 0 and the name "."
//     f MODE SIZE DIGEST NAME     a file, in the directory of the `d` before it
//     l SIZE DIGEST NAME          a symlink, there too; its size and digest are those of its text
//
// MODE is octal, and DIGEST hexadecimal, or `-` if there is none. In a name, a newline is written
// as `\n` and a backslash as `\\`; all other bytes are as they are. A directory is followed by its
// files and symlinks, ascending by their bytes, and then by its directories, ascending too, each
// with all that is in it. So equal trees have equal lines. No path stands in a line: a deep tree
// would have long ones.

/// What a manifest says before its names. The head has a checksum of its own, so that it can be
/// read alone.
struct ManifestHead {
    std::string boot;                       ///< 32 hexadecimal digits
    std::chrono::nanoseconds since_boot{};  ///< see os::BootTime
    std::uint64_t time_namespace = 0;       ///< see os::BootTime
    std::string digest{};                   ///< the name of an algorithm; empty if there is none
    os::FileTime newest;  ///< the latest time of modification of the files; zero without files

    friend bool operator==(const ManifestHead&, const ManifestHead&) = default;
};

/// What a manifest says of one name.
struct ManifestItem {
    os::FileKind kind = os::FileKind::regular;  ///< or `directory`, or `symlink`
    std::uint32_t depth = 0;                    ///< of a directory, below the top
    std::uint32_t mode = 0;                     ///< the twelve bits; 0 for a symlink
    std::uint64_t size = 0;                     ///< 0 for a directory
    std::string digest{};                       ///< its bytes; empty if there is none
    std::string name{};                         ///< in its directory; "." for the top

    friend bool operator==(const ManifestItem&, const ManifestItem&) = default;
};

/// No line of a manifest is longer, including its newline. A name has at most 4,096 bytes on all
/// systems, each of which takes two bytes at most, and the rest is short.
inline constexpr std::size_t max_manifest_line = 16 * 1024;
/// No head is longer.
inline constexpr std::size_t max_manifest_head = 512;
/// The most bytes of a digest: as many as SHA-512 has.
inline constexpr std::size_t max_manifest_digest = 64;

/// Returns whether `name` can stand in a manifest as the name of an algorithm: 1 to 32 small
/// letters, digits and dashes, but not "none".
[[nodiscard]] bool is_digest_name(std::string_view name) noexcept;

/// Prints one manifest. Requires: the items come in the order above.
class ManifestPrinter {
public:
    /// Prints the head. Requires: its digest is empty, or is_digest_name accepts it.
    explicit ManifestPrinter(const ManifestHead& head);
    void add(const ManifestItem& item);
    /// Prints the last line.
    void end();
    /// Returns how many bytes take() would return.
    [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }
    /// Returns what was printed since the last call.
    [[nodiscard]] std::string take() { return std::exchange(text_, {}); }

private:
    void add_line(std::string_view line);
    void add_checksum(std::string_view field);

    std::string text_;
    boost::crc_32_type crc_;
};

/// Parses one manifest that comes in pieces of any lengths. Keeps no more than one line and the
/// names of the directories that lead to it.
///
/// What visitors are told counts only if the manifest turns out to be whole: a byte that has
/// changed is noticed at the end.
class ManifestParser {
public:
    /// Is told each name, in the order of the manifest.
    using Visit = std::function<void(const ManifestItem& item)>;

    /// Takes the next bytes, and calls `visit` for each name that they complete. Returns false from
    /// the moment at which it is certain that the bytes are no manifest.
    bool take(std::string_view bytes, const Visit& visit);
    /// Returns whether all that was taken is a whole manifest. One that was cut off at any byte, or
    /// that was changed in any byte, is none.
    [[nodiscard]] bool is_whole() const noexcept { return state_ == State::ended; }
    /// Returns the head once its checksum was met, and nullopt before.
    [[nodiscard]] const std::optional<ManifestHead>& head() const noexcept { return head_; }

private:
    enum class State { in_head, in_names, ended, failed };
    bool take_line(std::string_view line, const Visit& visit);
    bool take_head_line(std::string_view line);
    bool take_name_line(std::string_view line, const Visit& visit);
    bool is_in_order(const ManifestItem& item);

    State state_ = State::in_head;
    std::string partial_;               // the beginning of a line whose end has not come yet
    std::string head_text_;             // its lines so far
    std::optional<ManifestHead> head_;  // once it is whole
    boost::crc_32_type crc_;            // of all lines so far
    std::vector<std::string> dirs_;     // from the top to the present directory
    std::string last_name_;             // the file or symlink before, in the same directory
};

/// Returns the head with which `bytes` begin, which may have more behind it. Returns nullopt if
/// they begin with none.
[[nodiscard]] std::optional<ManifestHead> parse_manifest_head(std::string_view bytes);

}  // namespace larder::format
