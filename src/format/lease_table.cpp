// SPDX-License-Identifier: MIT
#include "format/lease_table.hpp"

#include <algorithm>

namespace larder::format {

namespace {

/// Returns the text in a buffer up to its first zero byte. Any process may have written it, so
/// there may be none: then the text fills the buffer.
template <std::size_t size>
std::string text_of(const char (&from)[size]) {
    return std::string(from, std::find(from, from + size, '\0'));
}

/// Returns whether the word is the magic, with or without zeros in place of some of its bytes. A
/// process that dies while it writes or wipes the magic leaves such zeros. Then no process has
/// announced itself in the table, or the process that had is dead.
bool is_magic_or_part_of_it(std::uint64_t word) noexcept {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const auto byte = word >> shift & 0xff;
        if (byte != 0 && byte != (lease_table_magic >> shift & 0xff)) return false;
    }
    return true;
}

}  // namespace

std::optional<TableView> parse_lease_table(const LeaseTableBytes& bytes) {
    if (!is_magic_or_part_of_it(bytes.header.magic)) return std::nullopt;
    return parse_without_magic(bytes);
}

TableView parse_without_magic(const LeaseTableBytes& bytes) {
    const TableHeaderBytes& header = bytes.header;
    TableView view;
    view.announced = header.pid != 0;
    view.process = {
        .boot = header.boot,
        .boot_is_real = (header.flags & flag_boot_is_real) != 0,
        .pid_namespace = header.pid_namespace,
        .start = header.start,
        .clock_offset = header.clock_offset,
        .pid = static_cast<std::int64_t>(header.pid.value()),
    };
    view.lock_tells = (header.flags & flag_lock_tells) != 0;
    view.file = header.file;
    view.since_nanos = header.since_nanos;
    view.command = text_of(header.command);
    for (const auto& activity : bytes.activities) {
        if (activity.lock == 0) continue;
        // A kind that this version does not know belongs to no lock that this version waits for.
        if (activity.kind > static_cast<std::uint64_t>(ActivityView::Kind::works_for)) continue;
        view.activities.push_back({
            .kind = static_cast<ActivityView::Kind>(activity.kind.value()),
            .thread = static_cast<std::int64_t>(activity.thread.value()),
            .since_nanos = activity.since_nanos,
            .lock = activity.lock,
            .label = text_of(activity.label),
        });
    }
    // Read the slots even if no process is announced: a process may take the table, and lease,
    // after its pid was read here.
    for (const auto& slot : bytes.slots) {
        if (const Id id = slot.id()) view.leases.push_back(id);
    }
    view.head = bytes.ring.head;
    view.uses = uses_between(bytes.ring, bytes.ring.settled, bytes.ring.head);
    return view;
}

std::vector<Id> uses_between(const RingBytes& ring, std::uint64_t settled, std::uint64_t head) {
    std::vector<Id> uses;
    // If `settled` is the larger one, the difference is a large number, and all places are read.
    const std::uint64_t count = std::min<std::uint64_t>(head - settled, uses_per_table);
    for (std::uint64_t number = head - count; number != head; ++number) {
        if (const Id use = ring.uses[number % uses_per_table].id()) uses.push_back(use);
    }
    return uses;
}

}  // namespace larder::format
