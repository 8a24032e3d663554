// SPDX-License-Identifier: MIT
// The bytes of a lease table, the file `participants/<n>`. It says who uses the cache, what that
// process holds and waits for, and which entries it has leased.
//
// In the machine's own byte order, since the locks and the shared memory of a cache never leave the
// machine either:
//
//   page 0   a header of 512 bytes, then 56 activities of 64 bytes
//   page 1   256 slots of 16 bytes, each an id or zero
//
// So the owner of a table that is not full scans one page of memory to find a free slot. A file
// that is shorter than a table has never held a lease.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/id.hpp"
#include "os/process.hpp"

namespace larder::format {

inline constexpr std::size_t activities_per_table = 56, slots_per_table = 256;

/// "lardtbl1" in a little-endian file.
inline constexpr std::uint64_t lease_table_magic = 0x31'6c'62'74'64'72'61'6cU;
/// Among the flags: the process has kept a lease across an execve.
inline constexpr std::uint32_t flag_handed_on = 1;

struct TableHeaderBytes {
    std::uint64_t magic;
    std::uint32_t flags;
    std::uint32_t reserved;
    os::BootId boot;
    std::uint64_t pid_namespace;
    std::uint64_t start;
    std::uint64_t pid;  ///< written last and cleared first: 0 means that no process has this table
    std::uint64_t since_nanos;
    char command[448];
};

/// Something that a thread does and others may wait for, or what it waits for itself.
struct ActivityBytes {
    std::uint64_t lock;  ///< written last and cleared first: 0 means unused
    std::uint64_t waiting;
    std::uint64_t thread;
    std::uint64_t since_nanos;
    char label[32];
};

/// The owner writes its words one at a time, and readers use each word whole. A torn *pair* of
/// words is harmless (see LeaseTable::store in cache/lease_table.cpp).
struct LeaseTableBytes {
    TableHeaderBytes header;
    ActivityBytes activities[activities_per_table];
    Id slots[slots_per_table];
};
static_assert(sizeof(TableHeaderBytes) == 512 && sizeof(ActivityBytes) == 64);
static_assert(offsetof(LeaseTableBytes, slots) == 4096 && sizeof(LeaseTableBytes) == 2 * 4096);

struct ActivityView {
    bool waiting = false;  ///< false: holding
    std::int64_t thread = 0;
    std::uint64_t since_nanos = 0;  ///< since 1970
    std::uint64_t lock = 0;         ///< a number for the lock, the same in every process
    std::string label;              ///< "bucket wheels-v1"; cut to 31 bytes; for people
};

/// A table as another process reads it, at one instant (each word of it).
struct TableView {
    bool announced = false;  ///< a process has it, or had it and did not say goodbye
    os::ProcessIdentity process;
    bool handed_on = false;  ///< the process has kept a lease across an execve
    std::uint64_t since_nanos = 0;
    std::string command;
    std::vector<ActivityView> activities;
    std::vector<Id> leases;
};

/// Reads the bytes of a whole table, whatever they are. Returns nullopt if they are not of this
/// version's format: then its leases are unknown.
[[nodiscard]] std::optional<TableView> parse_lease_table(const LeaseTableBytes& bytes);

}  // namespace larder::format
