// SPDX-License-Identifier: MIT
// refresh: purge, at once.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include <larder/cache.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// The names that are to be refreshed: those given, or all that there are. Buckets that are not there are `absent`: those are refreshed all the same, as they
/// may come at any moment.
tl::expected<std::vector<std::string>, Failure> chosen_buckets(const larder::Cache& cache,
                                                               const Arguments& arguments,
                                                               const Output& output,
                                                               std::set<std::string>& absent) {
    auto existing = cache.buckets().map_error(failure_of);
    if (!existing) return existing;
    std::sort(existing->begin(), existing->end());
    if (arguments.has("all")) return existing;
    for (const auto& name : arguments.words) {
        // Every name is checked before any is refreshed: nothing happens when one of them is nonsense.
        if (const auto bucket = cache.bucket(name); !bucket) return fail(bucket.error());
        if (!std::binary_search(existing->begin(), existing->end(), name)) {
            output.say(fmt::format("bucket {}: nothing was there", shown(name)));
            absent.insert(name);
        }
    }
    return arguments.words;
}

/// Which keys, where not all.
tl::expected<larder::RefreshOptions, Failure> conditions_of(const Arguments& arguments) {
    larder::RefreshOptions options;
    options.dry_run = arguments.has("dry-run");
    if (arguments.has("key")) options.pattern = arguments.options.at("key");
    if (arguments.has("key") && options.pattern.empty())
        return fail_usage("--key wants a pattern, such as 'numpy-*'");
    if (!arguments.has("older-than")) return options;
    const auto age = parse_duration("older-than", arguments.options.at("older-than"));
    if (!age) return tl::unexpected(age.error());
    options.published_before = std::chrono::system_clock::now() - *age;
    return options;
}

class Refresh {
public:
    Refresh(const Arguments& arguments, const Output& output,
            const larder::RefreshOptions& conditions, const std::set<std::string>& absent)
        : output_(output),
          conditions_(conditions),
          absent_(absent),
          some_(conditions.dry_run || conditions.published_before || !conditions.pattern.empty()),
          listed_(arguments.has("key") || arguments.has("older-than") || arguments.has("dry-run")) {
    }

    /// Takes effect before it returns.
    larder::Result<> purge(const larder::Cache& cache, const std::string& name) {
        const auto bucket = cache.bucket(name);
        if (!bucket) return tl::unexpected(bucket.error());
        if (!some_) {
            if (auto refreshed = bucket->refresh(); !refreshed) return refreshed;
            if (absent_.contains(name)) return {};
            output_.say(
                fmt::format("refreshed {}: nobody gets what was there any more", shown(name)));
            took_something_ = true;
            return {};
        }
        auto options = conditions_;
        options.on_taken = [&](const std::string& key) {
            took_something_ = true;  // also where it fails later
            keys_.push_back({{"bucket", name}, {"key", key}});
        };
        const auto taken = bucket->refresh(options);
        if (!taken) return tl::unexpected(taken.error());
        output_.say(conditions_.dry_run ? fmt::format("{}: would take out {}", shown(name),
                                                      counted(*taken, "key", "keys"))
                                        : fmt::format("refreshed {}: nobody gets {} any more",
                                                      shown(name), counted(*taken, "key", "keys")));
        return {};
    }

    /// What a dry run prints.
    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& taken : keys_)
            text += fmt::format("{} {}\n", shown(taken["bucket"].get<std::string>()),
                                shown(taken["key"].get<std::string>()));
        return text;
    }
    /// Else there is nothing new to collect, and whoever mistyped a name keeps the trash that they may still want.
    [[nodiscard]] bool took_something() const noexcept { return took_something_; }
    /// Which keys were taken; null where all were, and nobody counted.
    [[nodiscard]] Json keys() const { return listed_ ? keys_ : Json(nullptr); }

private:
    const Output& output_;
    const larder::RefreshOptions& conditions_;
    const std::set<std::string>& absent_;
    bool some_, listed_;
    bool took_something_ = false;
    Json keys_ = Json::array();
};

}  // namespace

Outcome run_refresh(const Arguments& arguments, const Output& output) {
    if (arguments.words.empty() != arguments.has("all"))
        return fail_usage("refresh wants either BUCKET... or --all");
    const auto conditions = conditions_of(arguments);
    if (!conditions) return tl::unexpected(conditions.error());
    std::set<std::string> absent;
    Refresh refresh(arguments, output, *conditions, absent);
    Json document = {{"dry_run", conditions->dry_run},
                     {"refreshed", Json::array()},
                     {"keys", refresh.keys()},
                     {"collected", nullptr},
                     {"collector_busy", false}};
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    if (!*cache) return output.json() ? output.document(document) : done;
    const auto names = chosen_buckets(**cache, arguments, output, absent);
    if (!names) return tl::unexpected(names.error());

    std::optional<Failure> first_failure;
    for (const auto& name : *names) {
        const auto refreshed = refresh.purge(**cache, name);
        if (refreshed) {
            document["refreshed"].push_back(name);
        } else if (first_failure) {
            output.warn(refreshed.error().message());
        } else {
            first_failure = failure_of(refreshed.error());
        }
    }
    document["keys"] = refresh.keys();

    if (!arguments.has("keep-garbage") && !conditions->dry_run && refresh.took_something()) {
        const auto report = collect(**cache, output, {}, {});
        if (report) {
            document["collected"] = json_of(*report);
            output.say(summary(*report, false));
            say_lines(output, kept_lines(*report));
        } else if (report.error().code == larder::Errc::busy) {
            document["collector_busy"] = true;
            output.say(
                "another collection is at work: it deletes the files, or the next `cachetool gc` "
                "does");
        } else if (!first_failure) {
            first_failure = failure_of(report.error());
        }
    }
    if (first_failure) {
        first_failure->also = std::move(document);
        return tl::unexpected(std::move(*first_failure));
    }
    if (output.json()) return output.document(document);
    return conditions->dry_run ? output.text(refresh.text()) : done;
}

}  // namespace cachetool
