// SPDX-License-Identifier: MIT
// Disks whose power is cut: file systems in image files, mounted through loop devices.
#pragma once

#include <functional>
#include <string>

#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

/// A disk with one file system. A *cut* is a copy of the image while it is mounted: it has what the
/// file system has written by then, and nothing that is still in memory. So it is what a machine
/// finds whose power fails at that moment.
///
/// The file system is mounted so that it writes nothing by itself for half a minute. A test makes
/// its cuts within that time, while the processes that use the disk are held.
///
/// Only children may open files of the disk. An open file in the test's own process would keep it
/// from being unmounted.
class CutDisk {
public:
    /// Makes the disk in the directory `dir`, with a file system of this type: ext4, xfs or btrfs.
    CutDisk(const fs::path& dir, const std::string& type);
    ~CutDisk();
    CutDisk(const CutDisk&) = delete;
    CutDisk& operator=(const CutDisk&) = delete;
    /// Returns false if this process may not mount, or if the tools for this type are missing.
    [[nodiscard]] explicit operator bool() const { return mounted_; }

    /// Returns where a test makes its cache.
    [[nodiscard]] fs::path root() const { return at_ / "cache"; }
    /// Brings all that was written to the disk.
    void sync() const;
    /// Makes the file system write all changes of names and sizes that it has in memory, but not
    /// the bytes of files that wait to be written. So files that were just written become empty.
    void write_names_alone() const;

    /// Cuts the power of a copy of the machine. The disk itself goes on.
    void cut(const std::string& name);
    /// Starts the machine with the disk as that cut has left it. Requires: all processes that use
    /// the disk have ended.
    void start_from(const std::string& name);
    /// Deletes a cut. The disk that was started from it goes on.
    void forget(const std::string& name) const;

private:
    void unmount();

    std::string type_;
    fs::path dir_, at_;
    pid_t owner_;
    bool mounted_ = false;
};

/// Opens a file or a directory, and calls fsync or syncfs for it.
void sync_path(const fs::path& path, int (*how)(int));

/// Runs `body` in a process of a later boot of the machine, and throws if it fails.
void after_boot(const std::function<void()>& body);
/// Runs `body` in a process of this boot, and throws if it fails.
void in_this_boot(const std::function<void()>& body);

}  // namespace larder::testing
