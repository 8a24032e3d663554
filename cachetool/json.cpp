#include "json.hpp"

#include "text.hpp"

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
    return {{"participant", process.participant}, {"pid", process.pid},     {"command", process.command},
            {"since", iso_time(process.since)},   {"alive", process.alive}, {"here", process.here}};
}

Json json_of(const larder::LeaseInfo& lease) {
    return {{"bucket", lease.bucket}, {"key", lease.key}, {"id", lease.id}, {"process", json_of(lease.process)}};
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
            {"collecting", report.collecting}};
}

Json json_of(const larder::CollectReport& report) {
    Json unknown = Json::array();
    for (const auto& path : report.unknown) unknown.push_back(path.string());
    return {{"entries", report.entries},
            {"bytes", report.bytes},
            {"reaped", report.reaped},
            {"buckets", report.buckets},
            {"leased", json_of_all(report.leased)},
            {"unknown", std::move(unknown)}};
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
    return {{"cloned", report.cloned},     {"hardlinked", report.hardlinked},   {"copied", report.copied},
            {"symlinks", report.symlinks}, {"directories", report.directories}, {"bytes", report.bytes}};
}

}  // namespace cachetool
