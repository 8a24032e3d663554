// SPDX-License-Identifier: MIT
#include "tree/transfer.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "os/copy.hpp"
#include "os/link.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

namespace fs = std::filesystem;

/// Returns whether a hard link that was refused with `why` is worth a try for the next file. The
/// reason may concern this file alone: it is immutable or another user's, or has all the links that
/// it can have. A try that fails costs a tenth of the copy that follows.
bool may_work_for_next_file(Why why) {
    return why == Why::not_permitted || why == Why::too_many_links;
}

/// Makes the file `as` by a clone. Returns whether the file has the attributes, the mode and the
/// time of its source. Leaves nothing there after an error. Errors: `unsupported` if the system
/// refuses to clone.
Result<bool> clone_file(const Transfer& transfer, const std::string& as, os::Refusal refusal) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    return with_right(transfer.lend_again, [&] {
        return os::clone_file(source, transfer.info, transfer.to, as, refusal);
    });
}

/// Makes `as` another name of the source. Errors: `unsupported` if the system refuses that.
Result<> link_file(const Transfer& transfer, const std::string& as) {
    if (const int error = os::point("tree.link"))
        return os::refused(error, "link", transfer.to / as);
    return with_right(transfer.lend_again, [&] {
        return os::make_hard_link(transfer.from, transfer.name, transfer.to, as);
    });
}

/// Removes a fresh name, if it stands there. It stays if the system refuses that.
void remove_fresh(const Transfer& transfer, const std::string& fresh) {
    (void)with_right(transfer.lend_again, [&] { return os::remove_file_at(transfer.to, fresh); });
}

/// A copy whose two files are open. It owns neither of them: copy_file does.
struct OpenCopy {
    const os::FileHandle& from;
    const os::FileHandle& to;
    const Transfer& transfer;
    const std::string& as;  // the name of `to`

    // These paths are for messages. They are put together only for an error.
    [[nodiscard]] fs::path from_path() const { return transfer.from / transfer.name; }
    [[nodiscard]] fs::path to_path() const { return transfer.to / as; }
};

/// Copies a run by reading and writing. Ends early, without an error, if the source has become
/// shorter.
Result<> copy_through_buffer(const OpenCopy& copy, os::ByteRun run) {
    // coreutils measured this size to be best on most machines.
    constexpr std::size_t chunk = 128 * 1024;
    const auto buffer = std::make_unique<char[]>(chunk);
    while (run.length > 0) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, run.length));
        const auto got = os::read_at(copy.from, buffer.get(), want, run.start);
        if (!got) return os::fail(got.error(), "read", copy.from_path());
        if (*got == 0) return {};
        if (const auto error = os::write_at(copy.to, buffer.get(), *got, run.start))
            return os::fail(error, "write", copy.to_path());
        run.start += *got;
        run.length -= *got;
    }
    return {};
}

/// Copies a run inside the kernel as far as the kernel does that, and the rest through a buffer.
Result<> copy_run(const OpenCopy& copy, const os::ByteRun& run) {
    const auto rest = os::copy_in_kernel(copy.from, copy.to, run);
    if (!rest) return os::fail(rest.error(), "copy", copy.to_path());
    return copy_through_buffer(copy, *rest);
}

/// Copies what a file holds. A hole stays a hole, so that a sparse file takes no more space than
/// its source.
Result<> copy_contents(const OpenCopy& copy) {
    const os::FileInfo& info = copy.transfer.info;
    // A file that has all its blocks has no holes. One that has fewer may have none either, if it
    // is compressed. Then the search for holes below finds none, and costs two calls.
    if (info.allocated >= info.size) return copy_run(copy, os::ByteRun::whole());
    for (std::uint64_t at = 0; at < info.size;) {
        const os::ByteRun run = os::next_data(copy.from, at, info.size);
        // Only a hole follows. A file system that can't tell calls all the rest data instead.
        if (run.length == 0) break;
        TRY(copy_run(copy, run));
        at = run.start + run.length;
    }
    // A hole at the end was written by no call, so the file is still too short.
    if (const auto error = os::set_size(copy.to, info.size))
        return os::fail(error, "set size", copy.to_path());
    return {};
}

/// Makes the file `as` by a copy, with the attributes, the mode and the time of its source. Returns
/// whether it has them all: false only if refusals are counted. Leaves nothing there after an
/// error.
Result<bool> copy_file(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    TRY_ASSIGN(auto made, with_right(transfer.lend_again,
                                     [&] { return os::NewFile::create(transfer.to, as); }));
    const OpenCopy copy{.from = source, .to = made.handle(), .transfer = transfer, .as = as};
    TRY(copy_contents(copy));
    return made.complete(source, transfer.info, transfer.refusal);
}

