// SPDX-License-Identifier: MIT
// The command destroy: deletes a whole cache.
#include <fmt/core.h>

#include <larder/cache.hpp>

#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {

CommandResult run_destroy(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto root, cache_root(arguments));
    std::error_code error;
    const auto status = system::retried(
        error, [&](std::error_code& each) { return std::filesystem::symlink_status(root, each); });
    const bool there = status.type() != std::filesystem::file_type::not_found;
    if (there) {
        LARDER_TRY(larder::Cache::destroy(root));
        output.say(fmt::format("deleted the cache {}", harmless(root.string())));
    } else {
        output.say(fmt::format("there is no cache at {}", harmless(root.string())));
    }
    if (!output.json()) return done;
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("path", root.string());
            json.field("destroyed", there);
        });
    });
}

}  // namespace cachetool
