// SPDX-License-Identifier: MIT
// What a verify has found so far, and how its errors become findings.
#pragma once

#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <larder/report.hpp>

#include "base/error.hpp"
#include "os/dir_reader.hpp"
#include "protocol/entry_manifest.hpp"

namespace larder::protocol {

/// The findings of one verify. A verify goes on whatever it meets: what can't be read is a finding,
/// and only a request to stop (`interrupted`) ends it.
class FindingList {
public:
    /// Adds a finding and returns it. The reference is valid until another finding is added or
    /// taken back. A caller may change what the finding says, and not its path.
    Finding& add(Finding::Kind kind, std::filesystem::path path, std::string what);
    /// Adds a name that larder does not know, unless it was added already: some directories are
    /// listed more than once. Always succeeds; a visitor can return the result.
    Result<> add_foreign(std::filesystem::path path);
    /// Adds a finding for each name in which an entry differs from its manifest, or one for a
    /// manifest that is none. Returns how many it has added.
    std::size_t add_changes(const os::Dir& entry, const EntryChanges& changes);
    /// Returns the findings that were added last. They are valid as long as what add returns.
    [[nodiscard]] std::span<Finding> last(std::size_t count) noexcept;
    /// Removes the findings that were added last.
    void take_back(std::size_t count);
    /// Returns whether there is a finding at this path.
    [[nodiscard]] bool has(const std::filesystem::path& path) const;

    /// Adds the error of a step, if the step has failed, unless its path has a finding already.
    /// Returns the error only if it must end the verify as well: `interrupted`.
    [[nodiscard]] Result<> note_error(const Result<>& done);
    /// Adds to the first of the findings that were added last why a repair of it has failed, if it
    /// has. Returns what note_error does. Requires: the repair has taken none of them back.
    [[nodiscard]] Result<> note_repair(std::size_t findings, const Result<>& mended);
    /// Does what note_error does, for an error that may have hidden some links. From then on
    /// may_have_missed_links() is true.
    [[nodiscard]] Result<> note_missed(const Result<>& done);
    /// Returns whether a link may have been missed since the last call of forget_missed_links.
    [[nodiscard]] bool may_have_missed_links() const noexcept { return missed_links_; }
    void forget_missed_links() noexcept { missed_links_ = false; }

    /// Calls `visit(name, kind)`, which returns a Result<>, for each name in `dir`. Passes its
    /// errors to note_missed, and goes on with the next name. Errors: `interrupted`.
    template <class Visit>
    [[nodiscard]] Result<> for_each_name(const os::Dir& dir, Visit visit) {
        return note_missed(os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) {
            return note_missed(visit(name, kind));
        }));
    }

    /// Moves all findings out.
    [[nodiscard]] std::vector<Finding> take_all();

private:
    std::vector<Finding> findings_;
    // The paths of all findings, once for each. A damaged cache may have as many as entries, and a
    // look at all of them for each one would take minutes.
    std::unordered_multiset<std::filesystem::path::string_type> paths_;
    bool missed_links_ = false;
};

}  // namespace larder::protocol