/// Calls make(name), which makes a file piece by piece, and returns its result. In a destination
/// that other processes see, the name is a fresh one until the file is complete, so that `as` never
/// names half a file. Errors: those of `make`, and `exists` if `as` is taken. Then nothing is left
/// under the fresh name.
template <class Make>
Result<bool> make_whole(const Transfer& transfer, const std::string& as, Make make) {
    // `as` is a fresh name already if the file is going to replace another one.
    if (transfer.visibility == Visibility::hidden || as != transfer.name) return make(as);
    // This only saves the copying if the name is taken: the rename below decides.
    if (os::exists_at(transfer.to, as).value_or(false))
        return os::fail(Why::exists, "make", transfer.to / as);
    const std::string fresh = fresh_name();
    Result<bool> made = make(fresh);
    if (made) {
        auto placed = with_right(transfer.lend_again, [&] {
            return os::rename_new(transfer.to, fresh, transfer.to, as);
        });
        if (!placed) made = tl::make_unexpected(std::move(placed).error());
    }
    if (!made) remove_fresh(transfer, fresh);
    return made;
}

/// Makes the file `as` by a clone. Errors as in clone_file, and `exists`.
Result<MadeFile> make_by_clone(const Transfer& transfer, const std::string& as,
                               os::Refusal refusal) {
    TRY_ASSIGN(const bool is_exact, make_whole(transfer, as, [&](const std::string& name) {
                   return clone_file(transfer, name, refusal);
               }));
    return MadeFile{.kind = TransferKind::cloned, .is_exact = is_exact};
}

/// Makes the file `as` by a hard link. Errors as in link_file, and `exists`.
Result<MadeFile> make_by_link(const Transfer& transfer, const std::string& as) {
    TRY(link_file(transfer, as));
    return MadeFile{.kind = TransferKind::hardlinked};
}

/// Makes the file `as` by a copy. Errors as in copy_file, and `exists`.
Result<MadeFile> make_by_copy(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const bool is_exact, make_whole(transfer, as, [&](const std::string& name) {
                   return copy_file(transfer, name);
               }));
    return MadeFile{.kind = TransferKind::copied, .is_exact = is_exact};
}

/// Removes what a way that has failed could not remove: on Windows, another program may hold open
/// what has just been made. The next way would take it for something of another process. Does
/// nothing if `as` is a name that other processes may give, because then that way has used another.
Result<> remove_left_over(const Transfer& transfer, const std::string& as) {
    const bool is_ours = transfer.visibility == Visibility::hidden || as != transfer.name;
    if (!is_ours || !os::exists_at(transfer.to, as).value_or(false)) return {};
    return os::remove_file_at(transfer.to, as);
}

/// Makes the file `as` in the first way that works: by a clone, a hard link or a copy. A way that
/// fails is taken out of `ways`, unless the next file may have more luck with it. Errors: those of
/// the copy; and one that ends_at_once, of any way, because the next way would meet it again.
Result<MadeFile> make_in_any_way(const Transfer& transfer, const std::string& as,
                                 WorkingWays& ways) {
    if (ways.clone) {
        // Count no refusal here: a hard link, which comes next, has the mode and the time.
        auto cloned = make_by_clone(transfer, as, os::Refusal::is_error);
        if (cloned || ends_at_once(why_of(cloned))) return cloned;
        ways.clone = false;
        TRY(remove_left_over(transfer, as));
    }
    // A hard link hands on the file itself, with its privileges. Only a caller who asks for hard
    // links gets them.
    if (ways.hardlink && !os::has_privileges(transfer.from, transfer.name, transfer.info)) {
        auto linked = make_by_link(transfer, as);
        if (linked || ends_at_once(why_of(linked))) return linked;
        if (!may_work_for_next_file(why_of(linked))) ways.hardlink = false;
    }
    return make_by_copy(transfer, as);
}

/// Returns `made`, the result of the one way that the caller asked for. If that way does not work
/// between these two directories, makes the error name both of them.
Result<MadeFile> with_both_places(Result<MadeFile> made, const Transfer& transfer) {
    if (made || made.error().code != Errc::unsupported) return made;
    made.error().path = transfer.to / transfer.name;
    made.error().detail = "not possible from " + transfer.from.path.string();
    return made;
}

/// Makes the file under the name `as`, which should be free, in the way that the caller asks for.
/// Errors: `exists` if the name is taken; `unsupported` if the one way that was asked for does not
/// work here.
Result<MadeFile> make_in_mode(const Transfer& transfer, const std::string& as, LinkMode mode,
                              WorkingWays& ways) {
    switch (mode) {
        case LinkMode::automatic:
            return make_in_any_way(transfer, as, ways);
        case LinkMode::clone:
            return with_both_places(make_by_clone(transfer, as, transfer.refusal), transfer);
        case LinkMode::hardlink:
            return with_both_places(make_by_link(transfer, as), transfer);
        case LinkMode::copy:
            break;
    }
    return make_by_copy(transfer, as);
}

/// Does the same, and fills in MadeFile::identity for a new file whose source has several names.
/// (A hard link needs none: it is the source itself.) Leaves it unset if the system does not tell
/// it; then transfer_name finds that the identities differ, and makes no name of this file.
Result<MadeFile> make_file(const Transfer& transfer, const std::string& as, LinkMode mode,
                           WorkingWays& ways) {
    TRY_ASSIGN(MadeFile made, make_in_mode(transfer, as, mode, ways));
    if (made.kind == TransferKind::hardlinked || transfer.info.links < 2) return made;
    if (const auto info = os::try_stat_at(transfer.to, as.c_str())) made.identity = info->identity;
    return made;
}

