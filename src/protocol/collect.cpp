// SPDX-License-Identifier: MIT
#include "protocol/collect.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <set>

#include "base/saturate.hpp"
#include "cache/root_files.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/bucket.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_roots.hpp"
#include "protocol/generations.hpp"
#include "protocol/leases.hpp"
#include "protocol/orphans.hpp"
#include "protocol/torn_names.hpp"
#include "protocol/trash.hpp"
#include "tree/remove.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;

/// A retired link, and the entry that it names if that may be deleted. 48 bytes, because a part of
/// a collection has many.
struct Retired {
    format::Id name;  ///< in retired/links; none in a dry run if the link is not there yet
    format::Id id;    ///< none if only the link is to be removed
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
};
static_assert(sizeof(Retired) == 48);

/// A part of a collection takes at most so many retired links: 3 MiB. After a purge there may be
/// millions. A smaller number would cost time, because for each part all names that are left are
/// listed, at less than a microsecond each, and the slots are read.
constexpr std::size_t most_links_in_part = std::size_t{1} << 16;

bool is_named_before(const Retired& a, const Retired& b) { return a.name < b.name; }

/// Adds what was deleted to what the disk got back. After an error it is not known how much that
/// was.
void count_freed(CollectReport& report, const Result<tree::Removed>& removed) {
    if (!removed || removed->freed_at_least) report.freed_at_least = true;
    if (!removed) return;
    if (!report.freed) report.freed = 0;
    base::add(*report.freed, removed->freed);
}

/// Steps 1 to 5 of one collection, as docs/protocol.md numbers them, whose results it gathers in a
/// report: (1) reap, (2) mend what earlier boots have left, (3) flatten the refreshed buckets, (4)
/// list what is retired and read who leases what, (5) move what is not leased to `deleting/`.
/// Requires: the caller holds the collector's lock from reap to collect. An error in one step, or
/// about one entry, is noted and stops nothing else; only a request to stop does. A dry run changes
/// nothing, and reports what the same steps would do.
class Collector {
public:
    Collector(cache::Root& root, const CollectOptions& options, const cache::CallContext& context)
        : root_(root), dirs_(root.dirs()), options_(options), context_(context) {
        if (const int asked = os::point("collect.part-size"))
            part_size_ = static_cast<std::size_t>(asked);
    }

    /// (1) Cleans up after dead processes. If the disk has no space for the renames, deletes what
    /// lies in `deleting/` and tries once more.
    void reap() {
        auto errors = reap_all();
        if (errors.has(Errc::no_space)) {
            make_room();
            errors = reap_all();
        }
        for (const Error& error : errors.all()) errors_.add(error);
        (void)os::point("collect.reaped");
    }

    /// Runs steps 2 to 5, in the order that makes a lease hold: list what is retired, then read the
    /// leases, then delete. If the leases are unknown, deletes no entry, and removes only links
    /// whose entry is gone. Stops between two entries if the caller asked for that.
    void collect() {
        rooted_before_ = report_.rooted.size();  // by an eviction
        if (!collect_all()) report_.stopped = true;
    }

    [[nodiscard]] CollectReport& report() { return report_; }
    [[nodiscard]] NotedErrors& errors() { return errors_; }
    /// Returns how many files the entries have that this collection has moved to `deleting/`, or
    /// in a dry run would move there.
    [[nodiscard]] std::uint64_t files() const { return files_; }

private:
    /// Cleans up once after each dead process. Returns the errors, none of which has stopped it.
    NotedErrors reap_all() {
        const cache::ParticipantDirs places{dirs_.participants, dirs_.staging};
        const auto done = cache::reap_dead(places, root_.reaper(), untold_, context_);
        report_.reaped += done.reaped;
        report_.untold = done.untold;
        return done.errors;
    }

    /// Runs (2) to (5). Errors: `interrupted`; all others are noted.
    Result<> collect_all() {
        // A dry run deletes nothing, so it may read the leases before the list. It needs them at
        // once, because it reports each link as soon as it meets it.
        if (options_.dry_run) read_slots();
        TRY(errors_.note(mend_earlier_boots()));
        if (options_.dry_run) TRY(errors_.note(list_dead()));
        do {
            begin_round();
            TRY(errors_.note(options_.dry_run ? list_refreshed() : flatten()));
            (void)os::point("collect.flattened");
            do {
                TRY(collect_part());
            } while (has_more_);
        } while (needs_another_round());
        for (const Error& error : unflattened_.all()) errors_.add(error);
        return {};
    }

