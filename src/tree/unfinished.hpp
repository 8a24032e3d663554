// SPDX-License-Identifier: MIT
// Directories that are filled, and symlinks that are made, beside a destination, and renamed to it
// when they are complete.
//
// The name of such a directory tells which process fills it. If that process is killed, the next
// one that makes a destination in the same place can tell that it is dead, and deletes what it
// left. No lock could tell that everywhere: a file system may keep it to one mount.
#pragma once

#include <stop_token>
#include <string>

#include "os/dir.hpp"

namespace larder::tree {

/// Returns a name for a directory that this process fills. No other process draws it. If the system
/// does not tell enough about this process, that is a fresh_name, which is never deleted by others.
[[nodiscard]] std::string unfinished_name();

/// Deletes the directories in `around` that dead processes were filling, and the symlinks that they
/// have made. Deletes one only if all of this is true:
///   - unfinished_name has made its name, in the present boot of this machine;
///   - the process of that name has certainly ended (see os::is_running);
///   - the directory belongs to this user;
///   - no user but this one and root can have put it there. So if other users may write to
///     `around`, that must be sticky, and they may not write to the directory itself; and a
///     symlink stays then.
/// Looks at a directory once in the life of a process, or a few times if there are many, because
/// each look lists it. What can't be looked at or deleted stays, and is no error.
/// Concurrency: several processes may delete the same directory at a time.
/// Crash: what is left is deleted by the next call.
void remove_unfinished(const os::Dir& around, const std::stop_token& stop);

}  // namespace larder::tree
