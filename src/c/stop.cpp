// SPDX-License-Identifier: MIT
// The functions of a stop, which one thread uses to end the calls of others.
#include "c/handles.hpp"

larder_stop* larder_stop_new(void) {
    // It has no larder_error, so null is all that it can say if memory has run out.
    larder_stop* made = nullptr;
    larder::c::guarded("stop", nullptr, {}, [&]() -> larder::Result<> {
        made = new larder_stop;
        return {};
    });
    return made;
}

void larder_stop_request(larder_stop* stop) {
    if (stop != nullptr) stop->source.request_stop();
}

void larder_stop_free(larder_stop* stop) { delete stop; }
