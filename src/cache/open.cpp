// SPDX-License-Identifier: MIT
// Opens a root. This file says what a root must be, what is refused, and how a root is created.

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>

#include "cache/husk.hpp"
#include "cache/parts.hpp"
#include "cache/root.hpp"
#include "cache/root_files.hpp"
#include "format/id.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/file_system.hpp"
#include "os/link.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "os/unique.hpp"
#include "os/user.hpp"

namespace larder::cache {

namespace {

namespace fs = std::filesystem;

/// Returns the name of a network file system; null if the root lies on a local one.
const char* network_of(const os::Dir& dir) {
    if (os::point("open.network") != 0) return "NFS";
    return os::traits_of(dir.handle).network;
}

/// Returns the nearest directory at or above `path` that exists. Counts one for which that can't be
/// told as missing.
fs::path nearest_existing(const fs::path& path) {
    std::error_code error;
    const auto exists = [&](const fs::path& place) {
        return os::retried(error, [&](std::error_code& each) { return fs::exists(place, each); });
    };
    fs::path place = path;
    while (place.has_parent_path() && place != place.parent_path() && !exists(place))
        place = place.parent_path();
    return place;
}

/// Refuses that the superuser makes a cache below a directory of another user. That user could not
/// use it, and would only read "Permission denied".
Result<> check_maker(const fs::path& path) {
    if (!os::is_superuser()) return {};
    const fs::path above = nearest_existing(path);
    const auto info = os::try_stat_path(above, os::Follow::yes);
    // If it can't be told whose the directory is, the caller goes on, and gets the error of making
    // the root there.
    if (!info || info->owner == os::this_user()) return {};
    return refuse(path, "root would make it in " + above.string() + ", which belongs to user " +
                            os::user_name(info->owner) +
                            ", who could not use it then; run as that user, name a "
                            "directory of root's, or allow it");
}

/// Makes the root if nothing stands there, and the directories above it. Succeeds if a directory
/// stands there already. Errors: `refused` for a symlink that leads nowhere, for a file, and for
/// what check_maker refuses.
Result<> make_root_dir(const fs::path& path, bool allow_unsafe) {
    const auto info = os::try_stat_path(path, os::Follow::yes);
    if (info && !info->is_directory()) return refuse(path, "not a directory; name another place");
    // If the system does not tell, opening the directory does.
    if (os::why_of(info) != Why::absent) return {};
    std::error_code error;
    const auto link =
        os::retried(error, [&](std::error_code& each) { return fs::symlink_status(path, each); });
    if (fs::is_symlink(link)) {
        const auto text =
            os::retried(error, [&](std::error_code& each) { return fs::read_symlink(path, each); });
        return refuse(path, "a symlink to " + text.string() +
                                ", where nothing is; make that directory or remove the link");
    }
    if (!allow_unsafe) TRY(check_maker(path));
    if (path.has_parent_path()) {
        (void)os::retried(error, [&](std::error_code& each) {
            return fs::create_directories(path.parent_path(), each);
        });
        if (error) return os::fail(error, "make directory", path.parent_path());
    }
    TRY(os::make_dir_if_missing(path));
    return {};
}

/// Refuses to create a cache beside files of other programs. The directory must be empty, or one in
/// which an earlier open was interrupted. An open makes the tag first. So if the tag is missing or
/// has other contents, then even a name that larder uses, such as "deleting", belongs to another
/// program. A tag that holds so little of its text that it may be another program's does only for a
/// husk. The exception is our .gitignore, because "rm -rf root/*" leaves it there.
Result<> check_nothing_else_here(const os::Dir& root) {
    std::string strange, ours;  // one name of each kind, for the message
    bool has_gitignore = false;
    TRY(os::for_each_name(root, [&](const std::string& name, os::FileKind) -> Result<> {
        if (name == format::gitignore_name) {
            has_gitignore = true;
        } else {
            (format::is_root_name(name) ? ours : strange) = name;
        }
        return {};
    }));
    // Read the files after the names. Another process may be creating the cache, and writes the tag
    // before it makes any directory. So if a directory of ours was listed, its tag is there by now;
    // and if it has come to more while this process looked for a husk, its tag is there after that.
    const auto has_own_tag = [&] {
        const auto tag = os::read_file_at(root, format::cachedir_tag_name, format::max_format);
        return tag && format::is_own_tag(*tag);
    };
    if (strange.empty() && !ours.empty() && !has_own_tag()) {
        const bool has_begun_tag =
            holds_beginning_of(root, format::cachedir_tag_name, format::cachedir_tag_text);
        TRY_ASSIGN(const bool husk, is_husk(root));
        if (!(has_begun_tag && husk) && !has_own_tag()) strange = ours;
    }
    if (strange.empty() && has_gitignore &&
        !holds_beginning_of(root, format::gitignore_name, format::gitignore_text))
        strange = format::gitignore_name;
    if (strange.empty()) return {};
    const bool is_left = is_remains(root).value_or(false);
    return refuse(root.path, "not a cache of larder's: it holds \"" + strange +
                                 "\" and no \"format\"; name an empty or a new directory" +
                                 (is_left ? ", or let `cachetool destroy` delete what is left of a "
                                            "cache"
                                          : ""));
}

/// Reads `format`, and refuses a cache that this version cannot use, with what to do about it.
/// Returns the kind `unknown` if there is no such file: then the root is empty or unfinished.
/// Errors: `refused`.
Result<format::FormatRead> read_format(const os::Dir& root) {
    auto text = os::read_file_at(root, format::format_name, format::max_format);
    if (is_absent(text)) return format::FormatRead{};
    if (!text) {
        const auto info = os::stat_at(root, format::format_name);
        if (info && !info->is_regular())
            return fail(Errc::damaged, "open cache", root.path / format::format_name,
                        std::string(file_belongs_here) + ", and the next open writes it anew");
        return tl::make_unexpected(std::move(text).error());
    }
    auto read = format::parse_format(*text);
    if (read.kind == format::FormatRead::Kind::newer) {
        return refuse(root.path, "a newer larder made this cache (its format begins with \"" +
                                     text->substr(0, text->find('\n')) +
                                     "\"); update this program, or name another directory");
    }
    if (read.kind == format::FormatRead::Kind::older) {
        return refuse(root.path,
                      "an older larder made this cache (its format begins with \"" +
                          text->substr(0, text->find('\n')) +
                          "\"), by another protocol; make a new one: end the programs that "
                          "use it and delete the directory, or name another directory");
    }
    if (read.kind == format::FormatRead::Kind::destroyed) {
        return refuse(root.path,
                      "it is being destroyed, or was in part; `cachetool destroy` ends that, or "
                      "gives it back if a process uses it; or name another directory");
    }
    if (read.kind == format::FormatRead::Kind::unknown && text->empty()) {
        return refuse(root.path / format::format_name,
                      "it is empty, as after a power cut; delete this file, and the next open "
                      "writes it anew for the links and buckets that stand here");
    }
    if (read.kind == format::FormatRead::Kind::unknown) {
        return refuse(root.path / format::format_name,
                      "not a format that larder knows; if this was a cache, delete the directory");
    }
    if (read.kind == format::FormatRead::Kind::ours && read.format.links == LinkKind::junction &&
        !os::has_junctions()) {
        return refuse(root.path,
                      "its links are directory junctions, which exist on Windows only; use it on "
                      "the Windows that made it, or name another directory");
    }
    return read;
}

/// Reads `format` again, after the parts of the cache were opened. A destroy marks the cache before
/// it removes any part. So if `format` is ours now, the parts that were opened are those in which a
/// destroy looks for leases. Errors: `refused`, also if `format` is gone.
Result<format::Format> read_format_again(const os::Dir& root) {
    TRY_ASSIGN(const auto read, read_format(root));
    if (read.kind != format::FormatRead::Kind::ours)
        return refuse(root.path, "another process has just destroyed it; try again");
    return read.format;
}

/// Syncs a file that write_if_missing has made. One that can't be opened is not larder's. Requires:
/// it was seen to hold our text, or its beginning, so it is no pipe.
Result<> sync_if_ours(const os::Dir& root, const char* name) {
    const auto file = os::open_at(root, name, os::OpenMode::read_nonblocking);
    if (!file) return {};
    return os::sync(*file, root / name);
}

/// Returns whether a bucket that is a directory can be renamed. Makes a directory in `scratch`, and
/// leaves nothing there.
bool can_rename_directory(const os::Dir& scratch) {
    if (!os::renames_directories_in_use() || os::point("open.probe-directory") != 0) return false;
    const std::string first = to_text(format::fresh_id());
    const std::string second = to_text(format::fresh_id());
    if (!os::make_dir_at(scratch, first)) return false;
    const bool works = os::rename_new(scratch, first, scratch, second).has_value();
    (void)os::remove_dir_at(scratch, works ? second : first);
    return works;
}

/// The kinds that a root without `format` has already. Empty where nothing tells.
struct StandingKinds {
    std::optional<LinkKind> links;
    std::optional<BucketKind> buckets;
};

/// Looks what a root without `format` holds. In a root that was never finished that is nothing. But
/// the file may have been deleted by hand: then other kinds would hide every key of the cache. Only
/// links and pointers count that larder has made.
Result<StandingKinds> find_kinds(const Handles& dirs, const GarbageHandles& garbage) {
    StandingKinds found;
    const auto look_at_links = [&](const os::Dir& dir) {
        return os::for_each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
            for (const LinkKind kind : format::kinds_here()) {
                TRY_ASSIGN(const auto link, format::read_link(kind, dir, name));
                if (link.kind == format::LinkRead::Kind::entry) found.links = kind;
            }
            return {};
        });
    };
    const auto look_at_buckets = [&](const os::Dir& dir) {
        return os::for_each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
            for (const LinkKind kind : format::kinds_here()) {
                TRY_ASSIGN(const auto pointer, format::read_pointer(kind, dir, name));
                if (pointer.kind == format::PointerRead::Kind::generation)
                    found = {.links = kind, .buckets = BucketKind::pointer};
            }
            const auto keys = os::open_dir_at(dir, name);
            if (has_no_directory(keys)) return {};
            TRY(keys);
            if (!found.buckets) found.buckets = BucketKind::directory;
            return look_at_links(*keys);
        });
    };
    TRY(look_at_buckets(dirs.buckets));
    if (!found.buckets) TRY(look_at_buckets(garbage.retired_buckets));
    if (!found.links) TRY(look_at_links(garbage.retired_links));
    return found;
}

