// SPDX-License-Identifier: MIT
// Writing below a directory, and nowhere else.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "failure.hpp"

namespace installer {

/// A file descriptor, closed by its destructor.
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

/// Writes all of `content`, or fails.
[[nodiscard]] Result<> write_all(const Fd& file, std::string_view content, const fs::path& path);

/// Whether `path` is relative, of a reasonable length, and made of plain names only: no "..", no ".", no empty name, no
/// backslash, no control character. Returns what is wrong with it, or an empty string.
[[nodiscard]] std::string what_is_wrong_with(std::string_view path);

/// For a message: a name that nobody has checked yet must not speak to the terminal.
[[nodiscard]] std::string harmless(std::string_view name);

/// A handle on a directory, below which directories and files are made. It is safe by construction, not by inspecting names:
/// each component of a path is opened relative to the handle of the one before it, never through a symlink, and a file is
/// always a new one. So nothing is ever written outside the directory, or into a file that somebody else shares, a hard link
/// into the cache for instance. (Names are inspected all the same, because then the message is better.)
///
/// Concurrency: one thread; several Trees may write into one directory.
class Tree {
public:
    [[nodiscard]] static Result<Tree> open(const fs::path& root);

    /// Makes the directory, and those above it. It is no error if they exist.
    [[nodiscard]] Result<> make_directory(std::string_view path);

    /// A new file, with the directories above it. Errors: `exists` where there is anything of that name, as the file system
    /// compares names: where it folds case, so does this.
    [[nodiscard]] Result<Fd> create(std::string_view path, mode_t mode);

    /// A new file of this content under `path`: written under another name, then renamed. What stood there before keeps its
    /// content, for whoever shares it. Errors: `exists` where something stands there and `replace` is off.
    [[nodiscard]] Result<> write(std::string_view path, std::string_view content, mode_t mode,
                                 bool replace);

    /// Whether anything of that name is there, a dangling symlink included.
    [[nodiscard]] bool holds(std::string_view path);

private:
    Tree(Fd root, fs::path path) : root_(std::move(root)), path_(std::move(path)) {}
    [[nodiscard]] Result<int> open_directory(std::string_view path, bool make);

    Fd root_;
    fs::path path_;
    // The directory used last stays open: archives and RECORDs are sorted, so the next file is most often its neighbour.
    Fd last_;
    std::string last_path_;
};

}  // namespace installer
