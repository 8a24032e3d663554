// SPDX-License-Identifier: MIT
// Finds files of a tree by their paths, one after the other.
#pragma once

#include <string>
#include <utility>

#include "tree/walk.hpp"

namespace larder::tree {

/// Finds files of a tree by their paths below it. Keeps the directory of the last one open, because
/// the next one is likely to stand there too.
class FilesByPath {
public:
    /// Finds files below the directory `top` of `parent`, which outlives this.
    FilesByPath(const os::Dir& parent, std::string top) : parent_(parent), top_(std::move(top)) {}

    /// The directory of a file, which is valid until the next call, and the file's name there.
    struct FilePlace {
        const os::Dir& dir;
        std::string name;
    };
    /// Opens the directory of a file. Follows no symlink. Does not look at the file.
    [[nodiscard]] Result<FilePlace> find(const std::string& path) {
        const auto slash = path.rfind('/');
        const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
        if (!tree_.is_open()) {
            TRY_ASSIGN(tree_, os::open_dir_at(parent_, top_));
        }
        if (!dir_.is_open() || parent != dir_path_) {
            TRY_ASSIGN(dir_, open_below(tree_, parent));
            dir_path_ = parent;
        }
        return FilePlace{.dir = dir_,
                         .name = path.substr(slash == std::string::npos ? 0 : slash + 1)};
    }

private:
    const os::Dir& parent_;
    const std::string top_;
    os::Dir tree_, dir_;    // not open before the first call
    std::string dir_path_;  // of dir_, below the tree
};

}  // namespace larder::tree
