// SPDX-License-Identifier: MIT
#include "protocol/trash.hpp"

#include "format/id.hpp"
#include "format/layout.hpp"
#include "os/dir_reader.hpp"

namespace larder::protocol {

Result<> for_each_retired_link(const cache::Root& root, const VisitLink& visit,
                               const VisitUnknown& unknown) {
    const os::Dir& links = root.garbage().retired_links;
    return os::for_every_name(links, [&](const std::string& name, os::FileKind) {
        if (!format::parse_id(name)) return unknown(links / name);
        return visit(links, name);
    });
}

Result<> for_each_refreshed_bucket(const cache::Root& root, const VisitBucket& visit,
                                   const VisitUnknown& unknown) {
    const os::Dir& buckets = root.garbage().retired_buckets;
    return os::for_every_name(buckets, [&](const std::string& name, os::FileKind) -> Result<> {
        if (!format::parse_id(name)) return unknown(buckets / name);
        const auto bucket = root.keys().open_refreshed(buckets, name);
        if (is_absent(bucket)) return {};
        if (is_no_directory(bucket)) return unknown(buckets / name);
        TRY(bucket);
        return visit(*bucket, name);
    });
}

Result<> for_each_link_of(const os::Dir& refreshed_bucket, const VisitLink& visit,
                          const VisitUnknown& unknown) {
    return os::for_every_name(refreshed_bucket, [&](const std::string& name, os::FileKind kind) {
        const bool is_link = format::is_key_name(name) && kind != os::FileKind::directory;
        if (!is_link) return unknown(refreshed_bucket / name);
        return visit(refreshed_bucket, name);
    });
}

Result<> for_each_link_in_trash(const cache::Root& root, const VisitLink& visit) {
    const VisitUnknown pass_over = [](const std::filesystem::path&) { return Result<>(); };
    NotedErrors errors;  // an error about the one kind must not hide the links of the other
    TRY(errors.note(for_each_retired_link(root, visit, pass_over)));
    const auto visit_bucket = [&](const os::Dir& bucket, const std::string&) {
        return for_each_link_of(bucket, visit, pass_over);
    };
    TRY(errors.note(for_each_refreshed_bucket(root, visit_bucket, pass_over)));
    return errors.first();
}

}  // namespace larder::protocol
