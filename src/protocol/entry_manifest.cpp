// SPDX-License-Identifier: MIT
#include "protocol/entry_manifest.hpp"

#include <mutex>

#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "format/manifest.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "tree/files_by_path.hpp"

namespace larder::protocol {

namespace {

/// How much of a manifest is in memory at a time. Arbitrary: a system call costs little beside what
/// it takes to print or parse so much.
constexpr std::size_t manifest_piece = std::size_t{64} * 1024;

/// How many changes of one entry are listed. Arbitrary: a person reads no more, and an entry of a
/// million files may have lost all of them.
constexpr std::size_t most_listed_changes = 100;

/// What is wrong with a file whose digest differs.
constexpr const char* other_bytes = "its bytes are not those of the manifest's digest";

/// What may be wrong with a file of which only its time tells something.
constexpr const char* modified_since =
    "it was modified after its entry was published, as through a hard link, or the cache was "
    "copied without its times; no digest that this program can compare tells whether its bytes "
    "have changed";

/// Returns the algorithm of that name; null if there is none.
const DigestAlgorithm* find_algorithm(const DigestCheck& check, const std::string& name) {
    for (const DigestAlgorithm* each : check.algorithms) {
        if (each->name() == name) return each;
    }
    return nullptr;
}

/// Reads a manifest piece by piece, and gives each piece to `take`, which returns false to end
/// this. Returns in words why there is no file to read; an empty text if there is one. Errors:
/// those that say nothing about the manifest.
template <class Take>
Result<std::string> read_manifest(const os::Dir& entry, Take take) {
    // Without blocking, because a pipe may stand there.
    const auto file = os::open_at(entry, format::manifest_name, os::OpenMode::read_nonblocking);
    if (is_absent(file)) return "it is missing";
    if (why_of(file) == Why::is_link) return "it is a symlink";
    if (why_of(file) == Why::no_device) return "it is no regular file";  // a socket
    TRY(file);
    const auto info = os::try_stat(*file);
    if (!info) return os::fail(info.error(), "look at", entry / format::manifest_name);
    if (!info->is_regular()) return "it is no regular file";
    std::string piece(manifest_piece, '\0');
    for (;;) {
        const auto got = os::read_some(*file, piece.data(), piece.size());
        if (!got) return os::fail(got.error(), "read", entry / format::manifest_name);
        if (*got == 0 || !take(std::string_view(piece).substr(0, *got))) return std::string();
    }
}

/// Writes the manifest of a staged tree. `digest` is the name of the algorithm, or empty.
Result<> write_manifest(const os::Dir& staged, const tree::Inventory& inventory,
                        std::string digest) {
    const os::BootTime now = os::boot_time();
    format::ManifestPrinter printer({.boot = os::to_text(os::boot_id()),
                                     .since_boot = now.since_boot,
                                     .time_namespace = now.time_namespace,
                                     .digest = std::move(digest),
                                     .newest = inventory.newest()});
    const auto path = staged / format::manifest_name;
    TRY_ASSIGN(const os::FileHandle file,
               os::open_at(staged, format::manifest_name, os::OpenMode::create_new));
    TRY(inventory.for_each([&](const format::ManifestItem& item) -> Result<> {
        printer.add(item);
        if (printer.size() < manifest_piece) return {};
        return os::write_all(file, printer.take(), path);
    }));
    printer.end();
    return os::write_all(file, printer.take(), path);
}

/// One comparison of an entry with its manifest.
class ManifestComparison {
public:
    ManifestComparison(const os::Dir& entry, const tree::Inventory& inventory,
                       const DigestCheck* digests, NotedDigests* noted)
        : entry_(entry),
          inventory_(inventory),
          digests_(digests),
          noted_(noted),
          files_(entry, format::tree_name) {}