/// Chooses the format of a new cache: the kinds of its links and buckets, and the longest name of a
/// key. Makes and deletes links and directories in `deleting/` to find out what works. Takes the
/// kinds that stand there, if the root had a `format` before. On Windows links are symlinks only if
/// the caller asks for them. Errors: `unsupported` if the file system's names are too short, or if
/// the kind of links that the caller asked for does not work.
Result<format::Format> choose_format(const Handles& dirs, const GarbageHandles& garbage,
                                     const OpenOptions& options) {
    format::Format format;
    TRY_ASSIGN(const StandingKinds standing, find_kinds(dirs, garbage));
    format.longest_name = std::min(format::max_name, os::longest_name(dirs.buckets));
    if (format.longest_name < format::min_longest_name) {
        return fail(Errc::unsupported, "create cache", dirs.root.path,
                    "names may have only " + std::to_string(format.longest_name) +
                        " bytes on this file system; name a directory on another one");
    }
    if (standing.links) {
        format.links = *standing.links;
    } else if (options.link_kind) {
        format.links = *options.link_kind;
        if (!format::link_kind_works(format.links, garbage.deleting)) {
            const bool none_here = format.links == LinkKind::junction && !os::has_junctions();
            return fail(Errc::unsupported, "create cache", dirs.root.path,
                        none_here ? "directory junctions exist on Windows only; ask for another "
                                    "kind of links, or for none in particular"
                                  : "links of the requested kind do not work on this file system");
        }
    } else if (!os::all_users_make_symlinks() ||
               !format::link_kind_works(LinkKind::symlink, garbage.deleting)) {
        format.links = LinkKind::file;
    }
    if (standing.buckets) {
        format.buckets = *standing.buckets;
    } else if (options.bucket_kind) {
        format.buckets = *options.bucket_kind;
    } else if (!can_rename_directory(garbage.deleting)) {
        format.buckets = BucketKind::pointer;
    }
    return format;
}

