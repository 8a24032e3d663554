// SPDX-License-Identifier: MIT
#include "protocol/name_sync.hpp"

#include "os/file.hpp"
#include "os/file_system.hpp"

namespace larder::protocol {

NameSync::NameSync(const cache::Root& root) : NameSync(root.dirs().root) {}

NameSync::NameSync(const os::Dir& root)
    : at_once_(os::traits_of(root.handle).logs_single_directories) {}

Result<> NameSync::add(const os::Dir& dir) {
    if (!at_once_) return os::sync(dir);
    left_.push_back(&dir);
    return {};
}

Result<> NameSync::end() {
    if (left_.empty()) return {};
    auto synced = os::sync_file_system(*left_.front());
    has_synced_all_ = synced.has_value();
    // Data that are lost are reported once, and no second sync may hide that.
    if (synced || ends_at_once(why_of(synced)) || why_of(synced) == Why::io) return synced;
    // A sandbox refuses the call, for example.
    for (const os::Dir* const dir : left_) TRY(os::sync(*dir));
    return {};
}

Result<> sync_link(const cache::Root& root, const os::Dir& dir, const std::string& name) {
    if (root.link_kind() != LinkKind::file) return {};  // a symlink has no data of its own to sync
    TRY_ASSIGN(const os::FileHandle file, os::open_at(dir, name, os::OpenMode::read));
    return os::sync(file, dir / name);
}

Result<> after_change(Result<> synced) {
    if (synced) return synced;
    Error& error = synced.error();
    if (error.code == Errc::no_space) error.code = Errc::system;
    error.detail += (error.detail.empty() ? "" : "; ") +
                    std::string("the change was made, but a power cut may undo it");
    return synced;
}

}  // namespace larder::protocol
