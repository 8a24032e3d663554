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

/// A copy whose two files are open.
struct OpenCopy {
    const os::FileHandle& from;
    const os::FileHandle& to;
    const Transfer& transfer;
    const std::string& as;  // the name of `to`

    // For messages.
    [[nodiscard]] fs::path from_path() const { return transfer.from / transfer.name; }
    [[nodiscard]] fs::path to_path() const { return transfer.to / as; }
};

/// Copies a run through a buffer. Ends early, without an error, if the source has become shorter.
Result<> copy_by_hand(const OpenCopy& copy, os::ByteRun run) {
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

/// Copies a run inside the kernel as far as it does that, and the rest by hand.
Result<> copy_run(const OpenCopy& copy, const os::ByteRun& run) {
    const auto rest = os::copy_in_kernel(copy.from, copy.to, run);
    if (!rest) return os::fail(rest.error(), "copy", copy.to_path());
    return copy_by_hand(copy, *rest);
}

/// Copies what a file holds. A hole stays a hole, so that a sparse file takes no more space than
/// its source. The size is set at the end, since a hole there is written by no call.
Result<> copy_contents(const OpenCopy& copy) {
    const os::FileInfo& info = copy.transfer.info;
    // A file that has all its blocks has no holes. A compressed one may have fewer, and no holes.
    if (info.allocated >= info.size) return copy_run(copy, os::ByteRun::whole());
    for (std::uint64_t at = 0; at < info.size;) {
        const os::ByteRun run = os::next_data(copy.from, at, info.size);
        if (run.length == 0) break;  // only a hole follows
        TRY(copy_run(copy, run));
        at = run.start + run.length;
    }
    if (const auto error = os::set_size(copy.to, info.size))
        return os::fail(error, "set size", copy.to_path());
    return {};
}

/// Makes the file `as` by a copy, with the attributes, the mode and the time of its source. Leaves
/// nothing there after an error. Returns whether it has them all.
Result<bool> copy_file(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    TRY_ASSIGN(auto made, os::NewFile::create(transfer.to, as));
    const OpenCopy copy{.from = source, .to = made.handle(), .transfer = transfer, .as = as};
    TRY(copy_contents(copy));
    return made.complete(source, transfer.info, transfer.refusal);
}

/// Calls make(name), which makes a file piece by piece, and returns its result. In a destination
/// that other processes see, the name is a fresh one until the file is complete. Errors: `exists`
/// if the final name is taken; then nothing is left under the fresh name.
template <class Make>
Result<bool> make_at_once(const Transfer& transfer, const std::string& as, Make make) {
    // `as` is a fresh name already if the file replaces another one.
    if (transfer.visibility == Visibility::hidden || as != transfer.name) return make(as);
    // Fail before anything is copied, if the name is taken.
    if (os::exists_at(transfer.to, as).value_or(false))
        return os::fail(Why::exists, "make", transfer.to / as);
    const std::string fresh = fresh_name();
    TRY_ASSIGN(const bool is_exact, make(fresh));
    if (auto placed = os::rename_new(transfer.to, fresh, transfer.to, as); !placed) {
        (void)os::remove_file_at(transfer.to, fresh);
        return tl::make_unexpected(std::move(placed).error());
    }
    return is_exact;
}

/// Makes the file `as` by a clone. Errors as in clone_file, and `exists`.
Result<MadeFile> make_by_clone(const Transfer& transfer, const std::string& as,
                               os::Refusal refusal) {
    TRY_ASSIGN(const bool is_exact, make_at_once(transfer, as, [&](const std::string& name) {
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
    TRY_ASSIGN(const bool is_exact, make_at_once(transfer, as, [&](const std::string& name) {
                   return copy_file(transfer, name);
               }));
    return MadeFile{.kind = TransferKind::copied, .is_exact = is_exact};
}

/// Makes the file `as` in the first way that works: by a clone, a hard link or a copy. A way that
/// fails is taken out of `ways`. Only an error that ends_at_once is passed on before the last way,
/// because the next way would meet the same one.
Result<MadeFile> make_in_any_way(const Transfer& transfer, const std::string& as,
                                 WorkingWays& ways) {
    if (ways.clone) {
        // A hard link may do better than a clone whose mode or time is refused.
        auto cloned = make_by_clone(transfer, as, os::Refusal::is_error);
        if (cloned || ends_at_once(why_of(cloned))) return cloned;
        ways.clone = false;
    }
    // A hard link hands on the file itself, with its privileges. Only a caller who asks for hard
    // links gets them.
    if (ways.hardlink && !os::has_privileges(transfer.from, transfer.name, transfer.info)) {
        auto linked = make_by_link(transfer, as);
        if (linked || ends_at_once(why_of(linked))) return linked;
        if (!is_for_this_file_only(why_of(linked))) ways.hardlink = false;
    }
    return make_by_copy(transfer, as);
}

/// Returns `made`, the result of the one way that the caller asked for. If the way does not work
/// between these two places, the error says which they are.
Result<MadeFile> made_in_one_way(Result<MadeFile> made, const Transfer& transfer) {
    if (made || made.error().code != Errc::unsupported) return made;
    made.error().path = transfer.to / transfer.name;
    made.error().detail = "not possible from " + transfer.from.path.string();
    return made;
}

/// Makes the file under a free name, in the way that the caller asks for.
Result<MadeFile> make_file(const Transfer& transfer, const std::string& as, LinkMode mode,
                           WorkingWays& ways) {
    switch (mode) {
        case LinkMode::automatic:
            return make_in_any_way(transfer, as, ways);
        case LinkMode::clone:
            return made_in_one_way(make_by_clone(transfer, as, transfer.refusal), transfer);
        case LinkMode::hardlink:
            return made_in_one_way(make_by_link(transfer, as), transfer);
        case LinkMode::copy:
            break;
    }
    return make_by_copy(transfer, as);
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
                               WorkingWays& ways) {
    const auto make = [&](const std::string& as) -> Result<MadeFile> {
        TRY_ASSIGN(MadeFile made, make_file(transfer, as, options.mode, ways));
        if (made.kind == TransferKind::hardlinked || transfer.info.links < 2) return made;
        if (const auto info = os::try_stat_at(transfer.to, as.c_str()))
            made.identity = info->identity;
        return made;
    };
    return make_or_replace(transfer, options.replace, make);
}

Result<bool> transfer_name(const Transfer& transfer, const MaterializeOptions& options,
                           const EarlierFile& earlier) {
    const auto make = [&](const std::string& as) -> Result<bool> {
        const auto linked = os::make_hard_link(earlier.dir, earlier.name, transfer.to, as);
        if (why_of(linked) == Why::exists) return tl::make_unexpected(linked.error());
        if (!linked) return false;  // the caller makes a file of its own
        const auto info = os::try_stat_at(transfer.to, as.c_str());
        if (info && info->identity == earlier.identity) return true;
        // Another process has replaced the earlier file.
        TRY(os::remove_file_at(transfer.to, as));
        return false;
    };
    return make_or_replace(transfer, options.replace, make);
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
    const os::Permissions wanted = inherited | (info.permissions & os::copied_permissions);
    // The path is put together only for an error. It has a part for each level, so otherwise each
    // level of a chain would cost more than the one above it.
    const auto was_set = [&](const std::error_code& error, const char* step) -> Result<bool> {
        return error ? os::was_set(error, step, made.path, refusal) : Result<bool>(true);
    };
    const auto mode_error = os::try_set_permissions(made.handle, wanted);
    TRY_ASSIGN(const bool has_mode, was_set(mode_error, "set mode"));
    const auto time_error = os::try_set_modified(made.handle, info.modified);
    TRY_ASSIGN(const bool has_time, was_set(time_error, "set time"));
    return has_mode && has_time;
}

}  // namespace larder::tree
