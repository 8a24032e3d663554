// SPDX-License-Identifier: MIT
// The command `doctor`: does larder work on this file system, and how?
#include "cachetool/doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <fmt/format.h>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/prose.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/doctor/scratch.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using doctor::Probe;
using doctor::Probes;
using doctor::Verdict;

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::limited:
            return "limited";
        case Verdict::broken:
            break;
    }
    return "broken";
}

Colour colour_of(Verdict verdict) {
    return verdict == Verdict::ok        ? Colour::green
           : verdict == Verdict::limited ? Colour::yellow
                                         : Colour::red;
}

bool works(const Probes& probes) {
    return std::none_of(probes.begin(), probes.end(),
                        [](const Probe& probe) { return probe.verdict == Verdict::broken; });
}

tl::expected<std::filesystem::path, Failure> root_to_probe(const Arguments& arguments) {
    auto choice = arguments;
    if (!arguments.words.empty()) {
        if (arguments.words.front().empty())
            return fail_usage("doctor wants a directory that has a name");
        choice.cache = arguments.words.front();
    }
    return cache_root(choice);
}

/// In the order in which one rests on the other: what comes last is the sum of it.
void probe(const std::filesystem::path& place, const Output& output, Probes& probes) {
    auto scratch = doctor::Scratch::make_in(place);
    if (!scratch) {
        probes.push_back(
            {"permission", Verdict::broken, scratch.error().message,
             "name a directory where you may write; a cache that is there can be read"});
        return;
    }
    const auto directory = scratch->path();
    output.say(fmt::format("probing in {}", directory.string()));
    for (const auto step : {doctor::probe_names, doctor::probe_files, doctor::probe_processes,
                            doctor::probe_larder}) {
        if (!doctor::Scratch::is_interrupted()) step(directory, probes);
    }
    if (const auto error = scratch->remove()) {
        output.warn(fmt::format("{} could not be removed ({}): please delete it",
                                directory.string(), error.message()));
    }
}

Json json_of(const doctor::FileSystem& file_system) {
    const bool counts = file_system.inodes_total != 0;
    return {{"type", file_system.type},
            {"device", file_system.device},
            {"mount_point", file_system.mount_point},
            {"options", file_system.options},
            {"bytes_free", file_system.bytes_free},
            {"bytes_total", file_system.bytes_total},
            {"inodes_free", counts ? Json(file_system.inodes_free) : Json(nullptr)},
            {"inodes_total", counts ? Json(file_system.inodes_total) : Json(nullptr)}};
}

Json json_of(const Probes& probes) {
    Json array = Json::array();
    for (const auto& [name, verdict, found, effect] : probes) {
        array.push_back(
            {{"name", name}, {"verdict", name_of(verdict)}, {"found", found}, {"effect", effect}});
    }
    return array;
}

/// A line for each probe, and below it, where it is not as it should be, what larder does then.
std::string shown(const Probes& probes) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& probe : probes)
        rows.push_back({coloured(name_of(probe.verdict), colour_of(probe.verdict), STDOUT_FILENO),
                        probe.name, harmless(probe.found)});
    const auto lines = table({"VERDICT", "PROBE", "FOUND"}, rows);
    std::string out;
    std::size_t at = 0;
    const auto take_line = [&] {
        const auto end = lines.find('\n', at) + 1;
        out += lines.substr(at, end - at);
        at = end;
    };
    take_line();
    for (const auto& probe : probes) {
        take_line();
        if (probe.verdict == Verdict::ok || probe.effect.empty()) continue;
        std::string effect = wrapped(probe.effect, 66);
        for (std::size_t line = 0; line < effect.size(); line = effect.find('\n', line) + 1) {
            effect.insert(line, "         ");
        }
        out += effect;
    }
    return out;
}

}  // namespace

Outcome run_doctor(const Arguments& arguments, const Output& output) {
    const auto root = root_to_probe(arguments);
    if (!root) return tl::unexpected(root.error());
    const auto place = doctor::place_for_probing(*root);
    const auto file_system = doctor::file_system_of(place);
    Probes probes;
    doctor::probe_mount(file_system, probes);
    probe(place, output, probes);

    const int exit_code = works(probes) ? done : failed;
    if (output.json()) {
        return output.document({{"path", root->string()},
                                {"probed_in", place.string()},
                                {"works", exit_code == done},
                                {"file_system", json_of(file_system)},
                                {"probes", json_of(probes)}},
                               exit_code);
    }
    auto text = fmt::format("{}: {}", harmless(root->string()), harmless(file_system.type));
    if (!file_system.mount_point.empty()) {
        text += fmt::format(" on {}, mounted at {} ({})", harmless(file_system.device),
                            harmless(file_system.mount_point), harmless(file_system.options));
    }
    text += "\n\n";
    text += shown(probes) + "\n";
    text += exit_code == done ? "larder works here\n" : "larder does not work here\n";
    return output.text(text, exit_code);
}

}  // namespace cachetool
