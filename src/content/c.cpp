// SPDX-License-Identifier: MIT
// The functions of <larder/content.h>.
#include <larder/content.h>
#include <larder/content.hpp>

const larder_digest* larder_sha256() {
    // src/c/options.cpp casts it back.
    return reinterpret_cast<const larder_digest*>(&larder::sha256());
}
