// SPDX-License-Identifier: MIT
// The functions of a staging area. Publishing it is in c/bucket.cpp.
#include <new>

#include <larder/bucket.hpp>
#include <larder/staging.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"

using namespace larder;

larder_code larder_bucket_stage(const larder_bucket* bucket, larder_staging** staging,
                                larder_error** error) {
    c::clear(staging);
    return c::guarded("stage", error, {{"bucket", bucket}, {"staging", staging}},
                      [&] { return c::hand_out_handle(staging, bucket->bucket.stage()); });
}

void larder_staging_free(larder_staging* staging) {
    // A handle that is lent to a build belongs to get_or_build.
    if (staging != nullptr && !staging->is_lent()) delete staging;
}

const char* larder_staging_path(const larder_staging* staging) {
    return staging != nullptr ? staging->path.c_str() : nullptr;
}

const char* larder_staging_inside(larder_staging* staging) {
    if (staging == nullptr) return nullptr;
    try {
        // C has a pointer to the text, so the handle keeps it.
        staging->inside = staging->staging.inside();
        return staging->inside.c_str();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

larder_code larder_staging_copy_from(larder_staging* staging, const char* source,
                                     larder_error** error) {
    return c::guarded("stage", error, {{"staging", staging}, {"source", source}},
                      [&] { return staging->staging.copy_from(os::path_of(source)); });
}

larder_code larder_staging_link_from(larder_staging* staging, const char* source, int32_t mode,
                                     larder_error** error) {
    return c::guarded("stage", error, {{"staging", staging}, {"source", source}},
                      [&]() -> Result<> {
                          TRY_ASSIGN(const LinkMode way, c::link_mode_of(mode));
                          return staging->staging.copy_from(os::path_of(source), way);
                      });
}

larder_code larder_staging_move_from(larder_staging* staging, const char* source,
                                     larder_error** error) {
    return c::guarded("stage", error, {{"staging", staging}, {"source", source}},
                      [&] { return staging->staging.move_from(os::path_of(source)); });
}

larder_code larder_staging_note(larder_staging* staging, const char* path, uint64_t size,
                                const void* digest, size_t digest_size, larder_error** error) {
    return c::guarded(
        "note a digest", error, {{"staging", staging}, {"path", path}, {"digest", digest}}, [&] {
            const std::string_view bytes(static_cast<const char*>(digest), digest_size);
            return staging->staging.note(os::path_of(path), size, bytes);
        });
}
