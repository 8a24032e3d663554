// SPDX-License-Identifier: MIT
#include "protocol/verify_places.hpp"

#include "format/boot_file.hpp"
#include "format/layout.hpp"
#include "format/name.hpp"
#include "protocol/entry_roots.hpp"

namespace larder::protocol {

namespace {

/// What is wrong with something that stands where only a file of larder's may stand.
constexpr const char* no_file =
    "a file should stand here, and something else does; a repair moves it to deleting/, or deletes "
    "a directory that came with an image";

/// What is wrong with a root that can't be read.
constexpr const char* no_root =
    "this can't be read as a root, so it keeps its entry; a repair moves it to deleting/, and then "
    "a "
    "path that it named keeps the entry no more: link that again";

/// Frees the lease table of a finding, which cannot be read, if its process is dead. If that
/// process may still run, the finding says so.
Result<> free_table(VerifyCall& call, Finding& finding) {
    const cache::ParticipantDirs places{call.dirs.participants, call.dirs.staging};
    const auto move_away = [&](const std::string& name) {
        return call.root.set_aside(call.dirs.participants, name);
    };
    const std::string table = finding.path.filename().string();
    TRY_ASSIGN(finding.repaired,
               cache::free_unreadable_table(places, table, call.root.reaper(), move_away));
    if (!finding.repaired)
        finding.what += "; a process that may still run has it: end that one first";
    return {};
}

/// Checks the pins of one bucket.
Result<> check_pins_of(VerifyCall& call, const os::Dir& pins, const std::string& bucket) {
    if (!format::is_bucket_name(bucket)) return call.findings.add_foreign(pins / bucket);
    const auto dir = os::open_dir_at(pins, bucket);
    if (is_absent(dir)) return {};  // removed meanwhile
    if (is_no_directory(dir)) return call.report_no_directory(pins, bucket);
    TRY(dir);
    return call.findings.for_each_name(*dir,
                                       [&](const std::string& key, os::FileKind kind) -> Result<> {
                                           if (!format::is_key_name(key))
                                               return call.findings.add_foreign(*dir / key);
                                           if (kind != os::FileKind::directory) return {};
                                           return call.report_blocked(*dir, key, no_file);
                                       });
}

/// Checks that the tag or `.gitignore` is a file. A collection writes none if something else stands
/// there, and a destroy takes that for another program's. Passes over all other names.
Result<> check_tag(VerifyCall& call, const std::string& name) {
    if (name != format::cachedir_tag_name && name != format::gitignore_name) return {};
    const auto info = os::stat_at(call.dirs.root, name);
    if (is_absent(info)) return {};
    TRY(info);
    return info->is_regular() ? Result<>() : call.report_blocked(call.dirs.root, name, no_file);
}

}  // namespace

Result<> check_root(VerifyCall& call) {
    TRY(call.findings.for_each_name(call.dirs.root,
                                    [&](const std::string& name, os::FileKind) -> Result<> {
                                        if (format::is_root_name(name))
                                            return check_tag(call, name);
                                        return call.findings.add_foreign(call.dirs.root / name);
                                    }));
    TRY_ASSIGN(const os::Dir retired, os::open_dir_at(call.dirs.root, format::retired_name));
    return call.findings.for_each_name(
        retired, [&](const std::string& name, os::FileKind) -> Result<> {
            if (name == format::retired_links_name || name == format::retired_buckets_name)
                return {};
            return call.findings.add_foreign(retired / name);
        });
}

Result<> check_participants(VerifyCall& call) {
    TRY(call.findings.for_each_name(
        call.dirs.participants, [&](const std::string& name, os::FileKind) -> Result<> {
            if (format::parse_participant_name(name)) return {};
            return call.findings.add_foreign(call.dirs.participants / name);
        }));
    TRY_ASSIGN(const auto participants, cache::read_participants(call.dirs.participants));
    for (const Error& error : participants.unreadable.all()) {
        Finding& finding =
            call.findings.add(Finding::Kind::participant, error.path, error.message());
        if (call.options.repair) TRY(call.findings.note_repair(1, free_table(call, finding)));
    }
    return {};
}

Result<> check_pins(VerifyCall& call) {
    const auto pins = os::open_dir_at(call.dirs.root, format::pins_name);
    if (is_absent(pins)) return {};  // no key was ever pinned
    if (is_no_directory(pins)) return call.report_no_directory(call.dirs.root, format::pins_name);
    TRY(pins);
    return call.findings.for_each_name(*pins, [&](const std::string& bucket, os::FileKind) {
        return check_pins_of(call, *pins, bucket);
    });
}

namespace {

/// Returns whether a link in the cache names an entry that is gone. A collection that was killed
/// leaves its retired link, by which the next one finds its roots.
Result<bool> is_named(VerifyCall& call, const format::Id& id) {
    TRY_ASSIGN(const LinksOfEntries links, links_of(call.root, {id}, call.findings));
    const auto found = links.find(id);
    return found != links.end() && !found->second.empty();
}

/// Checks the roots of one entry.
Result<> check_roots_of(VerifyCall& call, const os::Dir& roots, const std::string& name) {
    const auto id = format::parse_id(name);
    if (!id) return call.findings.add_foreign(roots / name);
    const auto dir = os::open_dir_at(roots, name);
    if (is_absent(dir)) return {};  // pruned meanwhile
    if (is_no_directory(dir)) return call.report_no_directory(roots, name);
    TRY(dir);
    const auto stands = os::exists_at(call.dirs.archive, name);
    if (stands && !*stands) {
        TRY_ASSIGN(const bool named, is_named(call, *id));
        if (named) return {};
        Finding& finding = call.findings.add(Finding::Kind::orphan, roots / name,
                                             "the entry that these roots keep is gone");
        if (!call.options.repair) return {};
        TRY(remove_roots_of(call.root, *id));
        finding.repaired = true;
        return {};
    }
    return for_each_root_of(call.root, *id, [&](const FoundRoot& found) -> Result<> {
        if (!format::parse_id(found.name)) return call.findings.add_foreign(*dir / found.name);
        if (found.file) return {};
        return call.report_blocked(*dir, found.name, no_root);
    });
}

}  // namespace

Result<> check_roots(VerifyCall& call) {
    const auto roots = os::open_dir_at(call.dirs.root, format::roots_name);
    if (is_absent(roots)) return {};  // no path was ever linked
    if (is_no_directory(roots)) return call.report_no_directory(call.dirs.root, format::roots_name);
    TRY(roots);
    return call.findings.for_each_name(*roots, [&](const std::string& name, os::FileKind) {
        return check_roots_of(call, *roots, name);
    });
}

Result<> check_boots(VerifyCall& call) {
    const auto boots = os::open_dir_at(call.dirs.root, format::boots_name);
    if (is_absent(boots)) return {};  // nothing was ever collected
    if (is_no_directory(boots)) return call.report_no_directory(call.dirs.root, format::boots_name);
    TRY(boots);
    return call.findings.for_each_name(*boots,
                                       [&](const std::string& name, os::FileKind kind) -> Result<> {
                                           if (!format::is_boot_name(name))
                                               return call.findings.add_foreign(*boots / name);
                                           if (kind != os::FileKind::directory) return {};
                                           return call.report_blocked(*boots, name, no_file);
                                       });
}

}  // namespace larder::protocol
