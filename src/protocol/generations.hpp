// SPDX-License-Identifier: MIT
// Which pointers name which generations. One pointer names each (invariant 2). Verify and the first
// collection of a boot look for a generation that none names.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cache/root.hpp"
#include "protocol/link_census.hpp"

namespace larder::protocol {

/// A pointer, and where it stands.
struct PlacedPointer {
    LinkPlace where;
    /// Its path below the directory in which such pointers stand: its name; in a staging area,
    /// "<number>/<name>".
    std::string name;
    format::Id generation;

    friend bool operator==(const PlacedPointer& a, const PlacedPointer& b) {
        return a.where == b.where && a.name == b.name && a.generation == b.generation;
    }
};

/// Returns where the pointer stands, as an absolute path.
[[nodiscard]] std::filesystem::path path_of(const cache::Root& root, const PlacedPointer& pointer);

/// Visits all pointers of a cache, in the order in which a pointer moves: staging areas, buckets,
/// refreshed buckets. So one that moves meanwhile is met once at least. Passes over what is no
/// pointer. If buckets are directories, there are none. Errors: the first one ends it, because the
/// pointer that could not be read may name any generation.
[[nodiscard]] Result<> for_each_pointer(
    const cache::Root& root, const std::function<Result<>(const PlacedPointer& pointer)>& visit);

/// What is wrong with the generations of a cache.
struct GenerationCensus {
    std::vector<format::Id> nameless;                ///< no pointer names these
    std::vector<std::vector<PlacedPointer>> shared;  ///< these name one generation together
    std::vector<PlacedPointer> dangling;             ///< of buckets; their generation is not there
};
/// Lists the generations, and then the pointers. What seems wrong is looked at again. Requires: the
/// caller holds the collector's lock. Errors: `interrupted` if `stop` was requested; the first
/// thing that could not be listed or read.
[[nodiscard]] Result<GenerationCensus> count_pointers(const cache::Root& root,
                                                      const std::stop_token& stop);

/// Gives a generation that no pointer names a pointer in `retired/buckets/`, so that a collection
/// takes it apart. Errors: those of joining the cache, and of making and renaming the pointer.
[[nodiscard]] Result<> name_generation(cache::Root& root, const format::Id& generation,
                                       const cache::CallContext& context);

}  // namespace larder::protocol
