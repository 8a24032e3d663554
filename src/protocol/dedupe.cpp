// SPDX-License-Identifier: MIT
#include "protocol/dedupe.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "base/noted_errors.hpp"
#include "base/saturate.hpp"
#include "format/layout.hpp"
#include "os/copy.hpp"
#include "os/dir_reader.hpp"
#include "os/file_system.hpp"
#include "os/points.hpp"
#include "protocol/entry_manifest.hpp"
#include "protocol/live_entries.hpp"
#include "tree/files_by_path.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using os::BlockSharing;

/// Files with fewer bytes are passed over: file systems keep some of them beside their names, and
/// a block is all that another one could free. It is the usual size of a block.
constexpr std::uint64_t least_size = 4096;

/// So many different contents are in memory at a time: some 20 MB, as far as most are met once. If
/// a cache has more, it is gone through several times, each time for another part of the contents.
constexpr std::size_t most_contents = std::size_t{1} << 18;

/// A live entry, and when it was published.
struct EntryToShare {
    os::FileTime published;
    Id id;
};

/// Stands for a size, a digest and its algorithm. Two contents with one number cost a comparison
/// by the kernel, which finds that they differ.
using ContentNumber = std::uint64_t;

ContentNumber number_of(const format::ManifestHead& head, const format::ManifestItem& file) {
    const std::hash<std::string_view> hash;
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // spreads sizes over all bits
    return hash(file.digest) ^ (hash(head.digest) + file.size) * odd;
}

/// What is known of one content.
struct Content {
    bool is_repeated = false;
    /// The file whose blocks the others shall use: its entry, and its path there. None before the
    /// first such file was met.
    std::optional<Id> entry;
    std::string path;
};

/// A file of the entry that is being gone through.
struct FileToShare {
    std::string path;  // below the tree
    std::uint64_t size = 0;
    Content* content = nullptr;
};

/// One run of dedupe. An error about one entry or file is kept, and the run goes on.
class Deduper {
public:
    Deduper(const RootRef& root, const DedupeOptions& options, const cache::CallContext& context)
        : root_(root), options_(options), context_(context) {
        if (options_.budget) deadline_ = std::chrono::steady_clock::now() + *options_.budget;
        if (const int asked = os::point("dedupe.part-size"))
            most_contents_ = static_cast<std::size_t>(asked);
    }

    Result<DedupeReport> run() {
        TRY(list());
        for (part_ = 0; part_ < parts_ && !is_over(); ++part_) {
            TRY(find_repeated());
            if (part_ == 0) report_.entries = entries_.size();
            if (!contents_.empty()) TRY(share_all());
        }
        report_.failures = errors_.all();
        return std::move(report_);
    }

private:
    /// Returns true if the time is over, or if the caller has asked to stop.
    bool is_over() {
        const bool is_late = deadline_ && std::chrono::steady_clock::now() >= *deadline_;
        if (is_late || options_.stop.stop_requested() || context_.stop.stop_requested())
            report_.ended_early = true;
        return report_.ended_early;
    }

    /// Lists the live entries, the newest first: the oldest ones are likely to be evicted soon.
    Result<> list() {
        const auto note = [&](const Result<>& done) { return errors_.note(done); };
        TRY(for_each_live(*root_, {}, note, [&](const Id& id) -> Result<> {
            const std::string record = to_text(id) + "/" + format::record_name;
            const auto info = os::try_stat_at(root_->dirs().archive, record.c_str());
            entries_.push_back({.published = info ? info->modified : os::FileTime{}, .id = id});
            return {};
        }));
        std::sort(entries_.begin(), entries_.end(),
                  [](const EntryToShare& a, const EntryToShare& b) {
                      return std::tie(b.published, b.id) < std::tie(a.published, a.id);
                  });
        return {};
    }

    /// Calls `visit(path, file, head)` for each file of an entry that may share its blocks, and
    /// whose content belongs to the present part. Returns whether the entry has a whole manifest.
    /// An entry that was collected meanwhile has none.
    template <class Visit>
    Result<bool> for_each_file(const Id& id, Visit visit) {
        const auto entry = os::open_dir_at(root_->dirs().archive, to_text(id));
        if (has_no_directory(entry)) return false;
        TRY(entry);
        return for_each_listed_file(*entry,
                                    [&](const std::string& path, const format::ManifestItem& file,
                                        const format::ManifestHead& head) {
                                        if (file.size < least_size || file.digest.empty()) return;
                                        const ContentNumber number = number_of(head, file);
                                        if (number % parts_ == part_) visit(path, file, number);
                                    });
    }

    /// Finds the contents of the present part that more than one file has. In the first part it
    /// also finds out how many parts are needed.
    Result<> find_repeated() {
        contents_.clear();
        for (const EntryToShare& entry : entries_) {
            if (is_over()) return {};
            TRY(errors_.note(for_each_file(
                entry.id,
                [&](const std::string&, const format::ManifestItem&, ContentNumber number) {
                    const auto [at, is_new] = contents_.try_emplace(number);
                    if (!is_new) at->second.is_repeated = true;
                    if (part_ == 0 && contents_.size() > most_contents_) {
                        parts_ *= 2;
                        std::erase_if(contents_, [&](const auto& content) {
                            return content.first % parts_ != part_;
                        });
                    }
                })));
        }
        std::erase_if(contents_, [](const auto& content) { return !content.second.is_repeated; });
        return {};
    }

