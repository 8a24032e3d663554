// SPDX-License-Identifier: MIT
// stress: many processes use one cache while faults strike; then a judge decides whether every
// promise was kept.
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <fstream>

#include "os/like_windows.hpp"
#include "stress/run/report.hpp"
#include "stress/run/run_dirs.hpp"
#include "stress/workload/tool.hpp"

namespace larder::stress {
namespace {

enum StressExit { sound = 0, broken = 1, wrong_usage = 2, could_not_run = 4 };

int complain(StressExit code, const std::string& why) {
    fmt::print(stderr, "stress: {}{}\n", why, code == wrong_usage ? "; see stress --help" : "");
    return code;
}

bool write_file(const std::filesystem::path& path, const std::string& text) {
    if (path.empty()) return true;
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    return !stream.fail();
}

std::string links_of(const std::filesystem::path& cache, const OpenOptions& options) {
    const auto opened = Cache::open(cache, options);
    if (!opened || opened->link_kind() == LinkKind::symlink) return "symlinks";
    return opened->link_kind() == LinkKind::file ? "files" : "junctions";
}

std::string buckets_of(const std::filesystem::path& cache, const OpenOptions& options) {
    const auto opened = Cache::open(cache, options);
    return opened && opened->bucket_kind() == BucketKind::pointer ? "pointers" : "directories";
}

int run_scenario(const CommandLine& line) {
    if (line.like_windows) os::act_like_windows(true);
    std::vector<std::string> left_out;
    auto place = RunDirs::make(line, left_out);
    if (!place)
        return complain(place.error().code == Errc::exists ? wrong_usage : could_not_run,
                        place.error().message());
    const RunSetting setting = place->setting(line);
    const auto board = make_board();
    RunProgress progress(*board, line.quiet);
    auto outcomes = stress::run(setting, line.extent, *board, progress, place->cut_disk());
    if (!outcomes) {
        place->keep();
        return complain(
            could_not_run,
            fmt::format("{}; the seed is {}, and the histories are in {}",
                        outcomes.error().message(), line.seed, setting.histories.string()));
    }
    outcomes->left_out = std::move(left_out);
    const bool is_sound = outcomes->violations() == 0;
    if (!is_sound || line.keep) place->keep();
    const RunReport report{line,
                           setting,
                           *outcomes,
                           *board,
                           type_of(setting.cache),
                           links_of(setting.cache, open_options(setting)),
                           buckets_of(setting.cache, open_options(setting))};
    fmt::print("{}", report_text(report));
    if (is_sound && line.keep)
        fmt::print("cache kept: {}\nhistories kept: {}\n", setting.cache.string(),
                   setting.histories.string());
    const bool written =
        write_file(line.json, report_json(report)) && write_file(line.junit, report_junit(report));
    if (!written) return complain(could_not_run, "can't write a report");
    return is_sound ? sound : broken;
}

int run_arguments(const std::vector<std::string>& arguments) {
    const auto line = parse_command_line(arguments);
    if (!line) return complain(wrong_usage, line.error().detail);
    switch (line->request) {
        case CommandLine::Request::help:
            fmt::print("{}", help_text());
            return sound;
        case CommandLine::Request::version:
            fmt::print("stress {}\n", LARDER_VERSION);
            return sound;
        case CommandLine::Request::list_scenarios:
            fmt::print("{}", scenarios_text());
            return sound;
        case CommandLine::Request::run:
            break;
    }
    return run_scenario(*line);
}

}  // namespace
}  // namespace larder::stress

int main(int argc, char** argv) {
    if (larder::stress::is_helper(argc, argv)) return larder::stress::run_helper(argc, argv);
    try {
        return larder::stress::run_arguments({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "stress: {}\n", error.what());
        return larder::stress::could_not_run;
    }
}
