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
#include "tree/measure.hpp"

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
};

/// One verify, under the collector's lock. Whatever it finds, it goes on: an error about one name
/// becomes a finding, and only `interrupted` ends it. The lists of one part belong together, so
/// they are made anew for each part.
class Verifier {
public:
    Verifier(cache::Root& root, const VerifyOptions& options, const cache::CallContext& context)
        : root_(root), dirs_(root.dirs()), options_(options), context_(context) {}

    /// The order of the lists makes verify safe while other processes write. A link moves only in
    /// this direction:
    ///   1. from a staging area to its bucket, by a publish;
    ///   2. with its bucket to retired/buckets, by a refresh;
    ///   3. back to a staging area, by the exchange of a later publish (a late one may exchange it
    ///      out of a bucket that was refreshed);
    ///   4. to retired/links.
    /// The link stands in a staging area before its entry is in the archive. So if an entry is in
    /// the first list, its link is in one of the lists that follow. Only a collection deletes
    /// entries, and its lock keeps it away.
    ///
    /// The ids of a large cache would need much memory. So the entries are taken in parts, and all
    /// lists are made for each part. What concerns no entry is judged with the first part.
    Result<VerifyReport> verify() {
        TRY(note(list_root()));
        TRY(note(list_participants()));
        TRY_ASSIGN(parts_, count_parts());
        for (part_ = 0; part_ < parts_; ++part_) TRY(verify_part());
        TRY(note(list_pins()));
        return std::move(report_);
    }

private:
    /// Makes all lists for one part of the entries, in the order that verify explains, and judges
    /// the entries by them.
    Result<> verify_part() {
        entries_.clear();
        shared_.clear();
        TRY(note(list_archive()));
        std::sort(entries_.begin(), entries_.end());
        names_.assign(entries_.size(), 0);
        missed_names_ = false;
        (void)os::point("verify.archive-listed");
        TRY(note_missed(list_staging()));
        TRY(note_missed(list_buckets()));
        (void)os::point("verify.buckets-listed");
        TRY(note_missed(list_retired_buckets()));
        (void)os::point("verify.retired-buckets-listed");
        TRY(note_missed(list_staging()));
        TRY(note_missed(list_retired_links()));
        return judge_entries();
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
            Finding{kind, std::move(path), std::move(what), false});
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
    Result<> list_root() {
        TRY(each_name(dirs_.root, [&](const std::string& name, os::FileKind) -> Result<> {
            return format::is_root_name(name) ? Result<>() : foreign(dirs_.root / name);
        }));
        TRY(each_name(dirs_.locks, [&](const std::string& name, os::FileKind kind) -> Result<> {
            return format::is_lock_name(name) && kind != os::FileKind::directory
                       ? Result<>()
                       : foreign(dirs_.locks / name);
        }));
        const std::filesystem::path retired = dirs_.root / format::retired_name;
        TRY_ASSIGN(const os::Dir dir, os::open_dir_at(dirs_.root, format::retired_name));
        return each_name(dir, [&](const std::string& name, os::FileKind) -> Result<> {
            return name == format::retired_links_name || name == format::retired_buckets_name
                       ? Result<>()
                       : foreign(retired / name);
        });
    }

    /// Checks the names in `participants/`, and reports each table that cannot be read.
    Result<> list_participants() {
        TRY(each_name(dirs_.participants, [&](const std::string& name, os::FileKind) -> Result<> {
            return format::parse_participant_name(name) ? Result<>()
                                                        : foreign(dirs_.participants / name);
        }));
        TRY_ASSIGN(const auto participants, cache::read_participants(dirs_.participants));
        for (const Error& error : participants.unreadable.all())
            TRY(note(mend_table(found(Finding::Kind::participant, error.path, error.message()))));
        return {};
    }

    /// Frees a lease table that cannot be read, if its process is dead. If that process may still
    /// run, the finding says so.
    Result<> mend_table(Finding& finding) {
        if (!options_.repair) return {};
        const cache::ParticipantDirs places{dirs_.participants, dirs_.staging};
        TRY_ASSIGN(finding.repaired,
                   cache::free_unreadable_table(
                       places, finding.path.filename().string(),
                       [&](const os::Dir& staging) { return root_.reap(staging); },
                       [&](const std::string& name) {
                           return root_.move_to_deleting(dirs_.participants, name);
                       }));
        if (!finding.repaired)
            finding.what += "; a process that may still run has it: end that one first";
        return {};
    }

