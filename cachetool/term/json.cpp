// SPDX-License-Identifier: MIT
#include "cachetool/term/json.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace cachetool {
namespace {

using nlohmann::json;

// Arbitrary: as much as a pipe holds.
constexpr std::size_t longest_buffer = 64 * 1024;

/// Returns a text as JSON. The writer of nlohmann's leaves some characters as they are that control
/// a terminal (U+007F to U+009F) or end a line (U+2028, U+2029). They become escapes here.
std::string quoted(std::string_view text) {
    const std::string printed = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    std::string safe;
    for (std::size_t i = 0; i < printed.size(); ++i) {
        const std::string_view rest = std::string_view(printed).substr(i);
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
        if (rest[0] == '\x7f') {
            safe += "\\u007f";
        } else if (rest[0] == '\xc2' && byte(1) < 0xa0) {
            safe += fmt::format("\\u{:04x}", byte(1));
            ++i;
        } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
            safe += rest.starts_with("\u2028") ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            safe += rest[0];
        }
    }
    return safe;
}

/// Keeps the texts and whole numbers of the outermost object. (A document of nlohmann's needs
/// memory in its destructor, which ends the process if there is none.)
class FlatObjectReader final : public nlohmann::json_sax<json> {
public:
    [[nodiscard]] bool is_object() const { return is_object_; }
    [[nodiscard]] FlatObject object() && { return std::move(object_); }

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t number) override {
        if (depth_ == 1) object_.numbers[name_] = number;
        return true;
    }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t& text) override {
        if (depth_ == 1) object_.texts[name_] = std::move(text);
        return true;
    }
    bool binary(binary_t&) override { return true; }
    bool key(string_t& name) override {
        if (depth_ == 1) name_ = std::move(name);
        return true;
    }
    bool start_object(std::size_t) override {
        is_object_ = is_object_ || depth_ == 0;
        ++depth_;
        return true;
    }
    bool end_object() override {
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override {
        ++depth_;
        return true;
    }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
        return false;
    }

private:
    FlatObject object_;
    string_t name_;
    std::size_t depth_ = 0;
    bool is_object_ = false;
};

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
    flush();
}

void JsonWriter::flush() {
    sink_(buffer_);
    buffer_.clear();
}

std::string json_element(std::size_t depth, const std::function<void(JsonWriter&)>& write) {
    std::string text;
    JsonWriter writer(depth, [&](std::string_view part) { text += part; });
    write(writer);
    writer.flush();
    return text;
}

std::string json_line(const std::function<void(JsonWriter&)>& write) {
    std::string line;
    JsonWriter writer(JsonWriter::Layout::line, [&](std::string_view part) { line += part; });
    write(writer);
    writer.finish();
    return line;
}

std::optional<FlatObject> read_object(std::string_view text) {
    FlatObjectReader reader;
    if (!json::sax_parse(text, &reader) || !reader.is_object()) return std::nullopt;
    return std::move(reader).object();
}

}  // namespace cachetool
