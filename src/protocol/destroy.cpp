// SPDX-License-Identifier: MIT
#include "protocol/destroy.hpp"

#include <optional>

#include "base/noted_errors.hpp"
#include "base/wait.hpp"
#include "cache/participant.hpp"
#include "format/format_file.hpp"
#include "format/id.hpp"
#include "format/layout.hpp"
#include "format/lock_bytes.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "os/standing.hpp"
#include "protocol/destroyable.hpp"
#include "protocol/name_sync.hpp"
#include "tree/remove.hpp"

namespace larder::protocol {

namespace {

namespace fs = std::filesystem;

/// How long a destroy tries again what another process disturbs: a process adds a table or makes a
/// directory, or a file system in user space has not closed a file yet. Arbitrary: each of these
/// takes milliseconds.
base::Patience destroy_patience() {
    return {.limit = std::chrono::seconds(1),
            .longest_pause = std::chrono::milliseconds(10),
            .stop = {}};
}

/// Returns whether a directory could not be removed because something is in it.
bool is_not_empty(const Result<>& removed) {
    return why_of(removed) == Why::not_empty || why_of(removed) == Why::exists;
}

/// Returns the name of a root in the directory that it lies in.
std::string last_name_of(const fs::path& root) { return root.filename().string(); }

/// Removes a name by `remove()`. It is no error if nothing stands there.
template <class Remove>
Result<> remove_if_there(const os::Dir& dir, const std::string& name, Remove remove) {
    auto removed = os::change_standing(dir, name, "remove",
                                       "delete what is left of the cache by other means", remove);
    return is_absent(removed) ? Result<>() : removed;
}

/// Returns what a user can do about the directory of a cache that can't be removed.
std::string how_to_remove(const os::Dir& parent, Why why) {
    switch (why) {
        case Why::busy:
            return "something is mounted there: unmount it, or leave it";
        case Why::denied:
            return "leave it, or ask the owner of " + parent.path.string() + " to delete it";
        default:
            return "delete that";
    }
}

/// Removes the directory of a cache of which nothing else is left. Errors: Why::not_empty or
/// Why::exists if something stands in it by now.
Result<> remove_empty_root(const os::Dir& parent, const std::string& name) {
    auto removed = remove_if_there(parent, name, [&] { return os::remove_dir_at(parent, name); });
    if (!removed && !is_not_empty(removed)) {
        removed.error().detail = "the cache is gone, and only its directory is left; " +
                                 how_to_remove(parent, why_of(removed));
    }
    return removed;
}

/// Looks whether remove_empty_root would succeed. Errors: Why::denied, Why::busy.
Result<> check_removable(const os::Dir& parent, const std::string& name) {
    TRY_ASSIGN(const bool may_remove, os::may_remove_dir_at(parent, name));
    const auto unmounted = os::open_dir_unmounted_at(parent, name);
    const bool is_mounted = why_of(unmounted) == Why::cross_device;
    if (may_remove && !is_mounted) return {};
    const Why why = is_mounted ? Why::busy : Why::denied;
    auto failed = os::fail(why, "remove directory", parent / name);
    failed.value().detail = "all that is in it would go, and only this directory would be left; " +
                            how_to_remove(parent, why);
    return failed;
}

/// One destroy of the cache at `root`. If it is killed or fails after it has replaced `format`,
/// another destroy ends it. Until then, that file keeps every process from opening the cache.
class Destroyer {
public:
    /// `parent` is the directory that the root lies in.
    Destroyer(os::Dir root, os::Dir parent) : root_(std::move(root)), parent_(std::move(parent)) {}

    /// Takes the locks that only one destroy has. Requires: check_destroyable has succeeded.
    /// Errors: `busy` if another process collects or destroys the cache.
    Result<> lock() {
        TRY_ASSIGN(collector_, lock_collector());
        return lock_format();
    }

    /// Looks whether a living process uses the cache, a path is linked to one of its entries, or a
    /// staging area names a kept tree. Errors: `busy`, `refused`.
    Result<> check() {
        TRY(check_unused());
        TRY(check_unlinked(root_));
        return check_kept(root_);
    }

    /// Looks whether the directory of the cache could be removed at the end. Errors: the system's.
    Result<> check_end() const { return check_removable(parent_, last_name_of(root_.path)); }