/// Writes `format`, which makes the new cache complete: it is the last file of a new root, and a
/// root without it is unfinished. Succeeds too if another process has written it first: the caller
/// reads what stands there. Crash: leaves a file in `deleting/`, which a collection deletes.
Result<> write_format(const os::Dir& root, const os::Dir& deleting, const format::Format& format) {
    // Arbitrary: so often in a row no collection deletes the file. A file system that answers so
    // each time must not keep this process for ever.
    constexpr int max_attempts = 100;
    for (int attempts = 1;; ++attempts) {
        const std::string scratch = to_text(format::fresh_id());
        TRY(os::write_new_file_at(deleting, scratch, format::print_format(format),
                                  os::readable_file));
        // Sync it, once in the life of a cache. If a power cut emptied `format`, every later open
        // would refuse the cache.
        const auto written = os::open_at(deleting, scratch, os::OpenMode::read);
        if (written) TRY(os::sync(*written, deleting / scratch));
        (void)os::point("open.format");
        auto placed = os::rename_new(deleting, scratch, root, format::format_name);
        if (placed) return os::sync(root);
        (void)os::remove_file_at(deleting, scratch);
        if (why_of(placed) == Why::exists)
            return {};  // another process was first, and its file counts
        if (!is_absent(placed)) return placed;
        if (attempts == max_attempts) {
            placed.error().detail =
                "the file was made " + std::to_string(attempts) +
                " times, and each time the system said at its renaming that it is not there; open "
                "the cache again, and if that fails too, name a directory on another file system "
                "(`cachetool doctor` tests one)";
            return placed;
        }
        // A collection has deleted the file, as it deletes everything there. Make it again.
    }
}

