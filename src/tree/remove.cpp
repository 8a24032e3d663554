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

/// A directory that is being deleted.
struct Doomed final : WalkDir {
    using WalkDir::WalkDir;
    unsigned passes = 0;  // how often it was listed
    // Something in it cannot be deleted, so it need not be listed again.
    std::atomic<bool> stuck{false};
};

/// One deletion of a tree. A name that cannot be deleted is noted and left, with the directories
/// around it, and all others are deleted.
class Removal final : public Visitor {
public:
    enum class TopDir { keep, remove };
    /// `top_parent` and `top_name` are needed only where the top is to be removed.
    Removal(TopDir top, const os::Dir& top_parent, std::string top_name,
            const RemoveOptions& options)
        : top_(top),
          top_parent_(top_parent),
          top_name_(std::move(top_name)),
          options_(options),
          space_(options.count_freed, top_parent) {}

    /// Deletes what is below `top`, and `top` itself if that was asked for. Errors: the first name
    /// that could not be deleted; `interrupted`.
    Result<Removed> run(std::unique_ptr<Doomed> top, WalkThreads threads) {
        top_dir_ = &top->dir;
        TRY(walk(std::move(top), *this, threads));
        if (first_error_) return tl::make_unexpected(std::move(*first_error_));
        return removed();
    }

    /// Deletes one file, or returns the directory to be emptied. A directory that is too deep is
    /// moved up instead, if it can be.
    Result<std::unique_ptr<WalkDir>> visit(WalkDir& place, const std::string& name,
                                           os::FileKind kind) override {
        if (options_.stop.stop_requested())
            return fail(Errc::interrupted, "remove", place.dir / name,
                        "stopped on request; the next collection continues");
        if (kind != os::FileKind::directory) {
            TRY_ASSIGN(const bool gone, remove_file(place.dir, name, kind));
            if (gone) return nullptr;
        }
        TRY_ASSIGN(auto doomed, open_doomed(place.dir, name));
        if (doomed == nullptr) return nullptr;
        if (place.depth + 1 >= max_depth && move_up(place.dir, name)) return nullptr;
        return doomed;
    }

    /// Removes a directory that was emptied. If a name was added since it was listed, the directory
    /// is listed again, at most max_passes times. A directory in which something is stuck stays,
    /// and so do those around it.
    Result<AfterLeave> leave(WalkDir& at) override {
        auto& place = static_cast<Doomed&>(at);
        ++place.passes;
        if (place.parent == nullptr) {
            // The listing may not have shown the directories that were moved up.
            if (moved_up_.exchange(false)) return AfterLeave::list_again;
            if (top_ == TopDir::keep) return AfterLeave::done;
        }
        const auto removed = remove_emptied(place);
        if (removed) {
            ++directories_;
            return AfterLeave::done;
        }
        switch (why_of(removed)) {
            case Why::absent:  // another process deleted it first, or moved it up
                return AfterLeave::done;
            case Why::not_empty:
            case Why::exists:  // the same, on some systems
                break;
            default:
                return tl::make_unexpected(removed.error());
        }
        if (place.stuck) {
            mark_stuck(place.parent);
            return AfterLeave::done;
        }
        // Another process still writes here: it has added a name since the listing.
        if (place.passes < max_passes) return AfterLeave::list_again;
        return os::fail(Why::not_empty, "remove directory", place.dir.path,
                        "something still writes here");
    }

    /// A name that cannot be deleted is left, and all others are deleted.
    Result<> failed(WalkDir& place, Error error) override {
        if (error.code == Errc::interrupted) return tl::make_unexpected(std::move(error));
        mark_stuck(&place);
        mark_stuck(place.parent);
        const std::lock_guard lock(error_mutex_);
        if (!first_error_) first_error_ = std::move(error);
        return {};
    }

    /// Opens a directory that is to be emptied and makes it writable. Returns null if nothing is
    /// left to do here: it is gone, was a file, or was moved up. Errors: Why::busy if something is
    /// mounted there, which is never entered; whatever else keeps it from being opened.
    Result<std::unique_ptr<Doomed>> open_doomed(const os::Dir& parent, const std::string& name) {
        auto doomed = try_open(parent, name);
        if (why_of(doomed) == Why::denied) {
            (void)os::set_permissions_at(parent, name, os::Permissions::owner_all);
            doomed = try_open(parent, name);
        }
        // If opening it could not detect a mount, rmdir does: it refuses a mount point before it
        // checks whether the directory is empty. Ask only now, because the first refusal may have
        // met this very directory.
        if (doomed && !os::sees_bind_mounts()) {
            const auto removed = os::remove_dir_at(parent, name);
            if (removed) {
                ++directories_;
                return nullptr;
            }
            if (why_of(removed) == Why::busy) return mounted(parent, name);
        }
        if (doomed) return doomed;
        switch (why_of(doomed)) {
            case Why::absent:
                return nullptr;
            case Why::cross_device:
                return mounted(parent, name);
            case Why::is_link:
            case Why::not_directory:  // another process has replaced it by a file
                TRY(remove_file(parent, name, os::FileKind::regular));
                return nullptr;
            case Why::too_many_open_files:  // try again when fewer directories are open
                if (move_up(parent, name)) return nullptr;
                return doomed;
            default:
                return doomed;
        }
    }

