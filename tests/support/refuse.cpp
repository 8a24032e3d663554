// SPDX-License-Identifier: MIT
// Runs a command, and refuses some of its system calls.
//
//     refuse CALL[:ARG=VALUE]=ERROR[@N|@N+]... -- COMMAND [ARGUMENT...]
//
// CALL is the name of a system call, and ERROR the name of an error. `linkat=EACCES` refuses every
// call of linkat, `linkat=EACCES@1` only the first one, and `linkat=EACCES@3+` the third one and
// all later ones. The calls of the command and of its children are counted together.
// `ioctl:1=0x40049409=EACCES` refuses only the calls whose argument 1 has that value; arguments
// are counted from 0, and their lower 32 bits are compared.
//
// A refused call has not happened. The command can't escape: its children inherit the filter. The
// kernel's seccomp does this, so the command needs no debugger, may have threads, and runs at full
// speed if no rule counts.
//
// Exit codes: that of the command; 128 + the signal that ended it; 2: wrong usage; 77: this kernel,
// or the sandbox around, has no such filters.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error_named.hpp"

namespace {

constexpr int wrong_usage = 2, no_filters = 77;

#if defined(__x86_64__)
constexpr std::uint32_t this_machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t this_machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t this_machine = 0;
#endif

struct NamedCall {
    std::string_view name;
    long number;
};

constexpr NamedCall calls[] = {
#define CALL(name) {#name, SYS_##name},
    CALL(openat) CALL(openat2) CALL(close) CALL(read) CALL(write) CALL(pread64) CALL(pwrite64)
        CALL(mkdirat) CALL(unlinkat) CALL(symlinkat) CALL(linkat) CALL(readlinkat) CALL(renameat2)
            CALL(fstat) CALL(newfstatat) CALL(statx) CALL(statfs) CALL(fstatfs) CALL(faccessat)
                CALL(faccessat2) CALL(getdents64) CALL(fsync) CALL(fdatasync) CALL(syncfs)
                    CALL(copy_file_range) CALL(sendfile) CALL(ioctl) CALL(fcntl) CALL(flock)
                        CALL(dup) CALL(fchmod) CALL(fchmodat) CALL(utimensat) CALL(ftruncate)
                            CALL(fallocate) CALL(mmap) CALL(madvise) CALL(getrandom) CALL(kill)
                                CALL(clone) CALL(clone3) CALL(waitid) CALL(wait4) CALL(execve)
                                    CALL(fsetxattr) CALL(fgetxattr) CALL(flistxattr) CALL(lseek)
#undef CALL
#ifdef SYS_open  // the calls without "at", which some machines lack
#define CALL(name) {#name, SYS_##name},
                                        CALL(open) CALL(mkdir) CALL(rmdir) CALL(unlink)
                                            CALL(symlink) CALL(link) CALL(readlink) CALL(rename)
                                                CALL(stat) CALL(lstat) CALL(access) CALL(chmod)
                                                    CALL(pipe) CALL(vfork)
#undef CALL
#endif
#ifdef SYS_renameat
                                                        {"renameat", SYS_renameat},
#endif
};

/// One argument of the command line: a call, and what happens to it.
struct Rule {
    long call = 0;
    std::optional<unsigned> argument{};
    std::uint32_t value = 0;
    int error = 0;
    std::uint64_t first = 1;  ///< the first call that is refused
    bool once = false;        ///< and the last one
    std::uint64_t seen = 0;

    [[nodiscard]] bool counts() const { return once || first > 1; }
    [[nodiscard]] bool matches(const seccomp_data& data) const {
        return data.nr == call &&
               (!argument || static_cast<std::uint32_t>(data.args[*argument]) == value);
    }
    /// Counts one call, and returns whether it is refused.
    bool refuses_next() {
        ++seen;
        return once ? seen == first : seen >= first;
    }
};

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return number;
}

std::optional<Rule> parse(std::string_view text) {
    Rule rule;
    const auto last_equals = text.rfind('=');
    if (last_equals == text.npos) return std::nullopt;
    std::string_view call = text.substr(0, last_equals), error = text.substr(last_equals + 1);
    if (const auto at = error.find('@'); at != error.npos) {
        std::string_view which = error.substr(at + 1);
        error = error.substr(0, at);
        rule.once = !which.ends_with('+');
        if (!rule.once) which.remove_suffix(1);
        const auto first = number_in<std::uint64_t>(which);
        if (!first || *first == 0) return std::nullopt;
        rule.first = *first;
    }
    const auto number = error_named(error);
    if (!number) return std::nullopt;
    rule.error = *number;
    if (const auto colon = call.find(':'); colon != call.npos) {
        const std::string_view condition = call.substr(colon + 1);
        call = call.substr(0, colon);
        const auto equals = condition.find('=');
        if (equals == condition.npos) return std::nullopt;
        rule.argument = number_in<unsigned>(condition.substr(0, equals));
        const auto value = number_in<std::uint32_t>(condition.substr(equals + 1));
        if (!rule.argument || *rule.argument > 5 || !value) return std::nullopt;
        rule.value = *value;
    }
    const auto* const found =
        std::find_if(std::begin(calls), std::end(calls),
                     [&](const NamedCall& each) { return each.name == call; });
    if (found == std::end(calls)) return std::nullopt;
    rule.call = found->number;
    return rule;
}

