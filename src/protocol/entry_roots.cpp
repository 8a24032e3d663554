// SPDX-License-Identifier: MIT
#include "protocol/entry_roots.hpp"

#include <atomic>

#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/link.hpp"
#include "os/path_text.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/entry.hpp"
#include "protocol/leases.hpp"

namespace larder::protocol {

namespace {

namespace fs = std::filesystem;
using State = RootInfo::State;

/// Opens `roots/`. Returns nullopt if no path was ever linked. It is opened anew each time, because
/// few processes need it.
Result<std::optional<os::Dir>> open_roots(const cache::Root& root) {
    auto roots = os::open_dir_at(root.dirs().root, format::roots_name);
    if (is_absent(roots)) return std::nullopt;
    TRY(roots);
    return std::move(*roots);
}

/// Opens `roots/<id>/`. Returns nullopt if the entry has no roots.
Result<std::optional<os::Dir>> open_roots_of(const cache::Root& root, const format::Id& id) {
    TRY_ASSIGN(const auto roots, open_roots(root));
    if (!roots) return std::nullopt;
    auto dir = os::open_dir_at(*roots, to_text(id));
    if (is_absent(dir)) return std::nullopt;
    TRY(dir);
    return std::move(*dir);
}

/// Reads one root. Returns nullopt if it is gone. What is no root, or can't be read, has no file.
std::optional<FoundRoot> read_root(const os::Dir& dir, const format::Id& id,
                                   const std::string& name) {
    FoundRoot found{.id = id, .name = name, .file = std::nullopt, .error = std::nullopt};
    const auto text = os::read_file_at(dir, name, format::max_root_file);
    if (is_absent(text)) return std::nullopt;
    if (text && format::parse_id(name)) found.file = format::parse_root_file(*text);
    const bool is_other =
        why_of(text) == Why::is_link || (!text && text.error().code == Errc::damaged);
    if (!text && !is_other) found.error = text.error();
    return found;
}

/// Returns whether nothing stands at a path.
bool says_absent(const std::error_code& error) {
    return os::why_of(error) == Why::absent || os::why_of(error) == Why::not_directory;
}

/// Returns whether the directory of a path, or the nearest one above it that exists, lies on this
/// device. Returns false if that can't be told.
bool is_on_device(const fs::path& path, std::uint64_t device) {
    for (fs::path each = path.parent_path();; each = each.parent_path()) {
        const auto info = os::try_stat_path(each, os::Follow::yes);
        if (info) return info->identity.device == device;
        if (!says_absent(info.error()) || !each.has_relative_path()) return false;
    }
}

}  // namespace

Result<bool> leads_to_tree(const cache::Root& root, const format::Id& id, const fs::path& path) {
    const auto itself = os::try_stat_path(path, os::Follow::no);
    if (!itself && says_absent(itself.error())) return false;
    if (!itself) return os::fail(itself.error(), "look at", path);
    if (itself->is_symlink()) {
        std::error_code error;
        const auto text =
            os::retried(error, [&](std::error_code& each) { return fs::read_symlink(path, each); });
        if (!error && text == tree_path(root, id)) return true;
    }
    const auto end = os::try_stat_path(path, os::Follow::yes);
    const bool leads_nowhere =
        !end && (says_absent(end.error()) || os::why_of(end.error()) == Why::is_link);
    if (leads_nowhere) return false;
    if (!end) return os::fail(end.error(), "look at", path);
    const auto tree = os::stat_at(root.dirs().archive, format::entry_tree_path(id));
    if (has_no_directory(tree)) return false;
    TRY(tree);
    return end->identity == tree->identity;
}

RootInfo::State state_of(const cache::Root& root, const FoundRoot& found) {
    if (!found.file) return State::unreadable;
    const fs::path path = os::path_of(found.file->destination);
    const auto leads = leads_to_tree(root, found.id, path);
    if (!leads) return State::unreachable;
    if (*leads) return State::leads;
    return is_on_device(path, found.file->device) ? State::gone : State::unreachable;
}

RootInfo info_of(const cache::Root& root, const FoundRoot& found, RootInfo::State state) {
    const fs::path file = root.dirs().root / format::roots_name / to_text(found.id) / found.name;
    RootInfo info{.path = found.file ? os::path_of(found.file->destination) : file,
                  .state = state,
                  .id = to_text(found.id),
                  .bucket = {},
                  .key = {}};
    if (auto record = read_record(root, found.id)) {
        info.bucket = std::move(record->bucket);
        info.key = std::move(record->key);
    }
    return info;
}

Result<> for_each_root_of(const cache::Root& root, const format::Id& id,
                          const std::function<Result<>(const FoundRoot&)>& visit) {
    TRY_ASSIGN(const auto dir, open_roots_of(root, id));
    if (!dir) return {};
    return os::for_every_name(*dir, [&](const std::string& name, os::FileKind) -> Result<> {
        const auto found = read_root(*dir, id, name);
        return found ? visit(*found) : Result<>();
    });
}

Result<std::vector<format::Id>> rooted_ids(const cache::Root& root) {
    std::vector<format::Id> ids;
    TRY_ASSIGN(const auto roots, open_roots(root));
    if (!roots) return ids;
    TRY(os::for_each_name(*roots, [&](const std::string& name, os::FileKind) -> Result<> {
        if (const auto id = format::parse_id(name)) ids.push_back(*id);
        return {};
    }));
    return ids;
}

Result<> for_each_root(const cache::Root& root,
                       const std::function<Result<>(const FoundRoot&)>& visit) {
    TRY_ASSIGN(const auto ids, rooted_ids(root));
    NotedErrors errors;
    for (const format::Id& id : ids) TRY(errors.note(for_each_root_of(root, id, visit)));
    return errors.first();
}

Result<std::optional<RootInfo>> root_that_keeps(const cache::Root& root, const format::Id& id) {
    std::optional<RootInfo> keeper;
    const auto ask = [&](const FoundRoot& found) -> Result<> {
        if (keeper) return {};
        const State state = state_of(root, found);
        if (keeps(state)) keeper = info_of(root, found, state);
        return {};
    };
    const auto asked = for_each_root_of(root, id, ask);
    if (!keeper) TRY(asked);
    return keeper;
}

Result<> drop_roots(const cache::Root& root, std::vector<FoundRoot> roots,
                    const std::function<bool(RootInfo::State)>& may_drop,
                    const std::function<void(const FoundRoot&)>& on_dropped) {
    if (roots.empty()) return {};
    NotedErrors errors;
    // Under its own name a root could be that of a link which has begun since the look.
    for (FoundRoot& found : roots) {
        TRY_ASSIGN(const auto dir, open_roots_of(root, found.id));
        const std::string fresh = to_text(format::fresh_id());
        const auto renamed = dir ? os::rename_new(*dir, found.name, *dir, fresh)
                                 : Result<>(tl::make_unexpected(Error{}));
        if (dir && !is_absent(renamed)) TRY(errors.note(renamed));
        found.name = renamed ? fresh : std::string();
    }
    (void)os::point("roots.moved-aside");
    // A link that has made one of these roots holds its lease until its path leads to the entry.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    TRY_ASSIGN(const auto leases, read_leases(root, {}));
    for (const FoundRoot& found : roots) {
        if (found.name.empty() || leases.contains(found.id)) continue;
        if (!may_drop(state_of(root, found))) continue;
        (void)os::point("roots.judged-one");
        TRY_ASSIGN(const auto dir, open_roots_of(root, found.id));
        if (!dir) continue;
        const auto removed = os::remove_file_at(*dir, found.name);
        if (!is_absent(removed)) TRY(errors.note(removed));
        if (removed && on_dropped) on_dropped(found);
        (void)os::point("roots.dropped-one");
    }
    // Succeeds if no root is left there. A link that is just making one makes the directory anew.
    TRY_ASSIGN(const auto all, open_roots(root));
    for (const FoundRoot& found : roots) {
        if (all) (void)os::remove_dir_at(*all, to_text(found.id));
    }
    return errors.first();
}

Result<> remove_roots_of(const cache::Root& root, const format::Id& id) {
    TRY_ASSIGN(const auto roots, open_roots(root));
    if (!roots) return {};
    const std::string name = to_text(id);
    const auto stands = os::exists_at(*roots, name);
    if (stands && !*stands) return {};
    auto removed = root.discard(*roots, name);
    if (is_absent(removed)) return {};
    return removed;
}

namespace {

/// Returns whether an entry is certainly not in the archive. Then no link is at work on it, and
/// none will be, since no id is used twice.
bool is_gone(const cache::Root& root, const format::Id& id) {
    const auto stands = os::exists_at(root.dirs().archive, to_text(id));
    return stands && !*stands;
}

}  // namespace

Result<PruneReport> prune_roots(const cache::Root& root, const PruneOptions& options) {
    PruneReport report;
    const auto may_drop = [&](State state) {
        return state == State::gone || (options.unreachable && state == State::unreachable);
    };
    std::vector<FoundRoot> doomed;
    std::set<format::Id> nowhere;  // entries that are gone
    NotedErrors errors;
    TRY(errors.note(for_each_root(root, [&](const FoundRoot& found) -> Result<> {
        const State state = state_of(root, found);
        const bool lacks_entry = is_gone(root, found.id);
        if (lacks_entry) nowhere.insert(found.id);
        if (!lacks_entry && !may_drop(state)) {
            ++report.kept;
            return {};
        }
        if (options.dry_run || lacks_entry) report.dropped.push_back(info_of(root, found, state));
        if (!lacks_entry) doomed.push_back(found);
        return {};
    })));
    if (options.dry_run) {
        TRY(errors.first());
        return report;
    }
    for (const format::Id& id : nowhere) TRY(errors.note(remove_roots_of(root, id)));
    const std::size_t tried = doomed.size();
    std::uint64_t dropped = 0;
    TRY(errors.note(drop_roots(root, std::move(doomed), may_drop, [&](const FoundRoot& found) {
        ++dropped;
        report.dropped.push_back(info_of(root, found, State::gone));
    })));
    report.kept += tried - dropped;
    TRY(errors.first());
    return report;
}

}  // namespace larder::protocol
