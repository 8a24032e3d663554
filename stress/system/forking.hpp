// SPDX-License-Identifier: MIT
// Forks in the middle of things, and a word from the child to its parent.
#pragma once

#include <functional>

namespace larder::stress {

/// Says whether a process that has threads can be forked. With this C library it can, but not below
/// the sanitizers: the runtime of the thread sanitizer starts no threads in the child, and the
/// allocator of the address sanitizer stays locked there forever if another thread was inside it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool forks_and_threads_mix = false;
#else
inline constexpr bool forks_and_threads_mix = true;
#endif

/// Calls `child` in a new process, which ends when `child` returns. Returns whether there is such a
/// process. It is no child of this process: the supervisor, to which orphans go, becomes its
/// parent. (So it is forked twice, since only a process whose parent has ended gets a new one.) It
/// is not in this process's group, which is killed when its leader ends.
bool fork_away(const std::function<void()>& child);

/// A signal from a child to its parent, given once: "I have finished with what I inherited". Both
/// own the object, since the child has a copy of it.
class OnceSignal {
public:
    OnceSignal() noexcept;
    ~OnceSignal();
    OnceSignal(const OnceSignal&) = delete;
    OnceSignal& operator=(const OnceSignal&) = delete;

    /// In the child: gives the signal.
    void give() noexcept;
    /// In the parent: waits for the signal, or for the end of every process that could give it.
    void await() noexcept;

private:
    void close_end(int end) noexcept;
    bool open_ = false;
    int ends_[2] = {-1, -1};
};

}  // namespace larder::stress
