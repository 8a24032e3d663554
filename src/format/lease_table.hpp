// SPDX-License-Identifier: MIT
// The bytes of a lease table, the file `participants/<n>`. It says who uses the cache, what that
// process holds and waits for, which entries it has leased, and which ones it has used.
//
// All numbers are little-endian on every machine: programs for two kinds of
// processors may use one cache at once, through an emulator, and a disk may go to another machine.
//
//   page 0   a header of 512 bytes, then 56 activities of 64 bytes
//   page 1   256 slots of 16 bytes, each an id or zero
//   page 2   the ring of uses, which fills page 3 too: two words, then 511 ids
//
// A file that is shorter than a table has never held a lease.
#pragma once

#include <boost/endian/arithmetic.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/id.hpp"
#include "os/process.hpp"

namespace larder::format {

inline constexpr std::size_t activities_per_table = 56, slots_per_table = 256;
/// How many uses a ring holds: those of a whole installation, in whole pages.
inline constexpr std::size_t uses_per_table = 511;

/// "lardtbl2" in the file.
inline constexpr std::uint64_t lease_table_magic = 0x32'6c'62'74'64'72'61'6cU;
/// Bits of TableHeaderBytes::flags. The first one: if the lock of the table is free, the process
/// has ended, or has become another program without having handed on its leases.
inline constexpr std::uint64_t flag_lock_tells = 1;
/// See os::ProcessIdentity::boot_is_real.
inline constexpr std::uint64_t flag_boot_is_real = 2;

/// A number in a table.
using TableWord = boost::endian::little_uint64_at;

/// An id in a table; two zeros mean that there is none.
struct TableId {
    TableWord high, low;

    [[nodiscard]] Id id() const noexcept { return {high, low}; }
};

/// Who has the table, or had it last. The fields of the process are those of os::ProcessIdentity.
struct TableHeaderBytes {
    TableWord magic;
    TableWord flags;  ///< the bits above
    os::BootId boot;
    TableWord pid_namespace;
    TableWord start;
    TableWord pid;  ///< written last and cleared first: 0 means that no process has this table
    TableWord since_nanos;  ///< when the process took the table, since 1970
    char command[432];      ///< its command line, for people; cut, and filled with zeros
    boost::endian::little_int64_at clock_offset;
    TableWord file;  ///< the inode of the table; 0 if the file system may change it
};

/// What a thread has to do with a lock.
struct ActivityBytes {
    TableWord lock;  ///< written last and cleared first: 0 means unused
    TableWord kind;  ///< an ActivityView::Kind
    TableWord thread;
    TableWord since_nanos;
    char label[32];
};

/// The uses that the owner has written, and that are not in the times of the links yet. They are
/// counted from 1, through all owners of the table. The use `n` stands at (n - 1) modulo
/// uses_per_table.
struct RingBytes {
    TableWord head;     ///< how many uses were written; stored after the use itself
    TableWord settled;  ///< those up to this one are settled
    TableId uses[uses_per_table];
};

/// The whole table. The owner writes one word of 8 bytes at a time, so a reader sees each word
/// whole. A reader may see one old and one new word of an id, which is harmless: see
/// LeaseTable::store in cache/lease_table.cpp.
struct LeaseTableBytes {
    TableHeaderBytes header;
    ActivityBytes activities[activities_per_table];
    TableId slots[slots_per_table];
    RingBytes ring;
};
static_assert(sizeof(TableHeaderBytes) == 512 && sizeof(ActivityBytes) == 64);
static_assert(offsetof(LeaseTableBytes, slots) == 4096);
static_assert(offsetof(LeaseTableBytes, ring) == 2 * 4096 && sizeof(LeaseTableBytes) == 4 * 4096);

/// An activity as another process reads it.
struct ActivityView {
    enum class Kind : std::uint64_t {
        holds,
        waits,
        /// Another process holds the lock of a build, and has started this one for that build.
        /// `since_nanos` is that of the other process's activity.
        works_for,
    };
    Kind kind = Kind::holds;
    std::int64_t thread = 0;
    std::uint64_t since_nanos = 0;  ///< since 1970
    std::uint64_t lock = 0;         ///< a number for the lock, the same in every process
    std::string label;              ///< "bucket wheels-v1"; cut to 31 bytes; for people
};

/// A table as another process reads it. Its words may be read at different instants.
struct TableView {
    bool announced = false;  ///< a process has it, or had it and died without clearing the pid
    os::ProcessIdentity process;
    bool lock_tells = false;  ///< see flag_lock_tells
    std::uint64_t file = 0;   ///< the inode of the table as its owner saw it; 0 if unknown
    std::uint64_t since_nanos = 0;
    std::string command;
    std::vector<ActivityView> activities;
    std::vector<Id> leases;
    std::uint64_t head = 0;  ///< of the ring
    std::vector<Id> uses;    ///< those in the ring that are not settled, the oldest first
};

/// Returns the ids of the uses after `settled` up to `head`, the oldest first. Leaves out those
/// that the ring holds no more. The numbers may be any: then the result has ids that stand in the
/// ring.
[[nodiscard]] std::vector<Id> uses_between(const RingBytes& ring, std::uint64_t settled,
                                           std::uint64_t head);

/// Parses the bytes of a whole table, which any program may have written. Returns nullopt if they
/// do not have the format of this version. Then the leases in the table are unknown.
[[nodiscard]] std::optional<TableView> parse_lease_table(const LeaseTableBytes& bytes);
/// Parses the bytes as a table even if the magic says that they are none. A repair finds out in
/// this way which process had the table. The leases in the result may be any bytes: protect nothing
/// by them, and delete nothing.
[[nodiscard]] TableView parse_without_magic(const LeaseTableBytes& bytes);

}  // namespace larder::format