    /// Goes through the entries, and lets each repeated content be on the disk once.
    Result<> share_all() {
        for (const EntryToShare& entry : entries_) {
            if (is_over()) return {};
            auto shared = share_entry(entry.id);
            if (is_unsupported(shared)) return shared;
            TRY(errors_.note(shared));
        }
        return {};
    }

    /// Returns whether no other file can be shared either.
    static bool is_unsupported(const Result<>& shared) {
        return !shared && shared.error().code == Errc::unsupported;
    }

    /// Does so with the files of one entry, under a lease.
    Result<> share_entry(const Id& id) {
        TRY_ASSIGN(const auto live, LiveEntry::lease(root_, id, context_));
        if (!live) return {};
        std::vector<FileToShare> files;
        TRY_ASSIGN(
            const bool is_whole,
            for_each_file(id, [&](const std::string& path, const format::ManifestItem& file,
                                  ContentNumber number) {
                const auto content = contents_.find(number);
                if (content != contents_.end())
                    files.push_back({.path = path, .size = file.size, .content = &content->second});
            }));
        if (!is_whole || files.empty()) return {};
        (void)os::point("dedupe.leased");
        TRY_ASSIGN(const os::Dir entry, os::open_dir_at(root_->dirs().archive, to_text(id)));
        tree::FilesByPath paths(entry, format::tree_name);
        for (const FileToShare& file : files) {
            if (is_over()) return {};
            auto shared = share_file(id, paths, file);
            if (is_unsupported(shared)) return shared;
            TRY(errors_.note(shared));
        }
        return {};
    }

    /// Lets a file use the blocks of its content's first file. If there is none yet, or if that one
    /// is gone or was changed, the file takes its place.
    Result<> share_file(const Id& id, tree::FilesByPath& paths, const FileToShare& file) {
        const auto become_first = [&]() -> Result<> {
            file.content->entry = id;
            file.content->path = file.path;
            return {};
        };
        if (!file.content->entry) return become_first();
        const auto opened = open_first(*file.content);
        if (!opened) return become_first();
        const os::FileHandle& first = *opened;
        TRY_ASSIGN(const auto place, paths.find(file.path));
        TRY_ASSIGN(const os::FileHandle own,
                   os::open_at(place.dir, place.name, os::OpenMode::read_nonblocking));
        const auto info = os::try_stat(own);
        if (!info) return os::fail(info.error(), "look at", place.dir / place.name);
        const auto first_info = os::try_stat(first);
        if (!info->is_regular() || info->size != file.size) return {};  // changed: see verify
        if (!first_info || !first_info->is_regular() || first_info->size != file.size)
            return become_first();
        if (info->identity == first_info->identity) return {};

        const auto before = os::unshared_bytes(place.dir, place.name);
        const auto sharing = os::share_blocks(first, own, file.size);
        if (!sharing) return failed_to_share(sharing.error(), place.dir / place.name);
        switch (*sharing) {
            case BlockSharing::differs:
                return become_first();
            case BlockSharing::present:
                ++report_.shared_before;
                return {};
            case BlockSharing::made:
                break;
        }
        const auto after = os::unshared_bytes(place.dir, place.name);
        ++report_.files;
        base::add(report_.bytes, file.size);
        if (before && after && *before > *after) base::add(report_.freed, *before - *after);
        return {};
    }

    /// Opens the first file of a content, whose entry may have been collected, or damaged.
    Result<os::FileHandle> open_first(const Content& content) {
        if (!first_files_ || first_id_ != *content.entry) {
            first_files_.reset();
            TRY_ASSIGN(first_entry_,
                       os::open_dir_at(root_->dirs().archive, to_text(*content.entry)));
            first_id_ = *content.entry;
            first_files_.emplace(first_entry_, format::tree_name);
        }
        TRY_ASSIGN(const auto place, first_files_->find(content.path));
        return os::open_at(place.dir, place.name, os::OpenMode::read_nonblocking);
    }

    static Result<> failed_to_share(const std::error_code& error, std::filesystem::path path) {
        Error failed = os::fail(error, "share the blocks of", std::move(path)).value();
        if (failed.why == Why::not_supported) {
            failed.code = Errc::unsupported;
            failed.detail =
                "this file system can't let two files share blocks; btrfs can, and xfs if it was "
                "made with reflink=1";
        }
        return tl::make_unexpected(std::move(failed));
    }

    const RootRef& root_;
    const DedupeOptions& options_;
    const cache::CallContext& context_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
    std::size_t most_contents_ = most_contents;
    NotedErrors errors_;
    DedupeReport report_;
    std::vector<EntryToShare> entries_;
    std::uint64_t part_ = 0, parts_ = 1;
    std::unordered_map<ContentNumber, Content> contents_;  // of the present part
    // Finds the first files. Neighbours in one entry often have their first files in one, too.
    Id first_id_;
    os::Dir first_entry_;
    std::optional<tree::FilesByPath> first_files_;
};

}  // namespace

Result<DedupeReport> dedupe(const RootRef& root, const DedupeOptions& options,
                            const cache::CallContext& context) {
    return Deduper(root, options, context).run();
}

}  // namespace larder::protocol
