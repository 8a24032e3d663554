// SPDX-License-Identifier: MIT
// The installer's RECORD: what is read can be written and read again.

#include <installer/record.hpp>

#include "property.hpp"

using namespace larder::fuzz;

namespace {

bool is_same(const installer::RecordLine& one, const installer::RecordLine& other) {
    return one.path == other.path && one.hash == other.hash && one.size == other.size;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto lines = installer::parse_record(text_of(data, size));
    if (!lines) return 0;
    for (const auto& line : *lines) {
        must(!line.path.empty(), "a line has a path");
        must(line.size.find_first_not_of("0123456789") == std::string::npos,
             "a size is a number, or nothing");
    }
    const auto again = installer::parse_record(installer::write_record(*lines));
    must(again && again->size() == lines->size(), "what is written reads back");
    for (std::size_t i = 0; i < lines->size(); ++i)
        must(is_same((*again)[i], (*lines)[i]), "and is the same");
    return 0;
}
