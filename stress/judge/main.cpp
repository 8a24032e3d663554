// SPDX-License-Identifier: MIT
// stress-judge: judges a history that was kept.
#include <boost/program_options.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "cachetool/cli/program_options.hpp"
#include "stress/history/read.hpp"
#include "stress/history/text.hpp"
#include "stress/judge/judge.hpp"
#include "stress/judge/report.hpp"

namespace larder::stress {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

enum JudgeExit { sound = 0, violated = 1, unusable = 2 };

struct JudgeArguments {
    fs::path history;
    std::optional<fs::path> json;
    JudgeOptions options;
};

po::options_description described_options() {
    po::options_description options("Options");
    auto add = options.add_options();
    const auto seconds = [] { return po::value<double>()->value_name("SECONDS"); };
    add("json", po::value<std::string>()->value_name("FILE"),
        "write the verdict there as well; - is standard output, and takes the place of the text");
    add("hostage-limit", seconds(),
        "how long a get, a refresh or a collect may take while its process runs (5)");
    add("lock-timeout", seconds(),
        "the run's own: how long a put or a remove waited for others (10)");
    add("build-timeout", seconds(), "the run's own: how long a build waited for another's (1800)");
    add("noise", seconds(),
        "how long a process may lose the processor between an instant and writing it down (1)");
    add("unlocked-builds", "builds of this run may do without the lock, and so be done twice");
    add("explain", po::value<std::size_t>()->value_name("N"),
        "explain so many violations of each kind (10), and count the rest");
    add("help", "say this");
    return options;
}

void print_help() {
    std::cout << "usage: stress-judge [OPTIONS] HISTORY\n\n"
                 "Reads what a run wrote down (a directory of history.N, or text in a file), "
                 "decides whether every promise was "
                 "kept, and\n"
                 "shows the few operations that prove that one was not. 0: sound; 1: violations; "
                 "2: wrong usage, or no history "
                 "that can be read.\n\n"
              << described_options();
}

/// Throws po::error.
JudgeArguments arguments_from(const po::variables_map& given) {
    JudgeArguments arguments;
    if (!given.contains("history"))
        throw po::error("which history? Name a directory that a run has filled, or a text file");
    arguments.history = given["history"].as<std::string>();
    if (given.contains("json")) arguments.json = given["json"].as<std::string>();
    auto& options = arguments.options;
    const auto take = [&](const char* name, std::chrono::nanoseconds& to) {
        if (!given.contains(name)) return;
        const double seconds = given[name].as<double>();
        if (!(seconds >= 0 && seconds <= 1e9))
            throw po::error(fmt::format("--{} wants seconds", name));
        to = std::chrono::nanoseconds(std::llround(seconds * 1e9));
    };
    take("hostage-limit", options.hostage_limit);
    take("lock-timeout", options.lock_timeout);
    take("build-timeout", options.build_timeout);
    take("noise", options.noise);
    if (given.contains("unlocked-builds"))
        options.may_build_unlocked = [](const Operation&) { return true; };
    if (given.contains("explain")) options.most_explained = given["explain"].as<std::size_t>();
    return arguments;
}

Result<History> read(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored) ? read_history(path) : read_text(path);
}

/// Whether all of it was written.
bool write(const fs::path& file, const std::string& text) {
    std::FILE* const stream = file == "-" ? stdout : std::fopen(file.c_str(), "we");
    if (stream == nullptr) return false;
    const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
    return (stream == stdout ? std::fflush(stream) : std::fclose(stream)) == 0 && written;
}

int run(const JudgeArguments& arguments) {
    const auto history = read(arguments.history);
    if (!history) {
        std::cerr << "stress-judge: " << history.error().message() << '\n';
        return unusable;
    }
    const auto verdict = judge(*history, arguments.options);
    const auto tell = [](const fs::path& file, const std::string& text) {
        if (write(file, text)) return true;
        std::cerr << "stress-judge: the verdict can't be written to " << file.string() << '\n';
        return false;
    };
    if (arguments.json != "-" && !tell("-", text_of(verdict))) return unusable;
    if (arguments.json && !tell(*arguments.json, json_of(verdict) + '\n')) return unusable;
    return verdict.sound() ? sound : violated;
}

int run(int argc, char** argv) {
    try {
        auto all = described_options();
        all.add_options()("history", po::value<std::string>());
        po::positional_options_description words;
        words.add("history", 1);
        po::variables_map given;
        po::store(po::command_line_parser(argc, argv)
                      .options(all)
                      .positional(words)
                      .style(usage::style)
                      .run(),
                  given);
        if (given.contains("help")) return print_help(), sound;
        return run(arguments_from(given));
    } catch (const po::error& error) {
        std::cerr << "stress-judge: " << usage::message_of(error, {argv + 1, argv + argc})
                  << "; see stress-judge --help\n";
        return unusable;
    }
}

}  // namespace
}  // namespace larder::stress

int main(int argc, char** argv) {
    try {
        return larder::stress::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "stress-judge: " << error.what() << '\n';  // memory that has run out
        return larder::stress::unusable;
    }
}
