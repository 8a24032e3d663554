// SPDX-License-Identifier: MIT
#include "cachetool/cli/command.hpp"

#include <algorithm>

namespace cachetool {

std::vector<std::string> places_of(std::string_view synopsis) {
    std::vector<std::string> places;
    while (!synopsis.empty()) {
        auto place = synopsis.substr(0, synopsis.find(' '));
        synopsis.remove_prefix(std::min(place.size() + 1, synopsis.size()));
        if (place == "|" || place == "--") break;
        while (place.starts_with('[')) place.remove_prefix(1);
        while (place.ends_with(']') || place.ends_with('.')) place.remove_suffix(1);
        if (!place.empty()) places.emplace_back(place);
    }
    return places;
}

const Command* find_command(CommandTable commands, std::string_view name) {
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
        return command.name == name || std::find(command.aliases.begin(), command.aliases.end(),
                                                 name) != command.aliases.end();
    });
    return found == commands.end() ? nullptr : &*found;
}

std::span<const OptionSpec> global_options() {
    static constexpr OptionSpec options[] = {
        {"cache", "DIR",
         "default: $LARDER_CACHE_DIR, else $XDG_CACHE_HOME/larder, else ~/.cache/larder"},
        {"json", nullptr, "print one JSON document on stdout, also for an error"},
        {"quiet,q", nullptr, "print nothing on stderr but errors and warnings"},
        {"lock-timeout", "SECONDS",
         "how long to wait for other processes (default: 10; in build 1800)"},
        {"allow-unsafe", nullptr, "use a cache that other users may change"},
        {"log", "FILE",
         "append a line to FILE for each event: waits, changes, evictions (default: $LARDER_LOG)"},
        {"help,h", nullptr, "print this text, or a command's"},
        {"version,V", nullptr, "print the version"},
    };
    return options;
}

}  // namespace cachetool
