// SPDX-License-Identifier: MIT
#include "cache/lease_table.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "os/clock.hpp"
#include "os/file_lock.hpp"
#include "os/mapping.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

using format::LeaseTableBytes;

/// A word of a table. The owner writes it in one store, because other processes read it meanwhile.
using SharedWord = std::atomic_ref<format::TableWord>;
static_assert(SharedWord::is_always_lock_free);

/// Fills `to` with the text, cut to fit, and zeros. The last byte is always zero.
template <std::size_t size>
void copy_text(char (&to)[size], std::string_view text) {
    const auto length = std::min(text.size(), size - 1);
    std::memcpy(to, text.data(), length);
    std::memset(to + length, 0, size - length);
}

/// Sets the first clear bit among the lowest `count`, and returns its index. Returns nullopt if all
/// of them are set. Several threads may call it at once; each gets a bit of its own.
std::optional<std::size_t> take_bit(std::atomic<std::uint64_t>& bits, std::size_t count) noexcept {
    auto seen = bits.load(std::memory_order_relaxed);
    for (;;) {
        const auto index = static_cast<std::size_t>(std::countr_one(seen));
        if (index >= count) return std::nullopt;
        if (bits.compare_exchange_weak(seen, seen | std::uint64_t{1} << index,
                                       std::memory_order_acquire))
            return index;
    }
}

/// Clears a bit that take_bit has set. What this thread did before is seen by the next one that
/// takes the bit.
void clear_bit(std::atomic<std::uint64_t>& bits, std::size_t index) noexcept {
    bits.fetch_and(~(std::uint64_t{1} << index), std::memory_order_release);
}

/// Returns whether the owner may store to a mapping of the table. On file systems for which it
/// returns false, such a store can find no space, and then ends the process by SIGBUS.
bool may_be_mapped(const os::FileSystemTraits& traits) {
    return os::point("os.map-table") == 0 && traits.maps_without_space;
}

/// Returns the inode of the table by which a copy of it is known. Returns 0 if the file system may
/// give the file another one.
std::uint64_t number_of(const os::FileHandle& file, const os::FileSystemTraits& traits) {
    if (!traits.has_fixed_numbers) return 0;
    const auto info = os::try_stat(file);
    return info ? info->identity.inode : 0;
}

}  // namespace

