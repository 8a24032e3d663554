// SPDX-License-Identifier: MIT
// The commands link, unlink and roots: paths outside of the cache that keep entries.
#include <fmt/core.h>

#include "cachetool/cli/nearest.hpp"
#include "cachetool/commands/absent.hpp"
#include "cachetool/commands/durability.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/reports.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/table.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

CommandResult list_roots(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::read));
    ListPrinter list(output, "roots", TextTable({"STATE", "~PATH", "?~BUCKET", "?~KEY"}));
    if (!cache) return list.print();
    LARDER_TRY_ASSIGN(const auto roots, cache->roots());
    for (const larder::RootInfo& root : roots) {
        const std::string path = system::text_of(root.path);
        list.add(
            order_of_text(path) + order_of_text(root.id),
            [&](JsonWriter& json) { write_json(json, root); },
            [&] {
                return std::vector{std::string(larder::name_of(root.state)), shown(path),
                                   shown(root.bucket), shown(root.key)};
            });
    }
    if (list.is_empty() && !output.json()) output.say("no path is linked to an entry");
    return list.print();
}

CommandResult prune_roots(const ParsedArguments& arguments, const CommandOutput& output) {
    const larder::PruneOptions options{.dry_run = arguments.has("dry-run"),
                                       .unreachable = arguments.has("unreachable")};
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    larder::PruneReport report;
    if (cache) {
        LARDER_TRY_ASSIGN(report, cache->prune_roots(options));
    }
    if (output.json()) {
        return output.document([&](JsonWriter& json) {
            json.object([&] {
                json.field("dry_run", options.dry_run);
                json.list("dropped", report.dropped);
                json.field("kept", report.kept);
            });
        });
    }
    for (const larder::RootInfo& root : report.dropped)
        output.say(
            fmt::format("{}: {} as a root of {} {}", options.dry_run ? "would drop" : "dropped",
                        harmless(system::text_of(root.path)), named(root.bucket), named(root.key)));
    const char* const stays = options.dry_run ? "would stay" : report.kept == 1 ? "stays" : "stay";
    output.say(fmt::format("{}; {} {}", counted(report.dropped.size(), "root", "roots"),
                           report.kept, stays));
    return done;
}

}  // namespace

CommandResult run_link(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto durability, durability_of(arguments, larder::Durability::process));
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    const std::string& bucket = arguments.words[0];
    const std::string& key = arguments.words[1];
    const std::string& path = arguments.words[2];
    const auto linked = cache.link(bucket, key, system::path_of(path), {.durability = durability});
    if (!linked && linked.error().code == larder::Errc::miss)
        return fail(failure_for_key(cache, linked.error(), bucket, key));
    LARDER_TRY(linked);
    output.say(fmt::format("{} leads to {} {}, which is kept as long as it does", harmless(path),
                           named(bucket), named(key)));
    if (!output.json()) return done;
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("bucket", bucket);
            json.field("key", key);
            json.field("path", path);
        });
    });
}

CommandResult run_unlink(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_for_entry(arguments, output, CacheAccess::write));
    const std::string& path = arguments.words[0];
    LARDER_TRY(cache.unlink(system::path_of(path)));
    output.say(fmt::format("unlinked {}", harmless(path)));
    if (!output.json()) return done;
    return output.document(
        [&](JsonWriter& json) { json.object([&] { json.field("path", path); }); });
}

CommandResult run_roots(const ParsedArguments& arguments, const CommandOutput& output) {
    std::string verb = arguments.words.empty() ? "ls" : arguments.words.front();
    if (verb == "list") verb = "ls";  // as the command ls has both names
    for (const char* const option : {"dry-run", "unreachable"}) {
        if (verb != "prune" && arguments.has(option))
            return fail_usage(fmt::format("--{} goes with prune", option));
    }
    if (verb == "ls") return list_roots(arguments, output);
    if (verb == "prune") return prune_roots(arguments, output);
    return fail_usage(fmt::format("roots wants ls or prune{}; see cachetool roots --help",
                                  did_you_mean(verb, {"ls", "prune"})));
}

}  // namespace cachetool
