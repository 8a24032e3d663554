// SPDX-License-Identifier: MIT
// Makes an error that larder itself found, and passes an error on. Errors of the system are made in
// os/error.hpp.
#pragma once

#include <larder/try.hpp>

namespace larder {

/// Returns an error that no system call has caused. `step` says what was done, as a verb ("stage"),
/// and must live as long as the error: a literal. `detail` says why it happened, and what to do.
[[nodiscard]] tl::unexpected<Error> fail(Errc code, const char* step, std::filesystem::path path,
                                         std::string detail);

/// Returns whether two errors say the same of the same path, so that a user needs only one of them.
[[nodiscard]] bool say_the_same(const Error& one, const Error& other) noexcept;

/// Returns the system's reason for a failure; Why::none for a success, and for a failure that is
/// larder's own.
template <class T>
[[nodiscard]] Why why_of(const Result<T>& result) noexcept {
    return result ? Why::none : result.error().why;
}

/// Returns whether a call failed because nothing stands at the name.
template <class T>
[[nodiscard]] bool is_absent(const Result<T>& result) noexcept {
    return why_of(result) == Why::absent;
}

/// Returns whether a refusal ends a step that has a second way, such as a copy in place of a clone:
/// the disk is full, the name is taken, or the source has vanished, and the second way would fail
/// for the same reason. Every other refusal leads to the second way, whether larder knows the
/// reason or not, because file systems and sandboxes refuse in odd ways. If the second way fails
/// too, its error is the one that is returned.
[[nodiscard]] bool ends_at_once(Why why) noexcept;

/// Returns whether a directory could not be opened because something else stands at its name.
template <class T>
[[nodiscard]] bool is_no_directory(const Result<T>& result) noexcept {
    return why_of(result) == Why::not_directory || why_of(result) == Why::is_link;
}

/// Returns whether a directory could not be opened because nothing, or something else, stands at
/// its name.
template <class T>
[[nodiscard]] bool has_no_directory(const Result<T>& result) noexcept {
    return is_absent(result) || is_no_directory(result);
}

}  // namespace larder

#define TRY(...) LARDER_TRY(__VA_ARGS__)
#define TRY_ASSIGN(declaration, ...) LARDER_TRY_ASSIGN(declaration, __VA_ARGS__)
