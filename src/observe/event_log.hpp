// SPDX-License-Identifier: MIT
// Events as lines of a file that many processes may share.
#pragma once

#include <string>

#include <larder/event.hpp>

#include "os/file.hpp"

namespace larder::observe {

/// "2026-01-31T23:59:58.123456Z pid=4711 thread=4712 event=waited what="bucket wheels-v1" took=0.531204\n": `name=value` pairs, of which only
/// those that say something are there. Texts stand in quotes, with JSON's escapes, so that no key can forge a line.
[[nodiscard]] std::string to_line(const Event& event);

class EventLog {
public:
    /// Makes the file (mode 0600) where it is missing.
    [[nodiscard]] static Result<EventLog> open(const std::filesystem::path& path);

    /// Appends one line by one call of the system, so that lines of several processes do not mix. A line that can't be written is lost.
    void write(const Event& event) const;

private:
    explicit EventLog(os::FileHandle file) : file_(std::move(file)) {}
    os::FileHandle file_;
};

}  // namespace larder::observe