/// Refuses a file of the locks that belongs to another user than the root, or to which other users
/// may write: they could take every lock. One that is missing is made later, and if something else
/// stands there, the first lock is an error.
Result<> check_locks(const os::Dir& root, std::uint64_t owner) {
    const auto info = os::stat_at(root, format::locks_name);
    if (!info || !info->is_regular()) return {};
    const fs::path path = root / format::locks_name;
    if (info->owner != owner) {
        return refuse(path, "it belongs to user " + os::user_name(info->owner) +
                                ", and the cache to user " + os::user_name(owner) +
                                ": the first may take every lock; delete this file when no process "
                                "uses the cache, or name another directory");
    }
    if (!os::may_let_others_write(*info)) return {};
    TRY_ASSIGN(const os::FileHandle file,
               os::open_at(root, format::locks_name, os::OpenMode::read_nonblocking));
    if (!os::others_may_write(file, *info)) return {};
    return refuse(path,
                  "other users may write to it, and so take every lock; take that right away "
                  "(`chmod go-w`, which also cuts what an access control list gives), or name "
                  "another directory");
}

/// Opens `generations/` if buckets are pointers.
Result<> open_generations(Handles& dirs, const PartOpener& parts, const format::Format& format) {
    if (format.buckets != BucketKind::pointer || dirs.generations.is_open()) return {};
    TRY_ASSIGN(dirs.generations, parts.open(dirs.root, format::generations_name));
    return {};
}

/// Makes the root if it is missing, unless the caller only reads, and opens it. The path of the
/// result is absolute and has no symlink, so that all processes name the cache by the same one.
Result<os::Dir> open_root_dir(const fs::path& path, const OpenOptions& options) {
    std::error_code error;
    fs::path absolute =
        os::retried(error, [&](std::error_code& each) { return fs::absolute(path, each); });
    if (error) return os::fail(error, "open cache", path);
    // Most roots are there. What follows is for one that is not, and for what can't be opened.
    const fs::path known =
        os::retried(error, [&](std::error_code& each) { return fs::canonical(absolute, each); });
    if (!error) {
        if (auto opened = os::open_dir(known)) return opened;
    }
    // A root that is about to be made: a ".." in its path must not need directories that do not
    // exist.
    if (os::why_of(os::try_stat_path(absolute, os::Follow::yes)) == Why::absent)
        absolute = absolute.lexically_normal();
    if (!absolute.has_filename())
        absolute = absolute.parent_path();  // "cache/" and "cache/." are "cache"
    if (!options.read_only) TRY(make_root_dir(absolute, options.allow_unsafe));
    absolute =
        os::retried(error, [&](std::error_code& each) { return fs::canonical(absolute, each); });
    if (error) return os::fail(error, "open cache", path);
    auto opened = os::open_dir(absolute);
    if (why_of(opened) == Why::denied) {
        const auto info = os::try_stat_path(absolute, os::Follow::yes);
        if (info && info->owner != os::this_user())
            opened.error().detail = "it belongs to user " + os::user_name(info->owner) +
                                    ", and this process runs as " + os::user_name(os::this_user()) +
                                    "; ask that user for the right to read it, or name another "
                                    "directory";
    }
    return opened;
}

