// SPDX-License-Identifier: MIT
// The functions of a cache. c/call.hpp explains the shape that all of them have.
#include <memory>

#include <larder/cache.hpp>

#include "c/error.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

larder_code larder_cache_open(const char* root, const larder_open_options* options,
                              larder_cache** cache, larder_error** error) {
    c::clear(cache);
    return c::guarded("open", error, {{"root", root}, {"cache", cache}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_handle(cache, Cache::open(os::path_of(root), chosen));
    });
}

larder_code larder_cache_with(const larder_cache* cache, const larder_call_options* options,
                              larder_cache** with, larder_error** error) {
    c::clear(with);
    return c::guarded("with options", error, {{"cache", cache}, {"with", with}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_handle(with, Result<Cache>(cache->cache.with(chosen)));
    });
}

void larder_cache_close(larder_cache* cache) { delete cache; }

larder_code larder_cache_destroy(const char* root, larder_error** error) {
    return c::guarded("destroy cache", error, {{"root", root}},
                      [&] { return Cache::destroy(os::path_of(root)); });
}

larder_code larder_cache_check_destroy(const char* root, larder_error** error) {
    return c::guarded("destroy cache", error, {{"root", root}},
                      [&] { return Cache::check_destroy(root); });
}

const char* larder_cache_root(const larder_cache* cache) {
    return cache != nullptr ? cache->root.c_str() : nullptr;
}

larder_link_kind larder_cache_link_kind(const larder_cache* cache) {
    if (cache == nullptr) return LARDER_LINK_PROBED;
    switch (cache->cache.link_kind()) {
        case LinkKind::symlink:
            return LARDER_LINK_SYMLINK;
        case LinkKind::file:
            return LARDER_LINK_FILE;
        case LinkKind::junction:
            return LARDER_LINK_JUNCTION;
    }
    return LARDER_LINK_PROBED;
}

larder_bucket_kind larder_cache_bucket_kind(const larder_cache* cache) {
    if (cache == nullptr) return LARDER_BUCKET_PROBED;
    switch (cache->cache.bucket_kind()) {
        case BucketKind::directory:
            return LARDER_BUCKET_DIRECTORY;
        case BucketKind::pointer:
            return LARDER_BUCKET_POINTER;
    }
    return LARDER_BUCKET_PROBED;
}

int larder_cache_is_read_only(const larder_cache* cache) {
    return cache != nullptr && cache->cache.is_read_only() ? 1 : 0;
}

larder_code larder_cache_bucket(const larder_cache* cache, const char* name, larder_bucket** bucket,
                                larder_error** error) {
    c::clear(bucket);
    return c::guarded("bucket", error, {{"cache", cache}, {"name", name}, {"bucket", bucket}},
                      [&] { return c::hand_out_handle(bucket, cache->cache.bucket(name)); });
}

larder_code larder_cache_restore(const larder_cache* cache, const char* id,
                                 const larder_restore_options* options, larder_lease** lease,
                                 larder_error** error) {
    c::clear(lease);
    return c::guarded("restore", error, {{"cache", cache}, {"id", id}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_handle(lease, cache->cache.restore(id, chosen));
    });
}

// Lists and reports. After a success the caller owns what it gets, with all that this points to,
// and frees it by one call: larder_names_free, larder_status_free and so on.

larder_code larder_cache_buckets(const larder_cache* cache, larder_names** names,
                                 larder_error** error) {
    c::clear(names);
    return c::guarded("list buckets", error, {{"cache", cache}, {"names", names}},
                      [&] { return c::hand_out_struct(names, cache->cache.buckets()); });
}

larder_code larder_cache_status(const larder_cache* cache, larder_status** status,
                                larder_error** error) {
    c::clear(status);
    return c::guarded("status", error, {{"cache", cache}, {"status", status}},
                      [&] { return c::hand_out_struct(status, cache->cache.status()); });
}

larder_code larder_cache_counters(const larder_cache* cache, larder_counters** counters,
                                  larder_error** error) {
    c::clear(counters);
    return c::guarded("read counters", error, {{"cache", cache}, {"counters", counters}}, [&] {
        return c::hand_out_struct(counters, Result<Counters>(cache->cache.counters()));
    });
}

larder_code larder_cache_pins(const larder_cache* cache, larder_pins** pins, larder_error** error) {
    c::clear(pins);
    return c::guarded("list pins", error, {{"cache", cache}, {"pins", pins}},
                      [&] { return c::hand_out_struct(pins, cache->cache.pins()); });
}

larder_code larder_cache_link(const larder_cache* cache, const char* bucket, const char* key,
                              const char* destination, int32_t durability, larder_error** error) {
    return c::guarded(
        "link", error,
        {{"cache", cache}, {"bucket", bucket}, {"key", key}, {"destination", destination}},
        [&]() -> Result<> {
            TRY_ASSIGN(const auto chosen, c::durability_of(durability));
            return cache->cache.link(bucket, key, os::path_of(destination), {.durability = chosen});
        });
}

