// SPDX-License-Identifier: MIT
#include "protocol/verify.hpp"

#include <algorithm>

#include "format/boot_file.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/finding_list.hpp"
#include "protocol/generations.hpp"
#include "protocol/link_census.hpp"
#include "protocol/orphans.hpp"
#include "protocol/trash.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// What is wrong with something that stands where only a link may stand.
constexpr const char* blocked_by =
    "no link of this cache stands here, but something else, as after a copy that followed links; a "
    "repair moves it to deleting/";

/// What is wrong with a directory that stands where only a file of larder's may stand.
constexpr const char* no_file =
    "a directory stands here in the place of a file; a repair moves it to deleting/";

/// The link of a key as it was read, and where it stands. Names are encoded. The references are
/// valid while the directory of the bucket is listed.
struct CheckedKey {
    const os::Dir& dir;  ///< of the bucket
    const std::string& bucket;
    const std::string& key;
    const LinkRead& link;

    [[nodiscard]] std::filesystem::path path() const { return dir / key; }
};

/// One verify, under the collector's lock. Whatever it meets, it goes on: an error about one name
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
        TRY(findings_.note_error(check_root()));
        TRY(findings_.note_error(check_participants()));
        TRY(findings_.note_error(check_generations()));
        TRY_ASSIGN(const std::uint64_t parts, count_census_parts(root_));
        for (std::uint64_t part = 0; part < parts; ++part) {
            census_ = LinkCensus(part, parts);
            TRY(verify_part());
        }
        TRY(findings_.note_error(check_pins()));
        TRY(findings_.note_error(check_boots()));
        report_.findings = findings_.take_all();
        return std::move(report_);
    }

