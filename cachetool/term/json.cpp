// SPDX-License-Identifier: MIT
#include "cachetool/term/json.hpp"

#include <nlohmann/json.hpp>

namespace cachetool {
namespace {

using nlohmann::json;

// Arbitrary: as much as a pipe holds.
constexpr std::size_t longest_buffer = 64 * 1024;

std::string quoted(std::string_view text) {
    return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

void JsonWriter::append(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() < longest_buffer) return;
    sink_(buffer_);
    buffer_.clear();
}

void JsonWriter::break_line() {
    if (layout_ == Layout::line) return;
    append("\n");
    append(std::string(2 * depth_, ' '));
}

/// Writes what stands between the value before and the next one.
void JsonWriter::begin_value() {
    if (std::exchange(after_name_, false) || depth_ == 0) return;
    if (!std::exchange(is_empty_, false)) append(",");
    break_line();
}

void JsonWriter::open(char bracket) {
    begin_value();
    append({&bracket, 1});
    ++depth_;
    is_empty_ = true;
}

void JsonWriter::close(char bracket) {
    --depth_;
    if (!std::exchange(is_empty_, false)) break_line();
    append({&bracket, 1});
}

void JsonWriter::name(std::string_view field) {
    begin_value();
    append(quoted(field));
    append(layout_ == Layout::line ? ":" : ": ");
    after_name_ = true;
}

void JsonWriter::value(std::string_view text) {
    begin_value();
    append(quoted(text));
}

void JsonWriter::value(std::nullptr_t) {
    begin_value();
    append("null");
}

void JsonWriter::flag_value(bool flag) {
    begin_value();
    append(flag ? "true" : "false");
}

void JsonWriter::unsigned_value(std::uint64_t number) {
    begin_value();
    append(std::to_string(number));
}

void JsonWriter::signed_value(std::int64_t number) {
    begin_value();
    append(std::to_string(number));
}

void JsonWriter::finish() {
    append("\n");
    sink_(buffer_);
    buffer_.clear();
}

std::string json_line(const std::function<void(JsonWriter&)>& write) {
    std::string line;
    JsonWriter writer(JsonWriter::Layout::line, [&](std::string_view part) { line += part; });
    write(writer);
    writer.finish();
    return line;
}

std::optional<FlatObject> read_object(std::string_view text) {
    const auto document = json::parse(text, nullptr, false);
    if (!document.is_object()) return std::nullopt;
    FlatObject object;
    for (const auto& [name, value] : document.items()) {
        if (value.is_string()) object.texts[name] = value.get<std::string>();
        if (value.is_number_unsigned()) object.numbers[name] = value.get<std::uint64_t>();
    }
    return object;
}

}  // namespace cachetool
