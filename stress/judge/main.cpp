// SPDX-License-Identifier: MIT
// stress-judge: judges the history of a run that was kept.
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"
#include "stress/history/read.hpp"
#include "stress/history/text.hpp"
#include "stress/judge/judge.hpp"
#include "stress/judge/report.hpp"

namespace larder::stress {
namespace {

namespace fs = std::filesystem;

enum JudgeExit { sound = 0, violated = 1, unusable = 2 };

struct JudgeArguments {
    fs::path history;
    std::optional<fs::path> json;
    JudgeOptions options;
};

constexpr options::OptionSpec option_specs[] = {
    {"json", "FILE",
     "write the verdict to FILE as well; - writes it to standard output instead of the text"},
    {"hostage-limit", "SECONDS",
     "how long a get, a refresh or a collect may take while its process is running (5)"},
    {"lock-timeout", "SECONDS", "how long a put or a remove of the run waited for others (10)"},
    {"build-timeout", "SECONDS", "how long a build of the run waited for another one (1800)"},
    {"noise", "SECONDS",
     "how long a process may lose the processor between an event and the time that it writes "
     "down for it (1)"},
    {"unlocked-builds", nullptr,
     "builds of this run may do without the lock, so two may run at once"},
    {"explain", "N", "explain at most N violations of each kind, and count the rest (10)"},
    {"help", nullptr, "show this help"},
};

void print_help() {
    std::cout << "usage: stress-judge [OPTIONS] HISTORY\n\n"
                 "Reads what a run recorded (a directory of history.N files, or a text file),\n"
                 "decides whether every promise was kept, and shows for each broken one the few\n"
                 "operations that prove it.\n\n"
                 "Exit codes: 0 sound; 1 violations; 2 wrong usage, or no readable history.\n\n"
              << options::described("Options", option_specs, 80);
}

/// Throws options::WrongUsage for wrong usage.
JudgeArguments arguments_from(const options::SplitLine& given) {
    JudgeArguments arguments;
    if (given.words.size() != 1)
        throw options::WrongUsage(
            "which history? Name one directory that a run has written, or a text file");
    arguments.history = given.words.front();
    if (const auto* json = given.value_of("json")) arguments.json = *json;
    const auto take = [&](const char* name, std::chrono::nanoseconds& to) {
        if (!given.has(name)) return;
        const auto seconds = options::decimal_number(*given.value_of(name));
        if (!seconds || *seconds < 0 || *seconds > 1e9)
            throw options::WrongUsage(fmt::format("--{} needs a number of seconds, not '{}'", name,
                                                  *given.value_of(name)));
        to = std::chrono::nanoseconds(std::llround(*seconds * 1e9));
    };
    take("hostage-limit", arguments.options.hostage_limit);
    take("lock-timeout", arguments.options.lock_timeout);
    take("build-timeout", arguments.options.build_timeout);
    take("noise", arguments.options.noise);
    if (given.has("unlocked-builds"))
        arguments.options.may_build_unlocked = [](const Operation&) { return true; };
    if (const auto* text = given.value_of("explain")) {
        const auto number = options::whole_number(*text);
        if (!number) throw options::WrongUsage("--explain needs a number, not '" + *text + "'");
        arguments.options.most_explained = *number;
    }
    return arguments;
}

Result<History> read(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored) ? read_history(path) : read_text(path);
}

/// Returns whether all of it was written.
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
        std::cerr << "stress-judge: can't write the verdict to " << file.string() << '\n';
        return false;
    };
    if (arguments.json != "-" && !tell("-", text_of(verdict))) return unusable;
    if (arguments.json && !tell(*arguments.json, json_of(verdict) + '\n')) return unusable;
    return verdict.sound() ? sound : violated;
}

int run(const std::vector<std::string>& words) {
    try {
        const auto given = options::split(words, option_specs, options::Repeats::refused);
        if (!given) throw options::WrongUsage(given.error());
        if (given->has("help")) return print_help(), sound;
        return run(arguments_from(*given));
    } catch (const options::WrongUsage& wrong) {
        std::cerr << "stress-judge: " << wrong.what() << "; see stress-judge --help\n";
        return unusable;
    }
}

}  // namespace
}  // namespace larder::stress

int main(int argc, char** argv) {
    try {
        return larder::stress::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "stress-judge: " << error.what() << '\n';  // std::bad_alloc, most likely
        return larder::stress::unusable;
    }
}
