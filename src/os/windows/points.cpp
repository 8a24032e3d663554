// SPDX-License-Identifier: MIT
#include "os/points.hpp"

#include "os/like_windows.hpp"

#ifdef LARDER_POINTS

#include "os/windows/nt.hpp"

extern "C" NTSTATUS NTAPI NtSuspendProcess(HANDLE process);

namespace larder::os {

void kill_this_process() noexcept { ::TerminateProcess(::GetCurrentProcess(), 1); }

bool is_like_windows() noexcept { return false; }
void act_like_windows(bool) noexcept {}

void stop_this_process() noexcept { (void)::NtSuspendProcess(::GetCurrentProcess()); }

}  // namespace larder::os

#endif
