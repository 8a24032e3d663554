// SPDX-License-Identifier: MIT
// The command man: the manual's pages, from the table that --help prints.
#include <algorithm>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>

#include "cachetool/cli/help.hpp"
#include "cachetool/cli/prose.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/files.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

/// Returns `text` in a form that troff shows as it is: a dash stays a dash that can be searched for
/// and pasted, and no line is taken for a request.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if ((out.empty() || out.back() == '\n') && (c == '.' || c == '\'')) out += "\\&";
        switch (c) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '\'':
                out += "\\(aq";
                break;
            case '`':
                out += "\\(ga";
                break;
            case '^':
                out += "\\(ha";
                break;
            case '~':
                out += "\\(ti";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

/// Returns "cachetool" or, for example, "cachetool-put".
std::string page_name(const Command* command) {
    return command == nullptr ? "cachetool" : fmt::format("cachetool-{}", command->name);
}

std::string heading(const Command* command, std::string_view summary) {
    auto title = page_name(command);
    std::transform(title.begin(), title.end(), title.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    // There is no date, so that the same source makes the same page.
    return fmt::format(".TH {} 1 \"\" \"larder {}\" \"larder\"\n.SH NAME\n{} \\- {}\n", roff(title),
                       LARDER_VERSION, roff(page_name(command)), roff(summary));
}

std::string body(std::string_view text) {
    std::string out;
    for (const auto& block : text_blocks(text)) {
        // The first paragraph follows a heading, which makes its own space.
        if (block.literal) {
            out += fmt::format(".PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n", roff(block.text));
        } else {
            out += fmt::format("{}{}\n", out.empty() ? "" : ".PP\n", roff(block.text));
        }
    }
    return out;
}

std::string item(const std::string& name, std::string_view meaning) {
    return fmt::format(".TP\n{}\n{}\n", name, roff(meaning));
}

std::string items(std::span<const OptionSpec> options) {
    std::string out;
    for (const auto& option : options) {
        const auto name = larder::options::long_name(option);
        auto shown = bold(fmt::format("--{}", name));
        if (const std::string_view rest = std::string_view(option.name).substr(name.size());
            !rest.empty())
            shown = fmt::format("{}, {}", bold(fmt::format("-{}", rest.substr(1))), shown);
        if (option.argument != nullptr) shown += " " + italic(option.argument);
        out += item(shown, option.help);
    }
    return out;
}

std::string page() {
    std::string out = heading(
        nullptr, "safe refresh, collection and inspection of a shared cache of directories");
    out += ".SH SYNOPSIS\n" + bold("cachetool") + " [" + italic("OPTION") + "...] " +
           italic("COMMAND") + " ...\n";
    out += ".SH DESCRIPTION\n" + body(description());
    out += ".SH COMMANDS\n";
    for (const auto& command : commands()) {
        if (!command.hidden) out += item(bold(page_name(&command)) + "(1)", command.summary);
    }
    out += ".SH OPTIONS\nOptions may stand before and after the command. Nothing after " +
           bold("--") + " is an option.\n" + items(global_options());
    out += ".SH EXIT STATUS\n";
    for (const auto& [code, meaning] : exit_codes())
        out += item(bold(std::to_string(code)), meaning);
    out += ".PP\n" + bold("exec") + " and " + bold("build") +
           " pass on the code of the command that they ran.\n";
    out += ".SH ENVIRONMENT\n";
    for (const auto& [name, meaning] : environment()) out += item(bold(name), meaning);
    return out;
}

std::string page(const Command& command) {
    std::string out = heading(&command, command.summary);
    out += fmt::format(".SH SYNOPSIS\n{} [{}...]{}{}\n",
                       bold(fmt::format("cachetool {}", command.name)), italic("OPTION"),
                       command.synopsis.empty() ? "" : " ", italic(command.synopsis));
    out += ".SH DESCRIPTION\n" + body(command.help);
    out += ".SH OPTIONS\n" + items(command.options);
    if (!command.options.empty()) out += ".PP\n";
    out += "The options that every command takes are in " + bold("cachetool") +
           "(1), as are the exit codes.\n.SH SEE ALSO\n" + bold("cachetool") + "(1)\n";
    return out;
}

struct ManualPage {
    std::string name;
    std::string text;
};

ManualPage main_page() { return {page_name(nullptr) + ".1", page()}; }
ManualPage page_of(const Command& command) { return {page_name(&command) + ".1", page(command)}; }

void write_json(JsonWriter& json, const ManualPage& page) {
    json.object([&] {
        json.field("name", page.name);
        json.field("text", page.text);
    });
}

std::vector<ManualPage> all_pages() {
    std::vector<ManualPage> pages = {main_page()};
    for (const auto& command : commands()) {
        if (!command.hidden) pages.push_back(page_of(command));
    }
    return pages;
}

Expected<> write_files(const std::vector<ManualPage>& pages,
                       const std::filesystem::path& directory) {
    std::error_code error;
    (void)system::retried(error, [&](std::error_code& each) {
        return std::filesystem::create_directories(directory, each);
    });
    if (error)
        return fail(system_failure(fmt::format("make the directory {}", system::text_of(directory)),
                                   error));
    for (const auto& one : pages) {
        const auto path = directory / system::path_of(one.name);
        std::ofstream file(path, std::ios::binary);
        file << one.text;
        file.close();
        if (!file)
            return fail(system_failure(fmt::format("write {}", system::text_of(path)),
                                       system::stream_error()));
    }
    return {};
}

/// Returns the one page that the command line asks for.
Expected<ManualPage> wanted_page(const ParsedArguments& arguments) {
    if (arguments.words.empty()) return main_page();
    const auto* command = find_command(commands(), arguments.words.front());
    if (command == nullptr)
        return fail_usage(fmt::format("there is no command \"{}\"; see cachetool --help",
                                      arguments.words.front()));
    return page_of(*command);
}

}  // namespace

CommandResult run_man(const ParsedArguments& arguments, const CommandOutput& output) {
    std::vector<ManualPage> pages;
    const auto* const directory = arguments.value_of("into");
    if (directory != nullptr) {
        if (!arguments.words.empty()) return fail_usage("man wants either COMMAND or --into DIR");
        pages = all_pages();
        LARDER_TRY(write_files(pages, system::path_of(*directory)));
    } else {
        LARDER_TRY_ASSIGN(auto page, wanted_page(arguments));
        pages.push_back(std::move(page));
    }
    if (output.json())
        return output.document(
            [&](JsonWriter& json) { json.object([&] { json.list("pages", pages); }); });
    return directory != nullptr ? done : output.text(pages.front().text);
}

}  // namespace cachetool
