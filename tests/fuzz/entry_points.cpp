// SPDX-License-Identifier: MIT
// The installer's entry_points.txt: it becomes the name of a file and the text of a program.

#include <algorithm>
#include <installer/entry_points.hpp>

#include "property.hpp"

using namespace larder::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto scripts = installer::parse_entry_points(text_of(data, size));
    if (!scripts) return 0;
    for (const auto& script : *scripts) {
        must(is_one_name(script.name) && script.name.front() != '.' && script.name.front() != '-',
             "a command's name is a plain name");
        for (const auto* reference : {&script.module, &script.attribute}) {
            must(!reference->empty() &&
                     reference->find_first_of(" \t\r\n'\"\\;()#/") == std::string::npos,
                 "a reference is one of names");
        }
        const std::string text = installer::script_text(script, "/usr/bin/python3");
        must(std::count(text.begin(), text.end(), '\n') == 5,
             "the program has the lines that it should have, and no more");
    }
    return 0;
}
