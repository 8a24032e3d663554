// SPDX-License-Identifier: MIT
#include "cachetool/cli/help.hpp"

#include <fmt/core.h>

#include "cachetool/cli/prose.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

using larder::options::described;

constexpr unsigned columns = 79;  // of a terminal's 80: some break the line after the last

std::string indented(std::string_view lines) {
    std::string out = "  ";
    for (const char c : lines) {
        out += c;
        if (c == '\n') out += "  ";
    }
    return out + '\n';
}

std::string filled(std::string_view text) {
    std::string out;
    for (const auto& block : text_blocks(text)) {
        if (!out.empty()) out += '\n';
        out += block.literal ? indented(block.text) : wrapped(block.text, columns);
    }
    return out;
}

void write_options(JsonWriter& json, std::span<const OptionSpec> specs) {
    json.name("options");
    json.array([&] {
        for (const auto& spec : specs) {
            json.object([&] {
                json.field("name", larder::options::long_name(spec));
                json.name("argument");
                spec.argument == nullptr ? json.value(nullptr) : json.value(spec.argument);
                json.field("help", spec.help);
            });
        }
    });
}

void write_command(JsonWriter& json, const Command& command) {
    json.object([&] {
        json.field("name", command.name);
        json.field("synopsis", command.synopsis);
        json.field("summary", command.summary);
        json.field("hidden", command.hidden);
        write_options(json, command.options);
    });
}

}  // namespace

const char* description() {
    return "A cache of directories for many processes. A refresh takes effect at once, waits for "
           "no process, and never takes a file away from a process that is using it.";
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
        {"LARDER_CACHE_DIR", "the cache, if there is no --cache"},
        {"XDG_CACHE_HOME",
         "if LARDER_CACHE_DIR is not set and this path is absolute, the cache is its directory "
         "larder; otherwise ~/.cache/larder"},
        {"LARDER_LOG", "the file that gets a line for each event, if there is no --log"},
        {"NO_COLOR",
         "if it is set and not empty, no colours are shown (they are shown on terminals only)"},
        {"LARDER_ENTRY", "set by exec for its command: the path of the entry"},
        {"LARDER_STAGE", "set by build for its command: the directory to fill"}};
    return variables;
}

std::string help_text(CommandTable commands) {
    std::string out =
        "usage: cachetool [--cache DIR] [--json] [--quiet] [--lock-timeout SECONDS]\n"
        "                 [--log FILE] COMMAND ...\n\n";
    out += filled(description()) + "\n";
    for (const auto& command : commands) {
        if (!command.hidden) out += fmt::format("  {:<11}{}\n", command.name, command.summary);
    }
    out += "\n" + described("Options, before or after the command", global_options(), columns);
    std::string codes;
    for (const auto& [code, meaning] : exit_codes())
        codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", code, meaning);
    return out + "\n" +
           wrapped(fmt::format("Exit codes: {}; exec and build pass on the command's own.", codes),
                   columns);
}

std::string help_text(const Command& command) {
    auto out =
        fmt::format("usage: cachetool {}{}{}{}\n\n{}", command.name,
                    command.options.empty() ? "" : " [OPTION...]",
                    command.synopsis.empty() ? "" : " ", command.synopsis, filled(command.help));
    if (!command.options.empty()) out += "\n" + described("Options", command.options, columns);
    return out + "\nFor the options that every command takes: cachetool --help\n";
}

void write_help(JsonWriter& json, CommandTable commands, const Command* command) {
    json.object([&] {
        json.field("help", command == nullptr ? help_text(commands) : help_text(*command));
        json.name("commands");
        json.array([&] {
            for (const auto& one : commands) {
                if (command == nullptr || command == &one) write_command(json, one);
            }
        });
        write_options(json, global_options());
    });
}

}  // namespace cachetool