larder_code larder_cache_unlink(const larder_cache* cache, const char* destination,
                                larder_error** error) {
    return c::guarded("unlink", error, {{"cache", cache}, {"destination", destination}},
                      [&] { return cache->cache.unlink(os::path_of(destination)); });
}

larder_code larder_cache_roots(const larder_cache* cache, larder_roots** roots,
                               larder_error** error) {
    c::clear(roots);
    return c::guarded("list roots", error, {{"cache", cache}, {"roots", roots}},
                      [&] { return c::hand_out_struct(roots, cache->cache.roots()); });
}

larder_code larder_cache_prune_roots(const larder_cache* cache, uint32_t flags,
                                     larder_roots** dropped, larder_error** error) {
    c::clear(dropped);
    return c::guarded("prune roots", error, {{"cache", cache}}, [&]() -> Result<> {
        constexpr std::uint32_t known = LARDER_PRUNE_DRY_RUN | LARDER_PRUNE_UNREACHABLE;
        if ((flags & ~known) != 0) {
            return fail(Errc::invalid, "prune roots", {},
                        "flags has a bit that this version does not know");
        }
        const PruneOptions options{.dry_run = (flags & LARDER_PRUNE_DRY_RUN) != 0,
                                   .unreachable = (flags & LARDER_PRUNE_UNREACHABLE) != 0};
        TRY_ASSIGN(auto report, cache->cache.prune_roots(options));
        return c::hand_out_struct(dropped,
                                  Result<std::vector<RootInfo>>(std::move(report.dropped)));
    });
}

const char* larder_root_state_name(int state) {
    if (state < LARDER_ROOT_LEADS || state > LARDER_ROOT_UNREADABLE) return "unknown";
    // The names are literals, so each ends with a zero byte.
    return name_of(static_cast<RootInfo::State>(state)).data();
}

larder_code larder_cache_trash(const larder_cache* cache, larder_entries** entries,
                               larder_error** error) {
    c::clear(entries);
    return c::guarded("list trash", error, {{"cache", cache}, {"entries", entries}},
                      [&] { return c::hand_out_struct(entries, cache->cache.trash()); });
}

larder_code larder_cache_visit_trash(const larder_cache* cache,
                                     int (*visit)(const larder_entry_info* entry, void* user_data),
                                     void* user_data, larder_error** error) {
    // The view borrows its texts from `entry`, and both end with this call of `visit`. A visitor
    // returns 0 to end the list early.
    const auto visit_view = [&](const EntryInfo& entry) {
        const std::string path = os::text_of(entry.path);
        const larder_entry_info view = c::view_of(entry, path);
        return visit(&view, user_data) != 0;
    };
    return c::guarded("list trash", error, {{"cache", cache}, {"visit", visit}},
                      [&] { return cache->cache.visit_trash(visit_view); });
}

larder_code larder_cache_visit_entries(const larder_cache* cache, const char* const* buckets,
                                       size_t bucket_count,
                                       int (*visit)(const char* bucket, const char* key,
                                                    const larder_entry_info* entry,
                                                    const larder_error* failure, void* user_data),
                                       void* user_data, larder_error** error) {
    // The views borrow their texts from `entry`, and end with this call of `visit`. A visitor
    // returns 0 to end the list early.
    const auto visit_view = [&](const VisitedEntry& entry) {
        const char* const bucket = entry.bucket.c_str();
        const char* const key = entry.key.c_str();
        if (entry.info) {
            const std::string path = os::text_of(entry.info->path);
            const larder_entry_info view = c::view_of(*entry.info, path);
            return visit(bucket, key, &view, nullptr, user_data) != 0;
        }
        larder_error* failure = nullptr;
        (void)c::give(&failure, entry.info.error());
        const std::unique_ptr<larder_error, decltype(&larder_error_free)> owned(failure,
                                                                                larder_error_free);
        return visit(bucket, key, nullptr, failure, user_data) != 0;
    };
    return c::guarded("list entries", error,
                      {{"cache", cache}, {"buckets", buckets}, {"visit", visit}},
                      [&]() -> Result<> {
                          std::vector<std::string> names;
                          for (std::size_t i = 0; i < bucket_count; ++i) {
                              if (buckets[i] == nullptr)
                                  return fail(Errc::invalid, "list entries", {},
                                              "buckets has a NULL before bucket_count");
                              names.emplace_back(buckets[i]);
                          }
                          return cache->cache.visit_entries(names, visit_view);
                      });
}

const char* larder_event_kind_name(int kind) {
    if (kind < LARDER_EVENT_WAITING || kind > LARDER_EVENT_REOPENED) return "unknown";
    // The names are literals, so each ends with a zero byte.
    return name_of(static_cast<Event::Kind>(kind)).data();
}
