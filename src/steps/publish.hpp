// Publish: to make a staged tree visible under a key, atomically.
#pragma once

#include <root/locks.hpp>
#include <steps/place.hpp>
#include <steps/stage.hpp>

namespace larder::steps {

[[nodiscard]] Result<HeldLease> publish(Stage stage, const Place& place, const PublishOptions& options, const root::WaitLimits& limits);

}  // namespace larder::steps
