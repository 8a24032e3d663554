// SPDX-License-Identifier: MIT
// verify: whether all is sound.
#include <unistd.h>

#include <fmt/format.h>

#include <larder/cache.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {

Outcome run_verify(const Arguments& arguments, const Output& output) {
    const auto cache = open_existing(arguments, output, Access::write);
    if (!cache) return tl::unexpected(cache.error());
    const auto report =
        *cache ? (*cache)->verify({.repair = arguments.has("repair")}) : larder::VerifyReport{};
    if (!report) return fail(report.error());

    const int exit_code = report->sound() ? done : damaged;
    output.say(fmt::format(
        "{}: looked at {}, {} live, {} garbage{}", report->sound() ? "sound" : "DAMAGED",
        counted(report->entries, "entry", "entries"), report->live, report->garbage,
        report->sound() || arguments.has("repair")
            ? ""
            : "; `cachetool verify --repair` mends what it can"));
    if (output.json()) return output.document(json_of(*report), exit_code);
    std::string text;
    for (const auto& finding : report->findings) {
        const auto colour = finding.repaired                                 ? Colour::green
                            : finding.kind == larder::Finding::Kind::foreign ? Colour::yellow
                                                                             : Colour::red;
        text += fmt::format("{}{}: {}: {}\n",
                            coloured(larder::name_of(finding.kind), colour, STDOUT_FILENO),
                            finding.repaired ? " (repaired)" : "", harmless(finding.path.string()),
                            harmless(finding.what));
    }
    return output.text(text, exit_code);
}

}  // namespace cachetool
