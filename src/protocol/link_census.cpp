// SPDX-License-Identifier: MIT
#include "protocol/link_census.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// A part of a census has about so many entries. Arbitrary: 17 bytes for each of them are ten
/// mebibytes with what a vector that grows needs beside them.
constexpr std::uint64_t entries_in_part = 200'000;

/// Lists all links of a cache, and collects those that name one of some entries.
class LinkSearch {
public:
    LinkSearch(const cache::Root& root, const std::vector<Id>& entries, FindingList& findings)
        : root_(root), findings_(findings) {
        for (const Id& entry : entries) links_[entry];
    }

    /// Runs the search. The directories come in the order in which a link moves, so that a link
    /// that moves meanwhile is met once at least: see Verifier::verify.
    Result<LinksOfEntries> run() {
        const cache::Handles& dirs = root_.dirs();
        const cache::GarbageHandles& garbage = root_.garbage();
        TRY(search_below(LinkPlace::staging, dirs.staging));
        TRY(search_below(LinkPlace::bucket, dirs.buckets));
        TRY(search_below(LinkPlace::retired, garbage.retired_buckets));
        TRY(search_below(LinkPlace::staging, dirs.staging));
        TRY(search_in(LinkPlace::retired, garbage.retired_links, ""));
        return std::move(links_);
    }

private:
    /// Searches each staging area, each bucket or each refreshed bucket, which have their names in
    /// `parent`. Passes over one that is gone, or was never one: the census has reported it.
    Result<> search_below(LinkPlace where, const os::Dir& parent) {
        return findings_.for_each_name(parent,
                                       [&](const std::string& name, os::FileKind) -> Result<> {
                                           const auto dir = open(where, name);
                                           if (has_no_directory(dir)) return {};
                                           TRY(dir);
                                           return search_in(where, *dir, name);
                                       });
    }

    /// Opens the directory that holds the links of one of them.
    [[nodiscard]] Result<os::Dir> open(LinkPlace where, const std::string& name) const {
        switch (where) {
            case LinkPlace::bucket:
                return root_.keys().open_bucket(name);
            case LinkPlace::staging:
                return os::open_dir_at(root_.dirs().staging, name);
            case LinkPlace::retired:
                break;
        }
        return root_.keys().open_refreshed(root_.garbage().retired_buckets, name);
    }

    /// Searches one directory. Passes over a link that can't be read: the census has reported it.
    Result<> search_in(LinkPlace where, const os::Dir& dir, const std::string& parent) {
        return findings_.for_each_name(
            dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
                if (kind == os::FileKind::directory) return {};
                const auto staged = format::parse_staged_name(name);
                if (where == LinkPlace::staging && staged &&
                    staged->kind == format::StagedName::Kind::old)
                    return {};
                const auto link = format::read_link(root_.link_kind(), dir, name);
                if (!link || link->kind != LinkRead::Kind::entry) return {};
                if (const auto entry = links_.find(link->id); entry != links_.end())
                    entry->second.push_back({.where = where, .parent = parent, .name = name});
                return {};
            });
    }

    const cache::Root& root_;
    FindingList& findings_;
    LinksOfEntries links_;  // has all entries from the beginning, at first without links
};

/// Returns the directory to which `link.parent` and `link.name` are relative.
const os::Dir& base_of(const cache::Root& root, const PlacedLink& link) {
    const cache::GarbageHandles& garbage = root.garbage();
    switch (link.where) {
        case LinkPlace::bucket:
            return root.dirs().buckets;
        case LinkPlace::staging:
            return root.dirs().staging;
        case LinkPlace::retired:
            break;
    }
    return link.is_in_retired_links() ? garbage.retired_links : garbage.retired_buckets;
}

/// Reads the link that stands where `link` was met.
Result<LinkRead> read_again(const cache::Root& root, const PlacedLink& link) {
    if (link.parent.empty())
        return format::read_link(root.link_kind(), base_of(root, link), link.name);
    const std::string path = format::key_path(link.parent, link.name);
    if (link.where == LinkPlace::bucket) return root.keys().read(path);
    if (link.where == LinkPlace::staging)
        return format::read_link(root.link_kind(), base_of(root, link), path);
    const auto refreshed = root.keys().open_refreshed(base_of(root, link), link.parent);
    if (has_no_directory(refreshed)) return LinkRead{};
    TRY(refreshed);
    return format::read_link(root.link_kind(), *refreshed, link.name);
}

/// Returns whether the link stands where it was met, and names the entry.
Result<bool> names_entry_now(const cache::Root& root, const PlacedLink& link, const Id& entry) {
    TRY_ASSIGN(const LinkRead now, read_again(root, link));
    return now.names(entry);
}

}  // namespace

Result<std::uint64_t> count_census_parts(const cache::Root& root) {
    std::uint64_t entries = 0, part_size = entries_in_part;
    if (const int asked = os::point("verify.part-size"))
        part_size = static_cast<std::uint64_t>(asked);
    TRY(os::for_each_name(root.dirs().archive, [&](const std::string&, os::FileKind) -> Result<> {
        ++entries;
        return {};
    }));
    return entries / part_size + 1;
}

bool LinkCensus::covers(const Id& id) const noexcept {
    // The words of an id are random in some bits and count in others, so mix them.
    const std::uint64_t mixed = (id.high ^ id.low) * 0x9e37'79b9'7f4a'7c15U;
    return (mixed >> 32) % parts_ == part_;
}

void LinkCensus::end_of_entries() {
    std::sort(entries_.begin(), entries_.end());
    link_count_.assign(entries_.size(), 0);
}

void LinkCensus::count_link_to(const Id& id) {
    const std::size_t index = index_of(id);
    if (index == entries_.size()) return;
    auto& count = link_count_[index];
    if ((count & ~has_old_link) < 2) ++count;
}

void LinkCensus::note_old_link_to(const Id& id) {
    const std::size_t index = index_of(id);
    if (index != entries_.size()) link_count_[index] |= has_old_link;
}

bool LinkCensus::has_entry_of(const LinkRead& link) const {
    return link.kind == LinkRead::Kind::entry && index_of(link.id) != entries_.size();
}

std::vector<Id> LinkCensus::without_link() const {
    std::vector<Id> found;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (link_count_[i] == 0) found.push_back(entries_[i]);
    return found;
}

std::vector<Id> LinkCensus::with_several_links() const {
    std::vector<Id> found;
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if ((link_count_[i] & ~has_old_link) > 1) found.push_back(entries_[i]);
    return found;
}

std::size_t LinkCensus::index_of(const Id& id) const {
    const auto place = std::lower_bound(entries_.begin(), entries_.end(), id);
    if (place == entries_.end() || *place != id) return entries_.size();
    return static_cast<std::size_t>(place - entries_.begin());
}

std::filesystem::path path_of(const cache::Root& root, const PlacedLink& link) {
    return base_of(root, link).path / link.parent / link.name;
}

Result<LinksOfEntries> links_of(const cache::Root& root, const std::vector<Id>& entries,
                                FindingList& findings) {
    return LinkSearch(root, entries, findings).run();
}

Result<std::vector<PlacedLink>> still_standing(const cache::Root& root, const Id& entry,
                                               const std::vector<PlacedLink>& links) {
    std::vector<PlacedLink> standing;
    for (const PlacedLink& link : links) {
        TRY_ASSIGN(const bool stands, names_entry_now(root, link, entry));
        const bool is_double = std::find(standing.begin(), standing.end(), link) != standing.end();
        if (stands && !is_double) standing.push_back(link);
    }
    return standing;
}

}  // namespace larder::protocol
