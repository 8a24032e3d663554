// SPDX-License-Identifier: MIT
// The command trash: what was taken out and can be restored.
#include <algorithm>
#include <fmt/core.h>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "cachetool/cli/nearest.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/pattern.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Entries = std::vector<larder::EntryInfo>;

std::string order_of(const larder::EntryInfo& entry) {
    const auto published = static_cast<std::uint64_t>(entry.published.time_since_epoch().count());
    return order_of_text(entry.bucket) + order_of_text(entry.key) +
           order_of_number(published ^ std::uint64_t{1} << 63);
}

void say_deleting(const CommandOutput& output, const larder::StatusReport& status) {
    if (status.deleting == 0) return;
    output.say(fmt::format(
        "{} being deleted, and can't be restored; `cachetool gc` goes on if that was stopped",
        counted(status.deleting, "more entry is", "more entries are")));
}

CommandResult list_trash(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::read));
    ListPrinter list(output, "trash", TextTable({"ID", "?>SIZE", "?>AGE", "?~BUCKET", "~KEY"}));
    if (!cache) return list.print();
    const auto visited = cache->visit_trash([&](const larder::EntryInfo& entry) {
        list.add(
            order_of(entry), [&](JsonWriter& json) { write_json(json, entry); },
            [&] {
                return std::vector{entry.id, shown_size(entry.bytes), shown_age(entry.published),
                                   shown(entry.bucket), shown(entry.key)};
            });
        return true;
    });
    // What can't be read hides none of the rest.
    if (!visited) return list.print_in_spite_of(visited.error());
    if (!output.json()) {
        if (const auto status = cache->status()) say_deleting(output, *status);
        if (list.is_empty()) output.say("the trash is empty");
    }
    return list.print();
}

/// Restores entries, one after the other. A failure does not stop it.
class TrashRestorer {
public:
    TrashRestorer(const ParsedArguments& arguments, const CommandOutput& output,
                  larder::Durability durability)
        : arguments_(arguments),
          output_(output),
          options_{.replace = arguments.has("replace"), .durability = durability} {}

    CommandResult run(const larder::Cache& cache) {
        auto listed = cache.visit_trash([this](const larder::EntryInfo& entry) {
            trash_.push_back(entry);
            return true;
        });
        for (const auto& entry : trash_) by_id_.emplace(entry.id, &entry);
        auto ids = chosen_ids();
        // What can't be read may be the very entry that is missing, and hides none of the rest.
        if (!listed && arguments_.has("bucket")) {
            if (!ids) return fail(Failure(listed.error()));
            first_failure_ = Failure(listed.error());
        }
        if (!ids) return fail(std::move(ids).error());
        ProgressLine progress(output_);
        for (const auto& id : *ids) {
            progress.show("restoring", done_, ids->size());
            restore(cache, id, progress);
            ++done_;
        }
        progress.clear();
        if (!restored_.empty() && arguments_.has("bucket"))
            output_.say(fmt::format("restored {}", counted(restored_.size(), "entry", "entries")));
        if (first_failure_) {
            (*first_failure_)->write_done = [restored = restored_](JsonWriter& json) {
                json.list("restored", restored);
            };
            return fail(std::move(*first_failure_));
        }
        if (output_.json())
            return output_.document(
                [&](JsonWriter& json) { json.object([&] { json.list("restored", restored_); }); });
        std::string paths;
        for (const auto& entry : restored_) paths += entry.path + "\n";
        return output_.text(paths);
    }

private:
    [[nodiscard]] Expected<std::vector<std::string>> chosen_ids() const {
        if (!arguments_.has("bucket"))
            return std::vector<std::string>(arguments_.words.begin() + 1, arguments_.words.end());
        // All names are checked before the first entry is restored.
        std::vector<std::string> all;
        std::set<std::string> seen;
        for (const auto& bucket : arguments_.values_of("bucket")) {
            if (!seen.insert(bucket).second) continue;
            const auto ids = last_of_each_key(bucket, arguments_.value_or("key", "*"));
            if (ids.empty()) return fail(nothing_to_restore(bucket));
            all.insert(all.end(), ids.begin(), ids.end());
        }
        return all;
    }

