// SPDX-License-Identifier: MIT
// The manifest of an entry, `archive/<id>/manifest`: written by publish, and compared with the tree
// by verify and restore.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/manifest.hpp"
#include "os/file.hpp"
#include "tree/measure.hpp"

namespace larder::protocol {

/// Digests that were handed in, so that they need not be computed.
struct NotedDigests {
    struct OfFile {
        std::uint64_t size = 0;
        std::string digest;
    };
    /// The name of their algorithm, if they are those of another entry. Empty if they are of the
    /// algorithm with which the tree will be published.
    std::string algorithm;
    std::unordered_map<std::string, OfFile> files;  ///< by their paths below the tree
};

/// Measures a staged tree, and writes its manifest beside it, which says that the tree is complete
/// now. The manifest has digests if there is an algorithm, or if the noted ones tell theirs. A file
/// that was not noted, or has another size than was noted, is read; it has no digest if there is no
/// algorithm, or if this process may not read it. Errors: those of tree::measure_new; `invalid` if
/// the algorithm has no lawful name; `no_space`.
[[nodiscard]] Result<tree::Size> list_tree(const os::Dir& staged, const os::Dir& tree,
                                           const DigestAlgorithm* algorithm,
                                           const NotedDigests& noted);

/// Returns the head of an entry's manifest. Returns nullopt if there is none, or if what stands
/// there is none. Errors: those of reading it, which say nothing about it.
[[nodiscard]] Result<std::optional<format::ManifestHead>> read_manifest_head(const os::Dir& entry);

/// Calls `visit(path, file, head)` for each regular file that an entry's manifest lists, in its
/// order. `path` is the file's path below the tree. Returns false if there is no whole manifest:
/// then what `visit` was told may be wrong. Errors: what keeps the manifest from being read, if it
/// is not certain that there is none.
[[nodiscard]] Result<bool> for_each_listed_file(
    const os::Dir& entry,
    const std::function<void(const std::string& path, const format::ManifestItem& file,
                             const format::ManifestHead& head)>& visit);

/// One name of an entry that is not as its manifest says.
struct EntryChange {
    std::string path;  ///< below the tree; empty for the tree itself
    std::string how;   ///< in words
};

/// How an entry differs from its manifest.
struct EntryChanges {
    /// Why there is no manifest, in words. Empty if there is one. Without one nothing is compared.
    std::string no_manifest;
    std::vector<EntryChange> listed;  ///< the first ones, in the order of the manifest
    std::uint64_t not_listed = 0;     ///< how many more there are
    /// The first file that was modified after the entry was published and has no digest to compare,
    /// if digests were to be compared. It may have the size that it had.
    std::optional<EntryChange> unproven{};
    bool has_digests = false;      ///< true if digests were compared, or if no file has one
    std::uint64_t files_read = 0;  ///< files and symlinks whose digests were compared
    std::uint64_t bytes_read = 0;  ///< their sizes, added up

    [[nodiscard]] bool none() const noexcept { return none_but_times() && !unproven; }
    /// Does not count a file of which only the time tells that it may have changed.
    [[nodiscard]] bool none_but_times() const noexcept {
        return no_manifest.empty() && listed.empty();
    }
};

/// How the digests of an entry are compared.
struct DigestCheck {
    std::span<const DigestAlgorithm* const> algorithms;  ///< that this process has
    std::stop_token stop;                                ///< asked before each file
    enum class Reads {
        all,       ///< each file and symlink
        modified,  ///< the files that were modified after the entry was published
    };
    Reads reads = Reads::all;
};

/// Compares what the tree of an entry holds with the entry's manifest: names, kinds, modes and
/// sizes; and digests if `digests` is not null and has the manifest's algorithm. If `noted` is not
/// null, adds the digests of all that agrees in these to it. Errors: what keeps the manifest or a
/// file from being read, if it is not certain that there is none; `interrupted`.
[[nodiscard]] Result<EntryChanges> compare_with_manifest(const os::Dir& entry,
                                                         const tree::Inventory& inventory,
                                                         const DigestCheck* digests = nullptr,
                                                         NotedDigests* noted = nullptr);

/// Tells of files of an entry that were modified after it was published whether they are as they
/// were. Any thread may ask.
class ModifiedFiles {
public:
    /// Requires: what `check` refers to outlives this.
    ModifiedFiles(os::Dir entry, DigestCheck check);
    ~ModifiedFiles();
    ModifiedFiles(const ModifiedFiles&) = delete;
    ModifiedFiles& operator=(const ModifiedFiles&) = delete;

    /// Returns in words what is wrong with such a file, or may be; nullopt if its digest is that of
    /// the manifest. `path` is its path below the tree. Errors: what keeps the manifest or the file
    /// from being read.
    [[nodiscard]] Result<std::optional<std::string>> fault_of(const os::Dir& dir,
                                                              const std::string& name,
                                                              const os::FileInfo& info,
                                                              const std::string& path);

private:
    struct Listed;
    Result<> list();

    const os::Dir entry_;
    const DigestCheck check_;
    std::unique_ptr<Listed> listed_;
};

}  // namespace larder::protocol
