// SPDX-License-Identifier: MIT
#include "protocol/orphans.hpp"

#include "format/boot_file.hpp"
#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/rename.hpp"
#include "protocol/link_census.hpp"
#include "protocol/settle.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::LinkRead;

/// Looks for the orphans among some of the entries.
class OrphanSearch {
public:
    OrphanSearch(const cache::Root& root, LinkCensus census, const std::stop_token& stop)
        : root_(root), census_(std::move(census)), stop_(stop) {}

    /// Returns the entries of earlier boots that no link names.
    ///
    /// The archive comes first, and then the places of names in the order in which a link moves:
    /// see Verifier::verify. So no name is missed, also not that of an entry that is just being
    /// published. Nothing rests on the boot that an id tells, which may be a false one in a
    /// container.
    Result<std::vector<Id>> run() {
        const cache::Handles& dirs = root_.dirs();
        TRY(list_archive());
        census_.end_of_entries();
        if (census_.entries() == 0) return std::vector<Id>();
        (void)os::point("boot.listed");
        TRY(count_below(dirs.staging));
        TRY(count_below(dirs.buckets));
        TRY(count_below(root_.garbage().retired_buckets));
        // The same, if buckets are pointers: the link stays here when its bucket is refreshed.
        TRY(count_below(dirs.generations));
        TRY(count_below(dirs.staging));
        TRY(count_in(root_.garbage().retired_links));
        return census_.without_link();
    }

private:
    Result<> list_archive() {
        const os::Dir& archive = root_.dirs().archive;
        return os::for_each_name(archive, [&](const std::string& name, os::FileKind) -> Result<> {
            TRY(check_stop());
            const auto id = format::parse_id(name);
            if (id && !format::is_of_this_boot(*id) && census_.covers(*id)) census_.add_entry(*id);
            return {};
        });
    }

    /// Counts the links in each directory of `parent`. Passes over a directory that is gone, and
    /// over what is none.
    Result<> count_below(const os::Dir& parent) {
        return os::for_each_name(parent, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto dir = os::open_dir_at(parent, name);
            if (has_no_directory(dir)) return {};
            TRY(dir);
            return count_in(*dir);
        });
    }

    Result<> count_in(const os::Dir& dir) {
        return os::for_each_name(dir, [&](const std::string& name, os::FileKind kind) -> Result<> {
            TRY(check_stop());
            if (kind == os::FileKind::directory) return {};
            TRY_ASSIGN(const LinkRead link, format::read_link(root_.link_kind(), dir, name));
            if (link.kind == LinkRead::Kind::entry) census_.count_link_to(link.id);
            return {};
        });
    }

    /// Fails if the caller asked to stop. Errors: `interrupted`.
    [[nodiscard]] Result<> check_stop() const {
        if (!stop_.stop_requested()) return {};
        return fail(Errc::interrupted, "collect", root_.dirs().root.path,
                    "stopped on request; the next collection looks for entries without a name");
    }

    const cache::Root& root_;
    LinkCensus census_;
    const std::stop_token& stop_;
};

}  // namespace

Result<bool> is_first_of_boot(const cache::Root& root) {
    if (os::boot_id() == os::BootId{}) return false;
    TRY_ASSIGN(const format::BootFile file,
               cache::read_boot_file(root.dirs().root, os::to_text(os::boot_id())));
    return !file.settled;
}

Result<> for_each_orphan(const cache::Root& root, const std::function<Result<>(const Id&)>& visit,
                         const std::stop_token& stop) {
    TRY_ASSIGN(const std::uint64_t parts, count_census_parts(root));
    for (std::uint64_t part = 0; part < parts; ++part) {
        TRY_ASSIGN(const auto orphans, OrphanSearch(root, LinkCensus(part, parts), stop).run());
        for (const Id& id : orphans) {
            // A stage may have been dropped meanwhile.
            TRY_ASSIGN(const bool stands, os::is_dir_at(root.dirs().archive, to_text(id)));
            if (stands) TRY(visit(id));
        }
    }
    return {};
}

Result<> name_orphan(cache::Root& root, const Id& id, const cache::CallContext& context) {
    TRY_ASSIGN(cache::Participant* const participant, root.participant(context));
    const std::string link = format::staged_link_name(format::fresh_id());
    TRY(format::make_link(root.link_kind(), root.dirs().root, participant->staging(), link, id));
    return root.retire_link(participant->staging(), link);
}

Result<> note_first_of_boot(const cache::Root& root) {
    // What else the file says stays.
    TRY_ASSIGN(format::BootFile file,
               cache::read_boot_file(root.dirs().root, os::to_text(os::boot_id())));
    file.settled = true;
    TRY(write_boot_file(root, file, false));
    (void)os::point("boot.settled");
    return {};
}

}  // namespace larder::protocol
