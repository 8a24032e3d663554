// SPDX-License-Identifier: MIT
// Processes of inner pid namespaces, as a process of the machine's first one finds them.

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "catch.hpp"
#include "os/process.hpp"
#include "support/child.hpp"

using namespace larder;
using namespace larder::testing;

TEST_CASE("a process of an inner pid namespace is found until it ends, and no other is it") {
    int identity_of_it[2];
    REQUIRE(::pipe(identity_of_it) == 0);
    Child parent([&](Child& self) {
        if (::unshare(CLONE_NEWPID) != 0) return self.say("can't");
        const pid_t inner = ::fork();
        if (inner == 0) {
            const os::ProcessIdentity own = os::this_process();
            const bool written = ::write(identity_of_it[1], &own, sizeof own) == sizeof own;
            if (written) ::pause();
            ::_exit(1);
        }
        self.say("begun");
        self.hear();
        Child::must(::kill(inner, SIGKILL) == 0, "it has ended by itself");
        siginfo_t info{};
        Child::must(::waitid(P_PID, static_cast<id_t>(inner), &info, WEXITED | WNOWAIT) == 0, "");
        self.say("a zombie");
        self.hear();
        Child::must(::waitpid(inner, nullptr, 0) == inner, "no child");
        self.say("gone");
        self.hear();
    });
    const std::string said = parent.listen();
    if (said == "can't") {
        WARN("SKIPPED: needs root, to make a pid namespace");
        return;
    }
    os::ProcessIdentity sought;
    REQUIRE(::read(identity_of_it[0], &sought, sizeof sought) == sizeof sought);
    ::close(identity_of_it[0]);
    ::close(identity_of_it[1]);
    const auto is_running = [](const os::ProcessIdentity& process) {
        return os::is_running(process, os::Search::everywhere);
    };
    CHECK_FALSE(os::is_here(sought));
    CHECK(os::is_running(sought) == os::Running::unknown);
    if (is_running(sought) == os::Running::unknown) {
        WARN("SKIPPED: needs the machine's first pid namespace, and a /proc that hides nothing");
        return;
    }
    CHECK(is_running(sought) == os::Running::yes);
    os::ProcessIdentity other = sought;
    other.start += 1000;
    CHECK(is_running(other) == os::Running::no);
    other = sought;
    other.pid += 1;
    CHECK(is_running(other) == os::Running::no);
    other = sought;
    other.pid_namespace ^= 1;
    CHECK(is_running(other) == os::Running::no);
    parent.go_on();
    parent.wait_for("a zombie");
    CHECK(is_running(sought) == os::Running::no);
    parent.go_on();
    parent.wait_for("gone");
    CHECK(is_running(sought) == os::Running::no);
    parent.go_on();
    CHECK(parent.join() == 0);
}
