// SPDX-License-Identifier: MIT
// The ring of uses of this process: its part of the mapped lease table, and what only this process
// knows of it. A get writes a use there with a few stores, and makes no system call. See "Uses" in
// docs/protocol.md.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "format/lease_table.hpp"

namespace larder::cache {

/// A use of this process that stands in its ring.
struct PendingUse {
    std::uint64_t number = 0;  ///< see format::RingBytes
    format::Id id;
    std::string key_path;  ///< `<bucket>/<key>`, both as they are on the disk
};

/// See the head of this file. Thread-safe.
class UseRing {
public:
    /// `bytes` is mapped, and outlives this object.
    explicit UseRing(format::RingBytes& bytes);

    /// Returns whether the use of this number is one of the entry, and no collection has settled
    /// it. Then a plan that is made from now on sees that use, in the ring or in the time of the
    /// link. So another use of the entry need not be written. Requires: write has returned the
    /// number, for this entry or another one.
    [[nodiscard]] bool counts(std::uint64_t number, const format::Id& id) const noexcept;

    /// Writes a use, and returns its number, which is not 0. If the ring has no room, writes
    /// nothing and returns 0: then settle what pending_oldest returns, tell mark_settled, and try
    /// again.
    [[nodiscard]] std::uint64_t write(const format::Id& id, std::string_view key_path);

    /// Returns the uses that are not settled, the oldest first, and at most `most` of them.
    [[nodiscard]] std::vector<PendingUse> pending_oldest(std::size_t most) const;
    /// Says that all uses up to this one are settled, so that their places may be taken.
    void mark_settled(std::uint64_t number) noexcept;
    /// Does the same, and lets other processes see it.
    void show_settled(std::uint64_t number) noexcept;

private:
    /// Returns up to which use all are settled, by this process or by a collection. Requires: the
    /// caller holds mutex_.
    [[nodiscard]] std::uint64_t settled() const noexcept;
    /// Returns where in key_paths_ the path of a use is. Requires: this process has written it.
    [[nodiscard]] std::size_t index_of(std::uint64_t number) const noexcept {
        return static_cast<std::size_t>((number - first_) % format::uses_per_table);
    }

    format::RingBytes& bytes_;
    // Guards the rest. No system call is made while it is held. A forked child never takes it: see
    // Root::joined.
    mutable std::mutex mutex_;
    std::uint64_t head_;     // as in bytes_
    std::uint64_t settled_;  // by this process
    // The paths of the uses, as far as the ring holds them. It grows with the uses, so that a
    // process that gets one key needs little memory.
    std::vector<std::string> key_paths_;
    const std::uint64_t first_;  // the number of the first use of this process
};

}  // namespace larder::cache
