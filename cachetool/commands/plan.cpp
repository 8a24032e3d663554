// SPDX-License-Identifier: MIT
#include "cachetool/commands/plan.hpp"

#include <fmt/core.h>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/system/clock.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace fs = std::filesystem;

constexpr const char* magic = "larder_plan";
constexpr std::uint64_t version = 1;

/// Sets `target` if the option is given.
template <class Target, class Parse>
Expected<> take(const ParsedArguments& arguments, const char* option, Target& target,
                const Parse& parse) {
    if (const auto* text = arguments.value_of(option)) {
        LARDER_TRY_ASSIGN(target, parse(option, *text));
    }
    return {};
}

Expected<std::uint64_t> parse_free(const fs::path& root, std::string_view option,
                                   std::string_view text) {
    if (!text.ends_with('%')) {
        auto size = parse_size(option, text);
        if (!size) size.error()->message += "; a percentage of the disk ends with %";
        return size;
    }
    LARDER_TRY_ASSIGN(const unsigned percent, parse_percent(option, text, 0));
    std::error_code error;
    const auto space =
        system::retried(error, [&](std::error_code& each) { return fs::space(root, each); });
    if (error)
        return fail(
            system_failure(fmt::format("read the free space of {}", system::text_of(root)), error));
    return space.capacity / 100 * percent;
}

/// A pattern without a slash or a wildcard matches no BUCKET/KEY.
Expected<> check_keep(const std::vector<std::string>& patterns) {
    for (const auto& pattern : patterns) {
        if (pattern.find_first_of("/*?[") == std::string::npos)
            return fail_usage(
                fmt::format("--keep {0} matches nothing, because it is compared with "
                            "BUCKET/KEY: for a whole bucket say '{0}/*'",
                            shown(pattern)));
    }
    return {};
}

Failure file_failure(const char* what, const fs::path& path) {
    return system_failure(fmt::format("{} the plan {}", what, system::text_of(path)),
                          system::stream_error());
}

/// Returns the eviction that a line describes, or nullopt if the line describes none.
std::optional<larder::Eviction> eviction_of(const FlatObject& line) {
    for (const char* const name : {"bucket", "key", "id"}) {
        if (!line.texts.contains(name)) return std::nullopt;
    }
    for (const char* const name : {"bytes", "last_used_seconds"}) {
        if (!line.numbers.contains(name)) return std::nullopt;
    }
    const auto seconds = line.numbers.at("last_used_seconds");
    if (seconds > UINT32_MAX) return std::nullopt;
    larder::Eviction eviction;
    eviction.bucket = line.texts.at("bucket");
    eviction.key = line.texts.at("key");
    eviction.id = line.texts.at("id");
    eviction.bytes = line.numbers.at("bytes");
    eviction.last_used = larder::WallTime(std::chrono::seconds(seconds));
    return eviction;
}

/// Reads a plan line by line.
class PlanReader {
public:
    PlanReader(const fs::path& path, const fs::path& root) : path_(path), root_(root) {}

    Expected<std::vector<larder::Eviction>> read() {
        std::error_code error;
        if (system::retried(error,
                            [&](std::error_code& each) { return fs::is_directory(path_, each); }))
            return fail_usage(fmt::format("--apply {}: this is a directory, and no plan",
                                          system::text_of(path_)));
        std::ifstream file(path_, std::ios::binary);
        if (!file) return fail(file_failure("read", path_));
        LARDER_TRY_ASSIGN(const auto first, next(file));
        LARDER_TRY(check_first(first));
        std::vector<larder::Eviction> evictions;
        for (;;) {
            LARDER_TRY_ASSIGN(const auto line, next(file));
            if (const auto last = line.numbers.find("evictions"); last != line.numbers.end()) {
                if (last->second == evictions.size()) return evictions;
                return refuse("lines are missing above; a plan is carried out as a whole");
            }
            auto eviction = eviction_of(line);
            if (!eviction) return refuse("this is no line of a plan");
            evictions.push_back(std::move(*eviction));
        }
    }

private:
    [[nodiscard]] tl::unexpected<Failure> refuse(std::string_view why) const {
        return fail_usage(fmt::format("{}:{}: {}; make a plan with gc --plan FILE and limits",
                                      system::text_of(path_), number_, why));
    }

