// SPDX-License-Identifier: MIT
// stats: how much there is, how large and how old.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Cells = std::vector<std::string>;

/// What `stats` adds up, for a bucket or for all of them.
struct Sum {
    std::string name;
    std::uint64_t entries = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::optional<larder::WallTime> oldest{};
    std::optional<larder::WallTime> newest{};

    void add(const Listed& listed) {
        ++entries;
        if (!listed.info) {
            ++unreadable;
            return;
        }
        bytes += listed.info->bytes;
        files += listed.info->files;
        oldest = std::min(oldest.value_or(listed.info->published), listed.info->published);
        newest = std::max(newest.value_or(listed.info->published), listed.info->published);
    }
    [[nodiscard]] Json json() const {
        const auto time = [](const auto& when) {
            return when ? Json(iso_time(*when)) : Json(nullptr);
        };
        return {{"entries", entries}, {"unreadable", unreadable}, {"bytes", bytes},
                {"files", files},     {"oldest", time(oldest)},   {"newest", time(newest)}};
    }
    [[nodiscard]] Cells cells() const {
        return {std::to_string(entries), shown_size(bytes), std::to_string(files),
                shown_age(oldest),       shown_age(newest), name};
    }
};

/// How many entries, and bytes in them, lie below each of some bounds and not below the one before; the last class has no bound.
class Histogram {
public:
    struct Class {
        std::uint64_t below;  ///< 0: no bound
        std::string label;
        std::uint64_t entries = 0, bytes = 0;
    };
    explicit Histogram(std::vector<Class> classes) : classes_(std::move(classes)) {}

    void add(std::uint64_t value, std::uint64_t bytes) {
        auto& found = *std::find_if(classes_.begin(), classes_.end(), [&](const Class& one) {
            return one.below == 0 || value < one.below;
        });
        ++found.entries;
        found.bytes += bytes;
    }
    [[nodiscard]] Json json() const {
        Json list = Json::array();
        for (const auto& one : classes_)
            list.push_back({{"below", one.below == 0 ? Json(nullptr) : Json(one.below)},
                            {"entries", one.entries},
                            {"bytes", one.bytes}});
        return list;
    }
    [[nodiscard]] std::string text(std::string heading) const {
        std::uint64_t all = 0;
        for (const auto& one : classes_) all += one.entries;
        std::vector<Cells> rows;
        for (const auto& one : classes_)
            rows.push_back({one.label, std::to_string(one.entries), shown_size(one.bytes),
                            bar(one.entries, all, 30)});
        return table({std::move(heading), ">ENTRIES", ">SIZE", "SHARE"}, rows);
    }

private:
    std::vector<Class> classes_;
};

constexpr std::uint64_t kib = 1024, mib = kib * kib, gib = mib * kib, day = 24 * 3600;

Histogram sizes() {
    return Histogram({{64 * kib, "below 64 KiB"},
                      {mib, "below 1 MiB"},
                      {16 * mib, "below 16 MiB"},
                      {256 * mib, "below 256 MiB"},
                      {4 * gib, "below 4 GiB"},
                      {0, "4 GiB or more"}});
}

/// Of the last use.
Histogram ages() {
    return Histogram({{3600, "below 1 h"},
                      {day, "below 1 d"},
                      {7 * day, "below 7 d"},
                      {30 * day, "below 30 d"},
                      {365 * day, "below 365 d"},
                      {0, "365 d or more"}});
}

}  // namespace

Outcome run_stats(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto entries = *cache ? list(**cache, std::nullopt) : std::vector<Listed>();
    if (!entries) return tl::unexpected(entries.error());

    Sum total{.name = "(all)"};
    std::vector<Sum> buckets;
    Histogram by_size = sizes(), by_use = ages();
    const auto now = std::chrono::system_clock::now();
    for (const auto& listed : *entries) {
        if (buckets.empty() || buckets.back().name != listed.bucket)
            buckets.push_back({.name = listed.bucket});
        buckets.back().add(listed);
        total.add(listed);
        if (!listed.info) continue;
        const auto unused = std::chrono::duration_cast<std::chrono::seconds>(
            now - listed.info->last_used.value_or(listed.info->published));
        by_size.add(listed.info->bytes, listed.info->bytes);
        by_use.add(static_cast<std::uint64_t>(std::max<std::int64_t>(unused.count(), 0)),
                   listed.info->bytes);
    }
    if (output.json()) {
        Json list = Json::array();
        for (const auto& bucket : buckets) {
            list.push_back({{"bucket", bucket.name}});
            list.back().update(bucket.json());
        }
        return output.document({{"buckets", std::move(list)},
                                {"total", total.json()},
                                {"sizes", by_size.json()},
                                {"unused_seconds", by_use.json()}});
    }
    std::vector<Cells> rows;
    for (const auto& bucket : buckets) {
        rows.push_back(bucket.cells());
        rows.back().back() = shown(bucket.name);
    }
    rows.push_back(total.cells());
    std::string text = table({">ENTRIES", ">SIZE", ">FILES", ">OLDEST", ">NEWEST", "BUCKET"}, rows);
    if (total.entries != 0)
        text += "\n" + by_size.text("SIZE OF AN ENTRY") + "\n" + by_use.text("LAST USED");
    return output.text(text);
}

}  // namespace cachetool
