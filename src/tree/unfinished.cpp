// SPDX-License-Identifier: MIT
#include "tree/unfinished.hpp"

#include <array>
#include <atomic>
#include <vector>

#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/process.hpp"
#include "os/unique.hpp"
#include "os/user.hpp"
#include "tree/remove.hpp"
#include "tree/walk.hpp"

namespace larder::tree {

namespace {

/// Returns whether the names of other processes can be compared with what is known of this one.
bool is_known_enough(const os::ProcessIdentity& process) noexcept {
    return process.boot_is_real && process.pid_namespace != 0 && process.start != 0;
}

/// Returns whether this process has not looked into a directory yet, and notes that it has. Forgets
/// an earlier one if there are many: a second look does no harm. Takes no lock, because another
/// thread could hold it when the process forks.
bool is_new_here(const os::FileIdentity& identity) noexcept {
    static constinit std::array<std::atomic<std::uint64_t>, 64> seen{};
    // The token is random, and a forked child has another one. The constant is odd and arbitrary:
    // it spreads the numbers.
    const std::uint64_t mark =
        (identity.device * 0x9e37'79b9'7f4a'7c15U ^ identity.inode) + os::process_token();
    auto& place = seen[identity.inode % seen.size()];
    return place.exchange(mark, std::memory_order_relaxed) != mark;
}

/// Who can give a directory of this user's a name in another directory.
enum class Namers {
    only_we,          ///< this user and root
    all_who_move_it,  ///< other users, too, if they may move that directory
    all,              ///< other users, too
};

/// Returns who can name things in a directory. `info` is what the system knows about it.
Namers namers_in(const os::Dir& around, const os::FileInfo& info) noexcept {
    if (info.owner != os::this_user() && info.owner != 0) return Namers::all;
    if (!os::others_may_write(around.handle, info)) return Namers::only_we;
    // In a sticky directory, another user can't rename what is this user's. But that user can move
    // a directory there.
    const bool is_sticky =
        (info.permissions & os::Permissions::sticky_bit) != os::Permissions::none;
    return is_sticky ? Namers::all_who_move_it : Namers::all;
}

/// Returns whether a dead process was filling the directory `name`, or has made a symlink of this
/// name and did not bring it to its place, so that no other user has put it there.
bool is_abandoned(const os::Dir& around, Namers namers, const std::string& name,
                  const os::BootId& boot) {
    const auto parsed = format::parse_unfinished_name(name);
    // Another boot id may be that of another machine, which has the directory mounted.
    if (!parsed || parsed->maker.boot != boot || !is_known_enough(parsed->maker)) return false;
    if (os::is_running(parsed->maker, os::Search::everywhere) != os::Running::no) return false;
    const auto info = os::stat_at(around, name);
    if (!info || info->owner != os::this_user()) return false;
    if (!info->is_directory() && !info->is_symlink()) return false;
    if (namers == Namers::only_we) return true;
    if (info->is_symlink()) return false;  // another user may have moved it here
    // The system lets no user move a directory to another place who may not write to it.
    const auto found = os::open_dir_at(around, name);
    const auto now = found ? os::stat_of(*found) : tl::make_unexpected(found.error());
    return now && now->owner == os::this_user() && !os::others_may_write(found->handle, *now);
}

}  // namespace

std::string unfinished_name() {
    const os::ProcessIdentity maker = os::this_process();
    if (!is_known_enough(maker)) return fresh_name();
    return format::unfinished_name({.maker = maker, .unique = os::draw_unique()});
}

void remove_unfinished(const os::Dir& around, const std::stop_token& stop) {
    const auto info = os::stat_of(around);
    if (!info) return;
    const Namers namers = namers_in(around, *info);
    if (namers == Namers::all || !is_new_here(info->identity)) return;
    if (!os::boot_id_is_real()) return;
    const os::BootId boot = os::boot_id();
    // The names are collected first: what is deleted would change the listing.
    std::vector<std::string> abandoned;
    (void)os::for_each_name(around, [&](const std::string& name, os::FileKind) -> Result<> {
        if (is_abandoned(around, namers, name, boot)) abandoned.push_back(name);
        return {};
    });
    for (const auto& name : abandoned) (void)remove_tree_at(around, name, stop);
}

}  // namespace larder::tree
