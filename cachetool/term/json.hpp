// SPDX-License-Identifier: MIT
// JSON, written piece by piece and read line by line. json.cpp is the one file that knows
// nlohmann/json, whose header takes a second to compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace cachetool {

/// Writes one JSON document into a sink, piece by piece, so that a long document needs little
/// memory. The caller writes one value, most often an object:
///
///     json.object([&] {
///         json.field("bucket", name);
///         json.list("removed", keys);
///     });
///
/// JSON is UTF-8, and texts may hold any bytes: bytes that are not UTF-8 become U+FFFD.
class JsonWriter {
public:
    enum class Layout {
        indented,  ///< each field and element on a line of its own
        line,      ///< the document is one line
    };
    using Sink = std::function<void(std::string_view)>;

    JsonWriter(Layout layout, Sink sink) : layout_(layout), sink_(std::move(sink)) {}
    /// For json_element.
    JsonWriter(std::size_t depth, Sink sink)
        : layout_(Layout::indented), sink_(std::move(sink)), depth_(depth), after_name_(true) {}

    /// Writes an object, whose fields `write_fields` writes.
    template <std::invocable Write>
    void object(Write&& write_fields) {
        open('{');
        write_fields();
        close('}');
    }
    /// Writes an array, whose elements `write_elements` writes.
    template <std::invocable Write>
    void array(Write&& write_elements) {
        open('[');
        write_elements();
        close(']');
    }
    /// Writes the name of a field. The next value is the field's.
    void name(std::string_view field);

    void value(std::string_view text);
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(const char* text) { value(std::string_view(text)); }
    void value(std::nullptr_t);
    template <std::same_as<bool> Bool>
    void value(Bool flag) {
        flag_value(flag);
    }
    template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>) void value(Number number) { unsigned_value(number); }
    template <std::signed_integral Number>
    void value(Number number) {
        signed_value(number);
    }
    /// Writes null if `maybe` is empty.
    template <class Value>
    void value(const std::optional<Value>& maybe) {
        maybe ? value(*maybe) : value(nullptr);
    }
    /// Writes a value that has a function write_json of its own.
    template <class Value>
    requires requires(JsonWriter& json, const Value& value) { write_json(json, value); }
    void value(const Value& value) { write_json(*this, value); }

    /// Writes a field: its name and its value.
    template <class Value>
    void field(std::string_view field, const Value& contents) {
        name(field);
        value(contents);
    }
    /// Writes a field that is an array of `values`.
    template <class Range>
    void list(std::string_view field, const Range& values) {
        name(field);
        array([&] {
            for (const auto& one : values) value(one);
        });
    }

    /// Writes an element that json_element has printed.
    void printed_element(std::string_view text) {
        begin_value();
        append(text);
    }

    /// Hands the rest of the document to the sink, and ends its last line.
    void finish();
    /// Hands what was written by now to the sink.
    void flush();

private:
    void open(char bracket);
    void close(char bracket);
    void begin_value();
    void break_line();
    void append(std::string_view text);
    void flag_value(bool flag);
    void unsigned_value(std::uint64_t number);
    void signed_value(std::int64_t number);

    Layout layout_;
    Sink sink_;
    std::string buffer_;
    std::size_t depth_ = 0;
    bool is_empty_ = true;     ///< the innermost object or array has nothing in it yet
    bool after_name_ = false;  ///< the next value is that of a field
};

/// Prints a value as an indented document does that has it `depth` objects and arrays deep. So a
/// value can be printed before it is known where in the document it comes.
[[nodiscard]] std::string json_element(std::size_t depth,
                                       const std::function<void(JsonWriter&)>& write);

/// Returns a document that is one line, with its line break.
[[nodiscard]] std::string json_line(const std::function<void(JsonWriter&)>& write);

/// A JSON object that was read: its texts and its whole numbers by their names. Other fields are
/// not kept.
struct FlatObject {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::uint64_t> numbers;
};

/// Reads an object. Returns nullopt if `text` is no JSON object.
[[nodiscard]] std::optional<FlatObject> read_object(std::string_view text);

}  // namespace cachetool
