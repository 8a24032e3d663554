// SPDX-License-Identifier: MIT
#include "protocol/destroy.hpp"

#include <array>
#include <optional>

#include "base/noted_errors.hpp"
#include "cache/participant.hpp"
#include "format/format_file.hpp"
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
        TRY_ASSIGN(const auto collector, lock_collector());
        // From here on no process can open the cache. One that has it open may still lease, until
        // its table is locked.
        TRY(replace_format(format::destroyed_text));
        (void)os::point("destroy.marked");
        cache::ClosedPool closed;
        // A living process uses the cache, or a table cannot be read. No entry was touched, so the
        // cache goes on with the `format` that it had.
        if (auto ended = end_leases(closed); !ended) {
            // If that fails, the next destroy ends this one.
            if (!format_text_.empty()) (void)replace_format(format_text_);
            return ended;
        }
        (void)os::point("destroy.closed");
        TRY(delete_all());
        return delete_root();
    }

private:
    /// Takes the collector's lock. Returns nullopt if there is no `locks/`: then an earlier destroy
    /// has deleted it, and no process can collect. Errors: `busy` if another process collects.
    Result<std::optional<os::FileLock>> lock_collector() const {
        const auto locks = os::open_dir_at(root_, format::locks_name);
        if (has_no_directory(locks)) return std::nullopt;
        TRY(locks);
        TRY_ASSIGN(auto collector, os::FileLock::try_lock(*locks, format::collector_lock_name,
                                                          os::Mode::exclusive));
        if (collector) return collector;
        return fail(Errc::busy, "destroy cache", root_.path,
                    "another process collects or verifies it; try again later");
    }

    /// Returns whether this is a cache, or what is left of one, and keeps the text of its `format`.
    /// Any sign will do: the format, the tag, or an archive of nothing but entries. Errors:
    /// `refused` if a newer larder made it; those of reading `format`, because what it says must be
    /// put back if a process uses the cache.
    Result<bool> is_ours() {
        const auto text = os::read_file_at(root_, format::format_name, format::max_format);
        const bool is_damaged =
            why_of(text) == Why::is_link || (!text && text.error().code == Errc::damaged);
        if (!is_absent(text) && !is_damaged) {
            TRY(text);
            const auto read = format::parse_format(*text);
            if (read.kind == format::FormatRead::Kind::newer)
                return refuse(root_.path, "a newer larder made this cache; use that one");
            if (read.kind == format::FormatRead::Kind::ours) format_text_ = *text;
            if (read.kind != format::FormatRead::Kind::unknown) return true;
        }
        const auto tag = os::read_file_at(root_, format::cachedir_tag_name, format::max_format);
        if (tag && !tag->empty()) return format::cachedir_tag_text.starts_with(*tag);
        // An `rm -rf` that stopped half-way may have left no file of ours. Entries bear ids.
        const auto archive = os::open_dir_at(root_, format::archive_name);
        if (has_no_directory(archive)) return false;
        TRY(archive);
        std::size_t entries = 0, others = 0;
        TRY(os::for_each_name(*archive, [&](const std::string& name, os::FileKind) -> Result<> {
            ++(format::parse_id(name) ? entries : others);
            return {};
        }));
        return entries > 0 && others == 0;
    }

    /// Replaces the text of `format`, by one rename. While it says that the cache is being
    /// destroyed, no process opens it. After an error the old text is there. A kill before the
    /// rename leaves a file that bears a fresh id: the next destroy deletes it like all else.
    Result<> replace_format(std::string_view text) {
        const std::string fresh = to_text(format::fresh_id());
        TRY(os::write_new_file_at(root_, fresh, text, os::readable_file));
        auto replaced = os::rename_replacing(root_, fresh, format::format_name);
        if (!replaced) (void)os::remove_file_at(root_, fresh);
        return replaced;
    }

    /// Makes sure that no process leases anything, and that none can do so from now on: it locks
    /// every lease table, and then removes `participants/`. The locks stay in `closed`. Errors:
    /// `busy` if a living process has a table.
    Result<> end_leases(cache::ClosedPool& closed) {
        for (;;) {
            const auto participants = os::open_dir_at(root_, format::participants_name);
            if (is_absent(participants)) return {};
            TRY(participants);
            TRY(cache::close_pool(*participants, closed));
            const auto remove = [&](const std::string& name, os::FileKind) -> Result<> {
                TRY(tree::remove_tree_at(*participants, name));
                return {};
            };
            TRY(os::for_every_name(*participants, remove));
            auto removed = os::remove_dir_at(root_, format::participants_name);
            if (removed || is_absent(removed)) return {};
            // A process has added a table since. Look whether it lives.
            if (why_of(removed) != Why::not_empty && why_of(removed) != Why::exists) return removed;
        }
    }

    /// Deletes everything but the two files that say that this was a cache. What cannot be deleted
    /// stops nothing else.
    Result<> delete_all() {
        NotedErrors errors;
        TRY(os::for_each_name(root_, [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::format_name || name == format::cachedir_tag_name) return {};
            (void)os::point("destroy.one");
            return errors.note(tree::remove_tree_at(root_, name));
        }));
        return errors.first();
    }

    /// Deletes the two files that say that this was a cache, and then the root. They go last, so
    /// that a destroy that is interrupted before can be repeated. What needs memory or a descriptor
    /// comes before that.
    Result<> delete_root() {
        const fs::path path = root_.path;
        const std::string last_name = path.filename().string();
        TRY_ASSIGN(const os::Dir parent, os::open_dir(path.parent_path()));
        for (const char* const name : {format::cachedir_tag_name, format::format_name}) {
            auto removed = os::remove_file_at(root_, name);
            if (!removed && !is_absent(removed)) return removed;
        }
        auto removed = os::remove_dir_at(parent, last_name);
        if (!removed) removed.error().detail = "the cache is gone, and only its directory is left";
        return removed;
    }

    os::Dir root_;
    std::string format_text_;  // what `format` said before; empty if it was destroyed or damaged
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