    /// Deletes the cache, in the order of docs/protocol.md. Requires: lock has succeeded. Errors:
    /// `busy` if another process uses the cache; then its entries are as before.
    Result<> destroy() {
        // While a process uses the cache, nothing is changed. But an earlier destroy may have been
        // killed after its mark: then the cache is given back.
        if (auto fine = check(); !fine) return give_back(std::move(fine.error()));
        // From here on no process can open the cache. One that has it open may still lease, until
        // its table is gone.
        auto marked = mark();
        if (why_of(marked) == Why::no_space) {
            TRY(make_room());
            marked = mark();
        }
        if (!marked) return give_back(std::move(marked.error()));
        (void)os::point("destroy.marked");
        // A process has come to use the cache since, or its participants can't be read. No entry
        // was touched, so the cache goes on as it was.
        if (auto ended = end_leases(); !ended) return give_back(std::move(ended.error()));
        (void)os::point("destroy.closed");
        // A process that has ended since may have kept a tree.
        if (auto none = check_kept(root_); !none) return give_back(std::move(none.error()));
        // The same is true of a link.
        if (auto none = check_unlinked(root_); !none) return give_back(std::move(none.error()));
        // From here on nothing gives the cache back: not this process after an error, and no other
        // destroy.
        if (auto settled = settle_mark(); !settled) return give_back(std::move(settled.error()));
        (void)os::point("destroy.settled");
        TRY(delete_all_but(format::locks_name));
        // No process can lease any more, so what a collector does now harms no lease. The lock is
        // released before its file is deleted: a file system in user space keeps a file that is
        // open under another name, and the root could not be removed.
        collector_.reset();
        return delete_rest();
    }

private:
    /// Deletes garbage, and the lease tables, for which no process has any use now: what is
    /// without space for a small file has it then.
    Result<> make_room() {
        has_unlinked_ = true;
        if (const auto deleting = os::open_dir_at(root_, format::deleting_name))
            (void)tree::empty_dir(*deleting, {.threads = 1});
        const auto participants = os::open_dir_at(root_, format::participants_name);
        if (is_absent(participants)) return {};
        TRY(participants);
        return cache::unlink_tables(*participants);
    }

    /// Takes the collector's lock. Returns nullopt if there is no `locks`, so that no process can
    /// have it. Errors: `busy` if another process has it; whatever keeps `locks` from being opened.
    Result<std::optional<os::FileLock>> lock_collector() {
        auto lock = os::FileLock::open(root_, format::locks_name, os::OpenMode::read_write);
        if (is_absent(lock)) return std::nullopt;
        // Not the file is to be made writable, but the cache.
        if (why_of(lock) == Why::read_only) lock.error().path = root_.path;
        TRY(lock);
        TRY_ASSIGN(const bool is_ours,
                   lock->try_lock(os::Mode::exclusive, os::Range::byte(format::collector_byte)));
        if (!is_ours)
            return fail(Errc::busy, "destroy cache", root_.path,
                        "another process collects, verifies or destroys it; try again later");
        return std::move(*lock);
    }

    /// Makes a file with this text, which is on the disk then, and locks it. If a power cut emptied
    /// `format`, every later open would refuse the cache.
    static Result<std::optional<os::FileLock>> write_locked(const os::Dir& dir,
                                                            const std::string& name,
                                                            std::string_view text) {
        TRY(os::write_new_file_at(dir, name, text, os::readable_file));
        TRY_ASSIGN(auto lock, os::FileLock::try_lock_existing(dir, name));
        if (lock) TRY(os::sync(lock->file(), dir / name));
        return lock;
    }

    /// Brings to the disk that `format` has become another file.
    Result<> sync_name() const {
        NameSync names(root_);
        TRY(names.add(root_));
        return names.end();
    }

    /// Makes a file with this text the new `format`, by one rename, and keeps its lock, which it
    /// has already when it gets that name. Errors: Why::exists if `format` stands there and may not
    /// be replaced. A kill before the rename leaves a file in `deleting/`.
    Result<> place_format(std::string_view text, bool replaces) {
        // Arbitrary: no collector comes between so often in a row. A file system that denies the
        // file each time must not keep this process for ever.
        constexpr int max_attempts = 100;
        for (int attempts = 1;; ++attempts) {
            TRY_ASSIGN(const os::Dir deleting,
                       os::make_and_open_dir_at(root_, format::deleting_name));
            const std::string fresh = to_text(format::fresh_id());
            auto lock = write_locked(deleting, fresh, text);
            (void)os::point("destroy.written");
            auto placed = !lock ? tl::make_unexpected(lock.error())
                          : replaces
                              ? os::rename_replacing(deleting, fresh, root_, format::format_name)
                              : os::rename_new(deleting, fresh, root_, format::format_name);
            if (placed) {
                lock_ = std::move(*lock);
                return {};
            }
            (void)os::remove_file_at(deleting, fresh);
            // A collector that has the cache open may have deleted the file. Then make it again.
            if (!is_absent(placed) || attempts == max_attempts) return placed;
        }
    }

