// SPDX-License-Identifier: MIT
#include "cache/parts.hpp"

#include "format/layout.hpp"
#include "os/user.hpp"

namespace larder::cache {

namespace {

/// A directory that each call needs.
struct FirstPart {
    os::Dir Handles::*dir;
    const char* name;
};
constexpr FirstPart first_parts[] = {
    {&Handles::participants, format::participants_name},
    {&Handles::staging, format::staging_name},
    {&Handles::buckets, format::buckets_name},
    {&Handles::archive, format::archive_name},
};

}  // namespace

tl::unexpected<Error> refuse(const std::filesystem::path& path, std::string why) {
    return fail(Errc::refused, "open cache", path, std::move(why));
}

Result<> check_hands_off(const os::Dir& dir, const os::FileInfo& info, std::uint64_t owner) {
    if (info.owner != owner) {
        return refuse(dir.path, "it belongs to user " + os::user_name(info.owner) +
                                    ", and the cache to user " + os::user_name(owner) +
                                    ": the first may have put anything there; delete the cache, or "
                                    "name another directory");
    }
    if (os::others_may_write(dir.handle, info)) {
        return refuse(dir.path,
                      "other users may write to it, and so choose what this user gets; take that "
                      "right away (`chmod go-w`, which also cuts what an access control list "
                      "gives), or name another directory");
    }
    return {};
}

Result<os::Dir> PartOpener::open(const os::Dir& parent, const char* name, bool may_make) const {
    auto opened = read_only_ || !may_make ? os::open_dir_at(parent, name)
                                          : os::make_and_open_dir_at(parent, name);
    if (read_only_ && is_absent(opened)) return os::Dir{os::FileHandle(), parent / name};
    if (is_no_directory(opened)) {
        opened.error().code = Errc::damaged;
        opened.error().detail =
            "a directory of the cache should be here; move away what stands here";
    }
    TRY(opened);
    TRY(check(*opened));
    return opened;
}

Result<> PartOpener::check(const os::Dir& dir) const {
    if (allow_unsafe_) return {};
    TRY_ASSIGN(const os::FileInfo info, os::stat_of(dir));
    return check_hands_off(dir, info, owner_);
}

bool PartOpener::open_found(Handles& dirs) {
    for (const auto& [dir, name] : first_parts) {
        auto opened = os::open_dir_at(dirs.root, name);
        if (!opened) return false;
        dirs.*dir = std::move(*opened);
    }
    return true;
}

Result<> PartOpener::open_first(Handles& dirs) const {
    for (const auto& [dir, name] : first_parts) {
        TRY_ASSIGN(dirs.*dir, open(dirs.root, name));
    }
    return {};
}

Result<GarbageRef> PartOpener::open_garbage(const os::Dir& root, bool may_make) const {
    auto garbage = std::make_unique<GarbageHandles>();
    TRY_ASSIGN(garbage->deleting, open(root, format::deleting_name, may_make));
    TRY_ASSIGN(const os::Dir retired, open(root, format::retired_name, may_make));
    if (!retired.is_open()) return garbage;
    TRY_ASSIGN(garbage->retired_links, open(retired, format::retired_links_name, may_make));
    TRY_ASSIGN(garbage->retired_buckets, open(retired, format::retired_buckets_name, may_make));
    return garbage;
}

}  // namespace larder::cache
