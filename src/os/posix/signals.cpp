// SPDX-License-Identifier: MIT
#include "os/signals.hpp"

#include <pthread.h>

#include <csignal>
#include <new>

namespace larder::os {

AllSignalsBlocked::AllSignalsBlocked() noexcept {
    static_assert(sizeof(sigset_t) <= sizeof before_ &&
                  alignof(sigset_t) <= alignof(std::max_align_t));
    // The header shows no type of the system's, so the old mask lies in its bytes.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, new (before_.data()) sigset_t);
}

AllSignalsBlocked::~AllSignalsBlocked() {
    const auto* const before = std::launder(reinterpret_cast<const sigset_t*>(before_.data()));
    ::pthread_sigmask(SIG_SETMASK, before, nullptr);
}

}  // namespace larder::os
