// SPDX-License-Identifier: MIT
// The commands ls and info: which entries there are.
#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <limits>

#include "cachetool/cli/prose.hpp"
#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/pattern.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

using ListOrder = std::function<bool(const ListedEntry&, const ListedEntry&)>;

/// Returns the order that `ls --sort` names, or nullopt if there is no such order. An entry that
/// can't be read comes last.
std::optional<ListOrder> order_of(std::string_view name) {
    const auto by = [](auto less) -> ListOrder {
        return [less](const ListedEntry& a, const ListedEntry& b) {
            return a.info && b.info ? less(*a.info, *b.info) : a.info.has_value() && !b.info;
        };
    };
    if (name == "name") return [](const ListedEntry&, const ListedEntry&) { return false; };
    if (name == "size") return by([](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    if (name == "age")
        return by([](const auto& a, const auto& b) { return a.published < b.published; });
    if (name == "used")
        return by([](const auto& a, const auto& b) { return a.last_used < b.last_used; });
    return std::nullopt;
}

using Selection = std::vector<const ListedEntry*>;

/// Returns the entries that the options select, in the order that they ask for.
Expected<Selection> select(const std::vector<ListedEntry>& entries,
                           const ParsedArguments& arguments) {
    const auto order = order_of(arguments.value_or("sort", "name"));
    if (!order)
        return fail_usage(
            fmt::format("--sort wants name, size (biggest first), age (oldest first) or used "
                        "(least recently used first), not \"{}\"",
                        shown(arguments.value_or("sort", ""))));
    std::uint64_t limit = any_number;
    if (const auto* text = arguments.value_of("limit")) {
        LARDER_TRY_ASSIGN(limit, parse_count("limit", *text));
    }
    const auto pattern = arguments.value_or("key", "*");
    const bool only_pinned = arguments.has("pinned"), only_leased = arguments.has("leased");
    Selection selection;
    for (const auto& listed : entries) {
        if (system::matches(listed.key, pattern) && (listed.pinned || !only_pinned) &&
            (!listed.users.empty() || !only_leased))
            selection.push_back(&listed);
    }
    std::stable_sort(selection.begin(), selection.end(),
                     [&](const auto* a, const auto* b) { return (*order)(*a, *b); });
    selection.resize(std::min<std::uint64_t>(selection.size(), limit));
    return selection;
}

std::string table_of(const Selection& selection, bool one_bucket, const CommandOutput& output) {
    TextTable table = one_bucket
                          ? TextTable({">SIZE", ">FILES", ">AGE", ">USED", "", "KEY"})
                          : TextTable({">SIZE", ">FILES", ">AGE", ">USED", "", "BUCKET", "KEY"});
    for (const auto* listed : selection) {
        std::string size = "?", files = "?", age = "?", used = "?";
        if (const auto& info = listed->info) {
            size = shown_size(info->bytes);
            files = std::to_string(info->files);
            age = shown_age(info->published);
            used = shown_age(info->last_used);
        } else {
            output.warn(info.error().message());
        }
        const auto marks =
            std::string(listed->pinned ? "p" : "") + (listed->users.empty() ? "" : "u");
        const auto key = shown(listed->key);
        if (one_bucket) {
            table.add({size, files, age, used, marks, key});
        } else {
            table.add({size, files, age, used, marks, shown(listed->bucket), key});
        }
    }
    return table.text();
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
    line("path", harmless(info.path.string()));
    line("size", fmt::format("{} ({} bytes) in {}", shown_size(info.bytes), info.bytes,
                             counted(info.files, "file", "files")));
    line("published",
         fmt::format("{} ({} ago)", iso_time(info.published), shown_age(info.published)));
    line("last used", info.last_used ? fmt::format("{} ago, or up to an hour more recently",
                                                   shown_age(info.last_used))
                                     : "?");
    line("pinned", listed.pinned ? "yes: no limit evicts it" : "no");
    line("in use by", listed.users.empty() ? "no process" : shown_processes(listed.users));
    line("survives",
         info.durability == larder::Durability::power ? "a power cut" : "the death of any process");
    line("boot", harmless(info.boot));
    line("producer", harmless(info.producer));
    return text;
}

}  // namespace

CommandResult run_ls(const ParsedArguments& arguments, const CommandOutput& output) {
    std::optional<std::string> bucket;
    if (!arguments.words.empty()) bucket = arguments.words.front();
    LARDER_TRY_ASSIGN(const auto cache,
                      open_for_buckets(arguments, output, CacheAccess::read, bucket.has_value()));
    if (bucket) LARDER_TRY(require_bucket(*cache, *bucket));
    std::vector<ListedEntry> entries;
    if (cache) {
        LARDER_TRY_ASSIGN(entries, list_entries(*cache, bucket));
    }
    LARDER_TRY_ASSIGN(const auto selection, select(entries, arguments));
    if (!output.json()) return output.text(table_of(selection, bucket.has_value(), output));
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.name("entries");
            json.array([&] {
                for (const auto* listed : selection) write_json(json, *listed);
            });
        });
    });
}

CommandResult run_info(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::read));
    LARDER_TRY_ASSIGN(const auto listed, list_entry(cache, arguments.words[0], arguments.words[1]));
    if (!output.json()) return output.text(text_of(listed));
    return output.document([&](JsonWriter& json) { write_json(json, listed); });
}

}  // namespace cachetool
