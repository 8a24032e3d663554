// SPDX-License-Identifier: MIT
#include "cache/lease_table.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "os/file_lock.hpp"
#include "os/file_system.hpp"
#include "os/mapping.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

constexpr std::uint64_t magic = 0x31'6c'62'74'64'72'61'6cU;  // "lardtbl1" in a little-endian file
constexpr std::uint32_t flag_handed_on = 1;
constexpr std::size_t activities_per_table = 56;

/// A word that both the owner and readers of the file use whole. Torn *pairs* of words are
/// harmless; see store().
using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8);

struct Header {
    Word magic;
    std::atomic<std::uint32_t> flags;
    std::uint32_t reserved;
    os::BootId boot;
    std::uint64_t pid_namespace;
    std::uint64_t start;
    Word pid;  ///< written last and cleared first: 0 means that nobody has this table
    std::uint64_t since_nanos;
    char command[448];
};
static_assert(sizeof(Header) == 512);

struct Activity {
    Word lock;  ///< written last and cleared first: 0 means unused
    std::atomic<std::uint64_t> waiting;
    std::uint64_t thread;
    std::uint64_t since_nanos;
    char label[32];
};
static_assert(sizeof(Activity) == 64);

struct SlotWords {
    Word high;
    Word low;
};

std::uint64_t now_nanos() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

template <std::size_t size>
void copy_text(char (&to)[size], std::string_view text) {
    const auto length = std::min(text.size(), size - 1);
    std::memcpy(to, text.data(), length);
    std::memset(to + length, 0, size - length);
}

/// From a buffer that anybody may have written: it need not end with a zero.
template <std::size_t size>
std::string text_of(const char (&from)[size]) {
    return std::string(from, std::find(from, from + size, '\0'));
}

/// Sets the first clear bit among the lowest `count`.
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

void clear_bit(std::atomic<std::uint64_t>& bits, std::size_t index) noexcept {
    bits.fetch_and(~(std::uint64_t{1} << index), std::memory_order_release);
}

}  // namespace

struct LeaseTable::Table {
    Header header;
    std::array<Activity, activities_per_table> activities;
    std::array<SlotWords, slots_per_table> slots;
};

namespace {

struct TableImage {  // the same, as plain bytes
    struct {
        std::uint64_t magic;
        std::uint32_t flags, reserved;
        os::BootId boot;
        std::uint64_t pid_namespace, start, pid, since_nanos;
        char command[448];
    } header;
    struct {
        std::uint64_t lock, waiting, thread, since_nanos;
        char label[32];
    } activities[activities_per_table];
    format::Id slots[slots_per_table];
};
constexpr std::size_t table_size = sizeof(TableImage);
static_assert(table_size == 2 * 4096);

/// Whether the word is the magic, or what is left where writing or wiping it was cut short: some of
/// its bytes are still, or again, zeros. Nobody has announced himself behind that, or the process
/// that had is dead.
bool is_magic_or_part_of_it(std::uint64_t word) noexcept {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const auto byte = word >> shift & 0xff;
        if (byte != 0 && byte != (magic >> shift & 0xff)) return false;
    }
    return true;
}

/// Whether the table may be mapped: else a store to it could be a SIGBUS where there is no space.
bool may_be_mapped(const os::FileHandle& file) {
    return os::point("os.map-table") == 0 && os::traits_of(file).maps_without_space;
}

}  // namespace

/// The owner's view of the file: a shared mapping, or its own copy, whose changes it writes.
class LeaseTable::Memory {
public:
    static Result<std::unique_ptr<Memory>> of(const os::FileHandle& file,
                                              const std::filesystem::path& path) {
        std::optional<os::Mapping> mapping;
        if (may_be_mapped(file)) {
            TRY_ASSIGN(mapping, os::Mapping::map(file, table_size, path));
        }
        return std::unique_ptr<Memory>(new Memory(std::move(mapping)));
    }
    Table* get() noexcept { return mapping_ ? static_cast<Table*>(mapping_->data()) : copy_.get(); }