    [[nodiscard]] Failure nothing_to_restore(const std::string& bucket) const {
        std::vector<std::string> buckets;
        for (const auto& entry : trash_) buckets.push_back(entry.bucket);
        auto failure = no_bucket_failure(bucket, buckets);
        const bool has_some = std::find(buckets.begin(), buckets.end(), bucket) != buckets.end();
        const auto* meant = nearest_or_longer(bucket, buckets);
        failure->message = fmt::format("the trash holds no entry of bucket {}{}{}", named(bucket),
                                       arguments_.has("key") && has_some ? " that matches" : "",
                                       has_some || meant == nullptr
                                           ? "; `cachetool trash` lists what it holds"
                                           : fmt::format("; did you mean {}?", named(*meant)));
        return failure;
    }

    /// Returns, of each matching key of the bucket, the entry that was published last: a refresh
    /// took that one out.
    [[nodiscard]] std::vector<std::string> last_of_each_key(const std::string& bucket,
                                                            const std::string& pattern) const {
        std::map<std::string, const larder::EntryInfo*> last;
        for (const auto& entry : trash_) {
            if (entry.bucket != bucket || !system::matches(entry.key, pattern)) continue;
            auto& known = last[entry.key];
            if (known == nullptr || known->published < entry.published) known = &entry;
        }
        std::vector<std::string> ids;
        ids.reserve(last.size());
        for (const auto& [key, entry] : last) ids.push_back(entry->id);
        return ids;
    }

    void restore(const larder::Cache& cache, const std::string& id, ProgressLine& progress) {
        const auto lease = cache.restore(id, options_);
        const auto found = by_id_.find(id);
        const auto entry = found == by_id_.end() ? larder::EntryInfo{} : *found->second;
        if (lease) {
            restored_.push_back(location_of(entry.bucket, entry.key, *lease));
        } else if (lease.error().code == larder::Errc::exists && arguments_.has("bucket")) {
            progress.clear();
            output_.say(
                fmt::format("{} {} has an entry again, and is left alone; --replace replaces it",
                            named(entry.bucket), named(entry.key)));
        } else if (first_failure_) {
            progress.clear();
            output_.warn(lease.error().message());
        } else {
            first_failure_ = failure_to_restore(lease.error());
        }
    }

    static Failure failure_to_restore(const larder::Error& error) {
        Failure failure(error);
        if (error.code == larder::Errc::exists) failure->message += "; --replace replaces it";
        if (error.code == larder::Errc::invalid)
            failure->message +=
                "; `cachetool trash ls` lists the ids, and --bucket restores a bucket's keys";
        return failure;
    }

    const ParsedArguments& arguments_;
    const CommandOutput& output_;
    larder::RestoreOptions options_;
    Entries trash_;
    std::unordered_map<std::string_view, const larder::EntryInfo*> by_id_;
    std::vector<EntryLocation> restored_;
    std::uint64_t done_ = 0;
    std::optional<Failure> first_failure_;
};

CommandResult empty_trash(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    larder::CollectReport report;
    if (cache) {
        larder::CollectOptions options;
        std::optional<larder::CollectReport> partial;
        options.on_partial = [&](const larder::CollectReport& done) { partial = done; };
        auto collected = collect(*cache, output, {}, options);
        if (!collected) return fail(failure_to_collect(collected.error(), std::move(partial)));
        report = std::move(*collected);
    }
    if (output.json()) return output.document([&](JsonWriter& json) { write_json(json, report); });
    say_result(output, report);
    return done;
}

}  // namespace

CommandResult run_trash(const ParsedArguments& arguments, const CommandOutput& output) {
    std::string verb = arguments.words.empty() ? "ls" : arguments.words.front();
    if (verb == "list") verb = "ls";  // as the command ls has both names
    const bool has_ids = arguments.words.size() > 1;
    for (const char* const option : {"bucket", "key", "replace", "durability"}) {
        if (verb != "restore" && arguments.has(option))
            return fail_usage(fmt::format(
                "--{} goes with restore: ls and empty work on the whole trash", option));
    }
    if (verb == "ls" && !has_ids) return list_trash(arguments, output);
    if (verb == "empty" && !has_ids) return empty_trash(arguments, output);
    if (arguments.has("key") && !arguments.has("bucket"))
        return fail_usage("--key goes with --bucket: it selects which keys of it to restore");
    if (verb == "restore" && has_ids != arguments.has("bucket")) {
        LARDER_TRY_ASSIGN(const auto durability,
                          durability_of(arguments, larder::Durability::process));
        LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
        return TrashRestorer(arguments, output, durability).run(cache);
    }
    return fail_usage(
        fmt::format("trash wants ls, restore ID..., restore --bucket BUCKET or empty{}; see "
                    "cachetool trash --help",
                    did_you_mean(verb, {"ls", "restore", "empty"})));
}

}  // namespace cachetool
