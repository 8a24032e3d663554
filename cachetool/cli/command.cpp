// SPDX-License-Identifier: MIT
#include "cachetool/cli/command.hpp"

#include <algorithm>

namespace cachetool {

const Command* find_command(CommandTable commands, std::string_view name) {
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& command) { return command.name == name; });
    return found == commands.end() ? nullptr : &*found;
}

std::span<const OptionSpec> global_options() {
    static constexpr OptionSpec options[] = {
        {"cache", "DIR",
         "default: $LARDER_CACHE_DIR, else $XDG_CACHE_HOME/larder, else ~/.cache/larder"},
        {"json", nullptr, "print one JSON document on stdout, also for an error"},
        {"quiet", nullptr, "print nothing on stderr but errors and warnings"},
        {"lock-timeout", "SECONDS",
         "how long to wait for other processes (default: 10; in build 1800)"},
        {"log", "FILE",
         "append a line to FILE for each event: waits, changes, evictions (default: $LARDER_LOG)"},
        {"help,h", nullptr, "print this text, or a command's"},
        {"version", nullptr, "print the version"},
    };
    return options;
}

}  // namespace cachetool