    Result<EntryChanges> compare() {
        tree::Comparison comparison(
            inventory_,
            [&](const std::string& path, const std::string& how) { add_change(path, how); },
            [&](const std::string& path, const format::ManifestItem& item) {
                if (noted_ != nullptr && !item.digest.empty())
                    noted_->files[path] = {.size = item.size, .digest = item.digest};
                if (digests_ != nullptr && checked_) checked_ = compare_contents(path, item);
            });
        const auto compare = [&](const format::ManifestItem& item) {
            if (digests_ != nullptr && !has_begun_) begin_digests();
            comparison.take(item);
        };
        TRY_ASSIGN(std::string missing, read_manifest(entry_, [&](std::string_view piece) {
                       return parser_.take(piece, compare) && checked_;
                   }));
        TRY(checked_);
        if (missing.empty() && !parser_.is_whole()) missing = "it is cut off, or changed";
        // What a manifest says that is not whole may be wrong, and so may be what was compared.
        if (!missing.empty()) return EntryChanges{.no_manifest = std::move(missing), .listed = {}};
        comparison.end();
        if (noted_ != nullptr) noted_->algorithm = parser_.head()->digest;
        for (EntryChange& change : changes_.listed) tell_of_other_names(change);
        if (changes_.unproven) tell_of_other_names(*changes_.unproven);
        return std::move(changes_);
    }

private:
    void add_change(const std::string& path, const std::string& how) {
        if (changes_.listed.size() < most_listed_changes) {
            changes_.listed.push_back({.path = path, .how = how});
        } else {
            ++changes_.not_listed;
        }
    }

    /// Looks for the algorithm that the manifest names. Without it nothing but sizes is compared.
    void begin_digests() {
        has_begun_ = true;
        algorithm_ = find_algorithm(*digests_, parser_.head()->digest);
        changes_.has_digests = algorithm_ != nullptr;
        has_modified_ = inventory_.newest() > parser_.head()->newest;
    }

    /// Compares the digest of a file or symlink, if there is one to compare and it is to be read.
    /// Notes a file that was modified after the publish and has none.
    Result<> compare_contents(const std::string& path, const format::ManifestItem& item) {
        const bool has_digest = algorithm_ != nullptr && !item.digest.empty();
        if (has_digest && digests_->reads == DigestCheck::Reads::all)
            return compare_digest(path, item);
        if (!has_modified_ || item.kind != os::FileKind::regular) return {};
        if (!has_digest && changes_.unproven) return {};
        TRY_ASSIGN(const tree::FilesByPath::FilePlace file, files_.find(path));
        TRY_ASSIGN(const os::FileInfo info, os::stat_at(file.dir, file.name));
        if (info.modified <= parser_.head()->newest) return {};
        if (has_digest) return compare_digest(path, item);
        changes_.unproven = EntryChange{.path = path, .how = modified_since};
        return {};
    }

    /// Compares the digest of one file or symlink with that of the manifest.
    Result<> compare_digest(const std::string& path, const format::ManifestItem& item) {
        if (digests_->stop.stop_requested())
            return fail(Errc::interrupted, "verify", entry_.path, "it was asked to stop");
        TRY_ASSIGN(const tree::FilesByPath::FilePlace file, files_.find(path));
        os::FileInfo info;
        info.kind = item.kind;
        info.size = item.size;
        TRY_ASSIGN(const std::string digest,
                   tree::digest_of(*algorithm_, file.dir, file.name, info));
        ++changes_.files_read;
        base::add(changes_.bytes_read, item.size);
        if (digest == item.digest) return {};
        add_change(path,
                   info.is_symlink() ? "it leads elsewhere than the manifest says" : other_bytes);
        return {};
    }

    /// Says so if a changed file has several names: then it was probably edited through a hard
    /// link.
    void tell_of_other_names(EntryChange& change) {
        const auto file = files_.find(change.path);
        if (!file) return;
        const auto info = os::stat_at(file->dir, file->name);
        if (!info || !info->is_regular() || info->links < 2) return;
        change.how += "; the file has " + std::to_string(info->links) +
                      " names, so it was probably edited through a hard link to it";
    }

