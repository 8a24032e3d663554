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
    Walk(Visitor& visitor, WalkThreads threads) : visitor_(visitor), threads_(threads) {}

    /// Walks by this thread and, if there is much to do, by helpers; returns when all of them have
    /// ended. Errors: the first one that Visitor::failed has returned. Passes on an exception of
    /// the visitor.
    Result<> run(std::unique_ptr<WalkDir> top) {
        places_.push_back(std::move(top));
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
        changed_.notify_all();
    }

    /// Returns whether no thread should begin anything more. Requires: the lock is held.
    [[nodiscard]] bool is_over() const { return error_ || exception_ || places_.empty(); }

    /// Visits names until none is left. Holds the lock but for the calls of the visitor. A thread
    /// that finds no name while directories are still being visited waits: those visits may open
    /// more.
    void visit_all(Lock& lock) {
        std::string name;
        for (WalkDir* place = nullptr; !is_over();) {
            place = place_with_names(place);
            if (place == nullptr) {
                ++idle_;
                changed_.wait(lock);
                --idle_;
                continue;
            }
            auto kind = os::FileKind::unknown;
            if (!take_name(*place, name, kind)) {
                place = leave_if_done(lock, place);
                continue;
            }
            ++place->busy;
            if (seen_++ == threads_.alone) start_helpers();
            lock.unlock();
            auto entered = visitor_.visit(*place, name, kind);
            lock.lock();
            if (entered && *entered != nullptr) {
                place = enter(*place, std::move(*entered), name);
                continue;
            }
            if (!entered) report(*place, std::move(entered).error());
            --place->busy;
            place = leave_if_done(lock, place);
        }
    }

    /// Returns the place itself while it has names, else the nearest directory around it that has
    /// some, else the outermost one of the whole walk; null if there is none.
    WalkDir* place_with_names(WalkDir* place) {
        while (place != nullptr && place->listed) place = place->parent;
        if (place != nullptr) return place;
        const auto found = std::find_if(places_.begin(), places_.end(),
                                        [](const auto& each) { return !each->listed; });
        return found == places_.end() ? nullptr : found->get();
    }

    /// Takes the next name of a place. Returns false if there is none; then the place is marked as
    /// listed. An error of listing is reported, and ends the listing of that place.
    bool take_name(WalkDir& place, std::string& name, os::FileKind& kind) {
        auto entry = place.reader.next();
        if (!entry) {
            place.listed = true;
            report(place, std::move(entry).error());
            return false;
        }
        if (!*entry) {
            place.listed = true;
            return false;
        }
        name = entry->name;
        kind = entry->kind;
        return true;
    }

    /// Adds a directory to the walk, and returns it. The parent stays busy until the new place is
    /// left.
    WalkDir* enter(WalkDir& parent, std::unique_ptr<WalkDir> place, const std::string& name) {
        place->name = name;
        place->parent = &parent;
        place->depth = parent.depth + 1;
        places_.push_back(std::move(place));
        if (idle_ > 0) changed_.notify_one();
        return places_.back().get();
    }

    /// Leaves the place if nothing is left to do in it, and then the directories around it, from
    /// the inside to the outside. Returns where to continue; null if the top was left. A place for
    /// which the visitor asks for another listing stays in the walk.
    WalkDir* leave_if_done(Lock& lock, WalkDir* place) {
        while (place != nullptr && place->listed && place->busy == 0 && !error_ && !exception_) {
            place->busy = 1;  // so that no other thread leaves it
            lock.unlock();
            auto left = visitor_.leave(*place);
            lock.lock();
            place->busy = 0;
            if (!left) {
                report(*place, std::move(left).error());
            } else if (*left == Visitor::AfterLeave::list_again) {
                place->reader.rewind();
                place->listed = false;
                if (idle_ > 0) changed_.notify_all();
                return place;
            }
            WalkDir* const parent = place->parent;
            std::erase_if(places_, [&](const auto& each) { return each.get() == place; });
            if (parent != nullptr) --parent->busy;
            place = parent;
        }
        return place;
    }

    /// Asks the visitor whether the walk goes on after an error. Keeps the first error that ends
    /// it.
    void report(WalkDir& place, Error error) {
        if (auto go_on = visitor_.failed(place, std::move(error)); !go_on && !error_)
            error_ = std::move(go_on).error();
    }

    /// Starts the other threads. They wait for the lock, which this thread holds.
    void start_helpers() {
        if (threads_.threads < 2) return;
        const os::AllSignalsBlocked blocked;
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
    std::mutex mutex_;  // guards the members below and the walk's part of each WalkDir
    std::condition_variable changed_;
    // In the order in which they were entered, so the outermost directories come first.
    std::vector<std::unique_ptr<WalkDir>> places_;
    std::optional<Error> error_;    // the one that ends the walk
    std::exception_ptr exception_;  // the same, for an exception of the visitor
    std::uint64_t seen_ = 0;        // names that were handed out
    unsigned idle_ = 0;             // threads that wait for a name
    std::vector<std::thread> helpers_;
};

}  // namespace

Result<> walk(std::unique_ptr<WalkDir> top, Visitor& visitor, WalkThreads threads) {
    return Walk(visitor, threads).run(std::move(top));
}

std::string path_below_top(const WalkDir& place, const std::string& name) {
    std::string path = name;
    for (const WalkDir* each = &place; each->parent != nullptr; each = each->parent)
        path.insert(0, each->name + "/");
    return path;
}

Result<os::Dir> open_below(const os::Dir& top, const std::string& path) {
    TRY_ASSIGN(os::Dir dir, reopen(top));
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find('/', begin), path.size());
        TRY_ASSIGN(os::Dir next, os::open_dir_at(dir, path.substr(begin, end - begin)));
        dir = std::move(next);
        begin = end + 1;
    }
    return dir;
}

Result<os::Dir> reopen(const os::Dir& dir) {
    TRY_ASSIGN(os::Dir again, os::open_dir_at(dir, "."));
    again.path = dir.path;
    return again;
}

std::string fresh_name() {
    const os::Unique unique = os::draw_unique();
    char text[sizeof ".larder-" + 16 + 8];
    std::snprintf(text, sizeof text, ".larder-%016llx%08x",
                  static_cast<unsigned long long>(unique.random), unique.counter);
    return text;
}

}  // namespace larder::tree
