// SPDX-License-Identifier: MIT
// Transfers one file, one symlink, or the attributes of one directory: by clone, hard link or copy.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include <larder/materialize.hpp>

#include "base/error.hpp"
#include "os/copy.hpp"

namespace larder::tree {

/// The ways to transfer a file that have not failed yet between two file systems. (A copy is always
/// left.) One of these is shared by all files that go from one to the other, so that a way that
/// does not work is tried only once. Several threads may use it at a time.
struct WorkingWays {
    std::atomic<bool> clone{true};
    std::atomic<bool> hardlink{true};
};

enum class TransferKind { cloned, hardlinked, copied };

/// Whether other processes may see a destination while it is filled.
enum class Visibility {
    visible,  ///< a file gets its name only when it is complete
    hidden,   ///< a file is made under its name, which saves a rename
};

/// A file that was made.
struct MadeFile {
    TransferKind kind = TransferKind::copied;
    bool is_exact = true;         // has the attributes, the mode and the time of its source
    os::FileIdentity identity{};  // known only if a file of several names was cloned or copied
};

/// Lends the right to write to the directory of a destination again, after a call was denied it:
/// another carry that fills the same directory may have taken it back. Returns true if the call is
/// worth another try. Any thread may call it.
using LendAgain = std::function<bool()>;

/// The source and the destination of one transfer. Refers to what its caller owns.
struct Transfer {
    const os::Dir& from;
    const std::string& name;   // in `from`, and then in `to`
    const os::FileInfo& info;  // of `name` in `from`; if that is a symlink, of the symlink itself
    const os::Dir& to;
    Visibility visibility = Visibility::visible;
    os::Refusal refusal = os::Refusal::is_error;  // if a mode or a time can't be set in `to`
    LendAgain lend_again{};                       // empty if no right is lent in `to`
};

/// Makes a call that changes the names in a destination's directory, and makes it again as long as
/// the right to write there was taken back meanwhile. Returns what the last one returns.
template <class Call>
auto with_right(const LendAgain& lend_again, Call call) -> decltype(call()) {
    for (;;) {
        auto done = call();
        if (why_of(done) != Why::denied || !lend_again || !lend_again()) return done;
    }
}

/// Makes the regular file `name` in `to`, and returns how. With `replace`, a file or symlink that
/// stands there is replaced atomically. It is never written to, because it may be a hard link into
/// a cache. A file with privileges (see os::has_privileges) is copied without them, unless hard
/// links were asked for. Takes a way out of `ways` if it does not work.
///
/// Errors: `exists` if a directory stands there, or a file and `replace` is off; `unsupported` if
/// the options ask for a way that does not work here. An error leaves nothing new behind.
/// Crash: leaves a `.larder-…` beside the name, or, in a hidden destination, an incomplete file.
[[nodiscard]] Result<MadeFile> transfer_file(const Transfer& transfer,
                                             const MaterializeOptions& options, WorkingWays& ways);

/// A file of several names that an earlier transfer has made.
struct EarlierFile {
    const os::Dir& dir;
    const std::string& name;
    const os::FileIdentity& identity;  // as in its MadeFile
};

/// Makes `name` in `to` another name of an earlier file. Returns false if that can't be done, or if
/// another file stands at the earlier name now; then nothing is left, and the caller makes a file
/// of its own. Errors and crashes are as in transfer_file.
[[nodiscard]] Result<bool> transfer_name(const Transfer& transfer,
                                         const MaterializeOptions& options,
                                         const EarlierFile& earlier);

/// Makes a symlink with the same text and the same time of modification, under the rules of
/// transfer_file. A file system that keeps no time for symlinks is no error.
[[nodiscard]] Result<> transfer_symlink(const Transfer& transfer,
                                        const MaterializeOptions& options);

/// Gives a new directory, once it is filled, the attributes, the mode and the modification time of
/// its source. The mode may take away our own right to write there, and the time changes with every
/// name that is made, so nothing may be made there afterwards. `info` is what the system knows
/// about `source`. Returns whether the directory has them all, as NewFile::complete does. After an
/// error it may have some of them.
[[nodiscard]] Result<bool> finish_directory(const os::Dir& source, const os::FileInfo& info,
                                            const os::Dir& made,
                                            os::Refusal refusal = os::Refusal::is_error);

}  // namespace larder::tree
