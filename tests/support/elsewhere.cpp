// SPDX-License-Identifier: MIT
// Runs a program as if it were in a container:
//
//   elsewhere [--pid] [--time SECONDS] [--boot UUID] [--outer-proc] PROGRAM ARGUMENT...
//
//   --pid           in a new pid namespace, as its process 1, with a /proc of its own
//   --outer-proc    with --pid: /proc stays that of the namespace outside
//   --time SECONDS  in a new time namespace, in which the machine was started SECONDS earlier
//   --boot UUID     with another boot id, mounted over the machine's own (LXC and nspawn do this)
//
// The exit code is the program's, or 128 + the number of the signal that ended it. It is 125 if the
// system refuses to make a container, which needs root. The program is killed if this process is.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "stress/system/containers.hpp"

int main(int count, char** words) {
    larder::stress::Container container;
    int next = 1;
    for (; next < count; ++next) {
        const std::string option = words[next];
        if (option == "--pid") {
            container.pids = true;
        } else if (option == "--outer-proc") {
            container.outer_proc = true;
        } else if (option == "--time" && next + 1 < count) {
            container.seconds = std::strtoll(words[++next], nullptr, 10);
        } else if (option == "--boot" && next + 1 < count) {
            container.boot = words[++next];
        } else {
            break;
        }
    }
    if (next >= count || std::strncmp(words[next], "--", 2) == 0) {
        std::fputs(
            "usage: elsewhere [--pid] [--time SECONDS] [--boot UUID] [--outer-proc] PROGRAM "
            "ARGUMENT...\n",
            stderr);
        return 2;
    }
    return larder::stress::run_in_container(container, words + next);
}
