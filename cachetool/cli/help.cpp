// SPDX-License-Identifier: MIT
#include "cachetool/cli/help.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "cachetool/cli/prose.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

using larder::options::described;

/// Returns how wide the help is: 79 columns of a terminal's 80, because some break the line after
/// the last, or less on a narrower terminal.
std::size_t help_width() {
    constexpr std::size_t usual = 79;
    const auto width = output_width();
    return width ? std::min(usual, *width - 1) : usual;
}

/// Returns where the first part of a shell's line ends that is at most `width` long: at a space
/// that is in no quotes. Returns the whole length if it fits, or if there is no such place.
std::size_t end_of_part(std::string_view line, std::size_t width) {
    if (line.size() <= width) return line.size();
    std::size_t end = line.size();
    char quote = 0;
    for (std::size_t i = 0; i <= width; ++i) {
        if (quote == 0 && line[i] == ' ' && i > 0) end = i;
        if (quote == 0 ? line[i] == '\'' || line[i] == '"' : line[i] == quote)
            quote = quote == 0 ? line[i] : '\0';
    }
    return end;
}

/// Indents the lines of an example. One that is too long goes on in the next line, as a shell reads
/// it.
std::string indented(std::string_view lines, std::size_t width) {
    std::string out;
    while (!lines.empty()) {
        auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        std::string indent = "  ";
        // Two columns are for " \\".
        for (std::size_t end; (end = end_of_part(line, width - indent.size() - 2)) < line.size();) {
            out += indent + std::string(line.substr(0, end)) + " \\\n";
            line.remove_prefix(end + 1);
            indent = "      ";
        }
        out += indent + std::string(line) + '\n';
    }
    return out;
}

std::string filled(std::string_view text) {
    std::string out;
    for (const auto& block : text_blocks(text)) {
        if (!out.empty()) out += '\n';
        out +=
            block.literal ? indented(block.text, help_width()) : wrapped(block.text, help_width());
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
    const auto width = help_width();
    auto out = hanging("usage: cachetool ", "[OPTION...] COMMAND ...", width) + "\n";
    out += filled(description()) + "\n";
    for (const auto& command : commands) {
        if (!command.hidden)
            out += hanging(fmt::format("  {:<11}", command.name), command.summary, width);
    }
    out += "\n" + described("Options, before or after the command", global_options(),
                            static_cast<unsigned>(width));
    std::string codes;
    for (const auto& [code, meaning] : exit_codes())
        codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", code, meaning);
    return out + "\n" +
           wrapped(fmt::format("Exit codes: {}; exec and build pass on the command's own.", codes),
                   width);
}

std::string help_text(const Command& command) {
    const auto width = help_width();
    const bool takes_nothing = command.options.empty() && command.synopsis.empty();
    auto out = hanging(fmt::format("usage: cachetool {}{}", command.name, takes_nothing ? "" : " "),
                       fmt::format("{}{}{}", command.options.empty() ? "" : "[OPTION...]",
                                   command.options.empty() || command.synopsis.empty() ? "" : " ",
                                   command.synopsis),
                       width) +
               "\n" + filled(command.help);
    if (!command.aliases.empty())
        out += fmt::format("\nAlso: cachetool {}\n", command.aliases.front());
    if (!command.options.empty())
        out += "\n" + described("Options", command.options, static_cast<unsigned>(width));
    return out + "\n" +
           wrapped("For the options that every command takes: cachetool --help", width);
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
