// SPDX-License-Identifier: MIT
#include "protocol/inspect.hpp"

#include "cache/rings.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/lock_bytes.hpp"
#include "format/name.hpp"
#include "os/clock.hpp"
#include "os/dir_reader.hpp"
#include "os/file_lock.hpp"
#include "protocol/entry.hpp"
#include "protocol/leases.hpp"
#include "protocol/trash.hpp"
#include "protocol/use.hpp"

namespace larder::protocol {

using format::LinkRead;

Result<std::vector<std::string>> list_buckets(const cache::Root& root) {
    const os::Dir& dir = root.dirs().buckets;
    std::vector<std::string> buckets;
    TRY(os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
        auto decoded = format::decode_name(name);
        if (!decoded || decoded->empty()) return {};
        // Some file systems do not tell the kind with the name, and a pointer has to be read.
        const bool is_told = kind != os::FileKind::unknown && !root.keys().use_pointers();
        if (is_told && kind != os::FileKind::directory) return {};
        const Result<bool> exists = is_told ? true : root.keys().bucket_exists(name);
        if (!exists && exists.error().code == Errc::damaged) return {};  // something else
        TRY(exists);
        if (*exists) buckets.push_back(std::move(*decoded));
        return {};
    }));
    return buckets;
}

namespace {

/// Lets the visitor of a walk end it. A walk ends at an error, so an answer `false` becomes an
/// error, which no caller sees: the walk's result goes through result_of.
class EndByVisitor {
public:
    /// Returns success if the visitor wants to go on; otherwise the error that ends the walk.
    Result<> go_on_if(bool visitor_answer) {
        if (visitor_answer) return {};
        had_enough_ = true;
        // `interrupted` ends also a walk that goes on after other errors.
        return tl::make_unexpected(Error{Errc::interrupted, 0, "", {}, {}});
    }
    /// Returns success if the visitor has ended the walk; otherwise the result of the walk.
    [[nodiscard]] Result<> result_of(Result<> walked) const {
        return had_enough_ ? Result<>() : std::move(walked);
    }

private:
    bool had_enough_ = false;
};

/// Returns the key that the name of a link stands for. The name of a long key ends with a hash;
/// then only the record of the entry has all of the key. Returns nullopt if that record cannot be
/// read, or if no link of this cache stands there. Errors: those of reading the link.
Result<std::optional<std::string>> key_of_name(const cache::Root& root, const os::Dir& bucket,
                                               const std::string& name) {
    if (!format::is_hashed(name)) return format::decode_name(name);
    TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), bucket, name));
    if (link.kind != LinkRead::Kind::entry) return std::nullopt;
    auto record = read_record(root, link.id);
    if (!record) return std::nullopt;
    return std::move(record->key);
}

}  // namespace

Result<> visit_keys(const cache::Root& root, const std::string& encoded_bucket,
                    const std::function<bool(const std::string& key)>& visit) {
    const auto bucket = root.keys().open_bucket(encoded_bucket);
    if (is_absent(bucket)) return {};
    TRY(bucket);
    EndByVisitor end;
    const auto visit_name = [&](const std::string& name, os::FileKind kind) -> Result<> {
        if (!format::is_key_name(name) || kind == os::FileKind::directory) return {};
        TRY_ASSIGN(const auto key, key_of_name(root, *bucket, name));
        return key ? end.go_on_if(visit(*key)) : Result<>();
    };
    // A link that can't be read hides no other key.
    return end.result_of(os::for_every_name(*bucket, visit_name));
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
            .producer = std::move(record.producer),
            .metadata = std::move(record.metadata)};
}

Result<> visit_trash(const cache::Root& root,
                     const std::function<bool(const EntryInfo& entry)>& visit) {
    EndByVisitor end;
    const auto visit_link = [&](const os::Dir& dir, const std::string& name) -> Result<> {
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), dir, name));
        if (link.kind != LinkRead::Kind::entry) return {};
        const auto status = os::stat_at(dir, name);
        auto record = read_record(root, link.id);
        if (is_absent(status)) return {};  // collected meanwhile
        // The link leads nowhere, or the entry can't be restored.
        if (!record && record.error().code == Errc::damaged) return {};
        TRY(status);
        // A record that can't be read, for another reason, hides no other entry.
        TRY(record);
        return end.go_on_if(visit(info_of(root, link.id, std::move(*record), *status)));
    };
    return end.result_of(for_each_link_in_trash(root, visit_link));
}

Result<std::vector<EntryInfo>> list_trash(const cache::Root& root) {
    std::vector<EntryInfo> entries;
    TRY(visit_trash(root, [&](const EntryInfo& entry) {
        entries.push_back(entry);
        return true;
    }));
    return entries;
}

