// SPDX-License-Identifier: MIT
// Windows has no fork, so a test case that needs a Child ends where it makes the first one. What it
// has checked up to there counts, and the program says at its end how many were cut short.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "catch.hpp"
#include "child.hpp"

namespace larder::testing {

namespace {

/// Counts the test cases that were cut short, and tells the number when the program ends.
struct CutShort {
    ~CutShort() {
        if (count > 0) std::printf("%d test cases were cut short: they need fork\n", count);
    }
    int count = 0;
};
CutShort cut_short;

[[noreturn]] void end_test_case() {
    ++cut_short.count;
#ifdef SKIP
    SKIP("needs fork");
#else
    throw Catch::TestFailureException();  // by itself it ends a test case, and fails nothing
#endif
}

}  // namespace

Child::Child(std::function<void(Child&)>, Points) { end_test_case(); }
Child::~Child() = default;
std::string Child::listen() { end_test_case(); }
void Child::wait_for(const std::string&) { end_test_case(); }
void Child::go_on() { end_test_case(); }
void Child::kill() { end_test_case(); }
void Child::stop() { end_test_case(); }
void Child::resume() { end_test_case(); }
int Child::join() { end_test_case(); }
void Child::say(const std::string&) { end_test_case(); }
void Child::hear() { end_test_case(); }
void Child::die() { end_test_case(); }
void Child::must(bool good, const std::string& what) {
    if (!good) throw std::runtime_error(what);
}
void run_without_first_thread(Child&) { end_test_case(); }
os::ProcessIdentity without_first_thread(const Child&) { end_test_case(); }

void eventually(const std::string& what, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("this did not happen within a minute: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace larder::testing