    /// Forgets what an earlier round has found of what stays: this one meets it again.
    void begin_round() {
        if (options_.dry_run) return;  // it has one round
        unflattened_ = {};
        has_unlinked_ = false;
        last_name_ = {};
        link_total_ = report_.entries;
        report_.leased.clear();
        report_.rooted.resize(rooted_before_);
        report_.in_grace = 0;
        report_.unknown.clear();
    }

    /// Returns whether a full disk has kept this round from taking all refreshed buckets apart, and
    /// has more room now. On ext4, for example, the directory of the retired links can be full.
    bool needs_another_round() {
        if (unflattened_.all().empty() || !has_unlinked_) return false;
        make_room();
        return true;
    }

    /// (2) If this is the first collection of the boot, mends what earlier boots have left: takes
    /// the torn names away, names the generations and the entries that have no name, and writes
    /// down that it has done so. The links in such a generation count as names of entries already,
    /// so the two searches may come in either order.
    Result<> mend_earlier_boots() {
        TRY_ASSIGN(const bool is_first, is_first_of_boot(root_));
        if (!is_first) return {};
        if (!options_.dry_run) TRY(errors_.note(remove_torn_names(root_, options_.stop)));
        TRY(name_generations());
        TRY(name_orphans());
        if (options_.dry_run) return {};
        // A full disk has no room for a file. Then the next collection looks again.
        auto noted = with_room([&] { return note_first_of_boot(root_); });
        if (why_of(noted) == Why::no_space) return {};
        return noted;
    }

    /// Gives each generation of an earlier boot that no pointer names a pointer. A dry run reports
    /// the links in it.
    Result<> name_generations() {
        TRY_ASSIGN(const GenerationCensus census, count_pointers(root_, options_.stop));
        for (const format::Id& generation : census.nameless) {
            if (format::is_of_this_boot(generation)) continue;
            if (options_.dry_run) {
                const auto links = os::open_dir_at(dirs_.generations, to_text(generation));
                if (is_absent(links)) continue;
                TRY(links);
                TRY(list_links_of(*links, begun_));
                continue;
            }
            TRY(with_room([&] { return name_generation(root_, generation, context_); }));
            (void)os::point("boot.generation-named");
        }
        return {};
    }

    /// Gives each entry of an earlier boot that no link names a link. A dry run reports it.
    Result<> name_orphans() {
        const auto visit = [&](const format::Id& id) -> Result<> {
            if (options_.dry_run) return report_orphan(id);
            TRY(with_room([&] { return name_orphan(root_, id, context_); }));
            (void)os::point("boot.named-one");
            return {};
        };
        return for_each_orphan(root_, visit, options_.stop);
    }

    /// Reports, in a dry run, that a collection would retire an orphan now, and take it apart
    /// unless there is a grace.
    Result<> report_orphan(const format::Id& id) {
        if (is_in_grace(begun_)) return count_in_grace();
        Retired retired{.name = {}, .id = id};
        if (const auto record = read_record(root_, id)) {
            retired.bytes = record->bytes;
            retired.files = record->files + 1;  // the record is a file, too
        }
        return errors_.note(take_apart(retired));
    }

    /// Runs (4) and (5) for the next part of what is retired.
    Result<> collect_part() {
        TRY(errors_.note(list_names()));
        TRY(read_links());
        (void)os::point("collect.listed");
        if (!options_.dry_run) {
            remove_empty_buckets();
            read_slots();
        }
        (void)os::point("collect.scanned");
        for (const Retired& retired : part_) {
            TRY(check_stop());
            report_progress();
            TRY(errors_.note(take_apart(retired)));
        }
        return {};
    }

    /// Tells the callback how many entries were taken apart so far.
    void report_progress() const {
        if (!options_.on_progress) return;
        options_.on_progress({.phase = CollectProgress::Phase::collecting,
                              .done = report_.entries,
                              .total = link_total_,
                              .bytes = report_.bytes});
    }

