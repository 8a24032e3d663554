// SPDX-License-Identifier: MIT
// The command doctor: does larder work on this file system, and how?
#include <algorithm>
#include <fmt/core.h>
#include <limits>

#include "cachetool/cli/prose.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/doctor/probes.hpp"
#include "cachetool/doctor/scratch.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/volume.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

using doctor::ProbeResult;
using doctor::ProbeResults;
using doctor::ProbeVerdict;

TextColour colour_of(ProbeVerdict verdict) {
    switch (verdict) {
        case ProbeVerdict::ok:
            return TextColour::green;
        case ProbeVerdict::limited:
            return TextColour::yellow;
        case ProbeVerdict::broken:
            break;
    }
    return TextColour::red;
}

bool works(const ProbeResults& results) {
    return std::none_of(results.begin(), results.end(), [](const ProbeResult& result) {
        return result.verdict == ProbeVerdict::broken;
    });
}

/// Gives every probe that found no room on the disk an effect that says so: it has told nothing
/// about the file system. Returns whether nothing else is broken.
bool blame_the_full_disk(ProbeResults& results) {
    bool all = true, any = false;
    for (auto& result : results) {
        if (result.verdict != ProbeVerdict::broken) continue;
        bool is_full = result.name == "space";
        // The standard library may have its own words.
        const auto no_room = {system::full_disk_error().message(),
                              std::make_error_code(std::errc::no_space_on_device).message()};
        if (std::any_of(no_room.begin(), no_room.end(), [&](const std::string& words) {
                return result.found.find(words) != std::string::npos;
            })) {
            is_full = true;
            result.effect =
                "the disk has no room for this probe: make room (in a cache that exists, refresh "
                "and gc do), and run doctor again";
        }
        (is_full ? any : all) = is_full;
    }
    return any && all;
}

bool stands(const std::filesystem::path& path, std::error_code& error) {
    return system::retried(
        error, [&](std::error_code& each) { return std::filesystem::exists(path, each); });
}

Expected<std::filesystem::path> root_to_probe(const ParsedArguments& arguments) {
    if (arguments.words.empty()) return cache_root(arguments);
    auto choice = arguments;
    choice.cache = system::path_of(arguments.words.front());
    LARDER_TRY_ASSIGN(const auto root, cache_root(choice));
    // A mistyped name must not be judged by a directory above it: that may be another disk.
    std::error_code error;
    if (!stands(root, error) && !error)
        return fail_usage(fmt::format(
            "there is no directory {}; to judge the nearest one that "
            "exists, run `cachetool doctor {}`",
            system::text_of(root), shell_word(system::text_of(doctor::place_for_probing(root)))));
    return root;
}

/// Runs all probes that write something, in an order in which each rests on those before it.
void probe(const std::filesystem::path& place, const CommandOutput& output, ProbeResults& results) {
    auto scratch = doctor::ScratchDirectory::make_in(place);
    if (!scratch) {
        std::error_code error;
        const bool is_file = system::retried(error, [&](std::error_code& each) {
            return std::filesystem::exists(place, each) &&
                   !std::filesystem::is_directory(place, each);
        });
        results.push_back(
            {"permission", ProbeVerdict::broken, scratch.error()->message,
             is_file ? "this is no directory: name the one around it"
                     : "name a directory in which you may write; a cache that exists can be read"});
        return;
    }
    const auto directory = scratch->path();
    output.say(fmt::format("judging the file system of {}, in the new directory {}",
                           system::text_of(place), system::text_of(directory)));
    for (const auto step : {doctor::probe_primitives, doctor::probe_names, doctor::probe_files,
                            doctor::probe_processes, doctor::probe_larder}) {
        if (!system::DeferSignals::is_interrupted()) step(directory, results);
    }
    if (const auto error = scratch->remove())
        output.warn(fmt::format("{} could not be removed ({}): please delete it",
                                system::text_of(directory), error.message()));
}

/// Says which kinds of links and buckets the cache has, if there is one and it can be read.
void describe_cache(const std::filesystem::path& root, ProbeResults& results) {
    larder::OpenOptions options;
    options.read_only = true;
    const auto cache = larder::Cache::open(root, options);
    if (cache)
        results.push_back({"cache", ProbeVerdict::ok, "has " + doctor::kinds_of(*cache), ""});
}

