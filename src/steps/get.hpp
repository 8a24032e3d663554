// Get: to lease the entry that a key names. No lock, no write to the disk.
#pragma once

#include <steps/held.hpp>
#include <steps/place.hpp>

namespace larder::steps {

[[nodiscard]] Result<HeldLease> get(const RootRef& root, const Place& place, const root::Caller& caller);

}  // namespace larder::steps