    /// Reads the leases of all participants. If one table cannot be read, notes the error, and the
    /// part at work deletes no entry.
    void read_slots() {
        // The list came first, with its check of the keys. So no link in a bucket names an entry of
        // the list, and none ever will again. A lease on such an entry was taken before the list
        // was made, and is seen here. A process that stores its id later finds the link gone when
        // it reads it again (Michael 2004: retire, then scan the hazard pointers). The fence is the
        // counterpart of the one in LeaseTable::store.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        auto leases = read_leases(root_, options_);
        knows_leases_ = leases.has_value();
        if (leases) {
            leases_ = std::move(*leases);
        } else {
            errors_.add(leases.error());
        }
    }

    /// Lists what (1) would reap, for a dry run, and counts the participants of which it can't be
    /// told whether they live. Their locks are not taken, so a process may adopt such a table
    /// meanwhile.
    Result<> list_dead() {
        TRY_ASSIGN(const auto participants,
                   cache::read_participants(dirs_.participants, os::Search::everywhere));
        for (const auto& participant : participants.views) {
            if (participant.life == cache::Life::untold && untold_ == cache::Untold::keep) {
                ++report_.untold;
                continue;
            }
            if (!participant.table.announced || participant.life == cache::Life::alive) continue;
            ++report_.reaped;
            const auto staging =
                os::open_dir_at(dirs_.staging, format::participant_name(participant.number));
            if (staging) TRY(errors_.note(list_staged_links(*staging)));
        }
        return list_without_table();
    }

    /// Lists the staging areas without a table for a dry run. A reap makes their tables, unless a
    /// living process may stage there.
    Result<> list_without_table() {
        const cache::ParticipantDirs places{dirs_.participants, dirs_.staging};
        return os::for_every_name(
            dirs_.staging, [&](const std::string& name, os::FileKind) -> Result<> {
                if (!format::parse_participant_name(name)) return {};
                TRY_ASSIGN(const auto without, cache::is_without_table(places, name));
                if (without != cache::WithoutTable::dead) return {};
                const auto staging = os::open_dir_at(dirs_.staging, name);
                if (has_no_directory(staging)) return {};
                TRY(staging);
                return list_staged_links(*staging);
            });
    }

    /// (3) Takes refreshed buckets apart. Each link is renamed before it is read: until then a late
    /// publish, which found the bucket before it was moved aside, may still exchange it. The links
    /// keep the bucket's time of retirement. A bucket within the grace stays as it is. A link that
    /// cannot be moved is noted, and keeps its bucket's directory for the next collection.
    Result<> flatten() {
        const auto visit = [this](const os::Dir& bucket, const std::string& name) {
            return flatten_bucket(bucket, name);
        };
        return for_each_refreshed_bucket(root_, visit, report_unknown_);
    }

    /// Takes the links of one refreshed bucket out, and removes it. If a late publish
    /// has brought one more link meanwhile, the directory stays, and the next collection takes it.
    Result<> flatten_bucket(const os::Dir& bucket, const std::string& name) {
        const format::RetiredAt when = time_in(name);
        if (is_in_grace(when)) return count_links_in_grace(bucket);
        const auto move = [&](const os::Dir&, const std::string& key) {
            return flatten_link(bucket, key, when);
        };
        TRY(for_each_link_of(bucket, move, report_unknown_));
        TRY_ASSIGN(const bool removed, remove_refreshed(root_, name));
        if (removed) ++report_.buckets;
        return {};
    }

    /// Moves one link of a refreshed bucket to `retired/links/`.
    Result<> flatten_link(const os::Dir& bucket, const std::string& key, format::RetiredAt when) {
        (void)os::point("collect.flatten-one");
        TRY(count_and_check_stop());
        auto retired = with_room([&] { return root_.retire_link(bucket, key, when); });
        if (is_absent(retired)) return {};  // a late publish has exchanged it
        if (why_of(retired) == Why::no_space) return unflattened_.note(retired);
        return errors_.note(retired);
    }

    /// Lists what (3) would take apart, for a dry run.
    Result<> list_refreshed() {
        const auto visit = [this](const os::Dir& bucket, const std::string& name) {
            return list_links_of(bucket, time_in(name));
        };
        return for_each_refreshed_bucket(root_, visit, report_unknown_);
    }

    /// Reports the links of a bucket that was refreshed at `when`, for a dry run.
    Result<> list_links_of(const os::Dir& bucket, format::RetiredAt when) {
        if (is_in_grace(when)) return count_links_in_grace(bucket);
        ++report_.buckets;
        return for_each_link_of(bucket, report_in_dry_run_, report_unknown_);
    }

