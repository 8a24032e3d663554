// SPDX-License-Identifier: MIT
// The command gc.
#include <fmt/core.h>

#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/plan.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// What a gc is to do, from its options: keep limits, or carry out a plan.
struct CollectJob {
    larder::Limits limits;
    std::optional<larder::EvictionPlan> apply;
    larder::CollectOptions options;
    std::optional<PlanWriter> plan;
};

/// What a dry run would evict.
struct DryEvictions {
    std::vector<larder::Eviction> evictions;

    [[nodiscard]] std::string lines() const {
        std::string lines;
        for (const auto& eviction : evictions)
            lines += fmt::format("would evict ({}): {} {} ({}, last used {} ago)\n",
                                 larder::name_of(eviction.reason), shown(eviction.bucket),
                                 shown(eviction.key), shown_size(eviction.bytes),
                                 shown_age(eviction.last_used));
        return lines;
    }
};

Expected<CollectJob> job_of(const ParsedArguments& arguments, const std::filesystem::path& root) {
    CollectJob job;
    LARDER_TRY_ASSIGN(job.limits, limits_of(arguments, root));
    const auto* const apply = arguments.value_of("apply");
    const auto* const plan = arguments.value_of("plan");
    job.options.dry_run = arguments.has("dry-run") || plan != nullptr;
    if (apply != nullptr) {
        if (job.limits.any() || plan != nullptr)
            return fail_usage(
                "--apply takes neither limits nor --plan: give them when you make the plan");
        LARDER_TRY_ASSIGN(auto evictions, read_plan(*apply, root));
        job.apply = larder::EvictionPlan{std::move(evictions), job.limits.keep};
    }
    if (plan != nullptr) {
        if (!job.limits.any())
            return fail_usage("--plan wants at least one limit, such as --max-size 10GiB");
        LARDER_TRY_ASSIGN(job.plan, PlanWriter::create(*plan, root));
    }
    return job;
}

/// Collects, or returns an empty report if there is no cache.
larder::Result<larder::CollectReport> collect_if_there(const std::optional<larder::Cache>& cache,
                                                       const CommandOutput& output,
                                                       const CollectJob& job) {
    if (!cache) return larder::CollectReport{};
    if (job.apply) return evict(*cache, output, *job.apply, job.options);
    return collect(*cache, output, job.limits, job.options);
}

CommandResult print_dry_run(const CommandOutput& output, const larder::CollectReport& report,
                            const DryEvictions& dry) {
    // A dry run was asked for its report, so that is data. What a real one did is a message.
    return output.text(dry.lines() + summary(report, true) + "\n" + kept_lines(report));
}

}  // namespace

CommandResult run_gc(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    LARDER_TRY_ASSIGN(auto job, job_of(arguments, cache ? cache->root() : root));

    DryEvictions dry;
    job.options.on_evict = [&](const larder::Eviction& eviction) {
        if (job.plan) {
            job.plan->add(eviction);
        } else if (job.options.dry_run) {
            dry.evictions.push_back(eviction);
        }
    };
    LARDER_TRY_ASSIGN(const auto report, collect_if_there(cache, output, job));
    if (job.plan) {
        LARDER_TRY(job.plan->finish());
        output.say(fmt::format("wrote a plan of {}; `cachetool gc --apply {}` carries it out",
                               counted(report.evicted, "eviction", "evictions"),
                               arguments.value_or("plan", "")));
    }
    if (output.json())
        return output.document([&](JsonWriter& json) {
            json.object([&] {
                json.field("dry_run", job.options.dry_run);
                write_fields(json, report);
                json.list("evictions", dry.evictions);
            });
        });
    if (job.options.dry_run) return print_dry_run(output, report, dry);
    say_result(output, report);
    return done;
}

}  // namespace cachetool
