// SPDX-License-Identifier: MIT
// The commands dir, get, install and remove: single entries. put is in put.cpp.
#include <filesystem>
#include <fmt/core.h>

#include <larder/content.hpp>
#include <larder/larder.hpp>

#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/digest.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/link_mode.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/interrupt.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Prints the entry's path, or with --json all that a lease tells.
CommandResult print_entry(const ParsedArguments& arguments, const CommandOutput& output,
                          const larder::Lease& lease) {
    const auto entry = location_of(arguments.words[0], arguments.words[1], lease);
    if (!output.json()) return output.text(entry.path + "\n");
    return output.document([&](JsonWriter& json) { write_json(json, entry); });
}

Expected<larder::Lease> get(const larder::Cache& cache, const ParsedArguments& arguments) {
    const auto& name = arguments.words[0];
    const auto& key = arguments.words[1];
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(name));
    auto lease = bucket.get(key);
    if (!lease) return fail(failure_for_key(cache, lease.error(), name, key));
    return std::move(*lease);
}

/// Returns what an install says if something stands in its way.
std::string obstacle_sentence(const larder::Error& error, const std::string& destination) {
    const auto path = system::text_of(error.path);
    const auto wanted = system::path_of(destination);
    if (error.path == (wanted.has_filename() ? wanted : wanted.parent_path()))
        return fmt::format("DEST {} is no directory: name a directory, or a path that is free",
                           path);
    std::error_code ignored;
    const auto status = system::retried(ignored, [&](std::error_code& each) {
        return std::filesystem::symlink_status(error.path, each);
    });
    const bool is_directory = status.type() == std::filesystem::file_type::directory;
    const bool wants_directory = error.step == std::string_view("make directory");
    const char* const what =
        is_directory      ? "is a directory, and a file should go there: move it away"
        : wants_directory ? "is no directory, and a directory should go there: move it away"
                          : "stands there already; --replace replaces files and symlinks";
    return fmt::format("{} {}; what was installed in {} before that stays there", path, what,
                       destination);
}

/// Returns how the files of an install have arrived: "2 files hard-linked, 1 copied".
std::string arrivals(const larder::MaterializeReport& report) {
    std::string text;
    for (const auto& [count, way] :
         {std::pair(report.cloned, "cloned"), std::pair(report.hardlinked, "hard-linked"),
          std::pair(report.copied, "copied")}) {
        if (count == 0) continue;
        text += text.empty() ? fmt::format("{} {}", counted(count, "file", "files"), way)
                             : fmt::format(", {} {}", count, way);
    }
    return text.empty() ? "no files" : text;
}

/// Returns what was removed, and how that is undone. Does not look whether the entry is whole, as a
/// restore wants it: that would read all its files.
std::string removal_sentence(const std::string& bucket, const std::vector<std::string>& keys) {
    const auto& key = keys.front();
    // An empty pattern would match every key.
    const auto undo = keys.size() == 1 && !key.empty()
                          ? fmt::format(
                                "`cachetool trash restore --bucket {} --key {}` brings it "
                                "back until the next gc or refresh, if its entry is whole",
                                shell_word(bucket), shell_pattern(key))
                          : std::string(
                                "`cachetool trash` lists what can be brought back until "
                                "the next gc or refresh");
    return fmt::format("removed {} of {}; {}",
                       keys.size() == 1 ? named(key) : counted(keys.size(), "key", "keys"),
                       named(bucket), undo);
}

}  // namespace

CommandResult run_dir(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    if (!output.json()) return output.text(system::text_of(root) + "\n");
    return output.document(
        [&](JsonWriter& json) { json.object([&] { json.field("path", system::text_of(root)); }); });
}

CommandResult run_get(const ParsedArguments& arguments, const CommandOutput& output) {
    // For reading only: a lease that ends with this command protects nothing, so none is taken.
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::read));
    LARDER_TRY_ASSIGN(const auto lease, get(cache, arguments));
    return print_entry(arguments, output, lease);
}

CommandResult run_install(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto mode, link_mode_of(arguments));
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    LARDER_TRY_ASSIGN(const auto lease, get(cache, arguments));
    if (!lease.is_protected()) output.say(unprotected_warning);

    const auto& destination = arguments.words[2];
    const bool replace = arguments.has("replace");
    // A signal that ended this process at once would leave a directory beside DEST, or a file in
    // it, under a name of larder's. So it ends the copy instead, which takes that away.
    system::StopOnSignal stop;
    const auto made = [&] {
        const system::PollForStop polls(stop);
        return larder::materialize(lease.path(), system::path_of(destination),
                                   {.mode = mode.value_or(larder::LinkMode::automatic),
                                    .replace = replace,
                                    .stop = stop.token(),
                                    .digests = {&larder::sha256()}});
    }();
    if (!made) {
        if (made.error().code == larder::Errc::interrupted) {
            output.warn(fmt::format(
                "the install was stopped before {} was complete; it can be run "
                "again{}",
                destination,
                system::may_exist(system::path_of(destination)) ? " with --replace" : ""));
            stop.end_by_signal();
        }
        Failure failure = failure_near(made.error(), cache.root());
        if (made.error().step == std::string_view("materialize"))
            failure->message = fmt::format("DEST {} {}", destination, made.error().detail);
        if (made.error().code == larder::Errc::damaged)
            failure->message = fmt::format("{}: {}", harmless(system::text_of(made.error().path)),
                                           made.error().detail);
        if (made.error().code == larder::Errc::exists)
            failure->message = obstacle_sentence(made.error(), destination);
        return fail(std::move(failure));
    }
    const auto& report = *made;
    output.say(
        fmt::format("{}: {} in {}", arrivals(report), shown_size(report.bytes), destination));
    if (report.inexact != 0) {
        output.warn(fmt::format(
            "{} in {} {} not the mode, the time or all attributes of the entry, because "
            "the file system or a sandbox refuses to read or to set them",
            counted(report.inexact, "file or directory", "files and directories"), destination,
            report.inexact == 1 ? "has" : "have"));
    }
    if (!output.json()) return done;
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("bucket", arguments.words[0]);
            json.field("key", arguments.words[1]);
            json.field("id", lease.id());
            json.field("destination", destination);
            write_fields(json, report);
        });
    });
}

CommandResult run_remove(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto durability, durability_of(arguments, larder::Durability::power));
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    const auto& name = arguments.words[0];
    LARDER_TRY_ASSIGN(const auto bucket, cache.bucket(name));

    std::vector<std::string> removed;
    std::optional<Failure> worst;
    for (auto key = arguments.words.begin() + 1; key != arguments.words.end(); ++key) {
        const auto result = bucket.remove(*key, durability);
        if (result) {
            removed.push_back(*key);
            continue;
        }
        auto failure = failure_for_key(cache, result.error(), name, *key);
        // A key without an entry is the mildest failure: the entry is gone, as the user wants.
        if (!worst || (*worst)->exit_code == no_entry) {
            if (worst) output.warn((*worst)->message);
            worst = std::move(failure);
        } else {
            output.warn(failure->message);
        }
    }
    if (!removed.empty()) output.say(removal_sentence(name, removed));
    const auto write_removed = [name, removed = std::move(removed)](JsonWriter& json) {
        json.field("bucket", name);
        json.list("removed", removed);
    };
    if (worst) {
        (*worst)->write_done = write_removed;
        return fail(std::move(*worst));
    }
    if (!output.json()) return done;
    return output.document([&](JsonWriter& json) { json.object([&] { write_removed(json); }); });
}

}  // namespace cachetool
