// SPDX-License-Identifier: MIT
// Which links name which entries. One link names each entry (invariant 2). verify counts
// the links of every entry, and looks again at the entries whose count is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cache/root.hpp"
#include "format/link.hpp"
#include "protocol/finding_list.hpp"

namespace larder::protocol {

/// Returns into how many parts the entries must be divided so that the census of one part needs no
/// more than about ten mebibytes. Entries that are published later make a part larger, which costs
/// memory alone.
[[nodiscard]] Result<std::uint64_t> count_census_parts(const cache::Root& root);

/// Counts the links to the entries of one part. First the caller adds all entries of the part, then
/// it calls end_of_entries, and then it counts each link that it meets:
///   add_entry* end_of_entries count_link_to*
class LinkCensus {
public:
    /// `part` is less than `parts`.
    LinkCensus(std::uint64_t part, std::uint64_t parts) : part_(part), parts_(parts) {}

    /// Returns true for the first part, in which a verify reports what concerns no entry.
    [[nodiscard]] bool is_of_first_part() const noexcept { return part_ == 0; }
    /// Returns whether an entry belongs to this part. Each id belongs to exactly one part.
    [[nodiscard]] bool covers(const format::Id& id) const noexcept;

    /// Adds an entry that stands in the archive. Requires: covers(id), and no entry is added twice.
    void add_entry(const format::Id& id) { entries_.push_back(id); }
    /// Makes the census ready to count links.
    void end_of_entries();
    /// Counts one link to an entry. Ignores the id if no such entry was added.
    void count_link_to(const format::Id& id);
    /// Notes a link `o-`, which may name an entry beside its key. So it counts only if there is no
    /// other link.
    void note_old_link_to(const format::Id& id);

    /// Returns true if the link names an entry that was added.
    [[nodiscard]] bool has_entry_of(const format::LinkRead& link) const;
    [[nodiscard]] std::size_t entries() const noexcept { return entries_.size(); }
    /// Returns the entries to which no link was counted.
    [[nodiscard]] std::vector<format::Id> without_link() const;
    /// Returns the entries to which more than one link was counted. That is only a suspicion,
    /// because a link that another process moves meanwhile is met, and counted, in two places.
    [[nodiscard]] std::vector<format::Id> with_several_links() const;

private:
    /// Returns the place of an id in entries_; the number of entries if it is not there.
    [[nodiscard]] std::size_t index_of(const format::Id& id) const;

    std::uint64_t part_, parts_;
    std::vector<format::Id> entries_;  // of this part; sorted by end_of_entries
    /// For each of entries_. The lower bits count its links; 2 stands for more, too. The highest
    /// bit says that an `o-` names it.
    std::vector<std::uint8_t> link_count_;
    static constexpr std::uint8_t has_old_link = 0x80;
};

/// In which kind of directory a link stands. The order is that in which a repair prefers to keep
/// one of several links to an entry.
enum class LinkPlace { bucket, staging, retired };

/// A link, and where it stands.
struct PlacedLink {
    LinkPlace where;
    /// The name of the bucket, the number of the participant, or the name of the refreshed bucket.
    /// Empty for a link in retired/links/.
    std::string parent;
    std::string name;

    [[nodiscard]] bool is_in_retired_links() const noexcept {
        return where == LinkPlace::retired && parent.empty();
    }
    friend bool operator==(const PlacedLink& a, const PlacedLink& b) {
        return a.where == b.where && a.parent == b.parent && a.name == b.name;
    }
};

/// Returns where the link stands, as an absolute path.
[[nodiscard]] std::filesystem::path path_of(const cache::Root& root, const PlacedLink& link);

/// The links that name certain entries, as they were met.
using LinksOfEntries = std::map<format::Id, std::vector<PlacedLink>>;

/// Lists all links of the cache once more, and returns those that name one of `entries`, each as
/// often as it is met, but no link `o-`, which may stand beside another one. An error about a
/// directory or a link is noted in `findings`, and stops no other. Errors: `interrupted`.
[[nodiscard]] Result<LinksOfEntries> links_of(const cache::Root& root,
                                              const std::vector<format::Id>& entries,
                                              FindingList& findings);

/// Returns those of `links` that name the entry now, each once. A link that moved during the
/// listing was met in two places, and stands in one.
[[nodiscard]] Result<std::vector<PlacedLink>> still_standing(const cache::Root& root,
                                                             const format::Id& entry,
                                                             const std::vector<PlacedLink>& links);

}  // namespace larder::protocol
