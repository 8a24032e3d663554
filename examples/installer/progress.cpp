// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <cstdio>
#include <fmt/core.h>

namespace installer {

namespace {

// Moves to the start of the line and erases it (ECMA-48).
constexpr const char* wipe = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string verb, std::size_t total, bool enabled)
    : verb_(std::move(verb)), total_(total), enabled_(enabled) {
    draw("");
}

Progress::~Progress() {
    if (enabled_) std::fputs(wipe, stderr);
}

void Progress::step(std::string_view what) {
    const std::lock_guard guard(mutex_);
    ++done_;
    draw(what);
}

void Progress::draw(std::string_view what) {
    if (enabled_) fmt::print(stderr, "{}{} {}/{} {:.50}", wipe, verb_, done_, total_, what);
}

}  // namespace installer
