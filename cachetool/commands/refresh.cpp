// SPDX-License-Identifier: MIT
// The command refresh: purges buckets, and collects.
#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <larder/cache.hpp>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

struct TakenKey {
    std::string bucket;
    std::string key;
};

/// What a refresh did: the fields of its document.
struct RefreshRecord {
    bool dry_run = false;
    std::vector<std::string> refreshed;
    /// The keys that were taken out. nullopt if whole buckets were refreshed, because the keys were
    /// not counted then.
    std::optional<std::vector<TakenKey>> keys;
    std::optional<larder::CollectReport> collected;
    bool collector_busy = false;
};

void write_fields(JsonWriter& json, const RefreshRecord& record) {
    json.field("dry_run", record.dry_run);
    json.list("refreshed", record.refreshed);
    if (record.keys) {
        json.name("keys");
        json.array([&] {
            for (const auto& [bucket, key] : *record.keys) {
                json.object([&, &bucket = bucket, &key = key] {
                    json.field("bucket", bucket);
                    json.field("key", key);
                });
            }
        });
    } else {
        json.field("keys", nullptr);
    }
    json.field("collected", record.collected);
    json.field("collector_busy", record.collector_busy);
}

/// Returns which keys to take out, if not all.
Expected<larder::RefreshOptions> conditions_of(const ParsedArguments& arguments) {
    larder::RefreshOptions options;
    LARDER_TRY_ASSIGN(options.durability, durability_of(arguments, larder::Durability::power));
    options.dry_run = arguments.has("dry-run");
    options.pattern = arguments.value_or("key", "");
    if (const auto* text = arguments.value_of("older-than")) {
        LARDER_TRY_ASSIGN(options.older_than, parse_duration("older-than", *text));
    }
    return options;
}

/// Refreshes the buckets of a command line, and collects. A failure does not stop it.
class Refresher {
public:
    Refresher(const ParsedArguments& arguments, const CommandOutput& output,
              larder::RefreshOptions conditions, std::chrono::seconds grace)
        : arguments_(arguments),
          output_(output),
          conditions_(std::move(conditions)),
          grace_(grace),
          has_conditions_(conditions_.dry_run || conditions_.older_than ||
                          !conditions_.pattern.empty()) {
        record_.dry_run = conditions_.dry_run;
        if (has_conditions_) record_.keys.emplace();
    }

    CommandResult run(const std::optional<larder::Cache>& cache) {
        if (cache) {
            LARDER_TRY_ASSIGN(const auto names, chosen_buckets(*cache));
            LARDER_TRY(check_names(*cache));
            if (names.empty()) output_.say("there is no bucket, so there is nothing to purge");
            for (const auto& name : names) refresh(*cache, name);
            // If nothing was taken out there is nothing new to collect. A user who mistyped a name
            // keeps the trash, and may want it.
            if (took_something_ && !conditions_.dry_run) {
                arguments_.has("keep-garbage")
                    ? say_undone_by(record_.refreshed, "undoes the purge")
                    : collect_garbage(*cache);
            }
        }
        return finish();
    }

private:
    /// Returns the buckets to refresh: those of the command line, or all. Sorts out those that do
    /// not exist. They are refreshed too, because one may be created at any moment.
    Expected<std::vector<std::string>> chosen_buckets(const larder::Cache& cache) {
        LARDER_TRY_ASSIGN(auto existing, cache.buckets());
        sort_names(existing);
        if (arguments_.has("all")) return existing;
        for (const auto& name : arguments_.words) {
            // All names are checked before the first is refreshed: if one of them can't be a name,
            // nothing happens.
            LARDER_TRY(cache.bucket(name));
            if (!std::binary_search(existing.begin(), existing.end(), name)) absent_.insert(name);
        }
        existing_ = std::move(existing);
        return arguments_.words;
    }

