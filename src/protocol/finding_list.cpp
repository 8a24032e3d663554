// SPDX-License-Identifier: MIT
#include "protocol/finding_list.hpp"

#include <algorithm>

namespace larder::protocol {

Finding& FindingList::add(Finding::Kind kind, std::filesystem::path path, std::string what) {
    return findings_.emplace_back(
        Finding{.kind = kind, .path = std::move(path), .what = std::move(what)});
}

Result<> FindingList::add_foreign(std::filesystem::path path) {
    if (!has(path)) {
        add(Finding::Kind::foreign, std::move(path),
            "larder does not know this name, and leaves it alone");
    }
    return {};
}

bool FindingList::has(const std::filesystem::path& path) const {
    return std::any_of(findings_.begin(), findings_.end(),
                       [&](const Finding& finding) { return finding.path == path; });
}

Result<> FindingList::note_error(const Result<>& done) {
    if (done || done.error().code == Errc::interrupted) return done;
    const Error& error = done.error();
    if (!has(error.path))
        add(Finding::Kind::unreadable, error.path, error.message() + "; it was not checked");
    return {};
}

Result<> FindingList::note_missed(const Result<>& done) {
    if (!done) missed_links_ = true;
    return note_error(done);
}

}  // namespace larder::protocol
