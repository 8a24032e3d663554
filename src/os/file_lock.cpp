// SPDX-License-Identifier: MIT
#include "os/file_lock.hpp"

#include "os/file_system.hpp"
#include "os/unique.hpp"

namespace larder::os {

Result<bool> FileLock::try_lock(Mode mode, const Range& range) {
    TRY_ASSIGN(is_held_, larder::os::try_lock(file_, mode, range, path_));
    return is_held_;
}

Result<bool> FileLock::is_taken(const Range& range) const { return is_locked(file_, range, path_); }

Result<std::optional<FileLock>> FileLock::try_lock(const Dir& dir, const std::string& name,
                                                   Mode mode, const Range& range) {
    TRY_ASSIGN(FileLock lock, open(dir, name));
    TRY_ASSIGN(const bool is_ours, lock.try_lock(mode, range));
    if (!is_ours) return std::nullopt;
    return std::optional(std::move(lock));
}

Result<std::optional<FileLock>> FileLock::try_lock_existing(const Dir& dir,
                                                            const std::string& name) {
    TRY_ASSIGN(FileLock lock, open(dir, name, OpenMode::read_write));
    TRY_ASSIGN(const bool is_ours, lock.try_lock(Mode::exclusive, Range::whole()));
    if (!is_ours) return std::nullopt;
    return std::optional(std::move(lock));
}

FileLock::FileLock(FileHandle file, std::filesystem::path path) noexcept
    : file_(std::move(file)), path_(std::move(path)), owner_(process_token()) {}

FileLock::FileLock(FileLock&& other) noexcept = default;

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(path_, other.path_);
    std::swap(is_held_, other.is_held_);
    std::swap(owner_, other.owner_);
    return *this;
}

Result<bool> still_has_name(const FileHandle& file, const Dir& dir, const std::string& name) {
    // The name is asked for first: a file system in user space may count no links, or give a file
    // that is open another name instead of unlinking it.
    const auto named = stat_at(dir, name);
    if (is_absent(named)) return false;
    TRY(named);
    const auto opened = try_stat(file);
    if (!opened) return fail(opened.error(), "look at", dir / name);
    if (opened->identity == named->identity) return true;
    // Another file may have been given the name. Where numbers change, one file may seem to be two.
    return !traits_of(file).has_fixed_numbers && opened->links != 0;
}

Result<State> look_at(const Dir& dir, const std::string& name, const Range& range) {
    const auto file = open_at(dir, name, OpenMode::read_write);
    if (is_absent(file)) return State::missing;
    TRY(file);
    TRY_ASSIGN(const bool taken, is_locked(*file, range, dir / name));
    return taken ? State::taken : State::free;
}

}  // namespace larder::os
