// SPDX-License-Identifier: MIT
#include "protocol/leases.hpp"

namespace larder::protocol {

ProcessInfo info_of(const cache::ParticipantView& participant) {
    const auto& table = participant.table;
    const auto since =
        std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(table.since_nanos));
    return {.participant = participant.number,
            .pid = table.process.pid,
            .command = table.command,
            .since = WallTime(since),
            .alive = participant.counts(),
            .here = participant.here,
            .untold = participant.life == cache::Life::untold};
}

cache::Untold untold_of(const CollectOptions& options) noexcept {
    return options.presume_dead ? cache::Untold::presume_dead : cache::Untold::keep;
}

Result<Leases> read_leases(const cache::Root& root, const CollectOptions& options) {
    // The reap judges by the same search. One of them that looked less far would take for untold
    // what the other one has found alive.
    TRY_ASSIGN(const auto participants,
               cache::read_participants(root.dirs().participants, os::Search::everywhere));
    TRY(participants.unreadable.first());
    // A collection has wiped the tables of those that it presumes dead. What can't be told now has
    // come since. A dry run has wiped none.
    const bool presumes_dead = options.dry_run && untold_of(options) == cache::Untold::presume_dead;
    Leases leases;
    for (const auto& participant : participants.views) {
        if (!participant.counts()) continue;
        if (presumes_dead && participant.life == cache::Life::untold) continue;
        for (const auto& id : participant.table.leases) leases[id].push_back(info_of(participant));
    }
    return leases;
}

}  // namespace larder::protocol
