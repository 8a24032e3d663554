// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "cachetool/doctor/probes.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool::doctor {
namespace {

void probe_space(const system::MountedVolume& volume, ProbeResults& results) {
    // Arbitrary, because it depends on the entries. But each participant and each put takes some.
    constexpr std::uint64_t little_space = 100U << 20U, few_inodes = 10'000;
    const bool counts_inodes = volume.inodes_total != 0;
    auto found = shown_size(volume.bytes_free) + " free";
    if (counts_inodes) found += fmt::format(", {} inodes", volume.inodes_free);
    if (volume.bytes_free == 0 || (counts_inodes && volume.inodes_free == 0)) {
        results.push_back({"space", ProbeVerdict::broken, found,
                           "remove, refresh and gc still work in a cache that exists; nothing can "
                           "be put into it"});
    } else if (volume.bytes_free < little_space ||
               (counts_inodes && volume.inodes_free < few_inodes)) {
        results.push_back({"space", ProbeVerdict::limited, found,
                           "a put may find the disk full, and then leaves everything as it was; "
                           "refresh and gc make room"});
    } else {
        results.push_back({"space", ProbeVerdict::ok, found, ""});
    }
}

}  // namespace

void probe_mount(const system::MountedVolume& volume, ProbeResults& results) {
    if (volume.read_only) {
        results.push_back({"mount", ProbeVerdict::broken, "read-only",
                           "a cache that exists there can be read; mount it for writing to put "
                           "anything in"});
    } else {
        results.push_back({"mount", ProbeVerdict::ok, "writable", ""});
    }
    if (volume.type == "overlay") {
        results.push_back({"layers", ProbeVerdict::limited, "overlay",
                           "in a cache that came with an image, refresh retires key by key, unless "
                           "its buckets are pointers, and collect deletes in place"});
    }
    if (volume.no_atime) {
        results.push_back({"access times", ProbeVerdict::limited, "noatime",
                           "an entry's last use is not known: ls and info show the time of its "
                           "publishing"});
    } else {
        results.push_back({"access times", ProbeVerdict::ok, "kept",
                           "an entry's last use is known, as exactly as the mount allows "
                           "(relatime: to the day)"});
    }
    probe_space(volume, results);
}

}  // namespace cachetool::doctor
