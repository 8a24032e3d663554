// SPDX-License-Identifier: MIT
// Shows the progress in one line of a terminal.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace installer {

/// Shows nothing unless `enabled`. The destructor removes the line.
/// Concurrency: any thread may call it.
class Progress {
public:
    Progress(std::string verb, std::size_t total, bool enabled);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    /// Counts one more item as done.
    void step(std::string_view what);

private:
    void draw(std::string_view what);
    std::string verb_;
    std::size_t total_;
    bool enabled_;
    std::size_t done_ = 0;
    std::mutex mutex_;
};

}  // namespace installer