/// Returns the filter's program: for each rule, a comparison and what to return.
std::vector<sock_filter> program_of(const std::vector<Rule>& rules) {
    std::vector<sock_filter> program;
    const auto load = [&](std::size_t offset) {
        program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
    };
    const auto skip_unless = [&](std::uint32_t value, unsigned char skipped) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
    };
    const auto give = [&](std::uint32_t result) {
        program.push_back(BPF_STMT(BPF_RET | BPF_K, result));
    };
    load(offsetof(seccomp_data, arch));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, this_machine, 1, 0));
    give(SECCOMP_RET_ALLOW);
    for (const Rule& rule : rules) {
        load(offsetof(seccomp_data, nr));
        skip_unless(static_cast<std::uint32_t>(rule.call), rule.argument ? 3 : 1);
        if (rule.argument) {
            load(offsetof(seccomp_data, args) + *rule.argument * sizeof(std::uint64_t));
            skip_unless(rule.value, 1);
        }
        give(rule.counts() ? SECCOMP_RET_USER_NOTIF
                           : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(rule.error));
    }
    give(SECCOMP_RET_ALLOW);
    return program;
}

/// Installs the filter for this process. Returns the descriptor that hears of the counted calls;
/// -1 and errno if there can be no filter; 0 if no rule counts.
int install(const std::vector<Rule>& rules) {
    std::vector<sock_filter> filters = program_of(rules);
    const sock_fprog program{static_cast<unsigned short>(filters.size()), filters.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    const bool counts =
        std::any_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.counts(); });
    return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                      counts ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U, &program));
}

/// A message with one descriptor.
struct Parcel {
    char byte = 'l';
    iovec bytes{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
    msghdr message{};

    Parcel() {
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = room.data();
        message.msg_controllen = room.size();
    }
};

bool send_descriptor(int socket, int descriptor) {
    Parcel parcel;
    cmsghdr* const head = CMSG_FIRSTHDR(&parcel.message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    return ::sendmsg(socket, &parcel.message, 0) == 1;
}

/// Returns -1 if the other end was closed without a message.
int receive_descriptor(int socket) {
    Parcel parcel;
    if (::recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC) != 1) return -1;
    const cmsghdr* const head = CMSG_FIRSTHDR(&parcel.message);
    if (head == nullptr) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
    return descriptor;
}

/// Answers the counted calls until no process has the filter any more.
void answer(int listener, std::vector<Rule>& rules) {
    for (;;) {
        pollfd waiting{listener, POLLIN, 0};
        if (::poll(&waiting, 1, -1) < 0 && errno == EINTR) continue;
        if ((waiting.revents & POLLIN) == 0) return;
        seccomp_notif call{};
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;
        seccomp_notif_resp reply{};
        reply.id = call.id;
        reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        for (Rule& rule : rules) {
            if (!rule.matches(call.data)) continue;
            if (rule.refuses_next()) {
                reply.flags = 0;
                reply.error = -rule.error;
            }
            break;
        }
        (void)::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
    }
}

/// Returns the file of a command, which the filter may hide from a search in PATH.
std::string file_of(const std::string& command) {
    if (command.find('/') != command.npos) return command;
    const char* const path = std::getenv("PATH");
    for (std::string_view rest = path != nullptr ? path : ""; !rest.empty();) {
        const auto end = std::min(rest.find(':'), rest.size());
        std::string file = std::string(rest.substr(0, end)) + "/" + command;
        if (::access(file.c_str(), X_OK) == 0) return file;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return command;
}

[[noreturn]] void become(const std::vector<Rule>& rules, int socket, char** command) {
    const std::string file = file_of(command[0]);
    const int listener = install(rules);
    if (listener < 0) {
        std::fprintf(stderr, "skipped: refuse: no filter of system calls: %s\n",
                     std::strerror(errno));
        ::_exit(no_filters);
    }
    if (listener > 0 && !send_descriptor(socket, listener)) ::_exit(no_filters);
    ::execv(file.c_str(), command);
    std::fprintf(stderr, "refuse: run %s: %s\n", file.c_str(), std::strerror(errno));
    ::_exit(127);
}

int usage(const char* what) {
    std::fprintf(stderr,
                 "refuse: %s\nusage: refuse CALL[:ARG=VALUE]=ERROR[@N|@N+]... -- COMMAND...\n",
                 what);
    return wrong_usage;
}

}  // namespace

int main(int count, char** words) {
    std::vector<Rule> rules;
    int at = 1;
    for (; at < count && std::string_view(words[at]) != "--"; ++at) {
        const auto rule = parse(words[at]);
        if (!rule) return usage(words[at]);
        rules.push_back(*rule);
    }
    if (rules.empty() || at + 1 >= count) return usage("a rule, -- and a command are needed");
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return no_filters;
    const pid_t child = ::fork();
    if (child < 0) return no_filters;
    if (child == 0) become(rules, sockets[1], words + at + 1);
    ::close(sockets[1]);
    if (const int listener = receive_descriptor(sockets[0]); listener >= 0) answer(listener, rules);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
