// SPDX-License-Identifier: MIT
#include "cachetool/system/primitives.hpp"

#include <larder/larder.hpp>

#include "cachetool/doctor/parts.hpp"
#include "cachetool/doctor/probes.hpp"

namespace cachetool::doctor {
namespace {

bool act_stay(const std::vector<std::string>& /*words*/) { return true; }

/// Returns the boot id with which the library publishes an entry, by which it would notice a power
/// cut; zeros if the system does not tell any.
larder::Result<std::string> boot_id(const std::filesystem::path& root) {
    larder::OpenOptions options;
    options.allow_network = true;
    LARDER_TRY_ASSIGN(const auto cache, larder::Cache::open(root, options));
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket("doctor"));
    LARDER_TRY_ASSIGN(auto staging, bucket.stage());
    LARDER_TRY(bucket.publish("key", std::move(staging), {.producer = "cachetool doctor"}));
    LARDER_TRY_ASSIGN(const auto info, bucket.info("key"));
    return info.boot;
}

void probe_boot_id(const std::filesystem::path& root, ProbeResults& results) {
    const auto boot = boot_id(root);
    const bool is_told = boot && boot->find_first_not_of('0') != std::string::npos;
    results.push_back(
        {"boot id", is_told ? ProbeVerdict::ok : ProbeVerdict::limited,
         !boot     ? boot.error().message()
         : is_told ? "is told: " + *boot
                   : "the system does not tell when it was started",
         is_told ? "" : "an entry that a power cut has torn is given out like any other"});
}

}  // namespace

const system::ProcessPart stay{"stay", act_stay};

void probe_primitives(const std::filesystem::path& scratch, ProbeResults& results) {
    auto rows = system::try_primitives(scratch);
    if (!rows.empty()) probe_boot_id(scratch / "boot", results);
    for (auto& row : rows) {
        results.push_back(
            {std::move(row.name), row.is_as_hoped ? ProbeVerdict::ok : ProbeVerdict::limited,
             std::move(row.found), row.is_as_hoped ? std::string() : std::move(row.effect)});
    }
}

}  // namespace cachetool::doctor
