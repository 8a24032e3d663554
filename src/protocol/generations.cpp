// SPDX-License-Identifier: MIT
#include "protocol/generations.hpp"

#include <algorithm>
#include <map>

#include "format/layout.hpp"
#include "format/link.hpp"
#include "os/dir_reader.hpp"
#include "os/points.hpp"

namespace larder::protocol {

namespace {

using format::Id;
using format::PointerRead;

/// Returns the directory to which the name of a pointer is relative.
const os::Dir& base_of(const cache::Root& root, LinkPlace where) {
    switch (where) {
        case LinkPlace::bucket:
            return root.dirs().buckets;
        case LinkPlace::staging:
            return root.dirs().staging;
        case LinkPlace::retired:
            break;
    }
    return root.garbage().retired_buckets;
}

using VisitPointer = std::function<Result<>(const PlacedPointer& pointer)>;

/// Reads what stands at a name, and visits it if it is a pointer.
Result<> visit_if_pointer(const cache::Root& root, LinkPlace where, const std::string& name,
                          const VisitPointer& visit) {
    TRY_ASSIGN(const PointerRead pointer,
               format::read_pointer(root.link_kind(), base_of(root, where), name));
    if (pointer.kind != PointerRead::Kind::generation) return {};
    return visit({.where = where, .name = name, .generation = pointer.generation});
}

/// Visits the pointers in a directory.
Result<> for_each_pointer_in(const cache::Root& root, LinkPlace where, const VisitPointer& visit) {
    return os::for_each_name(base_of(root, where),
                             [&](const std::string& name, os::FileKind kind) -> Result<> {
                                 if (kind == os::FileKind::directory) return {};
                                 return visit_if_pointer(root, where, name, visit);
                             });
}

/// Visits the pointers in all staging areas.
Result<> for_each_begun_pointer(const cache::Root& root, const VisitPointer& visit) {
    const os::Dir& staging = root.dirs().staging;
    return os::for_each_name(staging, [&](const std::string& number, os::FileKind) -> Result<> {
        const auto area = os::open_dir_at(staging, number);
        if (has_no_directory(area)) return {};
        TRY(area);
        return os::for_each_name(*area, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto staged = format::parse_staged_name(name);
            if (!staged || staged->kind != format::StagedName::Kind::pointer) return {};
            return visit_if_pointer(root, LinkPlace::staging, format::key_path(number, name),
                                    visit);
        });
    });
}

/// Returns whether the directory of a generation stands.
Result<bool> stands(const cache::Root& root, const Id& generation) {
    const auto info = os::stat_at(root.dirs().generations, to_text(generation));
    if (is_absent(info)) return false;
    TRY(info);
    return info->is_directory();
}

/// Returns whether the pointer is still where it was met.
Result<bool> is_current(const cache::Root& root, const PlacedPointer& pointer) {
    TRY_ASSIGN(const PointerRead now,
               format::read_pointer(root.link_kind(), base_of(root, pointer.where), pointer.name));
    return now.names(pointer.generation);
}

}  // namespace

std::filesystem::path path_of(const cache::Root& root, const PlacedPointer& pointer) {
    return base_of(root, pointer.where) / pointer.name;
}

Result<> for_each_pointer(const cache::Root& root, const VisitPointer& visit) {
    if (!root.keys().use_pointers()) return {};
    TRY(for_each_begun_pointer(root, visit));
    TRY(for_each_pointer_in(root, LinkPlace::bucket, visit));
    return for_each_pointer_in(root, LinkPlace::retired, visit);
}

Result<GenerationCensus> count_pointers(const cache::Root& root, const std::stop_token& stop) {
    GenerationCensus census;
    if (!root.keys().use_pointers()) return census;
    const auto check_stop = [&]() -> Result<> {
        if (!stop.stop_requested()) return {};
        return fail(Errc::interrupted, "collect", root.dirs().root.path,
                    "stopped on request; the next collection looks for generations without a name");
    };
    // The pointer of a generation is there before its directory. So if this list has it, its
    // pointer is met below, or it was taken apart since.
    std::map<Id, std::vector<PlacedPointer>> pointers;
    TRY(os::for_each_name(root.dirs().generations,
                          [&](const std::string& name, os::FileKind) -> Result<> {
                              TRY(check_stop());
                              if (const auto id = format::parse_id(name)) pointers[*id];
                              return {};
                          }));
    (void)os::point("boot.generations-listed");
    std::vector<PlacedPointer> of_no_generation;
    TRY(for_each_pointer(root, [&](const PlacedPointer& pointer) -> Result<> {
        TRY(check_stop());
        const auto known = pointers.find(pointer.generation);
        if (known != pointers.end()) {
            known->second.push_back(pointer);
        } else if (pointer.where == LinkPlace::bucket) {
            of_no_generation.push_back(pointer);  // or one that was made since
        }
        return {};
    }));
    for (const PlacedPointer& pointer : of_no_generation) {
        TRY_ASSIGN(const bool is_there, stands(root, pointer.generation));
        TRY_ASSIGN(const bool current, is_current(root, pointer));
        if (current && !is_there) census.dangling.push_back(pointer);
    }
    for (const auto& [generation, met] : pointers) {
        if (met.empty()) {
            TRY_ASSIGN(const bool is_there, stands(root, generation));
            if (is_there) census.nameless.push_back(generation);
        }
        if (met.size() < 2) continue;
        // One that moved meanwhile was met twice, and stands in one place.
        std::vector<PlacedPointer> standing;
        for (const PlacedPointer& pointer : met) {
            TRY_ASSIGN(const bool current, is_current(root, pointer));
            if (current) standing.push_back(pointer);
        }
        if (standing.size() > 1) census.shared.push_back(std::move(standing));
    }
    return census;
}

Result<> name_generation(cache::Root& root, const Id& generation,
                         const cache::CallContext& context) {
    TRY_ASSIGN(cache::Participant* const participant, root.participant(context));
    const std::string name = format::begun_pointer_name(generation);
    TRY(format::make_pointer(root.link_kind(), root.dirs().root, participant->staging(), name,
                             generation));
    TRY(root.retire_pointer(participant->staging(), name));
    return {};
}

}  // namespace larder::protocol
