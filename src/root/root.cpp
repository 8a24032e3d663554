#include <root/root.hpp>

#include <sys/stat.h>

#include <layout/layout.hpp>
#include <os/points.hpp>
#include <tree/remove.hpp>

namespace larder::root {

Root::Root(Handles handles, const struct stat& archive, layout::Format format, bool read_only)
    : dirs_(std::move(handles)), format_(format), archive_(archive), read_only_(read_only), owner_(os::process_token()) {}

bool Root::is_lost() const {
    struct stat here{}, at_path{};
    for (const os::Dir* dir : {&dirs_.root, &dirs_.locks, &dirs_.participants, &dirs_.staging, &dirs_.buckets, &dirs_.archive,
                               &dirs_.retired_links, &dirs_.retired_buckets, &dirs_.trash}) {
        if (!dir->fd) continue;  // a read-only root may lack what only writers need
        if (::fstat(dir->get(), &here) != 0 || here.st_nlink == 0) return true;
        if (dir == &dirs_.root) {
            if (::stat(dir->path.c_str(), &at_path) != 0 || at_path.st_dev != here.st_dev || at_path.st_ino != here.st_ino) return true;
        }
    }
    const Participant* participant = joined_.load(std::memory_order_acquire);
    return participant != nullptr && participant->is_lost();
}

Result<Participant*> Root::participant() {
    if (Participant* joined = joined_.load(std::memory_order_acquire)) return joined;
    if (read_only_) return os::fail(Errc::read_only, "join the cache", dirs_.root.path, "the cache is open for reading only");
    const std::lock_guard guard(joining_);
    if (!participant_) {
        const Places places{dirs_.participants, dirs_.staging};
        TRY_ASSIGN(participant_, Participant::join(places, [this](const os::Dir& staging) { return reap(staging); }));
        joined_.store(participant_.get(), std::memory_order_release);
    }
    return participant_.get();
}

Participant* Root::participant_if_possible() noexcept {
    auto joined = participant();
    return joined ? *joined : nullptr;
}

Result<> Root::reap(const os::Dir& staging) const {
    return os::for_each_name(staging, [&](const std::string& name, unsigned char) -> Result<> {
        const auto staged = layout::parse_staged_name(name);
        if (!staged) return {};
        (void)os::point("reap.one");
        if (staged->kind == layout::StagedName::Kind::link) return retire_link(staging, name);
        auto moved = move_to_trash(staging, name);
        if (moved || (moved.error().code != Errc::unsupported && moved.error().code != Errc::no_space)) return moved;
        // It can't be moved (a lower layer of overlayfs, or no space even for a rename): then it goes where it is.
        TRY(tree::remove_tree_at(staging, name));
        return {};
    });
}

Result<> Root::retire_link(const os::Dir& dir, const std::string& name) const {
    return os::rename_new(dir, name, dirs_.retired_links, to_text(layout::fresh_id()));
}

Result<> Root::move_to_trash(const os::Dir& dir, const std::string& name) const {
    return os::rename_new(dir, name, dirs_.trash, to_text(layout::fresh_id()));
}

}  // namespace larder::root
