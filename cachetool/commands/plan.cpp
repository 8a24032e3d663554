// SPDX-License-Identifier: MIT
#include "cachetool/commands/plan.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fmt/format.h>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/output.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace fs = std::filesystem;

constexpr const char* magic = "larder_plan";
constexpr int version = 1;

/// Sets `target` where the option is given.
template <class Target, class Parse>
tl::expected<void, Failure> take(const Arguments& arguments, const char* option, Target& target,
                                 Parse parse) {
    const auto found = arguments.options.find(option);
    if (found == arguments.options.end()) return {};
    auto value = parse(option, found->second);
    if (!value) return tl::unexpected(std::move(value).error());
    target = *value;
    return {};
}

tl::expected<std::uint64_t, Failure> parse_free(const fs::path& root, std::string_view option,
                                                std::string_view text) {
    if (!text.ends_with('%')) return parse_size(option, text);
    const auto percent = parse_percent(option, text, 0);
    if (!percent) return tl::unexpected(percent.error());
    std::error_code error;
    const auto space = fs::space(root, error);
    if (error)
        return fail_system(fmt::format("look at the free space of {}", root.string()),
                           error.value());
    return space.capacity / 100 * *percent;
}

tl::unexpected<Failure> no_plan(const fs::path& path, std::uint64_t line, std::string_view why) {
    return fail_usage(
        fmt::format("{}:{}: {}; make a plan with `cachetool gc --plan FILE` and limits",
                    path.string(), line, why));
}

/// Nothing for anything but a whole eviction.
std::optional<larder::Eviction> eviction_of(const Json& line) {
    const auto text = [&](const char* field) {
        return line.contains(field) && line[field].is_string();
    };
    const auto number = [&](const char* field) {
        return line.contains(field) && line[field].is_number_unsigned();
    };
    if (!text("bucket") || !text("key") || !text("id") || !number("bytes") ||
        !number("last_used_seconds"))
        return std::nullopt;
    larder::Eviction eviction;
    eviction.bucket = line["bucket"];
    eviction.key = line["key"];
    eviction.id = line["id"];
    eviction.bytes = line["bytes"];
    const std::uint64_t seconds = line["last_used_seconds"];
    if (seconds > UINT32_MAX) return std::nullopt;
    eviction.last_used = larder::WallTime(std::chrono::seconds(seconds));
    return eviction;
}

}  // namespace

tl::expected<larder::Limits, Failure> limits_of(const Arguments& arguments, const fs::path& root) {
    larder::Limits limits;
    const auto free_of = [&](std::string_view option, std::string_view text) {
        return parse_free(root, option, text);
    };
    const auto low_water = [](std::string_view option, std::string_view text) {
        return parse_percent(option, text, 1);
    };
    return take(arguments, "max-size", limits.max_size, parse_size)
        .and_then([&] { return take(arguments, "max-age", limits.max_age, parse_duration); })
        .and_then([&] { return take(arguments, "max-entries", limits.max_entries, parse_count); })
        .and_then([&] { return take(arguments, "min-free", limits.min_free, free_of); })
        .and_then([&] { return take(arguments, "low-water", limits.low_water, low_water); })
        .and_then([&]() -> tl::expected<larder::Limits, Failure> {
            limits.keep = arguments.all("keep");
            for (const auto& pattern : limits.keep) {
                if (pattern.find_first_of("/*?[") == std::string::npos) {
                    return fail_usage(
                        fmt::format("--keep {0} fits nothing, since it is compared with "
                                    "BUCKET/KEY: for a whole bucket say '{0}/*'",
                                    shown(pattern)));
                }
            }
            return std::move(limits);
        });
}

tl::expected<PlanWriter, Failure> PlanWriter::create(const fs::path& path, const fs::path& root) {
    const int made =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (made < 0 && errno == EEXIST)
        return fail_usage(
            fmt::format("--plan {}: something stands there; name a new file", path.string()));
    if (made < 0) return fail_system(fmt::format("write the plan {}", path.string()), errno);
    ::close(made);
    PlanWriter writer;
    writer.unfinished_.reset(new Unfinished{path});
    writer.path_ = path;
    writer.file_.open(path, std::ios::binary);
    if (!writer.file_) return fail_system(fmt::format("write the plan {}", path.string()), errno);
    writer.file_ << Output::line_of({{magic, version},
                                     {"cache", root.string()},
                                     {"made", iso_time(std::chrono::system_clock::now())}});
    return writer;
}

PlanWriter::Unfinished::~Unfinished() {
    std::error_code ignored;
    if (!path.empty()) fs::remove(path, ignored);
}

void PlanWriter::add(const larder::Eviction& eviction) {
    ++count_;
    Json line = json_of(eviction);
    line["last_used_seconds"] =
        std::chrono::duration_cast<std::chrono::seconds>(eviction.last_used.time_since_epoch())
            .count();
    file_ << Output::line_of(line);
}

tl::expected<void, Failure> PlanWriter::finish() {
    file_ << Output::line_of({{"evictions", count_}});
    file_.close();
    if (!file_) return fail_system(fmt::format("write the plan {}", path_.string()), errno);
    unfinished_->path.clear();
    return {};
}

tl::expected<std::vector<larder::Eviction>, Failure> read_plan(const fs::path& path,
                                                               const fs::path& root) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail_system(fmt::format("read the plan {}", path.string()), errno);
    std::vector<larder::Eviction> evictions;
    std::string text;
    for (std::uint64_t number = 1; std::getline(file, text); ++number) {
        const Json line = Json::parse(text, nullptr, false);
        if (!line.is_object()) return no_plan(path, number, "not a line of a plan");
        if (number == 1) {
            if (!line.contains(magic) || !line[magic].is_number_integer() || line[magic] != version)
                return no_plan(path, number, "not a plan of this version");
            const std::string cache =
                line.contains("cache") && line["cache"].is_string() ? line["cache"] : "";
            if (cache != root.string())
                return no_plan(path, number,
                               fmt::format("a plan for the cache \"{}\", and this is {}",
                                           shown(cache), root.string()));
        } else if (line.contains("evictions")) {
            if (line["evictions"] != evictions.size())
                return no_plan(
                    path, number,
                    "lines are missing above: a plan is carried out as it was made, or not at all");
            return evictions;
        } else if (auto eviction = eviction_of(line)) {
            evictions.push_back(std::move(*eviction));
        } else {
            return no_plan(path, number, "not a line of a plan");
        }
    }
    return no_plan(path, evictions.size() + 2, "the plan is cut off here");
}

}  // namespace cachetool
