// SPDX-License-Identifier: MIT
#include "protocol/destroy.hpp"

#include <optional>
#include <vector>

#include "base/noted_errors.hpp"
#include "base/wait.hpp"
#include "cache/husk.hpp"
#include "cache/participant.hpp"
#include "format/format_file.hpp"
#include "format/id.hpp"
#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "os/user.hpp"
#include "tree/remove.hpp"

namespace larder::protocol {

namespace {

namespace fs = std::filesystem;

/// Returns the error of a directory that is not destroyed. `why` says what to do, too.
tl::unexpected<Error> refuse(const fs::path& path, std::string why) {
    return fail(Errc::refused, "destroy cache", path, std::move(why));
}

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

/// Returns the result of a removal, for which it is no error if nothing stands at the name. A file
/// system whose names are out of date may deny a name that it shows. Then nothing was removed.
Result<> unless_gone(const os::Dir& dir, const std::string& name, Result<> removed) {
    if (!is_absent(removed)) return removed;
    const auto stands = os::stat_at(dir, name);
    if (is_absent(stands)) return {};
    TRY(stands);
    return fail(Errc::unsupported, "remove", dir / name,
                "the file system shows this name, and denies it to its removal; delete what is "
                "left of the cache by other means");
}

/// Returns the text of a small file, and nullopt if there is none.
Result<std::optional<std::string>> read_if_there(const os::Dir& dir, const char* name) {
    auto text = os::read_file_at(dir, name, format::max_format);
    if (is_absent(text)) return std::nullopt;
    TRY(text);
    return std::move(*text);
}

/// One destroy of the cache at `root`: first check, which changes nothing, then destroy. If it is
/// killed or fails after it has replaced `format`, another destroy ends it. Until then, that file
/// keeps every process from opening the cache.
class Destroyer {
public:
    explicit Destroyer(os::Dir root) : root_(std::move(root)) {}

    /// Refuses what is no cache, what another user or a newer larder has made, and a root that
    /// holds files of others. Errors: `refused`.
    Result<> check() {
        TRY_ASSIGN(const os::FileInfo info, os::stat_of(root_));
        if (info.owner != os::this_user() && !os::is_superuser()) {
            return refuse(root_.path, "it belongs to user " + os::user_name(info.owner) +
                                          ", and this process runs as " +
                                          os::user_name(os::this_user()));
        }
        std::string strange;
        TRY(os::for_each_name(root_, [&](const std::string& name, os::FileKind) -> Result<> {
            if (!format::is_root_name(name)) strange = name;
            return {};
        }));
        TRY_ASSIGN(const bool ours, is_ours());
        if (!ours) return refuse(root_.path, "this is no cache of larder's");
        if (strange.empty()) return {};
        return refuse(root_.path,
                      "it holds \"" + strange + "\", which is not larder's; move that away first");
    }

    /// Deletes the cache, in the order of docs/protocol.md. Requires: check has succeeded. Errors:
    /// `busy` if another process collects or uses the cache; then its entries are as before.
    Result<> destroy() {
        TRY_ASSIGN(auto collector, lock_collector());
        cache::ClosedPool closed;
        // While a process uses the cache, nothing is changed. But an earlier destroy may have been
        // killed after its mark: then the cache is given back.
        TRY(read_before());
        if (auto unused = close_pool(closed); !unused) return give_back(std::move(unused.error()));
        // From here on no process can open the cache. One that has it open may still lease, until
        // its table is locked.
        TRY(mark());
        (void)os::point("destroy.marked");
        // A process has come to use the cache since, or its participants can't be read. No entry
        // was touched, so the cache goes on as it was.
        if (auto ended = end_leases(closed); !ended) return give_back(std::move(ended.error()));
        (void)os::point("destroy.closed");
        TRY(delete_all_but(format::locks_name));
        // No process can lease any more, so what a collector does now harms no lease. The lock is
        // released before its file is deleted: a file system in user space keeps a file that is
        // open under another name, and its directory could not be removed.
        collector.reset();
        return delete_rest();
    }

private:
    /// Takes the collector's lock. Returns nullopt if there is no `locks/`, so that no process can
    /// have it. Errors: `busy` if another process has it; whatever keeps `locks/` from being
    /// opened.
    Result<std::optional<os::FileLock>> lock_collector() {
        const auto locks = os::open_dir_at(root_, format::locks_name);
        if (is_absent(locks)) return std::nullopt;
        TRY(locks);
        TRY_ASSIGN(auto lock, os::FileLock::try_lock(*locks, format::collector_lock_name,
                                                     os::Mode::exclusive));
        if (!lock)
            return fail(Errc::busy, "destroy cache", root_.path,
                        "another process collects or verifies it; try again later");
        return lock;
    }

