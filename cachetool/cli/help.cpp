// SPDX-License-Identifier: MIT
#include "cachetool/cli/help.hpp"

#include <fmt/format.h>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/prose.hpp"

namespace cachetool {
namespace {

constexpr unsigned columns = 79;  // of a terminal's 80: some break the line after the last

std::string indented(std::string_view lines) {
    std::string out = "  ";
    for (const char c : lines) out += c == '\n' ? "\n  " : std::string(1, c);
    return out + '\n';
}

std::string filled(std::string_view text) {
    std::string out;
    for (const auto& block : blocks_of(text)) {
        if (!out.empty()) out += '\n';
        out += block.literal ? indented(block.text) : wrapped(block.text, columns);
    }
    return out;
}

Json json_of(std::span<const OptionSpec> options) {
    Json array = Json::array();
    for (const auto& option : options) {
        array.push_back(
            {{"name", long_name(option)},
             {"argument", option.argument == nullptr ? Json(nullptr) : Json(option.argument)},
             {"help", option.help}});
    }
    return array;
}

Json json_of(const Command& command) {
    return {{"name", command.name},
            {"synopsis", command.synopsis},
            {"summary", command.summary},
            {"hidden", command.hidden},
            {"options", json_of(command.options)}};
}

}  // namespace

const char* description() {
    return "A cache of directories for many processes. A purge takes effect at once, waits for "
           "nobody, and never takes a file "
           "away from a process that "
           "is using it.";
}

std::span<const std::pair<int, const char*>> exit_codes() {
    static constexpr std::pair<int, const char*> codes[] = {{done, "done"},
                                                            {failed, "failed"},
                                                            {wrong_usage, "wrong usage"},
                                                            {no_entry, "no such entry"},
                                                            {busy, "busy or timed out"},
                                                            {damaged, "damaged"}};
    return codes;
}

std::span<const std::pair<const char*, const char*>> environment() {
    static constexpr std::pair<const char*, const char*> variables[] = {
        {"LARDER_CACHE_DIR", "the cache, where there is no --cache"},
        {"XDG_CACHE_HOME",
         "where that is not set either, and this is absolute, the cache is the directory larder in "
         "it; else ~/.cache/larder"},
        {"LARDER_LOG", "the file for a line on each event, where there is no --log"},
        {"NO_COLOR",
         "where it is set, to anything but nothing, a terminal is shown no colours (nothing else "
         "ever is)"},
        {"LARDER_ENTRY", "set by exec for its command: the path of the entry"},
        {"LARDER_STAGE", "set by build for its command: the directory to fill"}};
    return variables;
}

std::string help_text() {
    std::string out =
        "usage: cachetool [--cache DIR] [--json] [--quiet] [--lock-timeout SECONDS]\n              "
        "   [--log FILE] COMMAND ...\n\n";
    out += filled(description()) + "\n";
    for (const auto& command : commands()) {
        if (!command.hidden) out += fmt::format("  {:<11}{}\n", command.name, command.summary);
    }
    out += "\n" + larder::options::described("Options, before or after the command",
                                             global_options(), columns);
    std::string codes;
    for (const auto& [code, meaning] : exit_codes())
        codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", code, meaning);
    return out + "\n" +
           wrapped(fmt::format("Exit codes: {}; exec and build pass on the command's own.", codes),
                   columns);
}

std::string help_text(const Command& command) {
    std::string out =
        fmt::format("usage: cachetool {}{}{}{}\n\n{}", command.name,
                    command.options.empty() ? "" : " [OPTION...]",
                    command.synopsis.empty() ? "" : " ", command.synopsis, filled(command.help));
    if (!command.options.empty())
        out += "\n" + larder::options::described("Options", command.options, columns);
    return out + "\nFor the options that every command takes: cachetool --help\n";
}

Json help_json(const Command* command) {
    Json table = Json::array();
    for (const auto& one : commands()) {
        if (command == nullptr || command == &one) table.push_back(json_of(one));
    }
    return {{"help", command == nullptr ? help_text() : help_text(*command)},
            {"commands", std::move(table)},
            {"options", json_of(global_options())}};
}

}  // namespace cachetool