    Expected<FlatObject> next(std::istream& file) {
        ++number_;
        std::string text;
        if (!std::getline(file, text)) return refuse("the plan is cut off here");
        auto line = read_object(text);
        if (!line) return refuse("this is no line of a plan");
        return std::move(*line);
    }

    [[nodiscard]] Expected<> check_first(const FlatObject& line) const {
        const auto found = line.numbers.find(magic);
        if (found == line.numbers.end() || found->second != version)
            return refuse("this is no plan of this version");
        const auto cache = line.texts.find("cache");
        const std::string made_for = cache == line.texts.end() ? "" : cache->second;
        if (made_for != system::text_of(root_))
            return refuse(fmt::format("the plan is for the cache \"{}\", and this is {}",
                                      shown(made_for), system::text_of(root_)));
        return {};
    }

    const fs::path& path_;
    const fs::path& root_;
    std::uint64_t number_ = 0;  ///< of the line
};

}  // namespace

Expected<larder::Limits> limits_of(const ParsedArguments& arguments, const fs::path& root) {
    larder::Limits limits;
    const auto free_of = [&](std::string_view option, std::string_view text) {
        return parse_free(root, option, text);
    };
    const auto low_water = [](std::string_view option, std::string_view text) {
        return parse_percent(option, text, 1);
    };
    LARDER_TRY(take(arguments, "max-size", limits.max_size, parse_size));
    LARDER_TRY(take(arguments, "max-age", limits.max_age, parse_duration));
    LARDER_TRY(take(arguments, "max-entries", limits.max_entries, parse_count));
    LARDER_TRY(take(arguments, "min-free", limits.min_free, free_of));
    LARDER_TRY(take(arguments, "low-water", limits.low_water, low_water));
    if (arguments.has("low-water") && !limits.max_size && !limits.max_entries && !limits.min_free)
        return fail_usage(
            "--low-water goes with --max-size, --max-entries or --min-free: it says how much of "
            "an exceeded limit stays");
    limits.keep = arguments.values_of("keep");
    LARDER_TRY(check_keep(limits.keep));
    return limits;
}

Expected<PlanWriter> PlanWriter::create(const fs::path& path, const fs::path& root) {
    const auto error = system::create_new_file(path);
    if (error == std::errc::file_exists)
        return fail_usage(
            fmt::format("--plan {}: the name is taken; name a new file", system::text_of(path)));
    if (error)
        return fail(system_failure(fmt::format("write the plan {}", system::text_of(path)), error));
    PlanWriter writer;
    writer.unfinished_.reset(new UnfinishedPlan{path});
    writer.path_ = path;
    writer.file_.open(path, std::ios::binary);
    if (!writer.file_) return fail(file_failure("write", path));
    writer.file_ << json_line([&](JsonWriter& json) {
        json.object([&] {
            json.field(magic, version);
            json.field("cache", system::text_of(root));
            json.field("made", iso_time(system::wall_time()));
        });
    });
    return writer;
}

PlanWriter::UnfinishedPlan::~UnfinishedPlan() {
    std::error_code ignored;
    if (path.empty()) return;
    (void)system::retried(ignored, [&](std::error_code& each) { return fs::remove(path, each); });
}

void PlanWriter::add(const larder::Eviction& eviction) {
    ++count_;
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(eviction.last_used.time_since_epoch());
    file_ << json_line([&](JsonWriter& json) {
        json.object([&] {
            write_fields(json, eviction);
            json.field("last_used_seconds", seconds.count());
        });
    });
}

Expected<> PlanWriter::finish() {
    file_ << json_line(
        [&](JsonWriter& json) { json.object([&] { json.field("evictions", count_); }); });
    file_.close();
    if (!file_) return fail(file_failure("write", path_));
    unfinished_->path.clear();
    return {};
}

Expected<std::vector<larder::Eviction>> read_plan(const fs::path& path, const fs::path& root) {
    return PlanReader(path, root).read();
}

}  // namespace cachetool
