// SPDX-License-Identifier: MIT
#include "cachetool/commands/listing.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <map>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/clock.hpp"
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

/// Adds what is known about a key beside its entry.
ListedEntry with_holders(const larder::Cache& cache, larder::VisitedEntry entry,
                         const LeaseHolders& holders) {
    const auto pinned = cache.bucket(entry.bucket).and_then([&](const larder::Bucket& bucket) {
        return bucket.is_pinned(entry.key);
    });
    if (entry.info && !pinned) entry.info = tl::make_unexpected(pinned.error());
    ListedEntry listed{std::move(entry.bucket), std::move(entry.key), std::move(entry.info),
                       pinned.value_or(false)};
    if (listed.info) listed.users = holders.of(listed.info->id);
    return listed;
}

/// Says which lease tables can't be read: what stands in them is missing in each list.
void warn_of_unreadable(const CommandOutput& output, const larder::StatusReport& status) {
    for (const auto& error : status.unreadable)
        output.warn("the uses and leases of one lease table are not shown: " + error.message());
}

/// The cells of a row in one text. No cell has a line break.
std::string joined(const std::vector<std::string>& cells) {
    std::string text;
    for (const auto& cell : cells) text += cell + "\n";
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> cells;
    for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
         text.remove_prefix(end + 1))
        cells.emplace_back(text.substr(0, end));
    return cells;
}

Expected<> write_array(JsonWriter& json, const char* name, SortedRows& rows) {
    Expected<> read;
    json.name(name);
    json.array(
        [&] { read = rows.for_each([&](std::string_view text) { json.printed_element(text); }); });
    return read;
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

Expected<> visit_entries(const larder::Cache& cache, const CommandOutput& output,
                         const std::optional<std::string>& bucket,
                         const std::function<void(const ListedEntry& listed)>& visit) {
    std::vector<std::string> names;
    if (bucket) {
        names = {*bucket};
    } else {
        LARDER_TRY_ASSIGN(names, cache.buckets());
    }
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    warn_of_unreadable(output, status);
    const LeaseHolders holders(status);
    sort_names(names);
    LARDER_TRY(cache.visit_entries(names, [&](const larder::VisitedEntry& entry) {
        visit(with_holders(cache, entry, holders));
        return true;
    }));
    return {};
}

void ListPrinter::add(std::string order, const std::function<void(JsonWriter&)>& write,
                      const std::function<std::vector<std::string>()>& cells) {
    constexpr std::size_t depth = 2;  // in an array in an object
    is_empty_ = false;
    rows_->add({std::move(order), output_.json() ? json_element(depth, write) : joined(cells())});
}

CommandResult ListPrinter::print() {
    Expected<> read;
    if (output_.json()) {
        LARDER_TRY_ASSIGN(const int code, output_.document([&](JsonWriter& json) {
            json.object([&] { read = write_array(json, array_, *rows_); });
        }));
        LARDER_TRY(read);
        return code;
    }
    LARDER_TRY(rows_->for_each([&](std::string_view text) { table_.measure(split(text)); }));
    LARDER_TRY_ASSIGN(const int code, output_.pieces([&](const auto& print) {
        print(table_.heading_line());
        read = rows_->for_each([&](std::string_view text) { print(table_.line_of(split(text))); });
    }));
    LARDER_TRY(read);
    return code;
}

CommandResult ListPrinter::print_in_spite_of(Failure failure) {
    if (!output_.json()) {
        if (!is_empty_) LARDER_TRY(print());
        return fail(std::move(failure));
    }
    failure->write_done = [array = array_, rows = rows_](JsonWriter& json) {
        // A second failure would have no place in the document, which says already that the list
        // is not whole.
        (void)write_array(json, array, *rows);
    };
    return fail(std::move(failure));
}

Expected<ListedEntry> list_entry(const larder::Cache& cache, const CommandOutput& output,
                                 const std::string& bucket, const std::string& key) {
    LARDER_TRY_ASSIGN(const auto opened, cache.bucket(bucket));
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    const LeaseHolders holders(status);
    auto listed = with_holders(cache, {bucket, key, opened.info(key)}, holders);
    if (!listed.info) return fail(failure_for_key(cache, listed.info.error(), bucket, key));
    warn_of_unreadable(output, status);
    return listed;
}

larder::Result<std::vector<ListedEntry>> list_trash(const larder::Cache& cache,
                                                    const std::string& bucket,
                                                    const std::string& key) {
    LARDER_TRY_ASSIGN(const auto status, cache.status());
    const LeaseHolders holders(status);
    std::vector<ListedEntry> found;
    LARDER_TRY(cache.visit_trash([&](const larder::EntryInfo& entry) {
        if (entry.bucket != bucket || entry.key != key) return true;
        auto& listed = found.emplace_back(ListedEntry{bucket, key, entry});
        listed.users = holders.of(listed.info->id);
        return true;
    }));
    return found;
}

std::string shown_last_use(const std::optional<larder::WallTime>& last_used) {
    if (!last_used) return "?";
    const bool is_recent = *last_used > system::wall_time() - std::chrono::hours(1);
    const auto age = shown_age(last_used);
    return is_recent ? fmt::format("at most {} ago", age)
                     : fmt::format("{} ago, or up to an hour later", age);
}

void add_up(std::uint64_t& sum, std::uint64_t more) {
    sum += std::min(more, std::numeric_limits<std::uint64_t>::max() - sum);
}

void sort_names(std::vector<std::string>& names) { std::sort(names.begin(), names.end()); }

std::string shown_command(const larder::ProcessInfo& process) {
    const bool outlived = process.alive && process.here && !system::has_process(process.pid);
    return harmless(process.command) +
           (outlived ? ", which has ended; a process that it started still runs, or another one is "
                       "cleaning up after it"
                     : "");
}

std::string shown_processes(const std::vector<larder::ProcessInfo>& processes) {
    std::string text;
    for (const auto& process : processes)
        text +=
            fmt::format("{}{} ({})", text.empty() ? "" : ", ", process.pid, shown_command(process));
    return text;
}

}  // namespace cachetool
