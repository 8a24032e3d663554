// SPDX-License-Identifier: MIT
// The command gc.
#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <set>

#include "cachetool/cli/prose.hpp"
#include "cachetool/commands/collecting.hpp"
#include "cachetool/commands/dedupe.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/plan.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/sorted_rows.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

/// What a gc is to do, from its options: keep limits, or carry out a plan.
struct CollectJob {
    larder::Limits limits;
    std::optional<larder::EvictionPlan> apply;
    larder::CollectOptions options;
    std::optional<PlanWriter> plan;
    std::optional<larder::DedupeOptions> dedupe;  // what follows the collection
};

/// What a dry run would evict, in order. It needs little memory, however much that is.
class DryEvictions {
public:
    explicit DryEvictions(bool json) : json_(json) {}

    void add(const larder::Eviction& eviction) {
        constexpr std::size_t depth = 2;  // in an array in an object
        auto text = json_
                        ? json_element(depth, [&](JsonWriter& json) { write_json(json, eviction); })
                        : line_of(eviction);
        rows_.add({order_of_number(count_++), std::move(text)});
    }

    /// Calls `print` for the line, or for the element of the JSON array, of each eviction.
    [[nodiscard]] Expected<> print(const std::function<void(std::string_view text)>& print) {
        return rows_.for_each(print);
    }

private:
    static std::string line_of(const larder::Eviction& eviction) {
        const auto head = fmt::format("would evict ({}): ", larder::name_of(eviction.reason));
        const auto facts = fmt::format(" ({}, last used {} ago)", shown_size(eviction.bytes),
                                       shown_age(eviction.last_used));
        auto name = named(eviction.bucket) + " " + named(eviction.key);
        const auto width = output_width();
        if (!width) return head + name + facts + "\n";
        const auto line = head + name + facts;
        if (shortened(line, *width) == line) return line + "\n";
        constexpr std::size_t least = 20;  // arbitrary: some letters of both ends
        name = shortened(name, std::max(least, *width - std::min(*width, head.size())));
        return head + name + "\n   " + facts + "\n";
    }

    bool json_;
    std::uint64_t count_ = 0;
    SortedRows rows_{any_number};
};

