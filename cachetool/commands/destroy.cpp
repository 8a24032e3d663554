// SPDX-License-Identifier: MIT
// The command destroy: deletes a whole cache.
#include <fmt/core.h>

#include <larder/cache.hpp>

#include "cachetool/cli/prose.hpp"
#include "cachetool/commands/listing.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Refuses to destroy a cache that the user has not named: a user who tries the words of the list
/// would lose all.
Expected<> require_named_cache(const ParsedArguments& arguments,
                               const std::filesystem::path& root) {
    if (arguments.cache || system::environment_variable("LARDER_CACHE_DIR")) return {};
    return fail_usage(
        fmt::format("destroy wants the cache by its name: `cachetool --cache {} destroy` deletes "
                    "the one that is used without a name, with all entries",
                    shell_word(system::text_of(root))));
}

/// Returns how much a cache holds, in words.
Expected<std::string> holdings(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_unchanged(arguments, output));
    std::uint64_t entries = 0, bytes = 0;
    LARDER_TRY(visit_entries(cache, output, std::nullopt, [&](const ListedEntry& listed) {
        ++entries;
        if (listed.info) add_up(bytes, listed.info->bytes);
        return Expected<>();
    }));
    LARDER_TRY_ASSIGN(const auto buckets, cache.buckets());
    return fmt::format("{} ({}) in {}", counted(entries, "entry", "entries"), shown_size(bytes),
                       counted(buckets.size(), "bucket", "buckets"));
}

/// Returns what a destroy would delete, in words. What can't be opened, such as the rest of a
/// destroy that was killed, is deleted all the same.
std::string would_delete(const ParsedArguments& arguments, const CommandOutput& output,
                         const std::filesystem::path& root) {
    std::error_code error;
    const bool is_empty = system::retried(
        error, [&](std::error_code& each) { return std::filesystem::is_empty(root, each); });
    if (is_empty && !error)
        return fmt::format("would delete the empty directory {}\n",
                           harmless(system::text_of(root)));
    const auto held = holdings(arguments, output);
    return fmt::format("would delete the cache {}: {}\n", harmless(system::text_of(root)),
                       held ? *held : "what it holds can't be listed");
}

}  // namespace

CommandResult run_destroy(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    LARDER_TRY(require_named_cache(arguments, root));
    std::error_code error;
    const auto status = system::retried(
        error, [&](std::error_code& each) { return std::filesystem::symlink_status(root, each); });
    const bool there = status.type() != std::filesystem::file_type::not_found;
    const bool dry_run = arguments.has("dry-run");
    // As the user has named it: a symlink is refused.
    LARDER_TRY_ASSIGN(const auto named, named_root(arguments));
    std::string plan;
    if (!there) {
        output.say(fmt::format("there is no cache at {}", harmless(system::text_of(root))));
    } else if (dry_run) {
        if (const auto checked = larder::Cache::check_destroy(named); !checked)
            return fail(explained(checked.error(), named));
        if (!output.json()) plan = would_delete(arguments, output, root);
    } else {
        if (const auto destroyed = larder::Cache::destroy(named); !destroyed)
            return fail(explained(destroyed.error(), named));
        output.say(fmt::format("deleted the cache {}", harmless(system::text_of(root))));
    }
    if (!output.json()) return plan.empty() ? CommandResult(done) : output.text(fitted(plan));
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("path", system::text_of(root));
            json.field("dry_run", dry_run);
            json.field("destroyed", there && !dry_run);
        });
    });
}

}  // namespace cachetool
