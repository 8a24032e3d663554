// SPDX-License-Identifier: MIT
// A lease: the promise that an entry's files stay where they are.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <larder/error.hpp>

namespace larder {

class Bucket;
class Cache;
namespace protocol {
class SlotLease;
}

/// While a Lease lives, its entry is neither moved nor changed nor deleted, whatever any process
/// runs. A lease is a hazard pointer (Michael, "Hazard Pointers: Safe Memory Reclamation for
/// Lock-Free Objects", 2004) that is kept in a file which every collector reads.
///
/// The entry is immutable: write nothing below path(). A hard link to one of its files shares the
/// content with the cache; see materialize.
///
/// Concurrency: one thread owns a Lease at a time; different leases are independent.
/// Fork: a child that inherits a Lease may read the files while its parent holds it. The destructor
/// in the child releases nothing. If the parent releases the lease, closes the cache, or returns
/// from main, the lease ends, although the child may still read. A child that must read for longer
/// gets the entry itself, or the parent calls keep_across_exec before the fork.
/// Crash: the kernel releases the lease, however the process ends, once the children that were
/// forked from it have ended or have closed the descriptor.
class Lease {
public:
    Lease() noexcept;
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    ~Lease();

    /// Returns the absolute path of the entry's tree; an empty path if this object holds no lease.
    [[nodiscard]] std::filesystem::path path() const;

    /// Returns the entry's id, which no other entry ever has. Empty if this object holds no lease.
    [[nodiscard]] std::string id() const;

    /// Returns false for a lease from a cache that was opened read-only. Such a lease could not be
    /// written down, so a collection by a process that can write may delete the files. On a
    /// read-only file system no process can.
    [[nodiscard]] bool is_protected() const noexcept;

    /// Returns true if this object holds a lease: false after a move or release().
    [[nodiscard]] explicit operator bool() const noexcept;

    /// Releases the lease now instead of in the destructor. After keep_across_exec neither of the
    /// two ends it.
    void release() noexcept;

    /// Makes the lease outlive this object, and a following execve of this process: whatever
    /// program the process becomes, the entry stays until the process ends, and until children that
    /// inherited the descriptor have ended as well. All other leases that the process has at an
    /// execve stay with it, so call this in a process that does nothing else.
    ///
    /// If the program closes the descriptor, and runs in another pid namespace than a collector,
    /// only a collector in the machine's first pid namespace finds out that it has ended. To every
    /// other one the lease is in use until the next boot, or until a collection presumes such
    /// processes dead (CollectOptions::presume_dead).
    ///
    /// Without this call, what a process leased also stays until the program that it became has
    /// ended, but only if the collector runs in the same pid namespace.
    [[nodiscard]] Result<> keep_across_exec();

private:
    friend class Bucket;
    friend class Cache;
    explicit Lease(protocol::SlotLease&& slot);
    std::unique_ptr<protocol::SlotLease> slot_;
};

}  // namespace larder
