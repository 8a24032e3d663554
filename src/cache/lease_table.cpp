// SPDX-License-Identifier: MIT
#include "cache/lease_table.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <bit>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "os/file_lock.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

constexpr std::uint64_t magic = 0x31'6c'62'74'64'72'61'6cU;  // "lardtbl1" in a little-endian file
constexpr std::uint32_t flag_handed_on = 1;
constexpr std::size_t activities_per_table = 56;

/// A word that both the owner and readers of the file use whole. Torn *pairs* of words are harmless; see store().
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
    return std::string(from, ::strnlen(from, size));
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

/// Reads what there is; how much, is the result.
Result<std::size_t> read_image(int fd, TableImage& image, const std::filesystem::path& path) {
    std::size_t got = 0;
    auto* bytes = reinterpret_cast<char*>(&image);
    while (got < table_size) {
        const ssize_t more = os::retry(
            [&] { return ::pread(fd, bytes + got, table_size - got, static_cast<off_t>(got)); });
        if (more < 0 && errno == ESPIPE)
            return fail(Errc::damaged, "read lease table", path, "not a file");
        if (more < 0) return os::fail(errno, "read lease table", path);
        if (more == 0) break;
        got += static_cast<std::size_t>(more);
    }
    return got;
}

/// All of it, or an error: a write may store less than it is given.
bool write_at(int fd, const void* bytes, std::size_t size, std::size_t offset) noexcept {
    for (std::size_t put = 0; put < size;) {
        const auto* rest = static_cast<const char*>(bytes) + put;
        const ssize_t more = os::retry(
            [&] { return ::pwrite(fd, rest, size - put, static_cast<off_t>(offset + put)); });
        if (more == 0) errno = ENOSPC;
        if (more <= 0) return false;
        put += static_cast<std::size_t>(more);
    }
    return true;
}

/// Whether the word is the magic, or what is left where writing or wiping it was cut short: some of its bytes are still, or again, zeros.
/// Nobody has announced himself behind that, or the process that had is dead.
bool is_magic_or_part_of_it(std::uint64_t word) noexcept {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        const auto byte = word >> shift & 0xff;
        if (byte != 0 && byte != (magic >> shift & 0xff)) return false;
    }
    return true;
}

/// Whether a store to a mapping of an allocated file needs nothing of the file system. One that copies on write, or logs, needs space, of the
/// disk or for its own records, and where there is none the store is a SIGBUS; a write fails with an error. btrfs is one; the others are
/// not known, or not known well enough.
bool maps_without_space(int fd) {
    if (os::point("os.map-table") != 0) return false;
#ifdef __linux__
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0) return false;
    switch (static_cast<unsigned long>(status.f_type)) {
        case EXT4_SUPER_MAGIC:  // and ext2, ext3
        case XFS_SUPER_MAGIC:
        case TMPFS_MAGIC:
        case RAMFS_MAGIC:
            return true;
        default:
            return false;
    }
#else
    (void)fd;
    return true;
#endif
}

/// A file system that copies on write needs space for each write, also to a file that is allocated. btrfs leaves a file where it is if asked
/// while it is empty; others don't know the flag.
void write_in_place(int fd) {
#ifdef __linux__
    int flags = 0;
    struct stat status {};
    if (::fstat(fd, &status) != 0 || status.st_size != 0 ||
        ::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags |= FS_NOCOW_FL;
    (void)::ioctl(fd, FS_IOC_SETFLAGS, &flags);
#else
    (void)fd;
#endif
}

/// mapped_region asks for something that knows a descriptor; file_mapping would open a path, and work through none of our handles.
struct Mappable {
    int fd;
    [[nodiscard]] boost::interprocess::mapping_handle_t get_mapping_handle() const noexcept {
        return boost::interprocess::ipcdetail::mapping_handle_from_file_handle(fd);
    }
};

}  // namespace

/// The owner's view of the file: a shared mapping, or its own copy, whose changes it writes.
class LeaseTable::Memory {
public:
    explicit Memory(int fd) : fd_(fd) {
        if (maps_without_space(fd)) {
            region_.emplace(Mappable{fd}, boost::interprocess::read_write, 0, table_size);
        } else {
            copy_ = std::make_unique<Table>();
        }
    }
    Table* get() noexcept {
        return region_ ? static_cast<Table*>(region_->get_address()) : copy_.get();
    }

    /// Lets others see what was stored in `part`, a part of the table. False where the file system has no space for that.
    template <class Part>
    bool show(const Part& part) noexcept {
        if (region_) return true;
        if (const int error = os::point("os.write-table")) return errno = error, false;
        const auto offset =
            reinterpret_cast<const char*>(&part) - reinterpret_cast<const char*>(copy_.get());
        return write_at(fd_, &part, sizeof part, static_cast<std::size_t>(offset));
    }

private:
    int fd_;
    std::optional<boost::interprocess::mapped_region> region_;
    std::unique_ptr<Table> copy_;
};

Result<TableView> read_table(int fd, const std::filesystem::path& path) {
    TableImage image{};
    TRY_ASSIGN(const std::size_t size, read_image(fd, image, path));
    TableView view;
    if (size < table_size)
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
    // Also where nobody is announced: a process takes its table, and may lease, at any instant while this is read.
    for (const auto& slot : image.slots) {
        if (slot) view.leases.push_back(slot);
    }
    return view;
}

