#include <steps/use.hpp>

#include <os/points.hpp>

namespace larder::steps {

void note_use(root::Root& root, const Place& place, const layout::Id& id) noexcept {
    if (root.is_read_only() || !root.uses().note(id)) return;
    const auto& buckets = root.dirs().buckets;
    const auto link = os::stat_at(buckets, place.path);
    if (!link) return;
    const auto age = std::chrono::system_clock::now() - last_use(*link);
    // A time of the future is a clock's that was wrong.
    if (age > -root::use_interval && age < root::use_interval) return;
    // Even `buckets/<b>` may be a symlink that somebody put there: then nothing below it is ours to change.
    const auto is_bucket = os::is_dir_at(buckets, place.encoded_bucket);
    if (!is_bucket || !*is_bucket) return;
    (void)os::point("use.note");
    (void)os::touch_at(buckets, place.path);
}

}  // namespace larder::steps
