// SPDX-License-Identifier: MIT
// The command status: which processes use the cache now.
#include <fmt/core.h>

#include <larder/cache.hpp>

#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/clock.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/watch.hpp"

namespace cachetool {
namespace {

std::string warning_text(std::string_view text) {
    return coloured(text, TextColour::yellow, system::StandardStream::output);
}

std::string shown_process(const larder::ProcessInfo& process) {
    auto text = shown_command(process);
    if (!process.alive) text += warning_text(" (ended; the next gc cleans up after it)");
    if (process.untold) text += warning_text(" (can't be told whether it still runs)");
    if (!process.here) text += " (in another pid namespace)";
    return text;
}

std::string shown_status(const larder::StatusReport& report) {
    TextTable processes({">PID", ">SINCE", "~PROCESS"});
    for (const auto& process : report.processes)
        processes.add(
            {std::to_string(process.pid), shown_age(process.since), shown_process(process)});
    auto text = processes.empty() ? "no process uses the cache\n" : processes.text();

    TextTable leases({">PID", "?LEASED", "~BUCKET", "~KEY"});
    for (const auto& lease : report.leases)
        leases.add(
            {std::to_string(lease.process.pid), lease.id, shown(lease.bucket), shown(lease.key)});
    if (!leases.empty()) text += "\n" + leases.text();

    TextTable locks({">PID", "?>SINCE", "STATE", "~LOCK"});
    for (const auto& lock : report.locks)
        locks.add({std::to_string(lock.process.pid), shown_age(lock.since),
                   lock.waiting ? warning_text("waits for") : "holds", harmless(lock.what)});
    if (!locks.empty()) text += "\n" + locks.text();

    for (const auto& error : report.unreadable)
        text += "\n" + warning_text(harmless(error.message())) + "\n";
    if (report.collecting) text += "\na collection is running\n";
    if (report.deleting != 0)
        text += fmt::format(
            "\n{} moved aside to be deleted, by the running collection or by the next "
            "`cachetool gc`\n",
            counted(report.deleting, "tree is", "trees are"));
    return text;
}

Expected<larder::StatusReport> read_status(const ParsedArguments& arguments,
                                           const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::read));
    if (!cache) return larder::StatusReport{};
    LARDER_TRY_ASSIGN(auto report, cache->status());
    return report;
}

/// Returns the interval that the command line asks for.
Expected<std::chrono::milliseconds> watch_interval(const ParsedArguments& arguments) {
    // The default is two seconds and the least a tenth, as with watch(1) and top(1).
    if (arguments.words.empty()) return std::chrono::milliseconds{2000};
    const auto seconds = parse_seconds(arguments.words.front());
    if (!seconds || *seconds < std::chrono::milliseconds{100})
        return fail_usage(
            fmt::format("--watch wants seconds, 0.1 at least, such as 2, 0.5 or 10s, "
                        "not \"{}\"",
                        shown(arguments.words.front())));
    return *seconds;
}

CommandResult watch_status(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto interval, watch_interval(arguments));
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    // The cache is opened for each frame, because it may be deleted and made again meanwhile. The
    // frames show that; a message between them would disturb.
    const CommandOutput silent(output.json(), true);
    return watch(interval, output, [&]() -> Expected<std::string> {
        LARDER_TRY_ASSIGN(const auto report, read_status(arguments, silent));
        if (output.json()) return json_line([&](JsonWriter& json) { write_json(json, report); });
        // To the second: no frame is more exact.
        return fmt::format("{}, {}Z\n\n{}\n", harmless(system::text_of(root)),
                           iso_time(system::wall_time()).substr(0, 19),
                           output.advised(shown_status(report)));
    });
}

}  // namespace

CommandResult run_status(const ParsedArguments& arguments, const CommandOutput& output) {
    if (arguments.has("watch")) return watch_status(arguments, output);
    if (!arguments.words.empty()) return fail_usage("status takes SECONDS only with --watch");
    LARDER_TRY_ASSIGN(const auto report, read_status(arguments, output));
    if (!output.json()) return output.text(output.advised(shown_status(report)));
    return output.document([&](JsonWriter& json) { write_json(json, report); });
}

}  // namespace cachetool
