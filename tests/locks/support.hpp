// SPDX-License-Identifier: MIT
// What the tests of locks and processes share: threads that are held at points, options that turn a
// wait into an error, and programs that a child becomes.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "os/points.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

namespace larder::testing {

/// Returns options with which a call that would wait fails at once with Errc::interrupted: so no
/// test of a wait needs a clock.
inline OpenOptions impatient() {
    OpenOptions options = test_options();
    std::stop_source source;
    source.request_stop();
    options.stop = source.get_token();
    return options;
}

/// A thread of this process that runs `body` and is held when it first reaches a point; other
/// threads pass. Points belong to the process, so only one of these can exist at a time.
class HeldThread {
public:
    HeldThread(const std::string& point, std::function<void()> body) {
        os::set_point_hook([this, point](const char* name) {
            if (point == name && !came_.exchange(true)) free_.get_future().wait();
            return 0;
        });
        done_ = std::async(std::launch::async, std::move(body));
        eventually("a thread comes to " + point, [&] { return came_ || is_done(); });
        if (came_) return;
        os::set_point_hook({});
        done_.get();
        throw std::runtime_error("a thread never came to " + point);
    }
    HeldThread(const HeldThread&) = delete;
    ~HeldThread() {
        try {
            finish();
        } catch (
            const std::
                exception&) {  // what the body threw: a caller that wants to know calls finish()
        }
    }

    /// Lets the thread go on, and waits for its end.
    void finish() {
        if (!done_.valid()) return;
        free_.set_value();
        done_.wait();
        os::set_point_hook({});
        done_.get();
    }

private:
    [[nodiscard]] bool is_done() const {
        return done_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }

    std::atomic<bool> came_{false};
    std::promise<void> free_;
    std::future<void> done_;
};

/// The program that a child becomes. A test speaks to it over its standard input and output. It is
/// made before the child.
class Program {
public:
    Program() {
        if (::pipe(in_) != 0 || ::pipe(out_) != 0) throw std::runtime_error("pipe");
    }
    Program(const Program&) = delete;
    ~Program() {
        for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) {
            if (fd >= 0) ::close(fd);
        }
    }

    /// In the child: becomes the program, and never returns.
    void become(std::vector<std::string> arguments) {
        ::dup2(in_[0], 0);
        ::dup2(out_[1], 1);
        for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) ::close(fd);
        std::vector<char*> words;
        for (auto& argument : arguments) words.push_back(argument.data());
        words.push_back(nullptr);
        ::execv(words.front(), words.data());
        throw std::runtime_error("can't become " + arguments.front());
    }

    /// In the parent: requires that the program says this next.
    void wait_for(const std::string& word) {
        if (out_[1] >= 0) ::close(std::exchange(out_[1], -1));
        std::string heard;
        char c = 0;
        while (::read(out_[0], &c, 1) == 1 && c != '\n') heard += c;
        if (heard != word)
            throw std::runtime_error("the program was to say \"" + word + "\", and said \"" +
                                     heard + "\"");
    }
    void go_on() {
        if (::write(in_[1], "\n", 1) != 1) throw std::runtime_error("the program does not listen");
    }

private:
    int in_[2], out_[2];
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace larder::testing
