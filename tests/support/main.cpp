// SPDX-License-Identifier: MIT
#if __has_include(<catch2/catch_all.hpp>)
// Catch2 3 has a main function of its own.
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
