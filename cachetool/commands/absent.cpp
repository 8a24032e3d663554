// SPDX-License-Identifier: MIT
#include "cachetool/commands/absent.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "cachetool/cli/nearest.hpp"
#include "cachetool/system/terminal.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Strings = std::vector<std::string>;

bool is_among(const Strings& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Returns "; did you mean NAME?", or nothing.
std::string meant(std::string_view word, const Strings& names) {
    const auto* name = nearest_or_longer(word, names);
    // A version is not typed by mistake: after a purge of tools-v1 the bucket tools is another one.
    if (name != nullptr && word.size() > name->size() + 1 && word.starts_with(*name))
        name = nullptr;
    return name == nullptr ? std::string() : fmt::format("; did you mean {}?", named(*name));
}

}  // namespace

std::string no_bucket_sentence(std::string_view bucket, const Strings& buckets) {
    auto hint = meant(bucket, buckets);
    if (hint.empty() && !buckets.empty()) hint = "; `cachetool stats` lists the buckets";
    return fmt::format("no bucket {}{}", named(bucket), hint);
}

Failure no_bucket_failure(std::string_view bucket, const Strings& buckets) {
    return Failure(FailureReport{.exit_code = no_entry,
                                 .code = std::string(larder::name_of(larder::Errc::miss)),
                                 .message = no_bucket_sentence(bucket, buckets)});
}

bool is_empty(const larder::Cache& cache) {
    const auto buckets = cache.buckets();
    bool found = !buckets || !buckets->empty();
    if (!found) {
        const auto visited = cache.visit_trash([&](const larder::EntryInfo&) {
            found = true;
            return false;
        });
        found = found || !visited;
    }
    return !found;
}

Expected<> require_bucket(const larder::Cache& cache, const std::string& bucket) {
    LARDER_TRY(cache.bucket(bucket));
    LARDER_TRY_ASSIGN(const auto buckets, cache.buckets());
    if (!is_among(buckets, bucket)) return fail(no_bucket_failure(bucket, buckets));
    return {};
}

Failure failure_for_key(const larder::Cache& cache, const larder::Error& error,
                        const std::string& bucket, const std::string& key) {
    Failure failure(error);
    if (error.code != larder::Errc::miss) return failure;
    const auto buckets = cache.buckets();
    if (buckets && !is_among(*buckets, bucket)) {
        failure->message = is_among(*buckets, key)
                               ? fmt::format(
                                     "no bucket {}, but there is a bucket {}: BUCKET comes "
                                     "before KEY",
                                     named(bucket), named(key))
                               : no_bucket_sentence(bucket, *buckets);
        return failure;
    }
    failure->message = fmt::format("bucket {} has no entry {}", named(bucket), named(key));
    if (!system::is_terminal(system::StandardStream::error)) return failure;
    const auto keys =
        cache.bucket(bucket).and_then([](const larder::Bucket& opened) { return opened.keys(); });
    if (keys) failure->message += meant(key, *keys);
    return failure;
}

Failure failure_for_miss(const larder::Cache& cache, const std::string& bucket,
                         const std::string& key) {
    larder::Error miss;
    miss.code = larder::Errc::miss;
    return failure_for_key(cache, miss, bucket, key);
}

}  // namespace cachetool
