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

/// Returns true if `why` may concern this file alone, so that the way is tried again for the next
/// file: it is immutable or another user's, or has all the links that it can have. A try that fails
/// costs a tenth of the copy that follows.
bool is_for_this_file_only(Why why) {
    return why == Why::not_permitted || why == Why::too_many_links;
}

/// Makes the file `as` by a clone. Errors: `unsupported` if the system refuses that. Leaves nothing
/// there after an error. Returns whether the file has the mode and the time of its source.
Result<bool> clone_file(const Transfer& transfer, const std::string& as, os::Refusal refusal) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    return os::clone_file(source, transfer.info, transfer.to, as, refusal);
}

/// Makes `as` another name of the source. Errors: `unsupported` if the system refuses that.
Result<> link_file(const Transfer& transfer, const std::string& as) {
    if (const int error = os::point("tree.link"))
        return os::refused(error, "link", transfer.to / as);
    return os::make_hard_link(transfer.from, transfer.name, transfer.to, as);
}

/// Copies a run through a buffer. Ends early, without an error, if the source has become shorter.
Result<> copy_by_hand(const Transfer& transfer, const std::string& as, const os::FileHandle& from,
                      const os::FileHandle& to, os::ByteRun run) {
    constexpr std::size_t chunk =
        128 * 1024;  // the size that coreutils measured to be best on most machines
    const auto buffer = std::make_unique<char[]>(chunk);
    while (run.length > 0) {
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, run.length));
        const auto got = os::read_at(from, buffer.get(), want, run.start);
        if (!got) return os::fail(got.error(), "read", transfer.from / transfer.name);
        if (*got == 0) return {};
        if (const auto error = os::write_at(to, buffer.get(), *got, run.start))
            return os::fail(error, "write", transfer.to / as);
        run.start += *got;
        run.length -= *got;
    }
    return {};
}

/// Copies a run inside the kernel as far as it does that, and the rest by hand.
Result<> copy_run(const Transfer& transfer, const std::string& as, const os::FileHandle& from,
                  const os::FileHandle& to, const os::ByteRun& run) {
    const auto copied = os::copy_in_kernel(from, to, run);
    if (!copied) return os::fail(copied.error(), "copy", transfer.to / as);
    return copy_by_hand(transfer, as, from, to, *copied);
}

/// Copies what a file holds. A hole stays a hole, so that a sparse file takes no more space than
/// its source. The size is set at the end, since a hole there is written by no call.
Result<> copy_contents(const Transfer& transfer, const std::string& as, const os::FileHandle& from,
                       const os::FileHandle& to) {
    const os::FileInfo& info = transfer.info;
    // A file that has all its blocks has no holes. A compressed one may have fewer, and no holes.
    if (info.allocated >= info.size) return copy_run(transfer, as, from, to, os::ByteRun::whole());
    for (std::uint64_t at = 0; at < info.size;) {
        const os::ByteRun run = os::next_data(from, at, info.size);
        if (run.length == 0) break;
        TRY(copy_run(transfer, as, from, to, run));
        at = run.start + run.length;
    }
    if (const auto error = os::set_size(to, info.size))
        return os::fail(error, "set size", transfer.to / as);
    return {};
}

/// Makes the file `as` by a copy, with the attributes, the mode and the time of its source. Leaves
/// nothing there after an error. Returns whether it has them all.
Result<bool> copy_file(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    TRY_ASSIGN(auto made, os::NewFile::create(transfer.to, as));
    TRY(copy_contents(transfer, as, source, made.handle()));
    return made.complete(source, transfer.info, transfer.refusal);
}

/// Calls make(name), which makes a file piece by piece, and returns its result. In a destination
/// that other processes see, the name is a fresh one until the file is complete. Errors: `exists`
/// if the final name is taken; then nothing is left under the fresh name.
template <class Make>
Result<bool> make_at_once(const Transfer& transfer, const std::string& as, Make make) {
    // `as` is a fresh name already if the file replaces another one.
    if (transfer.sight == Sight::hidden || as != transfer.name) return make(as);
    if (os::exists_at(transfer.to, as).value_or(false))
        return os::fail(Why::exists, "make", transfer.to / as);  // before anything is copied
    const std::string fresh = fresh_name();
    TRY_ASSIGN(const bool is_exact, make(fresh));
    if (auto placed = os::rename_new(transfer.to, fresh, transfer.to, as); !placed) {
        (void)os::remove_file_at(transfer.to, fresh);
        return tl::make_unexpected(std::move(placed).error());
    }
    return is_exact;
}

/// Returns the error for a caller who asked for this way and no other.
tl::unexpected<Error> failed_alone(Error reason, const Transfer& transfer) {
    if (reason.code != Errc::unsupported) return tl::make_unexpected(std::move(reason));
    reason.path = transfer.to / transfer.name;
    reason.detail = "not possible from " + transfer.from.path.string();
    return tl::make_unexpected(std::move(reason));
}

