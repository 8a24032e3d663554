// SPDX-License-Identifier: MIT
#include "protocol/finding_list.hpp"

#include "format/layout.hpp"

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

std::size_t FindingList::add_changes(const os::Dir& entry, const EntryChanges& changes) {
    if (!changes.no_manifest.empty()) {
        add(Finding::Kind::malformed, entry / format::manifest_name,
            "this is no manifest: " + changes.no_manifest +
                "; so the entry's files could not be compared with it");
        return 1;
    }
    const std::filesystem::path tree = entry / format::tree_name;
    std::size_t added = 0;
    for (const EntryChange& change : changes.listed) {
        add(Finding::Kind::changed, change.path.empty() ? tree : tree / change.path, change.how);
        ++added;
    }
    if (changes.not_listed > 0) {
        add(Finding::Kind::changed, tree,
            std::to_string(changes.not_listed) +
                " more names below this directory differ from the manifest");
        ++added;
    }
    if (changes.unproven) {
        add(Finding::Kind::changed, tree / changes.unproven->path, changes.unproven->how);
        ++added;
    }
    return added;
}

std::span<Finding> FindingList::last(std::size_t count) noexcept {
    return std::span(findings_).last(count);
}

void FindingList::take_back(std::size_t count) {
    for (; count > 0; --count) {
        paths_.erase(paths_.find(findings_.back().path.native()));
        findings_.pop_back();
    }
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

Result<> FindingList::note_repair(std::size_t findings, const Result<>& mended) {
    if (mended || mended.error().code == Errc::interrupted) return mended;
    last(findings).front().what += "; it was not repaired: " + mended.error().message();
    return {};
}

Result<> FindingList::note_missed(const Result<>& done) {
    if (!done) missed_links_ = true;
    return note_error(done);
}

}  // namespace larder::protocol
