// SPDX-License-Identifier: MIT
// The table of all commands, and the functions that run them.
#pragma once

#include "cachetool/cli/arguments.hpp"
#include "cachetool/cli/command.hpp"

namespace cachetool {

/// Returns all commands, in the order in which the help lists them: entries, then what uses them,
/// then the cache as a whole.
[[nodiscard]] CommandTable commands();

// completion.cpp
[[nodiscard]] CommandResult run_complete(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_completion(const ParsedArguments&, const CommandOutput&);
// doctor.cpp
[[nodiscard]] CommandResult run_doctor(const ParsedArguments&, const CommandOutput&);
// entries.cpp
[[nodiscard]] CommandResult run_dir(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_get(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_install(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_import(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_put(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_remove(const ParsedArguments&, const CommandOutput&);
// destroy.cpp
[[nodiscard]] CommandResult run_destroy(const ParsedArguments&, const CommandOutput&);
// gc.cpp
[[nodiscard]] CommandResult run_gc(const ParsedArguments&, const CommandOutput&);
// ls.cpp
[[nodiscard]] CommandResult run_info(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_ls(const ParsedArguments&, const CommandOutput&);
// man.cpp
[[nodiscard]] CommandResult run_man(const ParsedArguments&, const CommandOutput&);
// pin.cpp
[[nodiscard]] CommandResult run_pin(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_unpin(const ParsedArguments&, const CommandOutput&);
// programs.cpp
[[nodiscard]] CommandResult run_build(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_exec(const ParsedArguments&, const CommandOutput&);
// refresh.cpp
[[nodiscard]] CommandResult run_refresh(const ParsedArguments&, const CommandOutput&);
// roots.cpp
[[nodiscard]] CommandResult run_link(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_roots(const ParsedArguments&, const CommandOutput&);
[[nodiscard]] CommandResult run_unlink(const ParsedArguments&, const CommandOutput&);
// settle.cpp
[[nodiscard]] CommandResult run_settle(const ParsedArguments&, const CommandOutput&);
// stats.cpp
[[nodiscard]] CommandResult run_stats(const ParsedArguments&, const CommandOutput&);
// status.cpp
[[nodiscard]] CommandResult run_status(const ParsedArguments&, const CommandOutput&);
// trash.cpp
[[nodiscard]] CommandResult run_trash(const ParsedArguments&, const CommandOutput&);
// verify.cpp
[[nodiscard]] CommandResult run_verify(const ParsedArguments&, const CommandOutput&);
// why.cpp
[[nodiscard]] CommandResult run_why(const ParsedArguments&, const CommandOutput&);

}  // namespace cachetool
