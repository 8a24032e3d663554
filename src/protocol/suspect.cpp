// SPDX-License-Identifier: MIT
#include "protocol/suspect.hpp"

#include "format/judged_file.hpp"
#include "format/layout.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_manifest.hpp"

namespace larder::protocol {

namespace {

/// Returns what the file `judged` of an entry says. Returns nullopt if there is none that can be
/// read.
std::optional<format::JudgedFile> read_judged(const os::Dir& entry) {
    const auto text = os::read_file_at(entry, format::judged_name, format::max_judged_file);
    return text ? format::parse_judged_file(*text) : std::nullopt;
}

/// Writes down that the files of an entry were found whole, by a comparison that ended at `time`.
/// If it can't be written down, for whatever reason, another process compares them again.
void write_judged(const cache::Root& root, const os::Dir& entry, const os::BootTime& time) {
    if (!root.open_garbage()) return;
    const os::Dir& deleting = root.garbage().deleting;
    const std::string scratch = to_text(format::fresh_id());
    const format::JudgedFile file{.boot = os::to_text(os::boot_id()), .time = time};
    if (!os::write_new_file_at(deleting, scratch, format::print_judged_file(file))) return;
    (void)os::point("judge.written");
    if (!os::rename_replacing(deleting, scratch, entry, format::judged_name))
        (void)os::remove_file_at(deleting, scratch);
}

/// Returns whether the watermark of a boot says that what was whole at a time of that boot is on
/// the disk.
Result<bool> is_below_watermark(cache::Root& root, const std::string& boot,
                                const os::BootTime& time) {
    TRY_ASSIGN(const auto mark, root.earlier_boots().watermark_of(root.dirs().root, boot));
    return mark && is_not_after(time, *mark);
}

/// Compares the tree of an entry with its manifest. Returns whether they agree.
Result<bool> is_as_listed(const os::Dir& entry, const cache::CallContext& context) {
    TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
    tree::Inventory inventory;
    TRY(tree::measure(tree, &inventory));
    const DigestCheck digests{.algorithms = context.digests, .stop = context.stop};
    TRY_ASSIGN(const EntryChanges changes, compare_with_manifest(entry, inventory, &digests));
    return changes.none_but_times();
}

}  // namespace

Result<bool> has_survived_cuts(cache::Root& root, const format::Id& id,
                               const cache::CallContext& context) {
    const auto entry = os::open_dir_at(root.dirs().archive, to_text(id));
    if (has_no_directory(entry)) return false;
    TRY(entry);
    // Without the machine's own boot id, nothing tells in which boot this happens.
    const bool knows_boot = os::boot_id_is_real();
    const auto judged = read_judged(*entry);
    if (judged && knows_boot && judged->boot == os::to_text(os::boot_id())) return true;
    // The record is written last, so it may be torn even if the tree is on the disk.
    const auto record = read_record(root, id);
    if (why_of(record) == Why::denied) return true;
    if (!record && record.error().code == Errc::damaged) return false;
    TRY(record);
    if (const auto head = read_manifest_head(*entry); head && *head) {
        const os::BootTime completed{.since_boot = (*head)->since_boot,
                                     .time_namespace = (*head)->time_namespace};
        TRY_ASSIGN(const bool known, is_below_watermark(root, (*head)->boot, completed));
        if (known) return true;
    }
    if (judged) {
        TRY_ASSIGN(const bool known, is_below_watermark(root, judged->boot, judged->time));
        if (known) return true;
    }
    (void)os::point("judge.begun");
    const auto whole = is_as_listed(*entry, context);
    if (why_of(whole) == Why::denied) return true;
    TRY(whole);
    // What was read is on the disk as soon as a sync has ended that begins after this. An earlier
    // time would not do: a program may just be copying the cache, and a file that was compared may
    // have come after a sync.
    const os::BootTime now = os::boot_time();
    (void)os::point("judge.compared");
    if (*whole && knows_boot && !root.is_read_only()) write_judged(root, *entry, now);
    return *whole;
}

}  // namespace larder::protocol
