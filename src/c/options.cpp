// SPDX-License-Identifier: MIT
#include "c/options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <larder/digest.hpp>

#include "base/century.hpp"
#include "c/reports.hpp"
#include "os/path_text.hpp"

namespace larder::c {

namespace {

constexpr const char* step = "read options";

/// Returns the error for an option that has no meaning.
tl::unexpected<Error> bad(std::string detail) {
    return fail(Errc::invalid, step, {}, std::move(detail));
}

/// Returns the part of a struct that this library knows; all defaults for null. `first_size` is the
/// size that the struct had in the first version of the library.
///   - A smaller size was never set, or was set by mistake. Errors: `invalid`.
///   - A struct that is shorter than ours is from a program that was built for an older version.
///     The fields that it lacks get their defaults.
///   - A longer one is from a program that was built for a newer version. Errors: `invalid` if it
///     sets a field that is unknown here, because the program relies on that field.
template <class Options>
Result<Options> known_part(const Options* given, std::size_t first_size = sizeof(Options)) {
    static_assert(std::has_unique_object_representations_v<Options>,
                  "a hole could not be told from a field that is added there later");
    Options options{};  // Zero is the default of every field.
    if (given == nullptr) return options;
    const std::size_t size = given->size;
    if (size < first_size)
        return bad("size is " + std::to_string(size) + ": set it to sizeof of the struct");
    const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof(Options); i < size; ++i) {
        if (bytes[i] != 0)
            return bad(
                "it asks for something that only a newer larder knows; this is " LARDER_VERSION);
    }
    std::memcpy(&options, given, std::min(size, sizeof(Options)));
    return options;
}

/// Returns an error unless a reserved field is zero. A later version may give it a meaning, and
/// must be able to rely on it that no program has set it.
Result<> must_be_empty(const void* reserved) {
    if (reserved != nullptr) return bad("reserved is not NULL: set all that is not used to zero");
    return {};
}
Result<> must_be_empty(const char* field, std::int32_t reserved) {
    if (reserved != 0)
        return bad(std::string(field) + " is not 0: set all that is not used to zero");
    return {};
}

/// Returns the value of an enum whose last one is `last`. Errors: `invalid`, with the name of the
/// field, for any other number.
template <class Enum>
Result<Enum> choice(const char* field, std::int32_t value, Enum last) {
    if (value < 0 || value > static_cast<std::int32_t>(last))
        return bad(std::string(field) + " can't be " + std::to_string(value));
    return static_cast<Enum>(value);
}

/// Returns the time that a wait or a collection may last; `usual` for 0, which means the default.
/// Less than 0 means no time at all. More than a century is cut to a century, so that its sum with
/// the present time does not overflow.
std::chrono::milliseconds limit_of(std::int64_t milliseconds, std::chrono::milliseconds usual) {
    if (milliseconds == 0) return usual;
    return std::clamp<std::chrono::milliseconds>(std::chrono::milliseconds(milliseconds),
                                                 std::chrono::milliseconds(0), base::century);
}

/// Returns the kind of links for a new cache. Returns nullopt if a probe is to decide.
std::optional<LinkKind> link_kind_of(larder_link_kind kind) {
    switch (kind) {
        case LARDER_LINK_PROBED:
            return std::nullopt;
        case LARDER_LINK_SYMLINK:
            return LinkKind::symlink;
        case LARDER_LINK_FILE:
            return LinkKind::file;
        case LARDER_LINK_JUNCTION:
            return LinkKind::junction;
    }
    return std::nullopt;
}

/// Does the same for the kind of buckets.
std::optional<BucketKind> bucket_kind_of(larder_bucket_kind kind) {
    switch (kind) {
        case LARDER_BUCKET_PROBED:
            return std::nullopt;
        case LARDER_BUCKET_DIRECTORY:
            return BucketKind::directory;
        case LARDER_BUCKET_POINTER:
            return BucketKind::pointer;
    }
    return std::nullopt;
}

// Each of the following returns a function that calls the callback `call` of C, with the `data`
// that was given with it. If `call` is null, there is no callback, and the function is empty. What
// the callback is given is valid until it returns.

std::function<void(const std::string&)> text_callback(void (*call)(const char*, void*),
                                                      void* data) {
    if (call == nullptr) return {};
    return [call, data](const std::string& text) { call(text.c_str(), data); };
}

template <class Value, class View>
std::function<void(const Value&)> view_callback(void (*call)(const View*, void*), void* data) {
    if (call == nullptr) return {};
    return [call, data](const Value& value) {
        const View view = view_of(value);
        call(&view, data);
    };
}

std::function<void(const Event&)> event_callback(void (*call)(const larder_event*, void*),
                                                 void* data) {
    if (call == nullptr) return {};
    return [call, data](const Event& event) {
        with_view_of(event, [&](const larder_event& view) { call(&view, data); });
    };
}

std::function<bool()> bool_callback(std::int32_t (*call)(void*), void* data) {
    if (call == nullptr) return {};
    return [call, data] { return call(data) != 0; };
}

std::function<bool(const Wait&)> wait_callback(int32_t (*call)(const larder_wait*, void*),
                                               void* data) {
    if (call == nullptr) return {};
    return [call, data](const Wait& wait) {
        const std::string what(wait.what), holders(wait.holders);
        const larder_wait view{.size = sizeof view,
                               .reserved = 0,
                               .what = what.c_str(),
                               .holders = holders.c_str(),
                               .took_ns = std::chrono::nanoseconds(wait.took).count()};
        return call(&view, data) != 0;
    };
}

/// Converts a time, of which 0 stands for none.
std::optional<WallTime> time_if_given(std::int64_t nanoseconds) {
    if (nanoseconds == 0) return std::nullopt;
    return time_of(nanoseconds);
}

/// Returns a copy of an array of algorithms. Errors: `invalid` for a null in it.
Result<std::vector<const DigestAlgorithm*>> algorithms_of(const larder_digest* const* digests,
                                                          std::size_t count) {
    std::vector<const DigestAlgorithm*> algorithms;
    for (std::size_t i = 0; i < count; ++i) {
        const larder_digest* const each = digests != nullptr ? digests[i] : nullptr;
        if (each == nullptr) return bad("digests has a NULL before digest_count");
        // C has only what larder_sha256 has cast in the other direction.
        algorithms.push_back(reinterpret_cast<const DigestAlgorithm*>(each));
    }
    return algorithms;
}

}  // namespace

