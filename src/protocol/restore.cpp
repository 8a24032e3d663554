// SPDX-License-Identifier: MIT
#include "protocol/restore.hpp"

#include <functional>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/copy.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/inspect.hpp"
#include "protocol/publish.hpp"
#include "tree/carry.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;

/// Calls `visit` for each link that is retired by itself or in a bucket that was refreshed, with its directory and its name.
Result<> for_each_retired(
    const cache::Root& root,
    const std::function<Result<>(const os::Dir&, const std::string&, const format::Id&)>& visit) {
    const auto list = [&](const os::Dir& dir, bool (*is_ours)(std::string_view)) {
        return os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
            if (!is_ours(name) || kind == os::FileKind::directory) return {};
            TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), dir, name));
            return link.kind == LinkRead::Kind::entry ? visit(dir, name, link.id) : Result<>();
        });
    };
    TRY(list(root.dirs().retired_links,
             [](std::string_view name) { return format::parse_id(name).has_value(); }));
    return os::for_each_name(
        root.dirs().retired_buckets, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto bucket = os::open_dir_at(root.dirs().retired_buckets, name);
            if (!format::parse_id(name) || has_no_directory(bucket))
                return {};  // taken apart meanwhile, or not ours
            TRY(bucket);
            return list(*bucket, format::is_key_name);
        });
}

/// The same files, shared where the file system can: entries are immutable, whichever id they have.
Result<> fill(const Stage& stage, const os::Dir& entry) {
    TRY_ASSIGN(const os::Dir from, os::open_dir_at(entry, format::tree_name));
    TRY_ASSIGN(const os::Dir to, os::open_dir(stage.tree_path()));
    TRY(tree::carry(from, to, {}));
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(from));
    return os::set_permissions(to.handle, info.permissions & os::copied_permissions, to.path);
}

}  // namespace

Result<std::vector<EntryInfo>> list_retired(const cache::Root& root) {
    std::vector<EntryInfo> entries;
    TRY(for_each_retired(
        root, [&](const os::Dir& dir, const std::string& name, const format::Id& id) -> Result<> {
            const auto status = os::stat_at(dir, name);
            auto record = read_record(root, id);
            const bool gone = is_absent(status);
            if (gone || (!record && record.error().code == Errc::damaged))
                return {};  // collected meanwhile, or a link to nowhere
            TRY(status);
            TRY(record);
            entries.push_back(info_of(root, id, std::move(*record), *status));
            return {};
        }));
    return entries;
}

Result<SlotLease> restore(const RootRef& root, const format::Id& id, bool replace,
                          const cache::CallContext& context) {
    const auto gone = [&] {
        return fail(
            Errc::miss, "restore", {},
            "nothing that is retired has the id " + to_text(id) + "; it may have been collected");
    };
    // While it is held nobody collects: the files stay.
    auto lock = cache::CollectorLock::try_lock(*root);
    TRY(lock);
    lock->announce(root->participant_if_possible(context));
    bool retired = false;
    TRY(for_each_retired(
        *root, [&](const os::Dir&, const std::string&, const format::Id& seen) -> Result<> {
            retired = retired || seen == id;
            return {};
        }));
    if (!retired) return gone();
    const auto entry = os::open_dir_at(root->dirs().archive, to_text(id));
    if (is_absent(entry)) return gone();
    TRY(entry);
    TRY_ASSIGN(const format::Record record, read_record(*root, id));
    TRY_ASSIGN(const std::string bucket, format::encode_bucket(record.bucket));
    TRY_ASSIGN(std::string path, format::encode_key_path(bucket, record.key));
    const KeyRef place{record.bucket, bucket, record.key, std::move(path)};
    // To spare the copy: what counts is what stands there when it is published.
    TRY_ASSIGN(const LinkRead now,
               format::read_link(root->link_kind(), root->dirs().buckets, place.path));
    if (now.kind != LinkRead::Kind::absent && !replace) {
        return fail(Errc::exists, "restore", root->dirs().buckets / place.path,
                    "its key has an entry again; remove that, or allow its replacement");
    }
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    TRY(fill(stage, *entry));
    (void)os::point("restore.filled");
    return publish(std::move(stage), place, {record.durability, record.producer}, context,
                   replace ? Replace::yes : Replace::no);
}

}  // namespace larder::protocol
