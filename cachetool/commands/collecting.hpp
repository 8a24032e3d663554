// SPDX-License-Identifier: MIT
// Collecting, as several commands do it: with progress on the terminal, stoppable, and reported in
// the same words.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/failure.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// Collects. A signal stops the collection at the next good moment; then this reports what was
/// done, and ends the process by the signal. If one thing fails, this tells the user what was done
/// in spite of that, calls `on_partial` of the options, and returns the first failure.
[[nodiscard]] larder::Result<larder::CollectReport> collect(const larder::Cache& cache,
                                                            const CommandOutput& output,
                                                            const larder::Limits& limits,
                                                            const larder::CollectOptions& options);
/// Does the same, but evicts what a plan names.
[[nodiscard]] larder::Result<larder::CollectReport> evict(const larder::Cache& cache,
                                                          const CommandOutput& output,
                                                          const larder::EvictionPlan& plan,
                                                          const larder::CollectOptions& options);

/// Returns the value of --grace, or 0 if it is not given.
[[nodiscard]] Expected<std::chrono::seconds> grace_of(const ParsedArguments& arguments);

/// Returns the failure of a collection. Its document tells as `collected` what was done in spite of
/// it; null if nothing was done.
[[nodiscard]] Failure failure_to_collect(const larder::Error& error,
                                         std::optional<larder::CollectReport> partial);

/// Returns one line: "deleted 12 entries (3.4 MiB), ...".
[[nodiscard]] std::string summary(const larder::CollectReport& report, bool dry_run);
/// Returns a line for each thing that should go and stays for now, with the reason.
[[nodiscard]] std::string kept_lines(const larder::CollectReport& report);
/// Tells the user what was deleted and what stays for now.
void say_result(const CommandOutput& output, const larder::CollectReport& report);

}  // namespace cachetool
