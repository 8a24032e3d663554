// SPDX-License-Identifier: MIT
// One more copy of the library in a process, as when two plug-ins bring one each.
#pragma once

#include <cstdint>

struct Copy {
    void* (*open)(const char* root,
                  bool impatient);  ///< impatient: a wait ends at once, with Errc::interrupted
    void (*close)(void* cache);
    /// These return an Errc, or -1 if all is well.
    int (*put)(void* cache, const char* bucket, const char* key);
    int (*remove)(void* cache, const char* bucket, const char* key);
    int (*refresh)(void* cache, const char* bucket);
    int (*collect)(void* cache, std::uint64_t* entries, std::uint64_t* leased);
    void* (*get)(void* cache, const char* bucket, const char* key);  ///< a lease, or null
    void (*release)(void* lease);
    /// Calls `reached`, with `context`, in each thread that reaches the point in this copy; null
    /// ends it.
    void (*at_point)(const char* point, void (*reached)(void* context), void* context);
    /// Boost's file_lock, locked, or null if it is refused.
    void* (*file_lock)(const char* path);
    void (*file_unlock)(void* lock);
};

extern "C" const Copy* larder_copy();
