// SPDX-License-Identifier: MIT
#include "cachetool/commands/listing.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <map>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/process.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Which processes lease which ids now.
class LeaseHolders {
public:
    explicit LeaseHolders(const larder::StatusReport& status) {
        for (const auto& lease : status.leases) by_id_.emplace(lease.id, &lease.process);
    }

    /// Returns each process that leases the id, once.
    [[nodiscard]] std::vector<larder::ProcessInfo> of(const std::string& id) const {
        std::vector<larder::ProcessInfo> holders;
        for (auto at = by_id_.lower_bound(id); at != by_id_.end() && at->first == id; ++at) {
            const bool known = std::any_of(holders.begin(), holders.end(), [&](const auto& one) {
                return one.participant == at->second->participant;
            });
            if (!known) holders.push_back(*at->second);
        }
        return holders;
    }

private:
    std::multimap<std::string_view, const larder::ProcessInfo*> by_id_;
};

/// Reads what is known about a key. Returns nullopt if the key has vanished.
std::optional<ListedEntry> read_entry(const larder::Bucket& bucket, std::string key,
                                      const LeaseHolders& holders) {
    auto info = bucket.info(key);
    if (!info && info.error().code == larder::Errc::miss) return std::nullopt;
    const auto pinned = bucket.is_pinned(key);
    if (info && !pinned) info = tl::make_unexpected(pinned.error());
    ListedEntry listed{bucket.name(), std::move(key), std::move(info), pinned.value_or(false)};
    if (listed.info) listed.users = holders.of(listed.info->id);
    return listed;
}

/// Appends the entries of one bucket to `entries`.
larder::Result<> read_bucket(const larder::Bucket& bucket, const LeaseHolders& holders,
                             std::vector<ListedEntry>& entries) {
    auto keys = bucket.keys();
    if (!keys && keys.error().code == larder::Errc::miss) return {};
    LARDER_TRY(keys);
    sort_names(*keys);
    for (auto& key : *keys) {
        auto listed = read_entry(bucket, std::move(key), holders);
        if (listed) entries.push_back(std::move(*listed));
    }
    return {};
}

}  // namespace

void write_json(JsonWriter& json, const ListedEntry& listed) {
    json.object([&] {
        if (listed.info) {
            write_fields(json, *listed.info);
            json.field("pinned", listed.pinned);
            json.list("leased_by", listed.users);
        } else {
            json.field("bucket", listed.bucket);
            json.field("key", listed.key);
            json.field("error", listed.info.error());
        }
    });
}

Expected<std::vector<ListedEntry>> list_entries(const larder::Cache& cache,
                                                const std::optional<std::string>& bucket) {
    std::vector<std::string> names;
    if (bucket) {
        names = {*bucket};
    } else {
        LARDER_TRY_ASSIGN(names, cache.buckets());
    }
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    const LeaseHolders holders(status);
    sort_names(names);
    std::vector<ListedEntry> entries;
    for (const auto& name : names) {
        LARDER_TRY_ASSIGN(const auto opened, cache.bucket(name));
        const auto read = read_bucket(opened, holders, entries);
        // A bucket that can't be listed stands in the list as one line, and hides no other.
        if (!read) entries.push_back({name, "", tl::make_unexpected(read.error()), false});
    }
    return entries;
}

Expected<ListedEntry> list_entry(const larder::Cache& cache, const std::string& bucket,
                                 const std::string& key) {
    LARDER_TRY_ASSIGN(const auto opened, cache.bucket(bucket));
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    const LeaseHolders holders(status);
    auto listed = read_entry(opened, key, holders);
    if (!listed) return fail(failure_for_miss(cache, bucket, key));
    if (!listed->info) return fail(failure_for_key(cache, listed->info.error(), bucket, key));
    return std::move(*listed);
}

larder::Result<std::vector<ListedEntry>> list_trash(const larder::Cache& cache,
                                                    const std::string& bucket,
                                                    const std::string& key) {
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    const LeaseHolders holders(status);
    LARDER_TRY_ASSIGN(auto trash, cache.trash());
    std::vector<ListedEntry> found;
    for (auto& entry : trash) {
        if (entry.bucket != bucket || entry.key != key) continue;
        auto& listed = found.emplace_back(ListedEntry{bucket, key, std::move(entry)});
        listed.users = holders.of(listed.info->id);
    }
    return found;
}

void sort_names(std::vector<std::string>& names) { std::sort(names.begin(), names.end()); }

std::string shown_command(const larder::ProcessInfo& process) {
    const bool outlived = process.alive && process.here && !system::has_process(process.pid);
    return harmless(process.command) +
           (outlived ? ", which has ended; a process that it started still runs" : "");
}

std::string shown_processes(const std::vector<larder::ProcessInfo>& processes) {
    std::string text;
    for (const auto& process : processes)
        text +=
            fmt::format("{}{} ({})", text.empty() ? "" : ", ", process.pid, shown_command(process));
    return text;
}

}  // namespace cachetool
