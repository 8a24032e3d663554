// SPDX-License-Identifier: MIT
// Walks a tree by directory handles, with one thread or with several that share its directories.
//
// A WalkDir is a directory that the walk has entered and not yet left. It has its own handle and
// its own position in its listing. A thread takes the next name from its directory. If the name is
// a directory, the thread continues inside it, so that few directories are open at a time. If a
// thread has no names left, it takes names from a directory of another thread: from the outermost
// one, because there it is likely to get a whole subtree. So several threads share a wide
// directory as well as a deep tree, and the memory does not grow with the number of files.
#pragma once

#include <memory>
#include <string>

#include "os/dir_reader.hpp"

namespace larder::tree {

/// A directory being walked. The walk owns it from the visit that returns it until it was left. A
/// visitor may derive its own type from it, and then makes every directory of its walk as one.
struct WalkDir {
    WalkDir(os::Dir opened, os::DirReader listing)
        : dir(std::move(opened)), reader(std::move(listing)) {}
    virtual ~WalkDir() = default;

    os::Dir dir;
    std::string name;           // in the parent
    WalkDir* parent = nullptr;  // in the same walk; null at the top. It outlives this directory.
    unsigned depth = 0;         // below the top

    // The rest belongs to the walk and is guarded by its lock.
    os::DirReader reader;  // may borrow the handle of `dir`
    unsigned busy = 0;    // names being visited, and directories entered from here and not yet left
    bool listed = false;  // all names have been handed out
};

/// Receives the names of a walk. Several threads may call it at a time, for different names.
class Visitor {
public:
    /// Does what there is to do with one name of a directory. If the walk should enter it, returns
    /// it, opened. Otherwise returns null, and the name is done. `kind` may be unknown.
    [[nodiscard]] virtual Result<std::unique_ptr<WalkDir>> visit(WalkDir& dir,
                                                                 const std::string& name,
                                                                 os::FileKind kind) = 0;

    enum class AfterLeave {
        done,        ///< the walk forgets the directory
        list_again,  ///< the walk lists the directory once more from its beginning
    };
    /// Called when every name in `dir` has been visited and every directory entered from it left.
    /// Returns what happens to the directory; an error counts as `done`.
    [[nodiscard]] virtual Result<AfterLeave> leave(WalkDir& dir) = 0;

    /// Called with each error of the two functions above, and of listing `dir`. An error that it
    /// returns ends the walk; without one the walk continues.
    [[nodiscard]] virtual Result<> failed(WalkDir&, Error error) {
        return tl::make_unexpected(std::move(error));
    }

protected:
    ~Visitor() = default;
};

/// How many threads walk. The calling thread visits the first `alone` names by itself, because most
/// trees are small and to start a thread costs as much as to delete several files. Then helpers
/// join, up to `threads` in all, or fewer if no thread can be started.
struct WalkThreads {
    unsigned threads = 1;
    std::uint64_t alone = 0;
};

/// Visits everything below the top and leaves the top last. A directory is left after everything in
/// it, also with several threads; the order of its names is open. Errors: the first one that the
/// visitor does not pass over; the rest of the tree is not visited then. Throws what the visitor
/// throws.
[[nodiscard]] Result<> walk(std::unique_ptr<WalkDir> top, Visitor& visitor,
                            WalkThreads threads = {});

/// A visitor should not let a walk enter a directory deeper than this below the top, but put it off
/// and make it the top of another walk. A WalkDir holds up to three descriptors. In the worst case,
/// four threads in four full chains without a common directory, that is 384 of the usual 1,024.
constexpr unsigned max_depth = 32;

/// How many directories that were put off stay open. The others are opened again by their path,
/// which costs as much as the path is long. A walk continues with the directory that it put off
/// last, so those are kept, and each level of a chain costs the same. Arbitrary: it is small beside
/// the descriptors above.
constexpr std::size_t max_open_put_off = 16;

/// Returns the path of `name` in `dir`, below the walk's top: the names with a slash between each
/// two of them.
[[nodiscard]] std::string path_below_top(const WalkDir& dir, const std::string& name);
/// Opens a directory by a path of path_below_top, name by name, so that no part of it is followed
/// if it has become a symlink. An empty path is the top itself, which gets a second handle.
[[nodiscard]] Result<os::Dir> open_below(const os::Dir& top, const std::string& path);
/// Does the same for a directory in which the caller only uses names: see os::open_dir_for_names.
[[nodiscard]] Result<os::Dir> open_below_for_names(const os::Dir& top, const std::string& path);
/// Opens the same directory a second time. The new handle has a position of its own for listing,
/// and stays open if the other one is closed.
[[nodiscard]] Result<os::Dir> reopen(const os::Dir& dir);

/// Returns a name that no other process draws: ".larder-…". It is for a file or directory that is
/// renamed later, also outside of a cache.
[[nodiscard]] std::string fresh_name();

}  // namespace larder::tree
