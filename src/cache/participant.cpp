// SPDX-License-Identifier: MIT
#include "cache/participant.hpp"

#include <algorithm>
#include <optional>

#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/file_lock.hpp"
#include "os/file_system.hpp"
#include "os/points.hpp"
#include "tree/remove.hpp"

namespace larder::cache {

bool is_copy(const os::FileHandle& file, const format::TableView& table) {
    if (table.file == 0 || !os::traits_of(file).has_fixed_numbers) return false;
    const auto info = os::try_stat(file);
    return info && info->identity.inode != table.file;
}

namespace {

/// Returns how many tables there are. While the cache is used no table is unlinked, so their
/// numbers have no gaps, and doubling and then halving finds the end in few steps. A table that was
/// deleted by hand, or by a destroy that gives the cache back, makes the result too small. That
/// costs tries, and does no harm.
std::uint32_t pool_size(const os::Dir& participants) {
    // A table at which no look is possible ends the pool here. A join then opens that table as if
    // it were new, and its lock decides who has it.
    const auto exists = [&](std::uint32_t number) {
        return os::exists_at(participants, format::participant_name(number)).value_or(false);
    };
    if (!exists(0)) return 0;
    // The table `last_seen` exists, and `first_missing` does not. A file system that shows each
    // name must not keep this process for ever, so there the pool ends at a number that no pool
    // has: far more processes than a machine can run.
    constexpr std::uint32_t most = 1U << 30U;
    std::uint32_t last_seen = 0, first_missing = 1;
    while (first_missing < most && exists(first_missing)) {
        last_seen = first_missing;
        first_missing *= 2;
    }
    while (first_missing - last_seen > 1) {
        const std::uint32_t middle = last_seen + (first_missing - last_seen) / 2;
        (exists(middle) ? last_seen : first_missing) = middle;
    }
    return first_missing;
}

/// Returns whether a staging area holds what was staged in this boot. If its table was deleted, no
/// process can tell whether the one that stages there lives.
Result<bool> has_staged_in_this_boot(const os::Dir& staging, const std::string& number) {
    const auto area = os::open_dir_at(staging, number);
    if (has_no_directory(area)) return false;
    TRY(area);
    bool has_any = false;
    TRY(os::for_each_name(*area, [&](const std::string& name, os::FileKind) -> Result<> {
        const auto staged = format::parse_staged_name(name);
        if (staged && format::is_of_this_boot(staged->id)) has_any = true;
        return {};
    }));
    return has_any;
}

}  // namespace

Result<WithoutTable> is_without_table(const ParticipantDirs& places, const std::string& name) {
    if (os::exists_at(places.participants, name).value_or(true)) return WithoutTable::no;
    TRY_ASSIGN(const bool is_kept, has_staged_in_this_boot(places.staging, name));
    return is_kept ? WithoutTable::kept : WithoutTable::dead;
}

namespace {

/// Settles the uses that a dead process has left in the ring of its table. Those in a copy belong
/// to another cache.
void settle_ring(const os::FileHandle& file, const format::TableView& table, const Reaper& reap) {
    if (table.uses.empty() || is_copy(file, table)) return;
    (void)os::point("reap.unsettled");
    reap.settle_uses(table.uses);
    (void)os::point("reap.settled");
}

/// Returns what is certain of a participant whose lock is free: see "Dead or alive" in
/// docs/protocol.md. Returns `untold` if nothing is, so that its leases hold. Requires: the lock
/// was free when the caller looked, or the caller holds it.
Life life_of(const os::FileHandle& file, const format::TableView& table, os::Search search) {
    if (!table.announced || is_copy(file, table)) return Life::dead;
    switch (os::is_running(table.process, search)) {
        case os::Running::yes:
            return Life::alive;  // it has closed all its descriptors; its leases are valid
        case os::Running::no:
            return Life::dead;
        case os::Running::unknown:
            break;
    }
    // Where a mapping does not keep locks, this process may also not see those of other mounts.
    const bool sees_lock = os::traits_of(file).maps_keep_locks;
    return table.lock_tells && sees_lock ? Life::dead : Life::untold;
}

/// Releases the lock of a table at the end of the scope, unless keep_locked was called. It unlocks
/// explicitly, because to close the file is not enough: a child that is forked meanwhile shares the
/// open file.
class ScopedUnlock {
public:
    /// `file` must outlive this object; if the lock is kept, it may be moved away.
    explicit ScopedUnlock(const os::FileHandle& file) : file_(file) {}
    ~ScopedUnlock() {
        if (!kept_) (void)os::unlock(file_, {});
    }
    ScopedUnlock(const ScopedUnlock&) = delete;
    ScopedUnlock& operator=(const ScopedUnlock&) = delete;

