// The commands that look, and change nothing.
#include <fmt/format.h>

#include <algorithm>
#include <larder/cache.hpp>

#include "command.hpp"
#include "json.hpp"
#include "open.hpp"
#include "text.hpp"

namespace cachetool {
namespace {

using Cells = std::vector<std::string>;

/// What a listing found under one key: the entry, or why nothing can be told about it.
struct Listed {
    std::string bucket;
    std::string key;
    larder::Result<larder::EntryInfo> info;
};

/// The entries of the buckets in `names`, in order. Keys that vanish meanwhile are left out.
tl::expected<std::vector<Listed>, Failure> list(const larder::Cache& cache, std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    std::vector<Listed> entries;
    for (const auto& name : names) {
        const auto bucket = cache.bucket(name);
        if (!bucket) return fail(bucket.error());
        auto keys = bucket->keys();
        if (!keys && keys.error().code == larder::Errc::miss) continue;
        if (!keys) return fail(keys.error());
        std::sort(keys->begin(), keys->end());
        for (auto& key : *keys) {
            auto info = bucket->info(key);
            if (!info && info.error().code == larder::Errc::miss) continue;
            entries.push_back({name, std::move(key), std::move(info)});
        }
    }
    return entries;
}

tl::expected<std::vector<Listed>, Failure> list_all(const std::optional<larder::Cache>& cache, const Arguments& arguments) {
    if (!cache) return {};
    if (!arguments.words.empty()) return list(*cache, {arguments.words.front()});
    auto names = cache->buckets();
    if (!names) return fail(names.error());
    return list(*cache, std::move(*names));
}

std::string shown_age(const std::optional<larder::WallTime>& time) { return time ? cachetool::shown_age(*time) : "?"; }

/// What `stats` adds up, for a bucket or for all of them.
struct Sum {
    std::string name;
    std::uint64_t entries = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::optional<larder::WallTime> oldest{};
    std::optional<larder::WallTime> newest{};

    void add(const Listed& listed) {
        ++entries;
        if (!listed.info) {
            ++unreadable;
            return;
        }
        bytes += listed.info->bytes;
        files += listed.info->files;
        oldest = std::min(oldest.value_or(listed.info->published), listed.info->published);
        newest = std::max(newest.value_or(listed.info->published), listed.info->published);
    }
    [[nodiscard]] Json json() const {
        const auto time = [](const auto& when) { return when ? Json(iso_time(*when)) : Json(nullptr); };
        return {{"entries", entries}, {"unreadable", unreadable}, {"bytes", bytes},
                {"files", files},     {"oldest", time(oldest)},   {"newest", time(newest)}};
    }
    [[nodiscard]] Cells cells() const {
        return {std::to_string(entries), shown_size(bytes), std::to_string(files), shown_age(oldest), shown_age(newest), name};
    }
};

}  // namespace

Outcome run_ls(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto entries = list_all(*cache, arguments);
    if (!entries) return tl::unexpected(entries.error());

    if (output.json()) {
        Json list = Json::array();
        for (const auto& [bucket, key, info] : *entries) {
            list.push_back(info ? json_of(*info) : Json{{"bucket", bucket}, {"key", key}, {"error", json_of(info.error())}});
        }
        return output.document({{"entries", std::move(list)}});
    }
    const bool one_bucket = !arguments.words.empty();
    Cells headings = {">SIZE", ">FILES", ">AGE", ">USED", "BUCKET", "KEY"};
    if (one_bucket) headings.erase(headings.end() - 2);
    std::vector<Cells> rows;
    for (const auto& [bucket, key, info] : *entries) {
        Cells row = {"?", "?", "?", "?"};
        if (info) {
            row = {shown_size(info->bytes), std::to_string(info->files), cachetool::shown_age(info->published),
                   shown_age(info->last_used)};
        } else {
            output.warn(info.error().message());
        }
        if (!one_bucket) row.push_back(shown(bucket));
        row.push_back(shown(key));
        rows.push_back(std::move(row));
    }
    return output.text(table(std::move(headings), rows));
}

Outcome run_info(const Arguments& arguments, const Output& output) {
    const auto cache = open_for_entry(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto info = cache->bucket(arguments.words[0]).and_then([&](const larder::Bucket& bucket) {
        return bucket.info(arguments.words[1]);
    });
    if (!info) return tl::unexpected(failure_for_key(info.error(), arguments.words[0], arguments.words[1]));
    if (output.json()) return output.document(json_of(*info));
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) { text += fmt::format("{:<11}{}\n", name, value); };
    line("bucket", shown(info->bucket));
    line("key", shown(info->key));
    line("id", info->id);
    line("path", harmless(info->path.string()));
    line("size",
         fmt::format("{} ({} bytes) in {}", shown_size(info->bytes), info->bytes, counted(info->files, "file", "files")));
    line("published", fmt::format("{} ({} ago)", iso_time(info->published), cachetool::shown_age(info->published)));
    line("last used", info->last_used ? fmt::format("{} ago, or a day later", shown_age(info->last_used)) : "?");
    line("survives", info->durability == larder::Durability::power ? "a power cut" : "the death of any process");
    line("boot", harmless(info->boot));
    line("producer", harmless(info->producer));
    return output.text(text);
}

Outcome run_stats(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::read);
    if (!cache) return tl::unexpected(cache.error());
    const auto entries = list_all(*cache, arguments);
    if (!entries) return tl::unexpected(entries.error());

    Sum total{.name = "(all)"};
    std::vector<Sum> buckets;
    for (const auto& listed : *entries) {
        if (buckets.empty() || buckets.back().name != listed.bucket) buckets.push_back({.name = listed.bucket});
        buckets.back().add(listed);
        total.add(listed);
    }
    if (output.json()) {
        Json list = Json::array();
        for (const auto& bucket : buckets) {
            list.push_back({{"bucket", bucket.name}});
            list.back().update(bucket.json());
        }
        return output.document({{"buckets", std::move(list)}, {"total", total.json()}});
    }
    std::vector<Cells> rows;
    for (const auto& bucket : buckets) {
        rows.push_back(bucket.cells());
        rows.back().back() = shown(bucket.name);
    }
    rows.push_back(total.cells());
    return output.text(table({">ENTRIES", ">SIZE", ">FILES", ">OLDEST", ">NEWEST", "BUCKET"}, rows));
}

}  // namespace cachetool