    /// Checks that `pins/` holds only directories of buckets, with files of keys. A pin may belong
    /// to a key that has no entry.
    Result<> list_pins() {
        const auto pins = os::open_dir_at(dirs_.root, format::pins_name);
        if (is_absent(pins)) return {};
        if (is_no_directory(pins)) return foreign(dirs_.root / format::pins_name);
        TRY(pins);
        return each_name(*pins, [&](const std::string& bucket, os::FileKind) -> Result<> {
            const auto dir = os::open_dir_at(*pins, bucket);
            if (!format::is_bucket_name(bucket) || is_no_directory(dir))
                return foreign(*pins / bucket);
            TRY(dir);
            return each_name(*dir, [&](const std::string& key, os::FileKind kind) -> Result<> {
                return format::is_key_name(key) && kind != os::FileKind::directory
                           ? Result<>()
                           : foreign(*dir / key);
            });
        });
    }

    /// Lists the entries of this part, and checks that each holds nothing but its record and its
    /// tree.
    Result<> list_archive() {
        return each_name(
            dirs_.archive, [&](const std::string& name, os::FileKind kind) -> Result<> {
                const auto id = format::parse_id(name);
                if (!id || (kind != os::FileKind::directory && kind != os::FileKind::unknown))
                    return foreign(dirs_.archive / name);
                if (!is_in_part(*id)) return {};
                entries_.push_back(*id);
                TRY_ASSIGN(const os::Dir entry, os::open_dir_at(dirs_.archive, name));
                return each_name(entry, [&](const std::string& part, os::FileKind) -> Result<> {
                    return part == format::record_name || part == format::tree_name
                               ? Result<>()
                               : foreign(entry / part);
                });
            });
    }

    /// Sees the links in the staging areas. A staged tree is no entry yet, and needs no check.
    /// Called twice for each part: see verify.
    Result<> list_staging() {
        return each_name(
            dirs_.staging, [&](const std::string& number, os::FileKind kind) -> Result<> {
                if (!format::parse_participant_name(number) ||
                    (kind != os::FileKind::directory && kind != os::FileKind::unknown))
                    return foreign(dirs_.staging / number);
                TRY_ASSIGN(const os::Dir area, os::open_dir_at(dirs_.staging, number));
                return each_name(area, [&](const std::string& name, os::FileKind) -> Result<> {
                    const auto staged = format::parse_staged_name(name);
                    if (!staged) return foreign(area / name);
                    if (staged->kind == format::StagedName::Kind::tree) return {};
                    if (staged->kind == format::StagedName::Kind::kept) return kept(area / name);
                    TRY_ASSIGN(const LinkRead link,
                               format::read_link(root_.link_kind(), area, name));
                    if (link.kind == LinkRead::Kind::entry)
                        see(link.id, {LinkPlace::staging, number, name});
                    // A reader may see a small file while it is being written. A symlink is
                    // whole or not there.
                    const bool strange = link.kind == LinkRead::Kind::foreign ||
                                         link.kind == LinkRead::Kind::malformed;
                    return strange && root_.link_kind() != LinkKind::file ? foreign(area / name)
                                                                          : Result<>();
                });
            });
    }

    /// Judges each key of each bucket, and sees its link.
    Result<> list_buckets() {
        return each_name(
            dirs_.buckets, [&](const std::string& bucket, os::FileKind kind) -> Result<> {
                const auto name = format::decode_name(bucket);
                if (!name || name->empty() ||
                    (kind != os::FileKind::directory && kind != os::FileKind::unknown))
                    return foreign(dirs_.buckets / bucket);
                const auto dir = os::open_dir_at(dirs_.buckets, bucket);
                if (is_absent(dir)) return {};  // refreshed meanwhile
                TRY(dir);
                return each_name(*dir, [&](const std::string& key, os::FileKind) -> Result<> {
                    return judge_key(*dir, bucket, key);
                });
            });
    }