    /// Returns whether this is a cache, or what is left of one. Any sign will do: the format, a tag
    /// that names larder, an archive of nothing but entries, or larder's directories without any
    /// file. Errors: `refused` if a newer larder made it.
    Result<bool> is_ours() {
        TRY_ASSIGN(const auto text, read_format_text());
        if (text) {
            const auto read = format::parse_format(*text);
            if (read.kind == format::FormatRead::Kind::newer)
                return refuse(root_.path, "a newer larder made this cache; use that one");
            if (read.kind != format::FormatRead::Kind::unknown) return true;
        }
        TRY_ASSIGN(const auto tag, read_if_there(root_, format::cachedir_tag_name));
        if (tag && format::is_own_tag(*tag)) return true;
        // Of the beginning of a tag, another program may have written as much.
        if (tag && !format::cachedir_tag_text.starts_with(*tag)) return false;
        // An `rm -rf` that stopped half-way may have left no file of ours. Entries bear ids.
        const auto archive = os::open_dir_at(root_, format::archive_name);
        if (is_no_directory(archive)) return false;
        std::size_t entries = 0, others = 0;
        if (archive) {
            TRY(os::for_each_name(*archive, [&](const std::string& name, os::FileKind) -> Result<> {
                ++(format::parse_id(name) ? entries : others);
                return {};
            }));
        } else if (!is_absent(archive)) {
            TRY(archive);
        }
        if (others > 0) return false;
        if (entries > 0) return true;
        return cache::is_husk(root_);
    }

    /// Makes a file with this text the new `format`, by one rename. Errors: Why::exists if `format`
    /// stands there and may not be replaced. A kill before the rename leaves a file in `deleting/`.
    Result<> place_format(std::string_view text, bool replaces) {
        // Arbitrary: no collector comes between so often in a row. A file system that denies the
        // file each time must not keep this process for ever.
        constexpr int max_attempts = 100;
        for (int attempts = 1;; ++attempts) {
            TRY_ASSIGN(const os::Dir deleting,
                       os::make_and_open_dir_at(root_, format::deleting_name));
            const std::string fresh = to_text(format::fresh_id());
            TRY(os::write_new_file_at(deleting, fresh, text, os::readable_file));
            (void)os::point("destroy.written");
            auto placed = replaces
                              ? os::rename_replacing(deleting, fresh, root_, format::format_name)
                              : os::rename_new(deleting, fresh, root_, format::format_name);
            if (placed) return {};
            (void)os::remove_file_at(deleting, fresh);
            // A collector that has the cache open may have deleted the file. Then make it again.
            if (!is_absent(placed) || attempts == max_attempts) return placed;
        }
    }

    /// Returns the text of `format`; nullopt if nothing stands there; an empty text if what stands
    /// there is no `format`, such as a link. Errors: those of reading it, because what it says must
    /// be put back if a process uses the cache.
    Result<std::optional<std::string>> read_format_text() {
        auto text = os::read_file_at(root_, format::format_name, format::max_format);
        if (is_absent(text)) return std::nullopt;
        const bool is_other =
            why_of(text) == Why::is_link || (!text && text.error().code == Errc::damaged);
        if (is_other) return std::string();
        TRY(text);
        return std::move(*text);
    }

    /// Reads what `format` says, or what it said before an earlier destroy has marked it.
    Result<> read_before() {
        TRY_ASSIGN(before_, read_format_text());
        if (!before_) return {};
        auto read = format::parse_format(*before_);
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
            if (is_marked_) break;
            if (before_ || why_of(marked) != Why::exists || attempts == max_attempts) return marked;
            // A process has just made the cache, and may use it.
            TRY(read_before());
        }
        return {};
    }

    /// Puts back what a destroy has changed, because the cache is in use: the lease tables, empty,
    /// so that a collection finds what their last owners left in their staging areas; and `format`.
    /// Returns the error that ended the destroy, or another one that says that the cache can't be
    /// opened.
    tl::unexpected<Error> give_back(Error why) {
        Result<> given;
        if (const auto participants = os::open_dir_at(root_, format::participants_name)) {
            for (const std::string& name : unlinked_) {
                auto made = os::write_new_file_at(*participants, name, "");
                if (!made && why_of(made) != Why::exists) given = std::move(made);
            }
        }
        if (is_marked_ && is_known_) {
            auto placed = before_ ? place_format(*before_, true)
                                  : os::remove_file_at(root_, format::format_name);
            if (!placed) given = std::move(placed);
        }
        if (given) return tl::make_unexpected(std::move(why));
        Error error = std::move(given.error());
        error.detail =
            "the cache is as it was, but for this: no process can open it; run "
            "`cachetool destroy` again. (" +
            why.message() + ")";
        return tl::make_unexpected(std::move(error));
    }

    /// Locks every lease table that is not locked in `closed` yet. Errors: `busy` if a living
    /// process has a table.
    Result<> close_pool(cache::ClosedPool& closed) {
        const auto participants = os::open_dir_at(root_, format::participants_name);
        if (is_absent(participants)) return {};
        TRY(participants);
        return cache::close_pool(*participants, closed);
    }

