// SPDX-License-Identifier: MIT
#include "protocol/verify_key.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "protocol/entry.hpp"
#include "protocol/verify_junctions.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// The link of a key as it was read, and where it stands. Names are encoded. The references are
/// valid while the directory of the bucket is listed.
struct CheckedKey {
    const os::Dir& dir;  ///< of the bucket
    const std::string& bucket;
    const std::string& key;
    const LinkRead& link;

    [[nodiscard]] std::filesystem::path path() const { return dir / key; }
};

/// Returns whether the key still names the entry that its link named when it was read.
Result<bool> still_names_entry(VerifyCall& call, const CheckedKey& checked) {
    TRY_ASSIGN(const LinkRead again,
               format::read_link(call.root.link_kind(), checked.dir, checked.key));
    return again.names(checked.link.id);
}

/// Retires a faulty link if it is still the one that was checked. Otherwise takes its findings
/// back. Waits for the bucket's lock, exclusively, so that no publish replaces the link between the
/// check and the rename. Requires: as in mend_key.
Result<> retire_faulty(VerifyCall& call, std::size_t findings, const CheckedKey& checked) {
    const auto lock = cache::BucketLock::exclusive(call.root, checked.bucket, call.context);
    TRY(lock);
    const std::string path = format::key_path(checked.bucket, checked.key);
    TRY_ASSIGN(const LinkRead now, call.root.keys().read(path));
    if (now.kind != checked.link.kind || now.id != checked.link.id) {
        // Another process has replaced or retired the link.
        call.findings.take_back(findings);
        return {};
    }
    const auto about_key = call.findings.last(findings);
    if (now.kind == LinkRead::Kind::entry) {
        TRY(call.root.retire_key(path));
        about_key.front().what +=
            "; key " + format::decode_name(checked.key).value_or(checked.key) + " of bucket " +
            format::decode_name(checked.bucket).value_or(checked.bucket) +
            " was taken out, and has no entry now";
    } else {
        // What names no entry belongs to no garbage. So it does not go to retired/links.
        TRY_ASSIGN(const cache::KeyPath at, call.root.keys().path_for_change(path));
        TRY(call.root.set_aside(*at.dir, at.path));
    }
    for (Finding& finding : about_key) finding.repaired = true;
    if (call.census.has_entry_of(now)) --call.report.live;
    return {};
}

/// Mends a key if a repair was asked for. If that fails, the first of its findings says why, and
/// all else goes on. Requires: `findings`, of which there is at least one, is how many of those
/// that were added last are about the key. Errors: `interrupted`.
Result<> mend_key(VerifyCall& call, std::size_t findings, const CheckedKey& checked) {
    if (!call.options.repair) return {};
    return call.findings.note_repair(findings, retire_faulty(call, findings, checked));
}

/// Reports a finding about a key, and mends the key if a repair was asked for.
Result<> report_key(VerifyCall& call, Finding::Kind kind, std::filesystem::path path,
                    std::string what, const CheckedKey& checked) {
    call.findings.add(kind, std::move(path), std::move(what));
    return mend_key(call, 1, checked);
}
/// Does the same for a finding at the key's link.
Result<> report_key(VerifyCall& call, Finding::Kind kind, std::string what,
                    const CheckedKey& checked) {
    return report_key(call, kind, checked.path(), std::move(what), checked);
}

/// Compares what the tree of an entry holds with its manifest and its record. Reads the link again
/// before it reports a difference: if the key names another entry by now, the finding would be out
/// of date.
Result<> check_tree(VerifyCall& call, const CheckedKey& checked, const format::Record& record) {
    TRY_ASSIGN(const os::Dir entry, os::open_dir_at(call.dirs.archive, to_text(checked.link.id)));
    const auto opened = os::open_dir_at(entry, format::tree_name);
    if (is_no_directory(opened)) {
        // One that leads to a directory of the same entry is complete by is_complete.
        return report_key(call, Finding::Kind::changed, opened.error().path,
                          "a directory should be here, and something else is", checked);
    }
    TRY(opened);
    const os::Dir& tree = *opened;
    tree::Inventory inventory;
    TRY_ASSIGN(const tree::Size size, tree::measure(tree, &inventory));
    const DigestCheck digests{.algorithms = call.context.digests,
                              .stop = call.context.stop,
                              .reads = DigestCheck::Reads::modified};
    TRY_ASSIGN(const EntryChanges changes, compare_with_manifest(entry, inventory, &digests));
    const auto difference = difference_from_record(size, record);
    if (changes.none() && !difference) return {};
    TRY_ASSIGN(const bool current, still_names_entry(call, checked));
    if (!current) return {};
    std::size_t added = call.findings.add_changes(entry, changes);
    if (added == 0 && difference) {
        call.findings.add(Finding::Kind::changed, tree.path, *difference);
        ++added;
    }
    return mend_key(call, added, checked);
}

