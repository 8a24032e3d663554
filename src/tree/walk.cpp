// SPDX-License-Identifier: MIT
#include "tree/walk.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "os/process.hpp"
#include "os/signals.hpp"

namespace larder::tree {

namespace {

/// One walk. Each thread takes a name under the lock, and visits it without the lock. The walk is
/// over when no directory is left, or after an error that the visitor does not pass over.
class Walk {
public:
    /// Requires: the visitor outlives the Walk.
    Walk(Visitor& visitor, WalkThreads threads) : visitor_(visitor), threads_(threads) {}

    /// Walks by this thread and, if there is much to do, by helpers; returns when all of them have
    /// ended. Errors: the first one that Visitor::failed has returned. Throws what the visitor has
    /// thrown first, in any of the threads.
    Result<> run(std::unique_ptr<WalkDir> top) {
        dirs_.push_back(std::move(top));
        work();
        for (auto& helper : helpers_) helper.join();
        if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
        if (error_) return tl::make_unexpected(std::move(*error_));
        return {};
    }

private:
    using Lock = std::unique_lock<std::mutex>;

    /// The body of each thread. If memory runs out, or a function of the caller's throws, all
    /// threads stop, and the caller of the walk gets the first exception.
    void work() noexcept {
        Lock lock(mutex_);
        try {
            visit_all(lock);
        } catch (...) {
            if (!lock.owns_lock()) lock.lock();
            if (!exception_) exception_ = std::current_exception();
        }
        changed_.notify_all();  // the walk is over, so the threads that wait must end
    }

    /// Returns whether no thread should begin anything more. Requires: the lock is held.
    [[nodiscard]] bool is_over() const { return error_ || exception_ || dirs_.empty(); }

    /// Visits names until the walk is over. Requires: `lock` is held; it is released while the
    /// visitor runs, and while this thread waits.
    void visit_all(Lock& lock) {
        std::string name;
        for (WalkDir* dir = nullptr; !is_over();) {
            dir = dir_with_names(dir);
            if (dir == nullptr) {
                // Directories are still being visited, and those visits may open more.
                ++waiting_;
                changed_.wait(lock);
                --waiting_;
                continue;
            }
            auto kind = os::FileKind::unknown;
            if (!take_name(*dir, name, kind)) {
                dir = leave_if_done(lock, dir);
                continue;
            }
            ++dir->busy;
            if (names_taken_++ == threads_.alone) start_helpers();
            lock.unlock();
            auto entered = visitor_.visit(*dir, name, kind);
            lock.lock();
            if (entered && *entered != nullptr) {
                dir = enter(*dir, std::move(*entered), name);
                continue;
            }
            if (!entered) report(*dir, std::move(entered).error());
            --dir->busy;
            dir = leave_if_done(lock, dir);
        }
    }

    /// Returns where a thread that was in `dir` goes on: in `dir` itself while it has names, else
    /// in the nearest directory around it that has some, else in the outermost one of the whole
    /// walk. Returns null if no directory has names left to take.
    WalkDir* dir_with_names(WalkDir* dir) {
        while (dir != nullptr && dir->listed) dir = dir->parent;
        if (dir != nullptr) return dir;
        const auto outermost = std::find_if(dirs_.begin(), dirs_.end(),
                                            [](const auto& each) { return !each->listed; });
        return outermost == dirs_.end() ? nullptr : outermost->get();
    }

    /// Takes the next name of a directory. Returns false if there is none; then the directory is
    /// marked as listed. An error of listing is reported, and ends the listing of that directory.
    bool take_name(WalkDir& dir, std::string& name, os::FileKind& kind) {
        auto entry = dir.reader.next();
        if (!entry) {
            dir.listed = true;
            report(dir, std::move(entry).error());
            return false;
        }
        if (!*entry) {
            dir.listed = true;
            return false;
        }
        name = entry->name;
        kind = entry->kind;
        return true;
    }

    /// Adds the directory `name` of `parent` to the walk, and returns it. The parent stays busy
    /// until the new directory is left.
    WalkDir* enter(WalkDir& parent, std::unique_ptr<WalkDir> dir, const std::string& name) {
        dir->name = name;
        dir->parent = &parent;
        dir->depth = parent.depth + 1;
        dirs_.push_back(std::move(dir));
        if (waiting_ > 0) changed_.notify_one();
        return dirs_.back().get();
    }

