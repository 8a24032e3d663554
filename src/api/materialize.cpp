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

/// Makes the directory `name` of `parent`, which is missing, by one rename: fills a directory
/// beside it first. So the destination is whole or missing, and no other process sees half of it.
/// After an error nothing is left; a kill leaves a `.larder-…`. Errors: `exists` if another process
/// has made the destination meanwhile.
Result<MaterializeReport> make_whole(const os::Dir& source, const os::Dir& parent,
                                     const std::string& name, const fs::path& destination,
                                     const MaterializeOptions& options) {
    const std::string fresh = tree::fresh_name();
    if (auto made = os::make_dir_at(parent, fresh); !made) {
        made.error().path = destination;
        return tl::make_unexpected(std::move(made).error());
    }
    auto filled = [&]() -> Result<MaterializeReport> {
        TRY_ASSIGN(os::Dir into, os::open_dir_at(parent, fresh));
        into.path = destination;  // for messages
        TRY_ASSIGN(auto report, tree::carry(source, into, options, tree::Sight::hidden,
                                            os::Refusal::is_counted));
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(source));
        TRY_ASSIGN(const bool is_exact,
                   tree::finish_directory(source, info, into, os::Refusal::is_counted));
        if (!is_exact) ++report.inexact;
        ++report.directories;
        TRY(os::rename_new(parent, fresh, parent, name));
        return report;
    }();
    if (!filled) (void)tree::remove_tree_at(parent, fresh);
    return filled;
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
    if (why_of(os::try_stat_path(path, os::Follow::no)) == Why::absent) {
        TRY_ASSIGN(const os::Dir around, os::open_dir(parent));
        auto made = make_whole(source, around, path.filename().string(), path, options);
        // Another process may have made the destination meanwhile. Then it is filled like any
        // other.
        if (why_of(made) != Why::exists || !os::try_stat_path(path, os::Follow::no)) return made;
    }
    // Symlinks in the path that the caller gave are followed, and none below it.
    const auto into = os::open_dir(path);
    if (why_of(into) == Why::not_directory)
        return fail(Errc::exists, step, path, "no directory, and a directory should go there");
    TRY(into);
    return tree::carry(source, *into, options, tree::Sight::seen, os::Refusal::is_counted);
}

}  // namespace larder
