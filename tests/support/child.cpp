// SPDX-License-Identifier: MIT
#include "child.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "os/points.hpp"

namespace larder::testing {

namespace {

int failed_checks = 0;  // in this process, and in its parent before the fork

#if __has_include(<catch2/catch_all.hpp>)
class CheckCounter : public Catch::EventListenerBase {
public:
    using EventListenerBase::EventListenerBase;
    void assertionEnded(const Catch::AssertionStats& stats) override {
        if (!stats.assertionResult.isOk()) ++failed_checks;
    }
};
#else
class CheckCounter : public Catch::TestEventListenerBase {
public:
    using TestEventListenerBase::TestEventListenerBase;
    bool assertionEnded(const Catch::AssertionStats& stats) override {
        if (!stats.assertionResult.isOk()) ++failed_checks;
        return true;
    }
};
#endif
CATCH_REGISTER_LISTENER(CheckCounter)

constexpr int a_minute_in_ms = 60'000;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Child::Child(std::function<void(Child&)> body, Points points) {
    int up[2], down[2];
    if (::pipe(up) != 0 || ::pipe(down) != 0) fail("pipe");
    // Writing to a child that has ended then returns an error, which fails the test.
    ::signal(SIGPIPE, SIG_IGN);
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ != 0) {
        ::close(up[1]);
        ::close(down[0]);
        from_child_ = up[0];
        to_child_ = down[1];
        return;
    }
    ::close(up[0]);
    ::close(down[1]);
    from_child_ = up[1];  // in the child these are the pipes to and from the parent
    to_child_ = down[0];
    os::set_point_hook([this, points](const char* name) {
        if (contains(points.kill_at, name)) die();
        if (contains(points.hold_at, name)) {
            say(name);
            hear();
        }
        return 0;
    });
    int code = 1;
    const int failed_before = failed_checks;
    try {
        body(*this);
        // Catch reports a failed CHECK only at the end of the whole test, which is the parent's.
        if (failed_checks == failed_before) code = 0;
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "child %d: %s\n", ::getpid(), exception.what());
    }
    std::fflush(nullptr);
    ::_exit(code);
}

Child::~Child() {
    if (pid_ > 0) kill();
    ::close(from_child_);
    ::close(to_child_);
}

std::string Child::listen() {
    for (;;) {
        if (const auto end = heard_.find('\n'); end != std::string::npos) {
            std::string word = heard_.substr(0, end);
            heard_.erase(0, end + 1);
            return word;
        }
        pollfd ready{from_child_, POLLIN, 0};
        const int count = ::poll(&ready, 1, a_minute_in_ms);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) fail("the child sends nothing and does not end");
        char buffer[256];
        const auto got = ::read(from_child_, buffer, sizeof buffer);
        if (got <= 0) return {};
        heard_.append(buffer, static_cast<std::size_t>(got));
    }
}

void Child::wait_for(const std::string& word) {
    const std::string heard = listen();
    if (heard != word) fail("the child should send \"" + word + "\", but sent \"" + heard + "\"");
}

void Child::go_on() {
    if (::write(to_child_, "g", 1) != 1) fail("the child has closed its pipe");
}

void Child::kill() {
    ::kill(pid_, SIGKILL);
    (void)join();
}

void Child::stop() {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    while (::waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(status)) fail("the child did not stop");
}

void Child::resume() { ::kill(pid_, SIGCONT); }

int Child::join() {
    int status = 0;
    eventually("the child ends", [&] {
        const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
        if (ended < 0 && errno != EINTR) fail("there is no child to wait for");
        return ended == pid_;
    });
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Child::say(const std::string& word) {
    const std::string line = word + "\n";
    if (::write(from_child_, line.data(), line.size()) < 0) ::_exit(1);
}

void Child::hear() {
    char order = 0;
    if (::read(to_child_, &order, 1) != 1) ::_exit(1);  // the parent has ended
}

void Child::die() {
    ::kill(::getpid(), SIGKILL);
    std::abort();  // which no process reaches
}

void Child::must(bool good, const std::string& what) {
    if (!good) fail(what);
}

void run_without_first_thread(Child& self) {
    std::thread([&self] {
        self.hear();
        ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);  // ends this thread alone
}

os::ProcessIdentity without_first_thread(const Child& child) {
    eventually("its first thread ends", [&] {
        std::ifstream stat("/proc/" + std::to_string(child.pid()) + "/stat");
        const std::string text(std::istreambuf_iterator<char>(stat), {});
        return text.find(") Z ") != std::string::npos;
    });
    os::ProcessIdentity identity = os::this_process();
    identity.pid = child.pid();
    identity.start = 0;
    return identity;
}

void eventually(const std::string& what, const std::function<bool()>& condition) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(a_minute_in_ms);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            fail("this did not happen within a minute: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace larder::testing
