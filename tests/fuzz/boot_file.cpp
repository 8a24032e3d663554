// SPDX-License-Identifier: MIT
// A file of a boot, the file that says that an entry was judged, and that of a root: each has one
// spelling.

#include "format/boot_file.hpp"

#include "format/judged_file.hpp"
#include "format/root_file.hpp"
#include "property.hpp"

using namespace larder;
using namespace larder::fuzz;
using namespace larder::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const BootFile file = parse_boot_file(text);
    if (file.watermark) {
        must(print_boot_file(file) == text, "a watermark has one spelling only");
        must(!parse_boot_file(text.substr(0, size - 1)).watermark, "what is cut off is none");
        must(size <= max_boot_file, "no file of a boot is too long to be read");
    }
    if (const auto root = parse_root_file(text)) {
        must(print_root_file(*root) == text, "a root has one spelling only");
        must(!parse_root_file(text.substr(0, size - 1)), "what is cut off is none");
        must(size <= max_root_file, "no root is too long to be read");
    }
    if (const auto judged = parse_judged_file(text)) {
        must(print_judged_file(*judged) == text, "a judgement has one spelling only");
        must(!parse_judged_file(text.substr(0, size - 1)), "what is cut off is none");
        must(size <= max_judged_file, "no judgement is too long to be read");
    }
    return 0;
}
