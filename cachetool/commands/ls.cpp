// SPDX-License-Identifier: MIT
// ls, info and why: which entries there are, and why each is kept.
#include <fnmatch.h>

#include <algorithm>
#include <fmt/format.h>
#include <functional>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/plan.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Cells = std::vector<std::string>;
using Before = std::function<bool(const Listed&, const Listed&)>;

/// By what `ls --sort` goes; nothing for an order that there is none of. What can't be read comes last.
std::optional<Before> order_of(std::string_view name) {
    const auto by = [](auto less) -> Before {
        return [less](const Listed& a, const Listed& b) {
            return a.info && b.info ? less(*a.info, *b.info) : a.info.has_value() && !b.info;
        };
    };
    if (name == "name") return [](const Listed&, const Listed&) { return false; };
    if (name == "size") return by([](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    if (name == "age")
        return by([](const auto& a, const auto& b) { return a.published < b.published; });
    if (name == "used")
        return by([](const auto& a, const auto& b) { return a.last_used < b.last_used; });
    return std::nullopt;
}

/// Leaves what the options want, in the order that they want.
tl::expected<void, Failure> select(std::vector<Listed>& entries, const Arguments& arguments) {
    const auto option = [&](const char* name, std::string fallback) {
        return arguments.has(name) ? arguments.options.at(name) : std::move(fallback);
    };
    const auto before = order_of(option("sort", "name"));
    if (!before)
        return fail_usage(
            fmt::format("--sort wants name, size (biggest first), age (oldest first) or used "
                        "(least recently used first), not \"{}\"",
                        shown(option("sort", ""))));
    const auto limit = parse_count("limit", option("limit", std::to_string(any_number)));
    if (!limit) return tl::unexpected(limit.error());
    const std::string pattern = option("key", "*");
    std::erase_if(entries, [&](const Listed& listed) {
        return ::fnmatch(pattern.c_str(), listed.key.c_str(), 0) != 0 ||
               (arguments.has("pinned") && !listed.pinned) ||
               (arguments.has("leased") && listed.users.empty());
    });
    std::stable_sort(entries.begin(), entries.end(), *before);
    if (entries.size() > *limit)
        entries.resize(*limit, Listed{{}, {}, tl::unexpected(larder::Error{})});
    return {};
}

/// What is known of a key: why it is kept, or what has become of it.
struct Fate {
    std::optional<Listed> entry;
    std::optional<larder::Eviction>
        eviction;  ///< what a gc with the limits that were given would do
    std::vector<Listed> trash;

    [[nodiscard]] Json json() const {
        Json document = {
            {"entry", entry ? entry->json() : Json(nullptr)},
            {"evicted_by", eviction ? Json(larder::name_of(eviction->reason)) : Json(nullptr)},
            {"trash", Json::array()}};
        for (const auto& listed : trash) document["trash"].push_back(listed.json());
        return document;
    }

    [[nodiscard]] std::string text(bool limits) const {
        std::string text;
        if (entry) {
            text += fmt::format("kept: {}, used {} ago\n", shown_size(entry->info->bytes),
                                shown_age(entry->info->last_used));
            if (entry->pinned) text += "pinned: no limit takes it; `cachetool unpin` ends that\n";
            if (!entry->users.empty())
                text += fmt::format(
                    "in use by {}: no limit takes it, and its files stay whatever is removed\n",
                    shown_users(entry->users));
            if (eviction)
                text += fmt::format("a gc with these limits would evict it, because of --{}\n",
                                    larder::name_of(eviction->reason));
            if (!eviction && limits) text += "a gc with these limits would keep it\n";
            if (!limits)
                text += fmt::format(
                    "only remove, refresh{} a put of its key take it out\n",
                    entry->pinned || !entry->users.empty() ? " or" : ", a gc with limits or");
        } else {
            text += "no such entry\n";
        }
        for (const auto& listed : trash) {
            text += fmt::format(
                "taken out, {}; until it is collected `cachetool trash restore {}` brings it "
                "back\n",
                listed.users.empty()
                    ? "and deleted by the next gc"
                    : fmt::format("and in use by {}, so that its files stay until then",
                                  shown_users(listed.users)),
                listed.info->id);
        }
        return text;
    }
};

tl::expected<Fate, Failure> fate_of(const larder::Cache& cache, const std::string& bucket,
                                    const std::string& key, const larder::Limits& limits) {
    Fate fate;
    if (auto entry = list_one(cache, bucket, key)) {
        fate.entry = std::move(*entry);
    } else if (entry.error().exit_code != no_entry) {
        return tl::unexpected(std::move(entry).error());
    }
    const auto users = users_of(cache);
    auto trash = cache.trash();
    if (!users) return fail(users.error());
    if (!trash) return fail(trash.error());
    for (auto& entry : *trash) {
        if (entry.bucket != bucket || entry.key != key) continue;
        Listed listed{bucket, key, std::move(entry)};
        if (const auto found = users->find(listed.info->id); found != users->end())
            listed.users = found->second;
        fate.trash.push_back(std::move(listed));
    }
    if (!limits.any() || !fate.entry) return fate;
    larder::CollectOptions options{.dry_run = true};
    options.on_evict = [&](const larder::Eviction& eviction) {
        if (eviction.bucket == bucket && eviction.key == key) fate.eviction = eviction;
    };
    if (const auto planned = cache.collect(limits, options); !planned) return fail(planned.error());
    return fate;
}

}  // namespace

Outcome run_ls(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const bool one_bucket = !arguments.words.empty();
    auto entries =
        *cache ? list(**cache, one_bucket ? std::optional(arguments.words.front()) : std::nullopt)
               : std::vector<Listed>();
    if (!entries) return tl::unexpected(entries.error());
    if (auto selected = select(*entries, arguments); !selected)
        return tl::unexpected(selected.error());

    if (output.json()) {
        Json list = Json::array();
        for (const auto& listed : *entries) list.push_back(listed.json());
        return output.document({{"entries", std::move(list)}});
    }
    Cells headings = {">SIZE", ">FILES", ">AGE", ">USED", "", "BUCKET", "KEY"};
    if (one_bucket) headings.erase(headings.end() - 2);
    std::vector<Cells> rows;
    for (const auto& listed : *entries) {
        Cells row = {"?", "?", "?", "?"};
        if (const auto& info = listed.info) {
            row = {shown_size(info->bytes), std::to_string(info->files), shown_age(info->published),
                   shown_age(info->last_used)};
        } else {
            output.warn(info.error().message());
        }
        row.push_back(std::string(listed.pinned ? "p" : "") + (listed.users.empty() ? "" : "u"));
        if (!one_bucket) row.push_back(shown(listed.bucket));
        row.push_back(shown(listed.key));
        rows.push_back(std::move(row));
    }
    return output.text(table(std::move(headings), rows));
}

Outcome run_info(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto listed = list_one(*cache, arguments.words[0], arguments.words[1]);
    if (!listed) return tl::unexpected(listed.error());
    if (output.json()) return output.document(listed->json());
    const auto& info = *listed->info;
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) {
        text += fmt::format("{:<11}{}\n", name, value);
    };
    line("bucket", shown(info.bucket));
    line("key", shown(info.key));
    line("id", info.id);
    line("path", harmless(info.path.string()));
    line("size", fmt::format("{} ({} bytes) in {}", shown_size(info.bytes), info.bytes,
                             counted(info.files, "file", "files")));
    line("published",
         fmt::format("{} ({} ago)", iso_time(info.published), shown_age(info.published)));
    line("last used", info.last_used ? fmt::format("{} ago, or up to an hour more lately",
                                                   shown_age(info.last_used))
                                     : "?");
    line("pinned", listed->pinned ? "yes: no limit takes it" : "no");
    line("in use by", listed->users.empty() ? "nobody" : shown_users(listed->users));
    line("survives",
         info.durability == larder::Durability::power ? "a power cut" : "the death of any process");
    line("boot", harmless(info.boot));
    line("producer", harmless(info.producer));
    return output.text(text);
}

Outcome run_why(const Arguments& arguments, const Output& output) {
    const auto& bucket = arguments.words[0];
    const auto& key = arguments.words[1];
    const bool limits_given = arguments.has("max-size") || arguments.has("max-age") ||
                              arguments.has("max-entries") || arguments.has("min-free");
    // A dry run of limits takes the collector's lock, so it needs more than reading.
    const auto cache =
        open_for_entry(arguments, output, limits_given ? Access::write : Access::read);
    if (!cache) return tl::unexpected(cache.error());
    auto limits = limits_of(arguments, cache->root());
    if (!limits) return tl::unexpected(limits.error());
    const auto fate = fate_of(*cache, bucket, key, *limits);
    if (!fate) return tl::unexpected(fate.error());
    const int exit_code = fate->entry ? done : no_entry;
    return output.json() ? output.document(fate->json(), exit_code)
                         : output.text(fate->text(limits_given), exit_code);
}

}  // namespace cachetool