private:
    /// Checks the entries of one part, in the order that verify explains.
    Result<> verify_part() {
        TRY(findings_.note_error(check_archive()));
        census_.end_of_entries();
        // An entry that could not be listed hides no link. A link that is not met from here on
        // does.
        findings_.forget_missed_links();
        (void)os::point("verify.archive-listed");
        TRY(findings_.note_missed(check_staging()));
        TRY(findings_.note_missed(check_buckets()));
        (void)os::point("verify.buckets-listed");
        TRY(findings_.note_missed(check_refreshed_buckets()));
        TRY(findings_.note_missed(check_nameless_generations()));
        (void)os::point("verify.retired-buckets-listed");
        TRY(findings_.note_missed(check_staging()));
        TRY(findings_.note_missed(check_retired_links()));
        return check_counts();
    }

    /// Checks that the root and `retired/` hold only names that larder knows.
    Result<> check_root() {
        TRY(findings_.for_each_name(dirs_.root,
                                    [&](const std::string& name, os::FileKind) -> Result<> {
                                        if (format::is_root_name(name)) return {};
                                        return findings_.add_foreign(dirs_.root / name);
                                    }));
        TRY_ASSIGN(const os::Dir retired, os::open_dir_at(dirs_.root, format::retired_name));
        return findings_.for_each_name(
            retired, [&](const std::string& name, os::FileKind) -> Result<> {
                if (name == format::retired_links_name || name == format::retired_buckets_name)
                    return {};
                return findings_.add_foreign(retired / name);
            });
    }

    /// Checks the names in `participants/`, and reports each table that cannot be read. Frees such
    /// a table if a repair was asked for.
    Result<> check_participants() {
        TRY(findings_.for_each_name(dirs_.participants,
                                    [&](const std::string& name, os::FileKind) -> Result<> {
                                        if (format::parse_participant_name(name)) return {};
                                        return findings_.add_foreign(dirs_.participants / name);
                                    }));
        TRY_ASSIGN(const auto participants, cache::read_participants(dirs_.participants));
        for (const Error& error : participants.unreadable.all()) {
            Finding& finding =
                findings_.add(Finding::Kind::participant, error.path, error.message());
            if (options_.repair) TRY(findings_.note_error(free_table(finding)));
        }
        return {};
    }

    /// Frees the lease table of a finding, which cannot be read, if its process is dead. If that
    /// process may still run, the finding says so.
    Result<> free_table(Finding& finding) {
        const cache::ParticipantDirs places{dirs_.participants, dirs_.staging};
        const auto move_away = [&](const std::string& name) {
            return root_.set_aside(dirs_.participants, name);
        };
        const std::string table = finding.path.filename().string();
        TRY_ASSIGN(finding.repaired,
                   cache::free_unreadable_table(places, table, root_.reaper(), move_away));
        if (!finding.repaired)
            finding.what += "; a process that may still run has it: end that one first";
        return {};
    }

    /// If buckets are pointers: checks the names in `generations/`, and that one pointer names each
    /// generation (invariant 2). With a repair, gives a generation without a pointer one in
    /// `retired/buckets/`; retires a bucket's pointer that leads nowhere; and of several pointers
    /// to one generation unlinks those in `retired/buckets/`, but leaves one in any case.
    Result<> check_generations() {
        TRY(findings_.for_each_name(dirs_.generations,
                                    [&](const std::string& name, os::FileKind) -> Result<> {
                                        const auto dir = os::open_dir_at(dirs_.generations, name);
                                        if (is_absent(dir)) return {};
                                        if (!format::parse_id(name) || is_no_directory(dir))
                                            return findings_.add_foreign(dirs_.generations / name);
                                        return {};
                                    }));
        TRY_ASSIGN(GenerationCensus census, count_pointers(root_, context_.stop));
        for (const Id& generation : census.nameless)
            TRY(findings_.note_error(report_nameless(generation)));
        for (const PlacedPointer& pointer : census.dangling)
            TRY(findings_.note_error(report_dangling(pointer)));
        for (auto& pointers : census.shared)
            TRY(findings_.note_error(report_shared(std::move(pointers))));
        return {};
    }

    /// Reports a generation that no pointer names.
    Result<> report_nameless(const Id& generation) {
        Finding& finding =
            findings_.add(Finding::Kind::orphan, dirs_.generations / to_text(generation),
                          "no bucket names this generation");
        if (!options_.repair) {
            nameless_.push_back(generation);
            return {};
        }
        TRY(name_generation(root_, generation, context_));
        finding.repaired = true;
        return {};
    }

    /// Reports the pointer of a bucket whose generation is not there.
    Result<> report_dangling(const PlacedPointer& pointer) {
        findings_.add(Finding::Kind::dangling, path_of(root_, pointer),
                      "generation " + to_text(pointer.generation) + " is not there");
        return mend_pointer(pointer.name, [&](const format::PointerRead& now) {
            return now.names(pointer.generation);
        });
    }

    /// Takes the faulty pointer of a bucket away if a repair was asked for, and if `is_faulty` says
    /// so again under the bucket's lock. Otherwise takes the last finding back, which is about it.
    template <class IsFaulty>
    Result<> mend_pointer(const std::string& bucket, IsFaulty is_faulty) {
        return mend_bucket(bucket, [&]() -> Result<bool> {
            TRY_ASSIGN(const format::PointerRead now, root_.keys().read_pointer(bucket));
            if (!is_faulty(now)) return false;
            if (now.kind == format::PointerRead::Kind::generation) {
                TRY(root_.retire_pointer(dirs_.buckets, bucket));
            } else {
                TRY(root_.set_aside(dirs_.buckets, bucket));
            }
            return true;
        });
    }

    /// Calls `mend` under the bucket's lock, exclusive, if a repair was asked for. If it returns
    /// false, nothing is wrong any more: takes the last finding back, which is about the bucket.
    template <class Mend>
    Result<> mend_bucket(const std::string& bucket, Mend mend) {
        if (!options_.repair) return {};
        const auto lock = cache::BucketLock::exclusive(root_, bucket, context_);
        TRY(lock);
        TRY_ASSIGN(const bool is_mended, mend());
        if (is_mended) {
            findings_.last(1).front().repaired = true;
        } else {
            findings_.take_back(1);
        }
        return {};
    }

    /// Reports several pointers that name one generation.
    Result<> report_shared(std::vector<PlacedPointer> pointers) {
        // The first one stays, so one of a bucket comes first.
        std::stable_sort(
            pointers.begin(), pointers.end(),
            [](const PlacedPointer& a, const PlacedPointer& b) { return a.where < b.where; });
        std::string paths;
        for (const PlacedPointer& pointer : pointers)
            paths += (paths.empty() ? "" : ", ") + path_of(root_, pointer).string();
        Finding& finding = findings_.add(Finding::Kind::shared,
                                         dirs_.generations / to_text(pointers.front().generation),
                                         "named by " + paths);
        if (!options_.repair) return {};
        std::size_t left = pointers.size();
        for (std::size_t i = 1; i < pointers.size(); ++i) {
            if (pointers[i].where != LinkPlace::retired) continue;
            TRY(os::remove_file_at(root_.garbage().retired_buckets, pointers[i].name));
            --left;
        }
        finding.repaired = left == 1;
        return {};
    }

    /// Counts the links of the generations that no pointer names, which are garbage.
    Result<> check_nameless_generations() {
        for (const Id& generation : nameless_) {
            const auto dir = os::open_dir_at(dirs_.generations, to_text(generation));
            if (is_absent(dir)) continue;
            TRY(dir);
            TRY(check_refreshed_bucket(*dir));
        }
        return {};
    }

    /// Checks that `pins/` holds only directories of buckets, with files of keys. A pin may belong
    /// to a key that has no entry.
    Result<> check_pins() {
        const auto pins = os::open_dir_at(dirs_.root, format::pins_name);
        if (is_absent(pins)) return {};  // no key was ever pinned
        if (is_no_directory(pins)) return report_no_directory(dirs_.root, format::pins_name);
        TRY(pins);
        return findings_.for_each_name(*pins, [&](const std::string& bucket, os::FileKind) {
            return check_pins_of(*pins, bucket);
        });
    }

    /// Checks that `boots/` holds only files of boots.
    Result<> check_boots() {
        const auto boots = os::open_dir_at(dirs_.root, format::boots_name);
        if (is_absent(boots)) return {};  // nothing was ever collected
        if (is_no_directory(boots)) return report_no_directory(dirs_.root, format::boots_name);
        TRY(boots);
        return findings_.for_each_name(*boots,
                                       [&](const std::string& name, os::FileKind kind) -> Result<> {
                                           if (!format::is_boot_name(name))
                                               return findings_.add_foreign(*boots / name);
                                           if (kind != os::FileKind::directory) return {};
                                           return report_blocked(*boots, name, no_file);
                                       });
    }

    /// Checks the pins of one bucket.
    Result<> check_pins_of(const os::Dir& pins, const std::string& bucket) {
        if (!format::is_bucket_name(bucket)) return findings_.add_foreign(pins / bucket);
        const auto dir = os::open_dir_at(pins, bucket);
        if (is_absent(dir)) return {};  // removed meanwhile
        if (is_no_directory(dir)) return report_no_directory(pins, bucket);
        TRY(dir);
        return findings_.for_each_name(*dir,
                                       [&](const std::string& key, os::FileKind kind) -> Result<> {
                                           if (!format::is_key_name(key))
                                               return findings_.add_foreign(*dir / key);
                                           if (kind != os::FileKind::directory) return {};
                                           return report_blocked(*dir, key, no_file);
                                       });
    }

    /// Adds the entries of this part to the census, and checks each.
    Result<> check_archive() {
        return findings_.for_each_name(dirs_.archive,
                                       [&](const std::string& name, os::FileKind) -> Result<> {
                                           const auto id = format::parse_id(name);
                                           if (!id)
                                               return findings_.add_foreign(dirs_.archive / name);
                                           if (!census_.covers(*id)) return {};
                                           return check_entry(*id);
                                       });
    }

    /// Adds an entry to the census, and checks that it holds nothing but its record, its manifest,
    /// its tree, and what a get has written about it.
    Result<> check_entry(const Id& id) {
        const std::string name = to_text(id);
        auto entry = os::open_dir_at(dirs_.archive, name);
        if (is_denied_to_repair(entry)) {
            make_readable(root_, id);
            if (auto again = os::open_dir_at(dirs_.archive, name)) {
                note_readable(entry.error());
                entry = std::move(again);
            }
        }
        if (is_absent(entry)) return {};  // a stage was dropped meanwhile
        if (is_no_directory(entry)) return findings_.add_foreign(dirs_.archive / name);
        census_.add_entry(id);
        TRY(entry);
        return findings_.for_each_name(
            *entry, [&](const std::string& part, os::FileKind) -> Result<> {
                if (part == format::record_name || part == format::manifest_name ||
                    part == format::judged_name || part == format::tree_name)
                    return {};
                return findings_.add_foreign(*entry / part);
            });
    }

    /// Returns whether a repair may give the owner of an entry a right that was missing.
    template <class T>
    [[nodiscard]] bool is_denied_to_repair(const Result<T>& done) const {
        return options_.repair && why_of(done) == Why::denied;
    }

    /// Reports that an entry could not be read, and can be now.
    void note_readable(Error denied) {
        denied.detail.clear();  // it says what to do, which is done
        Finding& finding = findings_.add(Finding::Kind::unreadable, denied.path,
                                         denied.message() + "; its owner may read it now");
        finding.repaired = true;
    }

    /// Checks the names in all staging areas, and counts the links there. Called twice for each
    /// part: see verify.
    Result<> check_staging() {
        return findings_.for_each_name(dirs_.staging, [&](const std::string& number, os::FileKind) {
            return check_staging_area(number);
        });
    }

    /// Checks the staging area of the participant `number`.
    Result<> check_staging_area(const std::string& number) {
        if (!format::parse_participant_name(number))
            return findings_.add_foreign(dirs_.staging / number);
        const auto area = os::open_dir_at(dirs_.staging, number);
        if (is_absent(area)) return {};  // removed meanwhile
        if (is_no_directory(area)) return report_no_directory(dirs_.staging, number);
        TRY(area);
        return findings_.for_each_name(*area, [&](const std::string& name, os::FileKind) {
            return check_staged(*area, name);
        });
    }

    /// Checks one name in a staging area.
    Result<> check_staged(const os::Dir& area, const std::string& name) {
        const auto staged = format::parse_staged_name(name);
        if (!staged) return findings_.add_foreign(area / name);
        switch (staged->kind) {
            case format::StagedName::Kind::kept:
                TRY(report_kept(staged->id));
                return check_staged_link(area, name, staged->kind);
            case format::StagedName::Kind::old:
            case format::StagedName::Kind::link:
                return check_staged_link(area, name, staged->kind);
            case format::StagedName::Kind::pointer:
                return root_.keys().use_pointers() ? Result<>()
                                                   : findings_.add_foreign(area / name);
        }
        return {};  // never: all values are listed above
    }

    /// Reports a tree that a failed publish could not give back to its owner. Does so once, because
    /// the staging areas are listed more than once.
    Result<> report_kept(const Id& id) {
        const auto path = tree_path(root_, id);
        const auto tree = os::exists_at(dirs_.archive, format::entry_tree_path(id));
        if (findings_.has(path) || !tree.value_or(true)) return {};  // its owner has moved it away
        findings_.add(
            Finding::Kind::foreign, path,
            "this was moved into the cache to be published, the publish failed, and something "
            "kept it from being put back; larder leaves it alone: move it away");
        return {};
    }

    /// Counts a link in a staging area.
    Result<> check_staged_link(const os::Dir& area, const std::string& name,
                               format::StagedName::Kind kind) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), area, name));
        switch (link.kind) {
            case LinkRead::Kind::absent:
                return {};
            case LinkRead::Kind::entry:
                if (kind == format::StagedName::Kind::old) {
                    census_.note_old_link_to(link.id);
                } else {
                    census_.count_link_to(link.id);
                }
                return {};
            case LinkRead::Kind::malformed:
            case LinkRead::Kind::foreign:
                break;
        }
        // A small file may be read while a process writes it. A symlink is whole or not there.
        if (root_.link_kind() == LinkKind::file) return {};
        return findings_.add_foreign(area / name);
    }

    /// Checks each key of each bucket.
    Result<> check_buckets() {
        return findings_.for_each_name(dirs_.buckets, [&](const std::string& bucket, os::FileKind) {
            return check_bucket(bucket);
        });
    }

    /// Checks each key of one bucket.
    Result<> check_bucket(const std::string& bucket) {
        const auto name = format::decode_name(bucket);
        if (!name || name->empty()) return findings_.add_foreign(dirs_.buckets / bucket);
        const auto dir = root_.keys().open_bucket(bucket);
        if (is_absent(dir)) return check_broken_pointer(bucket);  // or refreshed meanwhile
        if (is_no_directory(dir)) return report_no_bucket(bucket);
        TRY(dir);
        return findings_.for_each_name(*dir, [&](const std::string& key, os::FileKind) {
            return check_key(*dir, bucket, key);
        });
    }

    /// Reports what stands at the name of a bucket and is none, so that nothing can be published
    /// there. If a repair was asked for, moves it to `deleting/`.
    Result<> report_no_bucket(const std::string& bucket) {
        if (!census_.is_of_first_part()) return {};
        if (root_.keys().use_pointers()) {
            findings_.add(Finding::Kind::blocked, dirs_.buckets / bucket, blocked_by);
            return findings_.note_error(mend_pointer(bucket, [](const format::PointerRead& read) {
                return read.kind == format::PointerRead::Kind::foreign;
            }));
        }
        findings_.add(Finding::Kind::blocked, dirs_.buckets / bucket, cache::no_directory);
        return findings_.note_error(mend_bucket(bucket, [&]() -> Result<bool> {
            if (!is_no_directory(root_.keys().open_bucket(bucket))) return false;
            TRY(root_.set_aside(dirs_.buckets, bucket));
            return true;
        }));
    }

    /// Reports the pointer of a bucket if it is not whole, as after a power cut. Moves it to
    /// `deleting/` if a repair was asked for. (One that leads nowhere is reported by
    /// check_generations.)
    Result<> check_broken_pointer(const std::string& bucket) {
        if (!root_.keys().use_pointers() || !census_.is_of_first_part()) return {};
        const auto is_malformed = [](const format::PointerRead& read) {
            return read.kind == format::PointerRead::Kind::malformed;
        };
        TRY_ASSIGN(const auto pointer, root_.keys().read_pointer(bucket));
        if (!is_malformed(pointer)) return {};
        findings_.add(Finding::Kind::malformed, dirs_.buckets / bucket,
                      "a link to a generation that larder did not make, or not in full");
        return findings_.note_error(mend_pointer(bucket, is_malformed));
    }

    /// Checks that the link of one key names a complete entry, and that the entry's record and
    /// files agree with the key (invariant 1). Counts the link. Reports one finding at most, the
    /// first that applies, and mends it if a repair was asked for. Errors: those that leave it open
    /// which entry the link names; what can't be read of the entry is a finding.
    Result<> check_key(const os::Dir& dir, const std::string& bucket, const std::string& key) {
        if (!format::is_key_name(key)) return findings_.add_foreign(dir / key);
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, key));
        const CheckedKey checked{.dir = dir, .bucket = bucket, .key = key, .link = link};
        switch (link.kind) {
            case LinkRead::Kind::absent:  // retired meanwhile
                return {};
            case LinkRead::Kind::foreign:
                if (!census_.is_of_first_part()) return {};
                return report_key(Finding::Kind::blocked, blocked_by, checked);
            case LinkRead::Kind::malformed:
                if (!census_.is_of_first_part()) return {};
                return report_key(Finding::Kind::malformed, "a link that larder did not make",
                                  checked);
            case LinkRead::Kind::entry:
                break;
        }
        if (!census_.covers(link.id)) return {};  // another part checks it
        if (census_.has_entry_of(link)) ++report_.live;
        census_.count_link_to(link.id);
        auto done = check_entry_of(checked);
        if (is_denied_to_repair(done)) {
            make_readable(root_, link.id);
            if (auto again = check_entry_of(checked)) {
                note_readable(done.error());
                done = std::move(again);
            }
        }
        if (!done) {
            if (const auto shut = shut_directory(done.error())) done = report_shut(checked, *shut);
        }
        return findings_.note_error(done);
    }

    /// Reports a directory of an entry's tree that its owner may not read any more.
    Result<> report_shut(const CheckedKey& checked, const std::filesystem::path& directory) {
        TRY_ASSIGN(const bool current, still_names_entry(checked));
        if (!current) return {};
        findings_.add(Finding::Kind::changed, directory, shut_since);
        return mend_key(1, checked);
    }

    /// Checks whether a key and the entry that its link names agree. Looks at the entry, then at
    /// the link again: a finding about the entry counts only if the key still names it after the
    /// look. Errors: one of reading the record or the files, which says nothing about the entry.
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
            findings_.add(Finding::Kind::malformed, record.error().path, record.error().message());
            return mend_key(1, checked);
        }
        const auto its_bucket = format::encode_bucket(record->bucket);
        const auto its_key = format::encode_key(record->key, root_.longest_name());
        if (its_bucket != checked.bucket || its_key != checked.key) {
            return report_key(Finding::Kind::misnamed,
                              entry + " belongs to another key by its record", checked);
        }
        return check_files(checked, *record);
    }

    /// Compares what the tree of an entry holds with its manifest and its record. Reads the link
    /// again before it reports a difference: if the key names another entry by now, the finding
    /// would be out of date.
    Result<> check_files(const CheckedKey& checked, const format::Record& record) {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(dirs_.archive, to_text(checked.link.id)));
        const auto opened = os::open_dir_at(entry, format::tree_name);
        if (is_no_directory(opened)) {
            // One that leads to a directory of the same entry is complete by is_complete.
            return report_key(Finding::Kind::changed, opened.error().path,
                              "a directory should be here, and something else is", checked);
        }
        TRY(opened);
        const os::Dir& tree = *opened;
        tree::Inventory inventory;
        TRY_ASSIGN(const tree::Size size, tree::measure(tree, &inventory));
        const DigestCheck digests{.algorithms = context_.digests,
                                  .stop = context_.stop,
                                  .reads = DigestCheck::Reads::modified};
        TRY_ASSIGN(const EntryChanges changes, compare_with_manifest(entry, inventory, &digests));
        const auto difference = difference_from_record(size, record);
        if (changes.none() && !difference) return {};
        TRY_ASSIGN(const bool current, still_names_entry(checked));
        if (!current) return {};
        std::size_t added = findings_.add_changes(entry, changes);
        if (added == 0 && difference) {
            findings_.add(Finding::Kind::changed, tree.path, *difference);
            ++added;
        }
        return mend_key(added, checked);
    }

    /// Returns whether the key still names the entry that its link named when it was read.
    [[nodiscard]] Result<bool> still_names_entry(const CheckedKey& checked) const {
        TRY_ASSIGN(const LinkRead again,
                   format::read_link(root_.link_kind(), checked.dir, checked.key));
        return again.names(checked.link.id);
    }

    /// Reports a finding at the key's link, and mends the key if a repair was asked for.
    Result<> report_key(Finding::Kind kind, std::string what, const CheckedKey& checked) {
        return report_key(kind, checked.path(), std::move(what), checked);
    }
    /// Does the same for a finding at another path.
    Result<> report_key(Finding::Kind kind, std::filesystem::path path, std::string what,
                        const CheckedKey& checked) {
        findings_.add(kind, std::move(path), std::move(what));
        return mend_key(1, checked);
    }

    /// Mends a key if a repair was asked for. If that fails, the first of its findings says why,
    /// and all else goes on. Requires: `findings`, of which there is at least one, is how many of
    /// those that were added last are about the key. Errors: `interrupted`.
    Result<> mend_key(std::size_t findings, const CheckedKey& checked) {
        if (!options_.repair) return {};
        auto mended = retire_faulty(findings, checked);
        if (mended || mended.error().code == Errc::interrupted) return mended;
        findings_.last(findings).front().what +=
            "; it was not repaired: " + mended.error().message();
        return {};
    }

    /// Retires a faulty link if it is still the one that was checked. Otherwise takes its findings
    /// back. Waits for the bucket's lock, exclusively, so that no publish replaces the link between
    /// the check and the rename. Requires: as in mend_key.
    Result<> retire_faulty(std::size_t findings, const CheckedKey& checked) {
        const auto lock = cache::BucketLock::exclusive(root_, checked.bucket, context_);
        TRY(lock);
        const std::string path = format::key_path(checked.bucket, checked.key);
        TRY_ASSIGN(const LinkRead now, root_.keys().read(path));
        if (now.kind != checked.link.kind || now.id != checked.link.id) {
            // Another process has replaced or retired the link.
            findings_.take_back(findings);
            return {};
        }
        const auto about_key = findings_.last(findings);
        if (now.kind == LinkRead::Kind::entry) {
            TRY(root_.retire_key(path));
            about_key.front().what +=
                "; key " + format::decode_name(checked.key).value_or(checked.key) + " of bucket " +
                format::decode_name(checked.bucket).value_or(checked.bucket) +
                " was taken out, and has no entry now";
        } else {
            // What names no entry belongs to no garbage. So it does not go to retired/links.
            TRY_ASSIGN(const cache::KeyPath at, root_.keys().path_for_change(path));
            TRY(root_.set_aside(*at.dir, at.path));
        }
        for (Finding& finding : about_key) finding.repaired = true;
        if (census_.has_entry_of(now)) --report_.live;
        return {};
    }

    /// Checks each link in the buckets that were refreshed.
    Result<> check_refreshed_buckets() {
        const auto check = [this](const os::Dir& bucket, const std::string&) {
            return check_refreshed_bucket(bucket);
        };
        return for_each_refreshed_bucket(root_, check, add_foreign_);
    }

    /// Checks each link in one of these buckets.
    Result<> check_refreshed_bucket(const os::Dir& bucket) {
        return findings_.for_each_name(bucket,
                                       [&](const std::string& key, os::FileKind) -> Result<> {
                                           if (!format::is_key_name(key))
                                               return findings_.add_foreign(bucket / key);
                                           return check_retired(bucket, key);
                                       });
    }

    /// Checks each link that was retired one by one.
    Result<> check_retired_links() {
        const auto check = [this](const os::Dir& links, const std::string& name) {
            return findings_.note_missed(check_retired(links, name));
        };
        return for_each_retired_link(root_, check, add_foreign_);
    }

    /// Checks one retired link, and counts the entry that it names as garbage.
    Result<> check_retired(const os::Dir& dir, const std::string& name) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind == LinkRead::Kind::entry) census_.count_link_to(link.id);
        if (census_.has_entry_of(link)) ++report_.garbage;
        if (!census_.is_of_first_part()) return {};  // the first part has reported it
        switch (link.kind) {
            case LinkRead::Kind::absent:  // collected meanwhile
            case LinkRead::Kind::entry:
                return {};
            case LinkRead::Kind::malformed:
                findings_.add(Finding::Kind::foreign, dir / name,
                              "a link that larder did not make, or not in full; the next "
                              "collection removes it");
                return {};
            case LinkRead::Kind::foreign:
                return report_blocked(dir, name, blocked_by);
        }
        return {};  // never: all values are listed above
    }

    /// Reports something that stands in the place of a directory of larder's.
    Result<> report_no_directory(const os::Dir& parent, const std::string& name) {
        return report_blocked(parent, name, cache::no_directory);
    }

    /// Reports something that stands where only a retired link, or a directory or a file of
    /// larder's, may stand, unless it was reported already. A collection leaves it alone, so it
    /// would stay there forever. If a repair was asked for, moves it to `deleting/`.
    Result<> report_blocked(const os::Dir& dir, const std::string& name, const char* what) {
        if (findings_.has(dir / name)) return {};
        Finding& finding = findings_.add(Finding::Kind::blocked, dir / name, what);
        if (!options_.repair) return {};
        TRY(root_.set_aside(dir, name));
        finding.repaired = true;
        return {};
    }

    /// Checks that links name each entry of this part as invariant 2 says.
    ///
    /// An entry without a link is an orphan, because its link would have been met in one of the
    /// lists. But if a list may lack some links, no entry is called an orphan: the missing link may
    /// name it, and a repair would give a live entry a second name. Several links are only a
    /// suspicion, because a link that moved was met twice; so those entries are looked at again.
    Result<> check_counts() {
        report_.entries += census_.entries();
        if (!findings_.may_have_missed_links()) {
            for (const Id& id : census_.without_link())
                TRY(findings_.note_error(report_orphan(id)));
        }
        const std::vector<Id> suspects = census_.with_several_links();
        if (suspects.empty()) return {};
        TRY_ASSIGN(const LinksOfEntries links, links_of(root_, suspects, findings_));
        for (const auto& [id, links_to_it] : links)
            TRY(findings_.note_error(check_shared(id, links_to_it)));
        return {};
    }

    /// Reports an entry that no link names, and gives it a link in `retired/links/` if a repair was
    /// asked for.
    Result<> report_orphan(const Id& id) {
        // A stage may have been dropped meanwhile.
        TRY_ASSIGN(const bool stands, os::is_dir_at(dirs_.archive, to_text(id)));
        if (!stands) return {};
        Finding& finding = findings_.add(Finding::Kind::orphan, dirs_.archive / to_text(id),
                                         "no link names this entry");
        if (!options_.repair) return {};
        // The entry is not deleted here, because a process may have leased it.
        TRY(name_orphan(root_, id, context_));
        finding.repaired = true;
        ++report_.garbage;
        return {};
    }

    /// Reports an entry if more than one of these links still names it. Several retired links are
    /// no fault: a refresh came between two steps of a publish. If a repair was asked for,
    /// removes those in `retired/links/`, but leaves one link in any case. (Of several links in
    /// buckets, those whose key is not that of the entry's record are retired by mend_key.)
    Result<> check_shared(const Id& id, const std::vector<PlacedLink>& links) {
        TRY_ASSIGN(std::vector<PlacedLink> standing, still_standing(root_, id, links));
        const auto is_retired = [](const PlacedLink& link) {
            return link.where == LinkPlace::retired;
        };
        if (standing.size() < 2 || std::all_of(standing.begin(), standing.end(), is_retired))
            return {};
        std::string paths;
        for (const PlacedLink& link : standing)
            paths += (paths.empty() ? "" : ", ") + path_of(root_, link).string();
        Finding& finding =
            findings_.add(Finding::Kind::shared, dirs_.archive / to_text(id), "named by " + paths);
        if (!options_.repair) return {};
        // The first link stays, so one in a bucket comes first.
        std::stable_sort(
            standing.begin(), standing.end(),
            [](const PlacedLink& a, const PlacedLink& b) { return a.where < b.where; });
        std::size_t left = standing.size();
        for (std::size_t i = 1; i < standing.size(); ++i) {
            if (!standing[i].is_in_retired_links()) continue;
            TRY(os::remove_file_at(root_.garbage().retired_links, standing[i].name));
            --left;
        }
        finding.repaired = left == 1;
        return {};
    }

    cache::Root& root_;
    const cache::Handles& dirs_;  // of root_
    const VerifyOptions& options_;
    const cache::CallContext& context_;
    FindingList findings_;
    std::vector<Id> nameless_;  // generations that no pointer names, and that were not repaired
    const VisitUnknown add_foreign_ = [this](std::filesystem::path path) {
        return findings_.add_foreign(std::move(path));
    };
    LinkCensus census_{0, 1};  // of the part at work
    VerifyReport report_;      // its numbers; verify adds the findings
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
