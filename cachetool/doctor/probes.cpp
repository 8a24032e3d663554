// SPDX-License-Identifier: MIT
#include "cachetool/doctor/probes.hpp"

namespace cachetool::doctor {

std::string_view name_of(ProbeVerdict verdict) {
    switch (verdict) {
        case ProbeVerdict::ok:
            return "ok";
        case ProbeVerdict::limited:
            return "limited";
        case ProbeVerdict::broken:
            break;
    }
    return "broken";
}

}  // namespace cachetool::doctor
