// SPDX-License-Identifier: MIT
#include "world.hpp"

#include <algorithm>
#include <stdexcept>

#include "protocol/scene.hpp"

namespace larder::testing {

namespace {

constexpr const char* other_key = "other";

/// Returns a directory in memory if there is one, since the orders of two processes do not depend
/// on the disk.
TempDir in_memory() {
    if (fs::is_directory("/dev/shm")) ::setenv("LARDER_TEST_DIR", "/dev/shm", 0);
    return TempDir();
}

Lease put_small(const Bucket& bucket, const std::string& key, const std::string& content) {
    Staging staging = value(bucket.stage());
    fill_small(staging.path(), content);
    return value(bucket.publish(key, std::move(staging)));
}

std::string content_here(const Bucket& bucket, const std::string& key) {
    auto lease = bucket.get(key);
    if (!lease && lease.error().code == Errc::miss) return {};
    return read_small(value(std::move(lease)));
}

void empty(const fs::path& directory) {
    for (const auto& entry : fs::directory_iterator(directory)) fs::remove_all(entry.path());
}

}  // namespace

OrderWorld::OrderWorld(WorldStart beginning)
    : beginning_(beginning),
      dir_(in_memory()),
      root_(dir_.path() / "cache"),
      audit_(root_, open_cache(root_).link_kind()) {
    // The first collection of a boot has steps of its own, which no later one has.
    (void)value(open_cache(root_).collect());
}

void OrderWorld::prepare() {
    std::string dangling;
    {
        const Cache cache = open_cache(root_);
        const Bucket bucket = value(cache.bucket(the_bucket));
        const bool present = beginning_.key == KeyState::present;
        const char* const key = present ? the_key : other_key;
        if (beginning_.garbage) garbage_id_ = put_small(bucket, key, "older").id();
        if (beginning_.key == KeyState::unmade) {
            value(bucket.refresh());
        } else {
            put_small(bucket, key, present ? "old" : "neighbour");
        }
        if (beginning_.key == KeyState::dangling)
            plant_link(cache, keys_of(root_ / "buckets" / the_bucket), the_key,
                       dangling = fresh_name());
    }
    audit_.begin_anew(dangling);
    if (!beginning_.died_at.empty()) {
        // Without an old entry, a put replaces nothing.
        const std::vector<std::string> held = {beginning_.died_at, "publish.before-placing-new"};
        victim_ = std::make_unique<Child>(
            [this, held](Child& child) {
                fail_at(child, {{"os.exchange", EINVAL}}, {held, {}});
                const Bucket bucket = open_bucket(root_);
                const Staging staged = value(bucket.stage());
                fill_small(staged.path(), "staged by the dead");
                put_small(bucket, the_key, "in flight from the dead");
            },
            Points{});
        if (victim_->listen().empty()) throw std::runtime_error("the victim has ended too early");
    }
}

void OrderWorld::strike() { victim_.reset(); }

Bucket OrderWorld::bucket() {
    if (!cache_) cache_ = open_cache(root_);
    return value(cache_->bucket(the_bucket));
}

std::string OrderWorld::read_key() { return content_here(bucket(), the_key); }

bool OrderWorld::neighbour_stands() {
    return beginning_.key == KeyState::present || beginning_.key == KeyState::unmade ||
           content_here(bucket(), other_key) == "neighbour";
}

void OrderWorld::collect_beside() {
    (void)value(cache_->collect({}, {.threads = 1}));
    const auto report = value(cache_->verify());
    for (const auto& finding : report.findings)
        throw std::runtime_error(finding.path.string() + ": " + finding.what);
}

bool OrderWorld::staging_is_empty() const {
    const fs::directory_iterator areas(root_ / "staging");
    return std::all_of(begin(areas), end(areas),
                       [](const auto& area) { return fs::is_empty(area.path()); });
}

bool OrderWorld::garbage_is_gone() const { return !fs::exists(root_ / "archive" / garbage_id_); }

void OrderWorld::conclude() {
    require_no_leak(root_, value(bucket().keys()).size());
    cache_.reset();
    for (const char* part :
         {"participants", "buckets", "archive", "retired/links", "retired/buckets", "deleting"})
        empty(root_ / part);
    if (fs::exists(root_ / "generations")) empty(root_ / "generations");
}

}  // namespace larder::testing
