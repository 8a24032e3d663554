// SPDX-License-Identifier: MIT
#include "tree/remove.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "os/points.hpp"
#include "os/rename.hpp"
#include "tree/space.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

/// How often a directory is listed if it is still not empty. Arbitrary: a process that still writes
/// there during the third listing will not stop soon.
constexpr unsigned max_passes = 3;

/// Progress is reported after this many files. Arbitrary, because it takes some milliseconds to
/// delete them.
constexpr std::uint64_t progress_step = 256;

/// A directory that is being deleted. Removal makes each directory of its walk as one of these.
struct DoomedDir final : WalkDir {
    using WalkDir::WalkDir;
    unsigned passes = 0;  // how often it was listed
    // Something in it cannot be deleted, so it need not be listed again.
    std::atomic<bool> stuck{false};
};

/// Returns a directory of the walk as what it was made as. Requires: the walk is a Removal's.
DoomedDir& as_doomed(WalkDir& dir) { return static_cast<DoomedDir&>(dir); }

/// Where a tree stands that is to be removed with its top.
struct TreeName {
    const os::Dir& parent;
    const std::string& name;
};

/// One deletion of a tree. A name that cannot be deleted is left, with the directories around it,
/// and all others are deleted.
class Removal final : public Visitor {
public:
    /// Deletes files of `file_system`, which is any directory there. `own_name` says where the top
    /// stands; without it, the top is emptied and stays. Requires: all arguments, and what they
    /// refer to, outlive the Removal.
    Removal(const os::Dir& file_system, std::optional<TreeName> own_name,
            const RemoveOptions& options)
        : own_name_(own_name), options_(options), space_(options.count_freed, file_system) {}

    /// Deletes what is below `top`, and then `top` itself if the Removal has its name. Errors: the
    /// first name that could not be deleted, after all others are gone; `interrupted`, and then any
    /// part of the tree may be left.
    Result<Removed> run(std::unique_ptr<DoomedDir> top, WalkThreads threads) {
        walk_top_ = &top->dir;
        TRY(walk(std::move(top), *this, threads));
        if (first_error_) return tl::make_unexpected(std::move(*first_error_));
        return removed();
    }

    /// Deletes one name that is no directory; returns null then, and also if the name is gone
    /// already. Returns a directory opened, so that the walk empties it. A directory that is too
    /// deep is moved to the top of the tree instead; one that can't be moved is emptied where it
    /// is, however deep.
    Result<std::unique_ptr<WalkDir>> visit(WalkDir& parent, const std::string& name,
                                           os::FileKind kind) override {
        if (options_.stop.stop_requested())
            return fail(Errc::interrupted, "remove", parent.dir / name,
                        "stopped on request; the next collection continues");
        if (kind != os::FileKind::directory) {
            TRY_ASSIGN(const bool is_gone, remove_file(parent.dir, name, kind));
            if (is_gone) return nullptr;
        }
        // Open it even if it is going to be moved: that makes it writable, and only a writable
        // directory can be moved to another one, because its ".." changes.
        TRY_ASSIGN(auto dir, open_doomed(parent.dir, name));
        if (dir == nullptr) return nullptr;
        const bool is_too_deep = parent.depth + 1 >= max_depth;
        if (is_too_deep && move_to_top(parent.dir, name)) return nullptr;
        return dir;
    }

    /// Removes a directory that was emptied. If a name was added since it was listed, the directory
    /// is listed again, at most max_passes times. A directory in which something is stuck stays,
    /// and so do those around it.
    Result<AfterLeave> leave(WalkDir& emptied) override {
        DoomedDir& dir = as_doomed(emptied);
        ++dir.passes;
        if (dir.parent == nullptr) {
            // The listing of the top may not have shown what was moved there meanwhile.
            if (moved_to_top_.exchange(false)) return AfterLeave::list_again;
            if (!own_name_) return AfterLeave::done;
        }
        const auto removed = remove_emptied(dir);
        if (!removed) return after_refusal(dir, removed.error());
        ++directories_;
        return AfterLeave::done;
    }

    /// Keeps the first error, and lets the walk go on to the other names. Only `interrupted` ends
    /// it.
    Result<> failed(WalkDir& dir, Error error) override {
        if (error.code == Errc::interrupted) return tl::make_unexpected(std::move(error));
        // The error is of a name in `dir`, or of `dir` itself. In both cases `dir` stays, and the
        // directory around it is not empty.
        as_doomed(dir).stuck = true;
        mark_parent_stuck(dir);
        const std::lock_guard lock(error_mutex_);
        if (!first_error_) first_error_ = std::move(error);
        return {};
    }

