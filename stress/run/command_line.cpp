// SPDX-License-Identifier: MIT
#include "stress/run/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "cachetool/cli/program_options.hpp"
#include "os/error.hpp"
#include "stress/scenario/shipped.hpp"

namespace larder::stress {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

tl::unexpected<Error> usage(std::string why) {
    return os::fail(Errc::invalid, "usage", {}, std::move(why));
}

po::options_description options() {
    po::options_description options("Options", 110);
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    const auto number = [](const char* name) { return po::value<unsigned>()->value_name(name); };
    auto add = options.add_options();
    add("scenario", text("NAME|FILE"),
        "what is to happen: a name that --list-scenarios shows, or a file (smoke)");
    add("cache", text("DIR"),
        "the cache, on the file system to be tested: an empty directory or none (a temporary one)");
    add("processes", number("N"), "processes at a time");
    add("threads", number("N"), "threads of each");
    add("seconds", number("S"), "how long");
    add("operations", po::value<std::uint64_t>()->value_name("N"),
        "how many draws of work, in all processes together, instead of --seconds");
    add("seed", po::value<std::uint64_t>()->value_name("X"),
        "repeats the random choices of another run");
    add("faults", text("LIST"),
        "these faults alone, with a measure or without: kill=5,stop; or none");
    add("link-as", text("KIND"), "symlink or file (what the file system can do)");
    add("cachetool", text("PATH"),
        "the command to mix in (the one beside this program; an empty PATH: none)");
    add("json", text("FILE"), "writes a report for programs");
    add("junit", text("FILE"), "writes a report for CI");
    add("keep", "keeps cache and histories of a sound run as well");
    add("quiet", "no progress on stderr");
    add("list-scenarios", "shows scenarios, kinds of work and faults, and ends");
    add("version", "");
    add("help", "");
    return options;
}

Result<Scenario> find_scenario(const std::string& name) {
    for (const auto& shipped : shipped_scenarios()) {
        if (shipped.name == name) return parse_scenario(shipped.text, name);
    }
    std::ifstream stream(name);
    if (!stream)
        return usage(fmt::format(
            "there is no scenario \"{}\", and no such file; see --list-scenarios", name));
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    auto parsed = parse_scenario(text, fs::path(name).stem().string());
    if (!parsed) return usage(fmt::format("{}: {}", name, parsed.error().detail));
    return parsed;
}

Result<> set_number(const po::variables_map& given, const char* name, unsigned limit,
                    unsigned& number) {
    if (!given.contains(name)) return {};
    number = given[name].as<unsigned>();
    if (number == 0 || number > limit)
        return usage(fmt::format("--{} wants a number from 1 to {}", name, limit));
    return {};
}

Result<> set_scenario(const po::variables_map& given, CommandLine& line) {
    const auto name = given.contains("scenario") ? given["scenario"].as<std::string>() : "smoke";
    TRY_ASSIGN(line.scenario, find_scenario(name));
    TRY(set_number(given, "processes", 256, line.scenario.processes));
    TRY(set_number(given, "threads", 64, line.scenario.threads));
    TRY(set_number(given, "seconds", 1'000'000, line.scenario.seconds));
    if (given.contains("operations"))
        line.extent.operations = given["operations"].as<std::uint64_t>();
    if (line.extent.operations == 0) return usage("--operations wants a number above 0");
    if (given.contains("seconds") || !line.extent.operations)
        line.extent.seconds = line.scenario.seconds;
    if (given.contains("faults")) {
        if (const auto chosen = choose_faults(line.scenario, given["faults"].as<std::string>());
            !chosen)
            return usage(chosen.error().detail);
    }
    return {};
}

Result<> set_link_kind(const po::variables_map& given, CommandLine& line) {
    if (!given.contains("link-as")) return {};
    const auto kind = given["link-as"].as<std::string>();
    if (kind != "symlink" && kind != "file")
        return usage(fmt::format("--link-as wants symlink or file, not \"{}\"", kind));
    line.link_kind = kind == "file" ? LinkKind::file : LinkKind::symlink;
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

/// What says what runs; not where reports go, and not the seed, which may have been drawn.
std::string words_of(const po::parsed_options& parsed) {
    std::string words;
    for (const auto& option : parsed.options) {
        const auto& key = option.string_key;
        if (key == "seed" || key == "json" || key == "junit" || key == "keep" || key == "quiet")
            continue;
        words += fmt::format(" --{}", key);
        if (!option.value.empty()) words += " " + quoted(option.value.front());
    }
    return words;
}

Result<CommandLine> read_options(const po::variables_map& given, std::string words) {
    CommandLine line;
    line.words = std::move(words);
    if (given.contains("help")) line.ask = CommandLine::Ask::help;
    if (given.contains("version")) line.ask = CommandLine::Ask::version;
    if (given.contains("list-scenarios")) line.ask = CommandLine::Ask::list_scenarios;
    if (line.ask != CommandLine::Ask::run) return line;
    TRY(set_scenario(given, line));
    TRY(set_link_kind(given, line));
    line.seed = given.contains("seed") ? given["seed"].as<std::uint64_t>()
                                       : std::uint64_t{std::random_device{}()};
    const auto path = [&](const char* name) {
        return given.contains(name) ? std::optional<fs::path>(given[name].as<std::string>())
                                    : std::nullopt;
    };
    line.cache = path("cache");
    if (line.cache && line.cache->empty()) return usage("--cache wants a directory");
    line.cachetool = path("cachetool");
    line.json = path("json").value_or("");
    line.junit = path("junit").value_or("");
    line.keep = given.contains("keep");
    line.quiet = given.contains("quiet");
    return line;
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
    try {
        const auto known = options();
        const po::positional_options_description none;
        const auto parsed = po::command_line_parser(arguments)
                                .options(known)
                                .positional(none)
                                .style(::usage::style)
                                .run();
        po::variables_map given;
        po::store(parsed, given);
        return read_options(given, words_of(parsed));
    } catch (const po::error& error) {
        return usage(::usage::message_of(error, arguments));
    }
}

std::string help_text() {
    std::ostringstream out;
    out << "usage: stress [OPTION...]\n\n"
           "Many processes use one larder cache at once while faults strike; then what they "
           "recorded is judged: was every "
           "promise\n"
           "of the cache kept? Run it on your own file system before you trust that with a cache: "
           "stress --cache "
           "/that/disk/cache\n\n"
        << options()
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
