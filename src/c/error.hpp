// SPDX-License-Identifier: MIT
// How an Error, or an exception, leaves through the C interface as a value; and how one comes in, from a build in C.
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

/// Errc is the C code less one: see error.cpp.
[[nodiscard]] larder_code code_of(Errc code) noexcept;
/// Nothing for LARDER_OK and for what is no code at all.
[[nodiscard]] std::optional<Errc> errc_of(int code) noexcept;

/// Puts `error` at `place`, where there is one, and says its code. Where memory has run out, it is that error which is put there.
larder_code give(larder_error** place, Error error) noexcept;
larder_code give_out_of_memory(larder_error** place) noexcept;
larder_code give_exception(const char* step, const char* what, int sys_errno,
                           larder_error** place) noexcept;

/// Takes an error that came from C, and frees it.
[[nodiscard]] Error take(larder_error* error);

[[nodiscard]] tl::unexpected<Error> missing(const char* step, const char* what);

/// Runs `body`, which returns a Result<>, and lets no exception out. What leaves through here in a way that is not an Error is memory that ran
/// out, and whatever a callback threw that was written in C++ after all.
template <class Body>
larder_code guarded(const char* step, larder_error** place, Body&& body) noexcept {
    if (place != nullptr) *place = nullptr;
    try {
        Result<> done = std::forward<Body>(body)();
        return done ? LARDER_OK : give(place, std::move(done).error());
    } catch (const std::bad_alloc&) {
        return give_out_of_memory(place);
    } catch (const std::system_error& thrown) {
        // std::filesystem's errors are of this kind; only those of this category have an errno.
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

/// NEED(step, pointer): leaves the function with `invalid` where the pointer is null, and names it.
#define NEED(step, pointer) \
    if ((pointer) == nullptr) return ::larder::c::missing(step, #pointer)
