// SPDX-License-Identifier: MIT
#include "stress/workload/reading.hpp"

#include <fmt/format.h>

#include "stress/content/names.hpp"
#include "stress/content/tree.hpp"
#include "stress/fault/calls.hpp"

namespace larder::stress {

namespace fs = std::filesystem;

std::optional<HeldEntry> end_with_lease(Actor& actor, RecordedOp& operation, Lease lease,
                                        std::uint32_t bucket, std::uint32_t key) {
    const auto version = read_version(lease.path());
    if (!version) {
        actor.report_violation(
            fmt::format("bucket {} key {}: a leased tree does not say which version it is: {}",
                        bucket, key, lease.path().string()));
        operation.end(OpOutcome::broken);
        return std::nullopt;
    }
    if (!lease.is_protected())
        actor.report_violation(
            fmt::format("bucket {} key {}: a lease protects nothing", bucket, key));
    operation.end(OpOutcome::ok, *version);
    return HeldEntry{std::move(lease), bucket, key, *version};
}

std::optional<HeldEntry> lease(Actor& actor, std::uint32_t bucket, std::uint32_t key) {
    RecordedOp operation(actor, EventKind::get, bucket, key);
    auto got = [&] {
        const LibraryCall call;
        return actor.bucket(bucket).get(key_name(key));
    }();
    if (!got) {
        operation.end(got.error());
        return std::nullopt;
    }
    return end_with_lease(actor, operation, std::move(*got), bucket, key);
}

void end_with_reading(Actor& actor, RecordedOp& operation, const HeldEntry& held,
                      const fs::path& tree) {
    const auto reading = read_tree(tree, {held.bucket, held.key, held.version});
    if (!reading)
        return operation.end(OpOutcome::failed, held.version,
                             static_cast<std::uint64_t>(reading.error().sys_errno));
    if (!reading->sound()) {
        actor.report_violation(fmt::format("bucket {} key {} version {} in {}: {}", held.bucket,
                                           held.key, held.version, tree.string(), reading->damage));
        return operation.end(OpOutcome::broken, reading->version);
    }
    operation.end(OpOutcome::ok, reading->version);
}

void use(Actor& actor, const HeldEntry& held) {
    RecordedOp operation(actor, EventKind::use, held.bucket, held.key, held.version);
    end_with_reading(actor, operation, held, held.lease.path());
}

void discard_tree(const fs::path& tree) {
    std::error_code ignored;
    for (auto at = fs::recursive_directory_iterator(tree, ignored);
         !ignored && at != fs::recursive_directory_iterator(); at.increment(ignored)) {
        if (at->is_directory(ignored) && !at->is_symlink(ignored))
            fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
    }
    fs::remove_all(tree, ignored);
}

}  // namespace larder::stress
