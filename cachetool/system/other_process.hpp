// SPDX-License-Identifier: MIT
// A second process, which does one thing, reports how it went, and stays until it is killed.
#pragma once

#include <cstdint>
#include <functional>

namespace cachetool::system {

class OtherProcess {
public:
    /// Forks. The child calls `act`, and then does nothing until this process kills it, or ends.
    /// Requires: no other threads.
    explicit OtherProcess(const std::function<bool()>& act);
    ~OtherProcess() { crash(); }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;

    /// Returns what `act` returned, or false if there is no child or it died.
    [[nodiscard]] bool succeeded() const noexcept { return succeeded_; }
    [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

    /// Kills the child, as an accident would. Returns when it has ended.
    void crash();

private:
    std::int64_t pid_ = -1;
    int stay_ = -1;  ///< the write end of a pipe; the child lives until it is closed
    bool succeeded_ = false;
};

}  // namespace cachetool::system
