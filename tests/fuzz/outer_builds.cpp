// SPDX-License-Identifier: MIT
// The builds that a program works for, from its environment: whatever is read is printed and read
// again as the same builds, and builds that stand beside any text are found.

#include "format/outer_builds.hpp"

#include "property.hpp"

using namespace larder::fuzz;
using namespace larder::format;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    const auto builds = parse_outer_builds(text);
    for (const auto& build : builds)
        must(build.lock != 0 && !build.root.empty() && !build.key_path.empty(),
             "a build has a lock, a root and a key");
    must(parse_outer_builds(print_outer_builds(builds)) == builds, "what is read can be printed");
    const OuterBuild one{text + "/", 1, size, "/" + text};
    must(parse_outer_builds(print_outer_builds({one})) == std::vector{one},
         "any root and any key are kept");
    const auto beside = parse_outer_builds(text + "," + print_outer_builds({one}));
    must(beside.size() == builds.size() + 1 && beside.back() == one, "no text hides a build");
    return 0;
}
