// SPDX-License-Identifier: MIT
#include "protocol/verify.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/orphans.hpp"
#include "protocol/trash.hpp"
#include "protocol/verify_buckets.hpp"
#include "protocol/verify_junctions.hpp"
#include "protocol/verify_key.hpp"
#include "protocol/verify_places.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// One verify, under the collector's lock: the order of its checks, and the count of the links to
/// each entry.
class Verifier {
public:
    Verifier(cache::Root& root, const VerifyOptions& options, const cache::CallContext& context)
        : call_{.root = root, .options = options, .context = context} {}

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
        TRY(findings_.note_error(check_root(call_)));
        TRY(findings_.note_error(check_participants(call_)));
        TRY(findings_.note_error(check_generations(call_)));
        TRY_ASSIGN(const std::uint64_t parts, count_census_parts(root_));
        for (std::uint64_t part = 0; part < parts; ++part) {
            census_ = LinkCensus(part, parts);
            TRY(verify_part());
        }
        TRY(findings_.note_error(check_pins(call_)));
        TRY(findings_.note_error(check_roots(call_)));
        TRY(findings_.note_error(check_boots(call_)));
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

    /// Counts the links of the generations that no pointer names, which are garbage.
    Result<> check_nameless_generations() {
        for (const Id& generation : call_.nameless) {
            const auto dir = os::open_dir_at(dirs_.generations, to_text(generation));
            if (is_absent(dir)) continue;
            TRY(dir);
            TRY(check_refreshed_bucket(*dir));
        }
        return {};
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
        if (call_.is_denied_to_repair(entry)) {
            make_readable(root_, id);
            if (auto again = os::open_dir_at(dirs_.archive, name)) {
                call_.note_readable(entry.error());
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
        if (is_no_directory(area)) return call_.report_no_directory(dirs_.staging, number);
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
                // A key that was set again in its place names the same entry as `l-`.
                if (kind == format::StagedName::Kind::old || root_.sets_links_again()) {
                    census_.note_old_link_to(link.id);
                } else {
                    census_.count_link_to(link.id);
                }
                return {};
            case LinkRead::Kind::malformed:
            case LinkRead::Kind::foreign:
                break;
        }
        // A small file may be read while a process writes it, and a junction before it is set. A
        // symlink is whole or not there.
        if (root_.link_kind() != LinkKind::symlink) return {};
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
        if (is_absent(dir)) return check_broken_pointer(call_, bucket);  // or refreshed meanwhile
        if (is_no_directory(dir)) return report_no_bucket(call_, bucket);
        TRY(dir);
        TRY(findings_.note_error(check_junction_of_bucket(call_, bucket)));
        return findings_.for_each_name(*dir, [&](const std::string& key, os::FileKind) {
            return check_key(call_, *dir, bucket, key);
        });
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
                return call_.report_blocked(dir, name, blocked_by);
        }
        return {};  // never: all values are listed above
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
        if (!call_.options.repair) return {};
        // The entry is not deleted here, because a process may have leased it.
        TRY(name_orphan(root_, id, call_.context));
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
        // A publish that set a key again has left both links of its staging area to a collection,
        // which asks the keys of their entries.
        if (root_.sets_links_again())
            std::erase_if(standing,
                          [](const PlacedLink& link) { return link.where != LinkPlace::bucket; });
        if (standing.size() < 2 || std::all_of(standing.begin(), standing.end(), is_retired))
            return {};
        std::string paths;
        for (const PlacedLink& link : standing)
            paths += (paths.empty() ? "" : ", ") + path_of(root_, link).string();
        Finding& finding =
            findings_.add(Finding::Kind::shared, dirs_.archive / to_text(id), "named by " + paths);
        if (!call_.options.repair) return {};
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

    VerifyCall call_;
    // All of these are of call_.
    cache::Root& root_ = call_.root;
    const cache::Handles& dirs_ = call_.dirs;
    FindingList& findings_ = call_.findings;
    LinkCensus& census_ = call_.census;
    VerifyReport& report_ = call_.report;
    const VisitUnknown add_foreign_ = [this](std::filesystem::path path) {
        return findings_.add_foreign(std::move(path));
    };
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
