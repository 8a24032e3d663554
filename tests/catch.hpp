// SPDX-License-Identifier: MIT
// Catch2, version 2 (Debian 12, Ubuntu 22.04) or 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#ifndef CATCH_CONFIG_EXTERNAL_INTERFACES
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // for the listener in support/child.cpp
#endif
#include <catch2/catch.hpp>
#endif
