// SPDX-License-Identifier: MIT
// Errors are values: larder throws nothing of its own. What passes through it are std::bad_alloc, where memory has run out, and whatever a
// caller's own build throws; both leave the cache as a kill at that point would, or better.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace larder {

/// One code for each different thing that a caller can do about it.
enum class Errc {
    miss,  ///< no such entry: build it, or tell the user
    busy,  ///< somebody else is at it, and the wait's limit has passed: try again; the message names the holder
    interrupted,  ///< the caller's own stop_token asked the wait to end
    invalid,      ///< a key, name, path or option that can never work: mend the call
    refused,  ///< this cache must not be used like that (newer format, network, foreign owner, not a cache)
    read_only,    ///< the cache can be read here, and nothing else
    no_space,     ///< the disk or the quota is full: remove, refresh and collect still work
    unsupported,  ///< this file system can't do what was asked for by name: ask for another way
    exists,   ///< something stands where the result should go: move it, or allow its replacement
    build,    ///< for the caller's own builds to return: what they were to make could not be made
    damaged,  ///< what is on the disk breaks an invariant: run verify
    system,   ///< the operating system refused; `sys_errno` says why
};

/// The code's name, as `--json` prints it: "miss", "busy", …
[[nodiscard]] std::string_view name_of(Errc code) noexcept;

/// What went wrong, in which step, and where.
struct Error {
    Errc code = Errc::system;
    int sys_errno = 0;      ///< the system's reason, or 0
    const char* step = "";  ///< what was being done; a string that lives as long as the program
    std::filesystem::path path;  ///< where; may be empty
    std::string detail;          ///< why, and what to do about it; may be empty

    /// One line for people: "step PATH: detail (system's reason)".
    [[nodiscard]] std::string message() const;
};

template <class T = void>
using Result = tl::expected<T, Error>;

}  // namespace larder
