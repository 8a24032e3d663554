// SPDX-License-Identifier: MIT
#include "protocol/inspect.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/file_lock.hpp"
#include "protocol/entry.hpp"
#include "protocol/leases.hpp"
#include "protocol/trash.hpp"
#include "protocol/use.hpp"

namespace larder::protocol {

using format::LinkRead;

Result<std::vector<std::string>> list_buckets(const cache::Root& root) {
    std::vector<std::string> buckets;
    TRY(os::for_each_name(root.dirs().buckets,
                          [&](const std::string& name, os::FileKind kind) -> Result<> {
                              auto decoded = format::decode_name(name);
                              if (!decoded || decoded->empty()) return {};
                              if (kind == os::FileKind::unknown) {
                                  const auto is_dir = os::is_dir_at(root.dirs().buckets, name);
                                  if (is_dir && *is_dir) kind = os::FileKind::directory;
                              }
                              if (kind == os::FileKind::directory)
                                  buckets.push_back(std::move(*decoded));
                              return {};
                          }));
    return buckets;
}

namespace {

/// The walk through a directory ends here, because its visitor wants no more. No caller sees this.
tl::unexpected<Error> enough() {
    return tl::make_unexpected(Error{Errc::interrupted, 0, "", {}, {}});
}

/// Calls `walk` with a function that turns its visitor's answer into a Result<>: an error that ends
/// the walk if the answer was false. An end that the visitor wanted is no error.
template <class Walk>
Result<> walk_until_enough(Walk walk) {
    bool had_enough = false;
    auto walked = walk([&](bool goes_on) -> Result<> {
        if (goes_on) return {};
        had_enough = true;
        return enough();
    });
    return had_enough ? Result<>() : walked;
}

}  // namespace

Result<> visit_keys(const cache::Root& root, const std::string& encoded_bucket,
                    const std::function<bool(const std::string& key)>& visit) {
    const auto bucket = os::open_dir_at(root.dirs().buckets, encoded_bucket);
    if (is_absent(bucket)) return {};
    TRY(bucket);
    return walk_until_enough([&](const auto& go_on) {
        return os::for_each_name(
            *bucket, [&](const std::string& name, os::FileKind kind) -> Result<> {
                if (!format::is_key_name(name) || kind == os::FileKind::directory) return {};
                if (!format::is_hashed(name)) return go_on(visit(*format::decode_name(name)));
                // Only the record of its entry has all of a long key.
                TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), *bucket, name));
                if (link.kind != LinkRead::Kind::entry) return {};
                const auto record = read_record(root, link.id);
                return record ? go_on(visit(record->key)) : Result<>();
            });
    });
}

Result<std::vector<std::string>> list_keys(const cache::Root& root,
                                           const std::string& encoded_bucket) {
    std::vector<std::string> keys;
    TRY(visit_keys(root, encoded_bucket, [&](const std::string& key) {
        keys.push_back(key);
        return true;
    }));
    return keys;
}

EntryInfo info_of(const cache::Root& root, const format::Id& id, format::Record record,
                  const os::FileInfo& link) {
    return {.bucket = std::move(record.bucket),
            .key = std::move(record.key),
            .id = to_text(id),
            .path = tree_path(root, id),
            .published = record.published,
            .last_used = last_use(link),
            .bytes = record.bytes,
            .files = record.files,
            .durability = record.durability,
            .boot = std::move(record.boot),
            .producer = std::move(record.producer)};
}

Result<> visit_trash(const cache::Root& root,
                     const std::function<bool(const EntryInfo& entry)>& visit) {
    return walk_until_enough([&](const auto& go_on) {
        return for_each_link_in_trash(
            root, [&](const os::Dir& dir, const std::string& name) -> Result<> {
                TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), dir, name));
                if (link.kind != LinkRead::Kind::entry) return {};
                const auto status = os::stat_at(dir, name);
                auto record = read_record(root, link.id);
                const bool gone = is_absent(status);
                if (gone || (!record && record.error().code == Errc::damaged))
                    return {};  // collected meanwhile, or the link leads nowhere
                TRY(status);
                // An entry whose record cannot be read is listed by its id alone.
                return go_on(visit(info_of(
                    root, link.id, record ? std::move(*record) : format::Record{}, *status)));
            });
    });
}

Result<std::vector<EntryInfo>> list_trash(const cache::Root& root) {
    std::vector<EntryInfo> entries;
    TRY(visit_trash(root, [&](const EntryInfo& entry) {
        entries.push_back(entry);
        return true;
    }));
    return entries;
}

Result<EntryInfo> info(const cache::Root& root, const KeyRef& place) {
    const auto& buckets = root.dirs().buckets;
    const std::string& path = place.path;
    TRY_ASSIGN(const bool exists, os::is_dir_at(buckets, place.encoded_bucket));
    if (!exists) return fail(Errc::miss, "no such entry", {}, {});
    for (;;) {
        const auto status = os::stat_at(buckets, path);
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), buckets, path));
        if (link.kind != LinkRead::Kind::entry) return fail(Errc::miss, "no such entry", {}, {});
        auto record = read_record(root, link.id);
        if (!record) {
            TRY_ASSIGN(const LinkRead again, format::read_link(root.link_kind(), buckets, path));
            if (!again.names(link.id)) continue;  // replaced and collected between the two reads
            TRY_ASSIGN(const bool complete, is_complete(root, link.id));
            if (!complete) return fail(Errc::miss, "no such entry", {}, {});
            return tl::make_unexpected(std::move(record).error());
        }
        if (record->key != place.key) return fail(Errc::miss, "no such entry", {}, {});
        if (is_absent(status)) continue;  // retired between the two reads
        TRY(status);
        return info_of(root, link.id, std::move(*record), *status);
    }
}

Result<StatusReport> status(const cache::Root& root) {
    StatusReport report;
    if (!root.dirs().participants.is_open())
        return report;  // opened read-only, and no process has used the cache yet
    TRY_ASSIGN(const auto participants,
               cache::read_participants(root.dirs().participants, os::Search::everywhere));
    report.unreadable = participants.unreadable.all();
    for (const auto& participant : participants.views) {
        if (!participant.table.announced) continue;
        const ProcessInfo process = info_of(participant);
        report.processes.push_back(process);
        if (!participant.counts()) continue;
        for (const auto& id : participant.table.leases) {
            auto record = read_record(root, id);
            LeaseInfo lease{.process = process, .id = to_text(id), .bucket = "", .key = ""};
            if (record) {
                lease.bucket = std::move(record->bucket);
                lease.key = std::move(record->key);
            }
            report.leases.push_back(std::move(lease));
        }
        for (const auto& activity : participant.table.activities) {
            using Kind = format::ActivityView::Kind;
            if (activity.kind == Kind::works_for) continue;  // another process holds that lock
            const auto since = std::chrono::duration_cast<WallTime::duration>(
                std::chrono::nanoseconds(activity.since_nanos));
            report.locks.push_back({.process = process,
                                    .thread = activity.thread,
                                    .waiting = activity.kind == Kind::waits,
                                    .what = activity.label,
                                    .since = WallTime(since)});
        }
    }
    // A lock that cannot be looked at counts as free: the report says what is known.
    const auto collector = os::look_at(root.dirs().locks, format::collector_lock_name);
    report.collecting = collector && *collector == os::State::taken;
    if (!root.dirs().deleting.is_open()) return report;
    TRY(os::for_each_name(root.dirs().deleting, [&](const std::string&, os::FileKind) -> Result<> {
        ++report.deleting;
        return {};
    }));
    return report;
}

}  // namespace larder::protocol
