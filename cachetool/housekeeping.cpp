// The commands that tidy the cache as a whole.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <larder/cache.hpp>

#include "colour.hpp"
#include "command.hpp"
#include "json.hpp"
#include "open.hpp"
#include "text.hpp"

namespace cachetool {
namespace {

using OptionalCache = std::optional<larder::Cache>;

/// One line for each retired entry that stays, and for whom: what people ask next.
std::string shown_leased(const larder::CollectReport& report) {
    std::string lines;
    for (const auto& lease : report.leased) {
        lines += fmt::format("in use: {} {} by process {} ({})\n", shown(lease.bucket), shown(lease.key), lease.process.pid,
                             harmless(lease.process.command));
    }
    for (const auto& path : report.unknown) lines += fmt::format("left alone: {}\n", harmless(path.string()));
    return lines;
}

std::string summary(const larder::CollectReport& report, bool dry_run) {
    return fmt::format("{} {} ({}){}", dry_run ? "would delete" : "deleted", counted(report.entries, "entry", "entries"),
                       shown_size(report.bytes),
                       report.leased.empty() ? "" : fmt::format("; {} in use, kept for now", report.leased.size()));
}

void say_lines(const Output& output, std::string_view lines) {
    for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1)) {
        output.say(lines.substr(0, end));
    }
}

/// The names that are to be refreshed: those given, or all that there are.
tl::expected<std::vector<std::string>, Failure> chosen_buckets(const larder::Cache& cache, const Arguments& arguments,
                                                               const Output& output) {
    auto existing = cache.buckets().map_error(failure_of);
    if (!existing) return existing;
    std::sort(existing->begin(), existing->end());
    if (arguments.has("all")) return existing;
    for (const auto& name : arguments.words) {
        // Every name is checked before any is refreshed: nothing happens when one of them is nonsense.
        if (const auto bucket = cache.bucket(name); !bucket) return fail(bucket.error());
        if (!std::binary_search(existing->begin(), existing->end(), name)) {
            output.say(fmt::format("bucket {}: nothing was there", shown(name)));
        }
    }
    return arguments.words;
}

}  // namespace

Outcome run_refresh(const Arguments& arguments, const Output& output) {
    if (arguments.words.empty() != arguments.has("all")) return fail_usage("refresh wants either BUCKET... or --all");
    Json document = {{"refreshed", Json::array()}, {"collected", nullptr}, {"collector_busy", false}};
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    if (!*cache) return output.json() ? output.document(document) : done;
    const auto names = chosen_buckets(**cache, arguments, output);
    if (!names) return tl::unexpected(names.error());

    std::optional<Failure> first_failure;
    for (const auto& name : *names) {
        const auto bucket = (*cache)->bucket(name);
        const auto refreshed = bucket ? bucket->refresh() : tl::unexpected(bucket.error());
        if (refreshed) {
            document["refreshed"].push_back(name);
            output.say(fmt::format("refreshed {}: nobody gets what was there any more", shown(name)));
        } else if (first_failure) {
            output.warn(refreshed.error().message());
        } else {
            first_failure = failure_of(refreshed.error());
        }
    }

    if (!arguments.has("keep-garbage")) {
        const auto report = (*cache)->collect();
        if (report) {
            document["collected"] = json_of(*report);
            output.say(summary(*report, false));
            say_lines(output, shown_leased(*report));
        } else if (report.error().code == larder::Errc::busy) {
            document["collector_busy"] = true;
            output.say("another collection is at work: it deletes the files, or the next `cachetool gc` does");
        } else if (!first_failure) {
            first_failure = failure_of(report.error());
        }
    }
    if (first_failure) {
        first_failure->also = std::move(document);
        return tl::unexpected(std::move(*first_failure));
    }
    return output.json() ? output.document(document) : done;
}

Outcome run_gc(const Arguments& arguments, const Output& output) {
    const bool dry_run = arguments.has("dry-run");
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto report = *cache ? (*cache)->collect({.dry_run = dry_run}) : larder::CollectReport{};
    if (!report) return fail(report.error());
    if (output.json()) {
        Json document = {{"dry_run", dry_run}};
        document.update(json_of(*report));
        return output.document(document);
    }
    // A dry run was asked for its report: that is data. What a real one did is talk.
    if (dry_run) return output.text(summary(*report, true) + "\n" + shown_leased(*report));
    output.say(summary(*report, false));
    say_lines(output, shown_leased(*report));
    return done;
}

Outcome run_verify(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto report = *cache ? (*cache)->verify({.repair = arguments.has("repair")}) : larder::VerifyReport{};
    if (!report) return fail(report.error());

    const int exit_code = report->sound() ? done : damaged;
    output.say(fmt::format("{}: looked at {}, {} live, {} garbage", report->sound() ? "sound" : "DAMAGED",
                           counted(report->entries, "entry", "entries"), report->live, report->garbage));
    if (output.json()) return output.document(json_of(*report), exit_code);
    std::string text;
    for (const auto& finding : report->findings) {
        const auto colour = finding.repaired                                 ? Colour::green
                            : finding.kind == larder::Finding::Kind::foreign ? Colour::yellow
                                                                             : Colour::red;
        text += fmt::format("{}{}: {}: {}\n", coloured(larder::name_of(finding.kind), colour, STDOUT_FILENO),
                            finding.repaired ? " (repaired)" : "", harmless(finding.path.string()), harmless(finding.what));
    }
    return output.text(text, exit_code);
}

}  // namespace cachetool
