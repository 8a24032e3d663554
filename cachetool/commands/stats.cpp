// SPDX-License-Identifier: MIT
// The command stats: how many entries there are, how large and how old.
#include <algorithm>
#include <fmt/core.h>

#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// What `stats` adds up for a bucket, or for all buckets.
struct BucketTotals {
    std::string name;
    std::uint64_t entries = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::optional<larder::WallTime> oldest{};
    std::optional<larder::WallTime> newest{};

    void add(const ListedEntry& listed) {
        ++entries;
        if (!listed.info) {
            ++unreadable;
            return;
        }
        add_up(bytes, listed.info->bytes);
        add_up(files, listed.info->files);
        oldest = std::min(oldest.value_or(listed.info->published), listed.info->published);
        newest = std::max(newest.value_or(listed.info->published), listed.info->published);
    }
};

void write_fields(JsonWriter& json, const BucketTotals& totals) {
    const auto time = [&](const char* name, const std::optional<larder::WallTime>& when) {
        json.name(name);
        when ? json.value(iso_time(*when)) : json.value(nullptr);
    };
    json.field("entries", totals.entries);
    json.field("unreadable", totals.unreadable);
    json.field("bytes", totals.bytes);
    json.field("files", totals.files);
    time("oldest", totals.oldest);
    time("newest", totals.newest);
}

/// Counts entries, and the bytes in them, by a value such as their size. Each interval reaches from
/// the bound of the one before to its own bound; the last interval has no bound.
class EntryHistogram {
public:
    struct HistogramBin {
        std::uint64_t below;  ///< 0 if there is no bound
        const char* label;
        std::uint64_t entries = 0, bytes = 0;
    };
    explicit EntryHistogram(std::vector<HistogramBin> intervals)
        : intervals_(std::move(intervals)) {}

    void add(std::uint64_t value, std::uint64_t bytes) {
        for (auto& one : intervals_) {
            if (one.below != 0 && value >= one.below) continue;
            ++one.entries;
            add_up(one.bytes, bytes);
            return;
        }
    }
    [[nodiscard]] const std::vector<HistogramBin>& intervals() const { return intervals_; }
    [[nodiscard]] std::string text(std::string_view heading) const {
        std::uint64_t all = 0;
        for (const auto& one : intervals_) all += one.entries;
        TextTable table({heading, ">ENTRIES", ">SIZE", "?SHARE"});
        for (const auto& one : intervals_) {
            if (one.entries == 0) continue;
            table.add({one.label, std::to_string(one.entries), shown_size(one.bytes),
                       bar(one.entries, all, 10)});
        }
        return table.text();
    }

private:
    std::vector<HistogramBin> intervals_;
};

void write_json(JsonWriter& json, const EntryHistogram::HistogramBin& interval) {
    json.object([&] {
        json.name("below");
        interval.below == 0 ? json.value(nullptr) : json.value(interval.below);
        json.field("entries", interval.entries);
        json.field("bytes", interval.bytes);
    });
}

constexpr std::uint64_t kib = 1024, mib = kib * kib, gib = mib * kib, day = 24 * 3600;

/// Everything that `stats` prints.
struct CacheStats {
    std::vector<BucketTotals> buckets;
    BucketTotals total{.name = "(all)"};
    EntryHistogram by_size{{{64 * kib, "below 64 KiB"},
                            {mib, "below 1 MiB"},
                            {16 * mib, "below 16 MiB"},
                            {256 * mib, "below 256 MiB"},
                            {4 * gib, "below 4 GiB"},
                            {0, "4 GiB or more"}}};
    EntryHistogram by_last_use{{{3600, "below 1 h"},
                                {day, "below 1 d"},
                                {7 * day, "below 7 d"},
                                {30 * day, "below 30 d"},
                                {365 * day, "below 365 d"},
                                {0, "365 d or more"}}};
    const larder::WallTime now = std::chrono::system_clock::now();

    void add(const ListedEntry& listed) {
        if (buckets.empty() || buckets.back().name != listed.bucket)
            buckets.push_back({.name = listed.bucket});
        buckets.back().add(listed);
        total.add(listed);
        if (!listed.info) return;
        const auto used =
            std::clamp(listed.info->last_used.value_or(listed.info->published), larder::WallTime{},
                       now);  // what lies in the future counts as now
        const auto unused = std::chrono::duration_cast<std::chrono::seconds>(now - used);
        by_size.add(listed.info->bytes, listed.info->bytes);
        by_last_use.add(static_cast<std::uint64_t>(std::max<std::int64_t>(unused.count(), 0)),
                        listed.info->bytes);
    }
};

void write_fields(JsonWriter& json, const CacheStats& stats) {
    json.name("buckets");
    json.array([&] {
        for (const auto& bucket : stats.buckets) {
            json.object([&] {
                json.field("bucket", bucket.name);
                write_fields(json, bucket);
            });
        }
    });
    json.name("total");
    json.object([&] { write_fields(json, stats.total); });
    json.list("sizes", stats.by_size.intervals());
    json.list("unused_seconds", stats.by_last_use.intervals());
}

std::string text_of(const CacheStats& stats) {
    TextTable table({">ENTRIES", ">SIZE", "?>FILES", "?>OLDEST", "?>NEWEST", "~BUCKET"});
    const auto add = [&](const BucketTotals& totals, std::string_view name) {
        table.add({std::to_string(totals.entries), shown_size(totals.bytes),
                   std::to_string(totals.files), shown_age(totals.oldest), shown_age(totals.newest),
                   name});
    };
    for (const auto& bucket : stats.buckets) add(bucket, shown(bucket.name));
    add(stats.total, stats.total.name);
    auto text = table.text();
    if (stats.total.entries != 0)
        text += "\n" + stats.by_size.text("SIZE OF AN ENTRY") + "\n" +
                stats.by_last_use.text("LAST USED");
    return text;
}

}  // namespace

CommandResult run_stats(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::read));
    CacheStats stats;
    Expected<> counted_all;
    if (cache) {
        counted_all = visit_entries(*cache, output, std::nullopt,
                                    [&](const ListedEntry& listed) { stats.add(listed); });
    }
    if (!counted_all) {
        // What can't be read hides none of the rest.
        Failure failure = std::move(counted_all).error();
        failure->write_done = [stats](JsonWriter& json) { write_fields(json, stats); };
        if (!output.json() && !stats.buckets.empty()) LARDER_TRY(output.text(text_of(stats)));
        return fail(std::move(failure));
    }
    if (!output.json()) return output.text(text_of(stats));
    return output.document(
        [&](JsonWriter& json) { json.object([&] { write_fields(json, stats); }); });
}

}  // namespace cachetool
