// SPDX-License-Identifier: MIT
#include <larder/cache.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

larder_code larder_cache_open(const char* root, const larder_open_options* options,
                              larder_cache** cache, larder_error** error) {
    c::clear(cache);
    return c::guarded("open", error, [&]() -> Result<> {
        NEED("open", root);
        NEED("open", cache);
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out(cache, Cache::open(root, chosen));
    });
}

larder_code larder_cache_destroy(const char* root, larder_error** error) {
    return c::guarded("destroy cache", error, [&]() -> Result<> {
        NEED("destroy cache", root);
        return Cache::destroy(root);
    });
}

const char* larder_cache_root(const larder_cache* cache) {
    return cache != nullptr ? cache->cache.root().c_str() : nullptr;
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

int larder_cache_is_read_only(const larder_cache* cache) {
    return cache != nullptr && cache->cache.is_read_only() ? 1 : 0;
}

larder_code larder_cache_bucket(const larder_cache* cache, const char* name, larder_bucket** bucket,
                                larder_error** error) {
    c::clear(bucket);
    return c::guarded("bucket", error, [&]() -> Result<> {
        NEED("bucket", cache);
        NEED("bucket", name);
        NEED("bucket", bucket);
        return c::hand_out(bucket, cache->cache.bucket(name));
    });
}

larder_code larder_cache_buckets(const larder_cache* cache, larder_names** names,
                                 larder_error** error) {
    c::clear(names);
    return c::guarded("list buckets", error, [&]() -> Result<> {
        NEED("list buckets", cache);
        NEED("list buckets", names);
        TRY_ASSIGN(auto found, cache->cache.buckets());
        *names = c::result_of(std::move(found));
        return {};
    });
}

larder_code larder_cache_status(const larder_cache* cache, larder_status** status,
                                larder_error** error) {
    c::clear(status);
    return c::guarded("status", error, [&]() -> Result<> {
        NEED("status", cache);
        NEED("status", status);
        TRY_ASSIGN(auto found, cache->cache.status());
        *status = c::result_of(std::move(found));
        return {};
    });
}

larder_code larder_cache_counters(const larder_cache* cache, larder_counters** counters,
                                  larder_error** error) {
    c::clear(counters);
    return c::guarded("read counters", error, [&]() -> Result<> {
        NEED("read counters", cache);
        NEED("read counters", counters);
        *counters = c::result_of(cache->cache.counters());
        return {};
    });
}

const char* larder_event_kind_name(int kind) {
    if (kind < LARDER_EVENT_WAITING || kind > LARDER_EVENT_REOPENED) return "unknown";
    return name_of(static_cast<Event::Kind>(kind))
        .data();  // names are literals, so they end with a zero byte
}

larder_code larder_cache_pins(const larder_cache* cache, larder_pins** pins, larder_error** error) {
    c::clear(pins);
    return c::guarded("list pins", error, [&]() -> Result<> {
        NEED("list pins", cache);
        NEED("list pins", pins);
        TRY_ASSIGN(auto found, cache->cache.pins());
        *pins = c::result_of(std::move(found));
        return {};
    });
}

larder_code larder_cache_trash(const larder_cache* cache, larder_entries** entries,
                               larder_error** error) {
    c::clear(entries);
    return c::guarded("list trash", error, [&]() -> Result<> {
        NEED("list trash", cache);
        NEED("list trash", entries);
        TRY_ASSIGN(auto found, cache->cache.trash());
        *entries = c::result_of(std::move(found));
        return {};
    });
}

larder_code larder_cache_visit_trash(const larder_cache* cache,
                                     int (*visit)(const larder_entry_info* entry, void* user_data),
                                     void* user_data, larder_error** error) {
    return c::guarded("list trash", error, [&]() -> Result<> {
        NEED("list trash", cache);
        NEED("list trash", visit);
        return cache->cache.visit_trash([&](const EntryInfo& entry) {
            const larder_entry_info seen = c::view_of(entry);
            return visit(&seen, user_data) != 0;
        });
    });
}

larder_code larder_cache_restore(const larder_cache* cache, const char* id, int replace,
                                 larder_lease** lease, larder_error** error) {
    c::clear(lease);
    return c::guarded("restore", error, [&]() -> Result<> {
        NEED("restore", cache);
        NEED("restore", id);
        return c::hand_out(lease, cache->cache.restore(id, replace != 0));
    });
}
