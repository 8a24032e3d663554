// Publish: to make a staged tree visible under a key, atomically.
#pragma once

#include <root/locks.hpp>
#include <steps/place.hpp>
#include <steps/stage.hpp>

namespace larder::steps {

/// Whether an entry that the key has already gives way. Where it does not, that is `exists`, decided in the same instant as the publish.
enum class Replace { yes, no };

[[nodiscard]] Result<HeldLease> publish(Stage stage, const Place& place, const PublishOptions& options, const root::Caller& caller,
                                        Replace replace = Replace::yes);

}  // namespace larder::steps
