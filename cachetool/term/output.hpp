// SPDX-License-Identifier: MIT
// What a command prints: data on stdout, messages on stderr.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "cachetool/term/failure.hpp"

namespace cachetool {

class CommandOutput {
public:
    using Write = std::function<void(JsonWriter&)>;

    /// `cache` is the cache that the user has named, or empty: see advised().
    CommandOutput(bool json, bool quiet, std::string cache = {}) noexcept
        : json_(json), quiet_(quiet), cache_(std::move(cache)) {}

    [[nodiscard]] bool json() const noexcept { return json_; }
    [[nodiscard]] bool quiet() const noexcept { return quiet_; }

    /// Returns `text`, in which each "`cachetool COMMAND`" names the cache as the user did, so that
    /// it can be typed as it stands. Messages and failures are treated so; data is not.
    [[nodiscard]] std::string advised(std::string_view text) const;

    /// Writes a message to stderr, at once. Writes nothing with --quiet.
    void say(std::string_view sentence) const;
    /// Writes each line of `lines` as a message.
    void say_lines(std::string_view lines) const;
    /// Writes a message to stderr, with --quiet too.
    void warn(std::string_view sentence) const;
    /// Reports a failure on stderr and, with --json, on stdout. Returns its exit code.
    [[nodiscard]] int report(const Failure& failure) const;

    /// Writes the command's data to stdout. Returns `exit_code`, or a failure if the data could not
    /// be written.
    [[nodiscard]] CommandResult text(std::string_view text, int exit_code = done) const;
    /// Does the same piece by piece: `write` is given a function that writes.
    using WriteText = std::function<void(const std::function<void(std::string_view)>& print)>;
    [[nodiscard]] CommandResult pieces(const WriteText& write, int exit_code = done) const;
    /// Writes the command's data as one JSON document, piece by piece.
    [[nodiscard]] CommandResult document(const Write& write, int exit_code = done) const;

private:
    bool json_;
    bool quiet_;
    std::string cache_;
};

}  // namespace cachetool
