// SPDX-License-Identifier: MIT
// The system calls of a process, as strace shows them.
#pragma once

#include <sys/prctl.h>

#include <cstdio>
#include <fstream>
#include <optional>

#include "scene.hpp"

namespace larder::testing {

/// The lines that strace has written, one for each call.
using Lines = std::vector<std::string>;

/// Runs `body` in a process of its own, and returns its system calls from the moment at which it
/// has said "ready" and waits. Only those calls are traced that `which` names, as for strace -e.
/// Descriptors come with their paths. `log` is a file to write to. Returns nullopt if no process
/// can be traced here. Only the first thread is traced: a sanitizer has threads of its own.
inline std::optional<Lines> trace(const std::string& which, const std::function<void(Child&)>& body,
                                  const fs::path& log) {
    Child child([&](Child& self) {
#ifdef PR_SET_PTRACER
        ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
        body(self);
    });
    child.wait_for("ready");
    const std::string command = "exec strace -y -s 256 -e trace=" + which + " -o " + log.string() +
                                " -p " + std::to_string(child.pid()) + " 2>&1";
    std::FILE* const strace = ::popen(command.c_str(), "r");
    if (strace == nullptr) return std::nullopt;
    bool attached = false;
    char line[256];
    while (!attached && std::fgets(line, sizeof line, strace) != nullptr)
        attached = std::string(line).find("attached") != std::string::npos;
    child.go_on();
    const int code = child.join();
    while (std::fgets(line, sizeof line, strace) != nullptr) {
    }
    ::pclose(strace);
    CHECK(code == 0);
    if (!attached) return std::nullopt;
    std::ifstream stream(log);
    Lines lines;
    for (std::string each; std::getline(stream, each);) lines.push_back(each);
    return lines;
}

/// Returns the name of the call of a line.
inline std::string name_of_call(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(" 0123456789");
    return line.substr(begin, line.find('(') - begin);
}

}  // namespace larder::testing
