// SPDX-License-Identifier: MIT
// Entries, as ls, info, why and stats list them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <larder/cache.hpp>

#include "cachetool/term/failure.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {

/// What is known about one key: its entry, or why the entry can't be read.
struct ListedEntry {
    std::string bucket;
    std::string key;
    larder::Result<larder::EntryInfo> info;
    bool pinned = false;
    std::vector<larder::ProcessInfo> users{};  ///< the processes that lease it now
};

void write_json(JsonWriter& json, const ListedEntry& listed);

/// Returns the entries of one bucket or of all, by bucket and key. Keys that vanish meanwhile are
/// left out.
[[nodiscard]] Expected<std::vector<ListedEntry>> list_entries(
    const larder::Cache& cache, const std::optional<std::string>& bucket);

/// Returns the entry of one key. Errors: `miss`.
[[nodiscard]] Expected<ListedEntry> list_entry(const larder::Cache& cache,
                                               const std::string& bucket, const std::string& key);

/// Returns the former entries of one key that can be restored.
[[nodiscard]] larder::Result<std::vector<ListedEntry>> list_trash(const larder::Cache& cache,
                                                                  const std::string& bucket,
                                                                  const std::string& key);

/// Sorts names byte by byte.
void sort_names(std::vector<std::string>& names);

/// Returns a process's command. If the process has ended, and a process that it started has
/// inherited what it held in the cache, that is said as well.
[[nodiscard]] std::string shown_command(const larder::ProcessInfo& process);
/// Returns "4711 (node app.js), 4712 (...)".
[[nodiscard]] std::string shown_processes(const std::vector<larder::ProcessInfo>& processes);

}  // namespace cachetool
