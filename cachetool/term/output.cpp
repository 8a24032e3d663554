// SPDX-License-Identifier: MIT
#include "cachetool/term/output.hpp"

#include <fmt/core.h>

#include "cachetool/system/standard_streams.hpp"
#include "cachetool/term/colour.hpp"
#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using system::StandardStream;

/// Writes a message. The whole line is one write, so that the lines of several processes do not mix
/// on one terminal.
void write_message(std::string_view name, std::string_view sentence) {
    const auto line = fmt::format("{} {}\n", name, harmless(sentence));
    // If stderr can't be written to, there is no other place to report that.
    static_cast<void>(system::write_all(StandardStream::error, line));
}

std::string coloured_name(TextColour colour) {
    return coloured("cachetool:", colour, StandardStream::error);
}

/// Returns `exit_code` if everything that was written is safe, or else a failure.
CommandResult finish(std::error_code error, int exit_code) {
    if (!error) error = system::confirm_output();
    if (!error) return exit_code;
    if (error == std::errc::broken_pipe)
        return fail(Failure(FailureReport{.exit_code = broken_pipe, .code = "output"}));
    auto failure = system_failure("write to standard output", error);
    failure->code = "output";
    return fail(std::move(failure));
}

}  // namespace

std::string CommandOutput::advised(std::string_view text) const {
    constexpr std::string_view advice = "`cachetool ";
    std::string out;
    if (cache_.empty()) return std::string(text);
    for (std::size_t at = 0; (at = text.find(advice)) != std::string_view::npos;) {
        at += advice.size();
        out += fmt::format("{}--cache {} ", text.substr(0, at), shell_word(cache_));
        text.remove_prefix(at);
    }
    return out.append(text);
}

void CommandOutput::say(std::string_view sentence) const {
    if (!quiet_) write_message("cachetool:", advised(sentence));
}

void CommandOutput::say_lines(std::string_view lines) const {
    for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos;
         lines.remove_prefix(end + 1)) {
        say(lines.substr(0, end));
    }
}

void CommandOutput::warn(std::string_view sentence) const {
    write_message(coloured_name(TextColour::yellow), advised(sentence));
}

int CommandOutput::report(const Failure& failure) const {
    // The reader of the pipe has what it wanted, as in `cachetool ls | head`.
    if (failure->exit_code == broken_pipe) return broken_pipe;
    auto advising = *failure;
    advising.message = advised(failure->message);
    write_message(coloured_name(TextColour::red), advising.message);
    if (json_ && failure->code != "output") {
        const auto written = document([&](JsonWriter& json) {
            json.object([&] {
                json.field("error", advising);
                if (failure->write_done) failure->write_done(json);
            });
        });
        if (!written) write_message(coloured_name(TextColour::red), written.error()->message);
    }
    return failure->exit_code;
}

CommandResult CommandOutput::text(std::string_view text, int exit_code) const {
    return finish(system::write_all(StandardStream::output, text), exit_code);
}

CommandResult CommandOutput::pieces(const WriteText& write, int exit_code) const {
    constexpr std::size_t at_once = 64 * 1024;  // arbitrary: as much as a pipe holds
    std::error_code error;
    std::string waiting;
    const auto hand_over = [&] {
        if (!error) error = system::write_all(StandardStream::output, waiting);
        waiting.clear();
    };
    write([&](std::string_view text) {
        waiting += text;
        if (waiting.size() >= at_once) hand_over();
    });
    hand_over();
    return finish(error, exit_code);
}

CommandResult CommandOutput::document(const Write& write, int exit_code) const {
    std::error_code error;
    JsonWriter json(JsonWriter::Layout::indented, [&](std::string_view part) {
        if (!error) error = system::write_all(StandardStream::output, part);
    });
    write(json);
    json.finish();
    return finish(error, exit_code);
}

}  // namespace cachetool
