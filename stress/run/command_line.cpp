// SPDX-License-Identifier: MIT
#include "stress/run/command_line.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include <larder/try.hpp>

#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"
#include "stress/scenario/shipped.hpp"
#include "stress/system/error.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> usage(std::string why) {
    return failure(Errc::invalid, "usage", {}, std::move(why));
}

constexpr options::OptionSpec option_specs[] = {
    {"scenario", "NAME|FILE",
     "what to do: a scenario of --list-scenarios, or a file with one (smoke)"},
    {"cache", "DIR",
     "the cache, on the file system to test: an empty directory, or a new one (a temporary one)"},
    {"processes", "N", "processes at a time"},
    {"threads", "N", "threads of each process"},
    {"seconds", "S", "how long the run lasts"},
    {"operations", "N",
     "how many times to draw work, in all processes together, instead of --seconds"},
    {"seed", "X", "repeat the random choices of another run"},
    {"faults", "LIST", "only these faults, with a measure or without: kill=5,stop; or none"},
    {"disk", "TYPE", "the file system of a scenario that mounts a disk: tmpfs, ext4, xfs or btrfs"},
    {"link-as", "KIND", "keep keys as symlink or file (what the file system supports)"},
    {"bucket-as", "KIND", "keep buckets as directory or pointer (what the file system supports)"},
    {"without-exchange", nullptr, "as if the system could neither exchange names nor keep one"},
    {"like-windows", nullptr, "as if this were Windows, where open files hinder others (Linux)"},
    {"cachetool", "PATH",
     "the cachetool to run as well (the one beside this program); empty: none"},
    {"json", "FILE", "write a report for programs"},
    {"junit", "FILE", "write a report for CI"},
    {"keep", nullptr, "keep the cache and the histories of a sound run, too"},
    {"quiet", nullptr, "show no progress on stderr"},
    {"list-scenarios", nullptr, "show all scenarios, kinds of work and faults"},
    {"version", nullptr, "show the version"},
    {"help", nullptr, "show this help"},
};

Result<Scenario> find_scenario(const std::string& name) {
    for (const auto& shipped : shipped_scenarios()) {
        if (shipped.name == name) return parse_scenario(shipped.text, name);
    }
    std::ifstream stream(name);
    if (!stream)
        return usage(
            fmt::format("\"{}\" is neither a scenario nor a file; see --list-scenarios", name));
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    auto parsed = parse_scenario(text, fs::path(name).stem().string());
    if (!parsed) return usage(fmt::format("{}: {}", name, parsed.error().detail));
    return parsed;
}

/// Returns the number that an option says, or nullopt if the option was not given.
Result<std::optional<std::uint64_t>> number_of(const options::SplitLine& given,
                                               std::string_view name) {
    const auto* text = given.value_of(name);
    if (text == nullptr) return std::nullopt;
    const auto number = options::whole_number(*text);
    if (!number) return usage(fmt::format("--{} needs a number, not \"{}\"", name, *text));
    return number;
}

Result<> set_number(const options::SplitLine& given, const char* name, unsigned limit,
                    unsigned& number) {
    LARDER_TRY_ASSIGN(const auto wanted, number_of(given, name));
    if (!wanted) return {};
    if (*wanted == 0 || *wanted > limit)
        return usage(fmt::format("--{} needs a number from 1 to {}", name, limit));
    number = static_cast<unsigned>(*wanted);
    return {};
}

Result<> set_scenario(const options::SplitLine& given, CommandLine& line) {
    LARDER_TRY_ASSIGN(line.scenario, find_scenario(given.value_or("scenario", "smoke")));
    LARDER_TRY(set_number(given, "processes", 256, line.scenario.processes));
    LARDER_TRY(set_number(given, "threads", 64, line.scenario.threads));
    LARDER_TRY(set_number(given, "seconds", 1'000'000, line.scenario.seconds));
    LARDER_TRY_ASSIGN(line.extent.operations, number_of(given, "operations"));
    if (line.extent.operations == 0) return usage("--operations needs a number above 0");
    if (given.has("seconds") || !line.extent.operations)
        line.extent.seconds = line.scenario.seconds;
    if (const auto* disk = given.value_of("disk")) {
        if (line.scenario.disk_mib == 0)
            return usage("--disk needs a scenario that mounts a disk: one with disk-mib");
        if (const auto chosen = set_disk(line.scenario, *disk); !chosen)
            return usage("--disk: " + chosen.error().detail);
    }
    if (const auto* faults = given.value_of("faults")) {
        if (const auto chosen = choose_faults(line.scenario, *faults); !chosen)
            return usage(chosen.error().detail);
    }
    return {};
}