    void keep_locked() noexcept { kept_ = true; }

private:
    const os::FileHandle& file_;
    bool kept_ = false;
};

/// A table that this process has locked, and what its last owner wrote there.
struct LockedTable {
    std::uint32_t number;
    os::FileHandle file;       ///< holds the lock
    format::TableView before;  ///< of a dead process, or of none
};

/// Writes into the journal that this process has cleaned up after a dead one. Writes nothing if the
/// table belonged to no process.
void note_takeover(const format::TableView& dead, const CallContext& context) {
    if (context.journal != nullptr && dead.announced)
        context.journal->note({.kind = Event::Kind::takeover, .who = describe(dead)});
}

/// Opens and locks the table `number`. `mode` says whether the file is made if it is missing.
/// Returns nullopt if the table is not free: its lock is held, or its process may live without the
/// lock. Errors: `busy` if the table has no name any more; `damaged` for a table that cannot be
/// read. After nullopt and after an error the lock is released.
Result<std::optional<LockedTable>> try_lock_table(const os::Dir& participants, std::uint32_t number,
                                                  os::OpenMode mode) {
    const std::string name = format::participant_name(number);
    TRY_ASSIGN(os::FileHandle file, os::open_at(participants, name, mode));
    (void)os::point("adopt.opened");
    TRY_ASSIGN(const bool locked,
               os::try_lock(file, os::Mode::exclusive, os::Range::whole(), participants / name));
    if (!locked) return std::nullopt;
    ScopedUnlock unlock(file);
    // A destroy locks a table before it unlinks it. So a table that has its name while this process
    // has the lock keeps it.
    TRY_ASSIGN(const bool is_named, os::still_has_name(file, participants, name));
    if (!is_named) {
        return fail(Errc::busy, "join the cache", participants / name,
                    "the file system shows no such lease table, although this process has opened "
                    "it: another process deletes it, or the file system denies it; try again");
    }
    TRY_ASSIGN(format::TableView table, read_table(file, participants / name));
    if (life_of(file, table, os::Search::here) != Life::dead) return std::nullopt;
    unlock.keep_locked();
    return LockedTable{number, std::move(file), std::move(table)};
}

/// How many tables of the pool a process tries before it adds one. The tries are what a join costs
/// if all tables are held, and they keep the pool small: if half of the tables are held, one join
/// in 256 adds a table in vain, and if a third is held, one in 6,561. So after a million joins the
/// pool has about four times as many tables as were ever held at once. Fewer tries make a larger
/// pool.
constexpr std::uint32_t tries_in_pool = 8;

/// A table that this process has adopted, and the staging area that goes with it.
struct AdoptedTable {
    std::unique_ptr<LeaseTable> table;
    os::Dir staging;
};

/// Empties the staging area that the predecessor of a locked table left, settles its uses, and then
/// wipes the table. The order matters: a table that was wiped looks free, so what its staging area
/// holds would belong to the next owner, and its uses would be lost. After an error the lock is
/// released, and the table is as before or wiped.
Result<AdoptedTable> take_over(LockedTable taken, const ParticipantDirs& places, const Reaper& reap,
                               const CallContext& context) {
    (void)os::point("adopt.locked");
    const std::string name = format::participant_name(taken.number);
    ScopedUnlock unlock(taken.file);
    AdoptedTable adopted;
    // If one of these fails, the table stays dead, and the collector tells why.
    TRY_ASSIGN(adopted.staging, os::make_and_open_dir_at(places.staging, name));
    TRY(reap.empty_staging(adopted.staging));
    settle_ring(taken.file, taken.before, reap);
    (void)os::point("adopt.reaped");
    unlock.keep_locked();  // from here on it is the lock of the LeaseTable
    TRY_ASSIGN(adopted.table, LeaseTable::take(std::move(taken.file), places.participants / name,
                                               taken.before.head));
    note_takeover(taken.before, context);
    return adopted;
}

/// Adopts a table of the pool that no process has, after a few tries. Returns nullopt if there was
/// none. A table is passed over if it cannot be opened or understood, or if what its predecessor
/// left cannot be cleaned up: the collector reports it. No stranger's remains may keep this process
/// from joining. Errors: `no_space` if none was found, and one was passed over because the disk is
/// full. Then a new table would find no space either, and would stay.
Result<std::optional<AdoptedTable>> try_adopt(std::uint32_t pool, const ParticipantDirs& places,
                                              const Reaper& reap, const CallContext& context) {
    const std::uint32_t tries = std::min(pool, tries_in_pool);
    // The first try is at the pid, so that processes do not all try the same tables. In a small
    // pool each table is tried. In a larger one the distances grow by one, so that the tries leave
    // a run of held tables behind. (The processes of one program have pids in a row, and so hold
    // tables in a row.)
    std::uint32_t number = pool == 0 ? 0 : static_cast<std::uint32_t>(os::process_id()) % pool;
    std::optional<Error> no_space;
    const auto keep_if_no_space = [&](const Error& error) {
        if (error.why == Why::no_space && !no_space) no_space = error;
    };
    for (std::uint32_t tried = 0; tried < tries; ++tried) {
        const std::uint32_t distance = tried == 0 ? 0 : pool <= tries_in_pool ? 1 : tried;
        number = (number + distance) % pool;
        auto taken = try_lock_table(places.participants, number, os::OpenMode::read_write);
        if (!taken) keep_if_no_space(taken.error());
        if (!taken || !*taken) continue;
        auto adopted = take_over(std::move(**taken), places, reap, context);
        if (adopted) return std::move(*adopted);
        keep_if_no_space(adopted.error());
    }
    if (no_space) return tl::make_unexpected(*std::move(no_space));
    return std::nullopt;
}

/// Adopts a table of the pool, or adds one behind it, with the next number that is free. Errors:
/// those of making a table.
Result<AdoptedTable> adopt(const ParticipantDirs& places, const Reaper& reap,
                           const CallContext& context) {
    const std::uint32_t pool = pool_size(places.participants);
    TRY_ASSIGN(auto found, try_adopt(pool, places, reap, context));
    if (found) return std::move(*found);
    // Each number that is passed over may have cost a new file. Arbitrary: a process is quicker so
    // often only if so many join at one instant; and so many tables are not deleted by hand while
    // what their processes have staged can't be.
    constexpr std::uint32_t most_held = 10'000, most_failed = 100;
    std::uint32_t held = 0, failed = 0;
    for (std::uint32_t number = pool;; ++number) {
        const auto without = is_without_table(places, format::participant_name(number));
        if (!without) {
            if (++failed == most_failed) return tl::make_unexpected(without.error());
            continue;
        }
        if (*without == WithoutTable::kept) {
            if (++held < most_held) continue;
            return fail(Errc::busy, "join the cache", places.participants.path,
                        "too many lease tables were deleted; end the programs that use the cache, "
                        "and let `cachetool destroy` delete it");
        }
        auto taken = try_lock_table(places.participants, number, os::OpenMode::open_or_create);
        if (!taken && taken.error().code != Errc::busy) return tl::make_unexpected(taken.error());
        if (!taken) {
            if (++failed == most_failed) return tl::make_unexpected(taken.error());
            continue;
        }
        if (!*taken) {  // another process was quicker
            if (++held < most_held) continue;
            return fail(Errc::busy, "join the cache", places.participants.path,
                        "each new lease table was locked by another process before this one could "
                        "lock it; try again");
        }
        // A table that was deleted by hand may have left a staging area. If that cannot be emptied,
        // the next number will do. Any other failure would meet each number.
        const bool has_remains =
            os::exists_at(places.staging, format::participant_name(number)).value_or(false);
        auto adopted = take_over(std::move(**taken), places, reap, context);
        const bool may_go_on = has_remains && ++failed < most_failed;
        if (adopted || !may_go_on || why_of(adopted) == Why::no_space) return adopted;
    }
}

}  // namespace

Result<std::unique_ptr<Participant>> Participant::join(const ParticipantDirs& places,
                                                       const Reaper& reap,
                                                       const CallContext& context) {
    TRY_ASSIGN(auto adopted, adopt(places, reap, context));
    return std::unique_ptr<Participant>(
        new Participant(places, reap, std::move(adopted.table), std::move(adopted.staging)));
}

Participant::Participant(const ParticipantDirs& places, Reaper reap,
                         std::unique_ptr<LeaseTable> table, os::Dir staging)
    : places_(places),
      reap_(std::move(reap)),
      staging_(std::move(staging)),
      first_{std::move(table)},
      current_(first_.table.get()) {}

Result<Slot> Participant::acquire(const CallContext& context) {
    if (some_unreleased_.load(std::memory_order_relaxed)) release_again();
    if (const auto slot = current_.load(std::memory_order_acquire)->acquire()) return *slot;
    // All slots of the current table seemed taken. Under the mutex, look for a table in which a
    // slot was released since, and adopt another table only if there is none.
    const std::lock_guard guard(growing_);
    for (;;) {
        // Another thread may have released a slot of this table, or replaced the table.
        if (const auto slot = current_.load(std::memory_order_relaxed)->acquire()) return *slot;
        if (with_free_ == nullptr) break;
        LeaseTable* const next = std::exchange(with_free_, with_free_->in_list.next);
        // Take the mark off before the table is searched. So a release that this search does not
        // see finds the mark gone, and lists the table again.
        next->in_list.marked.exchange(false, std::memory_order_acq_rel);
        current_.store(next, std::memory_order_release);
    }
    TRY_ASSIGN(auto added, one_more_table(context));
    // No other thread knows this table yet, so it has a free slot.
    const auto slot = added->acquire();
    LeaseTable& table = append(std::move(added));
    // It becomes the current one only now, when the list owns it: from here on other threads use
    // it.
    current_.store(&table, std::memory_order_release);
    return *slot;
}

std::optional<Participant::ActivityPlace> Participant::begin_activity(
    const LeaseTable::ShownActivity& shown) noexcept {
    if (const auto place = begin_in_a_table(shown)) return place;
    try {
        std::unique_lock guard(growing_);
        // Another thread may have added a table meanwhile.
        if (const auto place = begin_in_a_table(shown)) return place;
        auto added = one_more_table(CallContext{});
        if (!added) return std::nullopt;
        const auto index = (*added)->begin_activity(shown);
        LeaseTable& table = append(std::move(*added));
        guard.unlock();
        list_as_free(table);  // all its slots are free
        if (!index) return std::nullopt;
        return ActivityPlace{&table, *index};
    } catch (...) {
        return std::nullopt;  // there was no memory for it
    }
}

std::optional<Participant::ActivityPlace> Participant::begin_in_a_table(
    const LeaseTable::ShownActivity& shown) noexcept {
    for (Node* node = &first_; node != nullptr; node = node->next.load(std::memory_order_acquire)) {
        if (const auto index = node->table->begin_activity(shown))
            return ActivityPlace{node->table.get(), *index};
    }
    return std::nullopt;
}

Result<std::unique_ptr<LeaseTable>> Participant::one_more_table(const CallContext& context) {
    TRY_ASSIGN(auto adopted, adopt(places_, reap_, context));
    if (handed_on_) TRY(adopted.table->hand_on());
    return std::move(adopted.table);
}

Result<> Participant::hand_on() {
    const std::lock_guard guard(growing_);
    // First, so that no table is left out if one of them can't be handed on.
    handed_on_ = true;
    for (Node* node = &first_; node != nullptr; node = node->next.load(std::memory_order_acquire))
        TRY(node->table->hand_on());
    return {};
}

LeaseTable& Participant::append(std::unique_ptr<LeaseTable> table) {
    std::unique_ptr<Node> node(new Node{std::move(table)});
    LeaseTable& appended = *node->table;
    Node* last = &first_;
    while (Node* const next = last->next.load(std::memory_order_relaxed)) last = next;
    last->next.store(node.release(), std::memory_order_release);
    return appended;
}

void Participant::release(const Slot& slot) noexcept {
    if (slot.table->release(slot)) {
        list_as_free(*slot.table);
    } else {
        some_unreleased_.store(true, std::memory_order_relaxed);
    }
}

void Participant::release_again() noexcept {
    some_unreleased_.store(false, std::memory_order_relaxed);
    for (Node* node = &first_; node != nullptr; node = node->next.load(std::memory_order_acquire)) {
        if (!node->table->release_again()) some_unreleased_.store(true, std::memory_order_relaxed);
        list_as_free(*node->table);
    }
}

void Participant::list_as_free(LeaseTable& table) noexcept {
    if (table.in_list.marked.exchange(true, std::memory_order_acq_rel)) return;
    const std::lock_guard guard(growing_);
    table.in_list.next = std::exchange(with_free_, &table);
}

bool Participant::is_lost() const {
    for (const Node* node = &first_; node != nullptr;
         node = node->next.load(std::memory_order_acquire)) {
        if (node->table->is_deleted()) return true;
    }
    return false;
}

Activity::Activity(Participant* participant, const LeaseTable::ShownActivity& shown)
    : since_nanos_(shown.since_nanos) {
    if (participant == nullptr) return;
    if (const auto place = participant->begin_activity(shown)) {
        table_ = place->table;
        index_ = place->index;
        owner_ = os::process_token();
    }
}

Activity::Activity(Participant* participant, std::uint64_t lock, std::string_view label,
                   Shows shows)
    : Activity(participant, {.lock = lock,
                             .kind = shows == Shows::waiting ? format::ActivityView::Kind::waits
                                                             : format::ActivityView::Kind::holds,
                             .label = label,
                             .since_nanos = now_nanos()}) {}

Activity::Activity(Participant* participant, std::uint64_t lock, std::uint64_t since_nanos)
    : Activity(participant, {.lock = lock,
                             .kind = format::ActivityView::Kind::works_for,
                             .label = "",
                             .since_nanos = since_nanos}) {}

Activity::Activity(Activity&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      index_(other.index_),
      owner_(other.owner_),
      since_nanos_(other.since_nanos_) {}

Activity::~Activity() {
    if (table_ != nullptr && owner_ == os::process_token()) table_->end_activity(index_);
}

void Activity::set_holding() noexcept {
    if (table_ != nullptr) table_->set_holding(index_);
}

namespace {

/// What a table is opened for: only a file that may be written can be locked.
enum class TableUse { read, lock };

/// Returns whether the error of an open says that no file stands there.
bool is_no_file(Why why) {
    return why == Why::is_link || why == Why::is_directory || why == Why::no_device;
}

/// Returns what is wrong with a table that can't be opened, and what to do. `said` is what the
/// error says already, such as who denies it and who can change that.
std::string why_unopened(bool can_be_read, std::string said) {
    std::string what = can_be_read
                           ? "whether its process has ended can't be told, and what that process "
                             "may have left stays"
                           : "which entries it leases can't be read, and no entry is deleted";
    if (said.empty())
        said = "`cachetool doctor` shows whether the file system or a sandbox refuses that";
    return what + "; " + std::move(said);
}

/// Opens the table `name`. To read it, opens it for reading only if this process may not write. To
/// lock it, gives its owner the right to write, if that is missing. Returns nullopt if it is gone.
/// Errors: `damaged` if it cannot be read for whatever reason, because its leases are unknown then;
/// the system's if it can be read and not be locked. That this process has no descriptor left says
/// nothing about the table, and is passed on as it is.
Result<std::optional<os::FileHandle>> open_table(const os::Dir& participants,
                                                 const std::string& name, TableUse use) {
    auto file = os::open_at(participants, name, os::OpenMode::read_write);
    if (use == TableUse::lock && why_of(file) == Why::denied) {
        tree::allow_owner_at(participants, name);
        file = os::open_at(participants, name, os::OpenMode::read_write);
    }
    const bool may_read =
        use == TableUse::read && (why_of(file) == Why::denied || why_of(file) == Why::read_only);
    if (may_read) file = os::open_at(participants, name, os::OpenMode::read);
    if (is_absent(file)) return std::nullopt;
    if (!file && why_of(file) != Why::too_many_open_files) {
        Error& error = file.error();
        const bool no_file = is_no_file(error.why);
        const bool can_be_read =
            use == TableUse::lock && !no_file &&
            os::open_at(participants, name, os::OpenMode::read_nonblocking).has_value();
        if (!can_be_read) error.code = Errc::damaged;
        error.detail = no_file ? std::string(unknown_leases)
                               : why_unopened(can_be_read, std::move(error.detail));
    }
    TRY(file);
    return std::move(*file);
}

/// Calls `visit(number, file)` for each table. Notes the errors of single tables in `errors`, but
/// not of a table that can't be opened if `can_be_left(name)` is true.
template <class CanBeLeft, class Visit>
Result<> for_each_table(const os::Dir& participants, TableUse use, NotedErrors& errors,
                        CanBeLeft can_be_left, Visit visit) {
    return os::for_each_name(participants, [&](const std::string& name, os::FileKind) -> Result<> {
        const auto number = format::parse_participant_name(name);
        if (!number) return {};
        auto file = open_table(participants, name, use);
        if (!file) return can_be_left(name) ? Result<>() : errors.note(file);
        return *file ? errors.note(visit(*number, **file)) : Result<>();
    });
}

/// Reads a table and tells whether its participant lives. Takes no lock, so the table may change
/// meanwhile. But a participant that was dead stays so until a process takes its table. Errors:
/// `damaged` if the table cannot be read.
Result<ParticipantView> view_participant(const os::FileHandle& file, std::uint32_t number,
                                         os::Search search, const std::filesystem::path& path) {
    ParticipantView view;
    view.number = number;
    // The lock comes first. A process that becomes another program changes its table before it can
    // let go of the lock.
    TRY_ASSIGN(const bool locked, os::is_locked(file, os::Range::whole(), path));
    TRY_ASSIGN(view.table, read_table(file, path));
    view.life = locked ? Life::alive : life_of(file, view.table, search);
    view.here = os::is_here(view.table.process);
    return view;
}

/// Empties the staging area of a dead participant, if there is one. Requires: the caller holds the
/// lock of that participant.
Result<> reap_staging(const os::Dir& staging, const std::string& name, const Reaper& reap) {
    const auto area = os::open_dir_at(staging, name);
    if (is_absent(area)) return {};
    if (is_no_directory(area)) return fail(Errc::damaged, "reap", staging / name, no_directory);
    TRY(area);
    return reap.empty_staging(*area);
}

}  // namespace

Result<ParticipantList> read_participants(const os::Dir& participants, os::Search search) {
    ParticipantList list;
    const auto can_be_left = [](const std::string&) { return false; };
    TRY(for_each_table(participants, TableUse::read, list.unreadable, can_be_left,
                       [&](std::uint32_t number, const os::FileHandle& file) -> Result<> {
                           const auto path = participants / format::participant_name(number);
                           TRY_ASSIGN(auto view, view_participant(file, number, search, path));
                           list.views.push_back(std::move(view));
                           return {};
                       }));
    return list;
}

namespace {

/// Reaps the dead participants of a cache, one by one.
class DeadReaper {
public:
    DeadReaper(const ParticipantDirs& places, const Reaper& reap, Untold untold,
               const CallContext& context)
        : places_(places), reap_(reap), untold_(untold), context_(context) {}

    ReapReport run() {
        (void)report_.errors.note(make_missing_tables());
        const auto visit = [this](std::uint32_t number, const os::FileHandle& file) {
            return reap_if_dead(number, file);
        };
        const auto can_be_left = [this](const std::string& name) { return has_left_nothing(name); };
        const auto listed = for_each_table(places_.participants, TableUse::lock, report_.errors,
                                           can_be_left, visit);
        if (!listed) report_.errors.add(listed.error());
        return std::move(report_);
    }

private:
    /// Makes an empty table for each staging area without one in which nothing was staged in this
    /// boot, because only what has a table is reaped: the table was deleted by hand.
    Result<> make_missing_tables() const {
        const auto make_if_missing = [this](const std::string& name, os::FileKind) -> Result<> {
            if (!format::parse_participant_name(name)) return {};
            TRY_ASSIGN(const WithoutTable without, is_without_table(places_, name));
            if (without != WithoutTable::dead) return {};
            auto made = os::write_new_file_at(places_.participants, name, "");
            return why_of(made) == Why::exists ? Result<>() : made;
        };
        return os::for_every_name(places_.staging, make_if_missing);
    }

    /// Returns whether there would be nothing to reap, whether its process lives or not: its table,
    /// which can only be read, names no process, and nothing is staged. Returns false if this can't
    /// be told.
    [[nodiscard]] bool has_left_nothing(const std::string& name) const {
        const auto file = open_table(places_.participants, name, TableUse::read);
        if (!file || !*file) return false;
        const auto table = read_table(**file, places_.participants / name);
        if (!table || table->announced || !table->uses.empty()) return false;
        const auto area = os::open_dir_at(places_.staging, name);
        return is_absent(area) || (area && os::is_empty(*area).value_or(false));
    }

    /// Judges the participant `number`, whose table is `file`, and reaps it if it is dead. Holds
    /// its lock meanwhile, so that no process adopts the table. Passes over a participant whose
    /// lock is held. After an error the table is not wiped, so the participant stays dead, and the
    /// next collection tries again.
    Result<> reap_if_dead(std::uint32_t number, const os::FileHandle& file) {
        const std::string name = format::participant_name(number);
        const auto path = places_.participants / name;
        TRY_ASSIGN(const bool locked,
                   os::try_lock(file, os::Mode::exclusive, os::Range::whole(), path));
        if (!locked) return {};
        const ScopedUnlock unlock(file);
        TRY_ASSIGN(const format::TableView table, read_table(file, path));
        switch (life_of(file, table, os::Search::everywhere)) {
            case Life::alive:
                return {};
            case Life::untold:
                if (untold_ == Untold::presume_dead) break;
                ++report_.untold;
                return {};
            case Life::dead:
                break;
        }
        (void)os::point("reap.locked");
        TRY(reap_staging(places_.staging, name, reap_));
        (void)os::point("reap.emptied");
        if (!table.announced && table.uses.empty()) return {};  // there is nothing to wipe
        settle_ring(file, table, reap_);
        const auto wiped = wipe_table(file, path, table.head);
        // A full disk that copies what is written has no room for zeros. The participant stays
        // dead, and all that it has left is cleaned up but this: the next collection wipes it.
        if (why_of(wiped) == Why::no_space) return {};
        TRY(wiped);
        if (!table.announced) return {};
        ++report_.reaped;
        note_takeover(table, context_);
        return {};
    }

    const ParticipantDirs& places_;
    const Reaper& reap_;
    const Untold untold_;
    const CallContext& context_;
    ReapReport report_;
};

}  // namespace

ReapReport reap_dead(const ParticipantDirs& places, const Reaper& reap, Untold untold,
                     const CallContext& context) {
    return DeadReaper(places, reap, untold, context).run();
}

namespace {

/// Puts an empty table in the place of something that is no file, which goes to `discard`. The
/// numbers of the tables must have no gap. Succeeds too if another process has put a table there.
Result<> replace_by_table(const os::Dir& participants, const std::string& name,
                          const TableDiscarder& discard) {
    TRY(discard(name));
    auto made = os::write_new_file_at(participants, name, "");
    if (!made && why_of(made) != Why::exists) return tl::make_unexpected(made.error());
    return {};
}

}  // namespace

Result<bool> free_unreadable_table(const ParticipantDirs& places, const std::string& name,
                                   const Reaper& reap, const TableDiscarder& discard) {
    const auto info = os::stat_at(places.participants, name);
    if (is_absent(info)) return true;
    TRY(info);
    if (!info->is_regular()) {
        TRY(replace_by_table(places.participants, name, discard));
        return true;
    }
    const auto path = places.participants / name;
    TRY_ASSIGN(const os::FileHandle file,
               os::open_at(places.participants, name, os::OpenMode::read_write));
    TRY_ASSIGN(const bool locked,
               os::try_lock(file, os::Mode::exclusive, os::Range::whole(), path));
    if (!locked) return false;
    const ScopedUnlock unlock(file);
    if (read_table(file, path)) return true;  // it has been freed, or made in full, meanwhile
    TRY_ASSIGN(const format::TableView table, read_damaged_table(file, path));
    // The table names no lease that could be kept. So if it can't be told whether its process runs,
    // this presumes that it does not, because a repair was asked for.
    if (table.announced &&
        os::is_running(table.process, os::Search::everywhere) == os::Running::yes)
        return false;
    TRY(reap_staging(places.staging, name, reap));
    TRY(wipe_table(file, path));
    return true;
}

namespace {

/// What to do with a table of which no process has any use.
enum class Unused { keep, unlink };

/// Returns why a table whose participant is not dead keeps the cache from being destroyed.
std::string why_busy(const format::TableView& table, Life life) {
    if (!table.announced)
        return "a process that just begins to use the cache has this table; try again";
    if (life == Life::untold)
        return "it can't be told whether " + describe(table) +
               " still uses the cache; if it has ended, `cachetool gc --presume-dead` cleans up "
               "after it";
    return describe(table) + " uses the cache; end that process, or try again when it has ended";
}

/// Judges one table. Passes over what is no table. Errors: `busy` if a living process has the
/// table, or may have it. Crash: the table is there or it is not.
Result<> end_table(const os::Dir& participants, const std::string& name, Unused unused) {
    if (!format::parse_participant_name(name)) return {};
    const auto info = os::stat_at(participants, name);
    if (is_absent(info)) return {};
    TRY(info);
    if (!info->is_regular()) return {};
    const auto path = participants / name;
    TRY_ASSIGN(const os::FileHandle file,
               os::open_at(participants, name, os::OpenMode::read_write));
    TRY_ASSIGN(const bool locked,
               os::try_lock(file, os::Mode::exclusive, os::Range::whole(), path));
    std::optional<ScopedUnlock> unlock;
    if (locked) unlock.emplace(file);
    // Read it even if the lock was refused, because the message names its process. A table that
    // cannot be understood may be destroyed, too.
    TRY_ASSIGN(const format::TableView table, read_damaged_table(file, path));
    const Life life = locked ? life_of(file, table, os::Search::everywhere) : Life::alive;
    if (life != Life::dead) return fail(Errc::busy, "destroy cache", path, why_busy(table, life));
    if (unused == Unused::keep) return {};
    (void)os::point("destroy.locked");
    // A process that waits to lock it finds that it has no name any more.
    const auto removed = os::remove_file_at(participants, name);
    if (!removed && !is_absent(removed)) return tl::make_unexpected(removed.error());
    return {};
}

/// Calls end_table for each name, and ends at the first error. Opens one table at a time, because
/// there may be more of them than this process may have descriptors.
Result<> end_tables(const os::Dir& participants, Unused unused) {
    // The names are collected first: what is unlinked would change the listing.
    std::vector<std::string> names;
    TRY(os::for_each_name(participants, [&](const std::string& name, os::FileKind) -> Result<> {
        names.push_back(name);
        return {};
    }));
    for (const std::string& name : names) TRY(end_table(participants, name, unused));
    return {};
}

}  // namespace

Result<> check_unused(const os::Dir& participants) {
    return end_tables(participants, Unused::keep);
}

Result<> unlink_tables(const os::Dir& participants) {
    return end_tables(participants, Unused::unlink);
}

std::string describe(const format::TableView& table) {
    return "pid " + std::to_string(table.process.pid) + " (" + table.command + ")";
}

}  // namespace larder::cache
