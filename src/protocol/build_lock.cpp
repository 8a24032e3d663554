// SPDX-License-Identifier: MIT
#include "protocol/build_lock.hpp"

#include "cache/locks.hpp"
#include "format/lock_bytes.hpp"

namespace larder::protocol {

BuildRef build_of(cache::Root& root, const KeyRef& place) {
    return {root, format::build_byte(place.encoded_bucket, place.encoded_key()), place.path};
}

tl::unexpected<Error> wants_own_key(const cache::Root& root, const KeyRef& place) {
    return fail(Errc::invalid, "build", root.dirs().buckets / place.path,
                "this build requests its own key; build what it needs under another key");
}

BuildLock::BuildLock(RootRef root, const KeyRef& place, const cache::CallContext& context)
    : root_(std::move(root)),
      number_(build_of(*root_, place).lock),
      key_path_(place.path),
      what_("build " + std::string(place.encoded_key())),
      activity_(std::in_place, root_->participant_if_possible(context), number_, what_,
                cache::Activity::Shows::waiting) {}

Result<bool> BuildLock::try_take() {
    if (!file_) {
        TRY_ASSIGN(file_, cache::open_locks(*root_));
    }
    TRY_ASSIGN(is_held_, file_->try_lock(os::Mode::exclusive, os::Range::byte(number_)));
    if (is_held_) activity_->set_holding();
    return is_held_;
}

void BuildLock::share_own() noexcept {
    activity_->set_holding();
    is_held_ = true;
}

void BuildLock::give_up() noexcept {
    activity_.reset();
    file_.reset();
}

}  // namespace larder::protocol
