// SPDX-License-Identifier: MIT
#include "stress/run/report.hpp"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "stress/run/progress.hpp"

namespace larder::stress {

namespace {

struct PointCounts {
    std::uint64_t seen = 0, killed = 0, stopped = 0, forked = 0;
};

/// Returns the points by name. Two processes that meet a new point at the same time may each have
/// given it a number.
std::map<std::string, PointCounts> points_of(const SharedBoard& board) {
    std::map<std::string, PointCounts> points;
    for (const auto& point : board.points) {
        if (point.named == 0) continue;
        PointCounts& tally = points[point.text()];
        tally.seen += point.seen;
        tally.killed += point.killed;
        tally.stopped += point.stopped;
        tally.forked += point.forked;
    }
    return points;
}

std::map<std::string, std::uint64_t> faults_of(const SharedBoard& board) {
    std::map<std::string, std::uint64_t> faults;
    const auto& names = fault_names();
    for (std::size_t i = 0; i < names.size(); ++i) faults[names[i].name] = board.faults[i];
    for (const auto& [name, point] : points_of(board)) {
        faults["point-kill"] += point.killed;
        faults["point-stop"] += point.stopped;
        faults["point-fork"] += point.forked;
    }
    std::erase_if(faults, [](const auto& fault) { return fault.second == 0; });
    return faults;
}

std::string repeat_line(const RunReport& report) {
    return fmt::format("stress --seed {}{}", report.line.seed, report.line.words);
}

std::string points_text(const SharedBoard& board) {
    std::string killed, spared;
    for (const auto& [name, point] : points_of(board)) {
        if (point.killed != 0)
            killed += fmt::format("{}{} {}", killed.empty() ? "" : ", ", name, point.killed);
        if (point.killed == 0) spared += fmt::format("{}{}", spared.empty() ? "" : ", ", name);
    }
    std::string text;
    if (!killed.empty()) text += "killed at: " + killed + "\n";
    if (!killed.empty() && !spared.empty())
        text += "met, but no process was killed there: " + spared + "\n";
    return text;
}

double seconds_of(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

std::string xml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return escaped;
}

}  // namespace

std::string report_text(const RunReport& report) {
    const auto& [line, setting, outcomes, board, file_system, links, buckets] = report;
    const auto operations = board.operations();
    std::string text = fmt::format(
        "{}, seed {}: {} operations of {} processes in {:.1f} s ({:.0f}/s), on {}, links as {}, "
        "buckets as {}{}{}\n",
        setting.scenario.name, line.seed, operations, outcomes.processes, outcomes.seconds,
        static_cast<double>(operations) / std::max(outcomes.seconds, 1e-3), file_system, links,
        buckets, setting.without_exchange ? ", without exchange" : "",
        setting.like_windows ? ", like Windows" : "");
    for (std::size_t kind = 0; kind < max_kinds; ++kind) {
        const LatencyHistogram& latency = board.latencies[kind];
        if (operation_name(kind).empty() || latency.count() == 0) continue;
        text += fmt::format("  {:<8} {:>10}   p50 {:>8}   p99 {:>8}   max {:>8}\n",
                            operation_name(kind), latency.count(),
                            duration_text(latency.percentile(0.5)),
                            duration_text(latency.percentile(0.99)), duration_text(latency.max()));
    }
    text += "faults:";
    for (const auto& [name, times] : faults_of(board)) text += fmt::format(" {} {},", name, times);
    text.back() == ',' ? text.pop_back() : void(text += " none");
    text += "\n" + points_text(board);
    const JudgeVerdict& verdict = outcomes.verdict;
    text += fmt::format(
        "judged: {} operations, {} of them unclear; {} keys with {} to {} operations each (median "
        "{}); {} builds; {} evictions; {} waits of at most {:.0f} s\n",
        verdict.operations, verdict.unclear, verdict.registers, verdict.fewest, verdict.most,
        verdict.median, verdict.builds, verdict.evictions, verdict.waits, outcomes.held_up_seconds);
    if (verdict.cuts != 0)
        text += fmt::format(
            "power cuts: {}, and {} reads of keys after them; {} torn entries were misses\n",
            verdict.cuts, verdict.cut_reads, board.torn.load());
    if (board.stalled != 0) {
        text += fmt::format("stalled: {:.1f} s of {:.1f} s, the longest {:.1f} s\n",
                            seconds_of(board.stalled), outcomes.seconds,
                            seconds_of(board.longest_stall));
    }
    for (const auto& what : outcomes.left_out) text += "left out: " + what + "\n";
    for (const auto& check : outcomes.checks) {
        text += fmt::format("{} {}\n", check.found == 0 ? "ok  " : "FAIL", check.name);
        for (const auto& finding : check.findings) text += "     " + finding + "\n";
        if (check.found > check.findings.size())
            text += fmt::format("     and {} more\n", check.found - check.findings.size());
    }
    if (outcomes.interrupted) text += "interrupted: the run was shorter than it should have been\n";
    if (outcomes.violations() == 0) return text + "sound\n";
    return text +
           fmt::format(
               "{} violations. To repeat with seed {}: {}\ncache kept: {}\nhistories kept: {}\n",
               outcomes.violations(), line.seed, repeat_line(report), setting.cache.string(),
               setting.histories.string());
}

std::string report_json(const RunReport& report) {
    const auto& [line, setting, outcomes, board, file_system, links, buckets] = report;
    nlohmann::json document{{"scenario", setting.scenario.name},
                            {"seed", line.seed},
                            {"sound", outcomes.violations() == 0},
                            {"violations", outcomes.violations()},
                            {"seconds", outcomes.seconds},
                            {"processes", outcomes.processes},
                            {"file_system", file_system},
                            {"links", links},
                            {"buckets", buckets},
                            {"without_exchange", setting.without_exchange},
                            {"like_windows", setting.like_windows},
                            {"interrupted", outcomes.interrupted},
                            {"repeat", repeat_line(report)},
                            {"left_out", outcomes.left_out},
                            {"faults", faults_of(board)}};
    document["stalled"] = {{"seconds", seconds_of(board.stalled)},
                           {"longest", seconds_of(board.longest_stall)}};
    if (outcomes.violations() != 0)
        document["kept"] = {{"cache", setting.cache.string()},
                            {"histories", setting.histories.string()}};
    for (std::size_t kind = 0; kind < max_kinds; ++kind) {
        const LatencyHistogram& latency = board.latencies[kind];
        if (operation_name(kind).empty() || latency.count() == 0) continue;
        document["operations"][std::string(operation_name(kind))] = {
            {"count", latency.count()},
            {"p50_ns", latency.percentile(0.5)},
            {"p99_ns", latency.percentile(0.99)},
            {"max_ns", latency.max()}};
    }
    for (const auto& [name, point] : points_of(board)) {
        document["points"][name] = {{"seen", point.seen},
                                    {"killed", point.killed},
                                    {"stopped", point.stopped},
                                    {"forked", point.forked}};
    }
    for (const auto& check : outcomes.checks) {
        document["checks"].push_back(
            {{"name", check.name}, {"violations", check.found}, {"findings", check.findings}});
    }
    const JudgeVerdict& verdict = outcomes.verdict;
    document["judged"] = {{"operations", verdict.operations},
                          {"unclear", verdict.unclear},
                          {"keys", verdict.registers},
                          {"builds", verdict.builds},
                          {"evictions", verdict.evictions},
                          {"waits", verdict.waits},
                          {"cuts", verdict.cuts},
                          {"cut_reads", verdict.cut_reads},
                          {"cut_torn", board.torn.load()}};
    return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string report_junit(const RunReport& report) {
    const auto& outcomes = report.outcomes;
    const auto failures = std::count_if(outcomes.checks.begin(), outcomes.checks.end(),
                                        [](const RunCheck& check) { return check.found != 0; });
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"stress {}\" tests=\"{}\" "
        "failures=\"{}\" "
        "time=\"{:.1f}\">\n"
        "  <properties><property name=\"seed\" value=\"{}\"/><property name=\"repeat\" "
        "value=\"{}\"/></properties>\n",
        xml(report.setting.scenario.name), outcomes.checks.size(), failures, outcomes.seconds,
        report.line.seed, xml(repeat_line(report)));
    for (const auto& check : outcomes.checks) {
        text += fmt::format("  <testcase classname=\"stress.{}\" name=\"{}\"",
                            xml(report.setting.scenario.name), xml(check.name));
        if (check.found == 0) {
            text += "/>\n";
            continue;
        }
        text += fmt::format(">\n    <failure message=\"{} violations\">", check.found);
        for (const auto& finding : check.findings) text += xml(finding) + "\n";
        text += "</failure>\n  </testcase>\n";
    }
    return text + "</testsuite>\n";
}

}  // namespace larder::stress
