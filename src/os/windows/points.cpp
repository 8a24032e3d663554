// SPDX-License-Identifier: MIT
#include "os/points.hpp"

#ifdef LARDER_POINTS

#include "os/windows/nt.hpp"

extern "C" NTSTATUS NTAPI NtSuspendProcess(HANDLE process);

namespace larder::os {

void kill_this_process() noexcept { ::TerminateProcess(::GetCurrentProcess(), 1); }

void stop_this_process() noexcept { (void)::NtSuspendProcess(::GetCurrentProcess()); }

}  // namespace larder::os

#endif