/// Makes `as` another name of an earlier file, as transfer_name does. Errors: `exists` if the name
/// is taken.
Result<bool> make_another_name(const Transfer& transfer, const std::string& as,
                               const EarlierFile& earlier) {
    const auto linked = with_right(transfer.lend_again, [&] {
        return os::make_hard_link(earlier.dir, earlier.name, transfer.to, as);
    });
    if (why_of(linked) == Why::exists) return tl::make_unexpected(linked.error());
    if (!linked) return false;  // the caller makes a file of its own
    const auto info = os::try_stat_at(transfer.to, as.c_str());
    if (info && info->identity == earlier.identity) return true;
    // Another process has replaced the earlier file.
    TRY(with_right(transfer.lend_again, [&] { return os::remove_file_at(transfer.to, as); }));
    return false;
}

/// Makes the symlink `as` with the same text, and the time of its source. Errors: `exists` if the
/// name is taken; the system's if the text can't be read.
Result<> make_symlink(const Transfer& transfer, const std::string& as) {
    std::array<char, 4096> text{};  // no system allows a text of more than 4,096 bytes
    const auto length =
        os::read_symlink_at(transfer.from, transfer.name.c_str(), text.data(), text.size());
    if (!length) return os::fail(length.error(), "read link", transfer.from / transfer.name);
    const auto leads_to =
        transfer.info.leads_to_directory ? os::LeadsTo::directory : os::LeadsTo::file;
    const std::string target(text.data(), *length);
    TRY(with_right(transfer.lend_again,
                   [&] { return os::make_symlink_at(transfer.to, as, target, leads_to); }));
    // If the file system keeps no time for a symlink, it has the time at which it was made.
    (void)os::set_modified_at(transfer.to, as, transfer.info.modified);
    return {};
}

/// Calls make(name), which makes something at a free name of `transfer.to`, and returns its result.
/// If the final name is taken and may be replaced, the thing is made at a fresh name and then
/// renamed over the final one, so that other processes see the old file or the new one. Errors:
/// those of `make`, and `exists` if a directory stands there, or if `replace` is off; then nothing
/// was changed. Crash: may leave the fresh name.
template <class Make>
auto make_or_replace(const Transfer& transfer, bool replace, Make make)
    -> decltype(make(transfer.name)) {
    auto made = make(transfer.name);
    if (why_of(made) != Why::exists) return made;
    // If the system does not tell what stands there, the rename below still replaces no directory.
    const auto standing = os::stat_at(transfer.to, transfer.name);
    if (standing && standing->is_directory()) {
        return fail(Errc::exists, "make", transfer.to / transfer.name,
                    "a directory stands where a file should go");
    }
    if (!replace)
        return fail(Errc::exists, "make", transfer.to / transfer.name,
                    "something stands there already; allow its replacement, or move it away");
    const std::string fresh = fresh_name();
    made = make(fresh);
    Result<> renamed;
    if (made) {
        renamed = with_right(transfer.lend_again, [&] {
            return os::rename_replacing(transfer.to, fresh, transfer.to, transfer.name);
        });
    }
    // Remove the fresh name after a success, too: a rename between two names of one file succeeds
    // and does nothing.
    remove_fresh(transfer, fresh);
    TRY(renamed);
    return made;
}

}  // namespace

Result<MadeFile> transfer_file(const Transfer& transfer, const MaterializeOptions& options,
                               WorkingWays& ways) {
    return make_or_replace(transfer, options.replace, [&](const std::string& as) {
        return make_file(transfer, as, options.mode, ways);
    });
}

Result<bool> transfer_name(const Transfer& transfer, const MaterializeOptions& options,
                           const EarlierFile& earlier) {
    return make_or_replace(transfer, options.replace, [&](const std::string& as) {
        return make_another_name(transfer, as, earlier);
    });
}

Result<> transfer_symlink(const Transfer& transfer, const MaterializeOptions& options) {
    return make_or_replace(transfer, options.replace,
                           [&](const std::string& as) { return make_symlink(transfer, as); });
}

Result<bool> finish_directory(const os::Dir& source, const os::FileInfo& info, const os::Dir& made,
                              os::Refusal refusal) {
    const auto has_attributes = os::copy_attributes(source.handle, made.handle);
    if (!has_attributes) return os::fail(has_attributes.error(), "set attributes", made.path);
    // Keep the set-group-id bit that the directory inherited from the one around it.
    TRY_ASSIGN(const os::FileInfo now, os::stat_of(made));
    const os::Permissions inherited = now.permissions & os::Permissions::set_gid;
    const os::Permissions wanted = inherited | (info.permissions & os::copied_permissions);
    const auto mode_error = os::try_set_permissions(made.handle, wanted);
    if (os::is_failure(mode_error, refusal)) return os::fail(mode_error, "set mode", made.path);
    const auto time_error = os::try_set_modified(made.handle, info.modified);
    if (os::is_failure(time_error, refusal)) return os::fail(time_error, "set time", made.path);
    return *has_attributes && !mode_error && !time_error;
}

}  // namespace larder::tree
