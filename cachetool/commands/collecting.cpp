// SPDX-License-Identifier: MIT
#include "cachetool/commands/collecting.hpp"

#include <fmt/format.h>

#include "cachetool/commands/listing.hpp"
#include "cachetool/system/interrupt.hpp"
#include "cachetool/term/progress.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

std::string in_use(const std::vector<larder::LeaseInfo>& leases, std::string_view what) {
    std::string lines;
    for (const auto& lease : leases) {
        lines += fmt::format("{}: {} {} by process {} ({})\n", what, shown(lease.bucket),
                             shown(lease.key), lease.process.pid, shown_command(lease.process));
    }
    return lines;
}

/// Collects by `run`, with progress on the terminal and stoppable.
template <class Run>
larder::Result<larder::CollectReport> run_stoppable(const Output& output,
                                                    larder::CollectOptions options, Run run) {
    StopOnSignal stop;
    options.stop = stop.token();
    options.count_freed = !options.dry_run;
    Progress progress(output);
    options.on_progress = [&](const larder::CollectProgress& at) {
        stop.look();
        progress.show(at);
    };
    auto report = run(options);
    progress.clear();
    if (report && report->stopped) {
        if (options.dry_run) {
            output.say("stopped: what is said is not all, and nothing was changed");
        } else {
            if (report->evicted != 0)
                output.say(fmt::format("stopped: {} evicted",
                                       counted(report->evicted, "entry", "entries")));
            output.say(
                fmt::format("stopped: {} ({}) moved aside to be deleted{}",
                            counted(report->entries, "entry", "entries"), shown_size(report->bytes),
                            report->files_left == 0
                                ? ""
                                : fmt::format(", of which about {} are left",
                                              counted(report->files_left, "file", "files"))));
            output.say("what is left does no harm, and the next `cachetool gc` carries on");
        }
        stop.die_of_it();
    }
    return report;
}

}  // namespace

larder::Result<larder::CollectReport> collect(const larder::Cache& cache, const Output& output,
                                              const larder::Limits& limits,
                                              const larder::CollectOptions& options) {
    return run_stoppable(output, options, [&](const larder::CollectOptions& stoppable) {
        return cache.collect(limits, stoppable);
    });
}

larder::Result<larder::CollectReport> evict(const larder::Cache& cache, const Output& output,
                                            const larder::EvictionPlan& plan,
                                            const larder::CollectOptions& options) {
    return run_stoppable(output, options, [&](const larder::CollectOptions& stoppable) {
        return cache.evict(plan, stoppable);
    });
}

std::string summary(const larder::CollectReport& report, bool dry_run) {
    std::string text =
        fmt::format("{} {} ({})", dry_run ? "would delete" : "deleted",
                    counted(report.entries, "entry", "entries"), shown_size(report.bytes));
    if (report.evicted != 0) text += fmt::format(", {} of them evicted", report.evicted);
    if (report.freed)
        text += fmt::format("; the disk got back {}{}", report.freed_at_least ? "at least " : "",
                            shown_size(*report.freed));
    if (!report.leased.empty())
        text += fmt::format("; {} in use, kept for now", report.leased.size());
    if (report.live_entries) {
        text += fmt::format("; {} {}", counted(*report.live_entries, "entry", "entries"),
                            dry_run                     ? "would stay"
                            : *report.live_entries == 1 ? "stays"
                                                        : "stay");
        if (report.live_bytes && *report.live_bytes != 0)
            text += fmt::format(" ({})", shown_size(*report.live_bytes));
    }
    return text;
}

std::string kept_lines(const larder::CollectReport& report) {
    std::string lines = in_use(report.leased, "in use") + in_use(report.spared, "spared, in use");
    if (report.used_since != 0)
        lines += fmt::format("spared: {}, used, changed or pinned since they were chosen\n",
                             counted(report.used_since, "entry", "entries"));
    if (report.held_up != 0)
        lines += fmt::format(
            "spared: {}, whose bucket is locked by a process that does not go on; see `cachetool "
            "status`\n",
            counted(report.held_up, "entry", "entries"));
    if (!report.within_limits)
        lines +=
            "still over a limit: what is in use, pinned or kept is more than that; see `cachetool "
            "status` and `cachetool ls --pinned`\n";
    for (const auto& path : report.unknown)
        lines += fmt::format("left alone: {}\n", harmless(path.string()));
    return lines;
}

void say_lines(const Output& output, std::string_view lines) {
    for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos;
         lines.remove_prefix(end + 1)) {
        output.say(lines.substr(0, end));
    }
}

}  // namespace cachetool
