// SPDX-License-Identifier: MIT
#include "cachetool/term/json.hpp"

#include "cachetool/term/text.hpp"

namespace cachetool {

Json json_of(const larder::EntryInfo& entry) {
    return {{"bucket", entry.bucket},
            {"key", entry.key},
            {"id", entry.id},
            {"path", entry.path.string()},
            {"bytes", entry.bytes},
            {"files", entry.files},
            {"published", iso_time(entry.published)},
            {"last_used", entry.last_used ? Json(iso_time(*entry.last_used)) : Json(nullptr)},
            {"durability", entry.durability == larder::Durability::power ? "power" : "process"},
            {"boot", entry.boot},
            {"producer", entry.producer}};
}

Json json_of(const larder::ProcessInfo& process) {
    return {{"participant", process.participant},
            {"pid", process.pid},
            {"command", process.command},
            {"since", iso_time(process.since)},
            {"alive", process.alive},
            {"here", process.here}};
}

Json json_of(const larder::LeaseInfo& lease) {
    return {{"bucket", lease.bucket},
            {"key", lease.key},
            {"id", lease.id},
            {"process", json_of(lease.process)}};
}

Json json_of(const larder::LockInfo& lock) {
    return {{"what", lock.what},
            {"waiting", lock.waiting},
            {"since", iso_time(lock.since)},
            {"thread", lock.thread},
            {"process", json_of(lock.process)}};
}

Json json_of(const larder::StatusReport& report) {
    return {{"processes", json_of_all(report.processes)},
            {"leases", json_of_all(report.leases)},
            {"locks", json_of_all(report.locks)},
            {"collecting", report.collecting},
            {"deleting", report.deleting}};
}

Json json_of(const larder::CollectReport& report) {
    Json unknown = Json::array();
    for (const auto& path : report.unknown) unknown.push_back(path.string());
    return {{"entries", report.entries},
            {"bytes", report.bytes},
            {"reaped", report.reaped},
            {"buckets", report.buckets},
            {"leased", json_of_all(report.leased)},
            {"unknown", std::move(unknown)},
            {"evicted", report.evicted},
            {"evicted_bytes", report.evicted_bytes},
            {"spared", json_of_all(report.spared)},
            {"used_since", report.used_since},
            {"held_up", report.held_up},
            {"live_entries", report.live_entries ? Json(*report.live_entries) : Json(nullptr)},
            {"live_bytes", report.live_bytes ? Json(*report.live_bytes) : Json(nullptr)},
            {"within_limits", report.within_limits},
            {"stopped", report.stopped},
            {"freed", report.freed ? Json(*report.freed) : Json(nullptr)},
            {"freed_at_least", report.freed_at_least}};
}

Json json_of(const larder::Eviction& eviction) {
    return {{"bucket", eviction.bucket},
            {"key", eviction.key},
            {"id", eviction.id},
            {"bytes", eviction.bytes},
            {"last_used", iso_time(eviction.last_used)},
            {"reason", larder::name_of(eviction.reason)}};
}

Json json_of(const larder::Finding& finding) {
    return {{"kind", larder::name_of(finding.kind)},
            {"path", finding.path.string()},
            {"what", finding.what},
            {"repaired", finding.repaired}};
}

Json json_of(const larder::VerifyReport& report) {
    return {{"sound", report.sound()},
            {"entries", report.entries},
            {"live", report.live},
            {"garbage", report.garbage},
            {"findings", json_of_all(report.findings)}};
}

Json json_of(const larder::MaterializeReport& report) {
    return {{"cloned", report.cloned},           {"hardlinked", report.hardlinked},
            {"copied", report.copied},           {"symlinks", report.symlinks},
            {"directories", report.directories}, {"bytes", report.bytes}};
}

}  // namespace cachetool