/// The Roots that this process has open. A forked child begins with an empty list. It does not use
/// the list that it inherited, because another thread of the parent may have held the mutex.
class OpenRoots {
public:
    /// Returns the list of this process. The first call after a fork begins a new one. A list is
    /// never deleted, because Roots may live until the process ends.
    static OpenRoots& of_this_process() {
        static std::atomic<OpenRoots*> current{nullptr};
        OpenRoots* roots = current.load(std::memory_order_acquire);
        while (roots == nullptr || roots->owner_ != os::process_token()) {
            auto* const fresh = new OpenRoots;
            if (current.compare_exchange_strong(roots, fresh)) return *fresh;
            delete fresh;  // another thread was quicker; `roots` is its list now
        }
        return *roots;
    }

    std::mutex mutex;  // guards the maps
    /// By the identities of the root directories. A Root belongs to those who use it.
    std::map<os::FileIdentity, std::weak_ptr<Root>> writable, read_only;

private:
    const std::uint64_t owner_ = os::process_token();
};

/// Refuses a root that this process must not use, or not in this way: another user's, one to which
/// others may write, one on a network file system. `path` is how the caller named it. Errors:
/// `refused`.
Result<> check_root_is_safe(const fs::path& path, const os::Dir& root, const os::FileInfo& info,
                            bool read_only, const OpenOptions& options) {
    if (!read_only && info.owner != os::this_user()) {
        return refuse(path, "it belongs to user " + os::user_name(info.owner) +
                                ", and this process runs as " + os::user_name(os::this_user()) +
                                ": files that it made would lock the owner out; run as that user, "
                                "or name another directory");
    }
    if (!options.allow_unsafe) TRY(check_hands_off(root, info, info.owner));
    if (const char* network = network_of(root); network != nullptr && !options.allow_network) {
        return refuse(path, std::string("it is on a network file system (") + network +
                                "): leases live in mapped memory, which other machines do not see; "
                                "name a local directory, or allow it "
                                "where only this machine uses the cache");
    }
    return {};
}

/// Refuses a root without `format` that can't be made a cache. `path` is how the caller named it.
/// Errors: `refused`.
Result<> check_can_be_created(const fs::path& path, const os::Dir& root, bool read_only) {
    if (read_only) {
        return refuse(path,
                      "not a cache of larder's (it has no \"format\"), and it can't be made "
                      "one: it is open for reading only, or this process may not write there; "
                      "name another directory, or make this one writable");
    }
    return check_nothing_else_here(root);
}

/// Makes a cache of a root without `format`, and returns its format. Errors: those of making a file
/// or a directory, and of choose_format. A kill leaves a root that the next open completes.
Result<format::Format> complete_root(Handles& dirs, const GarbageHandles& garbage,
                                     const PartOpener& parts, const OpenOptions& options) {
    TRY(mend_tags(dirs.root));
    // Make it now, while there is space. A collection and a remove need their locks on a disk that
    // has no inode left.
    TRY(write_if_missing(dirs.root, format::locks_name, "", os::private_file));
    // If a power cut emptied these two, backups and git would take the cache, until the next
    // collection. So they are on the disk before a file says that this is a cache.
    for (const char* const name : {format::cachedir_tag_name, format::gitignore_name})
        TRY(sync_if_ours(dirs.root, name));
    TRY_ASSIGN(const format::Format chosen, choose_format(dirs, garbage, options));
    TRY(open_generations(dirs, parts, chosen));
    TRY(write_format(dirs.root, garbage.deleting, chosen));
    // Another process may have written it first, with other kinds. What stands there counts.
    TRY_ASSIGN(format::Format written, read_format_again(dirs.root));
    if (written.buckets == chosen.buckets) return written;
    if (written.buckets == BucketKind::directory) {
        // No process of this cache uses the directory that was made above, so it is empty.
        dirs.generations = {};
        (void)os::remove_dir_at(dirs.root, format::generations_name);
        return written;
    }
    TRY(open_generations(dirs, parts, written));
    return read_format_again(dirs.root);
}

/// Opens, or makes, the directories of a root whose `format` said `found`, and reads that again.
/// The other steps are those of a root that lacks none of them: see open_anew.
Result<format::Format> open_made(const fs::path& path, Handles& dirs, GarbageRef& garbage,
                                 const PartOpener& parts, const format::Format& found) {
    TRY(parts.open_first(dirs));
    TRY_ASSIGN(garbage, parts.open_garbage(dirs.root, true));
    TRY(open_generations(dirs, parts, found));
    TRY_ASSIGN(const format::Format again, read_format_again(dirs.root));
    if (again.buckets != found.buckets)
        return refuse(path, "another process has just made it anew; try again");
    return again;
}