Result<OpenOptions> options_of(const larder_open_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_open_options, keep_waiting)));
    TRY_ASSIGN(const larder_link_kind link_kind,
               choice("link_kind", known.link_kind, LARDER_LINK_JUNCTION));
    TRY_ASSIGN(const larder_bucket_kind bucket_kind,
               choice("bucket_kind", known.bucket_kind, LARDER_BUCKET_POINTER));
    TRY(must_be_empty("reserved", known.reserved));
    OpenOptions options;
    options.link_kind = link_kind_of(link_kind);
    options.bucket_kind = bucket_kind_of(bucket_kind);
    options.read_only = known.read_only != 0;
    options.allow_network = known.allow_network != 0;
    options.allow_unsafe = known.allow_unsafe != 0;
    options.lock_timeout = limit_of(known.lock_timeout_ms, options.lock_timeout);
    options.build_timeout = limit_of(known.build_timeout_ms, options.build_timeout);
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    options.on_wait = text_callback(known.on_wait, known.on_wait_data);
    options.keep_waiting = bool_callback(known.keep_waiting, known.keep_waiting_data);
    options.on_event = event_callback(known.on_event, known.on_event_data);
    if (known.log != nullptr) options.log = os::path_of(known.log);
    options.count = known.count != 0;
    TRY_ASSIGN(options.digests, algorithms_of(known.digests, known.digest_count));
    return options;
}

Result<Durability> durability_of(std::int32_t given) {
    TRY(choice("durability", given, LARDER_SURVIVES_POWER));
    return given == LARDER_SURVIVES_POWER ? Durability::power : Durability::process;
}

Result<CallOptions> options_of(const larder_call_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    if (known.reserved != 0) return bad("reserved is not 0: set all that is not used to zero");
    CallOptions options;
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    options.on_wait = wait_callback(known.on_wait, known.on_wait_data);
    return options;
}

Result<PublishOptions> options_of(const larder_publish_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_publish_options, digest)));
    TRY(must_be_empty(known.reserved));
    TRY_ASSIGN(const auto durability, durability_of(known.durability));
    return PublishOptions{.durability = durability,
                          .producer = known.producer != nullptr ? known.producer : "",
                          .metadata = known.metadata != nullptr
                                          ? std::string(known.metadata, known.metadata_size)
                                          : std::string(),
                          // C has only what larder_sha256 has cast in the other direction.
                          .digest = reinterpret_cast<const DigestAlgorithm*>(known.digest),
                          .published = time_if_given(known.published_ns),
                          .last_used = time_if_given(known.last_used_ns)};
}

Result<RestoreOptions> options_of(const larder_restore_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    if (known.reserved != 0) return bad("reserved is not 0: set all that is not used to zero");
    TRY_ASSIGN(const auto durability, durability_of(known.durability));
    return RestoreOptions{.replace = known.replace != 0, .durability = durability};
}

