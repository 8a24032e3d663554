// SPDX-License-Identifier: MIT
// cachetool: safe refresh, collection and inspection of a larder cache, for people and scripts.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/help.hpp"

namespace cachetool {
namespace {

Outcome run(const Arguments& arguments, const Output& output) {
    if (arguments.help) {
        if (output.json()) return output.document(help_json(arguments.command));
        return output.text(arguments.command == nullptr ? help_text()
                                                        : help_text(*arguments.command));
    }
    if (arguments.version) {
        if (output.json()) return output.document({{"version", LARDER_VERSION}});
        return output.text("cachetool " LARDER_VERSION "\n");
    }
    return arguments.command->run(arguments, output);
}

int run(const std::vector<std::string>& args) {
    const auto arguments = parse(args);
    if (!arguments) return Output(asks_for_json(args), false).tell(arguments.error());
    const Output output(arguments->json, arguments->quiet);
    const auto outcome = run(*arguments, output);
    return outcome ? *outcome : output.tell(outcome.error());
}

}  // namespace
}  // namespace cachetool

int main(int argc, char** argv) {
    cachetool::prepare_standard_streams();
    try {
        return cachetool::run({argv + (argc > 0 ? 1 : 0), argv + argc});
    } catch (const std::exception& error) {
        // The library throws nothing: this is memory that has run out, or a thread that could not be started.
        std::fprintf(stderr, "cachetool: %s\n", error.what());
        return cachetool::failed;
    }
}
