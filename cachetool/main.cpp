// SPDX-License-Identifier: MIT
// cachetool: safe refresh, collection and inspection of a larder cache, for people and scripts.
#include <cstdio>
#include <exception>
#include <new>

#include "cachetool/cli/help.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/doctor/parts.hpp"
#include "cachetool/system/command_line.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/system/standard_streams.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

CommandResult print_help(const Command* command, const CommandOutput& output) {
    if (output.json())
        return output.document([&](JsonWriter& json) { write_help(json, commands(), command); });
    return output.text(command == nullptr ? help_text(commands()) : help_text(*command));
}

CommandResult print_version(const CommandOutput& output) {
    if (!output.json()) return output.text("cachetool " LARDER_VERSION "\n");
    return output.document(
        [](JsonWriter& json) { json.object([&] { json.field("version", LARDER_VERSION); }); });
}

/// Returns the cache that the options or the environment name, or nothing.
std::string named_cache(const ParsedArguments& arguments) {
    if (arguments.cache) return system::text_of(*arguments.cache);
    return system::environment_variable("LARDER_CACHE_DIR").value_or("");
}

int run(const std::vector<std::string>& args) {
    const auto arguments = parse(args, commands());
    if (!arguments) return CommandOutput(asks_for_json(args), false).report(arguments.error());
    const CommandOutput output(arguments->json, arguments->quiet, named_cache(*arguments));
    const auto result = arguments->help      ? print_help(arguments->command, output)
                        : arguments->version ? print_version(output)
                                             : arguments->command->run(*arguments, output);
    return result ? *result : output.report(result.error());
}

}  // namespace
}  // namespace cachetool

int main(int argc, char** argv) {
    cachetool::system::prepare_standard_streams();
    try {
        const auto words = cachetool::system::command_words(argc, argv);
        if (const auto code = cachetool::doctor::play_part_of(words)) return *code;
        return cachetool::run(words);
    } catch (const std::exception& error) {
        // The library throws nothing of its own: memory has run out, or a thread could not be
        // started. Write this without memory, too.
        const bool no_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
        for (const char* const part :
             {"cachetool: ", no_memory ? "memory has run out" : error.what(), "\n"})
            std::fputs(part, stderr);
        return cachetool::failed;
    }
}