    /// Lets others see what was stored in `part`, a part of the table. Returns the error where the
    /// file system has no space for that.
    template <class Part>
    std::error_code show(const os::FileHandle& file, const Part& part) noexcept {
        if (mapping_) return {};
        if (const int error = os::point("os.write-table")) return {error, std::system_category()};
        const auto offset =
            reinterpret_cast<const char*>(&part) - reinterpret_cast<const char*>(copy_.get());
        return os::write_at(file, &part, sizeof part, static_cast<std::uint64_t>(offset));
    }

private:
    explicit Memory(std::optional<os::Mapping> mapping) : mapping_(std::move(mapping)) {
        if (!mapping_) copy_ = std::make_unique<Table>();
    }

    std::optional<os::Mapping> mapping_;
    std::unique_ptr<Table> copy_;
};

Result<TableView> read_table(const os::FileHandle& file, const std::filesystem::path& path) {
    TableImage image{};
    const auto size = os::read_at(file, &image, table_size, 0);
    if (os::why_of(size) == Why::not_seekable)
        return fail(Errc::damaged, "read lease table", path, "not a file");
    if (!size) return os::fail(size.error(), "read lease table", path);
    TableView view;
    if (*size < table_size)
        return view;  // being made, or left when making it failed: it has never held a lease
    const auto& header = image.header;
    if (!is_magic_or_part_of_it(header.magic)) {
        return fail(Errc::damaged, "read lease table", path,
                    "not a table of this version: what it leases is unknown");
    }
    view.announced = header.pid != 0;
    view.process = {header.boot, header.pid_namespace, header.start,
                    static_cast<std::int64_t>(header.pid)};
    view.handed_on = (header.flags & flag_handed_on) != 0;
    view.since_nanos = header.since_nanos;
    view.command = text_of(header.command);
    for (const auto& activity : image.activities) {
        if (activity.lock == 0) continue;
        view.activities.push_back({activity.waiting != 0,
                                   static_cast<std::int64_t>(activity.thread), activity.since_nanos,
                                   activity.lock, text_of(activity.label)});
    }
    // Also where nobody is announced: a process takes its table, and may lease, at any instant
    // while this is read.
    for (const auto& slot : image.slots) {
        if (slot) view.leases.push_back(slot);
    }
    return view;
}

Result<> wipe_table(const os::FileHandle& file, const std::filesystem::path& path) {
    static const std::array<char, table_size> zeros{};
    // First who has it, then what tells his process from another that has the pid now.
    constexpr std::size_t pid = offsetof(decltype(TableImage::header), pid);
    std::error_code error = os::write_at(file, zeros.data(), table_size - pid, pid);
    if (!error) error = os::write_at(file, zeros.data(), pid, 0);
    if (error) return os::fail(error, "write lease table", path);
    return {};
}

Result<std::unique_ptr<LeaseTable>> LeaseTable::take(os::FileHandle file,
                                                     const std::filesystem::path& path) {
    os::write_in_place(file);
    TRY(wipe_table(file, path));
    TRY_ASSIGN(auto memory, Memory::of(file, path));
    auto table =
        std::unique_ptr<LeaseTable>(new LeaseTable(std::move(file), path, std::move(memory)));
    auto& header = table->table_->header;
    const auto process = os::this_process();
    header.boot = process.boot;
    header.pid_namespace = process.pid_namespace;
    header.start = process.start;
    header.since_nanos = now_nanos();
    copy_text(header.command, os::this_command());
    header.magic.store(magic, std::memory_order_release);
    std::error_code error = table->memory_->show(table->file_, header);
    header.pid.store(static_cast<std::uint64_t>(process.pid), std::memory_order_release);
    if (!error) error = table->memory_->show(table->file_, header.pid);
    if (error) return os::fail(error, "write lease table", path);
    return table;
}

LeaseTable::LeaseTable(os::FileHandle file, std::filesystem::path path,
                       std::unique_ptr<Memory> memory)
    : file_(std::move(file)),
      path_(std::move(path)),
      memory_(std::move(memory)),
      table_(memory_->get()),
      owner_(os::process_token()) {}

