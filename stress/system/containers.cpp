// SPDX-License-Identifier: MIT
#include "stress/system/containers.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace larder::stress {

namespace {

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/// Ends this process if a call has failed.
void must(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "can't make a container: %s: %s\n", what, std::strerror(errno));
    std::_Exit(no_container);
}

void write_text(int fd, const std::string& text, const char* what) {
    must(fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
         what);
    ::close(fd);
}

/// Mounts a file that holds `boot` over the file in which the kernel tells the boot id.
void mount_boot_id(const std::string& boot) {
    char path[] = "/tmp/boot-id-XXXXXX";
    write_text(::mkstemp(path), boot + "\n", "write a boot id");
    const bool mounted =
        ::mount(path, "/proc/sys/kernel/random/boot_id", nullptr, MS_BIND, nullptr) == 0;
    ::unlink(path);
    must(mounted, "mount a boot id");
}

/// In the child: finishes the container, and becomes the program.
[[noreturn]] void become(const Container& container, char** command) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "leave the mounts");
    if (container.pids && !container.outer_proc)
        must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "mount /proc");
    if (!container.boot.empty()) mount_boot_id(container.boot);
    ::execvp(command[0], command);
    std::fprintf(stderr, "can't run %s: %s\n", command[0], std::strerror(errno));
    std::_Exit(127);
}

}  // namespace

int run_in_container(const Container& container, char** command) {
    must(::unshare(CLONE_NEWNS | (container.pids ? CLONE_NEWPID : 0) |
                   (container.seconds != 0 ? CLONE_NEWTIME : 0)) == 0,
         "make namespaces");
    if (container.seconds != 0) {
        const std::string seconds = std::to_string(container.seconds);
        write_text(::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC),
                   "monotonic " + seconds + " 0\nboottime " + seconds + " 0\n", "shift the clock");
    }
    sigset_t awaited, before;
    ::sigemptyset(&awaited);
    ::sigaddset(&awaited, SIGTERM);
    ::sigaddset(&awaited, SIGCHLD);
    must(::sigprocmask(SIG_BLOCK, &awaited, &before) == 0, "wait for signals");
    const pid_t child = ::fork();
    must(child >= 0, "fork");
    if (child == 0) {
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        become(container, command);
    }
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) != child) {
        int signal = 0;
        if (::sigwait(&awaited, &signal) == 0 && signal == SIGTERM) ::kill(child, SIGKILL);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool can_use_containers() {
    constexpr ino_t first_pid_namespace = 0xef'ff'ff'fc;  // PROC_PID_INIT_INO of the kernel
    struct stat status {};
    if (::stat("/proc/self/ns/pid", &status) != 0 || status.st_ino != first_pid_namespace)
        return false;
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) {
        const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) ::dup2(null, STDERR_FILENO);
        char program[] = "true";
        char* command[] = {program, nullptr};
        std::_Exit(
            run_in_container({true, false, 1, "01234567-89ab-4cde-8f01-23456789abcd"}, command));
    }
    int ended = 0;
    while (::waitpid(child, &ended, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

}  // namespace larder::stress
