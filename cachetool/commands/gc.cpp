// SPDX-License-Identifier: MIT
// gc, and what it leaves alone: pin and unpin.
#include <fmt/format.h>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/plan.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

std::string shown_eviction(const larder::Eviction& eviction) {
    return fmt::format("would evict ({}): {} {} ({}, last used {} ago)\n",
                       larder::name_of(eviction.reason), shown(eviction.bucket),
                       shown(eviction.key), shown_size(eviction.bytes),
                       shown_age(eviction.last_used));
}

/// What a gc does, from its options: it keeps limits, or carries out a plan.
struct Job {
    larder::Limits limits;
    std::optional<larder::EvictionPlan> apply;
    larder::CollectOptions options;
    std::optional<PlanWriter> plan;
};

tl::expected<Job, Failure> job_of(const Arguments& arguments, const std::filesystem::path& root) {
    auto limits = limits_of(arguments, root);
    if (!limits) return tl::unexpected(limits.error());
    Job job{std::move(*limits), {}, {}, {}};
    job.options.dry_run = arguments.has("dry-run") || arguments.has("plan");
    if (arguments.has("apply")) {
        if (job.limits.any() || arguments.has("plan"))
            return fail_usage(
                "--apply takes a plan, and neither limits nor --plan: they were for making it");
        auto plan = read_plan(arguments.options.at("apply"), root);
        if (!plan) return tl::unexpected(plan.error());
        job.apply = larder::EvictionPlan{std::move(*plan), job.limits.keep};
    }
    if (arguments.has("plan")) {
        if (!job.limits.any())
            return fail_usage("--plan wants at least one limit, such as --max-size 10GiB");
        auto writer = PlanWriter::create(arguments.options.at("plan"), root);
        if (!writer) return tl::unexpected(writer.error());
        job.plan = std::move(*writer);
    }
    return job;
}

using OnePin = larder::Result<> (larder::Bucket::*)(std::string_view) const;

Outcome pin_or_unpin(const Arguments& arguments, const Output& output, OnePin change,
                     const char* field) {
    const auto cache = arguments.command->name == "pin"
                           ? open_or_create(arguments, output)
                           : open_for_entry(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto& name = arguments.words.front();
    const auto bucket = cache->bucket(name);
    if (!bucket) return fail(bucket.error());
    Json document = {{"bucket", name}, {field, Json::array()}};
    for (std::size_t i = 1; i < arguments.words.size(); ++i) {
        const auto& key = arguments.words[i];
        if (const auto changed = ((*bucket).*change)(key); !changed) {
            auto failure = failure_for_key(changed.error(), name, key);
            if (changed.error().code == larder::Errc::miss)
                failure.message = fmt::format("{} {}: not pinned", shown(name), shown(key));
            failure.also = std::move(document);
            return tl::unexpected(std::move(failure));
        }
        document[field].push_back(key);
        const auto entry = bucket->info(key);
        if (change == &larder::Bucket::pin && !entry && entry.error().code == larder::Errc::miss)
            output.say(
                fmt::format("{} {} is pinned, and has no entry yet", shown(name), shown(key)));
    }
    return output.json() ? output.document(document) : done;
}

}  // namespace

Outcome run_gc(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto root = cache_root(arguments);
    if (!root) return tl::unexpected(root.error());
    auto job = job_of(arguments, *cache ? (*cache)->root() : *root);
    if (!job) return tl::unexpected(job.error());
    auto& options = job->options;

    Json evictions = Json::array();
    std::string lines;
    options.on_evict = [&](const larder::Eviction& eviction) {
        if (job->plan) {
            job->plan->add(eviction);
        } else if (options.dry_run && output.json()) {
            evictions.push_back(json_of(eviction));
        } else if (options.dry_run) {
            lines += shown_eviction(eviction);
        }
    };
    const auto report = !*cache      ? larder::CollectReport{}
                        : job->apply ? evict(**cache, output, *job->apply, options)
                                     : collect(**cache, output, job->limits, options);
    if (!report) return fail(report.error());
    if (job->plan) {
        if (auto written = job->plan->finish(); !written) return tl::unexpected(written.error());
        output.say(fmt::format("wrote a plan of {}; `cachetool gc --apply {}` carries it out",
                               counted(report->evicted, "eviction", "evictions"),
                               arguments.options.at("plan")));
    }
    if (output.json()) {
        Json document = {{"dry_run", options.dry_run}};
        document.update(json_of(*report));
        document["evictions"] = std::move(evictions);
        return output.document(document);
    }
    // A dry run was asked for its report: that is data. What a real one did is talk.
    if (options.dry_run)
        return output.text(lines + summary(*report, true) + "\n" + kept_lines(*report));
    output.say(summary(*report, false));
    say_lines(output, kept_lines(*report));
    return done;
}

Outcome run_pin(const Arguments& arguments, const Output& output) {
    return pin_or_unpin(arguments, output, &larder::Bucket::pin, "pinned");
}

Outcome run_unpin(const Arguments& arguments, const Output& output) {
    return pin_or_unpin(arguments, output, &larder::Bucket::unpin, "unpinned");
}

}  // namespace cachetool