    /// Says which of the named buckets do not exist, before the others are purged. Fails if one of
    /// them looks like a key of the first bucket: a user who writes `refresh BUCKET KEY` wants to
    /// keep the other keys.
    Expected<> check_names(const larder::Cache& cache) {
        if (absent_.empty()) return {};
        const auto& first = arguments_.words.front();
        for (auto word = arguments_.words.begin() + 1;
             !absent_.contains(first) && word != arguments_.words.end(); ++word) {
            if (!absent_.contains(*word)) continue;
            if (!list_entry(cache, output_, first, *word)) continue;
            auto failure = no_bucket_failure(*word, existing_);
            failure->message = fmt::format(
                "no bucket {}, but bucket {} has such a key: nothing was purged; `cachetool "
                "refresh --key {} {}` purges that key alone",
                named(*word), named(first), shell_pattern(*word), shell_words({first}));
            failure->write_done = [record = record_](JsonWriter& json) {
                write_fields(json, record);
            };
            return fail(std::move(failure));
        }
        if (arguments_.words.size() == 1) {
            note_failure(no_bucket_failure(first, existing_));
            return {};
        }
        std::string names;
        for (const auto& name : arguments_.words) {
            if (!absent_.contains(name)) continue;
            output_.say(no_bucket_sentence(name, existing_));
            names += (names.empty() ? "" : ", ") + named(name);
        }
        auto failure = no_bucket_failure(first, existing_);
        failure->message = fmt::format("{} of {} buckets did not exist: {}", absent_.size(),
                                       arguments_.words.size(), names);
        note_failure(std::move(failure));
        return {};
    }

    void refresh(const larder::Cache& cache, const std::string& name) {
        const auto result = cache.bucket(name).and_then([&](const larder::Bucket& bucket) {
            return has_conditions_ ? refresh_some(bucket, name) : refresh_all(bucket, name);
        });
        if (!result) {
            note_failure(result.error());
        } else if (!absent_.contains(name)) {
            record_.refreshed.push_back(name);
        }
    }

    larder::Result<> refresh_all(const larder::Bucket& bucket, const std::string& name) {
        LARDER_TRY(bucket.refresh(conditions_.durability));
        if (absent_.contains(name)) return {};
        took_something_ = true;
        output_.say(fmt::format("purged {}: its entries can no longer be obtained", named(name)));
        return {};
    }

    larder::Result<> refresh_some(const larder::Bucket& bucket, const std::string& name) {
        auto options = conditions_;
        options.on_taken = [&](const std::string& key) {
            took_something_ = true;  // even if the refresh fails later
            record_.keys->push_back({name, key});
        };
        LARDER_TRY_ASSIGN(const auto taken, bucket.refresh(options));
        if (!absent_.contains(name)) output_.say(taken_sentence(name, taken));
        return {};
    }

    [[nodiscard]] std::string taken_sentence(const std::string& name, std::uint64_t taken) const {
        const auto keys = counted(taken, "key", "keys");
        if (conditions_.dry_run) return fmt::format("{}: would take out {}", named(name), keys);
        if (taken == 0) return fmt::format("{}: no key matches", named(name));
        return fmt::format("purged {} of {}: {} can no longer be obtained", keys, named(name),
                           taken == 1 ? "its entry" : "their entries");
    }

    void collect_garbage(const larder::Cache& cache) {
        larder::CollectOptions options{.grace = grace_};
        options.on_partial = [&](const larder::CollectReport& done) { record_.collected = done; };
        auto report = collect(cache, output_, {}, options);
        if (report) {
            say_result(output_, *report);
            say_what_is_left(cache, *report);
            record_.collected = std::move(*report);
        } else if (report.error().code == larder::Errc::busy) {
            record_.collector_busy = true;
            output_.say(
                "another collection is running: it deletes the files, or the next `cachetool gc` "
                "does");
            say_undone_by(record_.refreshed, "undoes the purge");
        } else {
            note_failure(report.error());
        }
    }