    /// (4) Makes the next part: lists the names in `retired/links/`, and keeps the first ones, in
    /// their order, that come after those of the parts before. Passes over what is within the
    /// grace. The first part counts and reports what concerns all parts. Errors: `interrupted`;
    /// those of listing the directory.
    Result<> list_names() {
        const bool is_first = !last_name_;
        part_.clear();
        has_more_ = false;
        const auto list_name = [&](const os::Dir&, const std::string& name) -> Result<> {
            TRY(check_stop());
            const auto number = format::parse_id(name).value_or(format::Id{});
            if (is_in_grace(format::retired_at(number))) {
                if (is_first) TRY(count_in_grace());
                return {};
            }
            if (is_first) ++link_total_;
            if (number > last_name_) add_to_part({.name = number, .id = {}});
            return {};
        };
        const VisitUnknown pass_over = [](const std::filesystem::path&) { return Result<>(); };
        auto listed =
            for_each_retired_link(root_, list_name, is_first ? report_unknown_ : pass_over);
        std::sort(part_.begin(), part_.end(), is_named_before);
        if (!part_.empty()) last_name_ = part_.back().name;
        return listed;
    }

    /// Adds a link to the part. If that is full, the link whose name comes last is left to a later
    /// part. The part is a heap meanwhile, whose front is that last link.
    void add_to_part(const Retired& retired) {
        if (part_.size() == part_size_) {
            has_more_ = true;
            if (!is_named_before(retired, part_.front())) return;
            std::pop_heap(part_.begin(), part_.end(), is_named_before);
            part_.pop_back();
        }
        part_.push_back(retired);
        std::push_heap(part_.begin(), part_.end(), is_named_before);
    }

    /// Reads the links of the part. Takes those off the part that are gone, or that cannot be read:
    /// they are not taken apart. Errors: `interrupted`; all others are noted.
    Result<> read_links() {
        buckets_.clear();
        auto end = part_.begin();
        for (const Retired& retired : part_) {
            const auto read = read_retired(root_.garbage().retired_links, to_text(retired.name));
            TRY(errors_.note(read));
            if (read && *read) *end++ = **read;
        }
        part_.erase(end, part_.end());
        return {};
    }

    /// Removes the buckets from which links were retired, if no link is left there. A publish that
    /// has found such a bucket looks again, as if a refresh had moved it aside.
    void remove_empty_buckets() {
        for (const auto& bucket : buckets_) {
            (void)os::point("collect.bucket-one");
            remove_if_empty(root_, bucket);
        }
    }

    /// Lists the links that a reap would retire, for a dry run.
    Result<> list_staged_links(const os::Dir& staging) {
        return os::for_every_name(staging, [&](const std::string& name, os::FileKind) -> Result<> {
            TRY_ASSIGN(const auto when, would_be_retired(staging, name));
            if (!when) return {};
            if (is_in_grace(*when)) return count_in_grace();
            return report_in_dry_run_(staging, name);
        });
    }

