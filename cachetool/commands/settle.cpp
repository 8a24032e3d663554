// SPDX-License-Identifier: MIT
// The command settle: brings all that is in the cache to the disk.
#include <larder/cache.hpp>

#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {

CommandResult run_settle(const ParsedArguments& arguments, const CommandOutput& output) {
    LARDER_TRY_ASSIGN(const auto cache, open_existing(arguments, output, CacheAccess::write));
    if (cache) {
        LARDER_TRY(cache->settle());
        output.say("all that was published is on the disk");
    }
    if (!output.json()) return done;
    return output.document(
        [&](JsonWriter& json) { json.object([&] { json.field("settled", cache.has_value()); }); });
}

}  // namespace cachetool
