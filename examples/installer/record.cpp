#include "record.hpp"

namespace installer {

namespace {

/// Takes one field off the front of `rest`, up to the comma or line's end that follows it. False where the quoting is wrong.
bool take_field(std::string_view& rest, std::string& field) {
    field.clear();
    if (rest.empty() || rest.front() != '"') {
        const auto end = std::min(rest.find_first_of(",\r\n"), rest.size());
        field = rest.substr(0, end);
        rest.remove_prefix(end);
        return field.find('"') == std::string::npos;
    }
    rest.remove_prefix(1);
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c != '"') {
            field += c;
        } else if (!rest.empty() && rest.front() == '"') {
            field += '"';
            rest.remove_prefix(1);
        } else {
            return rest.empty() || rest.find_first_of(",\r\n") == 0;
        }
    }
    return false;
}

bool take(std::string_view& rest, std::string_view what) {
    if (!rest.starts_with(what)) return false;
    rest.remove_prefix(what.size());
    return true;
}

std::string quoted(const std::string& field) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string text = "\"";
    for (const char c : field) {
        if (c == '"') text += '"';
        text += c;
    }
    return text + '"';
}

}  // namespace

std::optional<std::vector<RecordLine>> parse_record(std::string_view text) {
    std::vector<RecordLine> lines;
    while (!text.empty()) {
        if (take(text, "\r\n") || take(text, "\n")) continue;  // an empty line says nothing
        RecordLine line;
        if (!take_field(text, line.path) || !take(text, ",") || !take_field(text, line.hash) || !take(text, ",") ||
            !take_field(text, line.size)) {
            return std::nullopt;
        }
        if (!text.empty() && !take(text, "\r\n") && !take(text, "\n")) return std::nullopt;
        if (line.path.empty() || line.size.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string write_record(const std::vector<RecordLine>& lines) {
    std::string text;
    for (const auto& line : lines) text += quoted(line.path) + ',' + quoted(line.hash) + ',' + line.size + '\n';
    return text;
}

}  // namespace installer
