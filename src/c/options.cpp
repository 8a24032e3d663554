// SPDX-License-Identifier: MIT
#include "c/options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "base/century.hpp"
#include "c/reports.hpp"

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

/// Returns an error unless a reserved pointer is null. A later version may give it a meaning.
Result<> must_be_empty(const void* reserved) {
    if (reserved != nullptr) return bad("reserved is not NULL: set all that is not used to zero");
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

}  // namespace

// Each callback in C becomes a std::function, which calls it with the data that was given with it.

Result<OpenOptions> options_of(const larder_open_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_open_options, keep_waiting)));
    TRY_ASSIGN(const larder_link_kind link_kind,
               choice("link_kind", known.link_kind, LARDER_LINK_JUNCTION));
    OpenOptions options;
    options.link_kind = link_kind_of(link_kind);
    options.read_only = known.read_only != 0;
    options.allow_network = known.allow_network != 0;
    options.allow_unsafe = known.allow_unsafe != 0;
    options.lock_timeout = limit_of(known.lock_timeout_ms, options.lock_timeout);
    options.build_timeout = limit_of(known.build_timeout_ms, options.build_timeout);
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    if (known.on_wait != nullptr) {
        options.on_wait = [call = known.on_wait, data = known.on_wait_data](
                              const std::string& text) { call(text.c_str(), data); };
    }
    if (known.keep_waiting != nullptr) {
        options.keep_waiting = [call = known.keep_waiting, data = known.keep_waiting_data] {
            return call(data) != 0;
        };
    }
    if (known.on_event != nullptr) {
        options.on_event = [call = known.on_event, data = known.on_event_data](const Event& event) {
            with_view_of(event, [&](const larder_event& seen) { call(&seen, data); });
        };
    }
    if (known.log != nullptr) options.log = known.log;
    options.count = known.count != 0;
    return options;
}

Result<PublishOptions> options_of(const larder_publish_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    TRY(must_be_empty(known.reserved));
    TRY(choice("durability", known.durability, LARDER_SURVIVES_POWER));
    return PublishOptions{.durability = known.durability == LARDER_SURVIVES_POWER
                                            ? Durability::power
                                            : Durability::process,
                          .producer = known.producer != nullptr ? known.producer : ""};
}

Result<RefreshOptions> options_of(const larder_refresh_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    TRY(must_be_empty(known.reserved));
    RefreshOptions options;
    if (known.pattern != nullptr) options.pattern = known.pattern;
    if (known.published_before_ns != 0)
        options.published_before = time_of(known.published_before_ns);
    options.dry_run = known.dry_run != 0;
    if (known.on_taken != nullptr) {
        options.on_taken = [call = known.on_taken, data = known.on_taken_data](
                               const std::string& key) { call(key.c_str(), data); };
    }
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
    if (given.on_evict != nullptr) {
        options.on_evict = [call = given.on_evict,
                            data = given.on_evict_data](const Eviction& evicted) {
            const larder_eviction seen = view_of(evicted);
            call(&seen, data);
        };
    }
    if (given.on_progress != nullptr) {
        options.on_progress = [call = given.on_progress,
                               data = given.on_progress_data](const CollectProgress& progress) {
            const larder_collect_progress seen = view_of(progress);
            call(&seen, data);
        };
    }
}

/// Calls an on_done in C with the result of a collection. The structs that it sees are freed when
/// it has returned.
void call_on_done(decltype(larder_background_options::on_done) on_done, void* data,
                  const Result<CollectReport>& done) {
    larder_collect_report* report = nullptr;
    larder_error* error = nullptr;
    // If there is no memory for the report, on_done gets an error in its place.
    guarded("collect", &error, {}, [&] { return hand_out_struct(&report, done); });
    on_done(report, error, data);
    larder_collect_report_free(report);
    larder_error_free(error);
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
    if (known.reserved != 0) return bad("reserved is not 0: set all that is not used to zero");
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
    if (known.reserved != 0) return bad("reserved is not 0: set all that is not used to zero");
    if (known.evictions == nullptr && known.eviction_count != 0)
        return bad("evictions is NULL, and eviction_count is not 0");
    EvictionPlan plan;
    for (std::size_t i = 0; i < known.eviction_count; ++i) {
        const std::string which = "evictions[" + std::to_string(i) + "]";
        if (known.evictions[i] == nullptr) return bad(which + " is NULL");
        TRY_ASSIGN(const auto planned, known_part(known.evictions[i]));
        if (planned.bucket == nullptr || planned.key == nullptr || planned.id == nullptr)
            return bad(which + " lacks a bucket, a key or an id");
        TRY_ASSIGN(const auto reason, choice("reason", planned.reason, Eviction::Reason::plan));
        plan.evictions.push_back(Eviction{.bucket = planned.bucket,
                                          .key = planned.key,
                                          .id = planned.id,
                                          .bytes = planned.bytes,
                                          .last_used = time_of(planned.last_used_ns),
                                          .reason = reason});
    }
    TRY_ASSIGN(plan.keep, patterns_of(known.keep, known.keep_count));
    return plan;
}

Result<CollectOptions> options_of(const larder_collect_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_collect_options, grace_s)));
    TRY(must_be_empty(known.reserved));
    if (known.reserved_2 != 0) return bad("reserved_2 is not 0: set all that is not used to zero");
    CollectOptions options;
    options.dry_run = known.dry_run != 0;
    options.presume_dead = known.presume_dead != 0;
    convert_shared(known, options);
    return options;
}

Result<BackgroundOptions> options_of(const larder_background_options* given) {
    TRY_ASSIGN(const auto known, known_part(given, offsetof(larder_background_options, grace_s)));
    if (known.reserved != 0) return bad("reserved is not 0: set all that is not used to zero");
    BackgroundOptions options;
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

Result<MaterializeOptions> options_of(const larder_materialize_options* given) {
    TRY_ASSIGN(const auto known, known_part(given));
    TRY_ASSIGN(const auto mode, choice("mode", known.mode, LinkMode::copy));
    MaterializeOptions options{
        .mode = mode, .replace = known.replace != 0, .threads = known.threads};
    if (known.stop != nullptr) options.stop = known.stop->source.get_token();
    return options;
}

}  // namespace larder::c
