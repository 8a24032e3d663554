// SPDX-License-Identifier: MIT
// The command `status`: who is using the cache now.
#include <unistd.h>

#include <fmt/format.h>

#include <larder/cache.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/watch.hpp"

namespace cachetool {
namespace {

using Cells = std::vector<std::string>;

std::string shown_process(const larder::ProcessInfo& process) {
    return shown_command(process) +
           (process.alive ? ""
                          : coloured(" (ended; the next gc cleans up after it)", Colour::yellow,
                                     STDOUT_FILENO)) +
           (process.here ? "" : " (in another pid namespace)");
}

std::string shown_status(const larder::StatusReport& report) {
    std::vector<Cells> processes;
    for (const auto& process : report.processes) {
        processes.push_back(
            {std::to_string(process.pid), shown_age(process.since), shown_process(process)});
    }
    std::string text = table({">PID", ">SINCE", "PROCESS"}, processes);
    std::vector<Cells> leases;
    for (const auto& lease : report.leases) {
        leases.push_back(
            {std::to_string(lease.process.pid), lease.id, shown(lease.bucket), shown(lease.key)});
    }
    if (!leases.empty()) text += "\n" + table({">PID", "LEASED", "BUCKET", "KEY"}, leases);
    std::vector<Cells> locks;
    for (const auto& lock : report.locks) {
        locks.push_back(
            {std::to_string(lock.process.pid), shown_age(lock.since),
             lock.waiting ? coloured("waits for", Colour::yellow, STDOUT_FILENO) : "holds",
             harmless(lock.what)});
    }
    if (!locks.empty()) text += "\n" + table({">PID", ">SINCE", "STATE", "LOCK"}, locks);
    if (report.collecting) text += "\na collection is at work\n";
    if (report.deleting != 0)
        text += fmt::format(
            "\n{} moved aside, to be deleted: a collection is at it, or the next `cachetool gc` "
            "carries on\n",
            counted(report.deleting, "tree", "trees"));
    return text;
}

tl::expected<larder::StatusReport, Failure> read_status(const Arguments& arguments,
                                                        const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    auto report = *cache ? (*cache)->status() : larder::StatusReport{};
    if (!report) return fail(report.error());
    return std::move(*report);
}

Outcome watch_status(const Arguments& arguments, const Output& output) {
    // Two seconds, as watch(1) and top(1) have it; a tenth at least, as there.
    std::chrono::milliseconds interval{2000};
    if (!arguments.words.empty()) {
        const auto seconds = parse_seconds(arguments.words.front());
        if (!seconds || *seconds < std::chrono::milliseconds{100}) {
            return fail_usage(fmt::format("--watch wants seconds, 0.1 at least, not \"{}\"",
                                          shown(arguments.words.front())));
        }
        interval = *seconds;
    }
    const auto root = cache_root(arguments);
    if (!root) return tl::unexpected(root.error());
    // The cache is opened for each frame: it may come, go and come again meanwhile. That is told by what is shown, not in
    // between.
    const Output silent(output.json(), true);
    return watch(interval, output, [&]() -> tl::expected<std::string, Failure> {
        const auto report = read_status(arguments, silent);
        if (!report) return tl::unexpected(report.error());
        if (output.json()) return Output::line_of(json_of(*report));
        return fmt::format("{}, {}\n\n{}\n", harmless(root->string()),
                           iso_time(std::chrono::system_clock::now()), shown_status(*report));
    });
}

}  // namespace

Outcome run_status(const Arguments& arguments, const Output& output) {
    if (arguments.has("watch")) return watch_status(arguments, output);
    if (!arguments.words.empty()) return fail_usage("status takes SECONDS only with --watch");
    const auto report = read_status(arguments, output);
    if (!report) return tl::unexpected(report.error());
    return output.json() ? output.document(json_of(*report)) : output.text(shown_status(*report));
}

}  // namespace cachetool
