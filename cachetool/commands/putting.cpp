// SPDX-License-Identifier: MIT
#include "cachetool/commands/putting.hpp"

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/system/path_text.hpp"

namespace cachetool {
namespace {

/// Copies, links or moves the source into a new directory of the cache.
larder::Result<> fill(larder::Staging& staging, const std::string& source, const PutWay& way) {
    const auto path = system::path_of(source);
    if (way.move) return staging.move_from(path);
    return way.link_mode ? staging.copy_from(path, *way.link_mode) : staging.copy_from(path);
}

/// Returns what the key names. This is no use of the entry, so its time of use stays.
std::optional<PutResult> present_entry(const larder::Bucket& bucket, const PutJob& job) {
    const auto info = bucket.info(job.key);
    if (!info) return std::nullopt;
    return PutResult{.entry = {.bucket = job.bucket,
                               .key = job.key,
                               .id = info->id,
                               .path = system::text_of(info->path)},
                     .added = false};
}

larder::Result<PutResult> put_into(const larder::Cache& cache, const PutJob& job,
                                   const PutWay& way) {
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(job.bucket));
    PutResult result;
    if (way.only_if_missing) {
        if (auto present = present_entry(bucket, job)) return std::move(*present);
        // As a build, so that one of several processes copies, and the others find its entry.
        result.added = false;
        LARDER_TRY_ASSIGN(const auto lease, bucket.get_or_build(
                                                job.key,
                                                [&](larder::Staging& staging) {
                                                    result.added = true;
                                                    return fill(staging, job.source, way);
                                                },
                                                job.options));
        result.entry = location_of(job.bucket, job.key, lease);
        return result;
    }
    LARDER_TRY_ASSIGN(auto staging, bucket.stage());
    LARDER_TRY(fill(staging, job.source, way));
    LARDER_TRY_ASSIGN(const auto lease, bucket.publish(job.key, std::move(staging), job.options));
    result.entry = location_of(job.bucket, job.key, lease);
    return result;
}

}  // namespace

void write_json(JsonWriter& json, const PutResult& result) {
    json.object([&] {
        write_fields(json, result.entry);
        json.field("added", result.added);
    });
}

Expected<PutTarget> PutTarget::open(const ParsedArguments& arguments, const CommandOutput& output) {
    PutTarget target;
    larder::OpenOptions options;
    if (arguments.has("move")) {
        target.stop_ = std::make_unique<system::StopOnSignal>();
        options.stop = target.stop_->token();
        options.keep_waiting = [stop = target.stop_.get()] {
            stop->poll();
            return true;
        };
    }
    if (arguments.lock_timeout) options.build_timeout = *arguments.lock_timeout;
    LARDER_TRY_ASSIGN(auto cache, open_or_create(arguments, output, std::move(options)));
    target.cache_ = std::move(cache);
    return target;
}

Expected<PutResult> PutTarget::put(const PutJob& job, const PutWay& way,
                                   const CommandOutput& output) const {
    if (stop_) stop_->poll();
    auto result = put_into(*cache_, job, way);
    if (result) return std::move(*result);
    Failure failure = failure_to_put(result.error(), cache_->root(), is_empty(*cache_));
    if (result.error().code == larder::Errc::interrupted && stop_) {
        output.warn(failure->message);
        stop_->end_by_signal();
    }
    return fail(std::move(failure));
}

}  // namespace cachetool
