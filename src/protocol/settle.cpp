// SPDX-License-Identifier: MIT
#include "protocol/settle.hpp"

#include "cache/boots.hpp"
#include "format/layout.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/file_system.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/name_sync.hpp"

namespace larder::protocol {

namespace {

/// Writes a new file, and brings it to the disk if `sync` is true.
Result<> write_file(const os::Dir& dir, const std::string& name, std::string_view text, bool sync) {
    TRY(os::write_new_file_at(dir, name, text));
    if (!sync) return {};
    TRY_ASSIGN(const os::FileHandle file, os::open_at(dir, name, os::OpenMode::read));
    return os::sync(file, dir / name);
}

/// Returns the watermark of this boot in this root. Returns nullopt if there is none.
std::optional<format::Watermark> own_watermark(const format::BootFile& file,
                                               const format::RootIdentity& identity) {
    if (!file.watermark || file.watermark->root != identity) return std::nullopt;
    return file.watermark;
}

}  // namespace

Result<> write_boot_file(const cache::Root& root, const format::BootFile& file, bool sync) {
    const os::Dir& top = root.dirs().root;
    const os::Dir& deleting = root.garbage().deleting;
    const auto boots = os::make_and_open_dir_at(top, format::boots_name);
    if (is_no_directory(boots))
        return fail(Errc::damaged, "settle", top / format::boots_name, cache::no_directory);
    TRY(boots);
    const std::string scratch = to_text(format::fresh_id());
    auto placed = write_file(deleting, scratch, format::print_boot_file(file), sync);
    if (placed) {
        (void)os::point("boot.written");
        placed = os::rename_replacing(deleting, scratch, *boots, os::to_text(os::boot_id()));
    }
    if (placed && sync) {
        NameSync names(root);
        TRY(names.add(*boots));
        TRY(names.add(top));  // in which `boots/` may be new
        return names.end();
    }
    if (placed) return {};
    (void)os::remove_file_at(deleting, scratch);
    // A collection that is at its end has deleted the file. The next one writes it again.
    if (is_absent(placed)) return {};
    if (why_of(placed) == Why::is_directory)
        placed.error().detail = "a directory; `cachetool verify --repair` takes it away";
    return placed;
}

bool can_settle(const cache::Root& root) {
    return os::traits_of(root.dirs().root.handle).syncs_reach_disk;
}

Result<> settle(const cache::Root& root, IfFull if_full) {
    TRY(root.must_be_writable("settle"));
    if (!can_settle(root)) {
        return fail(Errc::unsupported, "settle", root.dirs().root.path,
                    "this file system does not say when all that was written is on the disk; "
                    "publish with durability power what must survive a power cut, or name a "
                    "directory on a local disk");
    }
    // Everything that was written before this time was written before the sync began.
    const os::BootTime now = os::boot_time();
    TRY(os::sync_file_system(root.dirs().archive));
    (void)os::point("settle.synced");
    auto raised = raise_watermark(root, now, true);
    if (if_full == IfFull::leave && why_of(raised) == Why::no_space) return {};
    return raised;
}

Result<> raise_watermark(const cache::Root& root, const os::BootTime& time, bool sync) {
    const os::Dir& dir = root.dirs().root;
    const auto identity = cache::identity_of(dir);
    if (!identity || time.time_namespace == 0 || !os::boot_id_is_real() || !can_settle(root))
        return {};
    TRY_ASSIGN(format::BootFile file, cache::read_boot_file(dir, os::to_text(os::boot_id())));
    const auto present = own_watermark(file, *identity);
    if (present && is_not_after(time, present->time)) return {};
    file.watermark = format::Watermark{.time = time, .root = *identity};
    return write_boot_file(root, file, sync);
}

Result<bool> is_settle_due(const cache::Root& root, std::chrono::minutes interval) {
    if (!can_settle(root)) return false;
    const auto identity = cache::identity_of(root.dirs().root);
    if (!identity) return false;
    TRY_ASSIGN(const auto file,
               cache::read_boot_file(root.dirs().root, os::to_text(os::boot_id())));
    const auto present = own_watermark(file, *identity);
    const os::BootTime now = os::boot_time();
    return !present || present->time.time_namespace != now.time_namespace ||
           now.since_boot - present->time.since_boot >= interval;
}

}  // namespace larder::protocol
