// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "cachetool/cli/program_options.hpp"

namespace installer {

namespace {

namespace po = boost::program_options;

/// Returns the default cache, which is that of cachetool, too.
fs::path default_cache() {
    const auto set = [](const char* name) -> const char* {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0' ? value : nullptr;
    };
    if (const char* cache = set("LARDER_CACHE_DIR")) return cache;
    // The specification of XDG_CACHE_HOME says that a relative path must be ignored.
    if (const char* home = set("XDG_CACHE_HOME"); home != nullptr && fs::path(home).is_absolute())
        return fs::path(home) / "larder";
    if (const char* home = set("HOME")) return fs::path(home) / ".cache" / "larder";
    throw po::error("there is no cache: give --cache DIR, or set LARDER_CACHE_DIR or HOME");
}

larder::LinkMode link_mode_of(const std::string& name) {
    if (name == "auto") return larder::LinkMode::automatic;
    if (name == "clone") return larder::LinkMode::clone;
    if (name == "hardlink") return larder::LinkMode::hardlink;
    if (name == "copy") return larder::LinkMode::copy;
    throw po::error("--link-mode must be auto, clone, hardlink or copy, not '" + name + "'");
}

/// Reads a number of bytes such as "4G", "500M" or "1000". The letters are powers of 1024.
std::uint64_t size_of(const std::string& text) {
    static constexpr std::string_view letters = "KMGT";
    std::uint64_t factor = 1;
    std::string digits = text;
    if (const auto power = digits.empty() ? std::string_view::npos : letters.find(digits.back());
        power != std::string_view::npos) {
        digits.pop_back();
        factor = std::uint64_t{1} << 10 * (power + 1);
    }
    // Six digits fit with each letter. Eighteen fit without one.
    const bool valid = !digits.empty() &&
                       digits.find_first_not_of("0123456789") == std::string::npos &&
                       digits.size() <= (factor == 1 ? 18u : 6u);
    if (!valid)
        throw po::error("--max-size must be a number, or one with K, M, G or T, not '" + text +
                        "'");
    return std::stoull(digits) * factor;
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv, int& exit_status) {
    Options options;
    options.jobs = std::max(1u, std::thread::hardware_concurrency());
    std::string cache, target, link_mode, max_size;
    std::vector<std::string> wheels;

    po::options_description shown("Options");
    auto add = shown.add_options();
    add("target,t", po::value(&target)->value_name("DIR"),
        "install into DIR; it is made if it does not exist; put it on PYTHONPATH");
    add("cache", po::value(&cache)->value_name("DIR"),
        "the cache (default: LARDER_CACHE_DIR, else XDG_CACHE_HOME/larder, else ~/.cache/larder)");
    add("link-mode", po::value(&link_mode)->value_name("MODE")->default_value("auto"),
        "how files get from the cache to the target: clone, hardlink, copy, or auto, which takes "
        "the first of these that works");
    add("jobs,j", po::value(&options.jobs)->value_name("N")->default_value(options.jobs),
        "work on N wheels at a time");
    add("max-size", po::value(&max_size)->value_name("SIZE")->default_value("4G"),
        "refuse a wheel that unpacks to more bytes; 1K is 1024, and so are M, G and T powers of "
        "it");
    add("max-files",
        po::value(&options.limits.max_members)
            ->value_name("N")
            ->default_value(options.limits.max_members),
        "refuse a wheel of more files and directories");
    add("python",
        po::value(&options.install.interpreter)
            ->value_name("COMMAND")
            ->default_value(options.install.interpreter),
        "the interpreter that scripts begin with");
    add("replace", po::bool_switch(&options.install.replace),
        "replace files that are in the way; other files of an older version stay");
    add("ask", po::bool_switch(&options.ask), "ask before anything is written to the target");
    add("json", po::bool_switch(&options.json), "print a summary as one JSON document");
    add("quiet,q", po::bool_switch(&options.quiet), "print errors only");
    add("help,h", "print this");

    po::options_description hidden;
    hidden.add_options()("wheel", po::value(&wheels));
    po::options_description all;
    all.add(shown).add(hidden);
    po::positional_options_description positional;
    positional.add("wheel", -1);

    exit_status = 2;
    try {
        po::variables_map values;
        po::store(po::command_line_parser(argc, argv)
                      .options(all)
                      .positional(positional)
                      .style(usage::style)
                      .run(),
                  values);
        if (values.count("help") != 0) {
            std::ostringstream text;
            text << shown;
            fmt::print(
                "Usage: larder-installer --target DIR [OPTION]... WHEEL...\n"
                "Installs Python wheels. Each is unpacked once, into a cache that all processes "
                "share.\n\n{}",
                text.str());
            exit_status = 0;
            return std::nullopt;
        }
        po::notify(values);
        if (target.empty()) throw po::error("give --target DIR");
        if (wheels.empty()) throw po::error("give at least one wheel");
        if (options.jobs == 0) throw po::error("--jobs must be at least 1");
        if (options.install.interpreter.find('\n') != std::string::npos)
            throw po::error("--python must be one line");
        options.cache = cache.empty() ? default_cache() : fs::path(cache);
        options.install.target = target;
        options.install.link_mode = link_mode_of(link_mode);
        options.limits.max_bytes = size_of(max_size);
        options.wheels.assign(wheels.begin(), wheels.end());
    } catch (const po::error& wrong) {
        fmt::print(stderr, "larder-installer: {} (see --help)\n",
                   usage::message_of(wrong, {argv + 1, argv + argc}));
        return std::nullopt;
    }
    return options;
}

}  // namespace installer
