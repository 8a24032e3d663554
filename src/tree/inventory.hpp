// SPDX-License-Identifier: MIT
// What a tree holds, in memory, and how that differs from what a manifest says.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "format/manifest.hpp"
#include "os/file_info.hpp"

namespace larder::tree {

/// Each name in a tree, with its kind, mode and size, and a digest if there is one. A file takes
/// its name and fourteen bytes of memory, so a million files take some 40 MB.
class Inventory {
public:
    /// Stands for a directory. The first one that is added is the top.
    using DirNumber = std::uint32_t;

    /// What is known of a name that is no directory. The texts are valid until a name is added.
    struct File {
        os::FileKind kind = os::FileKind::unknown;
        std::uint32_t mode = 0;  ///< the twelve bits; 0 for a symlink
        std::uint64_t size = 0;
        std::string_view digest;
        std::string_view name;
    };

    /// Adds a directory, and returns its number. `parent` and `name` count for nothing if it is the
    /// top.
    DirNumber add_directory(DirNumber parent, std::string_view name, const os::FileInfo& info);
    /// Adds a name that is no directory. `digest` has at most format::max_manifest_digest bytes.
    void add_file(DirNumber dir, std::string_view name, const os::FileInfo& info,
                  std::string_view digest);

    /// Returns the latest time of modification of all files; zero if there are none.
    [[nodiscard]] const os::FileTime& newest() const noexcept { return newest_; }

    [[nodiscard]] const std::string& name_of(DirNumber dir) const { return dirs_[dir].name; }
    [[nodiscard]] std::uint32_t mode_of(DirNumber dir) const { return dirs_[dir].mode; }
    /// Returns the directories in a directory, ascending by their names.
    [[nodiscard]] std::vector<DirNumber> dirs_in(DirNumber dir) const;
    /// Returns where the files of a directory stand, ascending by their names.
    [[nodiscard]] std::vector<std::size_t> files_in(DirNumber dir) const;
    /// Returns one of the files that files_in returns.
    [[nodiscard]] File file(DirNumber dir, std::size_t at) const;

    /// Calls `visit(item)`, which returns a Result<>, for each name, in the order of a manifest.
    /// Ends at its first error. Requires: a top was added.
    [[nodiscard]] Result<> for_each(
        const std::function<Result<>(const format::ManifestItem& item)>& visit) const;

private:
    struct Directory {
        std::string name;
        std::uint32_t mode = 0;
        std::vector<DirNumber> dirs;
        std::string files;  // packed, in the order in which they were added
    };
    std::vector<Directory> dirs_;
    os::FileTime newest_;
    bool has_files_ = false;
};

/// Compares a tree with a manifest, name by name, while the manifest is parsed.
class Comparison {
public:
    /// Is told the path of each name that differs, below the top and without a slash in front, and
    /// how it differs, in words. The path of the top itself is empty.
    using Difference = std::function<void(const std::string& path, const std::string& how)>;
    /// Is told each file or symlink that agrees with the manifest in kind, mode and size, with its
    /// path. If the manifest has its digest, that can then be compared.
    using Agrees = std::function<void(const std::string& path, const format::ManifestItem& item)>;

    /// Requires: `inventory` outlives the Comparison, and has a top.
    Comparison(const Inventory& inventory, Difference difference, Agrees agrees = {});

    /// Takes the next name of the manifest.
    void take(const format::ManifestItem& item);
    /// Says that the manifest is at its end. Call it once.
    void end();

private:
    /// A directory of the manifest that the comparison has entered and not left.
    struct Entered {
        bool is_there = false;  // in the tree; if not, nothing below it is compared
        Inventory::DirNumber number = 0;
        std::size_t path_length = 0;             // of the path to it
        std::vector<Inventory::DirNumber> dirs;  // in it, in the tree
        std::size_t next_dir = 0;                // the first of them that was not met yet
    };

    void take_file(const format::ManifestItem& item);
    void enter(const format::ManifestItem& item);
    void push(const Inventory::DirNumber* number);
    void compare_file(const Inventory::File& file, const format::ManifestItem& item);
    void end_files();
    void leave();
    void add_name(std::string_view name);
    void tell(std::string_view name, const std::string& how);

    const Inventory& inventory_;
    const Difference difference_;
    const Agrees agrees_;
    std::vector<Entered> entered_;
    std::vector<std::size_t> files_;  // of the directory that was entered last
    std::size_t next_file_ = 0;       // the first of them that was not met yet
    std::string path_;                // of that directory
};

}  // namespace larder::tree
