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
    // The recorded use is over an hour old, or lies in the future because a clock was wrong: record
    // a new one. First check that `buckets/<b>` is not a symlink. Nothing below a symlink is ours
    // to change.
    const auto is_bucket = os::is_dir_at(buckets, place.encoded_bucket);
    if (!is_bucket || !*is_bucket) return;
    (void)os::point("use.note");
    // If this fails, it will fail the next time, too.
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
        // There is no memory for the path of an error. The hit is valid all the same.
    }
}

}  // namespace larder::protocol
