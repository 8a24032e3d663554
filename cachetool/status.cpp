// status: who uses the cache now.
#include <fmt/format.h>

#include <larder/cache.hpp>

#include "command.hpp"
#include "json.hpp"
#include "open.hpp"
#include "text.hpp"

namespace cachetool {
namespace {

using Cells = std::vector<std::string>;

std::string shown_process(const larder::ProcessInfo& process) {
    return harmless(process.command) + (process.alive ? "" : " (dead)") + (process.here ? "" : " (in another pid namespace)");
}

}  // namespace

Outcome run_status(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto report = *cache ? (*cache)->status() : larder::StatusReport{};
    if (!report) return fail(report.error());
    if (output.json()) return output.document(json_of(*report));

    std::vector<Cells> processes;
    for (const auto& process : report->processes) {
        processes.push_back({std::to_string(process.pid), shown_age(process.since), shown_process(process)});
    }
    std::string text = table({">PID", ">SINCE", "PROCESS"}, processes);
    std::vector<Cells> leases;
    for (const auto& lease : report->leases) {
        leases.push_back({std::to_string(lease.process.pid), lease.id, shown(lease.bucket), shown(lease.key)});
    }
    if (!leases.empty()) text += "\n" + table({">PID", "LEASED", "BUCKET", "KEY"}, leases);
    std::vector<Cells> locks;
    for (const auto& lock : report->locks) {
        locks.push_back({std::to_string(lock.process.pid), shown_age(lock.since),
                         lock.waiting ? "waits for" : "holds", harmless(lock.what)});
    }
    if (!locks.empty()) text += "\n" + table({">PID", ">SINCE", "STATE", "LOCK"}, locks);
    if (report->collecting) text += "\na collection is at work\n";
    return output.text(text);
}

}  // namespace cachetool
