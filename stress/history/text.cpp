// SPDX-License-Identifier: MIT
#include "stress/history/text.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include <larder/try.hpp>

#include "stress/history/join.hpp"
#include "stress/system/files.hpp"

namespace larder::stress {

namespace {

using namespace std::string_view_literals;

constexpr std::pair<EventKind, std::string_view> kinds[] = {
    {EventKind::put, "put"},
    {EventKind::get, "get"},
    {EventKind::build, "build"},
    {EventKind::use, "use"},
    {EventKind::remove, "remove"},
    {EventKind::refresh, "refresh"},
    {EventKind::collect, "collect"},
    {EventKind::list, "list"},
    {EventKind::verify, "verify"},
    {EventKind::open, "open"},
    {EventKind::evict, "evict"},
    {EventKind::cut, "cut"},
    {EventKind::claim, "claim"},
    {EventKind::restart, "restart"},
    {EventKind::born, "born"},
    {EventKind::ended, "ended"},
    {EventKind::killed, "killed"},
    {EventKind::stopped, "stopped"},
    {EventKind::continued, "continued"},
};
constexpr std::pair<EventPhase, std::string_view> phases[] = {{EventPhase::begin, "begin"},
                                                              {EventPhase::middle, "middle"},
                                                              {EventPhase::end, "end"},
                                                              {EventPhase::instant, "instant"}};
constexpr std::pair<OpOutcome, std::string_view> outcomes[] = {
    {OpOutcome::none, "none"},    {OpOutcome::ok, "ok"},         {OpOutcome::miss, "miss"},
    {OpOutcome::busy, "busy"},    {OpOutcome::failed, "failed"}, {OpOutcome::unclear, "unclear"},
    {OpOutcome::broken, "broken"}};

template <class Table, class Value>
std::string_view word_for(const Table& table, Value value) {
    for (const auto& [known, word] : table) {
        if (known == value) return word;
    }
    return {};
}

template <class Table>
auto value_for(const Table& table, std::string_view word)
    -> std::optional<std::remove_cvref_t<decltype(table[0].first)>> {
    for (const auto& [value, known] : table) {
        if (known == word) return value;
    }
    return std::nullopt;
}

template <class Number>
bool parse_number(std::string_view word, Number& number) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc{} && end == word.data() + word.size();
}

std::vector<std::string_view> words_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    std::vector<std::string_view> words;
    for (;;) {
        const auto from = line.find_first_not_of(" \t\r");
        if (from == std::string_view::npos) return words;
        line.remove_prefix(from);
        const auto length = std::min(line.find_first_of(" \t\r"), line.size());
        words.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
}

using Parsed = tl::expected<LogEvent, std::string>;

template <class... Args>
tl::unexpected<std::string> wrong(fmt::format_string<Args...> text, Args&&... args) {
    return tl::make_unexpected(fmt::format(text, std::forward<Args>(args)...));
}

Parsed parse_instant(const std::vector<std::string_view>& words, LogEvent event) {
    event.phase = EventPhase::instant;
    const auto kind = value_for(kinds, words[2]);
    if (!kind || !is_instant(*kind)) {
        return wrong(
            "\"{}\" is nothing that happens to a process: write born, ended, killed, stopped or "
            "continued, or name an operation as PROCESS.THREAD.OPERATION",
            words[2]);
    }
    event.kind = *kind;
    if (words.size() != 4 || !parse_number(words[3], event.detail))
        return wrong("write the number of the process after \"{}\"", words[2]);
    return event;
}

/// Parses a word after the kind. Its form says what it is. Returns whether it was a bucket and a
/// key.
tl::expected<bool, std::string> parse_detail(std::string_view word, LogEvent& event) {
    const auto slash = word.find('/');
    if (slash != std::string_view::npos) {
        if (!parse_number(word.substr(0, slash), event.bucket) ||
            !parse_number(word.substr(slash + 1), event.key)) {
            return wrong("\"{}\" is no key: write BUCKET/KEY as two numbers", word);
        }
        return true;
    }
    if (parse_number(word, event.bucket)) return false;
    if (word.front() == 'v' && parse_number(word.substr(1), event.version)) return false;
    if (word == "power") return event.for_power = true, false;
    if (word.starts_with("detail="sv) && parse_number(word.substr(7), event.detail)) return false;
    if (const auto outcome = value_for(outcomes, word)) {
        event.outcome = *outcome;
        return false;
    }
    return wrong(
        "\"{}\" is neither a key (0/7), a version (v12), an outcome (ok, miss, busy, failed, "
        "unclear, broken), power nor detail=NUMBER",
        word);
}

Parsed parse_operation(const std::vector<std::string_view>& words, LogEvent event) {
    const auto who = words[1];
    const auto dot = who.find('.'), second = who.find('.', dot + 1);
    if (second == std::string_view::npos || !parse_number(who.substr(0, dot), event.process) ||
        !parse_number(who.substr(dot + 1, second - dot - 1), event.thread) ||
        !parse_number(who.substr(second + 1), event.operation)) {
        return wrong("\"{}\" names no operation: write PROCESS.THREAD.OPERATION as three numbers",
                     who);
    }
    const auto phase = value_for(phases, words[2]);
    if (!phase || *phase == EventPhase::instant)
        return wrong("\"{}\" is no phase: write begin, middle or end", words[2]);
    event.phase = *phase;
    const auto kind = words.size() > 3 ? value_for(kinds, words[3]) : std::nullopt;
    if (!kind || is_instant(*kind)) {
        return wrong(
            "\"{}\" is no operation: write put, get, build, use, remove, refresh, collect, list, "
            "verify, open, evict, cut or restart",
            words.size() > 3 ? words[3] : ""sv);
    }
    event.kind = *kind;
    bool has_key = false;
    for (std::size_t i = 4; i < words.size(); ++i) {
        LARDER_TRY_ASSIGN(const bool key, parse_detail(words[i], event));
        has_key = has_key || key;
    }
    if (names_a_key(*kind) && !has_key) return wrong("{} needs a key: write BUCKET/KEY", words[3]);
    if (event.phase == EventPhase::end && event.outcome == OpOutcome::none)
        return wrong("an end needs an outcome: write ok, miss, busy, failed, unclear or broken");
    return event;
}

Parsed parse_line(const std::vector<std::string_view>& words) {
    LogEvent event;
    if (!parse_number(words[0], event.time))
        return wrong("\"{}\" is no time: write nanoseconds", words[0]);
    if (words.size() < 3)
        return wrong(
            "a line needs a time, a process or operation, and a word that says what happened");
    if (parse_number(words[1], event.process)) return parse_instant(words, event);
    return parse_operation(words, event);
}

}  // namespace

