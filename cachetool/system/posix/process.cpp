// SPDX-License-Identifier: MIT
#include "cachetool/system/process.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cachetool::system {

std::int64_t own_pid() { return ::getpid(); }

bool has_process(std::int64_t pid) {
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH;
}

}  // namespace cachetool::system