    /// Leaves the directory if nothing is left to do in it, and then the directories around it,
    /// from the inside to the outside. Returns where to continue; null if the top was left. A
    /// directory for which the visitor asks for another listing stays in the walk.
    WalkDir* leave_if_done(Lock& lock, WalkDir* dir) {
        while (dir != nullptr && dir->listed && dir->busy == 0 && !error_ && !exception_) {
            dir->busy = 1;  // so that no other thread leaves it
            lock.unlock();
            auto left = visitor_.leave(*dir);
            lock.lock();
            dir->busy = 0;
            if (!left) {
                report(*dir, std::move(left).error());
            } else if (*left == Visitor::AfterLeave::list_again) {
                dir->reader.rewind();
                dir->listed = false;
                if (waiting_ > 0) changed_.notify_all();
                return dir;
            }
            WalkDir* const parent = dir->parent;
            std::erase_if(dirs_, [&](const auto& each) { return each.get() == dir; });
            if (parent != nullptr) --parent->busy;
            dir = parent;
        }
        return dir;
    }

    /// Asks the visitor whether the walk goes on after an error. Keeps the first error that ends
    /// it.
    void report(WalkDir& dir, Error error) {
        if (auto go_on = visitor_.failed(dir, std::move(error)); !go_on && !error_)
            error_ = std::move(go_on).error();
    }

    /// Starts the other threads. They wait for the lock, which this thread holds. Starts fewer, or
    /// none, if the system refuses more.
    void start_helpers() {
        if (threads_.threads < 2) return;
        const os::AllSignalsBlocked blocked;  // the helpers inherit this
        try {
            helpers_.reserve(threads_.threads - 1);
            while (helpers_.size() + 1 < threads_.threads)
                helpers_.emplace_back([this] { work(); });
        } catch (const std::exception&) {
            // The user or the cgroup may have no more threads, or memory for them has run out.
            // Those that have started do the work.
        }
    }

    Visitor& visitor_;
    const WalkThreads threads_;
    // Guards the members below and the walk's part of each WalkDir. A child that a visitor forks
    // lacks the helpers. So it can't end their walk, whether or not one of them holds the mutex.
    std::mutex mutex_;
    std::condition_variable changed_;
    // The directories that were entered and not left. They are in the order in which they were
    // entered, so the outermost ones come first.
    std::vector<std::unique_ptr<WalkDir>> dirs_;
    std::optional<Error> error_;     // the one that ends the walk
    std::exception_ptr exception_;   // the same, for an exception of the visitor
    std::uint64_t names_taken_ = 0;  // by all threads
    unsigned waiting_ = 0;           // threads that wait for a name
    std::vector<std::thread> helpers_;
};

/// Opens the directory once more, and each one of the path below it, by `open_at(parent, name)`.
template <class OpenAt>
Result<os::Dir> open_each_below(const os::Dir& top, const std::string& path, OpenAt open_at) {
    TRY_ASSIGN(os::Dir dir, open_at(top, "."));
    dir.path = top.path;  // without the "/." that opening it has added
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        TRY_ASSIGN(os::Dir next, open_at(dir, path.substr(begin, end - begin)));
        dir = std::move(next);
        begin = end + 1;
    }
    return dir;
}

}  // namespace

Result<> walk(std::unique_ptr<WalkDir> top, Visitor& visitor, WalkThreads threads) {
    return Walk(visitor, threads).run(std::move(top));
}

std::string path_below_top(const WalkDir& dir, const std::string& name) {
    std::string path = name;
    for (const WalkDir* each = &dir; each->parent != nullptr; each = each->parent)
        path.insert(0, each->name + "/");
    return path;
}

Result<os::Dir> open_below(const os::Dir& top, const std::string& path) {
    return open_each_below(top, path, os::open_dir_at);
}

Result<os::Dir> open_below_for_names(const os::Dir& top, const std::string& path) {
    return open_each_below(top, path, os::open_dir_for_names_at);
}

Result<os::Dir> reopen(const os::Dir& dir) { return open_below(dir, {}); }

std::string fresh_name() {
    const os::Unique unique = os::draw_unique();
    // Sixteen digits for the random number, which has 64 bits, and eight for the counter, which has
    // 32.
    char text[sizeof ".larder-" + 16 + 8];
    std::snprintf(text, sizeof text, ".larder-%016llx%08x",
                  static_cast<unsigned long long>(unique.random), unique.counter);
    return text;
}

}  // namespace larder::tree
