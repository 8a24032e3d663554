// SPDX-License-Identifier: MIT
// Changes to names that the file system shows and denies: its names may be out of date.
#pragma once

#include <string>

#include "os/file_info.hpp"

namespace larder::os {

/// Returns the result of `change()`, which renames or removes `name` in `dir`. If that says that
/// nothing stands there, looks, and makes it again while something does. So a caller that is told
/// that the name is gone can rely on it. Errors: `unsupported`, with `step` and `advice`, if the
/// file system denies the name to each of a hundred calls.
template <class Change>
auto change_standing(const Dir& dir, const std::string& name, const char* step, const char* advice,
                     Change change) -> decltype(change()) {
    // Another process may make the name anew between the two looks. Arbitrary: that does not happen
    // so often in a row.
    constexpr int max_attempts = 100;
    for (int attempts = 1; attempts <= max_attempts; ++attempts) {
        auto changed = change();
        if (!is_absent(changed)) return changed;
        const auto stands = stat_at(dir, name);
        if (is_absent(stands)) return changed;
        TRY(stands);
    }
    return larder::fail(
        Errc::unsupported, step, dir / name,
        std::string("the file system shows this name, and denies it to each call that "
                    "changes it; ") +
            advice);
}

/// What a user does about a cache on such a file system.
inline constexpr const char* name_another_place =
    "name a directory on another file system (`cachetool doctor` tests one)";

}  // namespace larder::os
