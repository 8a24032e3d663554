// SPDX-License-Identifier: MIT
// Walks a tree by directory handles: one thread, or several that share its directories.
//
// Each directory that has been entered and not left is a WalkDir, with its own handle and its own position in its listing. A
// thread takes the next name of the place it is in; where that is a directory it goes on inside it, so that few places are open
// at a time. A thread that has nothing left takes names from a place of another's, outermost first: what it finds there is
// likely to be a whole subtree. So a wide directory is shared as well as a deep tree, and memory does not grow with the files.
#pragma once

#include <memory>
#include <string>

#include "os/dir_reader.hpp"

namespace larder::tree {

/// A directory being walked. Visitors derive from it what they have to know about one.
struct WalkDir {
    WalkDir(os::Dir opened, os::DirReader listing)
        : dir(std::move(opened)), reader(std::move(listing)) {}
    virtual ~WalkDir() = default;

    os::Dir dir;
    os::DirReader reader;  // the walk's own, under its lock
    std::string name;      // in the parent
    WalkDir* parent =
        nullptr;         // of the same walk; null at the top. Stays until this place is left.
    unsigned depth = 0;  // below the top
    unsigned busy =
        0;  // the walk's own: names being visited, and places entered from here and not left
    bool listed = false;  // the walk's own: no names left to hand out
};

/// What is done on a walk. Calls come from several threads at a time, for different names.
class Visitor {
public:
    /// Returns the place to walk, where `name` is a directory that has to be walked; else null. `kind` may be
    /// unknown.
    [[nodiscard]] virtual Result<std::unique_ptr<WalkDir>> visit(WalkDir& place,
                                                                 const std::string& name,
                                                                 os::FileKind kind) = 0;

    enum class Next { done, list_again };
    /// Every name in `place` has been visited, and every place entered from it has been left.
    [[nodiscard]] virtual Result<Next> leave(WalkDir& place) = 0;

    /// Gets each error of the above, and of listing `place`. Returned as it is it ends the walk; otherwise the walk goes on.
    [[nodiscard]] virtual Result<> failed(WalkDir&, Error error) {
        return tl::make_unexpected(std::move(error));
    }

protected:
    ~Visitor() = default;
};

/// Who walks: this thread alone for the first names, since most trees are small and starting a thread costs as much as deleting
/// several files; then helpers, up to `threads` in all. Where no thread can be started there are fewer.
struct Team {
    unsigned threads = 1;
    std::uint64_t alone = 0;
};

/// Visits everything below the top, and leaves the top last.
[[nodiscard]] Result<> walk(std::unique_ptr<WalkDir> top, Visitor& visitor, Team team = {});

/// ParticipantDirs deeper than this below the top of a walk are not entered: the visitor puts them off, as the top of another walk. A
/// place holds up to three descriptors; four threads in chains that are disjoint and full, which is arbitrarily unlikely, hold
/// 384 of the usual 1,024.
constexpr unsigned max_depth = 32;

/// The path of `name` in `place` below the walk's top, for a walk put off.
[[nodiscard]] std::string path_below_top(const WalkDir& place, const std::string& name);
/// Opens a directory by such a path, name by name, following no symlink anywhere.
[[nodiscard]] Result<os::Dir> open_below(const os::Dir& top, const std::string& path);
/// A second handle on the same directory.
[[nodiscard]] Result<os::Dir> reopen(const os::Dir& dir);

/// A name that nobody else draws, for what is on its way somewhere.
[[nodiscard]] std::string fresh_name();

}  // namespace larder::tree