LeaseTable::~LeaseTable() {
    if (owner_ != os::process_token()) return;
    table_->header.pid.store(0, std::memory_order_release);
    (void)memory_->show(
        file_,
        table_->header.pid);  // else the next collector finds out that nobody has it, by the lock
    // Explicitly, since a forked child may hold the same open file, and with it the lock.
    (void)os::unlock(file_, path_);
}

std::optional<Slot> LeaseTable::acquire() noexcept {
    // All of them, since what is leased must end also where there are free slots before it.
    for (std::size_t word = 0; word < unreleased_.size(); ++word) release_again(word);
    for (std::size_t word = 0; word < taken_.size(); ++word) {
        if (const auto bit = take_bit(taken_[word], 64)) return Slot{this, word * 64 + *bit};
    }
    return std::nullopt;
}

std::error_code LeaseTable::store(const Slot& slot, const format::Id& id) noexcept {
    // The two words are not stored as one, so a collector may read a torn id. That is harmless: it
    // read before the fence below, so the link that the holder reads after the fence had left its
    // bucket by then (collectors list the links first), and the holder will not take the lease.
    // Half an id that looks like another one merely spares that one for a round.
    auto& words = table_->slots[slot.index];
    words.high.store(id.high, std::memory_order_relaxed);
    words.low.store(id.low, std::memory_order_relaxed);
    const std::error_code error = memory_->show(file_, words);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return error;
}

bool LeaseTable::clear(std::size_t index) noexcept {
    auto& words = table_->slots[index];
    // Release: what was read from the entry was read before the collector can see this.
    words.high.store(0, std::memory_order_release);
    words.low.store(0, std::memory_order_release);
    return !memory_->show(file_, words);
}

void LeaseTable::release(const Slot& slot) noexcept {
    const auto word = slot.index / 64, bit = slot.index % 64;
    if (clear(slot.index)) {
        clear_bit(taken_[word], bit);
    } else {
        unreleased_[word].fetch_or(std::uint64_t{1} << bit, std::memory_order_relaxed);
    }
}

void LeaseTable::release_again(std::size_t word) noexcept {
    if (unreleased_[word].load(std::memory_order_relaxed) == 0) return;
    auto mine = unreleased_[word].exchange(0, std::memory_order_relaxed);
    for (; mine != 0; mine &= mine - 1)
        release({this, word * 64 + static_cast<std::size_t>(std::countr_zero(mine))});
}

std::optional<std::size_t> LeaseTable::begin_activity(std::uint64_t lock, std::string_view label,
                                                      bool waiting) noexcept {
    const auto index = take_bit(busy_activities_, activities_per_table);
    if (!index) return std::nullopt;
    auto& activity = table_->activities[*index];
    activity.waiting.store(waiting ? 1 : 0, std::memory_order_relaxed);
    activity.thread = static_cast<std::uint64_t>(os::this_thread());
    activity.since_nanos = now_nanos();
    copy_text(activity.label, label);
    std::error_code error = memory_->show(file_, activity);
    activity.lock.store(lock, std::memory_order_release);
    if (!error) error = memory_->show(file_, activity.lock);
    if (!error) return index;
    end_activity(*index);
    return std::nullopt;
}

void LeaseTable::set_holding(std::size_t activity) noexcept {
    auto& waiting = table_->activities[activity].waiting;
    waiting.store(0, std::memory_order_release);
    (void)memory_->show(
        file_, waiting);  // else it seems to wait for what nobody has: no circle goes through it
}

void LeaseTable::end_activity(std::size_t activity) noexcept {
    auto& lock = table_->activities[activity].lock;
    lock.store(0, std::memory_order_release);
    (void)memory_->show(file_, lock);  // else others name it for a while, or longer
    clear_bit(busy_activities_, activity);
}

Result<> LeaseTable::hand_on() {
    if (const std::error_code error = os::keep_across_exec(file_))
        return os::fail(error, "hand on the lease table", path_);
    auto& shared = table_->header.flags;
    shared.fetch_or(flag_handed_on, std::memory_order_release);
    if (const std::error_code error = memory_->show(file_, shared))
        return os::fail(error, "hand on the lease table", path_);
    return {};
}

bool LeaseTable::is_deleted() const noexcept {
    const auto info = os::try_stat(file_);
    return info && info->links == 0;
}

}  // namespace larder::cache
