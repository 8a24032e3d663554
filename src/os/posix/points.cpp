// SPDX-License-Identifier: MIT
#include "os/points.hpp"

#ifdef LARDER_POINTS

#include <unistd.h>

#include <csignal>

namespace larder::os {

void kill_this_process() noexcept { ::kill(::getpid(), SIGKILL); }

void stop_this_process() noexcept { ::kill(::getpid(), SIGSTOP); }

}  // namespace larder::os

#endif
