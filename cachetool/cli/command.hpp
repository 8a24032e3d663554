// SPDX-License-Identifier: MIT
// What a command is, and the table of them all.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/options/options.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// Shells complete the arguments "one|other", FILE, DIR, BUCKET and KEY.
using larder::options::OptionSpec;

struct Command {
    std::string_view name;
    std::string_view
        synopsis;  ///< what follows the name; words of the same names as an option's argument are completed too
    std::string_view summary;  ///< half a line for the list of commands
    std::string_view
        help;  ///< what its own --help says, in lines of any length, with an example, indented by two
    std::size_t min_words = 0;
    std::size_t max_words = 0;
    bool runs_a_program = false;
    bool hidden =
        false;  ///< for the shell's or the build's use: left out of the lists that people read
    std::vector<OptionSpec> options{};
    Outcome (*run)(const Arguments&, const Output&) = nullptr;
};

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

[[nodiscard]] std::span<const Command> commands();
[[nodiscard]] const Command* find_command(std::string_view name);

/// The options that every command takes.
[[nodiscard]] std::span<const OptionSpec> global_options();

// entries.cpp
Outcome run_dir(const Arguments&, const Output&);
Outcome run_put(const Arguments&, const Output&);
Outcome run_get(const Arguments&, const Output&);
Outcome run_install(const Arguments&, const Output&);
Outcome run_remove(const Arguments&, const Output&);
// programs.cpp
Outcome run_exec(const Arguments&, const Output&);
Outcome run_build(const Arguments&, const Output&);
// refresh.cpp, gc.cpp, trash.cpp, verify.cpp
Outcome run_refresh(const Arguments&, const Output&);
Outcome run_gc(const Arguments&, const Output&);
Outcome run_pin(const Arguments&, const Output&);
Outcome run_unpin(const Arguments&, const Output&);
Outcome run_trash(const Arguments&, const Output&);
Outcome run_verify(const Arguments&, const Output&);
// ls.cpp, stats.cpp, status.cpp
Outcome run_ls(const Arguments&, const Output&);
Outcome run_info(const Arguments&, const Output&);
Outcome run_why(const Arguments&, const Output&);
Outcome run_stats(const Arguments&, const Output&);
// status.cpp
Outcome run_status(const Arguments&, const Output&);
// doctor.cpp
Outcome run_doctor(const Arguments&, const Output&);
// completion.cpp
Outcome run_completion(const Arguments&, const Output&);
Outcome run_complete(const Arguments&, const Output&);
// man.cpp
Outcome run_man(const Arguments&, const Output&);

}  // namespace cachetool
