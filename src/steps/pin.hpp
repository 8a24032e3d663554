// Pin: to keep a key's entries, this one and later ones, from being evicted. Nothing else looks at pins.
#pragma once

#include <root/locks.hpp>
#include <set>
#include <steps/place.hpp>
#include <string>

namespace larder::steps {

/// Under the bucket's lock, shared, so that no eviction that has not seen it is under way. Errors: `busy`.
[[nodiscard]] Result<> pin(root::Root& root, const Place& place, const root::Caller& caller);
/// Errors: `miss` where it is not pinned.
[[nodiscard]] Result<> unpin(const root::Root& root, const Place& place);
[[nodiscard]] Result<bool> is_pinned(const root::Root& root, const Place& place);

/// The pinned keys of a bucket, encoded.
[[nodiscard]] Result<std::set<std::string>> pins_of(const root::Root& root, const std::string& encoded_bucket);

}  // namespace larder::steps
