// SPDX-License-Identifier: MIT
// Entries, as ls, info, why and stats list them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <larder/cache.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/term/failure.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/output.hpp"
#include "cachetool/term/sorted_rows.hpp"
#include "cachetool/term/table.hpp"

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

/// Calls `visit` for each entry of one bucket, or of all by the names of the buckets. The keys of a
/// bucket come in no order. Keys that vanish meanwhile are left out. A bucket that can't be listed
/// hides no other: the first such error is returned at the end. A lease table that can't be read
/// is a warning.
[[nodiscard]] Expected<> visit_entries(const larder::Cache& cache, const CommandOutput& output,
                                       const std::optional<std::string>& bucket,
                                       const std::function<void(const ListedEntry& listed)>& visit);

/// A list of rows on stdout: as one array of a JSON document, or as a table. It needs little
/// memory, however long it is.
class ListPrinter {
public:
    /// `array` is the name of the array. Prints the first `limit` rows.
    ListPrinter(const CommandOutput& output, const char* array, TextTable table,
                std::uint64_t limit = any_number)
        : output_(output),
          array_(array),
          table_(std::move(table)),
          rows_(std::make_shared<SortedRows>(limit)) {}

    /// Adds a row. `order` is what rows are sorted by: see sorted_rows.hpp. `write` writes the
    /// element of the array, and `cells` returns the cells of the table.
    void add(std::string order, const std::function<void(JsonWriter&)>& write,
             const std::function<std::vector<std::string>()>& cells);
    /// Returns whether no row was added.
    [[nodiscard]] bool is_empty() const noexcept { return is_empty_; }
    /// Prints the rows in their order.
    [[nodiscard]] CommandResult print();
    /// Does the same with the rows that are known in spite of a failure, and returns the failure.
    [[nodiscard]] CommandResult print_in_spite_of(Failure failure);

private:
    const CommandOutput& output_;
    const char* array_;
    TextTable table_;
    std::shared_ptr<SortedRows> rows_;  ///< shared with the writer of a failure's document
    bool is_empty_ = true;
};

/// Returns the entry of one key. A lease table that can't be read is a warning. Errors: `miss`.
[[nodiscard]] Expected<ListedEntry> list_entry(const larder::Cache& cache,
                                               const CommandOutput& output,
                                               const std::string& bucket, const std::string& key);

/// Returns the former entries of one key that can be restored.
[[nodiscard]] larder::Result<std::vector<ListedEntry>> list_trash(const larder::Cache& cache,
                                                                  const std::string& bucket,
                                                                  const std::string& key);

/// Returns when an entry was last used, as exactly as it is known: "at most 2 s ago", or "5 h ago,
/// or up to an hour later". A use within an hour after one that was written down is not written
/// down.
[[nodiscard]] std::string shown_last_use(const std::optional<larder::WallTime>& last_used);

/// Adds, and stays at the largest number if the sum would pass that.
void add_up(std::uint64_t& sum, std::uint64_t more);

/// Sorts names byte by byte.
void sort_names(std::vector<std::string>& names);

/// Returns a process's command. If the process has ended, and another one has its lock in the
/// cache, that is said as well: a process that it started has inherited the lock, or a process that
/// cleans up after it has taken it.
[[nodiscard]] std::string shown_command(const larder::ProcessInfo& process);
/// Returns "4711 (node app.js), 4712 (...)".
[[nodiscard]] std::string shown_processes(const std::vector<larder::ProcessInfo>& processes);

}  // namespace cachetool
