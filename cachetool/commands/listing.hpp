// SPDX-License-Identifier: MIT
// Entries as the commands that look list them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"

namespace cachetool {

/// What a listing found under one key: the entry, or why nothing can be told about it.
struct Listed {
    std::string bucket;
    std::string key;
    larder::Result<larder::EntryInfo> info;
    bool pinned = false;
    std::vector<larder::ProcessInfo> users{};  ///< who leases it now

    [[nodiscard]] Json json() const;
};

/// The entries of one bucket or of all, by bucket and key. Keys that vanish meanwhile are left out.
[[nodiscard]] tl::expected<std::vector<Listed>, Failure> list(
    const larder::Cache& cache, const std::optional<std::string>& bucket);

/// The one entry of a key. Errors: `miss`.
[[nodiscard]] tl::expected<Listed, Failure> list_one(const larder::Cache& cache,
                                                     const std::string& bucket,
                                                     const std::string& key);

/// Who leases which id now.
using Users = std::map<std::string, std::vector<larder::ProcessInfo>>;
[[nodiscard]] larder::Result<Users> users_of(const larder::Cache& cache);

/// A process's command; and that it has ended, where a process that it started holds on to what it had (by the descriptor that it inherited).
[[nodiscard]] std::string shown_command(const larder::ProcessInfo& process);
/// "4711 (node app.js), 4712 (…)"
[[nodiscard]] std::string shown_users(const std::vector<larder::ProcessInfo>& users);

[[nodiscard]] std::string shown_age(const std::optional<larder::WallTime>& time);

}  // namespace cachetool