    /// Opens a directory that is to be emptied, and makes it writable. Returns null if nothing is
    /// left to do here: it is gone, was a file, or was moved to the top. Errors: Why::busy if
    /// something is mounted there, which is never entered; any other reason why it can't be opened.
    Result<std::unique_ptr<DoomedDir>> open_doomed(const os::Dir& parent, const std::string& name) {
        auto opened = try_open(parent, name);
        if (why_of(opened) == Why::denied) {
            // If this is refused too, opening it again returns the error.
            (void)os::set_permissions_at(parent, name, os::Permissions::owner_all);
            opened = try_open(parent, name);
        }
        if (!opened) {
            TRY(settle_unopened(parent, name, opened.error()));
            return nullptr;
        }
        // Ask only after opening it: the first refusal may have met this very directory.
        if (!os::sees_bind_mounts()) {
            TRY_ASSIGN(const bool is_gone, remove_unless_mounted(parent, name));
            if (is_gone) return nullptr;
        }
        return opened;
    }

    /// Deletes a name that is no directory, and counts what the disk gets back. Returns true if the
    /// name is gone, also if another process has deleted it; false if it is a directory.
    Result<bool> remove_file(const os::Dir& parent, const std::string& name, os::FileKind kind) {
        // Some systems let root unlink a directory, and then leak its contents.
        if (kind == os::FileKind::unknown) {
            const auto info = os::stat_at(parent, name);
            if (is_absent(info)) return true;
            TRY(info);
            if (info->is_directory()) return false;
        }
        const FreedSpace freed = space_.freed_by_unlinking(parent, name);
        const auto removed = os::remove_file_at(parent, name);
        if (removed) {
            space_.add(freed);
            report_progress(++files_);
            return true;
        }
        if (is_absent(removed)) return true;
        // Another process has replaced it by a directory. Linux reports that it is a directory;
        // POSIX allows "not permitted", which has other causes too.
        if (why_of(removed) == Why::is_directory) return false;
        if (why_of(removed) == Why::not_permitted) {
            const auto info = os::stat_at(parent, name);
            if (info && info->is_directory()) return false;
        }
        return tl::make_unexpected(removed.error());
    }

    /// Returns what was deleted so far.
    [[nodiscard]] Removed removed() const {
        return {
            .files = files_,
            .directories = directories_,
            .freed = space_.bytes(),
            .freed_at_least = space_.is_at_least(),
        };
    }

private:
    /// Marks the directory around `dir`, which can't be removed because `dir` stays. The top of the
    /// walk has none.
    static void mark_parent_stuck(const WalkDir& dir) {
        if (dir.parent != nullptr) as_doomed(*dir.parent).stuck = true;
    }

    /// Removes a directory that should be empty, by its name in the directory around it. Requires:
    /// it is not the top, or the top has a name.
    Result<> remove_emptied(const DoomedDir& dir) const {
        if (const int error = os::point("tree.remove_dir"))
            return os::fail(error, "remove directory", dir.dir.path);
        if (dir.parent == nullptr) return os::remove_dir_at(own_name_->parent, own_name_->name);
        return os::remove_dir_at(dir.parent->dir, dir.name);
    }

    /// Decides what to do about a directory that could not be removed. Errors: `error` itself; that
    /// another process still writes there, after max_passes listings.
    static Result<AfterLeave> after_refusal(DoomedDir& dir, const Error& error) {
        switch (error.why) {
            case Why::absent:  // another process deleted it first, or moved it to the top
                return AfterLeave::done;
            case Why::not_empty:
            case Why::exists:  // the same, on some systems
                break;
            default:
                return tl::make_unexpected(error);
        }
        if (dir.stuck) {
            // What is stuck in it has told its own error.
            mark_parent_stuck(dir);
            return AfterLeave::done;
        }
        // Another process still writes here: it has added a name since the listing.
        if (dir.passes < max_passes) return AfterLeave::list_again;
        return os::fail(Why::not_empty, "remove directory", dir.dir.path,
                        "something still writes here");
    }

    /// Opens a directory that lies on no mount of its own, and makes it writable.
    static Result<std::unique_ptr<DoomedDir>> try_open(const os::Dir& parent,
                                                       const std::string& name) {
        TRY_ASSIGN(os::Dir dir, os::open_dir_unmounted_at(parent, name));
        allow_owner(dir);
        TRY_ASSIGN(auto reader, os::DirReader::borrow(dir));
        return std::make_unique<DoomedDir>(std::move(dir), std::move(reader));
    }

    /// Does what can be done about a name that could not be opened as a directory. Returns success
    /// if nothing is left to do there: it was gone, was a file and is deleted, or was moved to the
    /// top. Errors: Why::busy for a mount point; otherwise `error` itself.
    Result<> settle_unopened(const os::Dir& parent, const std::string& name, const Error& error) {
        switch (error.why) {
            case Why::absent:
                return {};
            case Why::cross_device:
                return mounted(parent, name);
            case Why::is_link:
            case Why::not_directory:  // another process has replaced it by a file
                TRY(remove_file(parent, name, os::FileKind::regular));
                return {};
            case Why::too_many_open_files:
                // The top lists it later, when fewer directories are open.
                if (move_to_top(parent, name)) return {};
                break;
            default:
                break;
        }
        return tl::make_unexpected(error);
    }

