// SPDX-License-Identifier: MIT
#include "c/error.hpp"

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

// Why has the same numbers in both languages.
template <Why cpp, larder_why c>
inline constexpr bool same_why = static_cast<int>(cpp) == static_cast<int>(c);
static_assert(same_why<Why::none, LARDER_WHY_NONE> && same_why<Why::absent, LARDER_WHY_ABSENT> &&
              same_why<Why::exists, LARDER_WHY_EXISTS> &&
              same_why<Why::not_empty, LARDER_WHY_NOT_EMPTY> &&
              same_why<Why::not_directory, LARDER_WHY_NOT_DIRECTORY> &&
              same_why<Why::is_directory, LARDER_WHY_IS_DIRECTORY> &&
              same_why<Why::is_link, LARDER_WHY_IS_LINK> &&
              same_why<Why::cross_device, LARDER_WHY_CROSS_DEVICE> &&
              same_why<Why::denied, LARDER_WHY_DENIED> &&
              same_why<Why::not_permitted, LARDER_WHY_NOT_PERMITTED> &&
              same_why<Why::read_only, LARDER_WHY_READ_ONLY> &&
              same_why<Why::no_space, LARDER_WHY_NO_SPACE> &&
              same_why<Why::too_many_links, LARDER_WHY_TOO_MANY_LINKS> &&
              same_why<Why::too_many_open_files, LARDER_WHY_TOO_MANY_OPEN_FILES> &&
              same_why<Why::name_too_long, LARDER_WHY_NAME_TOO_LONG> &&
              same_why<Why::not_supported, LARDER_WHY_NOT_SUPPORTED> &&
              same_why<Why::invalid, LARDER_WHY_INVALID> &&
              same_why<Why::no_device, LARDER_WHY_NO_DEVICE> &&
              same_why<Why::not_seekable, LARDER_WHY_NOT_SEEKABLE> &&
              same_why<Why::busy, LARDER_WHY_BUSY> && same_why<Why::sharing, LARDER_WHY_SHARING> &&
              same_why<Why::would_block, LARDER_WHY_WOULD_BLOCK> &&
              same_why<Why::interrupted, LARDER_WHY_INTERRUPTED> &&
              same_why<Why::no_memory, LARDER_WHY_NO_MEMORY> && same_why<Why::io, LARDER_WHY_IO> &&
              same_why<Why::other, LARDER_WHY_OTHER>);

/// What a larder_error points into: its pointers lead into the members, so it stays where it was
/// made. All errors are of this type, except `out_of_memory`.
struct OwnedError : larder_error {
    explicit OwnedError(Error given)
        : larder_error{}, kept(std::move(given)), text(kept.message()) {
        size = sizeof(larder_error);
        code = code_of(kept.code);
        sys_errno = kept.sys_errno;
        why = static_cast<int32_t>(kept.why);
        step = kept.step;
        path = kept.path.c_str();
        detail = kept.detail.c_str();
        message = text.c_str();
    }
    Error kept;
    std::string text;
};
static_assert(std::has_unique_object_representations_v<larder_error>);

/// Made in advance, because nothing can be allocated when it is needed. It is never changed and
/// never freed.
constinit larder_error out_of_memory{.size = sizeof(larder_error),
                                     .code = LARDER_SYSTEM,
                                     .sys_errno = static_cast<int>(std::errc::not_enough_memory),
                                     .why = LARDER_WHY_NO_MEMORY,
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
    if (os::why_of(sys_errno) == Why::no_memory) return give_out_of_memory(place);
    try {
        return give(place, Error{.code = Errc::system,
                                 .sys_errno = sys_errno,
                                 .step = step,
                                 .path = {},
                                 .detail = what,
                                 .why = os::why_of(sys_errno)});
    } catch (...) {
        return give_out_of_memory(place);
    }
}

Error take(larder_error* error) {
    if (error == &out_of_memory) throw std::bad_alloc();  // `guarded` turns it into an error again
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
                 : "unknown";  // names are literals, so they end with a zero byte
}

const char* larder_why_name(int why) {
    if (why < LARDER_WHY_NONE || why > LARDER_WHY_OTHER) return "unknown";
    return name_of(static_cast<Why>(why)).data();  // a literal
}

larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail) {
    larder_error* made = nullptr;
    c::guarded("build", &made, [&]() -> Result<> {
        return tl::make_unexpected(Error{.code = c::errc_of(code).value_or(Errc::build),
                                         .sys_errno = sys_errno,
                                         .step = "build",
                                         .path = path != nullptr ? path : "",
                                         .detail = detail != nullptr ? detail : "",
                                         .why = os::why_of(sys_errno)});
    });
    return made;
}

void larder_error_free(larder_error* error) {
    if (error != &c::out_of_memory) delete static_cast<c::OwnedError*>(error);
}
