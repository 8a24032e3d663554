// SPDX-License-Identifier: MIT
// The command verify: whether the cache is sound.
#include <fmt/core.h>

#include <larder/cache.hpp>

#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
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
        finding.repaired ? " (repaired)" : "", harmless(finding.path.string()),
        harmless(finding.what));
}

}  // namespace

CommandResult run_verify(const ParsedArguments& arguments, const CommandOutput& output) {
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
    std::string text;
    for (const auto& finding : report.findings) text += line_of(finding);
    return output.text(output.advised(text), exit_code);
}

}  // namespace cachetool
