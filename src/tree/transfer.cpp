// SPDX-License-Identifier: MIT
#include "tree/transfer.hpp"

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

Result<> clone_file(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    return os::clone_file(source, transfer.info, transfer.to, as);
}

Result<> link_file(const Transfer& transfer, const std::string& as) {
    if (const int error = os::point("tree.link"))
        return os::refused(error, "link", transfer.to / as);
    return os::make_hard_link(transfer.from, transfer.name, transfer.to, as);
}

Result<> copy_by_hand(const os::FileHandle& from, const os::FileHandle& to,
                      const std::filesystem::path& source, const std::filesystem::path& path) {
    constexpr std::size_t chunk =
        128 * 1024;  // the size that coreutils measured to be best on most machines
    const auto buffer = std::make_unique<char[]>(chunk);
    for (;;) {
        const auto got = os::read_some(from, buffer.get(), chunk);
        if (!got) return os::fail(got.error(), "read", source);
        if (*got == 0) return {};
        TRY(os::write_all(to, {buffer.get(), *got}, path));
    }
}

Result<> copy_file(const Transfer& transfer, const std::string& as) {
    TRY_ASSIGN(const os::FileHandle source,
               os::open_at(transfer.from, transfer.name, os::OpenMode::read));
    TRY_ASSIGN(auto made, os::NewFile::create(transfer.to, as));
    TRY_ASSIGN(const bool copied, os::copy_in_kernel(source, made.handle(), transfer.to / as));
    if (!copied)
        TRY(copy_by_hand(source, made.handle(), transfer.from / transfer.name, transfer.to / as));
    return made.complete(transfer.info);
}

/// Returns the error for a caller who asked for this way and no other.
tl::unexpected<Error> failed_alone(Error reason, const Transfer& transfer) {
    if (reason.code != Errc::unsupported) return tl::make_unexpected(std::move(reason));
    reason.path = transfer.to / transfer.name;
    reason.detail = "not possible from " + transfer.from.path.string();
    return tl::make_unexpected(std::move(reason));
}

/// Makes the file under a free name.
Result<TransferKind> make_file(const Transfer& transfer, const std::string& as, LinkMode mode,
                               Ability& ability) {
    const bool automatic = mode == LinkMode::automatic;
    if (mode == LinkMode::clone || (automatic && ability.clone)) {
        const auto cloned = clone_file(transfer, as);
        if (cloned) return TransferKind::cloned;
        if (!automatic) return failed_alone(cloned.error(), transfer);
        if (ends_at_once(why_of(cloned))) return tl::make_unexpected(cloned.error());
        ability.clone = false;
    }
    // A hard link cannot drop the set-user-id bit, and the automatic mode must not hand it on.
    const bool links_well =
        (transfer.info.permissions & (os::Permissions::set_uid | os::Permissions::set_gid)) ==
        os::Permissions::none;
    if (mode == LinkMode::hardlink || (automatic && ability.hardlink && links_well)) {
        const auto linked = link_file(transfer, as);
        if (linked) return TransferKind::hardlinked;
        if (!automatic) return failed_alone(linked.error(), transfer);
        if (ends_at_once(why_of(linked))) return tl::make_unexpected(linked.error());
        if (!is_for_this_file_only(why_of(linked))) ability.hardlink = false;
    }
    TRY(copy_file(transfer, as));
    return TransferKind::copied;
}

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
/// taken and may be replaced, a fresh name is used first and then renamed over the final one.
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

Result<TransferKind> transfer_file(const Transfer& transfer, const MaterializeOptions& options,
                                   Ability& ability) {
    return make_or_replace(transfer, options.replace, [&](const std::string& as) {
        return make_file(transfer, as, options.mode, ability);
    });
}

Result<> transfer_symlink(const Transfer& transfer, const MaterializeOptions& options) {
    return make_or_replace(transfer, options.replace,
                           [&](const std::string& as) { return make_symlink(transfer, as); });
}

Result<> finish_directory(const os::FileInfo& source, const os::Dir& made) {
    // Keep the set-group-id bit that the directory inherited from the one around it.
    TRY_ASSIGN(const os::FileInfo now, os::stat_of(made));
    const os::Permissions inherited = now.permissions & os::Permissions::set_gid;
    if (const auto error = os::try_set_permissions(
            made.handle, inherited | (source.permissions & os::copied_permissions)))
        return os::fail(error, "set mode", made.path);
    if (const auto error = os::try_set_modified(made.handle, source.modified))
        return os::fail(error, "set time", made.path);
    return {};
}

}  // namespace larder::tree
