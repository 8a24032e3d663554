// SPDX-License-Identifier: MIT
#include "protocol/verify_content.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"
#include "protocol/entry.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/finding_list.hpp"
#include "protocol/key_link.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

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
        const os::Dir& buckets = root_->dirs().buckets;
        for (const std::string& bucket : encoded_buckets)
            TRY(findings_.note_error(list_bucket(bucket)));
        if (!encoded_buckets.empty()) return {};
        return findings_.for_each_name(buckets,
                                       [&](const std::string& name, os::FileKind) -> Result<> {
                                           // What is no bucket is a finding of verify.
                                           if (!format::is_bucket_name(name)) return {};
                                           return list_bucket(name);
                                       });
    }

    Result<> list_bucket(const std::string& encoded_bucket) {
        const auto bucket = os::open_dir_at(root_->dirs().buckets, encoded_bucket);
        if (has_no_directory(bucket)) return {};
        TRY(bucket);
        return findings_.for_each_name(
            *bucket, [&](const std::string& key, os::FileKind) -> Result<> {
                if (!format::is_key_name(key)) return {};
                TRY_ASSIGN(const LinkRead link,
                           format::read_link(root_->link_kind(), *bucket, key));
                if (link.kind != LinkRead::Kind::entry) return {};
                // The time of its manifest says when an entry was checked last. One that has none
                // comes first.
                const std::string manifest = to_text(link.id) + "/" + format::manifest_name;
                const auto info = os::try_stat_at(root_->dirs().archive, manifest.c_str());
                candidates_.push_back(
                    {.checked = info ? info->modified : os::FileTime{}, .id = link.id});
                return {};
            });
    }

    /// Checks one entry, under a lease. An entry that no key names any more is passed over.
    Result<> check(const Id& id) {
        const auto record = read_record(*root_, id);
        if (!record && record.error().code == Errc::damaged) {
            // Without a record its key is unknown. Verify tells of it, unless it was collected.
            return {};
        }
        TRY(record);
        TRY_ASSIGN(const std::string bucket, format::encode_bucket(record->bucket));
        TRY_ASSIGN(std::string path,
                   format::encode_key_path(bucket, record->key, root_->longest_name()));
        const KeyRef place{record->bucket, bucket, record->key, std::move(path)};
        SlotLease lease;
        if (!root_->is_read_only()) {
            TRY_ASSIGN(lease, SlotLease::take(root_, id, context_));
        }
        // The id was stored before this look, so the lease holds if the key names the entry. This
        // is no use of the entry.
        TRY_ASSIGN(const bool is_live, is_named(place, id));
        if (!is_live) return {};
        (void)os::point("content.leased");
        return check_leased(id, place);
    }

    [[nodiscard]] Result<bool> is_named(const KeyRef& place, const Id& id) const {
        TRY_ASSIGN(const LinkRead link,
                   format::read_link(root_->link_kind(), root_->dirs().buckets, place.path));
        return link.names(id);
    }

    Result<> check_leased(const Id& id, const KeyRef& place) {
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(root_->dirs().archive, to_text(id)));
        TRY_ASSIGN(const os::Dir tree, os::open_dir_at(entry, format::tree_name));
        tree::Inventory inventory;
        TRY(tree::measure(tree, &inventory));
        const DigestCheck digests{.algorithms = options_.digests, .stop = context_.stop};
        TRY_ASSIGN(const EntryChanges changes, compare_with_manifest(entry, inventory, &digests));
        ++report_.entries;
        base::add(report_.files, changes.files_read);
        base::add(report_.bytes, changes.bytes_read);
        if (!changes.has_digests) ++report_.without_digests;
        // In a cache that is only read, there is no lease, and the entry may have been collected.
        TRY_ASSIGN(const bool is_live, is_named(place, id));
        if (!is_live) return {};
        if (!root_->is_read_only()) (void)os::touch_at(entry, format::manifest_name);
        if (changes.none()) return {};
        const std::size_t added = findings_.add_changes(entry, changes);
        return options_.repair ? repair(id, place, added) : Result<>();
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
