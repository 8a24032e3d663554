// SPDX-License-Identifier: MIT
#include "cachetool/commands/reports.hpp"

#include "cachetool/system/path_text.hpp"
#include "cachetool/term/failure.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {

void write_fields(JsonWriter& json, const larder::EntryInfo& entry) {
    json.field("bucket", entry.bucket);
    json.field("key", entry.key);
    json.field("id", entry.id);
    json.field("path", system::text_of(entry.path));
    json.field("bytes", entry.bytes);
    json.field("files", entry.files);
    json.field("published", iso_time(entry.published));
    json.name("last_used");
    entry.last_used ? json.value(iso_time(*entry.last_used)) : json.value(nullptr);
    json.field("durability", entry.durability == larder::Durability::power ? "power" : "process");
    json.field("boot", entry.boot);
    json.field("producer", entry.producer);
    json.field("metadata", entry.metadata);
}

void write_json(JsonWriter& json, const larder::EntryInfo& entry) {
    json.object([&] { write_fields(json, entry); });
}

void write_json(JsonWriter& json, const larder::ProcessInfo& process) {
    json.object([&] {
        json.field("participant", process.participant);
        json.field("pid", process.pid);
        json.field("command", process.command);
        json.field("since", iso_time(process.since));
        json.field("alive", process.alive);
        json.field("here", process.here);
        json.field("untold", process.untold);
    });
}

void write_json(JsonWriter& json, const larder::LeaseInfo& lease) {
    json.object([&] {
        json.field("bucket", lease.bucket);
        json.field("key", lease.key);
        json.field("id", lease.id);
        json.field("process", lease.process);
    });
}

void write_json(JsonWriter& json, const larder::RootInfo& root) {
    json.object([&] {
        json.field("path", system::text_of(root.path));
        json.field("state", larder::name_of(root.state));
        json.field("bucket", root.bucket);
        json.field("key", root.key);
        json.field("id", root.id);
    });
}

void write_json(JsonWriter& json, const larder::LockInfo& lock) {
    json.object([&] {
        json.field("what", lock.what);
        json.field("waiting", lock.waiting);
        json.field("since", iso_time(lock.since));
        json.field("thread", lock.thread);
        json.field("process", lock.process);
    });
}

void write_json(JsonWriter& json, const larder::StatusReport& report) {
    json.object([&] {
        json.list("processes", report.processes);
        json.list("leases", report.leases);
        json.list("locks", report.locks);
        json.field("collecting", report.collecting);
        json.field("deleting", report.deleting);
        json.list("unreadable", report.unreadable);
    });
}

void write_fields(JsonWriter& json, const larder::CollectReport& report) {
    json.field("entries", report.entries);
    json.field("bytes", report.bytes);
    json.field("reaped", report.reaped);
    json.field("untold", report.untold);
    json.field("buckets", report.buckets);
    json.list("leased", report.leased);
    json.name("unknown");
    json.array([&] {
        for (const auto& path : report.unknown) json.value(system::text_of(path));
    });
    json.field("in_grace", report.in_grace);
    json.list("failures", report.failures);
    json.field("evicted", report.evicted);
    json.field("evicted_bytes", report.evicted_bytes);
    json.list("spared", report.spared);
    json.list("rooted", report.rooted);
    json.field("used_since", report.used_since);
    json.field("held_up", report.held_up);
    json.field("live_entries", report.live_entries);
    json.field("live_bytes", report.live_bytes);
    json.field("within_limits", report.within_limits);
    json.field("stopped", report.stopped);
    json.field("freed", report.freed);
    json.field("freed_at_least", report.freed_at_least);
}

void write_json(JsonWriter& json, const larder::CollectReport& report) {
    json.object([&] { write_fields(json, report); });
}

void write_fields(JsonWriter& json, const larder::Eviction& eviction) {
    json.field("bucket", eviction.bucket);
    json.field("key", eviction.key);
    json.field("id", eviction.id);
    json.field("bytes", eviction.bytes);
    json.field("last_used", iso_time(eviction.last_used));
    json.field("reason", larder::name_of(eviction.reason));
}

void write_json(JsonWriter& json, const larder::Eviction& eviction) {
    json.object([&] { write_fields(json, eviction); });
}

void write_json(JsonWriter& json, const larder::Finding& finding) {
    json.object([&] {
        json.field("kind", larder::name_of(finding.kind));
        json.field("path", system::text_of(finding.path));
        json.field("what", finding.what);
        json.field("repaired", finding.repaired);
    });
}

void write_json(JsonWriter& json, const larder::VerifyReport& report) {
    json.object([&] {
        json.field("sound", report.sound());
        json.field("entries", report.entries);
        json.field("live", report.live);
        json.field("garbage", report.garbage);
        json.list("findings", report.findings);
    });
}

void write_json(JsonWriter& json, const larder::ContentReport& report) {
    json.object([&] {
        json.field("sound", report.sound());
        json.field("entries", report.entries);
        json.field("unchecked", report.unchecked);
        json.field("without_digests", report.without_digests);
        json.field("files", report.files);
        json.field("bytes", report.bytes);
        json.list("findings", report.findings);
    });
}

void write_json(JsonWriter& json, const larder::DedupeReport& report) {
    json.object([&] {
        json.field("entries", report.entries);
        json.field("files", report.files);
        json.field("bytes", report.bytes);
        json.field("shared_before", report.shared_before);
        json.field("freed", report.freed);
        json.field("ended_early", report.ended_early);
    });
}

void write_fields(JsonWriter& json, const larder::MaterializeReport& report) {
    json.field("cloned", report.cloned);
    json.field("hardlinked", report.hardlinked);
    json.field("copied", report.copied);
    json.field("symlinks", report.symlinks);
    json.field("directories", report.directories);
    json.field("bytes", report.bytes);
    json.field("inexact", report.inexact);
}

EntryLocation location_of(std::string bucket, std::string key, const larder::Lease& lease) {
    return {std::move(bucket), std::move(key), lease.id(), system::text_of(lease.path())};
}

void write_fields(JsonWriter& json, const EntryLocation& entry) {
    json.field("bucket", entry.bucket);
    json.field("key", entry.key);
    json.field("id", entry.id);
    json.field("path", entry.path);
}

void write_json(JsonWriter& json, const EntryLocation& entry) {
    json.object([&] { write_fields(json, entry); });
}

}  // namespace cachetool
