// SPDX-License-Identifier: MIT
#include "cache/root.hpp"

#include <algorithm>

#include "base/noted_errors.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "os/standing.hpp"
#include "tree/remove.hpp"

namespace larder::cache {

Root::Root(Handles handles, GarbageRef garbage, const PartOpener& parts,
           const os::FileIdentity& identity, const os::FileIdentity& archive, format::Format format,
           bool read_only)
    : parts_(parts),
      dirs_(std::move(handles)),
      garbage_(garbage.release()),
      format_(format),
      keys_(dirs_, format_),
      identity_(identity),
      archive_(archive),
      read_only_(read_only),
      owner_(os::process_token()) {}

Root::~Root() {
    settle_own_uses(*this);
    delete garbage_.load(std::memory_order_relaxed);
}

namespace {

/// Returns true if the directory was deleted since it was opened, or if that can't be told. A
/// directory that is not open is not lost: a read-only root may lack those that only writers need.
bool is_deleted(const os::Dir& dir) {
    if (!dir.is_open()) return false;
    const auto info = os::try_stat(dir.handle);
    return !info || info->links == 0;
}

}  // namespace

Result<> Root::open_garbage() const {
    if (garbage_.load(std::memory_order_acquire) != nullptr) return {};
    // This makes none that is missing: the root may have been emptied, or destroyed, since it was
    // opened. An open of all parts reads `format` first.
    TRY_ASSIGN(auto fresh, parts_.open_garbage(dirs_.root, false));
    (void)os::point("open.garbage");
    // If another thread was quicker, its directories count, and `fresh` goes.
    const GarbageHandles* none = nullptr;
    if (garbage_.compare_exchange_strong(none, fresh.get(), std::memory_order_acq_rel))
        (void)fresh.release();
    return {};
}

bool Root::is_lost(std::initializer_list<WhichDir> used) const {
    if (doubted_.load(std::memory_order_relaxed)) return is_lost();
    if (!is_at_its_path()) return true;
    return std::any_of(used.begin(), used.end(),
                       [this](const WhichDir& which) { return has_lost(which); });
}

bool Root::is_lost() const {
    // First, because another thread may begin to doubt while this one looks.
    doubted_.store(false, std::memory_order_relaxed);
    if (!is_at_its_path()) return true;
    constexpr WhichDir all[] = {&Handles::participants,
                                &Handles::staging,
                                &Handles::buckets,
                                &Handles::generations,
                                &Handles::archive,
                                &GarbageHandles::retired_links,
                                &GarbageHandles::retired_buckets,
                                &GarbageHandles::deleting};
    return std::any_of(std::begin(all), std::end(all),
                       [this](const WhichDir& which) { return has_lost(which); });
}

bool Root::is_at_its_path() const {
    // The root may have been renamed, and another cache made at its path. While this process has
    // the root open, no other directory gets its identity. (The path is absolute, so it does not
    // matter from where it is resolved. A std::filesystem::path would take as long as the call.)
    const auto found = os::try_stat_at(dirs_.root, dirs_.root.path.string().c_str());
    if (found && found->identity == identity_) return true;
    // A symlink to the root may stand there. And on some file systems the identity changes.
    const auto at_path = os::try_stat_path(dirs_.root.path, os::Follow::yes);
    const auto here = os::try_stat(dirs_.root.handle);
    return at_path && here && here->identity == at_path->identity;
}

bool Root::has_lost(const WhichDir& which) const {
    if (const auto* of_garbage = std::get_if<os::Dir GarbageHandles::*>(&which)) {
        const GarbageHandles* const garbage = garbage_.load(std::memory_order_acquire);
        return garbage != nullptr && is_deleted(garbage->**of_garbage);
    }
    const auto dir = std::get<os::Dir Handles::*>(which);
    if (dir == &Handles::participants && joined() != nullptr) return joined()->is_lost();
    return is_deleted(dirs_.*dir);
}

Result<> Root::must_be_writable(const char* step) const {
    if (!read_only_) return {};
    return fail(Errc::read_only, step, dirs_.root.path,
                "the cache can only be read: the caller opened it so, the file system is mounted "
                "read-only, or this user may not write there; make it writable, or name another "
                "one");
}

Result<Participant*> Root::participant(const CallContext& context) {
    if (Participant* const already = joined()) return already;
    TRY(must_be_writable("use the cache"));
    // The slots, the ring and the staging area are the parent's, and a thread that the child lacks
    // may hold the mutex.
    if (!is_ours()) {
        return fail(Errc::invalid, "use the cache", dirs_.root.path,
                    "a forked child can't go on with a call of its parent; it may make a call of "
                    "its own");
    }
    // Threads that come meanwhile wait for this join, and do not make participants of their own.
    const std::lock_guard guard(joining_);
    if (!participant_) {
        const ParticipantDirs places{dirs_.participants, dirs_.staging};
        TRY_ASSIGN(participant_, Participant::join(places, reaper(), context));
        joined_.store(participant_.get(), std::memory_order_release);
    }
    return participant_.get();
}

Participant* Root::participant_if_possible(const CallContext& context) noexcept {
    try {
        auto joined = participant(context);
        return joined ? *joined : nullptr;
    } catch (...) {
        return nullptr;  // memory has run out
    }
}

Reaper Root::reaper() const {
    return {.empty_staging = [this](const os::Dir& staging) { return reap(staging); },
            .settle_uses = [this](const auto& uses) { settle_uses(*this, uses); }};
}

Result<> Root::reap(const os::Dir& staging) const {
    using Kind = format::StagedName::Kind;
    NotedErrors errors;
    std::vector<format::Id> unsettled;
    bool is_empty = true;
    const auto settle = [&](const std::string& name, os::FileKind) -> Result<> {
        is_empty = false;
        const auto staged = format::parse_staged_name(name);
        if (!staged || staged->kind != Kind::old) return {};
        (void)os::point("reap.old-one");
        auto settled = reap_old_link(staging, staged->id);
        if (!settled) unsettled.push_back(staged->id);
        return errors.note(settled);
    };
    // While an `o-` may stand that was not settled, no `l-` may go: the next reap would take the
    // old entry for replaced, although its key names it.
    //
    // Every join comes here, so the directory is not opened a second time for this listing.
    TRY_ASSIGN(auto names, os::DirReader::borrow(staging));
    TRY(os::for_each_name(std::move(names), settle));
    // Most joins find nothing, so spare them the second listing. The owner is dead, or this
    // process.
    if (is_empty) return {};
    const auto retire = [&](const std::string& name, os::FileKind) -> Result<> {
        const auto staged = format::parse_staged_name(name);
        if (!staged) return {};  // a newer larder has made it
        const auto& id = staged->id;
        if (std::find(unsettled.begin(), unsettled.end(), id) != unsettled.end()) return {};
        if (staged->kind == Kind::kept) return errors.note(reap_kept(staging, id));
        if (staged->kind != Kind::link) return {};
        (void)os::point("reap.link-one");
        return errors.note(reap_link(staging, id));
    };
    if (const auto listed = os::for_each_name(staging, retire); !listed) errors.add(listed.error());
    const auto retire_begun = [&](const std::string& name, os::FileKind) -> Result<> {
        const auto staged = format::parse_staged_name(name);
        if (!staged || staged->kind != Kind::pointer) return {};
        (void)os::point("reap.generation-one");
        return errors.note(reap_pointer(staging, staged->id));
    };
    if (!keys_.use_pointers()) return errors.first();
    if (const auto listed = os::for_each_name(staging, retire_begun); !listed)
        errors.add(listed.error());
    return errors.first();
}

Result<> Root::settle_old_link(const os::Dir& staging, const format::Id& id) const {
    const std::string name = format::old_link_name(id);
    const auto beside = os::stat_at(staging, format::staged_link_name(id));
    Result<> settled;
    if (is_absent(beside)) {
        settled = retire_link(staging, name);
    } else {
        TRY(beside);
        settled = os::remove_file_at(staging, name);
    }
    if (is_absent(settled)) return {};
    return settled;
}

Result<> Root::reap_old_link(const os::Dir& staging, const format::Id& id) const {
    if (!sets_links_again()) return settle_old_link(staging, id);
    // Nothing here tells whether the key was set again. A collection asks the keys of both entries.
    auto retired = retire_link(staging, format::old_link_name(id));
    if (is_absent(retired)) return {};
    return retired;
}

Result<> Root::reap_link(const os::Dir& staging, const format::Id& id) const {
    const std::string name = format::staged_link_name(id);
    const auto link = format::read_link(format_.links, staging, name);
    // An entry that no key has ever named is no one's loss, and no grace keeps it. If links are set
    // again, the key may name this one now.
    const bool was_never_live = link && link->names(id) && !sets_links_again();
    auto retired =
        retire_link(staging, name, was_never_live ? format::evicted : format::retired_now());
    if (retired || is_absent(retired)) return {};
    if (!was_never_live) return retired;
    // A disk that has no space for a rename may be full of just this entry.
    TRY(tree::remove_tree_at(dirs_.archive, to_text(id)));
    return os::remove_file_at(staging, name);
}

Result<> Root::reap_kept(const os::Dir& staging, const format::Id& id) const {
    const auto tree = os::exists_at(dirs_.archive, format::entry_tree_path(id));
    // What is kept belongs to a user: see Stage::give_back.
    if (!tree || *tree) return {};
    auto retired = retire_link(staging, format::kept_link_name(id), format::evicted);
    if (is_absent(retired)) return {};
    return retired;
}

Result<> Root::reap_pointer(const os::Dir& staging, const format::Id& generation) const {
    const std::string name = format::begun_pointer_name(generation);
    // No bucket ever had the generation, so it is no one's loss, and no grace keeps it.
    const auto retired = retire_pointer(staging, name, format::evicted);
    if (retired || is_absent(retired)) return {};
    const auto removed = os::remove_dir_at(dirs_.generations, to_text(generation));
    if (!removed && !is_absent(removed)) return tl::make_unexpected(retired.error());
    return os::remove_file_at(staging, name);
}

Result<> Root::retire_link(const os::Dir& dir, const std::string& name,
                           format::RetiredAt when) const {
    TRY(retire_to(&GarbageHandles::retired_links, dir, name, when));
    return {};
}

Result<> Root::retire_key(const std::string& key_path, format::RetiredAt when) const {
    TRY_ASSIGN(const KeyPath at, keys_.path_for_change(key_path));
    return retire_link(*at.dir, at.path, when);
}

Result<std::string> Root::retire_pointer(const os::Dir& dir, const std::string& name,
                                         format::RetiredAt when) const {
    return retire_to(&GarbageHandles::retired_buckets, dir, name, when);
}

Result<std::string> Root::retire_to(os::Dir GarbageHandles::*to, const os::Dir& dir,
                                    const std::string& name, format::RetiredAt when) const {
    TRY(open_garbage());
    std::string fresh;
    const auto rename = [&] {
        fresh = to_text(format::fresh_retired_name(when));
        auto renamed = os::rename_new(dir, name, garbage().*to, fresh);
        if (!renamed) doubted_.store(true, std::memory_order_relaxed);
        return renamed;
    };
    // A caller that took a link for gone that stands there would leave it.
    auto retired = os::change_standing(dir, name, "retire", os::name_another_place, rename);
    // No other process draws this name.
    if (why_of(retired) == Why::exists) {
        return fail(Errc::unsupported, "retire", dir / name,
                    "the file system says that a name is taken that was drawn for it just now; "
                    "name a directory on another file system (`cachetool doctor` tests one)");
    }
    TRY(retired);
    return fresh;
}

namespace {

/// Renames what is to be deleted, by os::rename_new or os::rename_new_at_once.
template <class Rename>
Result<> move_doomed(Rename rename, const os::Dir& dir, const std::string& name, const os::Dir& to,
                     const std::string& new_name) {
    const auto move = [&]() -> Result<> {
        if (const int error = os::point("deleting.rename"))
            return os::fail(error, "rename", dir / name);
        return rename(dir, name, to, new_name);
    };
    auto moved = move();
    if (why_of(moved) != Why::denied) return moved;
    // To move a directory into another one changes the directory itself, namely its name "..". So
    // the system asks for the right to write to it, which its owner may have taken away.
    tree::allow_owner_at(dir, name);
    return move();
}

}  // namespace

Result<> Root::move_to_deleting(const os::Dir& dir, const std::string& name) const {
    TRY(open_garbage());
    // On Windows a directory cannot be renamed as long as a file below it is open, so a collection
    // would wait for each entry that a program reads. The next collection tries again.
    auto moved = move_doomed(os::rename_new_at_once, dir, name, garbage().deleting,
                             to_text(format::fresh_id()));
    if (!moved) doubted_.store(true, std::memory_order_relaxed);
    return moved;
}

Result<> Root::set_aside(const os::Dir& dir, const std::string& name) const {
    TRY(open_garbage());
    const os::Dir& deleting = garbage().deleting;
    // Arbitrary: a collection deletes the empty directory once, and not so often in a row.
    constexpr int max_attempts = 100;
    for (int attempts = 1;; ++attempts) {
        const std::string fresh = to_text(format::fresh_id());
        TRY(os::make_dir_at(deleting, fresh));
        const auto into = os::open_dir_at(deleting, fresh);
        auto moved = into ? move_doomed(os::rename_new, dir, name, *into, format::tree_name)
                          : Result<>(tl::make_unexpected(into.error()));
        if (moved) return moved;
        doubted_.store(true, std::memory_order_relaxed);
        (void)os::remove_dir_at(deleting, fresh);
        // The same as in discard: nothing else takes a directory of a lower layer away. What lies
        // behind a mount stays where it is.
        if (why_of(moved) == Why::cross_device && os::traits_of(dir.handle).has_layers &&
            os::is_dir_at(dir, name).value_or(false)) {
            TRY(tree::remove_tree_at(dir, name));
            return {};
        }
        const bool is_there = is_absent(moved) && os::exists_at(dir, name).value_or(false);
        if (!is_there || attempts == max_attempts) return moved;
    }
}

Result<> Root::discard(const os::Dir& dir, const std::string& name) const {
    auto moved = move_to_deleting(dir, name);
    if (moved || is_absent(moved)) return moved;
    // A directory of a lower layer of overlayfs, a mount point, a disk without space even for a
    // rename: whatever the reason is, the files can perhaps be deleted where they are.
    TRY(tree::remove_tree_at(dir, name));
    return {};
}

}  // namespace larder::cache