    const os::Dir& entry_;
    const tree::Inventory& inventory_;
    const DigestCheck* const digests_;
    NotedDigests* const noted_;
    tree::FilesByPath files_;
    format::ManifestParser parser_;
    bool has_begun_ = false;
    bool has_modified_ = false;  // the tree has a file that was modified after the publish
    const DigestAlgorithm* algorithm_ = nullptr;  // null if no digests are compared
    Result<> checked_;                            // the first error of comparing digests
    EntryChanges changes_;
};

}  // namespace

Result<tree::Size> list_tree(const os::Dir& staged, const os::Dir& tree,
                             const DigestAlgorithm* algorithm, const NotedDigests& noted) {
    const std::string name(algorithm != nullptr ? algorithm->name() : noted.algorithm);
    if (algorithm != nullptr && !format::is_digest_name(name)) {
        return fail(Errc::invalid, "publish", tree.path,
                    "the digest's algorithm must have a name of small letters, digits and dashes");
    }
    // Noted digests without the name of their algorithm are of the one that is given.
    const bool noted_are_good = noted.algorithm.empty() || noted.algorithm == name;
    const tree::FindDigest find = [&](const os::Dir& parent, const std::string& file,
                                      const os::FileInfo& info,
                                      const std::string& path) -> Result<std::string> {
        if (noted_are_good) {
            const auto found = noted.files.find(path);
            if (found != noted.files.end() && found->second.size == info.size)
                return found->second.digest;
        }
        if (algorithm == nullptr) return std::string();
        auto digest = tree::digest_of(*algorithm, parent, file, info);
        if (why_of(digest) == Why::denied) return std::string();
        return digest;
    };
    tree::Inventory inventory;
    TRY_ASSIGN(const tree::Size size,
               tree::measure_new(tree, &inventory, name.empty() ? nullptr : &find));
    TRY(write_manifest(staged, inventory, name));
    return size;
}

Result<std::optional<format::ManifestHead>> read_manifest_head(const os::Dir& entry) {
    std::string text;
    TRY_ASSIGN(const auto missing, read_manifest(entry, [&](std::string_view piece) {
                   text += piece;
                   return text.size() < format::max_manifest_head;
               }));
    if (!missing.empty()) return std::nullopt;
    return format::parse_manifest_head(text);
}

Result<bool> for_each_listed_file(
    const os::Dir& entry,
    const std::function<void(const std::string& path, const format::ManifestItem& file,
                             const format::ManifestHead& head)>& visit) {
    format::ManifestParser parser;
    std::string dir_path;              // of the present directory; with a slash behind it
    std::vector<std::size_t> lengths;  // of the paths of the directories that lead to it
    std::string path;
    const auto take = [&](const format::ManifestItem& item) {
        if (item.kind == os::FileKind::directory) {
            // The parser has checked that a directory lies one level below another one at most.
            lengths.resize(item.depth);
            dir_path.resize(lengths.empty() ? 0 : lengths.back());
            if (item.depth > 0) dir_path.append(item.name).append("/");
            lengths.push_back(dir_path.size());
        } else if (item.kind == os::FileKind::regular) {
            path.assign(dir_path).append(item.name);
            visit(path, item, *parser.head());
        }
    };
    TRY_ASSIGN(const std::string missing, read_manifest(entry, [&](std::string_view piece) {
                   return parser.take(piece, take);
               }));
    return missing.empty() && parser.is_whole();
}

Result<EntryChanges> compare_with_manifest(const os::Dir& entry, const tree::Inventory& inventory,
                                           const DigestCheck* digests, NotedDigests* noted) {
    return ManifestComparison(entry, inventory, digests, noted).compare();
}

/// The digests of an entry's files, by their paths below the tree, and their algorithm, once they
/// were asked for. The threads of one walk share them: see tree/walk.cpp about forks.
struct ModifiedFiles::Listed {
    std::mutex mutex;
    bool is_read = false;
    const DigestAlgorithm* algorithm = nullptr;  // null if this program has none that helps
    std::unordered_map<std::string, std::string> digests;
};

ModifiedFiles::ModifiedFiles(os::Dir entry, DigestCheck check)
    : entry_(std::move(entry)), check_(std::move(check)), listed_(std::make_unique<Listed>()) {}
ModifiedFiles::~ModifiedFiles() = default;

/// Reads the digests of the manifest, once. Requires: the lock is held.
Result<> ModifiedFiles::list() {
    if (listed_->is_read) return {};
    const auto take = [&](const std::string& path, const format::ManifestItem& file,
                          const format::ManifestHead& head) {
        listed_->algorithm = find_algorithm(check_, head.digest);
        if (!file.digest.empty()) listed_->digests[path] = file.digest;
    };
    TRY_ASSIGN(const bool is_whole, for_each_listed_file(entry_, take));
    if (!is_whole) listed_->digests.clear();
    listed_->is_read = true;
    return {};
}

Result<std::optional<std::string>> ModifiedFiles::fault_of(const os::Dir& dir,
                                                           const std::string& name,
                                                           const os::FileInfo& info,
                                                           const std::string& path) {
    if (check_.stop.stop_requested())
        return fail(Errc::interrupted, "materialize", dir / name, "it was asked to stop");
    {
        const std::lock_guard lock(listed_->mutex);
        TRY(list());
    }
    const auto digest = listed_->digests.find(path);
    if (listed_->algorithm == nullptr || digest == listed_->digests.end())
        return std::string(modified_since);
    TRY_ASSIGN(const std::string now, tree::digest_of(*listed_->algorithm, dir, name, info));
    if (now != digest->second) return std::string(other_bytes);
    return std::nullopt;
}

}  // namespace larder::protocol
