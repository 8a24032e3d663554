// SPDX-License-Identifier: MIT
#include <system_error>

#include <larder/materialize.hpp>

#include "os/file.hpp"
#include "tree/carry.hpp"
#include "tree/containment.hpp"
#include "tree/transfer.hpp"

namespace larder {

namespace {

namespace fs = std::filesystem;

constexpr const char* step = "materialize";

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

struct Destination {
    os::Dir dir;
    bool made = false;
};

/// Opens the destination, and makes it if it is missing. Follows symlinks in the path that the
/// caller gave, and none below it.
Result<Destination> make_destination(fs::path path) {
    if (!path.has_filename()) path = path.parent_path();  // "a/b/"
    std::error_code error;
    if (path.has_parent_path())
        (void)os::retried(error, [&](std::error_code& each) {
            return fs::create_directories(path.parent_path(), each);
        });
    if (error) return os::fail(error, "make directory", path.parent_path());
    TRY_ASSIGN(const bool made, os::make_dir(path));
    auto dir = os::open_dir(path);
    if (why_of(dir) == Why::not_directory)
        return fail(Errc::exists, step, path, "no directory, and a directory should go there");
    TRY(dir);
    return Destination{std::move(*dir), made};
}

}  // namespace

Result<MaterializeReport> materialize(const fs::path& tree, const fs::path& destination,
                                      const MaterializeOptions& options) {
    TRY_ASSIGN(const os::Dir source, os::open_dir(tree));
    TRY(check_places(tree, destination));
    TRY_ASSIGN(const Destination into, make_destination(destination));
    TRY_ASSIGN(MaterializeReport report, tree::carry(source, into.dir, options));
    if (into.made) {
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(source));
        TRY(tree::finish_directory(info, into.dir));
        ++report.directories;
    }
    return report;
}

}  // namespace larder
