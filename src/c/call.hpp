// SPDX-License-Identifier: MIT
// The shape of every function of the C interface that can fail:
//
//     larder_code larder_cache_pins(const larder_cache* cache, larder_pins** pins,
//                                   larder_error** error) {
//         c::clear(pins);
//         return c::guarded("list pins", error, {{"cache", cache}, {"pins", pins}}, [&] {
//             return c::hand_out_struct(pins, cache->cache.pins());
//         });
//     }
//
// 1. It clears its results, so that they are null after every error. (clear accepts null, so this
// may come before the check of the arguments.) 2. guarded clears the error, refuses null where a
// pointer is needed, and then runs the body. No exception leaves it. 3. The body converts the
// options, makes the same call in C++, and hands out the result: a handle by hand_out_handle, a
// list or a report by hand_out_struct. From then on the caller owns the result, and frees it by the
// function that is named after its type.
#pragma once

#include <exception>
#include <initializer_list>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "c/error.hpp"

namespace larder::c {

/// An argument that must not be null: a pointer to an object or to a function.
struct NeededArgument {
    template <class T>
    NeededArgument(const char* its_name, T* pointer)
        : name(its_name), is_null(pointer == nullptr) {}
    const char* name;
    bool is_null;
};

/// Returns an error for the first argument that is null. Errors: `invalid`, with its name.
[[nodiscard]] Result<> refuse_null(const char* step, std::initializer_list<NeededArgument> needed);

/// Frees a struct that C sees when it goes out of scope, also if a callback throws.
template <class Struct>
using Freed = std::unique_ptr<Struct, void (*)(Struct*)>;

/// Runs `body`, which returns a Result<>, if none of the needed arguments is null. Stores its error
/// at `place`, or null after a success, and returns the code. `step` says in messages what failed.
///
/// Turns an exception into an error. It is std::bad_alloc, or a callback has thrown it: a callback
/// may be written in C++.
template <class Body>
larder_code guarded(const char* step, larder_error** place,
                    std::initializer_list<NeededArgument> needed, Body&& body) noexcept {
    if (place != nullptr) *place = nullptr;
    try {
        Result<> done = refuse_null(step, needed);
        if (done) done = std::forward<Body>(body)();
        return done ? LARDER_OK : give(place, std::move(done).error());
    } catch (const std::bad_alloc&) {
        return give_out_of_memory(place);
    } catch (const std::system_error& thrown) {
        // Errors of std::filesystem are of this type. In other categories the value is no errno.
        const bool has_errno = thrown.code().category() == std::generic_category() ||
                               thrown.code().category() == std::system_category();
        return give_exception(step, thrown.what(), has_errno ? thrown.code().value() : 0, place);
    } catch (const std::exception& thrown) {
        return give_exception(step, thrown.what(), 0, place);
    } catch (...) {
        return give_exception(step, "an exception of an unknown kind", 0, place);
    }
}

/// Sets a result to null. `place` is null if the caller does not want the result.
template <class T>
void clear(T** place) noexcept {
    if (place != nullptr) *place = nullptr;
}

}  // namespace larder::c
