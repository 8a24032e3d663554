// SPDX-License-Identifier: MIT
// The two ways out: data on stdout, talk on stderr.
#pragma once

#include <string>
#include <string_view>

#include "cachetool/cli/failure.hpp"

namespace cachetool {

class Output {
public:
    Output(bool json, bool quiet) noexcept : json_(json), quiet_(quiet) {}

    [[nodiscard]] bool json() const noexcept { return json_; }
    [[nodiscard]] bool talks() const noexcept { return !quiet_; }

    /// Tells a person what goes on, on stderr, at once; silent with --quiet.
    void say(std::string_view sentence) const;
    /// The same for what must be heard even so.
    void warn(std::string_view sentence) const;
    /// Tells the failure on stderr and, with --json, on stdout. Returns the exit code.
    [[nodiscard]] int tell(const Failure& failure) const;

    /// Writes the command's data, whole, and yields `exit_code`, or a failure where it could not be written.
    [[nodiscard]] Outcome text(std::string_view text, int exit_code = done) const;
    [[nodiscard]] Outcome document(const Json& document, int exit_code = done) const;

    /// A document on a line of its own, where one command writes several.
    [[nodiscard]] static std::string line_of(const Json& document);

private:
    bool json_;
    bool quiet_;
};

/// Call first in main. Afterwards the descriptors 0, 1 and 2 are open (a closed stdout fails when it is written to, where
/// otherwise the cache's own files would take its number, and get the output), and a broken pipe is an error, not a death.
/// A program that this process becomes or runs inherits neither.
void prepare_standard_streams();

}  // namespace cachetool
