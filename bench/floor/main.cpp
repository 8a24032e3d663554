// SPDX-License-Identifier: MIT Measures larder beside the system calls that any implementation must
// make. Prints one JSON document, and a table on stderr.

#include <sys/vfs.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cache.hpp"
#include "cachetool/cli/program_options.hpp"
#include "rows.hpp"

namespace bench {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

struct Arguments {
    fs::path directory;
    std::vector<unsigned> processes;
    unsigned rounds = 0;
    std::string rows, trace;
    bool quick = false;
};

po::options_description options() {
    po::options_description options("Options");
    auto add = options.add_options();
    add("dir", po::value<std::string>()->value_name("DIR"),
        "directory to work in, on the file system to measure (the one for temporary files)");
    add("processes", po::value<std::string>()->value_name("N,...")->default_value("1,2,4,8"),
        "numbers of processes, measured one after the other");
    add("rounds", po::value<unsigned>()->value_name("N")->default_value(41),
        "rounds of rows that take microseconds; slower rows have a tenth of that");
    add("rows", po::value<std::string>()->value_name("TEXT")->default_value(""),
        "only rows with TEXT in their name");
    add("quick", "smaller caches, fewer rounds");
    add("trace", po::value<std::string>()->value_name("floor|larder"),
        "only make ten calls of one side of the row, so that strace can count them");
    add("help", "");
    return options;
}

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
        if (!contest.own.empty()) fs::remove_all(contest.own);
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
        if (part.empty() || part.size() > 3 ||
            part.find_first_not_of("0123456789") != std::string::npos || std::stoul(part) == 0) {
            throw po::error("--processes wants numbers, as in 1,2,4, and not '" + text + "'");
        }
        numbers.push_back(static_cast<unsigned>(std::stoul(part)));
    }
    return numbers;
}

int run(const std::vector<std::string>& words) {
    Arguments arguments;
    try {
        po::variables_map given;
        po::store(po::command_line_parser(words)
                      .options(options())
                      .positional({})
                      .style(usage::style)
                      .run(),
                  given);
        if (given.contains("help")) {
            std::cout << "usage: bench_floor [OPTION...]\n\n" << options();
            return 0;
        }
        arguments.directory = given.contains("dir") ? given["dir"].as<std::string>()
                                                    : fs::temp_directory_path().string();
        arguments.processes = numbers_of(given["processes"].as<std::string>());
        arguments.quick = given.contains("quick");
        arguments.rounds = arguments.quick ? 11 : std::max(1u, given["rounds"].as<unsigned>());
        arguments.rows = given["rows"].as<std::string>();
        if (given.contains("trace")) arguments.trace = given["trace"].as<std::string>();
    } catch (const po::error& error) {
        std::cerr << "bench_floor: " << usage::message_of(error, words)
                  << "; see bench_floor --help\n";
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
    fs::remove_all(made);
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