    /// Makes sure that no process leases anything, and that none can do so from now on: it locks
    /// every lease table, unlinks those, and removes `participants/`. Errors: `busy` if a living
    /// process has a table, or if the directory can't be emptied.
    Result<> end_leases(cache::ClosedPool& closed) {
        const auto end = [&]() -> Result<bool> {
            TRY(close_pool(closed));
            (void)os::point("destroy.locked");
            return remove_pool(closed);
        };
        TRY_ASSIGN(const base::Waited waited,
                   base::wait_until(destroy_patience(), end, [](auto) { return true; }));
        if (waited.end == base::Waited::End::acquired) return {};
        return fail(Errc::busy, "destroy cache", root_ / format::participants_name,
                    "another process has files of it open, or adds some; try again when the "
                    "processes that used the cache have ended");
    }

    /// Unlinks the tables that are locked in `closed`, lets go of them, and removes the directory.
    /// A process that has opened one of them finds that it has no name any more, and leaves it
    /// alone. Returns false if something is in the directory: a table that was added meanwhile, or
    /// a file that a file system in user space keeps under another name while it is open.
    Result<bool> remove_pool(cache::ClosedPool& closed) {
        const auto participants = os::open_dir_at(root_, format::participants_name);
        if (is_absent(participants)) return true;
        TRY(participants);
        for (const auto& [name, file] : closed.locked) {
            unlinked_.push_back(name);
            const auto removed = os::remove_file_at(*participants, name);
            if (!removed && !is_absent(removed)) return tl::make_unexpected(removed.error());
        }
        closed.release();
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

    /// Deletes everything but `kept` and the two files that say that this was a cache. What cannot
    /// be deleted stops nothing else.
    Result<> delete_all_but(std::string_view kept) {
        NotedErrors errors;
        const auto remove = [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::format_name || name == format::cachedir_tag_name || name == kept)
                return {};
            (void)os::point("destroy.one");
            return errors.note(tree::remove_tree_at(root_, name));
        };
        auto listed = os::for_each_name(root_, remove);
        // If the root is gone, another destroy has ended this one.
        if (!listed && !is_absent(listed)) return listed;
        return errors.first();
    }

    /// Deletes what is left, and the root. A process that read `format` before the mark may make
    /// directories meanwhile, and one that has the cache open may make locks. Such things are
    /// deleted, too.
    Result<> delete_rest() {
        // What needs memory or a descriptor comes before `format` is deleted.
        const fs::path path = root_.path;
        const std::string last_name = path.filename().string();
        TRY_ASSIGN(const os::Dir parent, os::open_dir(path.parent_path()));
        Result<> last;
        const auto delete_once = [&]() -> Result<bool> {
            last = delete_all_but({});
            if (last) {
                last = delete_root(parent, last_name);
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
    /// destroy that is interrupted before can be repeated. It is no error if the root is gone,
    /// because another destroy has ended this one.
    Result<> delete_root(const os::Dir& parent, const std::string& name) {
        for (const char* const file : {format::cachedir_tag_name, format::format_name}) {
            TRY(unless_gone(root_, file, os::remove_file_at(root_, file)));
        }
        (void)os::point("destroy.unmarked");
        auto removed = unless_gone(parent, name, os::remove_dir_at(parent, name));
        if (removed) return {};
        if (!is_not_empty(removed))
            removed.error().detail =
                "the cache is gone, and only its directory is left; delete that";
        return removed;
    }

    /// Decides about what was made in the root after `format` was deleted. Returns true if it is a
    /// new cache, which stays: its maker begins with the tag. Otherwise a process that read
    /// `format` before the mark has made directories. Then marks the root again, so that they can
    /// be deleted.
    Result<bool> is_replaced() {
        TRY_ASSIGN(const auto tag, read_if_there(root_, format::cachedir_tag_name));
        if (tag) return true;
        auto marked = place_format(format::destroyed_text, false);
        if (why_of(marked) == Why::exists) return true;
        TRY(marked);
        return false;
    }

    os::Dir root_;
    std::optional<std::string> before_;  // what `format` said before the mark; nullopt: no file
    bool is_known_ = true;  // false if an earlier mark does not tell what `format` said
    bool is_marked_ = false;
    std::vector<std::string> unlinked_;  // the tables that were taken out of the pool
};

}  // namespace

Result<> destroy(const fs::path& path) {
    std::error_code error;
    const fs::path root =
        os::retried(error, [&](std::error_code& each) { return fs::canonical(path, each); });
    if (error) return os::fail(error, "destroy cache", path);
    TRY_ASSIGN(os::Dir dir, os::open_dir(root));
    Destroyer destroyer(std::move(dir));
    TRY(destroyer.check());
    return destroyer.destroy();
}

}  // namespace larder::protocol
