// SPDX-License-Identifier: MIT
#include "audit.hpp"

#include <stdexcept>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "format/record.hpp"
#include "os/file.hpp"
#include "os/link.hpp"

namespace larder::testing {

namespace {

[[noreturn]] void broken(int invariant, const std::string& what) {
    throw std::runtime_error("invariant " + std::to_string(invariant) + " is broken: " + what);
}

}  // namespace

CacheAudit::Listing CacheAudit::Listing::open(os::Dir opened) {
    auto reader = value(os::DirReader::open(opened));
    return {std::move(opened), std::move(reader)};
}

std::vector<std::string> CacheAudit::Listing::names() {
    std::vector<std::string> found;
    reader.rewind();
    while (const os::DirEntry entry = value(reader.next())) found.emplace_back(entry.name);
    return found;
}

void CacheAudit::SeenIds::meet(const Ids& now, const std::string& where) {
    for (const auto& id : once) {
        if (!now.contains(id)) gone.insert(id);
    }
    for (const auto& id : now) {
        if (gone.contains(id)) broken(3, id + " has come back to " + where);
    }
    once.insert(now.begin(), now.end());
}

CacheAudit::CacheAudit(const fs::path& root, LinkKind kind)
    : kind_(kind),
      buckets_(Listing::open(value(os::open_dir(root / format::buckets_name)))),
      archive_(Listing::open(value(os::open_dir(root / format::archive_name)))),
      staging_(Listing::open(value(os::open_dir(root / format::staging_name)))),
      retired_links_(Listing::open(
          value(os::open_dir(root / format::retired_name / format::retired_links_name)))),
      retired_buckets_(Listing::open(
          value(os::open_dir(root / format::retired_name / format::retired_buckets_name)))) {
    const fs::path generations = root / format::generations_name;
    if (fs::exists(generations)) generations_ = Listing::open(value(os::open_dir(generations)));
}

void CacheAudit::begin_anew(const std::string& dangling) {
    dangling_ = dangling;
    complete_.clear();
    bucket_ = {};
    kept_ = {};
}

void CacheAudit::look() {
    links_to_.clear();
    pointers_to_.clear();
    Ids in_bucket, in_archive;
    for_each_key([&](const std::string& key, const std::string& id) {
        in_bucket.insert(id);
        must_be_complete(key, id);
    });
    look_into_staging();
    look_into_retired();
    for (const auto& id : archive_.names()) {
        in_archive.insert(id);
        must_be_named(id, links_to_[id]);
    }
    look_into_generations();
    bucket_.meet(in_bucket, "its bucket");
    kept_.meet(in_archive, "the archive");
}

void CacheAudit::must_be_named(const std::string& id, const LinkCounts& links) {
    // These are NAMED and GARBAGE of docs/model/entries.pml.
    const int placed = links.live + links.staged;
    bool named = placed + links.old + links.retired >= 1;
    if (kind_ == LinkKind::junction) {
        named = named && links.live <= 1 && placed <= 2;
    } else {
        named = named && placed <= 1 && placed + links.retired <= 2 &&
                (links.live == 0 || links.retired == 0);
    }
    if (named) return;
    broken(2, std::to_string(links.live) + " keys, " + std::to_string(links.staged) + " l-, " +
                  std::to_string(links.old) + " o- and " + std::to_string(links.retired) +
                  " retired links name " + id);
}

void CacheAudit::glance() {
    Ids in_bucket;
    for_each_key([&](const std::string&, const std::string& id) { in_bucket.insert(id); });
    bucket_.meet(in_bucket, "its bucket");
}

void CacheAudit::for_each_key(
    const std::function<void(const std::string& key, const std::string& id)>& visit) {
    for (const auto& name : buckets_.names()) {
        os::Dir keys = open_keys(buckets_.dir, name);
        if (!keys.is_open()) broken(2, "the pointer of " + name + " leads nowhere");
        auto bucket = Listing::open(std::move(keys));
        for (const auto& key : bucket.names()) {
            const std::string id = count(bucket.dir, key, &LinkCounts::live);
            if (id.empty()) broken(1, key + " is no link");
            visit(key, id);
        }
    }
}

void CacheAudit::must_be_complete(const std::string& key, const std::string& id) {
    if (id == dangling_) return;
    const bool there = os::stat_at(archive_.dir, id + "/" + format::tree_name) &&
                       os::stat_at(archive_.dir, id + "/" + format::record_name);
    if (!there) broken(1, key + " names " + id + ", which is not complete");
    if (complete_.contains(id)) return;
    const auto entry = value(os::open_dir_at(archive_.dir, id));
    const auto record = format::parse_record(
        value(os::read_file_at(entry, format::record_name, format::max_record)));
    if (!record || record->key != key)
        broken(1, key + " names " + id + ", whose record is of another key");
    complete_.insert(id);
}

void CacheAudit::look_into_staging() {
    for (const auto& number : staging_.names()) {
        auto area = areas_.find(number);
        if (area == areas_.end())
            area =
                areas_.emplace(number, Listing::open(value(os::open_dir_at(staging_.dir, number))))
                    .first;
        for (const auto& name : area->second.names()) {
            const auto staged = format::parse_staged_name(name);
            if (!staged) continue;
            if (staged->kind == format::StagedName::Kind::pointer) {
                // A process may be held before it has set where its new junction leads.
                if (kind_ != LinkKind::junction ||
                    !os::is_unset_junction_at(area->second.dir, name))
                    count_pointer(area->second.dir, name);
                continue;
            }
            const bool is_old = staged->kind == format::StagedName::Kind::old;
            count(area->second.dir, name, is_old ? &LinkCounts::old : &LinkCounts::staged);
        }
    }
}

void CacheAudit::look_into_retired() {
    for (const auto& name : retired_links_.names())
        count(retired_links_.dir, name, &LinkCounts::retired);
    for (const auto& name : retired_buckets_.names()) {
        os::Dir keys = open_keys(retired_buckets_.dir, name);
        if (!keys.is_open()) continue;  // its directory is gone, and its pointer goes next
        auto bucket = Listing::open(std::move(keys));
        for (const auto& key : bucket.names()) count(bucket.dir, key, &LinkCounts::retired);
    }
}

void CacheAudit::look_into_generations() {
    if (!generations_) return;
    for (const auto& name : generations_->names()) {
        // These are ONE of docs/model/pointers.pml.
        if (pointers_to_[name] != 1)
            broken(2, std::to_string(pointers_to_[name]) + " pointers name generation " + name);
    }
}

os::Dir CacheAudit::open_keys(const os::Dir& parent, const std::string& name) {
    if (!generations_) return value(os::open_dir_at(parent, name));
    const std::string generation = count_pointer(parent, name);
    auto opened = os::open_dir_at(generations_->dir, generation);
    return is_absent(opened) ? os::Dir{} : value(std::move(opened));
}

std::string CacheAudit::count_pointer(const os::Dir& parent, const std::string& name) {
    const auto pointer = value(format::read_pointer(kind_, parent, name));
    if (pointer.kind != format::PointerRead::Kind::generation) broken(2, name + " is no pointer");
    std::string generation = to_text(pointer.generation);
    ++pointers_to_[generation];
    return generation;
}

/// Counts a link. Returns the id that it names; an empty string if it is no link.
std::string CacheAudit::count(const os::Dir& dir, const std::string& name, int LinkCounts::*kind) {
    const auto link = value(format::read_link(kind_, dir, name));
    if (link.kind != format::LinkRead::Kind::entry) return {};
    std::string id = to_text(link.id);
    ++(links_to_[id].*kind);
    return id;
}

}  // namespace larder::testing
