// SPDX-License-Identifier: MIT
#include "protocol/finding_list.hpp"

namespace larder::protocol {

Finding& FindingList::add(Finding::Kind kind, std::filesystem::path path, std::string what) {
    paths_.insert(path.native());
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

void FindingList::take_back() {
    paths_.erase(paths_.find(findings_.back().path.native()));
    findings_.pop_back();
}

bool FindingList::has(const std::filesystem::path& path) const {
    return paths_.contains(path.native());
}

std::vector<Finding> FindingList::take_all() {
    paths_.clear();
    return std::exchange(findings_, {});
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