    /// Returns with which time Root::reap would retire a link in a staging area; nullopt if it
    /// would not.
    Result<std::optional<format::RetiredAt>> would_be_retired(const os::Dir& staging,
                                                              const std::string& name) const {
        using Kind = format::StagedName::Kind;
        const auto staged = format::parse_staged_name(name);
        if (!staged || staged->kind == Kind::kept || staged->kind == Kind::pointer)
            return std::nullopt;
        if (staged->kind == Kind::old) {
            const std::string beside = format::staged_link_name(staged->id);
            if (root_.sets_links_again()) return begun_;
            TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), staging, beside));
            if (link.kind != LinkRead::Kind::absent) return std::nullopt;
            return begun_;
        }
        if (root_.sets_links_again()) return begun_;
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), staging, name));
        return link.names(staged->id) ? format::evicted : begun_;
    }

    /// Returns the time of retirement that a name in `retired/` bears; that of the zero id if it is
    /// no such name.
    static format::RetiredAt time_in(const std::string& name) {
        return format::retired_at(format::parse_id(name).value_or(format::Id{}));
    }

    /// Returns true if what was retired at `when` was retired less than the grace ago. A time in
    /// the future comes from a wrong clock, and counts as now.
    [[nodiscard]] bool is_in_grace(format::RetiredAt when) const {
        if (when == format::evicted) return false;
        return std::chrono::seconds(begun_ - std::min(when, begun_)) < options_.grace;
    }

    /// Counts a link that stays because of the grace.
    Result<> count_in_grace() {
        TRY(count_and_check_stop());
        ++report_.in_grace;
        return {};
    }

    /// Counts the links of a refreshed bucket that stays because of the grace.
    Result<> count_links_in_grace(const os::Dir& bucket) {
        return for_each_link_of(
            bucket, [this](const os::Dir&, const std::string&) { return count_in_grace(); },
            report_unknown_);
    }

    /// Called for each link, because there may be millions: counts it, tells the callback now and
    /// then, and looks whether the caller asked to stop. Errors: `interrupted`.
    Result<> count_and_check_stop() {
        if (options_.on_progress && ++links_read_ % 256 == 0)
            options_.on_progress(
                {.phase = CollectProgress::Phase::collecting, .done = links_read_});
        return check_stop();
    }
    /// Fails if the caller asked to stop. Errors: `interrupted`.
    [[nodiscard]] Result<> check_stop() const {
        if (!options_.stop.stop_requested()) return {};
        return fail(Errc::interrupted, "collect", dirs_.root.path,
                    "stopped on request; the next collection continues");
    }

    /// Reads a retired link, and the record of the entry that it names, which tells the size.
    /// Returns what is to be taken apart: the link and its entry; or the link alone (Retired::id is
    /// zero) if it names no id, or if a key still names its entry. Returns nullopt if nothing is:
    /// the link is gone, or no link of this cache stands there, which is reported. If the record is
    /// damaged, its key is unknown and the size counts as 0. Errors: `interrupted`; any other says
    /// nothing about the entry, and a later collection looks again.
    Result<std::optional<Retired>> read_retired(const os::Dir& dir, const std::string& name) {
        TRY(count_and_check_stop());
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind == LinkRead::Kind::foreign) TRY(report_unknown_(dir / name));
        Retired retired{.name = format::parse_id(name).value_or(format::Id{}), .id = {}};
        if (link.kind == LinkRead::Kind::malformed) return retired;
        if (link.kind != LinkRead::Kind::entry) return std::nullopt;
        const auto record = read_retired_record(link.id);
        if (!record && record.error().code != Errc::damaged)
            return tl::make_unexpected(record.error());
        bool named = false;
        if (record) {
            TRY_ASSIGN(named, is_named_by_its_key(*record, link.id));
            if (auto bucket = format::encode_bucket(record->bucket))
                buckets_.insert(*std::move(bucket));
        }
        if (!named) retired.id = link.id;
        if (record) {
            retired.bytes = record->bytes;
            retired.files = record->files + 1;  // the record is a file, too
        }
        return retired;
    }

    /// Reads the record of a retired entry. If its owner has taken away the right to read it, gives
    /// that right back, as a deletion does. A dry run changes nothing, and takes the record for
    /// damaged. Errors: those of read_record.
    Result<format::Record> read_retired_record(const format::Id& id) const {
        auto record = read_record(root_, id);
        if (why_of(record) != Why::denied) return record;
        if (options_.dry_run) {
            record.error().code = Errc::damaged;
            return record;
        }
        make_readable(root_, id);
        return read_record(root_, id);
    }

    /// Reports that a collection would take apart the entry that a link names. For a link that does
    /// not stand in `retired/links/` yet, in a dry run.
    Result<> take_apart_in_dry_run(const os::Dir& dir, const std::string& name) {
        TRY_ASSIGN(const auto retired, read_retired(dir, name));
        return retired ? take_apart(*retired) : Result<>();
    }

    /// (5) Moves the entry to `deleting/`, then unlinks the link. If the process is killed between
    /// the two, the link leads nowhere, and the next collection removes it. In the other order, a
    /// kill would leave an entry that no link names. A leased entry stays, with its link, and is
    /// reported.
    Result<> take_apart(const Retired& retired) {
        if (!retired.id) return unlink_retired(retired);  // no entry goes with it
        // A table that cannot be read may lease this entry. So the entry stays, unless it is
        // certain that it is gone already.
        if (!knows_leases_ && os::exists_at(dirs_.archive, to_text(retired.id)).value_or(true))
            return {};
        if (const auto holders = leases_.find(retired.id); holders != leases_.end()) {
            report_leased(retired.id, holders->second);
            return {};
        }
        TRY_ASSIGN(const bool rooted, is_rooted(retired.id));
        if (rooted) return {};
        TRY_ASSIGN(const bool was_there,
                   options_.dry_run ? is_there(retired.id) : discard(retired.id));
        (void)os::point("collect.moved");
        if (was_there) {
            ++report_.entries;
            base::add(report_.bytes, retired.bytes);
            base::add(files_, retired.files);
        }
        // The link comes last: until then the next collection finds the roots of a killed one.
        if (!options_.dry_run) TRY(with_room([&] { return remove_roots_of(root_, retired.id); }));
        (void)os::point("collect.roots-removed");
        return unlink_retired(retired);
    }

    /// Returns whether a root keeps an entry that no process leases, and reports it then. Asks
    /// after the slots were read: a link holds its lease until its path leads to the entry. An
    /// entry that is gone already has no use for its roots.
    Result<bool> is_rooted(const format::Id& id) {
        TRY_ASSIGN(auto keeper, root_that_keeps(root_, id));
        (void)os::point("collect.roots-asked");
        if (!keeper) return false;
        TRY_ASSIGN(const bool stands, is_there(id));
        if (!stands) return false;
        report_.rooted.push_back(std::move(*keeper));
        return true;
    }

    /// Writes down that an entry stays because these processes lease it.
    void report_leased(const format::Id& id, const std::vector<ProcessInfo>& holders) {
        const auto record = read_record(root_, id);
        for (const auto& process : holders) {
            report_.leased.push_back({.process = process,
                                      .id = to_text(id),
                                      .bucket = record ? record->bucket : "",
                                      .key = record ? record->key : ""});
        }
    }

    /// Returns true if the key in the record still names the entry. Then a user has copied its link
    /// into retired/ by hand, and the entry must stay. This check comes before the slots are read,
    /// because a process can lease the entry for as long as its key names it.
    Result<bool> is_named_by_its_key(const format::Record& record, const format::Id& id) const {
        const auto bucket = format::encode_bucket(record.bucket);
        const auto key = format::encode_key(record.key, root_.longest_name());
        if (!bucket || !key) return false;
        TRY_ASSIGN(const LinkRead link, root_.keys().read(format::key_path(*bucket, *key)));
        return link.names(id);
    }

    /// Returns what discard would: whether the entry still stands in the archive. For a dry run.
    [[nodiscard]] Result<bool> is_there(const format::Id& id) const {
        const auto there = os::stat_at(dirs_.archive, to_text(id));
        if (is_absent(there)) return false;
        TRY(there);
        return true;
    }

    /// Moves the entry to `deleting/`. Returns false if the entry was gone: an earlier collection
    /// was killed after this step.
    Result<bool> discard(const format::Id& id) {
        const std::string name = to_text(id);
        auto moved = with_room([&] { return root_.move_to_deleting(dirs_.archive, name); });
        // No process can see the entry, so it may be deleted in place.
        if (!moved && !is_absent(moved)) {
            moved = root_.discard(dirs_.archive, name);
            report_.freed_at_least = options_.count_freed;  // that does not count
        }
        if (!is_absent(moved)) {
            TRY(moved);
            return true;
        }
        // If the file system is wrong, and the entry stands there, its link must stay as well. No
        // link would name the entry otherwise.
        TRY_ASSIGN(const bool stands, is_there(id));
        if (stands) return tl::make_unexpected(std::move(moved).error());
        return false;
    }

    /// Unlinks the link, which names no entry any more. It is no error if it is gone.
    Result<> unlink_retired(const Retired& retired) {
        if (options_.dry_run) return {};
        auto removed = format::remove_link(root_.link_kind(), root_.garbage().retired_links,
                                           to_text(retired.name));
        if (removed) has_unlinked_ = true;
        if (is_absent(removed)) return {};
        return removed;
    }

    /// Calls `step`. If the disk has no space for it, deletes what lies in `deleting/`, and calls
    /// `step` once more. (On ext4, xfs and others, even a rename can fail on a full disk.)
    template <class Step>
    auto with_room(Step step) -> decltype(step()) {
        auto done = step();
        if (done || done.error().code != Errc::no_space) return done;
        make_room();
        return step();
    }
    /// Deletes what lies in `deleting/`. An error does not matter if something was deleted.
    void make_room() {
        const auto emptied = tree::empty_dir(root_.garbage().deleting,
                                             {.threads = 1, .count_freed = options_.count_freed});
        if (options_.count_freed) count_freed(report_, emptied);
    }

    cache::Root& root_;
    const cache::Handles& dirs_;  // of root_
    const CollectOptions& options_;
    const cache::Untold untold_ = untold_of(options_);
    const cache::CallContext& context_;
    const format::RetiredAt begun_ = format::retired_now();
    const VisitLink report_in_dry_run_ = [this](const os::Dir& dir, const std::string& name) {
        return errors_.note(take_apart_in_dry_run(dir, name));
    };
    const VisitUnknown report_unknown_ = [this](std::filesystem::path path) -> Result<> {
        report_.unknown.push_back(std::move(path));
        return {};
    };
    std::size_t part_size_ = most_links_in_part;
    std::deque<Retired> part_;  // the list of step 4; a deque grows without being copied
    format::Id last_name_;      // in this part; zero before the first part
    bool has_more_ = false;     // there are retired links that come after this part
    // Retired links in all parts of this round, and the entries that earlier rounds have taken.
    std::uint64_t link_total_ = 0;
    std::set<std::string> buckets_;  // encoded; from which the links of the part were retired
    Leases leases_;                  // read after the list of the part was complete
    bool knows_leases_ = true;       // false if a table cannot be read
    bool has_unlinked_ = false;      // a retired link, in this round
    NotedErrors unflattened_;        // no space to move these links, in this round
    CollectReport report_;
    std::size_t rooted_before_ = 0;  // how many of report_.rooted come from an eviction
    NotedErrors errors_;
    std::uint64_t files_ = 0;       // see files()
    std::uint64_t links_read_ = 0;  // for the report of progress
};

