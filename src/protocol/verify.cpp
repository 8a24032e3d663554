// SPDX-License-Identifier: MIT
#include "protocol/verify.hpp"

#include <algorithm>
#include <map>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/trash.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// Arbitrary: 17 bytes for each of these entries are ten mebibytes with what a vector that grows
/// needs beside them.
constexpr std::uint64_t most_ids = 200'000;

/// What is wrong with something that stands where only a link may stand.
constexpr const char* blocked_by =
    "no link of this cache stands here, but something else, as after a copy that followed links; a "
    "repair moves it to deleting/";

enum class LinkPlace { bucket, staging, retired };

/// A link that was seen, and where.
struct SeenLink {
    LinkPlace where;
    /// The name of the bucket, the number of the participant, or the name of the refreshed bucket.
    /// Empty for a link in retired/links/.
    std::string parent;
    std::string name;

    friend bool operator==(const SeenLink& a, const SeenLink& b) {
        return a.where == b.where && a.parent == b.parent && a.name == b.name;
    }
};

/// The link of a key as it was read, and where it stands. Names are encoded.
struct CheckedKey {
    const os::Dir& dir;  ///< of the bucket
    const std::string& bucket;
    const std::string& key;
    const LinkRead& link;

    [[nodiscard]] std::filesystem::path path() const { return dir / key; }
};

/// One verify, under the collector's lock. Whatever it finds, it goes on: an error about one name
/// becomes a finding, and only `interrupted` ends it.
class Verifier {
public:
    Verifier(cache::Root& root, const VerifyOptions& options, const cache::CallContext& context)
        : root_(root), dirs_(root.dirs()), options_(options), context_(context) {}

    /// Checks all of the cache. A directory is checked name by name, and each link that is met is
    /// counted for the entry that it names.
    ///
    /// The order of the directories makes verify safe while other processes write. A link moves
    /// only in this direction:
    ///   1. from a staging area to its bucket, by a publish;
    ///   2. with its bucket to retired/buckets, by a refresh;
    ///   3. back to a staging area, by the exchange of a later publish (a late one may exchange it
    ///      out of a bucket that was refreshed);
    ///   4. to retired/links.
    /// The link stands in a staging area before its entry is in the archive. So if the archive's
    /// list has an entry, its link is met in one of the directories that follow. Only a collection
    /// deletes entries, and its lock keeps it away.
    ///
    /// The ids of a large cache would need much memory. So the entries are taken in parts, and all
    /// directories are checked once for each part. What concerns no entry is reported with the
    /// first part.
    Result<VerifyReport> verify() {
        TRY(note(check_root()));
        TRY(note(check_participants()));
        TRY_ASSIGN(parts_, count_parts());
        for (part_ = 0; part_ < parts_; ++part_) TRY(verify_part());
        TRY(note(check_pins()));
        return std::move(report_);
    }

private:
    /// Checks one part of the entries, in the order that verify explains.
    Result<> verify_part() {
        entries_.clear();
        shared_.clear();
        TRY(note(check_archive()));
        std::sort(entries_.begin(), entries_.end());
        names_.assign(entries_.size(), 0);
        missed_names_ = false;
        (void)os::point("verify.archive-listed");
        TRY(note_missed(check_staging()));
        TRY(note_missed(check_buckets()));
        (void)os::point("verify.buckets-listed");
        TRY(note_missed(check_refreshed_buckets()));
        (void)os::point("verify.retired-buckets-listed");
        TRY(note_missed(check_staging()));
        TRY(note_missed(check_retired_links()));
        return check_entries();
    }

    [[nodiscard]] bool is_first_part() const { return part_ == 0; }
    /// Returns whether an entry belongs to the present part. Each id belongs to exactly one.
    [[nodiscard]] bool is_in_part(const Id& id) const {
        // The words of an id are random in some bits and count in others, so mix them.
        const std::uint64_t mixed = (id.high ^ id.low) * 0x9e37'79b9'7f4a'7c15U;
        return (mixed >> 32) % parts_ == part_;
    }

