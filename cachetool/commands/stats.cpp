// SPDX-License-Identifier: MIT
// The command stats: how many entries there are, how large and how old.
#include <algorithm>
#include <fmt/core.h>

#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/clock.hpp"
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
    const larder::WallTime now = system::wall_time();

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

/// The statistics in the text format of OpenMetrics 1.0, which Prometheus reads.
class OpenMetrics {
public:
    explicit OpenMetrics(const CacheStats& stats) : stats_(stats) {
        for (const auto& bucket : stats.buckets) labels_.push_back(label_of(bucket.name));
    }

    [[nodiscard]] std::string text() {
        gauge("larder_entries", "", "Entries of a bucket.", &BucketTotals::entries);
        gauge("larder_entries_unreadable", "", "Entries whose record cannot be read.",
              &BucketTotals::unreadable);
        gauge("larder_size_bytes", "bytes", "Bytes of the files of a bucket.",
              &BucketTotals::bytes);
        gauge("larder_files", "", "Files of a bucket.", &BucketTotals::files);
        times("larder_oldest_published_timestamp_seconds",
              "When the oldest entry of a bucket was published.", &BucketTotals::oldest);
        times("larder_newest_published_timestamp_seconds",
              "When the newest entry of a bucket was published.", &BucketTotals::newest);
        histogram("larder_entry_size_bytes", "bytes", "Entries by their size.", stats_.by_size);
        histogram("larder_entry_unused_seconds", "seconds",
                  "Entries by the time since their last use.", stats_.by_last_use);
        return text_ + "# EOF\n";
    }

private:
    /// Returns the label of a bucket. A name with characters that control a terminal has the form
    /// that `ls` shows, so that no two buckets have one label.
    static std::string label_of(std::string_view bucket) {
        std::string value;
        for (const char c : shown(bucket)) {
            if (c == '\\' || c == '"') value += '\\';
            value += c;
        }
        return fmt::format("{{bucket=\"{}\"}}", value);
    }

    void family(std::string_view name, std::string_view type, std::string_view unit,
                std::string_view help) {
        text_ += fmt::format("# TYPE {} {}\n", name, type);
        if (!unit.empty()) text_ += fmt::format("# UNIT {} {}\n", name, unit);
        text_ += fmt::format("# HELP {} {}\n", name, help);
    }

    void gauge(std::string_view name, std::string_view unit, std::string_view help,
               std::uint64_t BucketTotals::*value) {
        family(name, "gauge", unit, help);
        for (std::size_t i = 0; i < labels_.size(); ++i)
            text_ += fmt::format("{}{} {}\n", name, labels_[i], stats_.buckets[i].*value);
    }

    void times(std::string_view name, std::string_view help,
               std::optional<larder::WallTime> BucketTotals::*value) {
        family(name, "gauge", "seconds", help);
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            const auto& time = stats_.buckets[i].*value;
            if (!time) continue;
            const std::chrono::duration<double> since_1970 = time->time_since_epoch();
            text_ += fmt::format("{}{} {:.3f}\n", name, labels_[i], since_1970.count());
        }
    }

    /// A bucket of this histogram counts all entries up to its bound.
    void histogram(std::string_view name, std::string_view unit, std::string_view help,
                   const EntryHistogram& entries) {
        family(name, "gaugehistogram", unit, help);
        std::uint64_t count = 0;
        for (const auto& one : entries.intervals()) {
            count += one.entries;
            // An entry that has just the bound as its value is not below it, but all values are
            // whole, and the bounds of OpenMetrics are inclusive.
            const std::string bound = one.below == 0 ? "+Inf" : fmt::format("{}.0", one.below - 1);
            text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bound, count);
        }
    }

    const CacheStats& stats_;
    std::vector<std::string> labels_;  // of the buckets
    std::string text_;
};

}  // namespace

CommandResult run_stats(const ParsedArguments& arguments, const CommandOutput& output) {
    const bool as_metrics = arguments.has("openmetrics");
    if (as_metrics && output.json())
        return fail_usage("--openmetrics and --json exclude each other");
    const auto printed = [as_metrics](const CacheStats& stats) {
        return as_metrics ? OpenMetrics(stats).text() : text_of(stats);
    };
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
        if (!output.json() && !stats.buckets.empty()) LARDER_TRY(output.text(printed(stats)));
        return fail(std::move(failure));
    }
    if (!output.json()) return output.text(printed(stats));
    return output.document(
        [&](JsonWriter& json) { json.object([&] { write_fields(json, stats); }); });
}

}  // namespace cachetool
