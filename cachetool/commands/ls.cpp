// SPDX-License-Identifier: MIT
// The commands ls and info: which entries there are.
#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <limits>
#include <set>
#include <utility>

#include "cachetool/cli/prose.hpp"
#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/pattern.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

/// Returns what an entry is sorted by.
using ListOrder = std::function<std::string(const larder::EntryInfo&)>;

std::string order_of_time(larder::WallTime time) {
    const auto ticks = static_cast<std::uint64_t>(time.time_since_epoch().count());
    return order_of_number(ticks ^ std::uint64_t{1} << 63);  // times before 1970 come first
}

/// Returns the order that `ls --sort` names, or nullopt if there is no such order.
std::optional<ListOrder> order_of(std::string_view name) {
    using Info = larder::EntryInfo;
    if (name == "name") return [](const Info&) { return std::string(); };
    if (name == "size") return [](const Info& info) { return order_of_number(~info.bytes); };
    if (name == "age") return [](const Info& info) { return order_of_time(info.published); };
    if (name == "used")
        return [](const Info& info) {
            return order_of_time(info.last_used.value_or(larder::WallTime::min()));
        };
    return std::nullopt;
}

/// What the options of ls ask for.
struct ListRequest {
    ListOrder order;
    bool by_name;
    std::uint64_t limit = any_number;
    std::string pattern;
    bool only_pinned, only_leased;

    [[nodiscard]] bool selects(const ListedEntry& listed) const {
        return system::matches(listed.key, pattern) && (listed.pinned || !only_pinned) &&
               (!listed.users.empty() || !only_leased);
    }
    /// Entries that are equal in the order come by bucket and key. One that can't be read comes
    /// last, unless the names alone decide.
    [[nodiscard]] std::string order_of(const ListedEntry& listed) const {
        std::string text;
        if (!by_name) text = listed.info ? "0" + order(*listed.info) : "1";
        return text + order_of_text(listed.bucket) + order_of_text(listed.key);
    }
};

Expected<ListRequest> request_of(const ParsedArguments& arguments) {
    const auto sort = arguments.value_or("sort", "name");
    const auto order = order_of(sort);
    if (!order)
        return fail_usage(
            fmt::format("--sort wants name, size (biggest first), age (oldest first) or used "
                        "(least recently used first), not \"{}\"",
                        shown(sort)));
    ListRequest request{.order = *order,
                        .by_name = sort == "name",
                        .pattern = std::string(arguments.value_or("key", "*")),
                        .only_pinned = arguments.has("pinned"),
                        .only_leased = arguments.has("leased")};
    if (const auto* text = arguments.value_of("limit")) {
        LARDER_TRY_ASSIGN(request.limit, parse_count("limit", *text));
    }
    return request;
}

/// Returns true for a key that is pinned, and has no entry yet.
bool has_no_entry(const ListedEntry& listed) {
    return !listed.info && listed.info.error().code == larder::Errc::miss;
}

/// Buckets and keys in them.
using KeySet = std::set<std::pair<std::string, std::string>>;

/// Returns what is pinned, in one bucket or in all.
Expected<KeySet> pinned_keys(const larder::Cache& cache, const std::optional<std::string>& bucket) {
    LARDER_TRY_ASSIGN(auto pins, cache.pins());
    KeySet found;
    for (auto& pin : pins) {
        if (!bucket || pin.bucket == *bucket)
            found.emplace(std::move(pin.bucket), std::move(pin.key));
    }
    return found;
}

/// Returns those of the pinned keys that have no entry.
Expected<std::vector<ListedEntry>> without_entry(const larder::Cache& cache, const KeySet& pinned) {
    std::vector<ListedEntry> found;
    for (const auto& [bucket, key] : pinned) {
        LARDER_TRY_ASSIGN(const auto opened, cache.bucket(bucket));
        ListedEntry listed{bucket, key, opened.info(key), true};
        if (!has_no_entry(listed)) continue;
        listed.info.error().detail = "pinned; it has no entry yet";
        found.push_back(std::move(listed));
    }
    return found;
}

