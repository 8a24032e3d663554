// SPDX-License-Identifier: MIT
// Passes an error on to the caller in one line.
//
//     larder::Result<> add(larder::Bucket& bucket, const std::filesystem::path& tree) {
//         LARDER_TRY_ASSIGN(larder::Staging staging, bucket.stage());
//         LARDER_TRY(staging.copy_from(tree));
//         LARDER_TRY_ASSIGN(const larder::Lease lease, bucket.publish("key", std::move(staging)));
//         return install_from(lease.path());
//     }
//
// Both macros work in any function that returns a Result, or another tl::expected whose error can
// be made from an Error.
#pragma once

#include <utility>

#include <larder/error.hpp>

/// LARDER_TRY(expression): evaluates the expression, which is a Result. If it holds an error, the
/// enclosing function returns that error. A value is discarded.
#define LARDER_TRY(...) LARDER_TRY_(LARDER_TRY_NAME_(__COUNTER__), __VA_ARGS__)

/// LARDER_TRY_ASSIGN(declaration, expression): does the same, and initializes the declared variable
/// with the value, which is moved out of the Result. The declaration may also be an existing
/// variable, which is then assigned to. Write it as a statement of its own, never as the body of an
/// `if` without braces, because it declares variables.
#define LARDER_TRY_ASSIGN(declaration, ...) \
    LARDER_TRY_ASSIGN_(LARDER_TRY_NAME_(__COUNTER__), declaration, __VA_ARGS__)

// What follows is not part of the interface.

// Clang 22 and later say under -Wpedantic that __COUNTER__ is an extension of the language. All
// compilers have it. (A push and a pop around each use would not reach a use inside another one.)
#ifdef __clang__
#if __has_warning("-Wc2y-extensions")
#pragma clang diagnostic ignored "-Wc2y-extensions"
#endif
#endif

#define LARDER_TRY_NAME_(number) LARDER_TRY_CONCAT_(larder_try_result_, number)
#define LARDER_TRY_CONCAT_(a, b) a##b
#define LARDER_TRY_(result, ...)                                   \
    do {                                                           \
        if (auto&& result = (__VA_ARGS__); !result) {              \
            return tl::make_unexpected(std::move(result).error()); \
        }                                                          \
    } while (false)
#define LARDER_TRY_ASSIGN_(result, declaration, ...)                    \
    auto&& result = (__VA_ARGS__);                                      \
    if (!result) return tl::make_unexpected(std::move(result).error()); \
    declaration = std::move(*result)