Expected<CollectJob> job_of(const ParsedArguments& arguments, const std::filesystem::path& root) {
    CollectJob job;
    LARDER_TRY_ASSIGN(job.limits, limits_of(arguments, root));
    LARDER_TRY_ASSIGN(job.options.grace, grace_of(arguments));
    const auto* const apply = arguments.value_of("apply");
    const auto* const plan = arguments.value_of("plan");
    job.options.presume_dead = arguments.has("presume-dead");
    job.options.dry_run = arguments.has("dry-run") || plan != nullptr;
    job.options.settle = true;
    LARDER_TRY_ASSIGN(job.dedupe, dedupe_options_of(arguments));
    if (apply != nullptr) {
        if (job.limits.any() || plan != nullptr)
            return fail_usage(
                "--apply takes neither limits nor --plan: give them when you make the plan");
        LARDER_TRY_ASSIGN(auto evictions, read_plan(system::path_of(*apply), root));
        job.apply = larder::EvictionPlan{std::move(evictions), job.limits.keep};
    }
    if (plan != nullptr) {
        if (!job.limits.any())
            return fail_usage("--plan wants at least one limit, such as --max-size 10GiB");
        LARDER_TRY_ASSIGN(job.plan, PlanWriter::create(system::path_of(*plan), root));
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

/// Which limits had something evicted.
class ReachedLimits {
public:
    void add(const larder::Eviction& eviction) { reasons_.insert(eviction.reason); }

    /// Returns a line for each such limit that says how far it evicts: more than the limit alone
    /// asks for.
    [[nodiscard]] std::string lines(const larder::Limits& limits) const {
        using Reason = larder::Eviction::Reason;
        std::string lines;
        if (limits.low_water == 100) return lines;
        const auto line = [&](Reason reason, const std::optional<std::uint64_t>& limit,
                              std::string (*shown_target)(std::uint64_t)) {
            if (!limit || !reasons_.contains(reason)) return;
            // As the library rounds it: see policy/plan.cpp.
            const auto target =
                *limit / 100 * limits.low_water + (*limit % 100 * limits.low_water + 99) / 100;
            if (target != *limit)
                lines +=
                    fmt::format("evicting down to {} ({} % of --{}; see --low-water)\n",
                                shown_target(target), limits.low_water, larder::name_of(reason));
        };
        line(Reason::max_entries, limits.max_entries,
             [](std::uint64_t entries) { return counted(entries, "entry", "entries"); });
        line(Reason::max_size, limits.max_size,
             [](std::uint64_t bytes) { return shown_size(bytes); });
        if (reasons_.contains(Reason::min_free))
            lines += fmt::format(
                "evicting until --min-free is {} % of the free space; see "
                "--low-water\n",
                limits.low_water);
        return lines;
    }

private:
    std::set<larder::Eviction::Reason> reasons_;
};

CommandResult print_dry_run(const CommandOutput& output, const larder::CollectReport& report,
                            const std::string& reached, DryEvictions& dry) {
    // A dry run was asked for its report, so that is data. What a real one did is a message. The
    // sum comes first: thousands of lines may follow.
    Expected<> read;
    LARDER_TRY_ASSIGN(const int code, output.pieces([&](const auto& print) {
        // A line with a command is not broken, because a user copies the command.
        print(fitted(summary(report, true) + "\n" + reached));
        print(output.advised(kept_lines(report)));
        read = dry.print(print);
    }));
    LARDER_TRY(read);
    return code;
}

CommandResult print_document(const CommandOutput& output, bool dry_run,
                             const larder::CollectReport& report,
                             const std::optional<larder::DedupeReport>& deduped,
                             DryEvictions& dry) {
    Expected<> read;
    LARDER_TRY_ASSIGN(const int code, output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("dry_run", dry_run);
            write_fields(json, report);
            json.field("dedupe", deduped);
            json.name("evictions");
            json.array([&] {
                read = dry.print([&](std::string_view text) { json.printed_element(text); });
            });
        });
    }));
    LARDER_TRY(read);
    return code;
}

}  // namespace

CommandResult run_gc(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    LARDER_TRY_ASSIGN(auto job, job_of(arguments, cache ? cache->root() : root));
    if (cache && job.limits.max_age && *job.limits.max_age < std::chrono::hours(1))
        output.say(
            "a use is known to the hour only, so a --max-age below 1h may evict what was used "
            "after that");

    DryEvictions dry(output.json());
    ReachedLimits reached;
    job.options.on_evict = [&](const larder::Eviction& eviction) {
        reached.add(eviction);
        if (job.plan) {
            job.plan->add(eviction);
        } else if (job.options.dry_run) {
            dry.add(eviction);
        }
    };
    std::optional<larder::CollectReport> partial;
    job.options.on_partial = [&](const larder::CollectReport& done) { partial = done; };
    const auto collected = collect_if_there(cache, output, job);
    if (!collected) return fail(failure_to_collect(collected.error(), std::move(partial)));
    const auto& report = *collected;
    if (job.plan) {
        LARDER_TRY(job.plan->finish());
        output.say(fmt::format("wrote a plan of {}; `cachetool gc --apply {}` carries it out",
                               counted(report.evicted, "eviction", "evictions"),
                               shell_word(arguments.value_or("plan", ""))));
    }
    if (job.options.dry_run && !output.json())
        return print_dry_run(output, report, reached.lines(job.limits), dry);
    if (!output.json()) {
        output.say_lines(reached.lines(job.limits));
        say_result(output, report);
    }
    std::optional<larder::DedupeReport> deduped;
    if (cache && job.dedupe) {
        LARDER_TRY_ASSIGN(deduped, dedupe(*cache, output, *job.dedupe));
    }
    if (output.json()) return print_document(output, job.options.dry_run, report, deduped, dry);
    return done;
}

}  // namespace cachetool
