// SPDX-License-Identifier: MIT
#include "protocol/use.hpp"

#include "os/points.hpp"

namespace larder::protocol {

namespace {

void look_and_note(cache::Root& root, const KeyRef& place, cache::Recent::Mark mark,
                   const format::Id& id) {
    const auto& buckets = root.dirs().buckets;
    const auto link = os::stat_at(buckets, place.path);
    if (!link) return;
    const auto age = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now() -
                                                              last_use(*link));
    if (age >= std::chrono::minutes(0) && age < cache::use_interval)
        return root.recent().settle(mark, id, cache::use_interval - age);
    // Older; or of the future, and so a clock's that was wrong. Even `buckets/<b>` may be a symlink that somebody put there: then nothing below it is ours to change.
    const auto is_bucket = os::is_dir_at(buckets, place.encoded_bucket);
    if (!is_bucket || !*is_bucket) return;
    (void)os::point("use.note");
    // Where that can't be done, it can't be done the next time either.
    (void)os::touch_at(buckets, place.path);
    root.recent().settle(mark, id, cache::use_interval);
}

}  // namespace

void note_use(cache::Root& root, const KeyRef& place, cache::Recent::Mark mark,
              const format::Id& id) noexcept {
    if (root.is_read_only() || root.recent().is_settled(mark, id)) return;
    try {
        look_and_note(root, place, mark, id);
    } catch (const std::exception&) {
        // No memory for an error's path: a hit is a hit all the same.
    }
}

}  // namespace larder::protocol
