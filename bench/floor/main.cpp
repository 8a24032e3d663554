// SPDX-License-Identifier: MIT Measures larder beside the system calls that any implementation must
// make. Prints one JSON document, and a table on stderr.

#include <sys/vfs.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cache.hpp"
#include "cachetool/options/number.hpp"
#include "cachetool/options/options.hpp"
#include "rows.hpp"

namespace bench {
namespace {

namespace options = larder::options;
using nlohmann::json;

struct Arguments {
    fs::path directory;
    std::vector<unsigned> processes;
    unsigned rounds = 0;
    std::string rows, trace;
    bool quick = false;
};

constexpr options::OptionSpec option_specs[] = {
    {"dir", "DIR",
     "directory to work in, on the file system to measure (default: the one for temporary files)"},
    {"processes", "N,...", "numbers of processes, measured one after the other (default: 1,2,4,8)"},
    {"rounds", "N",
     "rounds of rows that take microseconds; slower rows have a tenth of that (default: 41)"},
    {"rows", "TEXT", "only rows with TEXT in their name"},
    {"quick", nullptr, "smaller caches, fewer rounds"},
    {"trace", "floor|larder",
     "only make ten calls of one side of the row, so that strace can count them"},
    {"help", nullptr, "print this text"},
};

json summary(const std::vector<double>& values) {
    return {
        {"median", median(values)}, {"p10", quantile(values, 0.1)}, {"p90", quantile(values, 0.9)}};
}

void tell(const std::string& row, unsigned processes, double ratio, double low, double high,
          double goal) {
    std::fprintf(stderr, "%-44s %u  %6.2f  (%.2f to %.2f)  %s %.2f\n", row.c_str(), processes,
                 ratio, low, high, ratio <= goal ? "reaches" : "MISSES", goal);
}

json json_of(const Outcome& outcome) {
    const auto all = ratios(outcome);
    tell(outcome.row, outcome.processes, median(all), quantile(all, 0.1), quantile(all, 0.9),
         outcome.goal);
    return {{"row", outcome.row},
            {"floor", outcome.floor},
            {"goal", outcome.goal},
            {"processes", outcome.processes},
            {"ratio", summary(all)},
            {"floor_microseconds", summary(outcome.bare)},
            {"larder_microseconds", summary(outcome.larder)}};
}

json json_of(const Busy& busy) {
    const auto row = [](const std::vector<double>& nanoseconds) {
        return json{{"p50", quantile(nanoseconds, 0.5)}, {"p99", quantile(nanoseconds, 0.99)}};
    };
    const double ratio = median(busy.get_busy) / median(busy.get_alone);
    tell("get beside puts, refreshes and collections, p50", 1, ratio, ratio, ratio, 1.2);
    return {{"row", "get beside puts, refreshes and collections"},
            {"floor", "get alone"},
            {"goal", 1.2},
            {"ratio_of_p50", ratio},
            {"nanoseconds",
             {{"get_alone", row(busy.get_alone)},
              {"get_busy", row(busy.get_busy)},
              {"links_alone", row(busy.links_alone)},
              {"links_busy", row(busy.links_busy)}}}};
}

std::string file_system(const fs::path& directory) {
    struct statfs status {};
    if (::statfs(directory.c_str(), &status) != 0) return "?";
    switch (static_cast<unsigned long>(status.f_type)) {
        case 0xef53:
            return "ext4";
        case 0x01021994:
            return "tmpfs";
        case 0x58465342:
            return "xfs";
        case 0x9123683e:
            return "btrfs";
        case 0x794c7630:
            return "overlayfs";
        default: {
            std::ostringstream text;
            text << std::hex << "0x" << status.f_type;
            return text.str();
        }
    }
}

json measure_all(const Arguments& arguments) {
    const Sizes sizes = arguments.quick ? Sizes{1'000, 10'000, 10'000, 2'000} : Sizes{};
    json rows = json::array();
    const auto wanted = [&](const std::string& row) {
        return row.find(arguments.rows) != std::string::npos;
    };
    for (const auto& contest : contests(arguments.directory, sizes)) {
        if (!wanted(contest.row)) continue;
        prepare(contest);
        for (const unsigned processes : contest.alone ? std::vector{1u} : arguments.processes) {
            const bool is_long = contest.calls == 1;
            rows.push_back(
                json_of(measure(contest, processes,
                                is_long ? std::max(3u, arguments.rounds / 10) : arguments.rounds)));
        }
        if (!contest.own.empty()) delete_tree(contest.own);
    }
    if (wanted("get beside"))
        rows.push_back(json_of(measure_busy(arguments.directory, arguments.rounds, 2000)));
    if (wanted("memory")) {
        const long growth = memory_growth(arguments.directory, sizes.many_keys);
        std::fprintf(
            stderr,
            "memory to open, get, put and refresh: %ld bytes more with %u keys than with 100\n",
            growth, sizes.many_keys);
        rows.push_back({{"row", "memory to open, get, put and refresh"},
                        {"keys", sizes.many_keys},
                        {"more_bytes_than_with_100", growth}});
        const Choosing choosing = measure_choosing(arguments.directory, sizes.many_keys);
        std::fprintf(
            stderr,
            "memory of a gc with a limit: %.1f bytes for each of %u keys; %.2f s to choose\n",
            static_cast<double>(choosing.bytes) / sizes.many_keys, sizes.many_keys,
            choosing.seconds);
        rows.push_back({{"row", "memory of a gc with a limit"},
                        {"keys", sizes.many_keys},
                        {"bytes_for_each", static_cast<double>(choosing.bytes) / sizes.many_keys},
                        {"seconds", choosing.seconds}});
    }
    return rows;
}

void trace_one(const Arguments& arguments) {
    for (const auto& contest : contests(arguments.directory, {200, 300, 100, 100})) {
        if (contest.row != arguments.rows) continue;
        prepare(contest);
        return trace(arguments.trace == "floor" ? contest.bare : contest.larder, 10);
    }
    give_up("there is no row \"" + arguments.rows + "\"");
}

std::vector<unsigned> numbers_of(const std::string& text) {
    std::vector<unsigned> numbers;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) {
        const auto number = options::whole_number(part);
        if (!number || *number == 0 || *number > 999)
            throw options::WrongUsage("--processes wants numbers, as in 1,2,4, and not '" + text +
                                      "'");
        numbers.push_back(static_cast<unsigned>(*number));
    }
    return numbers;
}

Arguments arguments_from(const options::SplitLine& given) {
    if (!given.words.empty())
        throw options::WrongUsage("there is nothing to do with '" + given.words[0] + "'");
    Arguments arguments;
    arguments.directory = given.value_or("dir", fs::temp_directory_path().string());
    arguments.processes = numbers_of(given.value_or("processes", "1,2,4,8"));
    arguments.quick = given.has("quick");
    const auto rounds = options::whole_number(given.value_or("rounds", "41"));
    if (!rounds || *rounds > 1'000'000) throw options::WrongUsage("--rounds wants a number");
    arguments.rounds = arguments.quick ? 11 : std::max(1u, static_cast<unsigned>(*rounds));
    arguments.rows = given.value_or("rows", "");
    arguments.trace = given.value_or("trace", "");
    return arguments;
}

int run(const std::vector<std::string>& words) {
    Arguments arguments;
    try {
        const auto given = options::split(words, option_specs, options::Repeats::refused);
        if (!given) throw options::WrongUsage(given.error());
        if (given->has("help")) {
            std::cout << "usage: bench_floor [OPTION...]\n\n"
                      << options::described("Options", option_specs, 80);
            return 0;
        }
        arguments = arguments_from(*given);
    } catch (const options::WrongUsage& wrong) {
        std::cerr << "bench_floor: " << wrong.what() << "; see bench_floor --help\n";
        return 2;
    }
    std::string made = (arguments.directory / "larder-bench-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr)
        give_up("can't make a directory in " + arguments.directory.string());
    arguments.directory = made;
    if (!arguments.trace.empty()) {
        trace_one(arguments);
    } else {
        std::cout << json{{"bench", "floor"},
                          {"file_system", file_system(made)},
                          {"rows", measure_all(arguments)}}
                         .dump(1)
                  << '\n';
    }
    delete_tree(made);
    return 0;
}

}  // namespace
}  // namespace bench

int main(int count, char** words) {
    try {
        return bench::run({words + 1, words + count});
    } catch (const std::exception& error) {
        bench::give_up(error.what());
    }
}
