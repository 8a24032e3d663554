// SPDX-License-Identifier: MIT
// Turns an Error or an exception into a larder_error, and the error of a build in C into an Error.
#pragma once

#include <optional>

#include <larder/error.hpp>
#include <larder/larder.h>

namespace larder::c {

/// Returns the C code of an Errc.
[[nodiscard]] larder_code code_of(Errc code) noexcept;
/// Returns the Errc of a C code. Returns nullopt for LARDER_OK and for a number that is no code.
[[nodiscard]] std::optional<Errc> errc_of(int code) noexcept;

// Each of the following stores an error at `place`, for the caller to free by larder_error_free,
// and returns its code. If `place` is null, the caller does not want the error, and gets the code
// alone.

/// Stores `error`. If there is no memory for that, does what give_out_of_memory does.
larder_code give(larder_error** place, Error error) noexcept;
/// Stores the error that says that memory has run out. It was made in advance, so this needs none.
larder_code give_out_of_memory(larder_error** place) noexcept;
/// Stores an error for an exception, of code `system`. `what` is what the exception says.
larder_code give_exception(const char* step, const char* what, int sys_errno,
                           larder_error** place) noexcept;

/// Takes over an error that a function of C has returned, and frees it. Throws std::bad_alloc for
/// the error that says that memory has run out, so that the call around it reports the same.
[[nodiscard]] Error take(larder_error* error);

}  // namespace larder::c