    /// Returns into how many parts the archive must be divided so that each has about `most_ids`
    /// entries. Entries that are published later make a part larger, which costs memory alone.
    Result<std::uint64_t> count_parts() const {
        std::uint64_t entries = 0, most = most_ids;
        if (const int asked = os::point("verify.part-size"))
            most = static_cast<std::uint64_t>(asked);
        TRY(os::for_each_name(dirs_.archive, [&](const std::string&, os::FileKind) -> Result<> {
            ++entries;
            return {};
        }));
        return entries / most + 1;
    }

    /// Adds a finding. The reference is valid until the next finding is added.
    Finding& found(Finding::Kind kind, std::filesystem::path path, std::string what) {
        return report_.findings.emplace_back(
            Finding{.kind = kind, .path = std::move(path), .what = std::move(what)});
    }
    [[nodiscard]] bool is_known(const std::filesystem::path& path) const {
        return std::any_of(report_.findings.begin(), report_.findings.end(),
                           [&](const Finding& other) { return other.path == path; });
    }
    /// Reports an error as a finding, so that it stops nothing else. Returns it only if it is
    /// `interrupted`.
    Result<> note(const Result<>& done) {
        if (done || done.error().code == Errc::interrupted) return done;
        if (!is_known(done.error().path))
            found(Finding::Kind::unreadable, done.error().path,
                  done.error().message() + "; it was not checked");
        return {};
    }
    /// Does the same for an error after which a list of names may lack some.
    Result<> note_missed(const Result<>& done) {
        if (!done) missed_names_ = true;
        return note(done);
    }
    /// Calls `visit` for each name in `dir`, and notes its errors.
    template <class Visit>
    Result<> each_name(const os::Dir& dir, Visit visit) {
        return note_missed(os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) {
            return note_missed(visit(name, kind));
        }));
    }
    /// Reports a name that larder does not know, once, however often it is listed.
    Result<> foreign(std::filesystem::path path) {
        if (!is_known(path))
            found(Finding::Kind::foreign, std::move(path),
                  "larder does not know this name, and leaves it alone");
        return {};
    }

    /// Reports a tree that a failed publish could not give back.
    Result<> kept(const std::filesystem::path& path) {
        if (is_known(path / format::tree_name)) return {};
        found(Finding::Kind::foreign, path / format::tree_name,
              "this was moved into the cache to be published, the publish failed, and something "
              "kept it from being put back; larder leaves it alone: move it away");
        return {};
    }

    /// Checks that the root, `locks/` and `retired/` hold only names that larder knows.
    Result<> check_root() {
        TRY(each_name(dirs_.root, [&](const std::string& name, os::FileKind) -> Result<> {
            if (format::is_root_name(name)) return {};
            return foreign(dirs_.root / name);
        }));
        TRY(each_name(dirs_.locks, [&](const std::string& name, os::FileKind kind) -> Result<> {
            if (format::is_lock_name(name) && kind != os::FileKind::directory) return {};
            return foreign(dirs_.locks / name);
        }));
        TRY_ASSIGN(const os::Dir retired, os::open_dir_at(dirs_.root, format::retired_name));
        return each_name(retired, [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::retired_links_name || name == format::retired_buckets_name)
                return {};
            return foreign(retired / name);
        });
    }

    /// Checks the names in `participants/`, and reports each table that cannot be read.
    Result<> check_participants() {
        TRY(each_name(dirs_.participants, [&](const std::string& name, os::FileKind) -> Result<> {
            if (format::parse_participant_name(name)) return {};
            return foreign(dirs_.participants / name);
        }));
        TRY_ASSIGN(const auto participants, cache::read_participants(dirs_.participants));
        for (const Error& error : participants.unreadable.all()) {
            Finding& finding = found(Finding::Kind::participant, error.path, error.message());
            if (options_.repair) TRY(note(free_table(finding)));
        }
        return {};
    }

    /// Frees a lease table that cannot be read, if its process is dead. If that process may still
    /// run, the finding says so.
    Result<> free_table(Finding& finding) {
        const cache::ParticipantDirs places{dirs_.participants, dirs_.staging};
        const auto reap = [&](const os::Dir& staging) { return root_.reap(staging); };
        const auto move_away = [&](const std::string& name) {
            return root_.move_to_deleting(dirs_.participants, name);
        };
        const std::string table = finding.path.filename().string();
        TRY_ASSIGN(finding.repaired, cache::free_unreadable_table(places, table, reap, move_away));
        if (!finding.repaired)
            finding.what += "; a process that may still run has it: end that one first";
        return {};
    }

    /// Checks that `pins/` holds only directories of buckets, with files of keys. A pin may belong
    /// to a key that has no entry.
    Result<> check_pins() {
        const auto pins = os::open_dir_at(dirs_.root, format::pins_name);
        if (is_absent(pins)) return {};
        if (is_no_directory(pins)) return foreign(dirs_.root / format::pins_name);
        TRY(pins);
        return each_name(*pins, [&](const std::string& bucket, os::FileKind) {
            return check_pins_of(*pins, bucket);
        });
    }

    /// Checks the pins of one bucket.
    Result<> check_pins_of(const os::Dir& pins, const std::string& bucket) {
        if (!format::is_bucket_name(bucket)) return foreign(pins / bucket);
        const auto dir = os::open_dir_at(pins, bucket);
        if (is_absent(dir)) return {};  // removed meanwhile
        if (is_no_directory(dir)) return foreign(pins / bucket);
        TRY(dir);
        return each_name(*dir, [&](const std::string& key, os::FileKind kind) -> Result<> {
            if (format::is_key_name(key) && kind != os::FileKind::directory) return {};
            return foreign(*dir / key);
        });
    }

    /// Lists the entries of this part in `entries_`, and checks each.
    Result<> check_archive() {
        return each_name(dirs_.archive, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto id = format::parse_id(name);
            if (!id) return foreign(dirs_.archive / name);
            if (!is_in_part(*id)) return {};
            return check_entry(*id);
        });
    }

    /// Adds an entry to `entries_`, and checks that it holds nothing but its record and its tree.
    Result<> check_entry(const Id& id) {
        const std::string name = to_text(id);
        const auto entry = os::open_dir_at(dirs_.archive, name);
        if (is_absent(entry)) return {};  // a failed publish has taken it back: Stage::give_back
        if (is_no_directory(entry)) return foreign(dirs_.archive / name);
        entries_.push_back(id);
        TRY(entry);
        return each_name(*entry, [&](const std::string& part, os::FileKind) -> Result<> {
            if (part == format::record_name || part == format::tree_name) return {};
            return foreign(*entry / part);
        });
    }

    /// Checks the names in all staging areas, and counts the links there. Called twice for each
    /// part: see verify.
    Result<> check_staging() {
        return each_name(dirs_.staging, [&](const std::string& number, os::FileKind) {
            return check_staging_area(number);
        });
    }

    /// Checks the staging area of one participant.
    Result<> check_staging_area(const std::string& number) {
        if (!format::parse_participant_name(number)) return foreign(dirs_.staging / number);
        const auto area = os::open_dir_at(dirs_.staging, number);
        if (is_absent(area)) return {};  // removed meanwhile
        if (is_no_directory(area)) return foreign(dirs_.staging / number);
        TRY(area);
        return each_name(*area, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto staged = format::parse_staged_name(name);
            if (!staged) return foreign(*area / name);
            switch (staged->kind) {
                case format::StagedName::Kind::tree:
                    return {};  // it is no entry yet, and needs no check
                case format::StagedName::Kind::kept:
                    return kept(*area / name);
                case format::StagedName::Kind::link:
                    return check_staged_link(*area, number, name);
            }
            return {};  // never: all values are listed above
        });
    }

    /// Counts a link in the staging area of the participant `number`.
    Result<> check_staged_link(const os::Dir& area, const std::string& number,
                               const std::string& name) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), area, name));
        switch (link.kind) {
            case LinkRead::Kind::absent:
                return {};
            case LinkRead::Kind::entry:
                see(link.id, {.where = LinkPlace::staging, .parent = number, .name = name});
                return {};
            case LinkRead::Kind::malformed:
            case LinkRead::Kind::foreign:
                break;
        }
        // A small file may be read while a process writes it. A symlink is whole or not there.
        if (root_.link_kind() == LinkKind::file) return {};
        return foreign(area / name);
    }

    /// Checks each key of each bucket.
    Result<> check_buckets() {
        return each_name(dirs_.buckets, [&](const std::string& bucket, os::FileKind) {
            return check_bucket(bucket);
        });
    }

    /// Checks each key of one bucket.
    Result<> check_bucket(const std::string& bucket) {
        const auto name = format::decode_name(bucket);
        if (!name || name->empty()) return foreign(dirs_.buckets / bucket);
        const auto dir = os::open_dir_at(dirs_.buckets, bucket);
        if (is_absent(dir)) return {};  // refreshed meanwhile
        if (is_no_directory(dir)) return foreign(dirs_.buckets / bucket);
        TRY(dir);
        return each_name(*dir, [&](const std::string& key, os::FileKind) {
            return check_key(*dir, bucket, key);
        });
    }

    /// Checks invariant 1 for one key, and counts its link. Reports one finding at most, the first
    /// that applies, and mends it if a repair was asked for. Returns an error only if the link is
    /// not known: what can't be read of its entry is a finding here.
    Result<> check_key(const os::Dir& dir, const std::string& bucket, const std::string& key) {
        if (!format::is_key_name(key)) return foreign(dir / key);
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, key));
        const CheckedKey checked{.dir = dir, .bucket = bucket, .key = key, .link = link};
        switch (link.kind) {
            case LinkRead::Kind::absent:  // retired meanwhile
                return {};
            case LinkRead::Kind::foreign:
                if (!is_first_part()) return {};
                return report_key(Finding::Kind::blocked, blocked_by, checked);
            case LinkRead::Kind::malformed:
                if (!is_first_part()) return {};
                return report_key(Finding::Kind::malformed, "a link that larder did not make",
                                  checked);
            case LinkRead::Kind::entry:
                break;
        }
        if (!is_in_part(link.id)) return {};
        if (is_counted(link)) ++report_.live;
        see(link.id, {.where = LinkPlace::bucket, .parent = bucket, .name = key});
        return note(check_entry_of(checked));
    }

    /// Checks whether a key and the entry that its link names agree. Looks at the entry, then at
    /// the link again: a finding about the entry counts only if the key still names it after the
    /// look. An error of reading the record says nothing about it, and is passed on.
    Result<> check_entry_of(const CheckedKey& checked) {
        const Id& id = checked.link.id;
        TRY_ASSIGN(const bool complete, is_complete(root_, id));
        const auto record = read_record(root_, id);
        if (!record && record.error().code != Errc::damaged)
            return tl::make_unexpected(record.error());
        // A link never comes back. If it still names this entry now, it did so during the check.
        // Otherwise the finding is out of date.
        TRY_ASSIGN(const bool current, still_names_entry(checked));
        if (!current) return {};
        const std::string entry = "entry " + to_text(id);
        if (!complete) {
            return report_key(Finding::Kind::dangling, entry + " is not there, or has no tree",
                              checked);
        }
        if (!record) {
            Finding& finding =
                found(Finding::Kind::malformed, record.error().path, record.error().message());
            return mend_key(finding, checked);
        }
        const auto its_bucket = format::encode_bucket(record->bucket);
        const auto its_key = format::encode_key(record->key, root_.longest_name());
        if (its_bucket != checked.bucket || its_key != checked.key) {
            return report_key(Finding::Kind::misnamed,
                              entry + " belongs to another key by its record", checked);
        }
        return check_files(checked, *record);
    }

    /// Compares the files of an entry with its record. Reads the link again before it reports a
    /// difference: if the key names another entry by now, the finding would be out of date.
    Result<> check_files(const CheckedKey& checked, const format::Record& record) {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(dirs_.archive, to_text(checked.link.id)));
        TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
        TRY_ASSIGN(const auto difference, difference_from_record(tree, record));
        if (!difference) return {};
        TRY_ASSIGN(const bool current, still_names_entry(checked));
        if (!current) return {};
        return mend_key(found(Finding::Kind::changed, tree.path, *difference), checked);
    }

    /// Returns whether the key still names the entry that its link named when it was read.
    [[nodiscard]] Result<bool> still_names_entry(const CheckedKey& checked) const {
        TRY_ASSIGN(const LinkRead again,
                   format::read_link(root_.link_kind(), checked.dir, checked.key));
        return again.names(checked.link.id);
    }

    /// Reports a finding at the key's link, and mends the key if a repair was asked for.
    Result<> report_key(Finding::Kind kind, std::string what, const CheckedKey& checked) {
        return mend_key(found(kind, checked.path(), std::move(what)), checked);
    }

    /// Mends a key if a repair was asked for. If that fails, the finding says why, and all else
    /// goes on. Requires: `finding` is the last one of the report.
    Result<> mend_key(Finding& finding, const CheckedKey& checked) {
        if (!options_.repair) return {};
        auto mended = retire_faulty(finding, checked);
        if (mended || mended.error().code == Errc::interrupted) return mended;
        finding.what += "; it was not repaired: " + mended.error().message();
        return {};
    }

    /// Retires a faulty link if it is still the one that was checked. Otherwise takes the finding
    /// back. Waits for the bucket's lock, exclusively, so that no publish replaces the link between
    /// the check and the rename. Requires: `finding` is the last one of the report.
    Result<> retire_faulty(Finding& finding, const CheckedKey& checked) {
        const auto lock = cache::BucketLock::exclusive(root_, checked.bucket, context_);
        TRY(lock);
        const std::string path = format::key_path(checked.bucket, checked.key);
        TRY_ASSIGN(const LinkRead now, format::read_link(root_.link_kind(), dirs_.buckets, path));
        if (now.kind != checked.link.kind || now.id != checked.link.id) {
            // Another process has replaced or retired the link.
            report_.findings.pop_back();
            return {};
        }
        if (now.kind == LinkRead::Kind::entry) {
            TRY(root_.retire_link(dirs_.buckets, path));
            finding.what += "; key " + format::decode_name(checked.key).value_or(checked.key) +
                            " of bucket " +
                            format::decode_name(checked.bucket).value_or(checked.bucket) +
                            " was taken out, and has no entry now";
        } else {
            // What names no entry belongs to no garbage. So it does not go to retired/links.
            TRY(root_.move_to_deleting(dirs_.buckets, path));
        }
        finding.repaired = true;
        if (is_counted(now)) --report_.live;
        return {};
    }

    /// Checks each link in the buckets that were refreshed.
    Result<> check_refreshed_buckets() {
        const auto check = [this](const os::Dir& bucket, const std::string& name) {
            return check_refreshed_bucket(bucket, name);
        };
        return for_each_refreshed_bucket(root_, check, foreign_);
    }

    /// Checks each link in one of these buckets.
    Result<> check_refreshed_bucket(const os::Dir& bucket, const std::string& name) {
        return each_name(bucket, [&](const std::string& key, os::FileKind) -> Result<> {
            if (!format::is_key_name(key)) return foreign(bucket / key);
            return check_retired(bucket, name, key);
        });
    }

    /// Checks each link that was retired one by one.
    Result<> check_retired_links() {
        const auto check = [this](const os::Dir& links, const std::string& name) {
            return note_missed(check_retired(links, "", name));
        };
        return for_each_retired_link(root_, check, foreign_);
    }

    /// Checks one retired link, and counts the entry that it names as garbage. `bucket` is the name
    /// of the refreshed bucket in which it stands, or empty.
    Result<> check_retired(const os::Dir& dir, const std::string& bucket, const std::string& name) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind == LinkRead::Kind::entry)
            see(link.id, {.where = LinkPlace::retired, .parent = bucket, .name = name});
        if (is_counted(link)) ++report_.garbage;
        if (!is_first_part()) return {};  // the first part has reported it
        switch (link.kind) {
            case LinkRead::Kind::absent:  // collected meanwhile
            case LinkRead::Kind::entry:
                return {};
            case LinkRead::Kind::malformed:
                found(Finding::Kind::foreign, dir / name,
                      "a link that larder did not make, or not in full; the next collection "
                      "removes it");
                return {};
            case LinkRead::Kind::foreign:
                return report_blocked(dir, name);
        }
        return {};  // never: all values are listed above
    }

    /// Reports something that stands where only a retired link may stand. A collection leaves it
    /// alone, so it would stay there forever. If a repair was asked for, moves it to `deleting/`.
    Result<> report_blocked(const os::Dir& dir, const std::string& name) {
        Finding& finding = found(Finding::Kind::blocked, dir / name, blocked_by);
        if (!options_.repair) return {};
        TRY(root_.move_to_deleting(dir, name));
        finding.repaired = true;
        return {};
    }

    /// Returns whether a link names an entry of this part that was listed. Only such links count as
    /// live or as garbage, so that both numbers and that of the orphans add up to the entries.
    [[nodiscard]] bool is_counted(const LinkRead& link) const {
        return link.kind == LinkRead::Kind::entry &&
               std::binary_search(entries_.begin(), entries_.end(), link.id);
    }

    /// Counts a link that names an entry of this part; ignores other ids. The links themselves are
    /// kept only for entries that several links have named, in a second listing: to keep all of
    /// them would need the memory that the parts save.
    void see(const Id& id, SeenLink seen) {
        if (const auto shared = shared_.find(id); shared != shared_.end()) {
            shared->second.push_back(std::move(seen));
            return;
        }
        const auto at = std::lower_bound(entries_.begin(), entries_.end(), id);
        if (at == entries_.end() || *at != id) return;
        auto& count = names_[static_cast<std::size_t>(at - entries_.begin())];
        if (count < 2) ++count;
    }

    /// Checks invariant 2: each entry is named once. An entry that no link has named is an orphan,
    /// because its link would have been met in one of the lists. If a list may lack some links, no
    /// entry is called an orphan: a repair would give a live entry a second name. Two links are
    /// only a suspicion, because a link that moved was met twice; so those entries are looked at
    /// again.
    Result<> check_entries() {
        report_.entries += entries_.size();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (names_[i] == 0 && !missed_names_) TRY(note(mend_orphan(entries_[i])));
            if (names_[i] > 1) shared_[entries_[i]];
        }
        if (shared_.empty()) return {};
        TRY(list_links_of_shared());
        for (const auto& [id, names] : shared_) TRY(note(check_shared(id, names)));
        return {};
    }

    /// Lists the links again, in the same order, and keeps those that name an entry of `shared_`.
    Result<> list_links_of_shared() {
        TRY(list_links_below(LinkPlace::staging, dirs_.staging));
        TRY(list_links_below(LinkPlace::bucket, dirs_.buckets));
        TRY(list_links_below(LinkPlace::retired, dirs_.retired_buckets));
        TRY(list_links_below(LinkPlace::staging, dirs_.staging));
        return list_links_in(LinkPlace::retired, dirs_.retired_links, "");
    }

    /// Lists the links in each directory of `parent`. A directory that is gone, or was never one,
    /// is passed over: the first listing has reported it.
    Result<> list_links_below(LinkPlace where, const os::Dir& parent) {
        return each_name(parent, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto dir = os::open_dir_at(parent, name);
            if (has_no_directory(dir)) return {};  // gone meanwhile, or foreign
            TRY(dir);
            return list_links_in(where, *dir, name);
        });
    }

    /// Sees the links in one directory that name an entry of `shared_`. An error was noted by the
    /// first listing.
    Result<> list_links_in(LinkPlace where, const os::Dir& dir, const std::string& parent) {
        return each_name(dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
            if (kind == os::FileKind::directory) return {};
            const auto link = format::read_link(root_.link_kind(), dir, name);
            if (link && link->kind == LinkRead::Kind::entry && shared_.contains(link->id))
                see(link->id, {.where = where, .parent = parent, .name = name});
            return {};
        });
    }

    /// Reports an entry that no link names, and gives it a link in `retired/links/` if a repair was
    /// asked for.
    Result<> mend_orphan(const Id& id) {
        // A failed publish may have taken its entry back (Stage::give_back).
        TRY_ASSIGN(const bool stands, os::is_dir_at(dirs_.archive, to_text(id)));
        if (!stands) return {};
        Finding& finding =
            found(Finding::Kind::orphan, dirs_.archive / to_text(id), "no link names this entry");
        if (!options_.repair) return {};
        // The entry is not deleted here, because a process may have leased it. It gets a link in
        // retired/links, so that a collection treats it like any other garbage.
        TRY_ASSIGN(cache::Participant* const participant, root_.participant(context_));
        const std::string link = format::staged_link_name(format::fresh_id());
        TRY(format::make_link(root_.link_kind(), participant->staging(), link, id));
        TRY(root_.retire_link(participant->staging(), link));
        finding.repaired = true;
        ++report_.garbage;
        return {};
    }

    /// Checks an entry that several links have named. Reports it if more than one of them still
    /// stands. If a repair was asked for, leaves one name, and prefers one in a bucket. (If several
    /// buckets name the entry, mend_key decides which is right.)
    Result<> check_shared(const Id& id, const std::vector<SeenLink>& names) {
        TRY_ASSIGN(std::vector<SeenLink> standing, standing_names(id, names));
        if (standing.size() < 2) return {};
        std::string paths;
        for (const auto& seen : standing)
            paths += (paths.empty() ? "" : ", ") + path_of(seen).string();
        Finding& finding =
            found(Finding::Kind::shared, dirs_.archive / to_text(id), "named by " + paths);
        if (!options_.repair) return {};
        // The first name stays, so one in a bucket comes first.
        std::stable_sort(standing.begin(), standing.end(),
                         [](const SeenLink& a, const SeenLink& b) { return a.where < b.where; });
        std::size_t left = standing.size();
        for (std::size_t i = 1; i < standing.size(); ++i) {
            const bool is_in_retired_links =
                standing[i].where == LinkPlace::retired && standing[i].parent.empty();
            if (!is_in_retired_links) continue;
            TRY(os::remove_file_at(dirs_.retired_links, standing[i].name));
            --left;
        }
        finding.repaired = left == 1;
        return {};
    }

    /// Returns those of `names` that still name the entry, each once. A link that moved during the
    /// listing was seen in two places, and stands in one.
    [[nodiscard]] Result<std::vector<SeenLink>> standing_names(
        const Id& id, const std::vector<SeenLink>& names) const {
        std::vector<SeenLink> standing;
        for (const auto& seen : names) {
            TRY_ASSIGN(const bool stands, still_names(seen, id));
            const bool twice = std::find(standing.begin(), standing.end(), seen) != standing.end();
            if (stands && !twice) standing.push_back(seen);
        }
        return standing;
    }

    /// Returns whether the link still stands where it was seen, and names the entry.
    Result<bool> still_names(const SeenLink& seen, const Id& id) const {
        const std::string name =
            seen.parent.empty() ? seen.name : format::key_path(seen.parent, seen.name);
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir_of(seen), name));
        return link.names(id);
    }

    /// Returns the directory that `seen.parent` and `seen.name` are relative to. A retired link
    /// without a parent was retired by itself; one with a parent came with its whole bucket.
    [[nodiscard]] const os::Dir& dir_of(const SeenLink& seen) const {
        switch (seen.where) {
            case LinkPlace::bucket:
                return dirs_.buckets;
            case LinkPlace::staging:
                return dirs_.staging;
            case LinkPlace::retired:
                return seen.parent.empty() ? dirs_.retired_links : dirs_.retired_buckets;
        }
        return dirs_.buckets;  // never: all values are listed above
    }

    /// Returns where the link stood when it was seen.
    [[nodiscard]] std::filesystem::path path_of(const SeenLink& seen) const {
        return dir_of(seen).path / seen.parent / seen.name;
    }

    cache::Root& root_;
    const cache::Handles& dirs_;
    const VerifyOptions& options_;
    const cache::CallContext& context_;
    const VisitUnknown foreign_ = [this](std::filesystem::path path) {
        return foreign(std::move(path));
    };
    std::uint64_t part_ = 0, parts_ = 1;          // the part at work, and how many there are
    std::vector<Id> entries_;                     // of this part, sorted
    std::vector<std::uint8_t> names_;             // how many links name each of them; at most 2
    bool missed_names_ = false;                   // a list of this part may lack some links
    std::map<Id, std::vector<SeenLink>> shared_;  // entries that several links have named
    VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify(const RootRef& root, const VerifyOptions& options,
                            const cache::CallContext& context) {
    // The lock is not announced, because a verify changes nothing, not even our own lease table.
    const auto lock = cache::CollectorLock::try_lock(*root);
    TRY(lock);
    return Verifier(*root, options, context).verify();
}

}  // namespace larder::protocol
