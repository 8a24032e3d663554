// SPDX-License-Identifier: MIT
#include "protocol/verify_content.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/finding_list.hpp"
#include "protocol/key_link.hpp"
#include "protocol/live_entries.hpp"

namespace larder::protocol {

namespace {

using format::Id;

/// A live entry, and when it was checked last. It has no key, because a million keys would need
/// much memory, and the entry's record has the key.
struct Candidate {
    os::FileTime checked;
    Id id;
};

/// One check of contents. Whatever it meets, it goes on: an error about one entry becomes a
/// finding, and only `interrupted` ends it.
class ContentVerifier {
public:
    ContentVerifier(RootRef root, const ContentOptions& options, const cache::CallContext& context)
        : root_(std::move(root)), options_(options), context_(context) {}

    Result<ContentReport> verify(const std::vector<std::string>& encoded_buckets) {
        const auto begin = std::chrono::steady_clock::now();
        TRY(findings_.note_error(list(encoded_buckets)));
        std::sort(candidates_.begin(), candidates_.end(),
                  [](const Candidate& a, const Candidate& b) {
                      return std::tie(a.checked, a.id) < std::tie(b.checked, b.id);
                  });
        (void)os::point("content.listed");
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            const bool is_late =
                options_.budget && std::chrono::steady_clock::now() - begin >= *options_.budget;
            // The first entry is checked in any case, so that repeated calls come to all of them.
            if (is_late && i > 0) {
                report_.unchecked = candidates_.size() - i;
                break;
            }
            TRY(findings_.note_error(check(candidates_[i].id)));
        }
        report_.findings = findings_.take_all();
        return std::move(report_);
    }

private:
    /// Lists the live entries of these buckets, or of all.
    Result<> list(const std::vector<std::string>& encoded_buckets) {
        const auto note = [&](const Result<>& done) { return findings_.note_error(done); };
        return for_each_live(*root_, encoded_buckets, note, [&](const Id& id) -> Result<> {
            // The time of its manifest says when an entry was checked last. One that has none
            // comes first.
            const std::string manifest = to_text(id) + "/" + format::manifest_name;
            const auto info = os::try_stat_at(root_->dirs().archive, manifest.c_str());
            candidates_.push_back({.checked = info ? info->modified : os::FileTime{}, .id = id});
            return {};
        });
    }

    /// Checks one entry, under a lease. An entry that no key names any more is passed over. Verify
    /// tells of one without a record.
    Result<> check(const Id& id) {
        TRY_ASSIGN(const auto entry, LiveEntry::lease(root_, id, context_));
        if (!entry) return {};
        (void)os::point("content.leased");
        return check_leased(id, *entry);
    }

    static Result<tree::Size> measure_tree(const os::Dir& entry, tree::Inventory& inventory) {
        TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
        return tree::measure(tree, &inventory);
    }

    Result<> check_leased(const Id& id, const LiveEntry& live) {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(root_->dirs().archive, to_text(id)));
        tree::Inventory inventory;
        const auto size = measure_tree(entry, inventory);
        if (!size) {
            const auto shut = shut_directory(size.error(), tree_path(*root_, id));
            if (!shut) return tl::make_unexpected(size.error());
            ++report_.entries;
            TRY_ASSIGN(const bool is_live, live.is_named());
            if (!is_live) return {};
            findings_.add(Finding::Kind::changed, *shut, shut_since);
            return options_.repair ? repair(id, live.place(), 1) : Result<>();
        }
        const DigestCheck digests{.algorithms = options_.digests, .stop = context_.stop};
        TRY_ASSIGN(const EntryChanges changes, compare_with_manifest(entry, inventory, &digests));
        ++report_.entries;
        base::add(report_.files, changes.files_read);
        base::add(report_.bytes, changes.bytes_read);
        if (!changes.has_digests) ++report_.without_digests;
        // In a cache that is only read, there is no lease, and the entry may have been collected.
        TRY_ASSIGN(const bool is_live, live.is_named());
        if (!is_live) return {};
        if (!root_->is_read_only()) (void)os::touch_at(entry, format::manifest_name);
        if (changes.none()) return {};
        const std::size_t added = findings_.add_changes(entry, changes);
        return options_.repair ? repair(id, live.place(), added) : Result<>();
    }

    /// Retires the key of a changed entry, if it still names it. If that fails, the finding says
    /// why. `added` findings at the end are about this entry.
    Result<> repair(const Id& id, const KeyRef& place, std::size_t added) {
        const auto retired = retire_if(*root_, place, id, context_);
        const auto about_entry = findings_.last(added);
        if (!retired) {
            if (retired.error().code == Errc::interrupted)
                return tl::make_unexpected(retired.error());
            about_entry.front().what += "; it was not repaired: " + retired.error().message();
            return {};
        }
        // If the key names another entry by now, the changed one is garbage, which is as good.
        if (*retired) {
            about_entry.front().what += "; key " + std::string(place.key) + " of bucket " +
                                        std::string(place.bucket) +
                                        " was taken out, and has no entry now";
        }
        for (Finding& finding : about_entry) finding.repaired = true;
        return {};
    }

    const RootRef root_;
    const ContentOptions& options_;
    const cache::CallContext& context_;
    FindingList findings_;
    ContentReport report_;
    std::vector<Candidate> candidates_;
};

}  // namespace

Result<ContentReport> verify_content(const RootRef& root,
                                     const std::vector<std::string>& encoded_buckets,
                                     const ContentOptions& options,
                                     const cache::CallContext& context) {
    return ContentVerifier(root, options, context).verify(encoded_buckets);
}

}  // namespace larder::protocol