std::uint64_t now_nanos() {
    const auto since_epoch = os::wall_time().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

/// The bytes that the owner works on: a shared mapping of the file, or a copy in memory.
class LeaseTable::TableMemory {
public:
    /// Maps the file, or makes a copy if it may not be mapped or the mapping is refused. The copy
    /// begins with zeros. Requires: the file is wiped, so that it and the copy agree.
    static Result<std::unique_ptr<TableMemory>> of(const os::FileHandle& file,
                                                   const os::FileSystemTraits& traits,
                                                   const std::filesystem::path& path) {
        std::optional<os::Mapping> mapping;
        if (may_be_mapped(traits)) {
            // If the mapping is refused, the table is written like those on other file systems.
            if (auto made = os::Mapping::map(file, sizeof(LeaseTableBytes), path))
                mapping = std::move(*made);
        }
        const bool is_stored_to = mapping.has_value();
        if (!mapping && traits.maps_keep_locks) {
            // No byte of this mapping is ever read. It keeps the lock if this process closes all
            // its descriptors.
            if (auto made = os::Mapping::map_to_read(file, sizeof(LeaseTableBytes), path))
                mapping = std::move(*made);
        }
        const bool keeps_lock = mapping && traits.maps_keep_locks;
        return std::unique_ptr<TableMemory>(
            new TableMemory(std::move(mapping), is_stored_to, keeps_lock));
    }

    /// Keeps the memory until this process ends or becomes another program: it is never deleted.
    static void hand_on(std::unique_ptr<TableMemory> memory) noexcept {
        TableMemory* const kept = memory.release();
        kept->handed_on_before_ = handed_on.load(std::memory_order_relaxed);
        while (!handed_on.compare_exchange_weak(
            kept->handed_on_before_, kept, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }

    LeaseTableBytes* bytes() noexcept {
        return copy_ ? copy_.get() : static_cast<LeaseTableBytes*>(mapping_->data());
    }

    /// Returns whether the owner works on the mapping, so that others see each store at once, and
    /// the owner sees theirs.
    [[nodiscard]] bool is_shared() const noexcept { return !copy_; }

    /// Returns whether the lock is held until this process ends or becomes another program.
    [[nodiscard]] bool keeps_lock() const noexcept { return keeps_lock_; }

    /// Lets other processes see what was stored in `part`, which is a part of bytes(). A mapping
    /// shows it at once; a copy is written to the file. Returns an error if the disk has no space
    /// for that.
    template <class Part>
    std::error_code show(const os::FileHandle& file, const Part& part) noexcept {
        if (!copy_) return {};
        if (const int error = os::point("os.write-table")) return {error, std::system_category()};
        const auto offset =
            reinterpret_cast<const char*>(&part) - reinterpret_cast<const char*>(copy_.get());
        return os::write_at(file, &part, sizeof part, static_cast<std::uint64_t>(offset));
    }

private:
    /// The last memory that was handed on; each one leads to the one before it. Nothing reads this
    /// list: by it, tools that look for leaks see that the memory is kept on purpose.
    static inline constinit std::atomic<TableMemory*> handed_on{nullptr};

    TableMemory(std::optional<os::Mapping> mapping, bool is_stored_to, bool keeps_lock)
        : mapping_(std::move(mapping)), keeps_lock_(keeps_lock) {
        if (!is_stored_to) copy_ = std::make_unique<LeaseTableBytes>();
    }

    std::optional<os::Mapping> mapping_;
    bool keeps_lock_;
    std::unique_ptr<LeaseTableBytes> copy_;    // null if the owner works on the mapping
    TableMemory* handed_on_before_ = nullptr;  // never deleted; see handed_on
};

namespace {

/// Reads the bytes of a table. Returns false if the file is shorter: a process is making it just
/// now, or has failed to make it, and it never held a lease.
Result<bool> read_bytes(const os::FileHandle& file, const std::filesystem::path& path,
                        LeaseTableBytes& bytes) {
    const auto size = read_shared(file, &bytes, sizeof bytes, 0);
    if (os::why_of(size) == Why::not_seekable)
        return fail(Errc::damaged, "read lease table", path, unknown_leases);
    if (!size) return os::fail(size.error(), "read lease table", path);
    return *size == sizeof bytes;
}

}  // namespace

os::CallResult<std::size_t> read_shared(const os::FileHandle& file, void* to, std::size_t size,
                                        std::size_t offset) noexcept {
    const auto got = os::read_at(file, to, size, offset);
    std::atomic_thread_fence(std::memory_order_acquire);
    return got;
}

Result<format::TableView> read_table(const os::FileHandle& file,
                                     const std::filesystem::path& path) {
    LeaseTableBytes bytes{};
    TRY_ASSIGN(const bool whole, read_bytes(file, path, bytes));
    if (!whole) return format::TableView{};
    auto view = format::parse_lease_table(bytes);
    if (!view) return fail(Errc::damaged, "read lease table", path, unknown_leases);
    return std::move(*view);
}

Result<format::TableView> read_damaged_table(const os::FileHandle& file,
                                             const std::filesystem::path& path) {
    LeaseTableBytes bytes{};
    TRY_ASSIGN(const bool whole, read_bytes(file, path, bytes));
    return whole ? format::parse_without_magic(bytes) : format::TableView{};
}

Result<> wipe_table(const os::FileHandle& file, const std::filesystem::path& path,
                    std::uint64_t head) {
    const auto wiped = std::make_unique<LeaseTableBytes>();
    wiped->ring.head = wiped->ring.settled = head;
    // The pid goes first, and with it what stands behind it. If the fields before it went first,
    // and this process died then, the old pid would be left alone. A process that has this pid now
    // would seem to own the table.
    constexpr std::size_t pid =
        offsetof(LeaseTableBytes, header) + offsetof(format::TableHeaderBytes, pid);
    const char* const bytes = reinterpret_cast<const char*>(wiped.get());
    std::error_code error = os::write_at(file, bytes + pid, sizeof *wiped - pid, pid);
    if (!error) error = os::write_at(file, bytes, pid, 0);
    if (error) return os::fail(error, "write lease table", path);
    return {};
}

Result<std::unique_ptr<LeaseTable>> LeaseTable::take(os::FileHandle file,
                                                     const std::filesystem::path& path,
                                                     std::uint64_t head) {
    os::write_in_place(file);
    // The zeros allocate the blocks. So a full disk is an error here, and not when a lease is
    // stored.
    TRY(wipe_table(file, path, head));
    const os::FileSystemTraits traits = os::traits_of(file);
    TRY_ASSIGN(auto memory, TableMemory::of(file, traits, path));
    auto table =
        std::unique_ptr<LeaseTable>(new LeaseTable(std::move(file), path, std::move(memory)));
    if (const std::error_code error = table->announce(traits))
        return os::fail(error, "write lease table", path);
    return table;
}

std::error_code LeaseTable::announce(const os::FileSystemTraits& traits) {
    auto& header = table_->header;
    const auto process = os::this_process();
    header.boot = process.boot;
    header.pid_namespace = process.pid_namespace;
    header.start = process.start;
    header.clock_offset = process.clock_offset;
    header.flags = (process.boot_is_real ? format::flag_boot_is_real : 0) |
                   (memory_->keeps_lock() ? format::flag_lock_tells : 0);
    header.file = number_of(file_, traits);
    header.since_nanos = now_nanos();
    copy_text(header.command, os::this_command());
    // The pid comes last: once it is there, so is what tells which process has it. If this process
    // dies before that, the table is free.
    SharedWord(header.magic).store(format::lease_table_magic, std::memory_order_release);
    std::error_code error = memory_->show(file_, header);
    SharedWord(header.pid)
        .store(static_cast<std::uint64_t>(process.pid), std::memory_order_release);
    if (!error) error = memory_->show(file_, header.pid);
    return error;
}

LeaseTable::LeaseTable(os::FileHandle file, std::filesystem::path path,
                       std::unique_ptr<TableMemory> memory)
    : file_(std::move(file)),
      path_(std::move(path)),
      memory_(std::move(memory)),
      table_(memory_->bytes()),
      owner_(os::process_token()) {
    if (memory_->is_shared()) ring_.emplace(table_->ring);
}

LeaseTable::~LeaseTable() {
    if (owner_ != os::process_token()) return;
    if (handed_on_) {
        // The lock stays with this process, and with each one that has inherited the file. If this
        // fails, the lock does not tell, and doubt is on the side of the lease.
        if (memory_->keeps_lock()) (void)set_lock_tells(true);
        (void)file_.release();
        TableMemory::hand_on(std::move(memory_));
        return;
    }
    SharedWord(table_->header.pid).store(0, std::memory_order_release);
    // If this fails, the table still names this process. A collector reaps it once this process has
    // ended.
    (void)memory_->show(file_, table_->header.pid);
    // Closing the file may not release the lock, because a forked child may share the open file. So
    // unlock it.
    (void)os::unlock(file_, {});
}

std::optional<Slot> LeaseTable::acquire() noexcept {
    release_again();
    for (std::size_t word = 0; word < taken_.size(); ++word) {
        if (const auto bit = take_bit(taken_[word], 64)) return Slot{this, word * 64 + *bit};
    }
    return std::nullopt;
}

std::error_code LeaseTable::store(const Slot& slot, const format::Id& id) noexcept {
    // The two words are stored one after the other, so a collector may read one old and one new
    // word. That is harmless. Such a collector reads before the fence below, and has listed the
    // retired links before that. If the entry's link is in its list, the link has left its bucket
    // before the fence. The caller reads the link after the fence, does not find it, and takes no
    // lease. Two words that look like the id of another entry only spare that entry until the next
    // collection.
    format::TableId& words = table_->slots[slot.index];
    SharedWord(words.high).store(id.high, std::memory_order_relaxed);
    SharedWord(words.low).store(id.low, std::memory_order_relaxed);
    const std::error_code error = memory_->show(file_, words);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return error;
}

bool LeaseTable::clear(std::size_t index) noexcept {
    format::TableId& words = table_->slots[index];
    // The order is `release`: this thread has read the entry's files before a collector can see
    // that the slot is clear.
    SharedWord(words.high).store(0, std::memory_order_release);
    SharedWord(words.low).store(0, std::memory_order_release);
    return !memory_->show(file_, words);
}

bool LeaseTable::release(const Slot& slot) noexcept {
    const auto word = slot.index / 64, bit = slot.index % 64;
    if (clear(slot.index)) {
        clear_bit(taken_[word], bit);
        return true;
    }
    unreleased_[word].fetch_or(std::uint64_t{1} << bit, std::memory_order_relaxed);
    return false;
}

bool LeaseTable::release_again() noexcept {
    bool all = true;
    for (std::size_t word = 0; word < unreleased_.size(); ++word) {
        if (unreleased_[word].load(std::memory_order_relaxed) == 0) continue;
        auto mine = unreleased_[word].exchange(0, std::memory_order_relaxed);
        for (; mine != 0; mine &= mine - 1) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(mine));
            all = release({this, word * 64 + bit}) && all;
        }
    }
    return all;
}

std::optional<std::size_t> LeaseTable::begin_activity(const ShownActivity& shown) noexcept {
    const auto index = take_bit(busy_activities_, format::activities_per_table);
    if (!index) return std::nullopt;
    auto& activity = table_->activities[*index];
    // The lock's number is stored last, and cleared first, so that a reader sees it with the fields
    // of the same activity. But a table is read without a lock and not at one instant. So what must
    // be certain, a circle of builds, is read twice.
    SharedWord(activity.kind)
        .store(static_cast<std::uint64_t>(shown.kind), std::memory_order_relaxed);
    activity.thread = static_cast<std::uint64_t>(os::this_thread());
    activity.since_nanos = shown.since_nanos;
    copy_text(activity.label, shown.label);
    std::error_code error = memory_->show(file_, activity);
    SharedWord(activity.lock).store(shown.lock, std::memory_order_release);
    if (!error) error = memory_->show(file_, activity.lock);
    if (!error) return index;
    end_activity(*index);
    return std::nullopt;
}

void LeaseTable::set_holding(std::size_t activity) noexcept {
    auto& kind = table_->activities[activity].kind;
    SharedWord(kind).store(static_cast<std::uint64_t>(format::ActivityView::Kind::holds),
                           std::memory_order_release);
    // If this fails, the thread still seems to wait for a lock that no thread seems to hold. That
    // makes no circle, because a circle needs a holder for each wait.
    (void)memory_->show(file_, kind);
}

void LeaseTable::end_activity(std::size_t activity) noexcept {
    auto& lock = table_->activities[activity].lock;
    SharedWord(lock).store(0, std::memory_order_release);
    (void)memory_->show(file_, lock);  // if this fails, other processes still see the activity
    clear_bit(busy_activities_, activity);
}

std::error_code LeaseTable::set_lock_tells(bool tells) noexcept {
    // Only hand_on and the destructor change the flags, and Participant calls hand_on of one table
    // by one thread at a time.
    const std::uint64_t others = table_->header.flags & ~format::flag_lock_tells;
    SharedWord(table_->header.flags)
        .store(others | (tells ? format::flag_lock_tells : 0), std::memory_order_release);
    return memory_->show(file_, table_->header.flags);
}

Result<> LeaseTable::hand_on() {
    if (handed_on_) return {};
    // The flag goes first. The program may close the descriptor, and the mapping does not outlive
    // an execve.
    std::error_code error = set_lock_tells(false);
    if (!error) error = os::keep_across_exec(file_);
    if (error) return os::fail(error, "hand on the lease table", path_);
    handed_on_ = true;
    return {};
}

bool LeaseTable::is_deleted() const noexcept {
    const auto info = os::try_stat(file_);
    return info && info->links == 0;
}

}  // namespace larder::cache