/// Makes the file under a free name, in the first way that works: by a clone, a hard link or a
/// copy. A caller who asks for one way gets that one or an error. In automatic mode a way that
/// fails is written down in `ability`, so that it is not tried for each file; only an error that
/// ends_at_once is passed on, because the next way would meet the same one.
Result<MadeFile> make_file(const Transfer& transfer, const std::string& as, LinkMode mode,
                           Ability& ability) {
    const bool automatic = mode == LinkMode::automatic;
    if (mode == LinkMode::clone || (automatic && ability.clone)) {
        // In automatic mode a hard link may do better than a clone whose mode or time is refused.
        const auto refusal = automatic ? os::Refusal::is_error : transfer.refusal;
        const auto cloned = make_at_once(transfer, as, [&](const std::string& name) {
            return clone_file(transfer, name, refusal);
        });
        if (cloned) return MadeFile{TransferKind::cloned, *cloned, {}};
        if (!automatic) return failed_alone(cloned.error(), transfer);
        if (ends_at_once(why_of(cloned))) return tl::make_unexpected(cloned.error());
        ability.clone = false;
    }
    // A hard link hands on the file itself, with its privileges. Only a caller who asks for hard
    // links gets them.
    if (mode == LinkMode::hardlink ||
        (automatic && ability.hardlink &&
         !os::has_privileges(transfer.from, transfer.name, transfer.info))) {
        const auto linked = link_file(transfer, as);
        if (linked) return MadeFile{TransferKind::hardlinked, true, {}};
        if (!automatic) return failed_alone(linked.error(), transfer);
        if (ends_at_once(why_of(linked))) return tl::make_unexpected(linked.error());
        if (!is_for_this_file_only(why_of(linked))) ability.hardlink = false;
    }
    TRY_ASSIGN(const bool is_exact, make_at_once(transfer, as, [&](const std::string& name) {
                   return copy_file(transfer, name);
               }));
    return MadeFile{TransferKind::copied, is_exact, {}};
}

/// Makes the symlink `as` with the same text, and the time of its source. Errors: `exists`, and
/// what keeps the text from being read.
Result<> make_symlink(const Transfer& transfer, const std::string& as) {
    std::array<char, 4096> text{};  // no system allows a text of more than 4,096 bytes
    const auto length =
        os::read_symlink_at(transfer.from, transfer.name.c_str(), text.data(), text.size());
    if (!length) return os::fail(length.error(), "read link", transfer.from / transfer.name);
    TRY(os::make_symlink_at(transfer.to, as, std::string(text.data(), *length)));
    // Some file systems keep no time for a symlink. That is no error.
    (void)os::set_modified_at(transfer.to, as, transfer.info.modified);
    return {};
}

/// Calls make(name), which makes something at a free name of `transfer.to`. If the final name is
/// taken and may be replaced, a fresh name is used first and then renamed over the final one, so
/// that other processes see the old file or the new one. Errors: `exists` if a directory stands
/// there, or if `replace` is off; then nothing was changed.
template <class Make>
auto make_or_replace(const Transfer& transfer, bool replace, Make make)
    -> decltype(make(transfer.name)) {
    auto made = make(transfer.name);
    if (why_of(made) != Why::exists) return made;
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
    if (!made) return made;
    const auto renamed = os::rename_replacing(transfer.to, fresh, transfer.name);
    // Do this after a success, too: a rename between two names of one file does nothing.
    (void)os::remove_file_at(transfer.to, fresh);
    TRY(renamed);
    return made;
}

}  // namespace

Result<MadeFile> transfer_file(const Transfer& transfer, const MaterializeOptions& options,
                               Ability& ability) {
    return make_or_replace(
        transfer, options.replace, [&](const std::string& as) -> Result<MadeFile> {
            TRY_ASSIGN(MadeFile made, make_file(transfer, as, options.mode, ability));
            if (made.kind == TransferKind::hardlinked || transfer.info.links < 2) return made;
            if (const auto info = os::try_stat_at(transfer.to, as.c_str()))
                made.identity = info->identity;
            return made;
        });
}

Result<bool> transfer_name(const Transfer& transfer, const MaterializeOptions& options,
                           const os::Dir& first_dir, const std::string& first,
                           const os::FileIdentity& made) {
    return make_or_replace(transfer, options.replace, [&](const std::string& as) -> Result<bool> {
        const auto linked = os::make_hard_link(first_dir, first, transfer.to, as);
        if (why_of(linked) == Why::exists) return tl::make_unexpected(linked.error());
        if (!linked) return false;  // the caller makes a file of its own
        const auto info = os::try_stat_at(transfer.to, as.c_str());
        if (info && info->identity == made) return true;
        // Another process has replaced the first name.
        TRY(os::remove_file_at(transfer.to, as));
        return false;
    });
}

Result<> transfer_symlink(const Transfer& transfer, const MaterializeOptions& options) {
    return make_or_replace(transfer, options.replace,
                           [&](const std::string& as) { return make_symlink(transfer, as); });
}

Result<bool> finish_directory(const os::Dir& source, const os::FileInfo& info, const os::Dir& made,
                              os::Refusal refusal) {
    if (const auto error = os::copy_attributes(source.handle, made.handle))
        return os::fail(error, "set attributes", made.path);
    // Keep the set-group-id bit that the directory inherited from the one around it.
    TRY_ASSIGN(const os::FileInfo now, os::stat_of(made));
    const os::Permissions inherited = now.permissions & os::Permissions::set_gid;
    TRY_ASSIGN(
        const bool has_mode,
        os::was_set(os::try_set_permissions(
                        made.handle, inherited | (info.permissions & os::copied_permissions)),
                    "set mode", made.path, refusal));
    TRY_ASSIGN(const bool has_time, os::was_set(os::try_set_modified(made.handle, info.modified),
                                                "set time", made.path, refusal));
    return has_mode && has_time;
}

}  // namespace larder::tree
