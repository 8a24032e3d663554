// SPDX-License-Identifier: MIT
// Writes files below a directory, and nowhere else.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "failure.hpp"

namespace installer {

/// A file descriptor that its destructor closes.
class Fd {
public:
    explicit Fd(int number = -1) noexcept : number_(number) {}
    Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Fd();
    [[nodiscard]] int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_;
};

/// Writes all of `content`.
[[nodiscard]] Result<> write_all(const Fd& file, std::string_view content, const fs::path& path);

/// Returns what is wrong with a path, or an empty text. A good path is relative, is not too long,
/// and consists of plain names: no "..", no ".", no empty name, no backslash and no control
/// character.
[[nodiscard]] std::string fault_of_path(std::string_view path);

/// Returns a name that is safe to print on a terminal: control characters are replaced by "?".
[[nodiscard]] std::string printable(std::string_view name);

/// A handle of a directory, below which it makes directories and files.
///
/// It does not need to check names. It opens each component of a path relative to the handle of the
/// one before it, never through a symlink, and each file is a new one. So it never writes outside
/// the directory, and never into a file that has other links, for example one in the cache. Names
/// are checked elsewhere because then the messages are better.
///
/// Concurrency: one thread uses it. Several Trees may write into one directory.
class Tree {
public:
    [[nodiscard]] static Result<Tree> open(const fs::path& root);

    /// Makes the directory and those above it, if they do not exist.
    [[nodiscard]] Result<> make_directory(std::string_view path);

    /// Makes a new file and the directories above it, and returns the open file. Errors: `exists`
    /// if the file system has something under that name. If it ignores case, then so does this
    /// function.
    [[nodiscard]] Result<Fd> create(std::string_view path, mode_t mode);

    /// Puts a new file with this content at `path`: writes it under another name, then renames it.
    /// An old file keeps its content, because it may have other links. Errors: `exists` if
    /// something is at `path` and `replace` is false.
    [[nodiscard]] Result<> write(std::string_view path, std::string_view content, mode_t mode,
                                 bool replace);

    /// Returns true if something is at `path`, even a dangling symlink.
    [[nodiscard]] bool holds(std::string_view path);

private:
    Tree(Fd root, fs::path path) : root_(std::move(root)), path_(std::move(path)) {}
    [[nodiscard]] Result<int> open_directory(std::string_view path, bool make);

    Fd root_;
    fs::path path_;
    // The directory that was used last stays open. Archives and RECORDs are sorted, so the next
    // file is most often in the same directory.
    Fd last_;
    std::string last_path_;
};

}  // namespace installer
