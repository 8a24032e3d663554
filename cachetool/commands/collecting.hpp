// SPDX-License-Identifier: MIT
// Collecting as several commands do it: with progress on the terminal, stoppable, and told in the same words.
#pragma once

#include <string>

#include <larder/cache.hpp>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Collects. A signal stops this at the next good place; then this process tells what was done and dies
/// of the signal.
[[nodiscard]] larder::Result<larder::CollectReport> collect(const larder::Cache& cache,
                                                            const Output& output,
                                                            const larder::Limits& limits,
                                                            const larder::CollectOptions& options);
/// Does the same, but evicts what a plan names.
[[nodiscard]] larder::Result<larder::CollectReport> evict(const larder::Cache& cache,
                                                          const Output& output,
                                                          const larder::EvictionPlan& plan,
                                                          const larder::CollectOptions& options);

/// "deleted 12 entries (3.4 MiB), …": one sentence.
[[nodiscard]] std::string summary(const larder::CollectReport& report, bool dry_run);
/// What stays although it should go, and for whom: a line each.
[[nodiscard]] std::string kept_lines(const larder::CollectReport& report);
/// Says each line.
void say_lines(const Output& output, std::string_view lines);

}  // namespace cachetool
