// SPDX-License-Identifier: MIT
// Includes all headers of the C++ interface.
#pragma once

#include <larder/bucket.hpp>
#include <larder/cache.hpp>
#include <larder/collect.hpp>
#include <larder/error.hpp>
#include <larder/event.hpp>
#include <larder/lease.hpp>
#include <larder/limits.hpp>
#include <larder/materialize.hpp>
#include <larder/options.hpp>
#include <larder/report.hpp>
#include <larder/staging.hpp>
#include <larder/try.hpp>
