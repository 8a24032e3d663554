// SPDX-License-Identifier: MIT
// The files of `boots/`: what is known of each boot of the machine.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "format/boot_file.hpp"
#include "os/file.hpp"

namespace larder::cache {

/// Returns what the file of a boot says. `boot` has 32 hexadecimal digits. Returns an empty
/// BootFile if there is no such file. Errors: the system's.
[[nodiscard]] Result<format::BootFile> read_boot_file(const os::Dir& root, const std::string& boot);

/// Returns what tells this root from its copies. Returns nullopt if the file system does not.
[[nodiscard]] std::optional<format::RootIdentity> identity_of(const os::Dir& root);

/// The watermarks of earlier boots. Each one is remembered once it was read. That is enough,
/// because an earlier boot is over. (In a container that hides the boot id of the machine it may go
/// on. Then the watermark that this process knows is lower than the present one, which does no
/// harm.) Thread-safe.
class EarlierBoots {
public:
    /// Returns the time of the watermark of a boot in this root. Returns nullopt if there is none:
    /// it was never written, it is damaged, or it belongs to another root. Errors: the system's.
    [[nodiscard]] Result<std::optional<os::BootTime>> watermark_of(const os::Dir& root,
                                                                   const std::string& boot);

private:
    // Guards the map. No thread waits for it, because a forked child could wait for ever.
    std::mutex mutex_;
    std::map<std::string, std::optional<os::BootTime>> watermarks_;
};

}  // namespace larder::cache
