// SPDX-License-Identifier: MIT
// A second process, which does one thing, says how it went, and stays until it is ended.
#pragma once

#include <sys/types.h>

#include <functional>

namespace cachetool {

class OtherProcess {
public:
    /// Forks. The child calls `act`, and then does nothing until this process ends it, or ends.
    /// Requires: no other threads.
    explicit OtherProcess(const std::function<bool()>& act);
    ~OtherProcess() { kill(); }
    OtherProcess(const OtherProcess&) = delete;
    OtherProcess& operator=(const OtherProcess&) = delete;

    /// What `act` returned; false too where there is no child, or it died. Waits for it.
    [[nodiscard]] bool succeeded() const noexcept { return succeeded_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Kills it, as an accident would. Returns when it has ended.
    void kill();

private:
    pid_t pid_ = -1;
    int stay_ = -1;  ///< the child reads from the other end
    bool succeeded_ = false;
};

}  // namespace cachetool
