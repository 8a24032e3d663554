// SPDX-License-Identifier: MIT
// How an `errno` becomes an Error, and how an Error is passed on.
#pragma once

#include <utility>

#include <larder/error.hpp>

namespace larder::os {

/// The one place where the system's reason becomes a code that a caller acts on.
[[nodiscard]] Errc code_of(int sys_errno) noexcept;

[[nodiscard]] tl::unexpected<Error> fail(int sys_errno, const char* step,
                                         std::filesystem::path path, std::string detail = {});
[[nodiscard]] tl::unexpected<Error> fail(Errc code, const char* step, std::filesystem::path path,
                                         std::string detail);

}  // namespace larder::os

#define LARDER_CONCAT_(a, b) a##b
#define LARDER_CONCAT(a, b) LARDER_CONCAT_(a, b)

/// TRY(expression): leaves the function with the expression's error, if it has one.
#define TRY(...) TRY_(LARDER_CONCAT(try_result_, __COUNTER__), __VA_ARGS__)
#define TRY_(result, ...)                                          \
    do {                                                           \
        if (auto&& result = (__VA_ARGS__); !result) {              \
            return tl::make_unexpected(std::move(result).error()); \
        }                                                          \
    } while (false)

/// TRY_ASSIGN(auto x, expression): the same, and x is the value.
#define TRY_ASSIGN(declaration, ...) \
    TRY_ASSIGN_(LARDER_CONCAT(try_result_, __COUNTER__), declaration, __VA_ARGS__)
#define TRY_ASSIGN_(result, declaration, ...)                           \
    auto&& result = (__VA_ARGS__);                                      \
    if (!result) return tl::make_unexpected(std::move(result).error()); \
    declaration = std::move(*result)
