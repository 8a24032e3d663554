// SPDX-License-Identifier: MIT
// Converts the options of the C interface to those of the C++ one, which own copies of all texts.
// What the callbacks are given (their `..._data`) is not copied.
#pragma once

#include <larder/collect.hpp>
#include <larder/materialize.hpp>
#include <larder/options.hpp>

#include "c/handles.hpp"

namespace larder::c {

/// Returns the options that a caller has given; all defaults for null. Errors: `invalid`, with the
/// name of the field, for a value that has no meaning and for a struct without a size.
[[nodiscard]] Result<OpenOptions> options_of(const larder_open_options* given);
[[nodiscard]] Result<CallOptions> options_of(const larder_call_options* given);
[[nodiscard]] Result<PublishOptions> options_of(const larder_publish_options* given);
[[nodiscard]] Result<Durability> durability_of(std::int32_t given);
[[nodiscard]] Result<LinkMode> link_mode_of(std::int32_t given);
[[nodiscard]] Result<RestoreOptions> options_of(const larder_restore_options* given);
[[nodiscard]] Result<RefreshOptions> options_of(const larder_refresh_options* given);
[[nodiscard]] Result<Limits> options_of(const larder_limits* given);
[[nodiscard]] Result<EvictionPlan> options_of(const larder_eviction_plan* given);
[[nodiscard]] Result<CollectOptions> options_of(const larder_collect_options* given);
[[nodiscard]] Result<BackgroundOptions> options_of(const larder_background_options* given);
[[nodiscard]] Result<VerifyOptions> options_of(const larder_verify_options* given);
[[nodiscard]] Result<ContentOptions> options_of(const larder_content_options* given);
[[nodiscard]] Result<DedupeOptions> options_of(const larder_dedupe_options* given);
[[nodiscard]] Result<MaterializeOptions> options_of(const larder_materialize_options* given);

}  // namespace larder::c