    /// Deletes a name that is no directory, and counts what the disk gets back. Returns false if it
    /// is a directory. It is no error if the file is gone already.
    Result<bool> remove_file(const os::Dir& parent, const std::string& name, os::FileKind kind) {
        // Some systems let root unlink a directory, and then leak its contents.
        if (kind == os::FileKind::unknown) {
            const auto info = os::stat_at(parent, name);
            if (is_absent(info)) return true;
            TRY(info);
            if (info->is_directory()) return false;
        }
        const GivenBack given_back = space_.look_at(parent, name);
        const auto removed = os::remove_file_at(parent, name);
        if (removed) {
            space_.add(given_back);
            tell(++files_);
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

    [[nodiscard]] Removed removed() const {
        return {
            .files = files_,
            .directories = directories_,
            .freed = space_.bytes(),
            .freed_at_least = space_.is_at_least(),
        };
    }

private:
    /// Notes that something in a directory cannot be deleted. Null is nothing to note.
    static void mark_stuck(WalkDir* place) {
        if (place != nullptr) static_cast<Doomed*>(place)->stuck = true;
    }

    /// Removes a directory that should be empty, by its name in the directory around it.
    Result<> remove_emptied(const Doomed& place) const {
        if (const int error = os::point("tree.remove_dir"))
            return os::fail(error, "remove directory", place.dir.path);
        if (place.parent == nullptr) return os::remove_dir_at(top_parent_, top_name_);
        return os::remove_dir_at(place.parent->dir, place.name);
    }

    /// Opens a directory that lies on no mount of its own, and makes it writable.
    static Result<std::unique_ptr<Doomed>> try_open(const os::Dir& parent,
                                                    const std::string& name) {
        TRY_ASSIGN(os::Dir dir, os::open_dir_unmounted_at(parent, name));
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(dir));
        constexpr os::Permissions ours = os::Permissions::owner_all;
        const os::Permissions wanted = (info.permissions & os::Permissions::all) | ours;
        // If this fails, what lies in the directory can't be deleted, and tells its own error.
        if ((info.permissions & ours) != ours) (void)os::try_set_permissions(dir.handle, wanted);
        TRY_ASSIGN(auto reader, os::DirReader::borrow(dir));
        return std::make_unique<Doomed>(std::move(dir), std::move(reader));
    }

    /// Returns the error for a mount point, which must stay with all that is mounted there.
    static tl::unexpected<Error> mounted(const os::Dir& parent, const std::string& name) {
        return os::fail(Why::busy, "remove directory", parent / name,
                        "something is mounted there: unmount it");
    }

    /// Reports progress now and then. If another thread is just doing that, this report is left
    /// out.
    void tell(std::uint64_t files) {
        if (!options_.on_progress || files % progress_step != 0) return;
        const std::unique_lock telling(telling_mutex_, std::try_to_lock);
        if (telling) options_.on_progress(files);
    }

    /// Moves a directory up into the top, which lists it later. Returns false if that cannot be
    /// done, or if the directory is there already: then the caller deletes it where it is, as deep
    /// as it lies.
    bool move_up(const os::Dir& parent, const std::string& name) {
        if (top_dir_ == nullptr || &parent == top_dir_) return false;
        if (!os::rename_new(parent, name, *top_dir_, fresh_name())) return false;
        moved_up_ = true;
        return true;
    }

    const TopDir top_;
    const os::Dir& top_parent_;
    const std::string top_name_;
    const RemoveOptions& options_;
    SpaceCount space_;
    std::mutex telling_mutex_;
    const os::Dir* top_dir_ = nullptr;   // where deep directories are moved; null before the walk
    std::atomic<bool> moved_up_{false};  // since the top was listed last
    std::atomic<std::uint64_t> files_{0}, directories_{0};
    std::mutex error_mutex_;
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
    auto doomed = std::make_unique<Doomed>(std::move(top), std::move(reader));
    Removal removal(Removal::TopDir::keep, dir, {}, options);
    return removal.run(std::move(doomed), threads_for(options.threads));
}

Result<Removed> remove_tree_at(const os::Dir& parent, const std::string& name) {
    const RemoveOptions options;
    Removal removal(Removal::TopDir::remove, parent, name, options);
    TRY_ASSIGN(const bool gone, removal.remove_file(parent, name, os::FileKind::unknown));
    if (gone) return removal.removed();
    TRY_ASSIGN(auto top, removal.open_doomed(parent, name));
    if (top == nullptr) return removal.removed();
    return removal.run(std::move(top), {});
}

}  // namespace larder::tree
