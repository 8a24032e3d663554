// SPDX-License-Identifier: MIT
// A lease: the promise that an entry's files stay where they are.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <larder/error.hpp>

namespace larder {

namespace detail {
class LeaseState;
}

/// While a Lease lives, its entry is neither moved nor changed nor deleted, whatever anyone runs: a hazard pointer (Michael,
/// "Hazard Pointers", 2004) that is kept in a file which every collector reads.
///
/// The entry is immutable: write nothing below path(). Whoever hard-links a file out of it shares the file's content with the
/// cache; see materialize.
///
/// Concurrency: a Lease is owned by one thread at a time; different leases are independent. A forked child that inherits one
/// may read the files for as long as it likes; its destructor in the child lets go of nothing.
/// Crash: the kernel lets go of the lease, however the process ends.
class Lease {
public:
    Lease() noexcept;
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) noexcept;
    ~Lease();

    /// The entry's tree: an absolute path.
    [[nodiscard]] std::filesystem::path path() const;

    /// The entry's id. No other entry has ever had it, or ever will.
    [[nodiscard]] std::string id() const;

    /// False for a lease from a cache opened read-only: nothing could be written down, so a collection run by somebody who can
    /// write may take the files. On a read-only file system nobody can.
    [[nodiscard]] bool is_protected() const noexcept;

    /// Whether this object holds a lease: false after a move or release().
    [[nodiscard]] explicit operator bool() const noexcept;

    /// Lets go now instead of in the destructor.
    void release() noexcept;

    /// After success the lease outlives a following execve of this process: whatever program the process becomes, the entry
    /// stays until the process ends (or, where it has handed the descriptor to children, until they have ended as well).
    /// All other leases of the same lease table stay with it, so call it in a process that does nothing else. (Without it too, what a
    /// process leased stays until the program that it becomes has ended, but only where that can be told: in the same pid namespace.)
    [[nodiscard]] Result<> keep_across_exec();

private:
    friend class detail::LeaseState;
    explicit Lease(std::unique_ptr<detail::LeaseState> state) noexcept;
    std::unique_ptr<detail::LeaseState> state_;
};

}  // namespace larder