    /// Checks invariant 1 for one key, and sees its link. Reports one finding at most, the first
    /// that applies, and mends it if a repair was asked for. Returns an error only if the link is
    /// not known: what can't be read of its entry is a finding here.
    Result<> judge_key(const os::Dir& dir, const std::string& bucket, const std::string& key) {
        if (!format::is_key_name(key)) return foreign(dir / key);
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, key));
        if (link.kind == LinkRead::Kind::absent) return {};
        const bool names_entry = link.kind == LinkRead::Kind::entry;
        if (names_entry ? !is_in_part(link.id) : !is_first_part()) return {};
        if (link.kind == LinkRead::Kind::foreign)
            return mend_key(found(Finding::Kind::blocked, dir / key, blocked_by), bucket, key,
                            link);
        ++report_.live;
        if (link.kind == LinkRead::Kind::malformed) {
            return mend_key(
                found(Finding::Kind::malformed, dir / key, "a link that larder did not make"),
                bucket, key, link);
        }
        see(link.id, {LinkPlace::bucket, bucket, key});
        return note(judge_entry(dir, bucket, key, link));
    }

    /// Checks whether a key and the entry that its link names agree. Looks at the entry, then at
    /// the link again: a finding about the entry counts only if the key still names it after the
    /// look. An error of reading the record says nothing about it, and is passed on.
    Result<> judge_entry(const os::Dir& dir, const std::string& bucket, const std::string& key,
                         const LinkRead& link) {
        TRY_ASSIGN(const bool complete, is_complete(root_, link.id));
        const auto record = read_record(root_, link.id);
        if (!record && record.error().code != Errc::damaged)
            return tl::make_unexpected(record.error());
        // A link never comes back. If it still names this entry now, it did so during the check.
        // Otherwise the finding is out of date.
        TRY_ASSIGN(const LinkRead again, format::read_link(root_.link_kind(), dir, key));
        if (!again.names(link.id)) return {};
        const std::string entry = "entry " + to_text(link.id);
        if (!complete)
            return mend_key(
                found(Finding::Kind::dangling, dir / key, entry + " is not there, or has no tree"),
                bucket, key, link);
        if (!record)
            return mend_key(
                found(Finding::Kind::malformed, record.error().path, record.error().message()),
                bucket, key, link);
        const auto its_bucket = format::encode_bucket(record->bucket),
                   its_key = format::encode_key(record->key, root_.longest_name());
        if (its_bucket != bucket || its_key != key) {
            return mend_key(found(Finding::Kind::misnamed, dir / key,
                                  entry + " belongs to another key by its record"),
                            bucket, key, link);
        }
        return judge_files(dir, bucket, key, link, *record);
    }

    /// Compares the files of an entry with its record, by their number and their sizes. Reads the
    /// link again before it reports a difference: if the key names another entry by now, the
    /// finding would be out of date.
    Result<> judge_files(const os::Dir& dir, const std::string& bucket, const std::string& key,
                         const LinkRead& link, const format::Record& record) {
        const auto entry = os::open_dir_at(dirs_.archive, to_text(link.id));
        TRY(entry);
        const auto tree = os::open_dir_at(*entry, format::tree_name);
        TRY(tree);
        TRY_ASSIGN(const tree::Size size, tree::measure(*tree));
        if (size.files == record.files && size.bytes == record.bytes) return {};
        TRY_ASSIGN(const LinkRead again, format::read_link(root_.link_kind(), dir, key));
        if (!again.names(link.id)) return {};
        return mend_key(found(Finding::Kind::changed, tree->path,
                              "it holds " + in_words(size) + ", and its record says " +
                                  in_words({record.bytes, record.files}) +
                                  ": something has changed it since it was published"),
                        bucket, key, link);
    }

    static std::string in_words(const tree::Size& size) {
        const auto counted = [](std::uint64_t count, const char* noun) {
            return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
        };
        return counted(size.files, "file") + " of " + counted(size.bytes, "byte");
    }

    /// Mends a key. If that fails, the finding says why, and all else goes on.
    Result<> mend_key(Finding& finding, const std::string& bucket, const std::string& key,
                      const LinkRead& judged) {
        if (!options_.repair) return {};
        auto mended = retire_faulty(finding, bucket, key, judged);
        if (mended || mended.error().code == Errc::interrupted) return mended;
        finding.what += "; it was not repaired: " + mended.error().message();
        return {};
    }

    /// Retires a faulty link if it is still the one that was checked. Otherwise takes the finding
    /// back. Waits for the bucket's lock, exclusively, so that no publish replaces the link between
    /// the check and the rename. Requires: `finding` is the last one of the report.
    Result<> retire_faulty(Finding& finding, const std::string& bucket, const std::string& key,
                           const LinkRead& judged) {
        const auto lock = cache::BucketLock::exclusive(root_, bucket, context_);
        TRY(lock);
        const std::string path = format::key_path(bucket, key);
        TRY_ASSIGN(const LinkRead now, format::read_link(root_.link_kind(), dirs_.buckets, path));
        if (now.kind != judged.kind || now.id != judged.id) {
            // Another process has replaced or retired the link. The finding is the last one.
            report_.findings.pop_back();
            return {};
        }
        // What names no entry belongs to no garbage. So it does not go to retired/links.
        const bool names_none = now.kind != LinkRead::Kind::entry;
        TRY(names_none ? root_.move_to_deleting(dirs_.buckets, path)
                       : root_.retire_link(dirs_.buckets, path));
        finding.repaired = true;
        if (judged.kind != LinkRead::Kind::foreign) --report_.live;
        return {};
    }

    /// Judges each link in the buckets that were refreshed.
    Result<> list_retired_buckets() {
        const VisitBucket visit_bucket = [&](const os::Dir& bucket, const std::string& name) {
            const VisitLink judge = [&](const os::Dir&, const std::string& key) {
                return note_missed(judge_retired(bucket, name, key));
            };
            // A directory at a key's name is no link, but no name of another program either.
            const VisitUnknown judge_unknown = [&](std::filesystem::path path) {
                const std::string key = path.filename().string();
                return format::is_key_name(key) ? judge(bucket, key) : foreign(std::move(path));
            };
            return for_each_link_of(bucket, judge, judge_unknown);
        };
        return for_each_refreshed_bucket(root_, visit_bucket, foreign_);
    }

    /// Judges each link that was retired one by one.
    Result<> list_retired_links() {
        return for_each_retired_link(
            root_,
            [&](const os::Dir& links, const std::string& name) {
                return note_missed(judge_retired(links, "", name));
            },
            foreign_);
    }

    /// Checks one retired link, and counts it as garbage. `bucket` is the name of the refreshed
    /// bucket in which it stands, or empty. A collection leaves alone what is no link, which would
    /// stay there forever; so a repair moves that to `deleting/`.
    Result<> judge_retired(const os::Dir& dir, const std::string& bucket, const std::string& name) {
        TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
        if (link.kind == LinkRead::Kind::foreign) {
            if (!is_first_part()) return {};
            Finding& finding = found(Finding::Kind::blocked, dir / name, blocked_by);
            if (!options_.repair) return {};
            TRY(root_.move_to_deleting(dir, name));
            finding.repaired = true;
            return {};
        }
        if (link.kind == LinkRead::Kind::malformed && is_first_part()) {
            found(
                Finding::Kind::foreign, dir / name,
                "a link that larder did not make, or not in full; the next collection removes it");
        }
        if (link.kind == LinkRead::Kind::entry) see(link.id, {LinkPlace::retired, bucket, name});
        if (link.kind != LinkRead::Kind::absent && is_first_part()) ++report_.garbage;
        return {};
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
    Result<> judge_entries() {
        report_.entries += entries_.size();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (names_[i] == 0 && !missed_names_) TRY(note(mend_orphan(entries_[i])));
            if (names_[i] > 1) shared_[entries_[i]];
        }
        if (shared_.empty()) return {};
        TRY(list_links_of_shared());
        for (auto& [id, names] : shared_) TRY(note(judge_shared(id, names)));
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
                see(link->id, {where, parent, name});
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

    /// Checks an entry that several links have named. A link that moved during the listing was seen
    /// twice, so only links that still stand in several directories count. A repair removes those
    /// in `retired/links/`, keeps one name at least, and prefers one in a bucket.
    Result<> judge_shared(const Id& id, std::vector<SeenLink>& names) {
        std::vector<SeenLink> standing;
        for (auto& seen : names) {
            TRY_ASSIGN(const bool stands, still_names(seen, id));
            const bool twice =
                std::any_of(standing.begin(), standing.end(), [&](const SeenLink& other) {
                    return other.where == seen.where && other.parent == seen.parent &&
                           other.name == seen.name;
                });
            if (stands && !twice) standing.push_back(std::move(seen));
        }
        if (standing.size() < 2) return {};
        std::string where;
        for (const auto& seen : standing)
            where += (where.empty() ? "" : ", ") + path_of(seen).string();
        Finding& finding =
            found(Finding::Kind::shared, dirs_.archive / to_text(id), "named by " + where);
        if (!options_.repair) return {};
        // Keep one name, and prefer one in a bucket. (If several buckets name the entry, mend_key
        // decides which is right.)
        std::stable_sort(standing.begin(), standing.end(),
                         [](const SeenLink& a, const SeenLink& b) { return a.where < b.where; });
        std::size_t left = standing.size();
        for (std::size_t i = 1; i < standing.size(); ++i) {
            if (standing[i].where != LinkPlace::retired || !standing[i].parent.empty()) continue;
            TRY(os::remove_file_at(dirs_.retired_links, standing[i].name));
            --left;
        }
        finding.repaired = left == 1;
        return {};
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
