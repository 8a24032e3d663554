// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <limits>
#include <thread>

#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"

namespace installer {

namespace {

using larder::options::OptionSpec;
using larder::options::SplitLine;
using larder::options::WrongUsage;

constexpr OptionSpec option_specs[] = {
    {"target,t", "DIR", "install into DIR; it is made if it does not exist; put it on PYTHONPATH"},
    {"cache", "DIR",
     "the cache (default: LARDER_CACHE_DIR, else XDG_CACHE_HOME/larder, else ~/.cache/larder)"},
    {"link-mode", "MODE",
     "how files get from the cache to the target: clone, hardlink, copy, or auto, which takes the "
     "first of these that works (default: auto)"},
    {"jobs,j", "N", "work on N wheels at a time (default: as many as there are processors)"},
    {"max-size", "SIZE",
     "refuse a wheel that unpacks to more bytes; 1K is 1024, and so are M, G and T powers of it "
     "(default: 4G)"},
    {"max-files", "N", "refuse a wheel of more files and directories (default: 200000)"},
    {"python", "COMMAND",
     "the interpreter that scripts begin with (default: /usr/bin/env python3)"},
    {"replace", nullptr, "replace files that are in the way; other files of an older version stay"},
    {"ask", nullptr, "ask before anything is written to the target"},
    {"json", nullptr, "print a summary as one JSON document"},
    {"quiet,q", nullptr, "print errors only"},
    {"help,h", nullptr, "print this"},
};

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
    throw WrongUsage("there is no cache: give --cache DIR, or set LARDER_CACHE_DIR or HOME");
}

larder::LinkMode link_mode_of(const std::string& name) {
    if (name == "auto") return larder::LinkMode::automatic;
    if (name == "clone") return larder::LinkMode::clone;
    if (name == "hardlink") return larder::LinkMode::hardlink;
    if (name == "copy") return larder::LinkMode::copy;
    throw WrongUsage("--link-mode must be auto, clone, hardlink or copy, not '" + name + "'");
}

/// Reads a number of bytes such as "4G", "500M" or "1000". The letters are powers of 1024.
std::uint64_t size_of(const std::string& text) {
    // Without a unit, a user who writes 4 may mean 4 G.
    static constexpr std::string_view letters = "BKMGT";
    const auto power = text.empty() ? std::string_view::npos : letters.find(text.back());
    const auto digits = text.substr(0, text.size() - std::min<std::size_t>(text.size(), 1));
    // Six digits fit with each letter. Eighteen fit with B.
    const bool valid = power != std::string_view::npos && !digits.empty() &&
                       digits.find_first_not_of("0123456789") == std::string::npos &&
                       digits.size() <= (power == 0 ? 18u : 6u);
    if (!valid)
        throw WrongUsage("--max-size must be a number with B, K, M, G or T, such as 4G, not '" +
                         text + "'");
    const auto factor = std::uint64_t{1} << 10 * power;
    return std::stoull(digits) * factor;
}

/// Returns the value of an option that is a number from 1 to `most`, or `fallback` without it.
std::uint64_t count_of(const SplitLine& given, std::string_view option, std::uint64_t fallback,
                       std::uint64_t most) {
    const auto* text = given.value_of(option);
    if (text == nullptr) return fallback;
    const auto number = larder::options::whole_number(*text);
    if (!number || *number == 0 || *number > most)
        throw WrongUsage("--" + std::string(option) + " must be a number from 1 to " +
                         std::to_string(most) + ", not '" + *text + "'");
    return *number;
}

Options options_from(const SplitLine& given) {
    Options options;
    options.install.target = given.value_or("target", "");
    if (options.install.target.empty()) throw WrongUsage("give --target DIR");
    if (given.words.empty()) throw WrongUsage("give at least one wheel");
    options.wheels.assign(given.words.begin(), given.words.end());
    // Arbitrary, because no machine has so many processors.
    constexpr unsigned most_jobs = 10'000;
    options.jobs = static_cast<unsigned>(
        count_of(given, "jobs", std::max(1u, std::thread::hardware_concurrency()), most_jobs));
    options.install.interpreter = given.value_or("python", options.install.interpreter);
    if (options.install.interpreter.find('\n') != std::string::npos)
        throw WrongUsage("--python must be one line");
    const auto cache = given.value_or("cache", "");
    options.cache = cache.empty() ? default_cache() : fs::path(cache);
    options.install.link_mode = link_mode_of(given.value_or("link-mode", "auto"));
    options.install.replace = given.has("replace");
    options.limits.max_bytes = size_of(given.value_or("max-size", "4G"));
    options.limits.max_members = count_of(given, "max-files", options.limits.max_members,
                                          std::numeric_limits<std::uint64_t>::max());
    options.ask = given.has("ask");
    options.json = given.has("json");
    options.quiet = given.has("quiet");
    return options;
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv, int& exit_status) {
    exit_status = 2;
    try {
        const auto given = larder::options::split({argv + 1, argv + argc}, option_specs,
                                                  larder::options::Repeats::refused);
        if (!given) throw WrongUsage(given.error());
        if (given->has("help")) {
            fmt::print(
                "Usage: larder-installer --target DIR [OPTION]... WHEEL...\n"
                "Installs Python wheels. Each is unpacked once, into a cache that all processes "
                "share.\n\n{}",
                larder::options::described("Options", option_specs, 80));
            exit_status = 0;
            return std::nullopt;
        }
        return options_from(*given);
    } catch (const WrongUsage& wrong) {
        fmt::print(stderr, "larder-installer: {} (see --help)\n", wrong.what());
        return std::nullopt;
    }
}

}  // namespace installer
