// SPDX-License-Identifier: MIT
// The library's values as JSON. docs/cachetool.md documents each field: keep it true.
#pragma once

#include <larder/collect.hpp>
#include <larder/lease.hpp>
#include <larder/materialize.hpp>
#include <larder/report.hpp>

#include "cachetool/term/json.hpp"

namespace cachetool {

// Each writes an object.
void write_json(JsonWriter& json, const larder::ProcessInfo& process);
void write_json(JsonWriter& json, const larder::LeaseInfo& lease);
void write_json(JsonWriter& json, const larder::RootInfo& root);
void write_json(JsonWriter& json, const larder::LockInfo& lock);
void write_json(JsonWriter& json, const larder::EntryInfo& entry);
void write_json(JsonWriter& json, const larder::StatusReport& report);
void write_json(JsonWriter& json, const larder::CollectReport& report);
void write_json(JsonWriter& json, const larder::Eviction& eviction);
void write_json(JsonWriter& json, const larder::Finding& finding);
void write_json(JsonWriter& json, const larder::VerifyReport& report);
void write_json(JsonWriter& json, const larder::ContentReport& report);
void write_json(JsonWriter& json, const larder::DedupeReport& report);

// Each writes the fields of an object alone, for a document that has more of them.
void write_fields(JsonWriter& json, const larder::EntryInfo& entry);
void write_fields(JsonWriter& json, const larder::CollectReport& report);
void write_fields(JsonWriter& json, const larder::Eviction& eviction);
void write_fields(JsonWriter& json, const larder::MaterializeReport& report);

/// An entry as put, get and build report it.
struct EntryLocation {
    std::string bucket;
    std::string key;
    std::string id;
    std::string path;
};
[[nodiscard]] EntryLocation location_of(std::string bucket, std::string key,
                                        const larder::Lease& lease);
void write_json(JsonWriter& json, const EntryLocation& entry);
void write_fields(JsonWriter& json, const EntryLocation& entry);

}  // namespace cachetool
