#include "help.hpp"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <sstream>

#include "command.hpp"

namespace cachetool {
namespace {

std::string list(const std::string& title, std::span<const Option> options) {
    namespace po = boost::program_options;
    po::options_description description(title, 100);
    for (const auto& option : options) {
        if (option.argument == nullptr) {
            description.add_options()(option.name, option.help);
        } else {
            description.add_options()(option.name, po::value<std::string>()->value_name(option.argument), option.help);
        }
    }
    std::ostringstream out;
    out << description;
    return out.str();
}

Json json_of(std::span<const Option> options) {
    Json array = Json::array();
    for (const auto& option : options) {
        array.push_back({{"name", long_name(option)},
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

std::string help_text() {
    std::string out =
        "usage: cachetool [--cache DIR] [--json] [--quiet] [--lock-timeout SECONDS] COMMAND ...\n\n"
        "A cache of directories for many processes. A purge takes effect at once, waits for nobody, and never\n"
        "takes a file away from a process that is using it.\n\n";
    for (const auto& command : commands()) {
        if (!command.hidden) out += fmt::format("  {:<11}{}\n", command.name, command.summary);
    }
    out += "\n" + list("Options, before or after the command", global_options());
    out +=
        "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no such entry, 4 busy or timed out, 5 damaged;\n"
        "exec and build pass on the command's own.\n";
    return out;
}

std::string help_text(const Command& command) {
    std::string out =
        fmt::format("usage: cachetool {}{}{}{}\n\n{}\n", command.name, command.options.empty() ? "" : " [OPTION...]",
                    command.synopsis.empty() ? "" : " ", command.synopsis, command.help);
    if (!command.options.empty()) out += "\n" + list("Options", command.options);
    out += "\nFor the options that every command takes: cachetool --help\n";
    return out;
}

Json help_json(const Command* command) {
    Json table = Json::array();
    for (const auto& one : commands()) {
        if (command == nullptr || command == &one) table.push_back(json_of(one));
    }
    return {{"help", command == nullptr ? help_text() : help_text(*command)}, {"commands", std::move(table)}, {"options", json_of(global_options())}};
}

}  // namespace cachetool