Result<RefreshOptions> options_of(const larder_refresh_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_refresh_options, durability)));
    TRY(must_be_empty(known.reserved));
    if (known.reserved_2 != 0) return bad("reserved_2 is not 0: set all that is not used to zero");
    RefreshOptions options;
    TRY_ASSIGN(options.durability, durability_of(known.durability));
    if (known.pattern != nullptr) options.pattern = known.pattern;
    if (known.published_before_ns != 0)
        options.published_before = time_of(known.published_before_ns);
    if (known.older_than_s < 0) return bad("older_than_s is negative");
    if (known.older_than_s != 0) options.older_than = std::chrono::seconds(known.older_than_s);
    options.dry_run = known.dry_run != 0;
    options.on_taken = text_callback(known.on_taken, known.on_taken_data);
    return options;
}

namespace {

/// Returns a copy of an array of patterns. Errors: `invalid` for a null in it.
Result<std::vector<std::string>> patterns_of(const char* const* keep, std::size_t count) {
    if (keep == nullptr && count != 0) return bad("keep is NULL, and keep_count is not 0");
    std::vector<std::string> patterns;
    for (std::size_t i = 0; i < count; ++i) {
        if (keep[i] == nullptr) return bad("keep[" + std::to_string(i) + "] is NULL");
        patterns.emplace_back(keep[i]);
    }
    return patterns;
}

/// Converts the options that larder_collect_options and larder_background_options share.
template <class Options, class Given>
void convert_shared(const Given& given, Options& options) {
    options.threads = given.threads;
    options.count_freed = given.count_freed != 0;
    options.grace =
        std::clamp(std::chrono::seconds(given.grace_s), std::chrono::seconds(0), base::century);
    if (given.stop != nullptr) options.stop = given.stop->source.get_token();
    options.on_evict = view_callback<Eviction>(given.on_evict, given.on_evict_data);
    options.on_progress = view_callback<CollectProgress>(given.on_progress, given.on_progress_data);
}

/// Calls an on_done in C with the result of a collection. The structs that it sees are freed when
/// it has returned.
void call_on_done(decltype(larder_background_options::on_done) on_done, void* data,
                  const Result<CollectReport>& done) {
    larder_collect_report* report = nullptr;
    larder_error* error = nullptr;
    // If there is no memory for the report, on_done gets an error in its place.
    guarded("collect", &error, {}, [&] { return hand_out_struct(&report, done); });
    // on_done may throw, if it is written in C++.
    const Freed<larder_collect_report> owned_report(report, larder_collect_report_free);
    const Freed<larder_error> owned_error(error, larder_error_free);
    on_done(report, error, data);
}

/// Converts one eviction of a plan. `which` names it in errors. Errors: `invalid` if the pointer,
/// or a text that is needed, is null, and for a reason that has no meaning.
Result<Eviction> eviction_of(const larder_eviction* given, const std::string& which) {
    if (given == nullptr) return bad(which + " is NULL");
    TRY_ASSIGN(const auto known, known_part(given));
    if (known.bucket == nullptr || known.key == nullptr || known.id == nullptr)
        return bad(which + " lacks a bucket, a key or an id");
    TRY_ASSIGN(const auto reason, choice("reason", known.reason, Eviction::Reason::plan));
    return Eviction{.bucket = known.bucket,
                    .key = known.key,
                    .id = known.id,
                    .bytes = known.bytes,
                    .last_used = time_of(known.last_used_ns),
                    .reason = reason};
}

/// A limit as C gives it: a field, and the bit of larder_limits.set that says whether it is set.
struct GivenLimit {
    const char* field;
    bool has_value;  ///< the field is not 0
    unsigned bit;
    const char* bit_name;
};

/// Returns true if the limit is set. Errors: `invalid` if it has a value but not its bit. Without
/// this error the limit would be ignored, and the cache would grow.
Result<bool> is_set(std::uint32_t set, const GivenLimit& limit) {
    if ((set & limit.bit) != 0) return true;
    if (limit.has_value)
        return bad(std::string(limit.field) + " is given, but set has no " + limit.bit_name);
    return false;
}

}  // namespace

