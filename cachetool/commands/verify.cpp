// SPDX-License-Identifier: MIT
// The command verify: whether the cache is sound.
#include <algorithm>
#include <fmt/core.h>

#include <larder/cache.hpp>
#include <larder/content.hpp>

#include "cachetool/cli/quantity.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

TextColour colour_of(const larder::Finding& finding) {
    if (finding.repaired) return TextColour::green;
    return finding.kind == larder::Finding::Kind::foreign ? TextColour::yellow : TextColour::red;
}

std::string line_of(const larder::Finding& finding) {
    return fmt::format(
        "{}{}: {}: {}\n",
        coloured(larder::name_of(finding.kind), colour_of(finding), system::StandardStream::output),
        finding.repaired ? " (repaired)" : "", harmless(system::text_of(finding.path)),
        harmless(finding.what));
}

/// Returns the lines of all findings.
std::string lines_of(const std::vector<larder::Finding>& findings) {
    std::string text;
    for (const auto& finding : findings) text += line_of(finding);
    return text;
}

/// Returns a sentence that tells how much was checked.
std::string summary_of(const larder::ContentReport& report, bool repair) {
    std::string text =
        fmt::format("{}: {} checked, {} of {} read", report.sound() ? "sound" : "DAMAGED",
                    counted(report.entries, "entry", "entries"),
                    counted(report.files, "file", "files"), shown_size(report.bytes));
    if (report.without_digests > 0) {
        text += fmt::format("; {} without digests, checked by names, modes, sizes and times",
                            counted(report.without_digests, "entry", "entries"));
    }
    if (report.unchecked > 0)
        text += fmt::format("; {} left, the next call begins there", report.unchecked);
    const auto is_unreadable = [](const larder::Finding& finding) {
        return finding.kind == larder::Finding::Kind::unreadable;
    };
    const auto& findings = report.findings;
    if (std::any_of(findings.begin(), findings.end(), is_unreadable))
        text += "; `cachetool verify --repair` gives its owner the right to read an entry";
    if (!report.sound() && !repair && !std::all_of(findings.begin(), findings.end(), is_unreadable))
        text += "; `cachetool verify --content --repair` takes out the keys of changed entries";
    return text;
}

/// Reads the files of entries, and compares them with their digests.
CommandResult verify_content(const ParsedArguments& arguments, const CommandOutput& output) {
    larder::ContentOptions options{.digests = {&larder::sha256()},
                                   .buckets = arguments.words,
                                   .repair = arguments.has("repair")};
    if (const auto* const text = arguments.value_of("budget")) {
        LARDER_TRY_ASSIGN(options.budget, parse_duration("budget", *text));
    }
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    larder::ContentReport report;
    if (cache) {
        for (const auto& bucket : arguments.words) LARDER_TRY(require_bucket(*cache, bucket));
        LARDER_TRY_ASSIGN(report, cache->verify_content(options));
    }
    output.say(cache ? summary_of(report, options.repair) : "nothing was checked");
    const int exit_code = report.sound() ? done : damaged;
    if (output.json())
        return output.document([&](JsonWriter& json) { write_json(json, report); }, exit_code);
    return output.text(output.advised(lines_of(report.findings)), exit_code);
}

}  // namespace

CommandResult run_verify(const ParsedArguments& arguments, const CommandOutput& output) {
    if (arguments.has("content")) return verify_content(arguments, output);
    if (!arguments.words.empty() || arguments.value_of("budget") != nullptr)
        return fail_usage("only --content takes buckets and --budget: add --content");
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    const bool repair = arguments.has("repair");
    larder::VerifyReport report;
    if (cache) {
        LARDER_TRY_ASSIGN(report, cache->verify({.repair = repair}));
    }
    const bool sound = report.sound();
    // A mistyped path must not look like a cache that was checked.
    if (!cache) output.say("nothing was checked");
    if (cache)
        output.say(fmt::format(
            "{}: {} checked, {} live, {} garbage{}", sound ? "sound" : "DAMAGED",
            counted(report.entries, "entry", "entries"), report.live, report.garbage,
            sound || repair ? "" : "; `cachetool verify --repair` repairs what can be repaired"));
    const int exit_code = sound ? done : damaged;
    if (output.json())
        return output.document([&](JsonWriter& json) { write_json(json, report); }, exit_code);
    return output.text(output.advised(lines_of(report.findings)), exit_code);
}

}  // namespace cachetool
