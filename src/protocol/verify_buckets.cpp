// SPDX-License-Identifier: MIT
#include "protocol/verify_buckets.hpp"

#include <algorithm>

#include "protocol/generations.hpp"

namespace larder::protocol {

namespace {

using format::Id;

/// Reports a generation that no pointer names.
Result<> report_nameless(VerifyCall& call, const Id& generation) {
    Finding& finding =
        call.findings.add(Finding::Kind::orphan, call.dirs.generations / to_text(generation),
                          "no bucket names this generation");
    if (!call.options.repair) {
        call.nameless.push_back(generation);
        return {};
    }
    TRY(name_generation(call.root, generation, call.context));
    finding.repaired = true;
    return {};
}

/// Takes the faulty pointer of a bucket away if a repair was asked for, and if `is_faulty` says so
/// again under the bucket's lock. Otherwise takes the last finding back, which is about it.
template <class IsFaulty>
Result<> mend_pointer(VerifyCall& call, const std::string& bucket, IsFaulty is_faulty) {
    return call.mend_bucket(bucket, [&]() -> Result<bool> {
        TRY_ASSIGN(const format::PointerRead now, call.root.keys().read_pointer(bucket));
        if (!is_faulty(now)) return false;
        if (now.kind == format::PointerRead::Kind::generation) {
            TRY(call.root.retire_pointer(call.dirs.buckets, bucket));
        } else {
            TRY(call.root.set_aside(call.dirs.buckets, bucket));
        }
        return true;
    });
}

/// Reports the pointer of a bucket whose generation is not there.
Result<> report_dangling(VerifyCall& call, const PlacedPointer& pointer) {
    call.findings.add(Finding::Kind::dangling, path_of(call.root, pointer),
                      "generation " + to_text(pointer.generation) + " is not there");
    return mend_pointer(call, pointer.name, [&](const format::PointerRead& now) {
        return now.names(pointer.generation);
    });
}

/// Reports several pointers that name one generation.
Result<> report_shared(VerifyCall& call, std::vector<PlacedPointer> pointers) {
    // The first one stays, so one of a bucket comes first.
    std::stable_sort(
        pointers.begin(), pointers.end(),
        [](const PlacedPointer& a, const PlacedPointer& b) { return a.where < b.where; });
    std::string paths;
    for (const PlacedPointer& pointer : pointers)
        paths += (paths.empty() ? "" : ", ") + path_of(call.root, pointer).string();
    Finding& finding = call.findings.add(
        Finding::Kind::shared, call.dirs.generations / to_text(pointers.front().generation),
        "named by " + paths);
    if (!call.options.repair) return {};
    std::size_t left = pointers.size();
    for (std::size_t i = 1; i < pointers.size(); ++i) {
        if (pointers[i].where != LinkPlace::retired) continue;
        TRY(os::remove_file_at(call.root.garbage().retired_buckets, pointers[i].name));
        --left;
    }
    finding.repaired = left == 1;
    return {};
}

}  // namespace

Result<> check_generations(VerifyCall& call) {
    TRY(call.findings.for_each_name(
        call.dirs.generations, [&](const std::string& name, os::FileKind) -> Result<> {
            const auto dir = os::open_dir_at(call.dirs.generations, name);
            if (is_absent(dir)) return {};
            if (!format::parse_id(name) || is_no_directory(dir))
                return call.findings.add_foreign(call.dirs.generations / name);
            return {};
        }));
    TRY_ASSIGN(GenerationCensus census, count_pointers(call.root, call.context.stop));
    for (const Id& generation : census.nameless)
        TRY(call.findings.note_error(report_nameless(call, generation)));
    for (const PlacedPointer& pointer : census.dangling)
        TRY(call.findings.note_error(report_dangling(call, pointer)));
    for (auto& pointers : census.shared)
        TRY(call.findings.note_error(report_shared(call, std::move(pointers))));
    return {};
}

Result<> report_no_bucket(VerifyCall& call, const std::string& bucket) {
    if (!call.census.is_of_first_part()) return {};
    if (call.root.keys().use_pointers()) {
        call.findings.add(Finding::Kind::blocked, call.dirs.buckets / bucket, blocked_by);
        return call.findings.note_repair(
            1, mend_pointer(call, bucket, [](const format::PointerRead& read) {
                return read.kind == format::PointerRead::Kind::foreign;
            }));
    }
    call.findings.add(Finding::Kind::blocked, call.dirs.buckets / bucket, cache::no_directory);
    return call.findings.note_repair(1, call.mend_bucket(bucket, [&]() -> Result<bool> {
        if (!is_no_directory(call.root.keys().open_bucket(bucket))) return false;
        TRY(call.root.set_aside(call.dirs.buckets, bucket));
        return true;
    }));
}

Result<> check_broken_pointer(VerifyCall& call, const std::string& bucket) {
    if (!call.root.keys().use_pointers() || !call.census.is_of_first_part()) return {};
    const auto is_malformed = [](const format::PointerRead& read) {
        return read.kind == format::PointerRead::Kind::malformed;
    };
    TRY_ASSIGN(const auto pointer, call.root.keys().read_pointer(bucket));
    if (!is_malformed(pointer)) return {};
    call.findings.add(Finding::Kind::malformed, call.dirs.buckets / bucket,
                      "a link to a generation that larder did not make, or not in full");
    return call.findings.note_repair(1, mend_pointer(call, bucket, is_malformed));
}

}  // namespace larder::protocol