std::vector<std::string> cells_of(const ListedEntry& listed, bool one_bucket,
                                  const CommandOutput& output) {
    std::string size = "?", files = "?", age = "?", used = "?";
    if (has_no_entry(listed)) {
        size = files = age = used = "-";
    } else if (const auto& info = listed.info) {
        size = shown_size(info->bytes);
        files = std::to_string(info->files);
        age = shown_age(info->published);
        used = shown_age(info->last_used);
    } else {
        output.warn(info.error().message());
    }
    const auto marks = std::string(listed.pinned ? "p" : "") + (listed.users.empty() ? "" : "u");
    const auto key = shown(listed.key);
    if (one_bucket) return {size, files, age, used, marks, key};
    return {size, files, age, used, marks, shown(listed.bucket), key};
}

std::string text_of(const ListedEntry& listed) {
    const auto& info = *listed.info;
    // What is no terminal gets each value on one line.
    const auto width = output_width().value_or(std::numeric_limits<std::size_t>::max());
    std::string text;
    const auto line = [&](std::string_view name, std::string_view value) {
        text += hanging(fmt::format("{:<11}", name), value, width);
    };
    line("bucket", shown(info.bucket));
    line("key", shown(info.key));
    line("id", info.id);
    line("path", harmless(system::text_of(info.path)));
    const auto exact = info.bytes < 1024 ? std::string() : fmt::format(" ({} bytes)", info.bytes);
    line("size", fmt::format("{}{} in {}", shown_size(info.bytes), exact,
                             counted(info.files, "file", "files")));
    line("published",
         fmt::format("{} ({} ago)", iso_time(info.published), shown_age(info.published)));
    line("last used", shown_last_use(info.last_used));
    line("pinned", listed.pinned ? "yes: no limit evicts it" : "no");
    line("in use by", listed.users.empty() ? "no process" : shown_processes(listed.users));
    line("survives",
         info.durability == larder::Durability::power ? "a power cut" : "the death of any process");
    line("producer", harmless(info.producer));
    if (!info.metadata.empty()) line("metadata", harmless(info.metadata));
    return text;
}

}  // namespace

CommandResult run_ls(const ParsedArguments& arguments, const CommandOutput& output) {
    std::optional<std::string> bucket;
    if (!arguments.words.empty()) bucket = arguments.words.front();
    LARDER_TRY_ASSIGN(const auto cache,
                      open_for_buckets(arguments, output, CacheAccess::read, bucket.has_value()));
    LARDER_TRY_ASSIGN(const auto request, request_of(arguments));
    Expected<KeySet> pinned;  // those that were not visited
    if (cache && request.only_pinned && !request.only_leased) pinned = pinned_keys(*cache, bucket);
    // A bucket may have pins before it has keys.
    if (bucket && pinned && pinned->empty()) LARDER_TRY(require_bucket(*cache, *bucket));
    const bool one_bucket = bucket.has_value();
    ListPrinter list(
        output, "entries",
        one_bucket ? TextTable({">SIZE", "?>FILES", "?>AGE", "?>USED", "", "~KEY"})
                   : TextTable({">SIZE", "?>FILES", "?>AGE", "?>USED", "", "~BUCKET", "~KEY"}),
        request.limit);
    const auto add = [&](const ListedEntry& listed) {
        if (pinned && !pinned->empty()) pinned->erase({listed.bucket, listed.key});
        if (!request.selects(listed)) return;
        list.add(
            request.order_of(listed), [&](JsonWriter& json) { write_json(json, listed); },
            [&] { return cells_of(listed, one_bucket, output); });
    };
    Expected<> listed_all;
    if (cache) listed_all = visit_entries(*cache, output, bucket, add);
    // What can't be read hides none of the rest.
    if (!listed_all) return list.print_in_spite_of(std::move(listed_all).error());
    if (!pinned) return list.print_in_spite_of(std::move(pinned).error());
    if (!pinned->empty()) {
        auto left = without_entry(*cache, KeySet(*pinned));
        if (!left) return list.print_in_spite_of(std::move(left).error());
        for (const auto& listed : *left) add(listed);
    }
    if (cache && list.is_empty()) output.say("no entry to list");
    return list.print();
}

CommandResult run_info(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::read));
    LARDER_TRY_ASSIGN(const auto listed,
                      list_entry(cache, output, arguments.words[0], arguments.words[1]));
    if (!output.json()) return output.text(text_of(listed));
    return output.document([&](JsonWriter& json) { write_json(json, listed); });
}

}  // namespace cachetool
