// SPDX-License-Identifier: MIT
#include "c/error.hpp"

#include <cerrno>
#include <memory>
#include <type_traits>

namespace larder::c {

namespace {

// One table for both directions: the C codes are Errc, after LARDER_OK.
template <Errc cpp, larder_code c>
inline constexpr bool same = static_cast<int>(cpp) + 1 == static_cast<int>(c);
static_assert(same<Errc::miss, LARDER_MISS> && same<Errc::busy, LARDER_BUSY> &&
              same<Errc::interrupted, LARDER_INTERRUPTED> && same<Errc::invalid, LARDER_INVALID> &&
              same<Errc::refused, LARDER_REFUSED> && same<Errc::read_only, LARDER_READ_ONLY> &&
              same<Errc::no_space, LARDER_NO_SPACE> &&
              same<Errc::unsupported, LARDER_UNSUPPORTED> && same<Errc::exists, LARDER_EXISTS> &&
              same<Errc::build, LARDER_BUILD> && same<Errc::damaged, LARDER_DAMAGED> &&
              same<Errc::system, LARDER_SYSTEM>);

/// What a larder_error points into. All of them but `out_of_memory` are of this type.
struct OwnedError : larder_error {
    explicit OwnedError(Error given)
        : larder_error{}, kept(std::move(given)), text(kept.message()) {
        size = sizeof(larder_error);
        code = code_of(kept.code);
        sys_errno = kept.sys_errno;
        step = kept.step;
        path = kept.path.c_str();
        detail = kept.detail.c_str();
        message = text.c_str();
    }
    Error kept;
    std::string text;
};
static_assert(std::has_unique_object_representations_v<larder_error>);

/// Made before it is needed, since nothing can be made then. Never written to, and never freed.
constinit larder_error out_of_memory{.size = sizeof(larder_error),
                                     .code = LARDER_SYSTEM,
                                     .sys_errno = ENOMEM,
                                     .reserved = 0,
                                     .step = "allocate memory",
                                     .path = "",
                                     .detail = "memory has run out",
                                     .message = "allocate memory: memory has run out"};

}  // namespace

larder_code code_of(Errc code) noexcept {
    return static_cast<larder_code>(static_cast<int>(code) + 1);
}

std::optional<Errc> errc_of(int code) noexcept {
    if (code < LARDER_MISS || code > LARDER_SYSTEM) return std::nullopt;
    return static_cast<Errc>(code - 1);
}

larder_code give(larder_error** place, Error error) noexcept {
    const larder_code code = code_of(error.code);
    if (place == nullptr) return code;
    try {
        *place = new OwnedError(std::move(error));
        return code;
    } catch (...) {
        return give_out_of_memory(place);
    }
}

larder_code give_out_of_memory(larder_error** place) noexcept {
    if (place != nullptr) *place = &out_of_memory;
    return LARDER_SYSTEM;
}

larder_code give_exception(const char* step, const char* what, int sys_errno,
                           larder_error** place) noexcept {
    if (sys_errno == ENOMEM) return give_out_of_memory(place);
    try {
        return give(place, Error{.code = Errc::system,
                                 .sys_errno = sys_errno,
                                 .step = step,
                                 .path = {},
                                 .detail = what});
    } catch (...) {
        return give_out_of_memory(place);
    }
}

Error take(larder_error* error) {
    if (error == &out_of_memory) throw std::bad_alloc();  // it is on its way out again: see guarded
    const std::unique_ptr<OwnedError> owned(static_cast<OwnedError*>(error));
    return std::move(owned->kept);
}

tl::unexpected<Error> missing(const char* step, const char* what) {
    return fail(Errc::invalid, step, {}, std::string(what) + " is NULL");
}

}  // namespace larder::c

using namespace larder;

const char* larder_version(void) { return LARDER_VERSION; }

const char* larder_code_name(int code) {
    if (code == LARDER_OK) return "ok";
    const auto known = c::errc_of(code);
    return known ? name_of(*known).data()
                 : "unknown";  // names are literals, and so end with a zero byte
}

larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail) {
    larder_error* made = nullptr;
    c::guarded("build", &made, [&]() -> Result<> {
        return tl::make_unexpected(Error{.code = c::errc_of(code).value_or(Errc::build),
                                         .sys_errno = sys_errno,
                                         .step = "build",
                                         .path = path != nullptr ? path : "",
                                         .detail = detail != nullptr ? detail : ""});
    });
    return made;
}

void larder_error_free(larder_error* error) {
    if (error != &c::out_of_memory) delete static_cast<c::OwnedError*>(error);
}