    /// Locks `format`, if there is one, and reads what it says, or what it said before an earlier
    /// destroy has marked it. A process that has this lock is the only one that destroys the cache.
    /// Errors: `busy` if another process has it.
    Result<> lock_format() {
        // Arbitrary: see place_format.
        constexpr int max_attempts = 100;
        for (int attempts = 1;; ++attempts) {
            auto lock = os::FileLock::try_lock_existing(root_, format::format_name);
            if (is_absent(lock)) return read_before();
            TRY(lock);
            if (!*lock) {
                return fail(Errc::busy, "destroy cache", root_.path,
                            "another process destroys it at this moment");
            }
            // Another destroy may have replaced or deleted the file before it let go of it.
            TRY_ASSIGN(const bool is_named,
                       os::still_has_name((*lock)->file(), root_, format::format_name));
            if (is_named) {
                lock_ = std::move(*lock);
                return read_before();
            }
            if (attempts == max_attempts)
                return fail(Errc::busy, "destroy cache", root_ / format::format_name,
                            "other processes destroy and make it again and again, or the file "
                            "system denies this name; try again");
        }
    }

    /// Reads what `format` says, or what it said before an earlier destroy has marked it. Errors:
    /// `refused` if a newer larder has made it since it was checked.
    Result<> read_before() {
        TRY_ASSIGN(before_, read_format_text(root_));
        is_marked_ = false;
        is_known_ = true;
        if (!before_) return {};
        auto read = format::parse_format(*before_);
        if (read.kind == format::FormatRead::Kind::newer)
            return refuse_destroy(root_.path, "a newer larder made this cache; use that one");
        is_marked_ = read.kind == format::FormatRead::Kind::destroyed;
        if (is_marked_) before_ = std::move(read.before);
        is_known_ = is_marked_ ? before_.has_value() : !before_->empty();
        return {};
    }

    /// Replaces `format` by the mark of a destroy, which holds what `format` said before. While it
    /// stands there, no process opens the cache.
    Result<> mark() {
        // Arbitrary: no two caches are made and destroyed here in a row so often meanwhile. A file
        // system that says each time that `format` stands there, and denies it, must not keep this
        // process for ever.
        constexpr int max_attempts = 100;
        for (int attempts = 1; !is_marked_; ++attempts) {
            std::string text(format::destroyed_text);
            if (before_ && format::parse_format(*before_).kind == format::FormatRead::Kind::ours)
                text += *before_;
            auto marked = place_format(text, before_.has_value());
            is_marked_ = marked.has_value();
            if (is_marked_) return sync_name();
            if (before_ || why_of(marked) != Why::exists || attempts == max_attempts) return marked;
            // A process has just made the cache, and may use it; or another destroy has marked it.
            TRY(lock_format());
        }
        return {};
    }

    /// Takes out of the mark what `format` said, in one step, and brings that to the disk. From
    /// then on no destroy gives the cache back, also after a power cut.
    Result<> settle_mark() {
        if (lock_) {
            const fs::path path = root_ / format::format_name;
            if (const auto error = os::set_size(lock_->file(), format::destroyed_text.size()))
                return os::fail(error, "shorten", path);
            return os::sync(lock_->file(), path);
        }
        return {};
    }

    /// Puts back the `format` of a cache that is in use, and an empty lease table for each staging
    /// area whose table is gone, so that a collection reaps what dead processes have staged. A
    /// table that can't be made is made by a collection of a later boot. Returns the error that
    /// ended the destroy, or another one that says that the cache can't be opened. Leaves `format`
    /// as it is if it was not marked, or if the mark does not say what it was.
    tl::unexpected<Error> give_back(Error why) {
        if (has_unlinked_ || is_marked_) (void)make_tables();
        if (!is_marked_ || !is_known_) return tl::make_unexpected(std::move(why));
        auto placed =
            before_ ? place_format(*before_, true) : os::remove_file_at(root_, format::format_name);
        if (!placed) {
            Error error = std::move(placed.error());
            error.detail =
                "the cache is as it was, but for this: no process can open it; run "
                "`cachetool destroy` again. (" +
                why.message() + ")";
            return tl::make_unexpected(std::move(error));
        }
        auto synced = after_change(sync_name());
        return tl::make_unexpected(std::move(synced ? why : synced.error()));
    }

