// SPDX-License-Identifier: MIT
// The command refresh: purges buckets, and collects.
#include <algorithm>
#include <fmt/core.h>
#include <set>

#include <larder/cache.hpp>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/text.hpp"

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
    options.dry_run = arguments.has("dry-run");
    options.pattern = arguments.value_or("key", "");
    if (const auto* text = arguments.value_of("older-than")) {
        LARDER_TRY_ASSIGN(const auto age, parse_duration("older-than", *text));
        options.published_before = std::chrono::system_clock::now() - age;
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
          has_conditions_(conditions_.dry_run || conditions_.published_before ||
                          !conditions_.pattern.empty()) {
        record_.dry_run = conditions_.dry_run;
        if (has_conditions_) record_.keys.emplace();
    }

    CommandResult run(const std::optional<larder::Cache>& cache) {
        if (cache) {
            LARDER_TRY_ASSIGN(const auto names, chosen_buckets(*cache));
            for (const auto& name : names) refresh(*cache, name);
            // If nothing was taken out there is nothing new to collect. A user who mistyped a name
            // keeps the trash, and may want it.
            if (took_something_ && !conditions_.dry_run) {
                arguments_.has("keep-garbage") ? say_whether_undone(true) : collect_garbage(*cache);
            }
        }
        return finish();
    }

private:
    /// Returns the buckets to refresh: those of the command line, or all. A bucket that does not
    /// exist is refreshed too, because it may be created at any moment.
    Expected<std::vector<std::string>> chosen_buckets(const larder::Cache& cache) {
        LARDER_TRY_ASSIGN(auto existing, cache.buckets());
        sort_names(existing);
        if (arguments_.has("all")) return existing;
        for (const auto& name : arguments_.words) {
            // All names are checked before the first is refreshed: if one of them can't be a name,
            // nothing happens.
            LARDER_TRY(cache.bucket(name));
            if (std::binary_search(existing.begin(), existing.end(), name)) continue;
            note_failure(no_bucket_failure(name, existing));
            absent_.insert(name);
        }
        return arguments_.words;
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
        LARDER_TRY(bucket.refresh());
        if (absent_.contains(name)) return {};
        took_something_ = true;
        output_.say(fmt::format("purged {}: its entries can no longer be obtained", shown(name)));
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
        if (conditions_.dry_run) return fmt::format("{}: would take out {}", shown(name), keys);
        if (taken == 0) return fmt::format("{}: no key matches", shown(name));
        return fmt::format("purged {} of {}: {} can no longer be obtained", keys, shown(name),
                           taken == 1 ? "its entry" : "their entries");
    }

    void collect_garbage(const larder::Cache& cache) {
        larder::CollectOptions options{.grace = grace_};
        options.on_partial = [&](const larder::CollectReport& done) { record_.collected = done; };
        auto report = collect(cache, output_, {}, options);
        if (report) {
            say_result(output_, *report);
            say_whether_undone(report->in_grace != 0 || !report->leased.empty());
            record_.collected = std::move(*report);
        } else if (report.error().code == larder::Errc::busy) {
            record_.collector_busy = true;
            output_.say(
                "another collection is running: it deletes the files, or the next `cachetool gc` "
                "does");
            say_whether_undone(true);
        } else {
            note_failure(report.error());
        }
    }

    /// Says in one line how the purge can be undone, or that it cannot. `remains` is true if
    /// anything of it may still be there.
    void say_whether_undone(bool remains) const {
        if (!remains) {
            output_.say(
                "this purge can't be undone; with --keep-garbage or --grace 1h the next "
                "one can");
            return;
        }
        const auto* const pattern = arguments_.value_of("key");
        const bool one = record_.refreshed.size() == 1;
        output_.say(
            fmt::format("until a gc deletes the files, `cachetool trash restore --bucket "
                        "{}{}` undoes the purge",
                        one ? shell_word(record_.refreshed.front()) : "BUCKET",
                        pattern == nullptr ? "" : " --key " + shell_word(*pattern)));
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
        for (const auto& [bucket, key] : *record_.keys)
            lines += fmt::format("{} {}\n", shown(bucket), shown(key));
        return output_.text(lines);
    }

    const ParsedArguments& arguments_;
    const CommandOutput& output_;
    larder::RefreshOptions conditions_;
    std::chrono::seconds grace_;
    bool has_conditions_;
    std::set<std::string> absent_;
    bool took_something_ = false;
    RefreshRecord record_;
    std::optional<Failure> first_failure_;
};

}  // namespace

CommandResult run_refresh(const ParsedArguments& arguments, const CommandOutput& output) {
    if (arguments.words.empty() != arguments.has("all"))
        return fail_usage("refresh wants either BUCKET... or --all; see cachetool refresh --help");
    LARDER_TRY_ASSIGN(auto conditions, conditions_of(arguments));
    LARDER_TRY_ASSIGN(const auto grace, grace_of(arguments));
    LARDER_TRY_ASSIGN(const auto cache, open_for_buckets(arguments, output, CacheAccess::write,
                                                         !arguments.has("all")));
    return Refresher(arguments, output, std::move(conditions), grace).run(cache);
}

}  // namespace cachetool
