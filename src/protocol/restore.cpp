// SPDX-License-Identifier: MIT
#include "protocol/restore.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/publish.hpp"
#include "protocol/trash.hpp"
#include "tree/carry.hpp"
#include "tree/transfer.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;

/// Returns whether a retired link names `id`. Looks at every link, because only its text says what
/// it names. Errors: the first that the walk has met, if the link was not found: it may be the one
/// that could not be read.
Result<bool> is_in_trash(const cache::Root& root, const format::Id& id) {
    bool found = false;
    const VisitLink look = [&](const os::Dir& dir, const std::string& name) -> Result<> {
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), dir, name));
        found = found || link.names(id);
        return {};
    };
    const auto walked = for_each_link_in_trash(root, look);
    if (!found) TRY(walked);
    return found;
}

/// Fills the stage with the files of an entry: by clones, hard links or copies. A hard link does no
/// harm here, because the files of both entries never change.
Result<> fill(const Stage& stage, const os::Dir& entry) {
    TRY_ASSIGN(const os::Dir from, os::open_dir_at(entry, format::tree_name));
    TRY_ASSIGN(const os::Dir to, os::open_dir(stage.tree_path()));
    TRY(tree::carry(from, to, {}, tree::Sight::hidden));
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(from));
    TRY(tree::finish_directory(from, info, to));
    return {};
}

}  // namespace

Result<SlotLease> restore(const RootRef& root, const format::Id& id, bool replace,
                          const cache::CallContext& context) {
    const auto gone = [&] {
        return fail(
            Errc::miss, "restore", {},
            "nothing that is retired has the id " + to_text(id) + "; it may have been collected");
    };
    // While this lock is held no process collects, so the files stay. A lease would not do: the
    // entry is garbage, and no link confirms a lease on it.
    auto lock = cache::CollectorLock::try_lock(*root);
    TRY(lock);
    lock->announce(root->participant_if_possible(context));
    TRY_ASSIGN(const bool retired, is_in_trash(*root, id));
    if (!retired) return gone();
    const auto entry = os::open_dir_at(root->dirs().archive, to_text(id));
    if (is_absent(entry)) return gone();
    TRY(entry);
    TRY_ASSIGN(const format::Record record, read_record(*root, id));
    TRY_ASSIGN(const std::string bucket, format::encode_bucket(record.bucket));
    TRY_ASSIGN(std::string path, format::encode_key_path(bucket, record.key, root->longest_name()));
    const KeyRef place{record.bucket, bucket, record.key, std::move(path)};
    // This check only avoids a useless copy. The publish checks again.
    TRY_ASSIGN(const LinkRead now,
               format::read_link(root->link_kind(), root->dirs().buckets, place.path));
    if (now.kind != LinkRead::Kind::absent && !replace) {
        return fail(Errc::exists, "restore", root->dirs().buckets / place.path,
                    "its key has an entry again; remove that, or allow its replacement");
    }
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    TRY(fill(stage, *entry));
    (void)os::point("restore.filled");
    return publish(stage, place, {record.durability, record.producer}, context,
                   replace ? Replace::yes : Replace::no);
}

}  // namespace larder::protocol
