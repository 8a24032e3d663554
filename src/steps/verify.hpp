// Verify: to check, while others work, every invariant that can be checked then.
#pragma once

#include <larder/report.hpp>
#include <root/locks.hpp>
#include <steps/held.hpp>

namespace larder::steps {

[[nodiscard]] Result<VerifyReport> verify(const RootRef& root, const VerifyOptions& options, const root::Caller& caller);

}  // namespace larder::steps
