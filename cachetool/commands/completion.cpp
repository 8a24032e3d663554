// SPDX-License-Identifier: MIT
// The commands `completion`, which prints a shell's script, and `complete`, which the scripts ask.
#include <fmt/format.h>
#include <map>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/complete.hpp"
#include "cachetool/cli/shell_word.hpp"
#include "cachetool/term/json.hpp"

namespace cachetool {
namespace {

// Each script asks the program whose name stands at the beginning of the line, so that another build of it completes its own
// commands. The answer's first line is a Completion::Kind; then comes a line for each candidate, which is never empty and has
// no control characters.

// Bash hands over quotes, and half of them, as they are typed, in words that also end at ':' and '='. So the whole line goes to
// `complete`, and
// "$2", the text that readline is going to replace.
constexpr const char* bash_script = R"(# bash completion for cachetool
_cachetool() {
    local tool=${COMP_WORDS[0]/#\~\//$HOME/} answer=()
    mapfile -t answer < <("$tool" complete --readline -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
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

/// The words up to the cursor, without the program's name.
std::vector<std::string> typed_words(const Arguments& arguments) {
    if (!arguments.has("readline")) return arguments.words;
    auto words = split_shell_line(arguments.words.empty() ? "" : arguments.words.front()).words;
    words.erase(words.begin());
    return words;
}

}  // namespace

Outcome run_completion(const Arguments& arguments, const Output& output) {
    static const std::map<std::string, const char*> scripts = {
        {"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
    const auto script = scripts.find(arguments.words.front());
    if (script == scripts.end()) return fail_usage("completion wants bash, zsh or fish");
    if (output.json())
        return output.document({{"shell", script->first}, {"script", script->second}});
    return output.text(script->second);
}

Outcome run_complete(const Arguments& arguments, const Output& output) {
    const auto completion = complete(typed_words(arguments));
    if (output.json()) {
        Json candidates = Json::array();
        for (const auto& candidate : completion.candidates)
            candidates.push_back({{"text", candidate.text}, {"help", candidate.help}});
        return output.document(
            {{"kind", name_of(completion.kind)}, {"candidates", std::move(candidates)}});
    }
    std::string text = fmt::format("{}\n", name_of(completion.kind));
    if (arguments.has("readline")) {
        std::vector<std::string> words;
        for (const auto& candidate : completion.candidates) words.push_back(candidate.text);
        if (arguments.words.size() == 2)
            words = readline_words(arguments.words[0], arguments.words[1], words);
        for (const auto& word : words) text += word + "\n";
    } else {
        for (const auto& [word, help] : completion.candidates)
            text += fmt::format("{}{}{}\n", word, help.empty() ? "" : "\t", help);
    }
    return output.text(text);
}

}  // namespace cachetool