void write_volume(JsonWriter& json, const system::MountedVolume& volume) {
    const bool counts_inodes = volume.inodes_total != 0;
    const auto inodes = [&](const char* name, std::uint64_t count) {
        json.name(name);
        counts_inodes ? json.value(count) : json.value(nullptr);
    };
    json.object([&] {
        json.field("type", volume.type);
        json.field("device", volume.device);
        json.field("mount_point", volume.mount_point);
        json.field("options", volume.options);
        json.field("bytes_free", volume.bytes_free);
        json.field("bytes_total", volume.bytes_total);
        inodes("inodes_free", volume.inodes_free);
        inodes("inodes_total", volume.inodes_total);
    });
}

void write_result(JsonWriter& json, const ProbeResult& result) {
    json.object([&] {
        json.field("name", result.name);
        json.field("verdict", doctor::name_of(result.verdict));
        json.field("found", result.found);
        json.field("effect", result.effect);
    });
}

/// Returns a line for each probe, or several if the terminal is narrow. Below a probe that is not
/// ok, it says what larder does then.
std::string results_text(const ProbeResults& results) {
    const auto width = output_width().value_or(std::numeric_limits<std::size_t>::max());
    const auto widest = std::max_element(
        results.begin(), results.end(),
        [](const auto& one, const auto& other) { return one.name.size() < other.name.size(); });
    const std::size_t name_width = widest == results.end() ? 0 : widest->name.size();
    const auto line = [&](std::string_view verdict, std::string_view name, std::string_view found) {
        return hanging(fmt::format("{:<7}  {:<{}}  ", verdict, name, name_width), found, width);
    };
    auto out = line("VERDICT", "PROBE", "FOUND");
    for (const auto& result : results) {
        const std::string_view verdict = doctor::name_of(result.verdict);
        const auto text = line(verdict, result.name, harmless(result.found));
        out += coloured(verdict, colour_of(result.verdict), system::StandardStream::output);
        out += text.substr(verdict.size());
        if (result.verdict == ProbeVerdict::ok || result.effect.empty()) continue;
        out += hanging(std::string(9, ' '), result.effect, std::min<std::size_t>(width, 75));
    }
    return out;
}

std::string volume_text(const std::filesystem::path& place, const system::MountedVolume& volume) {
    auto text = fmt::format("{}: {}", harmless(system::text_of(place)), harmless(volume.type));
    if (!volume.mount_point.empty())
        text += fmt::format(" on {}, mounted at {} ({})", harmless(volume.device),
                            harmless(volume.mount_point), harmless(volume.options));
    return text;
}

}  // namespace

CommandResult run_doctor(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto root, root_to_probe(arguments));
    const auto place = doctor::place_for_probing(root);
    std::error_code error;
    if (!stands(root, error))
        output.say(fmt::format("{} does not exist yet, so this is about {}, where it would be made",
                               system::text_of(root), system::text_of(place)));
    const auto volume = system::volume_of(place);
    ProbeResults results;
    doctor::probe_mount(volume, results);
    // Where nothing can be written, every other probe would find the same once more.
    const bool is_read_only =
        results.front().name == "mount" && results.front().verdict == ProbeVerdict::broken;
    if (!is_read_only) probe(place, output, results);

    describe_cache(root, results);
    const bool is_full = blame_the_full_disk(results);
    const int exit_code = works(results) ? done : failed;
    const char* const verdict = exit_code == done ? "larder works here"
                                : is_full
                                    ? "the disk is full, so whether larder works here can't be "
                                      "told: make room, and run doctor again"
                                    : "larder does not work here";
    if (!output.json())
        return output.text(fmt::format("{}\n{}\n{}", fitted(volume_text(place, volume) + "\n"),
                                       results_text(results), fitted(std::string(verdict) + "\n")),
                           exit_code);
    const auto write = [&](JsonWriter& json) {
        json.object([&] {
            json.field("path", system::text_of(root));
            json.field("probed_in", system::text_of(place));
            json.field("works", exit_code == done);
            json.name("file_system");
            write_volume(json, volume);
            json.name("probes");
            json.array([&] {
                for (const auto& result : results) write_result(json, result);
            });
        });
    };
    return output.document(write, exit_code);
}

}  // namespace cachetool
