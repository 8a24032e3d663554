// SPDX-License-Identifier: MIT
// cachetool's command line, and how it prints text from outside.

#include <algorithm>

#include "cachetool/commands/table.hpp"
#include "cachetool/term/text.hpp"
#include "property.hpp"

using namespace larder::fuzz;

namespace {

void check_parse(const std::vector<std::string>& args) {
    (void)cachetool::asks_for_json(args);
    const auto parsed = cachetool::parse(args, cachetool::commands());
    if (!parsed) {
        must(parsed.error()->exit_code == 2, "a command line that makes no sense is wrong usage");
        return;
    }
    const bool asks = parsed->help || parsed->version;
    must(parsed->command != nullptr || asks, "there is a command, or a question");
    must(!parsed->cache || !parsed->cache->empty(), "a cache has a path");
    if (parsed->lock_timeout) {
        must(parsed->lock_timeout->count() >= 0 &&
                 parsed->lock_timeout->count() <= 1'000'000'000'000,
             "a wait has a sane limit");
    }
    if (asks) return;
    const auto& command = *parsed->command;
    must(parsed->words.size() >= command.min_words && parsed->words.size() <= command.max_words,
         "it has the words that it wants");
    must(command.runs_a_program == !parsed->program.empty(), "it has a program, if it runs one");
    for (const auto& [name, value] : parsed->options) {
        const auto is_it = [&, &wanted = name](const cachetool::OptionSpec& option) {
            return larder::options::long_name(option) == wanted;
        };
        must(std::any_of(command.options.begin(), command.options.end(), is_it),
             "it takes the option");
    }
    const auto is_given = [&](const std::string& word) {
        return std::find(args.begin(), args.end(), word) != args.end();
    };
    must(std::all_of(parsed->words.begin(), parsed->words.end(), is_given),
         "every word is one that was given");
    must(std::all_of(parsed->program.begin(), parsed->program.end(), is_given),
         "and so is every word of the program");
}

void check_text(std::string_view text) {
    for (const std::string& safe : {cachetool::harmless(text), cachetool::shown(text)}) {
        must(std::none_of(safe.begin(), safe.end(),
                          [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
             "nothing that is shown controls a terminal");
        must(cachetool::harmless(safe) == safe, "what is safe stays as it is");
    }
}

}  // namespace

/// Arguments, each ended by a newline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    if (text.find('\0') != std::string_view::npos) return 0;  // no argument has a zero byte
    check_parse(split(text, '\n'));
    check_text(text);
    return 0;
}
