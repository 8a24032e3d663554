// SPDX-License-Identifier: MIT
// The scenarios that come with `stress`. They are compiled in, so `--scenario smoke` works
// everywhere.
#pragma once

#include <span>
#include <string_view>

namespace larder::stress {

struct ShippedScenario {
    std::string_view name;
    std::string_view text;
    /// Returns its first comment, which says what it is for.
    [[nodiscard]] std::string_view about() const noexcept;
};

[[nodiscard]] std::span<const ShippedScenario> shipped_scenarios() noexcept;

}  // namespace larder::stress
