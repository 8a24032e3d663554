// SPDX-License-Identifier: MIT
// The commands pin and unpin.
#include <algorithm>
#include <fmt/core.h>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Pins or unpins the keys of the command line, until one fails.
class KeyPinner {
public:
    KeyPinner(const ParsedArguments& arguments, const CommandOutput& output,
              larder::Durability durability)
        : output_(output),
          name_(arguments.words.front()),
          keys_(arguments.words.begin() + 1, arguments.words.end()),
          pins_(arguments.command->name == "pin"),
          durability_(durability) {}

    CommandResult run(const larder::Cache& cache) {
        LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(name_));
        std::optional<Failure> first_failure;
        for (const auto& key : keys_) {
            const auto changed =
                pins_ ? bucket.pin(key, durability_) : bucket.unpin(key, durability_);
            if (changed) {
                changed_.push_back(key);
                output_.say(fmt::format("{} {} {}{}", pins_ ? "pinned" : "unpinned", named(name_),
                                        named(key), pins_ ? absence_of(cache, bucket, key) : ""));
            } else if (first_failure) {
                output_.warn(failure_of(cache, changed.error(), key)->message);
            } else {
                first_failure = failure_of(cache, changed.error(), key);
            }
        }
        if (first_failure) {
            (*first_failure)->write_done = [pinner = *this](JsonWriter& json) {
                pinner.write_changed(json);
            };
            return fail(std::move(*first_failure));
        }
        if (!output_.json()) return done;
        return output_.document(
            [&](JsonWriter& json) { json.object([&] { write_changed(json); }); });
    }

private:
    void write_changed(JsonWriter& json) const {
        json.field("bucket", name_);
        json.list(pins_ ? "pinned" : "unpinned", changed_);
    }

    [[nodiscard]] Failure failure_of(const larder::Cache& cache, const larder::Error& error,
                                     const std::string& key) const {
        Failure failure(error);
        if (error.code == larder::Errc::miss)
            failure->message = fmt::format("{} {} is not pinned{}", named(name_), named(key),
                                           missing_bucket(cache));
        return failure;
    }

    /// Returns what to add if a key that was pinned has no entry. That is no failure: the entry
    /// may come later.
    [[nodiscard]] std::string absence_of(const larder::Cache& cache, const larder::Bucket& bucket,
                                         const std::string& key) const {
        const auto entry = bucket.info(key);
        if (entry || entry.error().code != larder::Errc::miss) return {};
        return ", for the entry that it may get: it has none yet" + missing_bucket(cache);
    }

    /// Returns "; there is no bucket wheels; did you mean wheels-v1?", or nothing if it is there.
    [[nodiscard]] std::string missing_bucket(const larder::Cache& cache) const {
        const auto buckets = cache.buckets();
        if (!buckets || std::find(buckets->begin(), buckets->end(), name_) != buckets->end())
            return {};
        return "; there is " + no_bucket_sentence(name_, *buckets);
    }

    CommandOutput output_;
    std::string name_;
    std::vector<std::string> keys_;
    std::vector<std::string> changed_;
    bool pins_;
    larder::Durability durability_;
};

}  // namespace

CommandResult run_pin(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto durability, durability_of(arguments, larder::Durability::power));
    LARDER_TRY_ASSIGN(const auto cache, open_or_create(arguments, output));
    return KeyPinner(arguments, output, durability).run(cache);
}

CommandResult run_unpin(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto durability, durability_of(arguments, larder::Durability::power));
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    return KeyPinner(arguments, output, durability).run(cache);
}

}  // namespace cachetool
