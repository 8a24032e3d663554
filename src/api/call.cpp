// SPDX-License-Identifier: MIT
#include "api/call.hpp"

namespace larder::detail {

namespace {

/// Returns the event that a note is about. It refers to the texts of the note.
Event event_of(const cache::StepNote& note) noexcept {
    return {.kind = note.kind,
            .at = note.at,
            .bucket = note.bucket,
            .key = note.key,
            .what = note.what,
            .who = note.who,
            .took = note.took,
            .entries = note.entries,
            .bytes = note.bytes};
}

}  // namespace

Call::Call(const CacheState& cache, const CallOptions* options) : cache_(cache) {
    if (!has_listeners() && options == nullptr) return;
    own_context_ = cache.context();
    if (has_listeners()) own_context_->journal = this;
    if (options == nullptr) return;
    stop_.emplace(own_context_->stop, options->stop);
    own_context_->stop = stop_->source.get_token();
    if (options->on_wait) own_context_->on_wait = &options->on_wait;
}

void Call::tell_notes() noexcept {
    if (!has_listeners()) return;
    for (const auto& note : take_notes()) cache_.listeners().tell(event_of(note));
}

void Call::tell(const Event& event) noexcept {
    if (!has_listeners()) return;
    tell_notes();
    cache_.listeners().tell(event);
}

void Call::tell(Event event, const format::Id& id) noexcept {
    if (!has_listeners()) return;
    try {
        const std::string text = to_text(id);
        event.id = text;
        tell(event);
    } catch (...) {
        // There was no memory for the text. What the call has done is done, so it must not fail.
    }
}

void Call::announce(const cache::StepNote& waiting) noexcept {
    cache_.listeners().tell(event_of(waiting));
}

}  // namespace larder::detail
