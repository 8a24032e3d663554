// SPDX-License-Identifier: MIT
#include "cachetool/commands/collecting.hpp"

#include <fmt/core.h>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/interrupt.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

std::string entries(std::uint64_t count) { return counted(count, "entry", "entries"); }

std::string lease_lines(const std::vector<larder::LeaseInfo>& leases, std::string_view what) {
    std::string lines;
    for (const auto& lease : leases) {
        lines += fmt::format("{}: {} {} by process {} ({})\n", what, named(lease.bucket),
                             named(lease.key), lease.process.pid, shown_command(lease.process));
    }
    return lines;
}

std::string root_lines(const std::vector<larder::RootInfo>& roots) {
    std::string lines;
    for (const auto& root : roots) {
        lines +=
            fmt::format("kept: {} {} by the {} {}{}\n", named(root.bucket), named(root.key),
                        root.state == larder::RootInfo::State::unreadable ? "root" : "path",
                        harmless(system::text_of(root.path)),
                        root.state == larder::RootInfo::State::unreadable
                            ? ", which can't be read; `cachetool verify --repair` takes it away"
                            : "");
    }
    return lines;
}

/// Returns why a limit is still exceeded, and what to do.
std::string over_limit_line(const larder::CollectReport& report) {
    // No live entry is left, so the limit is one of the disk.
    if (report.live_entries.value_or(1) == 0 && report.leased.empty()) {
        if (report.in_grace != 0)
            return "still below --min-free: all entries that are left were taken out too recently; "
                   "a gc with a shorter --grace deletes them\n";
        return report.entries == 0
                   ? "still below --min-free, and the cache has no entry to delete: free space by "
                     "other means\n"
                   : "still below --min-free without any entry: free space by other means\n";
    }
    return "still over a limit: the entries in use, pinned or kept exceed it; see `cachetool "
           "status` and `cachetool ls --pinned`\n";
}

void say_stopped(const CommandOutput& output, const larder::CollectReport& report, bool dry_run) {
    if (dry_run) {
        output.say("stopped early: this list is incomplete, and nothing was changed");
        return;
    }
    if (report.evicted != 0)
        output.say(fmt::format("stopped early: {} evicted", entries(report.evicted)));
    auto line = fmt::format("stopped early: {} ({}) moved aside to be deleted",
                            entries(report.entries), shown_size(report.bytes));
    if (report.files_left != 0)
        line += fmt::format("; about {} left to delete",
                            counted(report.files_left, "file is", "files are"));
    output.say(line);
    output.say("what is left does no harm; the next `cachetool gc` deletes it");
}

/// Says what a collection has done although something in it has failed. The first failure is the
/// command's own.
void say_partial(const CommandOutput& output, const larder::CollectReport& report, bool dry_run) {
    output.say(summary(report, dry_run));
    output.say_lines(kept_lines(report));
    for (std::size_t i = 1; i < report.failures.size(); ++i)
        output.warn(report.failures[i].message());
}

/// Collects by `run`, with progress on the terminal, until it is done or a signal stops it.
template <class Run>
larder::Result<larder::CollectReport> run_stoppable(const CommandOutput& output,
                                                    larder::CollectOptions options, Run run) {
    system::StopOnSignal stop;
    ProgressLine progress(output);
    options.stop = stop.token();
    options.count_freed = !options.dry_run;
    options.on_progress = [&](const larder::CollectProgress& at) {
        stop.poll();
        progress.show(at);
    };
    options.on_partial = [&, then = std::move(options.on_partial)](const auto& done) {
        progress.clear();
        say_partial(output, done, options.dry_run);
        if (then) then(done);
    };
    auto report = run(options);
    progress.clear();
    if (report && report->stopped) {
        say_stopped(output, *report, options.dry_run);
        stop.end_by_signal();
    }
    return report;
}

}  // namespace

