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
/// does through larder, unless is_protected() returns false. A lease is a hazard pointer (Michael,
/// "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", 2004) that is kept in a file.
/// Every collection reads that file before it deletes anything.
///
/// The entry is immutable: write nothing below path(). A hard link to one of its files shares the
/// content with the cache; see materialize.
///
/// Concurrency: one thread owns a Lease at a time; different leases are independent.
/// Fork: a child that inherits a Lease may read the files while its parent holds it. The destructor
/// in the child releases nothing. If the parent releases the lease, closes the cache, or returns
/// from main, the lease ends, although the child may still read. A child that must read for longer
/// gets the entry itself, or the parent calls keep_across_exec before the fork.
/// Crash: the kernel releases the lease, however the process ends. If it has forked children, that
/// happens once they have ended, too, or have closed the descriptor that they inherited.
class Lease {
public:
    /// Makes an object that holds no lease.
    Lease() noexcept;
    /// Takes the lease over. The other object holds none after that.
    Lease(Lease&&) noexcept;
    /// Releases the lease that this object holds, and takes the other one over.
    Lease& operator=(Lease&&) noexcept;
    /// Releases the lease, if this object holds one.
    ~Lease();

    /// Returns the absolute path of the entry's tree; an empty path if this object holds no lease.
    [[nodiscard]] std::filesystem::path path() const;

    /// Returns the entry's id, which no other entry ever has. Empty if this object holds no lease.
    [[nodiscard]] std::string id() const;

    /// Returns true if the entry stays as long as the lease. Returns false for a lease from a cache
    /// that was opened read-only: it could not be written down, so a collection by a process that
    /// can write may delete the files. (On a read-only file system no process can.) Returns false
    /// if this object holds no lease.
    [[nodiscard]] bool is_protected() const noexcept;
    /// Returns what the publisher of the entry has given as PublishOptions::metadata; an empty text
    /// if it has given none. Reads the record of the entry.
    /// Errors: `damaged` if the record cannot be read; `invalid` without an entry.
    [[nodiscard]] Result<std::string> metadata() const;

    /// Returns true if this object holds a lease. Returns false after a move and after release().
    [[nodiscard]] explicit operator bool() const noexcept;

    /// Releases the lease now instead of in the destructor. After keep_across_exec neither of the
    /// two ends it. Does nothing if this object holds no lease.
    void release() noexcept;

    /// Makes the lease outlive this object and a following execve of this process. Call it in a
    /// process that does nothing else.
    ///   - It keeps the entry, whatever program the process becomes. The program inherits a
    ///     descriptor, which shows to collectors that the entry is in use.
    ///   - It also keeps every other entry of this cache that the process leases when it calls
    ///     execve, however many there are. For another cache, call it on a lease of that one.
    ///   - The Cache must stay open until the execve. A process that closes it says that it makes
    ///     no execve any more. If it makes one all the same, and the next program closes the
    ///     descriptor, a collector in another pid namespace takes the lease for ended.
    ///   - The lease ends when the process has ended, and the children that inherited the
    ///     descriptor have ended too.
    ///   - If the program closes the descriptor, collectors in other pid namespaces cannot see that
    ///     it has ended, except those in the machine's first one. For them the entry is in use
    ///     until the next boot. CollectOptions::presume_dead frees it earlier.
    ///
    /// Without this call, the entry also stays until the program has ended, but only collectors in
    /// the same pid namespace respect that.
    /// Errors: `invalid` if the lease is not protected, or belongs to the parent of this process.
    [[nodiscard]] Result<> keep_across_exec();

private:
    friend class Bucket;
    friend class Cache;
    explicit Lease(protocol::SlotLease&& slot);
    std::unique_ptr<protocol::SlotLease> slot_;
};

}  // namespace larder
