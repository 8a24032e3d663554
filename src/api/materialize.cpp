// SPDX-License-Identifier: MIT
#include <memory>
#include <system_error>

#include <larder/materialize.hpp>

#include "format/layout.hpp"
#include "format/record.hpp"
#include "os/file.hpp"
#include "os/rename.hpp"
#include "protocol/entry_manifest.hpp"
#include "tree/carry.hpp"
#include "tree/containment.hpp"
#include "tree/remove.hpp"
#include "tree/unfinished.hpp"
#include "tree/walk.hpp"

namespace larder {

namespace {

namespace fs = std::filesystem;

constexpr const char* step = "materialize";

/// Refuses three kinds of destinations, with the error `invalid`:
///   - one in a cache, because filling it could overwrite an entry;
///   - one that contains the tree, or the cache of the tree, because it could overwrite those;
///   - one inside the tree, because the copy would never end.
/// Errors also if the system does not tell what the places lie in.
Result<> check_places(const fs::path& tree, const fs::path& destination) {
    TRY_ASSIGN(const auto cache, tree::enclosing_cache(destination));
    if (cache) {
        return fail(Errc::invalid, step, destination, "lies inside the cache " + cache->string());
    }
    TRY_ASSIGN(const auto origin, tree::enclosing_cache(tree));
    const fs::path outermost = origin.value_or(tree);
    TRY_ASSIGN(const bool is_around, tree::lies_within(outermost, destination));
    if (is_around) {
        return fail(Errc::invalid, step, destination,
                    "contains " + outermost.string() + ", where the files come from");
    }
    TRY_ASSIGN(const bool is_inside, tree::lies_within(destination, tree));
    if (is_inside) {
        return fail(Errc::invalid, step, destination,
                    "lies inside the tree that is to be put there");
    }
    return {};
}

/// Returns whether a tree without a readable manifest beside it is an entry's all the same. A
/// record beside it says so, or its path: a power cut can take both files. `entry` is the directory
/// around the tree. Errors: as tree::is_entry_tree.
Result<bool> is_of_entry(const Result<os::Dir>& entry, const fs::path& tree) {
    if (entry) {
        const auto record = os::read_file_at(*entry, format::record_name, format::max_record);
        if (record && format::parse_record(*record)) return true;
    }
    return tree::is_entry_tree(tree);
}

/// Returns how the files of a tree were published, if it is that of an entry: its manifest stands
/// beside it. Returns nullopt for any other tree. Costs three system calls for an entry, however
/// many files there are. Errors: `damaged` for an entry that has no manifest; those of reading it.
/// Requires: `options` outlives the result.
Result<std::optional<tree::PublishedFiles>> published_files(const os::Dir& source,
                                                            const fs::path& tree,
                                                            const MaterializeOptions& options) {
    // By the handle, because the path may lead through the link of a key.
    auto entry = os::open_dir_for_names_at(source, "..");
    // For messages. A path with another end may be a link to the tree, and what lies beside that
    // does not lie beside the link.
    if (entry && tree.filename() == format::tree_name) entry->path = tree.parent_path();
    using Head = Result<std::optional<format::ManifestHead>>;
    const Head head =
        entry ? protocol::read_manifest_head(*entry) : Head(tl::make_unexpected(entry.error()));
    if (!head || !*head) {
        TRY_ASSIGN(const bool is_entry, is_of_entry(entry, tree));
        if (!is_entry) return std::nullopt;
        TRY(head);
        return fail(Errc::damaged, step, tree,
                    "this entry has no manifest, so it can't be told whether its files are those "
                    "that were published; publish the key again");
    }
    const auto modified = std::make_shared<protocol::ModifiedFiles>(
        std::move(*entry),
        protocol::DigestCheck{.algorithms = options.digests, .stop = options.stop});
    return tree::PublishedFiles{
        .newest = (*head)->newest,
        .fault_of = [modified](const os::Dir& dir, const std::string& name,
                               const os::FileInfo& info, const std::string& path) {
            return modified->fault_of(dir, name, info, path);
        }};
}

/// A tree that is put somewhere else.
struct SourceTree {
    const os::Dir& dir;
    const tree::PublishedFiles* published;  ///< null if it is no entry's
};

/// A destination where nothing stands yet: a free name in an open directory.
struct MissingDestination {
    const os::Dir& parent;
    std::string name;
    fs::path path;  ///< the destination as the caller named it, for messages
};

/// Fills the new directory `fresh`, which stands beside the destination, and renames it to the
/// destination. Errors: `exists` if another process has made the destination meanwhile, and those
/// of tree::carry. After an error the caller must remove `fresh`.
Result<MaterializeReport> fill_and_rename(const SourceTree& source, const std::string& fresh,
                                          const MissingDestination& destination,
                                          const MaterializeOptions& options) {
    TRY_ASSIGN(os::Dir into, os::open_dir_at(destination.parent, fresh));
    into.path = destination.path;  // A message names the destination, not a directory that is gone.
    const tree::Destination hidden{
        .dir = into,
        .visibility = tree::Visibility::hidden,
        .refusal = os::Refusal::is_counted,
    };
    TRY_ASSIGN(auto report, tree::carry(source.dir, hidden, options, source.published));
    // The top gets its mode and times last, because each file that is made in it changes its time.
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(source.dir));
    TRY_ASSIGN(const bool is_exact,
               tree::finish_directory(source.dir, info, into, os::Refusal::is_counted));
    if (!is_exact) ++report.inexact;
    ++report.directories;
    TRY(os::rename_new(destination.parent, fresh, destination.parent, destination.name));
    return report;
}

/// Makes a destination that is missing: fills a directory beside it, and then renames that. So the
/// destination is whole or missing, and no other process sees half of it.
/// Errors: `exists` if another process has made the destination meanwhile. After an error nothing
/// is left.
/// Crash: a kill leaves a `.larder-…` beside the destination, which a later call deletes.
Result<MaterializeReport> make_whole(const SourceTree& source,
                                     const MissingDestination& destination,
                                     const MaterializeOptions& options) {
    std::string fresh = tree::unfinished_name();
    auto made = os::make_dir_at(destination.parent, fresh);
    if (why_of(made) == Why::name_too_long) {
        // Some file systems have short names only.
        fresh = tree::fresh_name();
        made = os::make_dir_at(destination.parent, fresh);
    }
    if (!made) {
        made.error().path = destination.path;  // The caller does not know the fresh name.
        return tl::make_unexpected(std::move(made).error());
    }
    auto filled = fill_and_rename(source, fresh, destination, options);
    // If this fails too, the first error still says more than a second one would.
    if (!filled) (void)tree::remove_tree_at(destination.parent, fresh);
    return filled;
}

/// Fills a destination that exists. Symlinks in the path that the caller gave are followed, and
/// none below it. Errors: `exists` if the path leads to something other than a directory, and those
/// of tree::carry. What was made before an error stays.
Result<MaterializeReport> fill_existing(const SourceTree& source, const fs::path& path,
                                        const MaterializeOptions& options) {
    const auto into = os::open_dir_for_names(path);
    if (why_of(into) == Why::not_directory)
        return fail(Errc::exists, step, path, "no directory, and a directory should go there");
    TRY(into);  // Any other error is the system's, and says itself what is wrong.
    const tree::Destination visible{
        .dir = *into,
        .visibility = tree::Visibility::visible,
        .refusal = os::Refusal::is_counted,
    };
    return tree::carry(source.dir, visible, options, source.published);
}

/// Returns true if nothing stands at the path, not even a symlink that leads nowhere.
bool is_missing(const fs::path& path) {
    const auto info = os::try_stat_path(path, os::Follow::no);
    if (info) return false;
    if (why_of(info) == Why::absent) return true;
    // Some sandboxes refuse stat and allow open. A symlink that leads nowhere then seems to be
    // missing. That is harmless: the rename that ends make_whole fails with `exists`.
    return is_absent(os::open_dir(path));
}

/// Makes a directory, and those above it, if they are missing.
Result<> make_directories(const fs::path& path) {
    std::error_code error;
    (void)os::retried(error,
                      [&](std::error_code& each) { return fs::create_directories(path, each); });
    if (error) return os::fail(error, "make directory", path);
    return {};
}

}  // namespace

// A destination that is missing is made whole, by one rename. One that exists is filled file by
// file, because other files may stand in it. The contract is in <larder/materialize.hpp>.
Result<MaterializeReport> materialize(const fs::path& tree, const fs::path& destination,
                                      const MaterializeOptions& options) {
    TRY_ASSIGN(const os::Dir dir, os::open_dir(tree));
    TRY(check_places(tree, destination));
    TRY_ASSIGN(const auto published, published_files(dir, tree, options));
    const SourceTree source{.dir = dir, .published = published ? &*published : nullptr};
    // "a/b/" names what "a/b" does, but has no last part for the rename.
    const fs::path path = destination.has_filename() ? destination : destination.parent_path();
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    TRY(make_directories(parent));
    if (!is_missing(path)) return fill_existing(source, path, options);

    TRY_ASSIGN(const os::Dir parent_dir, os::open_dir_for_names(parent));
    tree::remove_unfinished(parent_dir, options.stop);
    auto made = make_whole(
        source, {.parent = parent_dir, .name = path.filename().string(), .path = path}, options);
    const bool another_process_made_it = why_of(made) == Why::exists && !is_missing(path);
    return another_process_made_it ? fill_existing(source, path, options) : std::move(made);
}

}  // namespace larder
