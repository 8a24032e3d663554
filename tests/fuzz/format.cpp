// SPDX-License-Identifier: MIT
// The file `format`: it is ours in one spelling for each cache, newer or older by its first line,
// and otherwise unknown.

#include "format/format_file.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const FormatRead read = parse_format(text);
    if (read.kind == FormatRead::Kind::ours) {
        must(print_format(read.format) == text, "a format is ours in one spelling only");
        must(parse_format(text.substr(0, size - 1)).kind == FormatRead::Kind::unknown,
             "what is cut off is none");
    }
    if (read.kind == FormatRead::Kind::newer || read.kind == FormatRead::Kind::older) {
        must(text.starts_with(format_begin) && text.find('\n') != std::string_view::npos,
             "what is newer or older begins as a format does");
        const auto line = text.substr(0, text.find('\n') + 1);
        must(parse_format(line).kind == read.kind, "its first line alone says so");
    }
    return 0;
}