Result<Limits> options_of(const larder_limits* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    TRY(must_be_empty("reserved", known.reserved));
    constexpr unsigned known_bits =
        LARDER_LIMIT_SIZE | LARDER_LIMIT_AGE | LARDER_LIMIT_ENTRIES | LARDER_LIMIT_FREE_SPACE;
    if ((known.set & ~known_bits) != 0)
        return bad("set has a bit that only a newer larder knows; this is " LARDER_VERSION);
    TRY_ASSIGN(const bool has_size, is_set(known.set, {"max_size", known.max_size != 0,
                                                       LARDER_LIMIT_SIZE, "LARDER_LIMIT_SIZE"}));
    TRY_ASSIGN(const bool has_age, is_set(known.set, {"max_age_s", known.max_age_s != 0,
                                                      LARDER_LIMIT_AGE, "LARDER_LIMIT_AGE"}));
    TRY_ASSIGN(const bool has_entries,
               is_set(known.set, {"max_entries", known.max_entries != 0, LARDER_LIMIT_ENTRIES,
                                  "LARDER_LIMIT_ENTRIES"}));
    TRY_ASSIGN(const bool has_min_free,
               is_set(known.set, {"min_free", known.min_free != 0, LARDER_LIMIT_FREE_SPACE,
                                  "LARDER_LIMIT_FREE_SPACE"}));
    if (known.max_age_s < 0) return bad("max_age_s is negative");

    Limits limits;
    if (has_size) limits.max_size = known.max_size;
    if (has_age) limits.max_age = std::min(std::chrono::seconds(known.max_age_s), base::century);
    if (has_entries) limits.max_entries = known.max_entries;
    if (has_min_free) limits.min_free = known.min_free;
    if (known.low_water != 0) limits.low_water = known.low_water;
    TRY_ASSIGN(limits.keep, patterns_of(known.keep, known.keep_count));
    return limits;
}

Result<EvictionPlan> options_of(const larder_eviction_plan* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    TRY(must_be_empty("reserved", known.reserved));
    if (known.evictions == nullptr && known.eviction_count != 0)
        return bad("evictions is NULL, and eviction_count is not 0");
    EvictionPlan plan;
    for (std::size_t i = 0; i < known.eviction_count; ++i) {
        TRY_ASSIGN(auto eviction,
                   eviction_of(known.evictions[i], "evictions[" + std::to_string(i) + "]"));
        plan.evictions.push_back(std::move(eviction));
    }
    TRY_ASSIGN(plan.keep, patterns_of(known.keep, known.keep_count));
    return plan;
}

Result<CollectOptions> options_of(const larder_collect_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_collect_options, grace_s)));
    TRY(must_be_empty(known.reserved));
    CollectOptions options;
    options.settle = known.settle != 0;
    options.dry_run = known.dry_run != 0;
    options.presume_dead = known.presume_dead != 0;
    convert_shared(known, options);
    return options;
}

Result<BackgroundOptions> options_of(const larder_background_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_background_options, grace_s)));
    BackgroundOptions options;
    options.settle = known.no_settle == 0;
    convert_shared(known, options);
    if (known.every_s != 0)  // 0 means the default.
        options.every =
            std::clamp(std::chrono::seconds(known.every_s), std::chrono::seconds(0), base::century);
    options.at_most = limit_of(known.at_most_ms, options.at_most);
    if (known.on_done != nullptr) {
        options.on_done = [call = known.on_done,
                           data = known.on_done_data](const Result<CollectReport>& done) {
            call_on_done(call, data, done);
        };
    }
    return options;
}

Result<VerifyOptions> options_of(const larder_verify_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    return VerifyOptions{.repair = known.repair != 0};
}

Result<ContentOptions> options_of(const larder_content_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    ContentOptions options;
    options.repair = known.repair != 0;
    if (known.budget_ms != 0) options.budget = limit_of(known.budget_ms, {});
    TRY_ASSIGN(options.digests, algorithms_of(known.digests, known.digest_count));
    for (std::size_t i = 0; i < known.bucket_count; ++i) {
        const char* const each = known.buckets != nullptr ? known.buckets[i] : nullptr;
        if (each == nullptr) return bad("buckets has a NULL before bucket_count");
        options.buckets.emplace_back(each);
    }
    return options;
}

Result<DedupeOptions> options_of(const larder_dedupe_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    DedupeOptions options;
    if (known.budget_ms != 0) options.budget = limit_of(known.budget_ms, {});
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    return options;
}

Result<LinkMode> link_mode_of(std::int32_t given) { return choice("mode", given, LinkMode::copy); }

Result<MaterializeOptions> options_of(const larder_materialize_options* given) {
    TRY_ASSIGN(const auto known,
               known_part(given, offsetof(larder_materialize_options, digest_count)));
    TRY_ASSIGN(const auto mode, link_mode_of(known.mode));
    MaterializeOptions options{
        .mode = mode, .replace = known.replace != 0, .threads = known.threads};
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    TRY_ASSIGN(options.digests, algorithms_of(known.digests, known.digest_count));
    return options;
}

}  // namespace larder::c