/// Opens the root that `root` is an open handle of, and creates the cache if there is none. `path`
/// is how the caller named it, and `info` is about it. Errors: `refused`, and those of the system.
Result<std::shared_ptr<Root>> open_anew(const fs::path& path, os::Dir root,
                                        const os::FileInfo& info, bool read_only,
                                        const OpenOptions& options, Parts needed) {
    // A cleaner that works there at this instant is neither waited for nor stopped.
    (void)os::hold_off_cleaners(root);
    Handles dirs;
    dirs.root = std::move(root);
    // The parts come first, and then `format`. A destroy marks the cache before it removes any
    // part. So if `format` is ours, these are the parts in which a destroy looks for leases.
    const bool has_parts = PartOpener::open_found(dirs);
    (void)os::point("open.found");
    TRY_ASSIGN(auto found, read_format(dirs.root));
    (void)os::point("open.read");
    TRY(check_root_is_safe(path, dirs.root, info, read_only, options));
    const bool is_new = found.kind == format::FormatRead::Kind::unknown;
    if (is_new) TRY(check_can_be_created(path, dirs.root, read_only));
    // The tag is the first file of a new cache. By it the next open, after a kill, knows that the
    // directory is larder's; and a destroy knows that its root has become a new cache.
    if (is_new)
        TRY(write_if_missing(dirs.root, format::cachedir_tag_name, format::cachedir_tag_text));
    const PartOpener parts(read_only, info.owner, options.allow_unsafe);
    bool archive_is_checked = true;
    GarbageRef garbage;
    if (is_new) {
        TRY(parts.open_first(dirs));
        TRY_ASSIGN(garbage, parts.open_garbage(dirs.root, true));
    } else if (has_parts && needed == Parts::first &&
               found.format.buckets == BucketKind::directory) {
        for (const os::Dir* dir : {&dirs.participants, &dirs.staging, &dirs.buckets})
            TRY(parts.check(*dir));
        archive_is_checked = false;
    } else {
        // What is made here is made after `format` was read, and so `format` is read again.
        TRY_ASSIGN(found.format, open_made(path, dirs, garbage, parts, found.format));
    }
    if (!options.allow_unsafe) TRY(check_locks(dirs.root, info.owner));
    format::Format format = found.format;
    if (is_new) {
        TRY_ASSIGN(format, complete_root(dirs, *garbage, parts, options));
    }
    os::FileIdentity archive;
    if (dirs.archive.is_open()) {
        TRY_ASSIGN(const os::FileInfo archive_info, os::stat_of(dirs.archive));
        if (!archive_is_checked && !options.allow_unsafe)
            TRY(check_hands_off(dirs.archive, archive_info, info.owner));
        archive = archive_info.identity;
    }
    return std::make_shared<Root>(std::move(dirs), std::move(garbage), parts, info.identity,
                                  archive, format, read_only);
}

}  // namespace

std::vector<std::shared_ptr<Root>> open_roots() {
    OpenRoots& opened = OpenRoots::of_this_process();
    const std::lock_guard guard(opened.mutex);
    std::vector<std::shared_ptr<Root>> roots;
    for (const auto& [identity, known] : opened.writable) {
        if (auto root = known.lock()) roots.push_back(std::move(root));
    }
    return roots;
}

Result<std::shared_ptr<Root>> open_root(const fs::path& path, const OpenOptions& options,
                                        Parts needed) {
    TRY(os::draw_token());
    TRY_ASSIGN(os::Dir root, open_root_dir(path, options));

    TRY_ASSIGN(const os::FileInfo info, os::stat_of(root));
    // If this can't be told, return an error. Do not open the root read-only instead: its leases
    // would then protect nothing.
    TRY_ASSIGN(const bool writable, os::is_writable(root));
    const bool read_only = options.read_only || !writable;

    OpenRoots& opened = OpenRoots::of_this_process();
    const std::lock_guard guard(opened.mutex);  // also lets one thread alone create a root
    // If this process has the same directory open, it uses that Root, so that it is one
    // participant, and not two that know nothing of each other.
    auto& known = (read_only ? opened.read_only : opened.writable)[info.identity];
    if (auto shared = known.lock(); shared && !shared->is_lost()) {
        if (needed == Parts::first || shared->open_garbage()) return shared;
    }
    TRY_ASSIGN(auto fresh, open_anew(path, std::move(root), info, read_only, options, needed));
    known = fresh;
    return fresh;
}

}  // namespace larder::cache