larder::Result<larder::CollectReport> collect(const larder::Cache& cache,
                                              const CommandOutput& output,
                                              const larder::Limits& limits,
                                              const larder::CollectOptions& options) {
    return run_stoppable(output, options, [&](const larder::CollectOptions& stoppable) {
        return cache.collect(limits, stoppable);
    });
}

larder::Result<larder::CollectReport> evict(const larder::Cache& cache, const CommandOutput& output,
                                            const larder::EvictionPlan& plan,
                                            const larder::CollectOptions& options) {
    return run_stoppable(output, options, [&](const larder::CollectOptions& stoppable) {
        return cache.evict(plan, stoppable);
    });
}

Expected<std::chrono::seconds> grace_of(const ParsedArguments& arguments) {
    const auto* const text = arguments.value_of("grace");
    return text == nullptr ? std::chrono::seconds(0) : parse_duration("grace", *text);
}

Failure failure_to_collect(const larder::Error& error,
                           std::optional<larder::CollectReport> partial) {
    Failure failure(error);
    failure->write_done = [partial = std::move(partial)](JsonWriter& json) {
        json.field("collected", partial);
    };
    return failure;
}

std::string summary(const larder::CollectReport& report, bool dry_run) {
    auto text = fmt::format("{} {} ({})", dry_run ? "would delete" : "deleted",
                            entries(report.entries), shown_size(report.bytes));
    if (report.evicted != 0) text += fmt::format(", {} of them evicted", report.evicted);
    // What others had moved aside is deleted too, and belongs to no entry that is counted here.
    if (report.entries == 0 && report.freed.value_or(0) != 0)
        text += ", and what an earlier collection or dead processes left";
    if (report.freed)
        text += fmt::format("; the disk got back {}{}", report.freed_at_least ? "at least " : "",
                            shown_size(*report.freed));
    if (!report.leased.empty())
        text += fmt::format("; {} in use, kept for now", report.leased.size());
    if (!report.rooted.empty())
        text += fmt::format("; {} kept by a path that is linked to it", report.rooted.size());
    if (report.in_grace != 0)
        text += fmt::format("; {} taken out too recently, kept for now", report.in_grace);
    if (report.live_entries) {
        const char* const verb = dry_run                     ? "would stay"
                                 : *report.live_entries == 1 ? "stays"
                                                             : "stay";
        text += fmt::format("; {} {}", entries(*report.live_entries), verb);
        if (report.live_bytes && *report.live_bytes != 0)
            text += fmt::format(" ({})", shown_size(*report.live_bytes));
    }
    return text;
}

std::string kept_lines(const larder::CollectReport& report) {
    std::string lines = lease_lines(report.leased, "in use") +
                        lease_lines(report.spared, "spared, in use") + root_lines(report.rooted);
    if (report.used_since != 0)
        lines += fmt::format("spared: {}, used, changed or pinned after the choice\n",
                             entries(report.used_since));
    if (report.held_up != 0)
        lines += fmt::format(
            "spared: {}, because a process holds the lock of {} bucket and makes no progress; see "
            "`cachetool status`\n",
            entries(report.held_up), report.held_up == 1 ? "its" : "their");
    if (!report.within_limits) lines += over_limit_line(report);
    if (report.untold != 0) {
        const bool one = report.untold == 1;
        lines += fmt::format(
            "can't be told whether {} still {} (see `cachetool status`), so what {} stays; "
            "`cachetool gc` outside of every container may find out; if {} ended, "
            "`cachetool gc --presume-dead` cleans up after {}\n",
            counted(report.untold, "process", "processes"), one ? "runs" : "run",
            one ? "it uses" : "they use", one ? "it has" : "they have", one ? "it" : "them");
    }
    for (const auto& path : report.unknown)
        lines += fmt::format("left alone: {}\n", harmless(system::text_of(path)));
    return lines;
}

void say_result(const CommandOutput& output, const larder::CollectReport& report) {
    output.say(summary(report, false));
    output.say_lines(kept_lines(report));
}

}  // namespace cachetool
