// SPDX-License-Identifier: MIT
#include "cachetool/commands/listing.hpp"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Nothing where the key has vanished.
tl::expected<std::optional<Listed>, Failure> look_at(const larder::Bucket& bucket, std::string key,
                                                     const Users& users) {
    auto info = bucket.info(key);
    if (!info && info.error().code == larder::Errc::miss) return std::nullopt;
    const auto pinned = bucket.is_pinned(key);
    if (!pinned) return fail(pinned.error());
    Listed listed{bucket.name(), std::move(key), std::move(info), *pinned};
    if (listed.info) {
        if (const auto found = users.find(listed.info->id); found != users.end())
            listed.users = found->second;
    }
    return listed;
}

}  // namespace

Json Listed::json() const {
    if (!info) return {{"bucket", bucket}, {"key", key}, {"error", json_of(info.error())}};
    Json document = json_of(*info);
    document["pinned"] = pinned;
    document["leased_by"] = json_of_all(users);
    return document;
}

larder::Result<Users> users_of(const larder::Cache& cache) {
    const auto status = cache.status();
    if (!status) return tl::unexpected(status.error());
    Users users;
    for (const auto& lease : status->leases) {
        auto& of_id = users[lease.id];
        const bool known = std::any_of(of_id.begin(), of_id.end(), [&](const auto& user) {
            return user.participant == lease.process.participant;
        });
        if (!known) of_id.push_back(lease.process);
    }
    return users;
}

tl::expected<std::vector<Listed>, Failure> list(const larder::Cache& cache,
                                                const std::optional<std::string>& wanted) {
    auto names = wanted ? larder::Result<std::vector<std::string>>({*wanted}) : cache.buckets();
    if (!names) return fail(names.error());
    const auto users = users_of(cache);
    if (!users) return fail(users.error());
    std::sort(names->begin(), names->end());
    std::vector<Listed> entries;
    for (const auto& name : *names) {
        const auto bucket = cache.bucket(name);
        if (!bucket) return fail(bucket.error());
        auto keys = bucket->keys();
        if (!keys && keys.error().code == larder::Errc::miss) continue;
        if (!keys) return fail(keys.error());
        std::sort(keys->begin(), keys->end());
        for (auto& key : *keys) {
            auto listed = look_at(*bucket, std::move(key), *users);
            if (!listed) return tl::unexpected(listed.error());
            if (*listed) entries.push_back(std::move(**listed));
        }
    }
    return entries;
}

tl::expected<Listed, Failure> list_one(const larder::Cache& cache, const std::string& name,
                                       const std::string& key) {
    const auto bucket = cache.bucket(name);
    if (!bucket) return fail(bucket.error());
    const auto users = users_of(cache);
    if (!users) return fail(users.error());
    auto listed = look_at(*bucket, key, *users);
    if (!listed) return tl::unexpected(listed.error());
    if (!*listed)
        return tl::unexpected(failure_for_key(
            larder::Error{larder::Errc::miss, 0, "no such entry", {}, {}}, name, key));
    if (!(*listed)->info)
        return tl::unexpected(failure_for_key((*listed)->info.error(), name, key));
    return std::move(**listed);
}

std::string shown_command(const larder::ProcessInfo& process) {
    const bool outlived = process.alive && process.here &&
                          ::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH;
    return harmless(process.command) +
           (outlived ? ", which has ended: a process that it started goes on" : "");
}

std::string shown_users(const std::vector<larder::ProcessInfo>& users) {
    std::string text;
    for (const auto& user : users)
        text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", user.pid, shown_command(user));
    return text;
}

std::string shown_age(const std::optional<larder::WallTime>& time) {
    return time ? shown_age(*time) : "?";
}

}  // namespace cachetool
