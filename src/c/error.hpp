// SPDX-License-Identifier: MIT
// Turns an Error or an exception into a value of the C interface, and the error of a build in C
// into an Error.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <larder/error.hpp>
#include <larder/larder.h>

#include "os/error.hpp"

namespace larder::c {

/// Returns the C code of an Errc: see the numbers in error.cpp.
[[nodiscard]] larder_code code_of(Errc code) noexcept;
/// Returns nullopt for LARDER_OK and for a number that is no code.
[[nodiscard]] std::optional<Errc> errc_of(int code) noexcept;

/// Stores `error` at `place`, unless that is null, and returns its code. If memory has run out,
/// stores the error that says so.
larder_code give(larder_error** place, Error error) noexcept;
/// Stores the error that says that memory has run out, which is made in advance. Returns its code.
larder_code give_out_of_memory(larder_error** place) noexcept;
/// Stores an error of code `system` for an exception, with what it says. Returns its code.
larder_code give_exception(const char* step, const char* what, int sys_errno,
                           larder_error** place) noexcept;

/// Takes over an error that came from C, and frees it. Throws std::bad_alloc for the error that
/// says that memory has run out.
[[nodiscard]] Error take(larder_error* error);

/// Returns the error for an argument that must not be null. `what` is its name.
[[nodiscard]] tl::unexpected<Error> missing(const char* step, const char* what);

/// Runs `body`, which returns a Result<>, and turns an exception into an error. The exception is
/// std::bad_alloc, or a callback has thrown it (which may be written in C++). First sets the error
/// at `place` to null, so that it is null after a success. Returns the code.
template <class Body>
larder_code guarded(const char* step, larder_error** place, Body&& body) noexcept {
    if (place != nullptr) *place = nullptr;
    try {
        Result<> done = std::forward<Body>(body)();
        return done ? LARDER_OK : give(place, std::move(done).error());
    } catch (const std::bad_alloc&) {
        return give_out_of_memory(place);
    } catch (const std::system_error& thrown) {
        // Errors of std::filesystem are of this type. Only this category has an errno.
        const bool has_errno = thrown.code().category() == std::generic_category() ||
                               thrown.code().category() == std::system_category();
        return give_exception(step, thrown.what(), has_errno ? thrown.code().value() : 0, place);
    } catch (const std::exception& thrown) {
        return give_exception(step, thrown.what(), 0, place);
    } catch (...) {
        return give_exception(step, "an exception of an unknown kind", 0, place);
    }
}

}  // namespace larder::c

/// NEED(step, pointer): returns `invalid` from the enclosing function if the pointer is null, and
/// names it.
#define NEED(step, pointer) \
    if ((pointer) == nullptr) return ::larder::c::missing(step, #pointer)
