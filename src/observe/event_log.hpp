// SPDX-License-Identifier: MIT
// The log: events as lines of a file that many processes may share.
#pragma once

#include <string>

#include "observe/listeners.hpp"
#include "os/file.hpp"

namespace larder::observe {

/// Returns one line for the log, with its end: `2026-01-31T23:59:58.123456Z pid=4711 thread=4712
/// event=waited what="bucket wheels-v1" took=0.500000`. A field that the event leaves empty or zero
/// is left out. Texts stand in quotes, with JSON's escapes, so that no key can forge a line or
/// control a terminal.
[[nodiscard]] std::string to_line(const Event& event);

/// The log of one Cache, in a file to which many processes append. It never fails and never waits
/// for another process: what cannot be written is lost.
class EventLog final : public Listener {
public:
    /// Opens the file, and makes it (mode 0600) if it is missing. Errors: `invalid` for anything
    /// but a file or a terminal; those of opening it.
    [[nodiscard]] static Result<std::unique_ptr<EventLog>> open(const std::filesystem::path& path);

    /// Appends one line by one call of the system, so that the lines of several processes do not
    /// mix. A line that can't be written is lost. One that is cut off, because the disk is full, is
    /// ended before the next line. Empty lines may stand between lines.
    void on_event(const Event& event) override;

private:
    explicit EventLog(os::FileHandle file) : file_(std::move(file)) {}
    /// Returns true if the last byte of the file ends no line. Returns false if the file is empty
    /// or a terminal, and also if that can't be told: a process may have the right to append and
    /// not the right to read.
    [[nodiscard]] bool ends_in_part_of_line() const;

    os::FileHandle file_;  // open for appending
};

}  // namespace larder::observe
