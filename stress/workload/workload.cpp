// SPDX-License-Identifier: MIT
#include "stress/workload/workload.hpp"

#include <cstdlib>

namespace larder::stress {

std::unique_ptr<Workload> make_workload(std::string_view name) {
    for (const auto make : {make_writer, make_reader, make_keeper, make_forker, make_tool_user}) {
        if (auto made = make(name)) return made;
    }
    std::abort();  // the parser of scenarios accepts no other names
}

}  // namespace larder::stress
