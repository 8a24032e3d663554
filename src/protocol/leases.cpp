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
    // A collection has reaped those that died in other pid namespaces, and a dry run has not.
    const os::Search search = options.dry_run ? os::Search::everywhere : os::Search::here;
    const cache::Untold untold = untold_of(options);
    TRY_ASSIGN(const auto participants, cache::read_participants(root.dirs().participants, search));
    TRY(participants.unreadable.first());
    Leases leases;
    for (const auto& participant : participants.views) {
        if (!participant.counts()) continue;
        const bool presumed_dead =
            untold == cache::Untold::presume_dead && participant.life == cache::Life::untold;
        if (presumed_dead) continue;
        for (const auto& id : participant.table.leases) leases[id].push_back(info_of(participant));
    }
    return leases;
}

}  // namespace larder::protocol
