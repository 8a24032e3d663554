// SPDX-License-Identifier: MIT
// Runs a program as if it were in a container:
//
//   elsewhere [--pid] [--time SECONDS] [--boot UUID] [--old-proc] PROGRAM ARGUMENT...
//
//   --pid           in a new pid namespace, as its process 1, with a /proc of its own
//   --old-proc      with --pid: /proc stays that of the namespace outside
//   --time SECONDS  in a new time namespace, in which the machine was started SECONDS earlier
//   --boot UUID     with another boot id, mounted over the machine's own (LXC and nspawn do this)
//
// The exit code is the program's, or 128 + the number of the signal that ended it. It is 77 if the
// system refuses to make a namespace: this needs root. The program is killed if this process is.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

constexpr int refused = 77;

void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "elsewhere: %s: %s\n", what, std::strerror(errno));
    std::_Exit(refused);
}

void write_file(const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
         path);
    ::close(fd);
}

/// Mounts a file that holds `uuid` over the file in which the kernel tells the boot id.
void mount_boot_id(const std::string& uuid) {
    char path[] = "/tmp/elsewhere-boot-id-XXXXXX";
    const int fd = ::mkstemp(path);
    const std::string text = uuid + "\n";
    must(fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
         "write a boot id");
    ::close(fd);
    must(::mount(path, "/proc/sys/kernel/random/boot_id", nullptr, MS_BIND, nullptr) == 0,
         "mount a boot id");
    ::unlink(path);
}

}  // namespace

int main(int count, char** words) {
    bool new_pids = false, old_proc = false;
    std::string seconds, boot;
    int next = 1;
    for (; next < count && std::strncmp(words[next], "--", 2) == 0; ++next) {
        const std::string option = words[next];
        if (option == "--pid") {
            new_pids = true;
        } else if (option == "--old-proc") {
            old_proc = true;
        } else if (option == "--time" && next + 1 < count) {
            seconds = words[++next];
        } else if (option == "--boot" && next + 1 < count) {
            boot = words[++next];
        } else {
            break;
        }
    }
    if (next >= count || std::strncmp(words[next], "--", 2) == 0) {
        std::fprintf(stderr,
                     "usage: elsewhere [--pid] [--time SECONDS] [--boot UUID] [--old-proc] PROGRAM "
                     "ARGUMENT...\n");
        return 2;
    }

    const int spaces =
        CLONE_NEWNS | (new_pids ? CLONE_NEWPID : 0) | (seconds.empty() ? 0 : CLONE_NEWTIME);
    must(::unshare(spaces) == 0, "make namespaces");
    if (!seconds.empty())
        write_file("/proc/self/timens_offsets",
                   "monotonic " + seconds + " 0\nboottime " + seconds + " 0\n");
    const pid_t child = ::fork();
    must(child >= 0, "fork");
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "leave the mounts");
        if (new_pids && !old_proc)
            must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "mount /proc");
        if (!boot.empty()) mount_boot_id(boot);
        ::execvp(words[next], words + next);
        std::fprintf(stderr, "elsewhere: run %s: %s\n", words[next], std::strerror(errno));
        return 127;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
