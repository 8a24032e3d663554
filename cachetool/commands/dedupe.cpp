// SPDX-License-Identifier: MIT
#include "cachetool/commands/dedupe.hpp"

#include <fmt/core.h>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/interrupt.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

std::string summary_of(const larder::DedupeReport& report) {
    auto text =
        fmt::format("{} ({}) now {} blocks with equal ones", counted(report.files, "file", "files"),
                    shown_size(report.bytes), report.files == 1 ? "shares its" : "share their");
    if (report.files != 0) text += fmt::format("; the disk got back {}", shown_size(report.freed));
    if (report.shared_before != 0) text += fmt::format("; {} did before", report.shared_before);
    if (report.ended_early) text += "; the time was over, and the next call goes on";
    return text;
}

}  // namespace

Expected<std::optional<larder::DedupeOptions>> dedupe_options_of(const ParsedArguments& arguments) {
    const auto* const budget = arguments.value_of("budget");
    if (!arguments.has("dedupe")) {
        if (budget != nullptr) return fail_usage("only --dedupe takes --budget: add --dedupe");
        return std::nullopt;
    }
    if (arguments.has("dry-run") || arguments.value_of("plan") != nullptr)
        return fail_usage("--dedupe changes what is on the disk: leave out --dry-run and --plan");
    larder::DedupeOptions options;
    if (budget != nullptr) {
        LARDER_TRY_ASSIGN(options.budget, parse_duration("budget", *budget));
    }
    return options;
}

Expected<larder::DedupeReport> dedupe(const larder::Cache& cache, const CommandOutput& output,
                                      larder::DedupeOptions options) {
    system::StopOnSignal stop;
    const system::PollForStop poll(stop);
    options.stop = stop.token();
    LARDER_TRY_ASSIGN(auto report, cache.dedupe(options));
    output.say(summary_of(report));
    stop.end_by_signal();
    if (report.failures.empty()) return report;
    for (std::size_t i = 1; i < report.failures.size(); ++i)
        output.warn(report.failures[i].message());
    return fail(report.failures.front());
}

}  // namespace cachetool