/// Empties `deleting/` (step 6). `files` is how many files this collection has moved there. An
/// earlier one that was killed may have left more. A request to stop is no error: the report says
/// how many files are left.
Result<> empty_deleting(const cache::Root& root, const CollectOptions& options, std::uint64_t files,
                        CollectReport& report) {
    tree::RemoveOptions how{
        .threads = options.threads, .count_freed = options.count_freed, .stop = options.stop};
    std::uint64_t deleted = 0;
    how.on_progress = [&](std::uint64_t done) {
        deleted = done;
        // If more files are deleted than were known, an earlier collection has left some. Then the
        // total is not known.
        const std::uint64_t total = done <= files ? files : 0;
        if (options.on_progress)
            options.on_progress({.phase = CollectProgress::Phase::deleting,
                                 .done = done,
                                 .total = total,
                                 .bytes = report.bytes});
    };
    const auto emptied = tree::empty_dir(root.garbage().deleting, how);
    if (options.count_freed) count_freed(report, emptied);
    if (!emptied && emptied.error().code == Errc::interrupted) {
        report.stopped = true;
        report.files_left = files - std::min(files, deleted);
        return {};
    }
    TRY(emptied);
    return {};
}

}  // namespace

Result<CollectReport> collect(const RootRef& root, const CollectOptions& options,
                              const cache::CallContext& context, const EvictFirst& evict,
                              std::uint64_t* files) {
    const auto begun = std::chrono::steady_clock::now();
    Collector collector(*root, options, context);
    {  // as long as this process holds the lock
        auto lock = cache::CollectorLock::try_lock(*root);
        TRY(lock);
        (void)os::point("collect.locked");
        if (!options.dry_run) {
            collector.reap();
            // Join only now. To join earlier could adopt, and so reap, a table that is to be
            // reported as reaped.
            lock->announce(root->participant_if_possible(context));
        }
        if (!options.dry_run) (void)collector.errors().note(cache::mend_tags(root->dirs().root));
        if (evict) evict(collector.report(), collector.errors());
        collector.collect();
    }
    if (files != nullptr) *files = collector.files();
    (void)os::point("collect.unlocked");
    // (6) Outside every lock: delete what was moved aside, by this collection or by one that was
    // killed.
    if (!options.dry_run) {
        const auto emptied = empty_deleting(*root, options, collector.files(), collector.report());
        if (!emptied) collector.errors().add(emptied.error());
    }
    (void)os::point("collect.emptied");
    auto& report = collector.report();
    report.failures = collector.errors().all();
    if (!options.dry_run && context.journal != nullptr) {
        context.journal->note({.kind = Event::Kind::collected,
                               .took = std::chrono::steady_clock::now() - begun,
                               .entries = report.entries,
                               .bytes = report.bytes});
    }
    return std::move(collector.report());
}

}  // namespace larder::protocol
