// SPDX-License-Identifier: MIT
#include <system_error>

#include <larder/materialize.hpp>

#include "os/file.hpp"
#include "os/rename.hpp"
#include "tree/carry.hpp"
#include "tree/containment.hpp"
#include "tree/remove.hpp"
#include "tree/walk.hpp"

namespace larder {

namespace {

namespace fs = std::filesystem;

constexpr const char* step = "materialize";

/// Refuses a destination in a cache, because it could overwrite an entry; one that contains the
/// tree or its cache; and one inside the tree, because the copy would never end. Errors: `invalid`.
Result<> check_places(const fs::path& tree, const fs::path& destination) {
    if (const auto cache = tree::enclosing_cache(destination)) {
        return fail(Errc::invalid, step, destination, "lies inside the cache " + cache->string());
    }
    const fs::path outermost = tree::enclosing_cache(tree).value_or(tree);
    if (tree::lies_within(outermost, destination)) {
        return fail(Errc::invalid, step, destination,
                    "contains " + outermost.string() + ", where the files come from");
    }
    if (tree::lies_within(destination, tree)) {
        return fail(Errc::invalid, step, destination,
                    "lies inside the tree that is to be put there");
    }
    return {};
}

/// A destination where nothing stands yet.
struct MissingDestination {
    const os::Dir& parent;
    std::string name;
    fs::path path;  // for messages
};

/// Fills the new directory `fresh`, which stands beside the destination, and renames it to the
/// destination. After an error the caller must remove `fresh`.
Result<MaterializeReport> fill_and_rename(const os::Dir& source, const std::string& fresh,
                                          const MissingDestination& destination,
                                          const MaterializeOptions& options) {
    TRY_ASSIGN(os::Dir into, os::open_dir_at(destination.parent, fresh));
    into.path = destination.path;
    const tree::Destination hidden{
        .dir = into,
        .visibility = tree::Visibility::hidden,
        .refusal = os::Refusal::is_counted,
    };
    TRY_ASSIGN(auto report, tree::carry(source, hidden, options));
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(source));
    TRY_ASSIGN(const bool is_exact,
               tree::finish_directory(source, info, into, os::Refusal::is_counted));
    if (!is_exact) ++report.inexact;
    ++report.directories;
    TRY(os::rename_new(destination.parent, fresh, destination.parent, destination.name));
    return report;
}

/// Makes a destination that is missing by one rename: fills a directory beside it first. So the
/// destination is whole or missing, and no other process sees half of it.
/// Errors: `exists` if another process has made the destination meanwhile. After an error nothing
/// is left.
/// Crash: a kill leaves a `.larder-…` beside the destination.
Result<MaterializeReport> make_whole(const os::Dir& source, const MissingDestination& destination,
                                     const MaterializeOptions& options) {
    const std::string fresh = tree::fresh_name();
    if (auto made = os::make_dir_at(destination.parent, fresh); !made) {
        made.error().path = destination.path;
        return tl::make_unexpected(std::move(made).error());
    }
    auto filled = fill_and_rename(source, fresh, destination, options);
    if (!filled) (void)tree::remove_tree_at(destination.parent, fresh);
    return filled;
}

/// Fills a destination that exists. Symlinks in the path that the caller gave are followed, and
/// none below it. Errors: `exists` if the path leads to something other than a directory.
Result<MaterializeReport> fill_existing(const os::Dir& source, const fs::path& path,
                                        const MaterializeOptions& options) {
    const auto into = os::open_dir(path);
    if (why_of(into) == Why::not_directory)
        return fail(Errc::exists, step, path, "no directory, and a directory should go there");
    TRY(into);
    const tree::Destination visible{
        .dir = *into,
        .visibility = tree::Visibility::visible,
        .refusal = os::Refusal::is_counted,
    };
    return tree::carry(source, visible, options);
}

/// Returns whether nothing stands at the path, not even a symlink that leads nowhere. If the look
/// at it is refused, what can't be opened counts as missing: the rename that ends make_whole
/// replaces nothing.
bool is_missing(const fs::path& path) {
    const auto info = os::try_stat_path(path, os::Follow::no);
    if (info) return false;
    return why_of(info) == Why::absent || is_absent(os::open_dir(path));
}

}  // namespace

Result<MaterializeReport> materialize(const fs::path& tree, const fs::path& destination,
                                      const MaterializeOptions& options) {
    TRY_ASSIGN(const os::Dir source, os::open_dir(tree));
    TRY(check_places(tree, destination));
    const fs::path path = destination.has_filename() ? destination : destination.parent_path();
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code error;
    (void)os::retried(error,
                      [&](std::error_code& each) { return fs::create_directories(parent, each); });
    if (error) return os::fail(error, "make directory", parent);
    if (is_missing(path)) {
        TRY_ASSIGN(const os::Dir around, os::open_dir(parent));
        auto made = make_whole(
            source, {.parent = around, .name = path.filename().string(), .path = path}, options);
        // Another process may have made the destination meanwhile. Then it is filled like any
        // other.
        if (why_of(made) != Why::exists || is_missing(path)) return made;
    }
    return fill_existing(source, path, options);
}

}  // namespace larder
