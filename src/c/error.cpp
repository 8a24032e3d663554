// SPDX-License-Identifier: MIT
#include "c/error.hpp"

#include <memory>
#include <string>
#include <type_traits>

#include "c/call.hpp"
#include "os/error.hpp"
#include "os/path_text.hpp"

namespace larder::c {

namespace {

// The C codes are the numbers of Errc plus one, because LARDER_OK is 0. code_of and errc_of rely on
// this.
template <Errc cpp, larder_code c>
inline constexpr bool same = static_cast<int>(cpp) + 1 == static_cast<int>(c);
static_assert(same<Errc::miss, LARDER_MISS> && same<Errc::busy, LARDER_BUSY> &&
              same<Errc::interrupted, LARDER_INTERRUPTED> && same<Errc::invalid, LARDER_INVALID> &&
              same<Errc::refused, LARDER_REFUSED> && same<Errc::read_only, LARDER_READ_ONLY> &&
              same<Errc::no_space, LARDER_NO_SPACE> &&
              same<Errc::unsupported, LARDER_UNSUPPORTED> && same<Errc::exists, LARDER_EXISTS> &&
              same<Errc::build, LARDER_BUILD> && same<Errc::damaged, LARDER_DAMAGED> &&
              same<Errc::system, LARDER_SYSTEM>);

// larder_why has the numbers of Why, so a cast turns one into the other.
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

/// A larder_error with what it points to. Its pointers lead into the members, so it must stay where
/// it was made. All errors that C sees are of this type, except `out_of_memory`.
struct OwnedError : larder_error {
    explicit OwnedError(Error given)
        : larder_error{},
          kept(std::move(given)),
          path_text(os::text_of(kept.path)),
          message_text(kept.message()) {
        size = sizeof(larder_error);
        code = code_of(kept.code);
        sys_errno = kept.sys_errno;
        why = static_cast<int32_t>(kept.why);
        step = kept.step;
        path = path_text.c_str();
        detail = kept.detail.c_str();
        message = message_text.c_str();
    }
    OwnedError(const OwnedError&) = delete;
    OwnedError& operator=(const OwnedError&) = delete;
    Error kept;
    std::string path_text, message_text;
};
static_assert(std::has_unique_object_representations_v<larder_error>,
              "a field that is added later would hide in the hole");

/// The error that says that memory has run out. It is made in advance, because nothing can be
/// allocated when it is needed. It is never changed, and larder_error_free leaves it alone.
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
    if (error == &out_of_memory) throw std::bad_alloc();  // `guarded` turns it into an error again.
    // Every other error was made by `give`, and so is an OwnedError.
    const std::unique_ptr<OwnedError> owned(static_cast<OwnedError*>(error));
    return std::move(owned->kept);
}

Result<> refuse_null(const char* step, std::initializer_list<NeededArgument> needed) {
    for (const NeededArgument& argument : needed) {
        if (argument.is_null)
            return fail(Errc::invalid, step, {}, std::string(argument.name) + " is NULL");
    }
    return {};
}

}  // namespace larder::c

using namespace larder;

const char* larder_version(void) { return LARDER_VERSION; }

const char* larder_code_name(int code) {
    if (code == LARDER_OK) return "ok";
    const std::optional<Errc> known = c::errc_of(code);
    if (!known) return "unknown";
    // The names are literals, so each ends with a zero byte.
    return name_of(*known).data();
}

const char* larder_why_name(int why) {
    if (why < LARDER_WHY_NONE || why > LARDER_WHY_OTHER) return "unknown";
    // The names are literals, so each ends with a zero byte.
    return name_of(static_cast<Why>(why)).data();
}

larder_error* larder_error_new(int code, int sys_errno, const char* path, const char* detail) {
    // guarded makes the error of a step that fails. So this runs one that always does.
    larder_error* made = nullptr;
    c::guarded("build", &made, {}, [&]() -> Result<> {
        return tl::make_unexpected(Error{.code = c::errc_of(code).value_or(Errc::build),
                                         .sys_errno = sys_errno,
                                         .step = "build",
                                         .path = os::path_of(path != nullptr ? path : ""),
                                         .detail = detail != nullptr ? detail : "",
                                         .why = os::why_of(sys_errno)});
    });
    return made;
}

void larder_error_free(larder_error* error) {
    if (error == &c::out_of_memory) return;
    delete static_cast<c::OwnedError*>(error);  // `give` has made it
}