Result<> wipe_table(int fd, const std::filesystem::path& path) {
    static const std::array<char, table_size> zeros{};
    // First who has it, then what tells his process from another that has the pid now.
    constexpr std::size_t pid = offsetof(decltype(TableImage::header), pid);
    if (!write_at(fd, zeros.data(), table_size - pid, pid) || !write_at(fd, zeros.data(), pid, 0)) {
        return os::fail(errno, "write lease table", path);
    }
    return {};
}

Result<std::unique_ptr<LeaseTable>> LeaseTable::take(os::Fd fd, const std::filesystem::path& path) {
    write_in_place(fd.get());
    TRY(wipe_table(fd.get(), path));
    std::unique_ptr<Memory> memory;
    try {
        memory = std::make_unique<Memory>(fd.get());
    } catch (const boost::interprocess::interprocess_exception& exception) {
        return os::fail(exception.get_native_error(), "map lease table", path);
    }
    auto table =
        std::unique_ptr<LeaseTable>(new LeaseTable(std::move(fd), path, std::move(memory)));
    auto& header = table->table_->header;
    const auto process = os::this_process();
    header.boot = process.boot;
    header.pid_namespace = process.pid_namespace;
    header.start = process.start;
    header.since_nanos = now_nanos();
    copy_text(header.command, os::this_command());
    header.magic.store(magic, std::memory_order_release);
    bool shown = table->memory_->show(header);
    header.pid.store(static_cast<std::uint64_t>(process.pid), std::memory_order_release);
    shown = shown && table->memory_->show(header.pid);
    if (!shown) return os::fail(errno, "write lease table", path);
    return table;
}

LeaseTable::LeaseTable(os::Fd fd, std::filesystem::path path, std::unique_ptr<Memory> memory)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      memory_(std::move(memory)),
      table_(memory_->get()),
      owner_(os::process_token()) {}

LeaseTable::~LeaseTable() {
    if (owner_ != os::process_token()) return;
    table_->header.pid.store(0, std::memory_order_release);
    (void)memory_->show(
        table_->header.pid);  // else the next collector finds out that nobody has it, by the lock
    // Explicitly, since a forked child may hold the same open file, and with it the lock.
    (void)os::unlock_fd(fd_.get(), path_);
}

std::optional<Slot> LeaseTable::acquire() noexcept {
    // All of them, since what is leased must end also where there are free slots before it.
    for (std::size_t word = 0; word < unreleased_.size(); ++word) release_again(word);
    for (std::size_t word = 0; word < taken_.size(); ++word) {
        if (const auto bit = take_bit(taken_[word], 64)) return Slot{this, word * 64 + *bit};
    }
    return std::nullopt;
}

bool LeaseTable::store(const Slot& slot, const format::Id& id) noexcept {
    // The two words are not stored as one, so a collector may read a torn id. That is harmless: it read before the fence below, so
    // the link that the holder reads after the fence had left its bucket by then (collectors list the links first), and the
    // holder will not take the lease. Half an id that looks like another one merely spares that one for a round.
    auto& words = table_->slots[slot.index];
    words.high.store(id.high, std::memory_order_relaxed);
    words.low.store(id.low, std::memory_order_relaxed);
    const bool shown = memory_->show(words);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return shown;
}

bool LeaseTable::clear(std::size_t index) noexcept {
    auto& words = table_->slots[index];
    // Release: what was read from the entry was read before the collector can see this.
    words.high.store(0, std::memory_order_release);
    words.low.store(0, std::memory_order_release);
    return memory_->show(words);
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
    bool shown = memory_->show(activity);
    activity.lock.store(lock, std::memory_order_release);
    shown = shown && memory_->show(activity.lock);
    if (shown) return index;
    end_activity(*index);
    return std::nullopt;
}

void LeaseTable::set_holding(std::size_t activity) noexcept {
    auto& waiting = table_->activities[activity].waiting;
    waiting.store(0, std::memory_order_release);
    (void)memory_->show(
        waiting);  // else it seems to wait for what nobody has: no circle goes through it
}

void LeaseTable::end_activity(std::size_t activity) noexcept {
    auto& lock = table_->activities[activity].lock;
    lock.store(0, std::memory_order_release);
    (void)memory_->show(lock);  // else others name it for a while, or longer
    clear_bit(busy_activities_, activity);
}

Result<> LeaseTable::hand_on() {
    const int flags = ::fcntl(fd_.get(), F_GETFD);
    if (flags < 0 || ::fcntl(fd_.get(), F_SETFD, flags & ~FD_CLOEXEC) != 0)
        return os::fail(errno, "hand on the lease table", path_);
    auto& shared = table_->header.flags;
    shared.fetch_or(flag_handed_on, std::memory_order_release);
    if (!memory_->show(shared)) return os::fail(errno, "hand on the lease table", path_);
    return {};
}

bool LeaseTable::is_deleted() const noexcept {
    struct stat status {};
    return ::fstat(fd_.get(), &status) == 0 && status.st_nlink == 0;
}

}  // namespace larder::cache