    /// Makes an empty lease table for each staging area without one in which something stands.
    Result<> make_tables() const {
        const auto staging = os::open_dir_at(root_, format::staging_name);
        if (is_absent(staging)) return {};
        TRY(staging);
        TRY_ASSIGN(const os::Dir participants,
                   os::make_and_open_dir_at(root_, format::participants_name));
        return os::for_every_name(*staging, [&](const std::string& name, os::FileKind) -> Result<> {
            if (!format::parse_participant_name(name)) return {};
            const auto area = os::open_dir_at(*staging, name);
            if (has_no_directory(area)) return {};
            TRY(area);
            TRY_ASSIGN(const bool is_empty, os::is_empty(*area));
            if (is_empty) return {};
            auto made = os::write_new_file_at(participants, name, "");
            return why_of(made) == Why::exists ? Result<>() : made;
        });
    }

    /// Looks whether a living process uses the cache. Errors: `busy` if one does.
    Result<> check_unused() {
        const auto participants = os::open_dir_at(root_, format::participants_name);
        if (is_absent(participants)) return {};
        TRY(participants);
        return cache::check_unused(*participants);
    }

    /// Makes sure that no process leases anything, and that none can do so from now on: it unlinks
    /// every lease table under its lock, and removes `participants/`. Errors: `busy` if a living
    /// process has a table, or if the directory can't be emptied.
    Result<> end_leases() {
        TRY_ASSIGN(const base::Waited waited, base::wait_until(
                                                  destroy_patience(), [&] { return remove_pool(); },
                                                  [](auto) { return true; }));
        if (waited.end == base::Waited::End::acquired) return {};
        return fail(Errc::busy, "destroy cache", root_ / format::participants_name,
                    "another process has files of it open, or adds some; try again when the "
                    "processes that used the cache have ended");
    }

    /// Unlinks the tables, and removes their directory. A process that has opened one of them finds
    /// that it has no name any more, and leaves it alone. Returns false if something is in the
    /// directory: a table that was added meanwhile, or a file that a file system in user space
    /// keeps under another name while it is open.
    Result<bool> remove_pool() {
        const auto participants = os::open_dir_at(root_, format::participants_name);
        if (is_absent(participants)) return true;
        TRY(participants);
        TRY(cache::unlink_tables(*participants));
        // What is no table belongs to no process.
        TRY(os::for_every_name(*participants, [&](const std::string& name, os::FileKind) {
            return remove_unless_table(*participants, name);
        }));
        const auto removed = os::remove_dir_at(root_, format::participants_name);
        if (is_not_empty(removed)) return false;
        if (!removed && !is_absent(removed)) return tl::make_unexpected(removed.error());
        return true;
    }

    /// Deletes a name of `participants/` that no process can take for a table.
    static Result<> remove_unless_table(const os::Dir& participants, const std::string& name) {
        if (format::parse_participant_name(name)) {
            const auto info = os::stat_at(participants, name);
            if (is_absent(info)) return {};
            TRY(info);
            if (info->is_regular()) return {};
        }
        TRY(tree::remove_tree_at(participants, name));
        return {};
    }

    /// Deletes everything of larder's but `kept` and the two files that say that this was a cache.
    /// What cannot be deleted stops nothing else.
    Result<> delete_all_but(std::string_view kept) {
        NotedErrors errors;
        const auto remove = [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::format_name || name == format::cachedir_tag_name || name == kept ||
                !format::is_root_name(name))
                return {};
            (void)os::point("destroy.one");
            return errors.note(tree::remove_tree_at(root_, name));
        };
        auto listed = os::for_each_name(root_, remove);
        TRY(listed);
        return errors.first();
    }

    /// Deletes what is left, and the root. A process that read `format` before the mark may make
    /// directories meanwhile, and one that has the cache open may make locks. Such things are
    /// deleted, too.
    Result<> delete_rest() {
        // What needs memory comes before `format` is deleted.
        const std::string last_name = last_name_of(root_.path);
        Result<> last;
        const auto delete_once = [&]() -> Result<bool> {
            last = delete_all_but({});
            if (last) {
                last = delete_root(last_name);
                if (last) return true;
                if (is_not_empty(last)) return is_replaced();
            }
            if (is_not_empty(last)) return false;
            return tl::make_unexpected(last.error());
        };
        TRY_ASSIGN(const base::Waited waited,
                   base::wait_until(destroy_patience(), delete_once, [](auto) { return true; }));
        return waited.end == base::Waited::End::acquired ? Result<>() : last;
    }

