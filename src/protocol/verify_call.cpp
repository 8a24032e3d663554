// SPDX-License-Identifier: MIT
#include "protocol/verify_call.hpp"

namespace larder::protocol {

Result<> VerifyCall::report_no_directory(const os::Dir& parent, const std::string& name) {
    return report_blocked(parent, name, cache::no_directory);
}

Result<> VerifyCall::report_blocked(const os::Dir& dir, const std::string& name, const char* what) {
    if (findings.has(dir / name)) return {};
    Finding& finding = findings.add(Finding::Kind::blocked, dir / name, what);
    if (!options.repair) return {};
    const auto moved = root.set_aside(dir, name);
    finding.repaired = moved.has_value();
    return findings.note_repair(1, moved);
}

void VerifyCall::note_readable(Error denied) {
    denied.detail.clear();  // it says what to do, which is done
    Finding& finding = findings.add(Finding::Kind::unreadable, denied.path,
                                    denied.message() + "; its owner may read it now");
    finding.repaired = true;
}

}  // namespace larder::protocol
