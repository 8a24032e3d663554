// SPDX-License-Identifier: MIT
#include "copy.hpp"

#include <boost/interprocess/sync/file_lock.hpp>
#include <fstream>
#include <memory>
#include <string>

#include <larder/larder.hpp>

#include "os/points.hpp"

namespace {

using larder::Bucket;
using larder::Cache;
using larder::Lease;
using larder::Result;

constexpr int done = -1;

Bucket bucket_of(void* cache, const char* name) {
    return std::move(*static_cast<Cache*>(cache)->bucket(name));
}

template <class T>
int code_of(const Result<T>& result) {
    return result ? done : static_cast<int>(result.error().code);
}

void* open(const char* root, bool impatient) {
    larder::OpenOptions options;
    std::stop_source source;
    if (impatient) source.request_stop();
    options.stop = source.get_token();
    auto cache = Cache::open(root, options);
    return cache ? new Cache(std::move(*cache)) : nullptr;
}

void close(void* cache) { delete static_cast<Cache*>(cache); }

int put(void* cache, const char* bucket, const char* key) {
    auto staging = bucket_of(cache, bucket).stage();
    if (!staging) return code_of(staging);
    std::ofstream(staging->path() / "f") << key;
    return code_of(bucket_of(cache, bucket).publish(key, std::move(*staging)));
}

int remove(void* cache, const char* bucket, const char* key) {
    return code_of(bucket_of(cache, bucket).remove(key));
}

int refresh(void* cache, const char* bucket) { return code_of(bucket_of(cache, bucket).refresh()); }

int collect(void* cache, std::uint64_t* entries, std::uint64_t* leased) {
    const auto report = static_cast<Cache*>(cache)->collect();
    if (!report) return code_of(report);
    *entries = report->entries;
    *leased = report->leased.size();
    return done;
}

void* get(void* cache, const char* bucket, const char* key) {
    auto lease = bucket_of(cache, bucket).get(key);
    return lease ? new Lease(std::move(*lease)) : nullptr;
}

void release(void* lease) { delete static_cast<Lease*>(lease); }

void at_point(const char* point, void (*reached)(void*), void* context) {
    if (reached == nullptr) return larder::os::set_point_hook({});
    larder::os::set_point_hook([wanted = std::string(point), reached, context](const char* name) {
        if (wanted == name) reached(context);
        return 0;
    });
}

using boost::interprocess::file_lock;

void* lock_file(const char* path) {
    auto lock = std::make_unique<file_lock>(path);
    return lock->try_lock() ? lock.release() : nullptr;
}

void unlock_file(void* lock) { delete static_cast<file_lock*>(lock); }

constexpr Copy copy{open, close,   put,      remove,    refresh,    collect,
                    get,  release, at_point, lock_file, unlock_file};

}  // namespace

extern "C" __attribute__((visibility("default"))) const Copy* larder_copy() { return &copy; }