namespace {

tl::unexpected<Error> no_such_entry() { return fail(Errc::miss, "no such entry", {}, {}); }

/// Does what info says. A use travels from a ring to the time of the link, so the rings were read
/// before. A use in a ring has no time, and counts as one of the present.
Result<EntryInfo> info_beside(const cache::Rings& rings, const cache::Root& root,
                              const KeyRef& place) {
    const std::string& path = place.path;
    // Arbitrary: a key that is replaced so often during one look has to be looked at another time.
    constexpr int max_attempts = 1000;
    for (int attempts = 1;; ++attempts) {
        const auto at = root.keys().path_for_look(path);
        if (is_absent(at)) return no_such_entry();
        TRY(at);
        const auto status = os::stat_at(*at->dir, at->path);
        const bool may_look_again = attempts < max_attempts;
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), *at->dir, at->path));
        if (link.kind != LinkRead::Kind::entry) return no_such_entry();
        auto record = read_record(root, link.id);
        if (!record) {
            // The error counts only if the key still names this entry.
            TRY_ASSIGN(const LinkRead again, root.keys().read(path));
            // Replaced and collected between the two reads.
            if (!again.names(link.id) && may_look_again) continue;
            TRY_ASSIGN(const bool complete, is_complete(root, link.id));
            if (!complete) return no_such_entry();
            return tl::make_unexpected(std::move(record).error());
        }
        if (record->key != place.key) return no_such_entry();  // it is another key's entry
        if (is_absent(status) && may_look_again) continue;     // retired between the two reads
        TRY(status);
        EntryInfo info = info_of(root, link.id, std::move(*record), *status);
        if (rings.has(link.id)) info.last_used = os::wall_time();
        return info;
    }
}

}  // namespace

Result<EntryInfo> info(const cache::Root& root, const KeyRef& place) {
    TRY_ASSIGN(const bool exists, root.keys().bucket_exists(place.encoded_bucket));
    if (!exists) return no_such_entry();
    // A key without an entry costs no look at the tables.
    TRY_ASSIGN(const LinkRead link, root.keys().read(place.path));
    if (link.kind != LinkRead::Kind::entry) return no_such_entry();
    return info_beside(cache::Rings::read(root.dirs().participants), root, place);
}

Result<> visit_entries(const cache::Root& root, const std::vector<std::string>& buckets,
                       const std::function<bool(const VisitedEntry& entry)>& visit) {
    const cache::Rings rings = cache::Rings::read(root.dirs().participants);
    NotedErrors errors;
    bool goes_on = true;
    const auto visit_bucket = [&](const std::string& bucket) -> Result<> {
        TRY_ASSIGN(const std::string encoded, format::encode_bucket(bucket));
        const auto visit_key = [&](const std::string& key) {
            auto path = format::encode_key_path(encoded, key, root.longest_name());
            auto info = path.and_then([&](const std::string& at) {
                return info_beside(
                    rings, root,
                    {.bucket = bucket, .encoded_bucket = encoded, .key = key, .path = at});
            });
            if (!info && info.error().code == Errc::miss) return true;  // gone meanwhile
            goes_on = visit({.bucket = bucket, .key = key, .info = std::move(info)});
            return goes_on;
        };
        return visit_keys(root, encoded, visit_key);
    };
    for (const std::string& bucket : buckets) {
        TRY(errors.note(visit_bucket(bucket)));
        if (!goes_on) break;
    }
    return errors.first();
}

namespace {

/// Adds the leases of a participant to a report, with their keys as far as the records can be read.
void add_leases(const cache::Root& root, const cache::ParticipantView& participant,
                const ProcessInfo& process, StatusReport& report) {
    for (const auto& id : participant.table.leases) {
        LeaseInfo lease{.process = process, .id = to_text(id), .bucket = "", .key = ""};
        if (auto record = read_record(root, id)) {
            lease.bucket = std::move(record->bucket);
            lease.key = std::move(record->key);
        }
        report.leases.push_back(std::move(lease));
    }
}

/// Adds the locks that a participant's threads hold, and those for which they wait.
void add_locks(const cache::ParticipantView& participant, const ProcessInfo& process,
               StatusReport& report) {
    using Kind = format::ActivityView::Kind;
    for (const auto& activity : participant.table.activities) {
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

/// Returns how many names are in a directory.
Result<std::uint64_t> count_names(const os::Dir& dir) {
    std::uint64_t count = 0;
    TRY(os::for_each_name(dir, [&](const std::string&, os::FileKind) -> Result<> {
        ++count;
        return {};
    }));
    return count;
}

}  // namespace

Result<StatusReport> status(const cache::Root& root) {
    const cache::Handles& dirs = root.dirs();
    StatusReport report;
    // A cache that was opened read-only may have no such directory: no process has used it yet.
    if (!dirs.participants.is_open()) return report;
    TRY_ASSIGN(const auto participants,
               cache::read_participants(dirs.participants, os::Search::everywhere));
    report.unreadable = participants.unreadable.all();
    for (const auto& participant : participants.views) {
        if (!participant.table.announced) continue;
        const ProcessInfo process = info_of(participant);
        report.processes.push_back(process);
        if (!participant.counts()) continue;  // what a dead process has written counts for nothing
        add_leases(root, participant, process, report);
        add_locks(participant, process, report);
    }
    // A lock that cannot be looked at counts as free: the report says what is known.
    const auto collector =
        os::look_at(dirs.root, format::locks_name, os::Range::byte(format::collector_byte));
    report.collecting = collector && *collector == os::State::taken;
    TRY_ASSIGN(report.deleting, count_names(root.garbage().deleting));
    return report;
}

}  // namespace larder::protocol