    /// Says how much of the purge can be undone after the collection, or that nothing can. Only
    /// what lies in the trash can, and only what belongs to the refreshed buckets counts.
    void say_what_is_left(const larder::Cache& cache, const larder::CollectReport& report) const {
        std::map<std::string, std::set<std::string>> left;
        if (report.in_grace != 0 || !report.leased.empty()) {
            const std::set<std::string> refreshed(record_.refreshed.begin(),
                                                  record_.refreshed.end());
            // The keys of whole buckets were not counted.
            std::set<std::pair<std::string, std::string>> taken;
            for (const auto& [bucket, key] : record_.keys.value_or(std::vector<TakenKey>()))
                taken.emplace(bucket, key);
            const auto visited = cache.visit_trash([&](const larder::EntryInfo& entry) {
                if (record_.keys ? taken.contains({entry.bucket, entry.key})
                                 : refreshed.contains(entry.bucket))
                    left[entry.bucket].insert(entry.key);
                return true;
            });
            if (!visited) output_.warn(visited.error().message());
        }
        if (left.empty()) {
            output_.say(
                "this purge can't be undone; with --keep-garbage or --grace 1h the next "
                "one can");
            return;
        }
        std::vector<std::string> buckets;
        std::size_t keys = 0;
        for (const auto& [bucket, its_keys] : left) {
            buckets.push_back(bucket);
            keys += its_keys.size();
        }
        // If the collection has deleted nothing, all that was purged is still there.
        say_undone_by(buckets, report.entries == 0
                                   ? "undoes the purge"
                                   : fmt::format("brings back {}, and no more than that",
                                                 counted(keys, "key", "keys")));
    }

    /// Says by which command the purge of these buckets is undone, and what that command does.
    void say_undone_by(const std::vector<std::string>& buckets, std::string_view does) const {
        constexpr std::size_t most_named = 3;  // arbitrary: the command must fit in a line or two
        if (buckets.size() > most_named) {
            output_.say(fmt::format(
                "until the next gc or refresh, trash restore with each of the {} buckets {}; "
                "`cachetool trash` lists what it can restore",
                buckets.size(), does));
            return;
        }
        std::string names;
        for (const auto& bucket : buckets) names += " --bucket " + shell_word(bucket);
        const auto* const pattern = arguments_.value_of("key");
        output_.say(fmt::format("until the next gc or refresh, `cachetool trash restore{}{}` {}",
                                names, pattern == nullptr ? "" : " --key " + shell_word(*pattern),
                                does));
    }

    /// The first failure is the command's own; later ones are warnings.
    void note_failure(Failure failure) {
        if (first_failure_) {
            output_.warn(failure->message);
        } else {
            first_failure_ = std::move(failure);
        }
    }

    CommandResult finish() {
        if (record_.keys) {
            std::sort(record_.keys->begin(), record_.keys->end(),
                      [](const TakenKey& one, const TakenKey& other) {
                          return std::tie(one.bucket, one.key) < std::tie(other.bucket, other.key);
                      });
        }
        if (first_failure_) {
            (*first_failure_)->write_done = [record = record_](JsonWriter& json) {
                write_fields(json, record);
            };
            return fail(std::move(*first_failure_));
        }
        if (output_.json())
            return output_.document(
                [&](JsonWriter& json) { json.object([&] { write_fields(json, record_); }); });
        if (!conditions_.dry_run) return done;
        std::string lines;
        const auto width = output_width().value_or(std::numeric_limits<std::size_t>::max());
        for (const auto& [bucket, key] : *record_.keys)
            lines += shortened(named(bucket) + " " + named(key), width) + "\n";
        return output_.text(lines);
    }

    const ParsedArguments& arguments_;
    const CommandOutput& output_;
    larder::RefreshOptions conditions_;
    std::chrono::seconds grace_;
    bool has_conditions_;
    std::vector<std::string> existing_;  // only if the command line names buckets
    std::set<std::string> absent_;       // the named ones that do not exist
    bool took_something_ = false;
    RefreshRecord record_;
    std::optional<Failure> first_failure_;
};

}  // namespace

CommandResult run_refresh(const ParsedArguments& arguments, const CommandOutput& output) {
    // The values come first: in `refresh --older-than wheels-v1` the bucket was taken for one.
    LARDER_TRY_ASSIGN(auto conditions, conditions_of(arguments));
    LARDER_TRY_ASSIGN(const auto grace, grace_of(arguments));
    if (arguments.words.empty() != arguments.has("all"))
        return fail_usage("refresh wants either BUCKET... or --all; see cachetool refresh --help");
    LARDER_TRY_ASSIGN(const auto cache, open_for_buckets(arguments, output, CacheAccess::write,
                                                         !arguments.has("all")));
    return Refresher(arguments, output, std::move(conditions), grace).run(cache);
}

}  // namespace cachetool
