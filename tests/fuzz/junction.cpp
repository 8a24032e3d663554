// SPDX-License-Identifier: MIT
// The data of junctions: each path has one spelling, and what is read can be written again. Other
// data are refused, and nothing beyond them is read.

#include "format/junction.hpp"

#include "os/windows/reparse.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::os;

namespace {

void check_data(std::string_view data) {
    const auto target = windows::parse_junction(data);
    const auto any = windows::parse_reparse(data);
    if (!target) return;
    must(any && any->tag == windows::junction_tag && any->target == *target,
         "what the strict parser takes, the other one takes as well");
    const auto made = windows::junction_data(*target);
    must(made.has_value(), "where a junction leads can be written");
    must(windows::parse_junction(*made) == target, "and read again");
}

void check_target(const std::string& target) {
    const auto made = windows::junction_data(target);
    if (made) must(windows::parse_junction(*made) == target, "what was written is read");
    const auto text = format::parse_junction_target(target);
    if (!text) return;
    must(std::string(text->root) + "/" + std::string(text->below) == target,
         "a target has two parts and nothing else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    check_data(text);
    check_target(std::string(text));
    return 0;
}