Result<> set_link_kind(const options::SplitLine& given, CommandLine& line) {
    if (!given.has("link-as")) return {};
    const auto kind = given.value_or("link-as", "");
    if (kind != "symlink" && kind != "file" && kind != "junction")
        return usage(fmt::format("--link-as needs symlink, file or junction, not \"{}\"", kind));
    line.link_kind = kind == "file"       ? LinkKind::file
                     : kind == "junction" ? LinkKind::junction
                                          : LinkKind::symlink;
    return {};
}

Result<> set_bucket_kind(const options::SplitLine& given, CommandLine& line) {
    line.without_exchange = given.has("without-exchange");
    line.like_windows = given.has("like-windows");
    if (!given.has("bucket-as")) return {};
    const auto kind = given.value_or("bucket-as", "");
    if (kind != "directory" && kind != "pointer")
        return usage(fmt::format("--bucket-as needs directory or pointer, not \"{}\"", kind));
    line.bucket_kind = kind == "pointer" ? BucketKind::pointer : BucketKind::directory;
    return {};
}

std::string quoted(const std::string& word) {
    const bool plain =
        !word.empty() &&
        word.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,") ==
            std::string::npos;
    if (plain) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

/// Returns the options that say what runs. Left out are those that say where reports go, and the
/// seed, which may have been drawn.
std::string words_of(const options::SplitLine& given) {
    std::string words;
    for (const auto& [key, value] : given.options) {
        if (key == "seed" || key == "json" || key == "junit" || key == "keep" || key == "quiet")
            continue;
        words += fmt::format(" --{}", key);
        const auto spec = std::find_if(std::begin(option_specs), std::end(option_specs),
                                       [&, &name = key](const options::OptionSpec& one) {
                                           return options::long_name(one) == name;
                                       });
        if (spec->argument != nullptr) words += " " + quoted(value);
    }
    return words;
}

Result<CommandLine> read_options(const options::SplitLine& given) {
    CommandLine line;
    line.words = words_of(given);
    if (given.has("help")) line.request = CommandLine::Request::help;
    if (given.has("version")) line.request = CommandLine::Request::version;
    if (given.has("list-scenarios")) line.request = CommandLine::Request::list_scenarios;
    if (line.request != CommandLine::Request::run) return line;
    LARDER_TRY(set_scenario(given, line));
    LARDER_TRY(set_link_kind(given, line));
    LARDER_TRY(set_bucket_kind(given, line));
    LARDER_TRY_ASSIGN(const auto seed, number_of(given, "seed"));
    line.seed = seed ? *seed : std::uint64_t{std::random_device{}()};
    const auto path = [&](const char* name) {
        const auto* text = given.value_of(name);
        return text == nullptr ? std::nullopt : std::optional<fs::path>(*text);
    };
    line.cache = path("cache");
    if (line.cache && line.cache->empty()) return usage("--cache needs a directory");
    line.cachetool = path("cachetool");
    line.json = path("json").value_or("");
    line.junit = path("junit").value_or("");
    line.keep = given.has("keep");
    line.quiet = given.has("quiet");
    return line;
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
    const auto given = options::split(arguments, option_specs, options::Repeats::refused);
    if (!given) return usage(given.error());
    if (!given->words.empty())
        return usage(fmt::format("there is no use for \"{}\": all arguments are options",
                                 given->words.front()));
    return read_options(*given);
}

std::string help_text() {
    std::ostringstream out;
    out << "usage: stress [OPTION...]\n\n"
           "Many processes use one larder cache at once while faults strike. Then a judge "
           "decides,\n"
           "from what they recorded, whether the cache kept every promise. Run it on your own "
           "file\n"
           "system before you trust that with a cache: stress --cache /that/disk/cache\n\n"
        << options::described("Options", option_specs, 100)
        << "\nExit codes: 0 sound, 1 promises were broken, 2 wrong usage, 4 it could not run.\n";
    return out.str();
}

std::string scenarios_text() {
    std::string text = "Scenarios:\n";
    for (const auto& shipped : shipped_scenarios())
        text += fmt::format("  {:<15} {}\n", shipped.name, shipped.about());
    text += "\nWork, by weight:\n";
    for (const auto& named : work_names())
        text += fmt::format("  {:<15} {}\n", named.name, named.about);
    text += "\nFaults:\n";
    for (const auto& named : fault_names())
        text += fmt::format("  {:<15} {}\n", named.name, named.about);
    return text;
}

}  // namespace larder::stress
