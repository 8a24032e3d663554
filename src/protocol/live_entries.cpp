// SPDX-License-Identifier: MIT
#include "protocol/live_entries.hpp"

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/name.hpp"
#include "os/dir_reader.hpp"
#include "protocol/entry.hpp"

namespace larder::protocol {

namespace {

using format::LinkRead;
using Note = std::function<Result<>(const Result<>& done)>;
using VisitLive = std::function<Result<>(const format::Id& id)>;

/// Does what for_each_live does, for one bucket. Returns an error only if `note` did, or if the
/// bucket can't be opened or listed.
Result<> visit_bucket(const cache::Root& root, const std::string& encoded_bucket, const Note& note,
                      const VisitLive& visit) {
    const auto bucket = root.keys().open_bucket(encoded_bucket);
    if (has_no_directory(bucket)) return {};
    TRY(bucket);
    const auto visit_key = [&](const std::string& key) -> Result<> {
        TRY_ASSIGN(const LinkRead link, format::read_link(root.link_kind(), *bucket, key));
        if (link.kind != LinkRead::Kind::entry) return {};
        return visit(link.id);
    };
    return os::for_each_name(*bucket, [&](const std::string& key, os::FileKind) -> Result<> {
        return format::is_key_name(key) ? note(visit_key(key)) : Result<>();
    });
}

}  // namespace

Result<> for_each_live(const cache::Root& root, const std::vector<std::string>& encoded_buckets,
                       const Note& note, const VisitLive& visit) {
    for (const std::string& bucket : encoded_buckets)
        TRY(note(visit_bucket(root, bucket, note, visit)));
    if (!encoded_buckets.empty()) return {};
    return note(os::for_each_name(root.dirs().buckets,
                                  [&](const std::string& name, os::FileKind) -> Result<> {
                                      // What is no bucket is a finding of verify.
                                      if (!format::is_bucket_name(name)) return {};
                                      return note(visit_bucket(root, name, note, visit));
                                  }));
}

Result<std::optional<LiveEntry>> LiveEntry::lease(const RootRef& root, const format::Id& id,
                                                  const cache::CallContext& context) {
    auto record = read_record(*root, id);
    if (!record && record.error().code == Errc::damaged) return std::nullopt;
    TRY(record);
    LiveEntry entry;
    entry.root_ = root;
    entry.id_ = id;
    TRY_ASSIGN(entry.encoded_bucket_, format::encode_bucket(record->bucket));
    TRY_ASSIGN(entry.path_,
               format::encode_key_path(entry.encoded_bucket_, record->key, root->longest_name()));
    entry.bucket_ = std::move(record->bucket);
    entry.key_ = std::move(record->key);
    if (!root->is_read_only()) {
        TRY_ASSIGN(entry.lease_, SlotLease::take(root, id, context));
    }
    // The id was stored before this look, so the lease holds if the key names the entry.
    TRY_ASSIGN(const bool is_live, entry.is_named());
    if (!is_live) return std::nullopt;
    return entry;
}

Result<bool> LiveEntry::is_named() const {
    TRY_ASSIGN(const LinkRead link, root_->keys().read(path_));
    return link.names(id_);
}

}  // namespace larder::protocol
