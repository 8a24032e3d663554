// SPDX-License-Identifier: MIT
// Signals are for the program's own threads: one that larder starts inherits the mask of whoever starts it, and takes none.
#pragma once

#include <pthread.h>

#include <csignal>

namespace larder::os {

/// In this thread, until the end of the scope, however that is left.
class AllSignalsBlocked {
public:
    AllSignalsBlocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace larder::os