/// Checks whether a key and the entry that its link names agree. Looks at the entry, then at the
/// link again: a finding about the entry counts only if the key still names it after the look.
/// Errors: one of reading the record or the files, which says nothing about the entry.
Result<> check_entry_of(VerifyCall& call, const CheckedKey& checked) {
    const Id& id = checked.link.id;
    TRY_ASSIGN(const bool complete, is_complete(call.root, id));
    const auto record = read_record(call.root, id);
    if (!record && record.error().code != Errc::damaged) return tl::make_unexpected(record.error());
    // A link never comes back. If it still names this entry now, it did so during the check.
    // Otherwise the finding is out of date.
    TRY_ASSIGN(const bool current, still_names_entry(call, checked));
    if (!current) return {};
    const std::string entry = "entry " + to_text(id);
    if (!complete) {
        return report_key(call, Finding::Kind::dangling, entry + " is not there, or has no tree",
                          checked);
    }
    if (!record) {
        call.findings.add(Finding::Kind::malformed, record.error().path, record.error().message());
        return mend_key(call, 1, checked);
    }
    const auto its_bucket = format::encode_bucket(record->bucket);
    const auto its_key = format::encode_key(record->key, call.root.longest_name());
    if (its_bucket != checked.bucket || its_key != checked.key) {
        return report_key(call, Finding::Kind::misnamed,
                          entry + " belongs to another key by its record", checked);
    }
    return check_tree(call, checked, *record);
}

/// Reports a directory of an entry's tree that its owner may not read any more.
Result<> report_shut(VerifyCall& call, const CheckedKey& checked,
                     const std::filesystem::path& directory) {
    TRY_ASSIGN(const bool current, still_names_entry(call, checked));
    if (!current) return {};
    call.findings.add(Finding::Kind::changed, directory, shut_since);
    return mend_key(call, 1, checked);
}

}  // namespace

Result<> check_key(VerifyCall& call, const os::Dir& dir, const std::string& bucket,
                   const std::string& key) {
    if (!format::is_key_name(key)) return call.findings.add_foreign(dir / key);
    TRY_ASSIGN(const LinkRead link, format::read_link(call.root.link_kind(), dir, key));
    const CheckedKey checked{.dir = dir, .bucket = bucket, .key = key, .link = link};
    switch (link.kind) {
        case LinkRead::Kind::absent:  // retired meanwhile
            return {};
        case LinkRead::Kind::foreign:
            if (!call.census.is_of_first_part()) return {};
            return report_key(call, Finding::Kind::blocked, blocked_by, checked);
        case LinkRead::Kind::malformed:
            if (!call.census.is_of_first_part()) return {};
            return report_key(call, Finding::Kind::malformed, "a link that larder did not make",
                              checked);
        case LinkRead::Kind::entry:
            break;
    }
    if (!call.census.covers(link.id)) return {};  // another part checks it
    if (call.census.has_entry_of(link)) ++call.report.live;
    call.census.count_link_to(link.id);
    TRY(call.findings.note_error(check_junction_of_key(call, dir, bucket, key, link.id)));
    auto done = check_entry_of(call, checked);
    if (call.is_denied_to_repair(done)) {
        make_readable(call.root, link.id);
        if (auto again = check_entry_of(call, checked)) {
            call.note_readable(done.error());
            done = std::move(again);
        }
    }
    if (!done) {
        const auto shut = shut_directory(done.error(), tree_path(call.root, link.id));
        if (shut) done = report_shut(call, checked, *shut);
    }
    return call.findings.note_error(done);
}

}  // namespace larder::protocol
