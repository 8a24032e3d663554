// SPDX-License-Identifier: MIT
// The command why: why an entry is kept, or what has become of it.
#include <algorithm>
#include <fmt/core.h>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/plan.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// What is known of a key.
struct KeyFate {
    std::optional<ListedEntry> entry;
    /// What a gc with the given limits would do, or nullopt if it would not evict the entry.
    std::optional<larder::Eviction> eviction;
    std::vector<ListedEntry> trash;       ///< former entries that can be restored
    std::vector<larder::RootInfo> roots;  ///< the paths that keep one of these entries
};

void write_json(JsonWriter& json, const KeyFate& fate) {
    json.object([&] {
        json.field("entry", fate.entry);
        json.name("evicted_by");
        fate.eviction ? json.value(larder::name_of(fate.eviction->reason)) : json.value(nullptr);
        json.list("trash", fate.trash);
        json.list("roots", fate.roots);
    });
}

/// Returns the paths that keep an entry, for people; an empty text if there is none.
std::string linked_paths(const KeyFate& fate, const std::string& id) {
    std::string paths;
    for (const auto& root : fate.roots) {
        if (root.id != id) continue;
        paths += (paths.empty() ? "" : ", ") + harmless(system::text_of(root.path));
    }
    return paths;
}

std::string entry_lines(const KeyFate& fate, bool limits_given) {
    const auto& entry = *fate.entry;
    auto text = fmt::format("kept: {}, last used {}\n", shown_size(entry.info->bytes),
                            shown_last_use(entry.info->last_used));
    if (entry.pinned)
        text += fmt::format("pinned: no limit evicts it; `cachetool unpin {}` ends that\n",
                            shell_words({entry.bucket, entry.key}));
    if (!entry.users.empty())
        text += fmt::format(
            "in use by {}: no limit evicts it, and its files stay even if it is removed\n",
            shown_processes(entry.users));
    const auto paths = linked_paths(fate, entry.info->id);
    if (!paths.empty())
        text += fmt::format(
            "linked to {}: no limit evicts it, and its files stay even if it is removed\n", paths);
    if (fate.eviction) {
        text += fmt::format("a gc with these limits would evict it, because of --{}\n",
                            larder::name_of(fate.eviction->reason));
    } else if (limits_given) {
        text += "a gc with these limits would keep it\n";
    }
    if (!limits_given)
        text += entry.pinned || !entry.users.empty() || !paths.empty()
                    ? "only remove, refresh or a put of its key takes it out\n"
                    : "only remove, refresh, a gc with limits or a put of its key takes it out\n";
    return text;
}

/// Returns what has become of a former entry. If the key has an entry again, that is the one that
/// the lines before are about.
std::string trash_line(const KeyFate& fate, const ListedEntry& listed) {
    const bool has_entry_again = fate.entry.has_value();
    const auto& info = *listed.info;
    const auto paths = linked_paths(fate, info.id);
    const auto linked =
        paths.empty() ? std::string() : fmt::format(", and is kept by its link {}", paths);
    const auto in_use = listed.users.empty()
                            ? std::string()
                            : fmt::format(", and is in use by {}, so its files stay for now",
                                          shown_processes(listed.users));
    return fmt::format(
        "{} published {} ago was taken out{}{}; until the next gc or refresh, `cachetool trash "
        "restore {}{}` {}\n",
        has_entry_again ? "a former entry" : "the entry", shown_age(info.published), in_use, linked,
        has_entry_again ? "--replace " : "", info.id,
        has_entry_again ? "puts it in the place of the present one" : "restores it");
}

std::string text_of(const KeyFate& fate, bool limits_given) {
    std::string text = fate.entry ? entry_lines(fate, limits_given) : "no such entry\n";
    for (const auto& listed : fate.trash) text += trash_line(fate, listed);
    return text;
}

/// Reads the entry of a key, or returns nullopt if the key has none.
Expected<std::optional<ListedEntry>> find_entry(const larder::Cache& cache,
                                                const CommandOutput& output,
                                                const std::string& bucket, const std::string& key) {
    auto entry = list_entry(cache, output, bucket, key);
    if (!entry && entry.error()->exit_code == no_entry) return std::nullopt;
    LARDER_TRY(entry);
    return std::move(*entry);
}

/// Returns the roots that keep the entry of a key, or one of its former entries.
larder::Result<std::vector<larder::RootInfo>> find_roots(const larder::Cache& cache,
                                                         const KeyFate& fate) {
    LARDER_TRY_ASSIGN(auto roots, cache.roots());
    std::erase_if(roots, [&](const larder::RootInfo& root) {
        const auto is_its = [&](const ListedEntry& listed) { return listed.info->id == root.id; };
        const bool is_known = (fate.entry && is_its(*fate.entry)) ||
                              std::any_of(fate.trash.begin(), fate.trash.end(), is_its);
        return !is_known || root.state == larder::RootInfo::State::gone;
    });
    return roots;
}

/// Returns the eviction of the key by a gc with these limits, or nullopt if the gc would keep it.
larder::Result<std::optional<larder::Eviction>> find_eviction(const larder::Cache& cache,
                                                              const std::string& bucket,
                                                              const std::string& key,
                                                              const larder::Limits& limits) {
    std::optional<larder::Eviction> found;
    larder::CollectOptions options{.dry_run = true};
    options.on_evict = [&](const larder::Eviction& eviction) {
        if (eviction.bucket == bucket && eviction.key == key) found = eviction;
    };
    LARDER_TRY(cache.collect(limits, options));
    return found;
}

}  // namespace

CommandResult run_why(const ParsedArguments& arguments, const CommandOutput& output) {
    const auto& bucket = arguments.words[0];
    const auto& key = arguments.words[1];
    const bool limits_given = arguments.has("max-size") || arguments.has("max-age") ||
                              arguments.has("max-entries") || arguments.has("min-free");
    // A dry run of limits takes the collector's lock, which a cache opened for reading can't do.
    const auto access = limits_given ? CacheAccess::write : CacheAccess::read;
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, access));
    LARDER_TRY_ASSIGN(const auto limits, limits_of(arguments, cache.root()));

    KeyFate fate;
    LARDER_TRY_ASSIGN(fate.entry, find_entry(cache, output, bucket, key));
    LARDER_TRY_ASSIGN(fate.trash, list_trash(cache, bucket, key));
    LARDER_TRY_ASSIGN(fate.roots, find_roots(cache, fate));
    if (limits_given && fate.entry) {
        LARDER_TRY_ASSIGN(fate.eviction, find_eviction(cache, bucket, key, limits));
    }
    const int exit_code = fate.entry ? done : no_entry;
    if (!output.json()) {
        if (!fate.entry && fate.trash.empty()) return fail(failure_for_miss(cache, bucket, key));
        return output.text(output.advised(text_of(fate, limits_given)), exit_code);
    }
    return output.document([&](JsonWriter& json) { write_json(json, fate); }, exit_code);
}

}  // namespace cachetool