std::string_view name_of(EventKind kind) noexcept { return word_for(kinds, kind); }
std::string_view name_of(EventPhase phase) noexcept { return word_for(phases, phase); }
std::string_view name_of(OpOutcome outcome) noexcept { return word_for(outcomes, outcome); }

std::string text_of(const LogEvent& event) {
    const auto word = [](std::string_view name) { return name.empty() ? "?"sv : name; };
    if (event.phase == EventPhase::instant)
        return fmt::format("{} {} {} {}", event.time, event.process, word(name_of(event.kind)),
                           event.detail);
    auto text = fmt::format("{} {}.{}.{} {} {}", event.time, event.process, event.thread,
                            event.operation, word(name_of(event.phase)), word(name_of(event.kind)));
    if (names_a_key(event.kind)) {
        text += fmt::format(" {}/{}", event.bucket, event.key);
    } else if (event.kind == EventKind::refresh || event.bucket != 0) {
        text += fmt::format(" {}", event.bucket);
    }
    if (event.version != 0) text += fmt::format(" v{}", event.version);
    if (event.for_power) text += " power";
    if (event.phase == EventPhase::end) text += fmt::format(" {}", word(name_of(event.outcome)));
    if (event.detail != 0) text += fmt::format(" detail={}", event.detail);
    return text;
}

LogEvent begin_of(const Operation& operation) noexcept {
    LogEvent event;
    event.time = operation.begin;
    event.version = operation.intended;
    event.process = operation.process;
    event.operation = operation.operation;
    event.bucket = operation.bucket;
    event.key = operation.key;
    event.thread = operation.thread;
    event.phase = EventPhase::begin;
    event.kind = operation.kind;
    event.for_power = operation.for_power;
    return event;
}

std::vector<LogEvent> events_of(const Operation& operation) {
    std::vector<LogEvent> events{begin_of(operation)};
    if (operation.middle != 0) {
        events.push_back(events.front());
        events.back().phase = EventPhase::middle;
        events.back().time = operation.middle;
        events.back().version = 0;
        events.back().for_power = false;
    }
    if (operation.finished) {
        events.push_back(events.front());
        events.back().phase = EventPhase::end;
        events.back().time = operation.end;
        events.back().version = operation.version;
        events.back().for_power = false;
        events.back().outcome = operation.outcome;
        events.back().detail = operation.detail;
    }
    return events;
}

std::string text_of(const std::vector<Operation>& operations,
                    const std::vector<ProcessIncident>& incidents, Time origin) {
    std::vector<LogEvent> events;
    for (const auto& operation : operations) {
        for (const auto& event : events_of(operation)) events.push_back(event);
    }
    for (const auto& incident : incidents) {
        LogEvent event;
        event.time = incident.time;
        event.detail = incident.process;
        event.phase = EventPhase::instant;
        event.kind = incident.kind;
        events.push_back(event);
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const LogEvent& a, const LogEvent& b) { return a.time < b.time; });
    std::string text;
    for (auto& event : events) {
        event.time -= origin;
        text += text_of(event) + '\n';
    }
    return text;
}

Result<History> parse_text(std::string_view text, const std::filesystem::path& name) {
    EventJoiner joiner;
    std::size_t number = 0;
    const auto refuse = [&](const std::string& what) {
        return failure(Errc::invalid, "read history", name,
                       fmt::format("line {}: {}", number, what));
    };
    while (!text.empty()) {
        ++number;
        const auto length = std::min(text.find('\n'), text.size());
        const auto words = words_of(text.substr(0, length));
        text.remove_prefix(std::min(length + 1, text.size()));
        if (words.empty()) continue;
        const auto event = parse_line(words);
        if (!event) return refuse(event.error());
        if (const auto added = joiner.add(*event); !added) return refuse(added.error());
    }
    auto history = joiner.finish();
    if (!history) return failure(Errc::invalid, "read history", name, history.error());
    return std::move(*history);
}

Result<History> read_text(const std::filesystem::path& file) {
    const auto text = read_whole_file(file);
    if (!text) return failure(text.error(), "read history", file);
    return parse_text(*text, file);
}

}  // namespace larder::stress
