// SPDX-License-Identifier: MIT
// The command completion, which prints a shell's script, and the command complete, which the
// scripts ask.
#include <fmt/core.h>
#include <map>
#include <set>

#include <larder/cache.hpp>

#include "cachetool/cli/complete.hpp"
#include "cachetool/cli/shell_word.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/commands/table.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

using Strings = std::vector<std::string>;

// Each script asks the program whose name begins the line, so that another build of cachetool
// completes its own commands. The first line of the answer is a Completion::Kind. Then each
// candidate has a line, which is never empty and has no control characters.

// Bash hands over words that end at ':' and '=', with their quotes as they are typed, and with half
// of them. So `complete` gets the whole line, and "$2", the text that readline is going to replace.
constexpr const char* bash_script = R"(# bash completion for cachetool
_cachetool() {
    local tool=${COMP_WORDS[0]/#\~\//$HOME/} answer=()
    mapfile -t answer < <(
        "$tool" complete --readline -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null
    )
    COMPREPLY=()
    case ${answer[0]-} in
        words)
            COMPREPLY=("${answer[@]:1}")
            ;;
        files | arguments)
            compopt -o default 2>/dev/null
            ;;
        directories)
            compopt -o dirnames 2>/dev/null
            ;;
        command)
            mapfile -t COMPREPLY < <(compgen -c -- "$2")
            ;;
    esac
}
complete -F _cachetool cachetool
)";

constexpr const char* zsh_script = R"(#compdef cachetool
# zsh completion for cachetool
_cachetool() {
    local tool=${(Q)words[1]} line dashes
    local -a answer texts shown
    tool=${tool/#\~\//$HOME/}
    answer=("${(@f)$("$tool" complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case $answer[1] in
        words)
            for line in "${(@)answer[2,-1]}"; do
                texts+=("${line%%$'\t'*}")
                shown+=("${line/$'\t'/  -- }")
            done
            (( $#texts )) && compadd -l -d shown -a -- texts
            ;;
        files)
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files
            ;;
        directories)
            [[ $PREFIX == --*=* ]] && compset -P '*='
            _files -/
            ;;
        command | arguments)
            dashes=${words[(I)--]}
            (( dashes < CURRENT )) || return 1
            shift $dashes words
            (( CURRENT -= dashes ))
            _normal
            ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cachetool "$@"
else
    compdef _cachetool cachetool
fi
)";

constexpr const char* fish_script = R"(# fish completion for cachetool
function __cachetool_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct | string unescape)
    test (count $current) -eq 1; or set current (commandline -ct | string trim --left --chars \"\')
    set -l tool (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l answer ($tool complete -- $words[2..] "$current" 2>/dev/null)
    switch "$answer[1]"
        case words
            printf '%s\n' $answer[2..]
        case files arguments
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current")
        case directories
            __fish_complete_directories (string replace -r '^--[^=]*=' '' -- "$current") ''
        case command
            __fish_complete_command
    end
end
complete -c cachetool -f -a '(__cachetool_complete)'
)";

/// Returns the words up to the cursor, without the program's name.
Strings typed_words(const ParsedArguments& arguments) {
    if (!arguments.has("readline")) return arguments.words;
    auto words = split_shell_line(arguments.words.empty() ? "" : arguments.words.front()).words;
    words.erase(words.begin());
    return words;
}

/// Expands a "~" as the shell would if it ran the line.
std::string expand_home(const std::string& path) {
    const auto home = system::environment_variable("HOME");
    if (!home || (path != "~" && !path.starts_with("~/"))) return path;
    return *home + path.substr(1);
}

/// Opens the cache that the line names, for reading. Returns nullopt if it can't be read.
std::optional<larder::Cache> open_quietly(const NameQuestion& question) {
    ParsedArguments arguments;
    if (question.cache) arguments.cache = expand_home(*question.cache);
    const auto root = cache_root(arguments);
    if (!root) return std::nullopt;
    larder::OpenOptions options;
    options.allow_unsafe = question.allow_unsafe;
    options.read_only = true;
    auto cache = larder::Cache::open(*root, options);
    return cache ? std::optional(std::move(*cache)) : std::nullopt;
}

Strings names_in_cache(const NameQuestion& question) {
    const auto cache = open_quietly(question);
    if (!cache) return {};
    if (question.wanted == "BUCKET" && question.command == "trash") {
        std::set<std::string> buckets;
        for (const auto& entry : cache->trash().value_or(std::vector<larder::EntryInfo>()))
            buckets.insert(entry.bucket);
        return {buckets.begin(), buckets.end()};
    }
    if (question.wanted == "BUCKET" && question.command == "unpin") {
        std::set<std::string> buckets;
        for (const auto& pin : cache->pins().value_or(std::vector<larder::PinInfo>()))
            buckets.insert(pin.bucket);
        return {buckets.begin(), buckets.end()};
    }
    if (question.wanted == "BUCKET") return cache->buckets().value_or(Strings());
    if (question.wanted == "ID") {
        Strings ids;
        for (auto& entry : cache->trash().value_or(std::vector<larder::EntryInfo>()))
            ids.push_back(std::move(entry.id));
        return ids;
    }
    if (question.words.empty()) return {};
    if (question.command == "unpin") {
        Strings keys;
        for (auto& pin : cache->pins().value_or(std::vector<larder::PinInfo>())) {
            if (pin.bucket == question.words.front()) keys.push_back(std::move(pin.key));
        }
        return keys;
    }
    return cache->bucket(question.words.front())
        .and_then([](const larder::Bucket& bucket) { return bucket.keys(); })
        .value_or(Strings());
}

/// Returns what bash puts in place of the text that is being typed, a line for each candidate.
std::string readline_lines(const ParsedArguments& arguments, const Completion& completion) {
    Strings words;
    for (const auto& candidate : completion.candidates) words.push_back(candidate.text);
    if (arguments.words.size() == 2)
        words = readline_words(arguments.words[0], arguments.words[1], words);
    std::string lines;
    for (const auto& word : words) lines += word + "\n";
    return lines;
}

}  // namespace

CommandResult run_completion(const ParsedArguments& arguments, const CommandOutput& output) {
    static const std::map<std::string, const char*> scripts = {
        {"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    const auto script = scripts.find(arguments.words.front());
    if (script == scripts.end()) return fail_usage("completion wants bash, zsh or fish");
    if (!output.json()) return output.text(script->second);
    return output.document([&](JsonWriter& json) {
        json.object([&] {
            json.field("shell", script->first);
            json.field("script", script->second);
        });
    });
}

CommandResult run_complete(const ParsedArguments& arguments, const CommandOutput& output) {
    const auto completion = complete(typed_words(arguments), commands(), names_in_cache);
    if (output.json())
        return output.document([&](JsonWriter& json) {
            json.object([&] {
                json.field("kind", name_of(completion.kind));
                json.list("candidates", completion.candidates);
            });
        });
    auto text = fmt::format("{}\n", name_of(completion.kind));
    if (arguments.has("readline")) {
        text += readline_lines(arguments, completion);
    } else {
        for (const auto& [word, help] : completion.candidates)
            text += fmt::format("{}{}{}\n", word, help.empty() ? "" : "\t", help);
    }
    return output.text(text);
}

}  // namespace cachetool