    /// Deletes the two files that say that this was a cache, and then the root, in this order: so a
    /// destroy that is interrupted before can be repeated. Lets go of the mark when it has no name
    /// any more, because a file that is open may keep the root from being removed.
    Result<> delete_root(const std::string& name) {
        for (const char* const file : {format::cachedir_tag_name, format::format_name}) {
            TRY(remove_if_there(root_, file, [&] { return os::remove_file_at(root_, file); }));
        }
        lock_.reset();
        (void)os::point("destroy.unmarked");
        return remove_empty_root(parent_, name);
    }

    /// Decides about what stands in the root after `format` was deleted. Returns true if it is a
    /// new cache, which stays: its maker begins with the tag. If other names of larder's stand
    /// there, a process that read `format` before the mark has made directories: marks the root
    /// again, so that they can be deleted. What is not larder's may be a file that is about to
    /// vanish.
    Result<bool> is_replaced() {
        bool has_tag = false, has_part = false;
        TRY(os::for_each_name(root_, [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::cachedir_tag_name) has_tag = true;
            if (format::is_root_name(name)) has_part = true;
            return {};
        }));
        if (has_tag) return true;
        if (!has_part) return false;
        auto marked = place_format(format::destroyed_text, false);
        if (why_of(marked) == Why::exists) return true;
        TRY(marked);
        return false;
    }

    os::Dir root_;
    os::Dir parent_;
    std::optional<os::FileLock> collector_;
    std::optional<os::FileLock> lock_;   // of `format`; none while there is no such file
    std::optional<std::string> before_;  // what `format` said before the mark; nullopt: no file
    bool is_known_ = true;  // false if an earlier mark does not tell what `format` said
    bool is_marked_ = false;
    bool has_unlinked_ = false;  // tables, to make room
};

/// Returns the path of the directory that a destroy of `path` deletes, without symlinks. Errors:
/// `refused` if `path` is a symlink; the system's if nothing stands there.
Result<fs::path> path_of_root(const fs::path& path) {
    std::error_code error;
    const fs::path root =
        os::retried(error, [&](std::error_code& each) { return fs::canonical(path, each); });
    if (error) return os::fail(error, "destroy cache", path);
    // "link/" and "link/." lead to the directory, and name the link.
    fs::path named = path;
    while (named.has_relative_path() && (!named.has_filename() || named.filename() == "."))
        named = named.parent_path();
    if (os::retried(error, [&](std::error_code& each) { return fs::is_symlink(named, each); })) {
        return refuse_destroy(path, "it is a symlink, which would lead nowhere then; destroy " +
                                        root.string() + " itself, and remove the link");
    }
    return root;
}

/// Opens the root of a cache, if it may be destroyed. The owner has all rights to it then. Errors:
/// those of check_owner, check_destroyable and check_owners.
Result<os::Dir> open_destroyable(const fs::path& root, LentRights& rights) {
    TRY(check_owner(root));
    TRY_ASSIGN(os::Dir dir, rights.open_root(root));
    TRY(check_destroyable(dir, rights));
    rights.lend_all();
    TRY(check_owners(dir));
    return dir;
}

}  // namespace

Result<> destroy(const fs::path& path) {
    TRY_ASSIGN(const fs::path root, path_of_root(path));
    LentRights rights;
    TRY_ASSIGN(os::Dir dir, open_destroyable(root, rights));
    // What can fail without an effect comes before anything is deleted.
    TRY_ASSIGN(os::Dir parent, os::open_dir_for_names(root.parent_path()));
    TRY_ASSIGN(const bool empty, os::is_empty(dir));
    if (empty) {
        // A destroy that is killed at its very end leaves it.
        auto deleted = remove_empty_root(parent, last_name_of(root));
        if (!is_not_empty(deleted)) return deleted;
        TRY(check_destroyable(dir, rights));
    }
    rights.keep();
    Destroyer destroyer(std::move(dir), std::move(parent));
    TRY(destroyer.lock());
    return destroyer.destroy();
}

Result<> check_destroy(const fs::path& path) {
    TRY_ASSIGN(const fs::path root, path_of_root(path));
    LentRights rights;
    TRY_ASSIGN(os::Dir dir, open_destroyable(root, rights));
    TRY_ASSIGN(os::Dir parent, os::open_dir_for_names(root.parent_path()));
    Destroyer destroyer(std::move(dir), std::move(parent));
    TRY(destroyer.lock());
    TRY(destroyer.check());
    return destroyer.check_end();
}

}  // namespace larder::protocol
