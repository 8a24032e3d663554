// SPDX-License-Identifier: MIT
#include "protocol/leases.hpp"

namespace larder::protocol {

ProcessInfo info_of(const cache::ParticipantView& participant) {
    const auto& table = participant.table;
    const auto since =
        std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(table.since_nanos));
    return {participant.number, table.process.pid, table.command,
            WallTime(since),    participant.alive, participant.here};
}

Result<Leases> read_leases(const cache::Root& root) {
    TRY_ASSIGN(const auto participants, cache::read_participants(root.dirs().participants));
    Leases leases;
    TRY(participants.unreadable.first());
    for (const auto& participant : participants.views) {
        if (!participant.alive) continue;
        for (const auto& id : participant.table.leases) leases[id].push_back(info_of(participant));
    }
    return leases;
}

}  // namespace larder::protocol