    /// Removes a directory if it is empty. Returns whether it is gone. Errors: Why::busy if it is a
    /// mount point, which rmdir refuses before it checks whether the directory is empty. So this
    /// detects a mount that opening the directory could not detect.
    Result<bool> remove_unless_mounted(const os::Dir& parent, const std::string& name) {
        const auto removed = os::remove_dir_at(parent, name);
        if (removed) {
            ++directories_;
            return true;
        }
        if (why_of(removed) == Why::busy) return mounted(parent, name);
        return false;  // it is not empty, as a rule; the walk meets every other reason again
    }

    /// Returns the error for a mount point, which must stay with all that is mounted there.
    static tl::unexpected<Error> mounted(const os::Dir& parent, const std::string& name) {
        return os::fail(Why::busy, "remove directory", parent / name);
    }

    /// Moves a directory to a fresh name directly in the top of the walk, so that the depth of the
    /// walk, and with it the number of open directories, stays small. The top lists it later,
    /// because leave() asks for another listing after such a move. Returns false if the directory
    /// stays where it is: it is a child of the top already, or the rename was refused.
    bool move_to_top(const os::Dir& parent, const std::string& name) {
        if (walk_top_ == nullptr || &parent == walk_top_) return false;
        if (!os::rename_new(parent, name, *walk_top_, fresh_name())) return false;
        moved_to_top_ = true;
        return true;
    }

    /// Reports progress now and then. If another thread is just doing that, this report is left
    /// out.
    void report_progress(std::uint64_t files) {
        if (!options_.on_progress || files % progress_step != 0) return;
        const std::unique_lock reporting(progress_mutex_, std::try_to_lock);
        if (reporting) options_.on_progress(files);
    }

    const std::optional<TreeName> own_name_;  // of the top; none if the top stays
    const RemoveOptions& options_;
    SpaceCount space_;
    std::mutex progress_mutex_;  // held while the caller's function runs
    // The directory of the walk's top, which the walk owns. Null before the walk.
    const os::Dir* walk_top_ = nullptr;
    std::atomic<bool> moved_to_top_{false};  // since the top was listed last
    std::atomic<std::uint64_t> files_{0}, directories_{0};
    std::mutex error_mutex_;  // guards first_error_; see tree/walk.cpp about forks
    std::optional<Error> first_error_;
};

/// How many names one thread deletes before others help, unless the caller chooses the number of
/// threads. Below some hundred files the start of a thread costs more than it saves (measured in
/// bench/README.md).
constexpr std::uint64_t names_removed_alone = 512;

/// Returns the number that the caller chooses, or one thread for each processor, four at most: on
/// some file systems, four are no faster than two already (measured in bench/README.md).
WalkThreads threads_for(unsigned threads) {
    if (threads != 0) return {.threads = threads, .alone = 0};
    const unsigned processors = std::thread::hardware_concurrency();
    return {.threads = std::clamp(processors, 1U, 4U), .alone = names_removed_alone};
}

}  // namespace

Result<Removed> empty_dir(const os::Dir& dir, const RemoveOptions& options) {
    TRY_ASSIGN(os::Dir top, reopen(dir));
    TRY_ASSIGN(auto reader, os::DirReader::borrow(top));
    auto doomed = std::make_unique<DoomedDir>(std::move(top), std::move(reader));
    Removal removal(dir, std::nullopt, options);
    return removal.run(std::move(doomed), threads_for(options.threads));
}

void allow_owner(const os::Dir& dir) {
    const auto info = os::stat_of(dir);
    if (!info || (info->permissions & os::Permissions::owner_all) == os::Permissions::owner_all)
        return;
    (void)os::try_set_permissions(
        dir.handle, (info->permissions & os::Permissions::all) | os::Permissions::owner_all);
}

void allow_owner_at(const os::Dir& parent, const std::string& name) {
    const auto info = os::stat_at(parent, name);
    if (!info || (!info->is_directory() && !info->is_regular())) return;
    const os::Permissions ours =
        info->is_directory() ? os::Permissions::owner_all : os::private_file;
    if ((info->permissions & ours) != ours)
        (void)os::set_permissions_at(parent, name, info->permissions | ours);
}

Result<Removed> remove_tree_at(const os::Dir& parent, const std::string& name,
                               const std::stop_token& stop) {
    const RemoveOptions options{.stop = stop};
    Removal removal(parent, TreeName{.parent = parent, .name = name}, options);
    TRY_ASSIGN(const bool is_gone, removal.remove_file(parent, name, os::FileKind::unknown));
    if (is_gone) return removal.removed();
    TRY_ASSIGN(auto top, removal.open_doomed(parent, name));
    if (top == nullptr) return removal.removed();
    return removal.run(std::move(top), {});
}

}  // namespace larder::tree
