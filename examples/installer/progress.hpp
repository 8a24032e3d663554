// SPDX-License-Identifier: MIT
// One line on a terminal that says how far things are.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace installer {

/// Silent unless `enabled`. The line is wiped by the destructor.
/// Concurrency: any thread.
class Progress {
public:
    Progress(std::string verb, std::size_t total, bool enabled);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    /// One more is done.
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
