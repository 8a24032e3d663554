// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <system_error>

namespace larder {

std::string_view name_of(Errc code) noexcept {
    switch (code) {
        case Errc::miss:
            return "miss";
        case Errc::busy:
            return "busy";
        case Errc::interrupted:
            return "interrupted";
        case Errc::invalid:
            return "invalid";
        case Errc::refused:
            return "refused";
        case Errc::read_only:
            return "read_only";
        case Errc::no_space:
            return "no_space";
        case Errc::unsupported:
            return "unsupported";
        case Errc::exists:
            return "exists";
        case Errc::build:
            return "build";
        case Errc::damaged:
            return "damaged";
        case Errc::system:
            return "system";
    }
    return "system";
}

std::string_view name_of(Why why) noexcept {
    switch (why) {
        case Why::none:
            return "none";
        case Why::absent:
            return "absent";
        case Why::exists:
            return "exists";
        case Why::not_empty:
            return "not_empty";
        case Why::not_directory:
            return "not_directory";
        case Why::is_directory:
            return "is_directory";
        case Why::is_link:
            return "is_link";
        case Why::cross_device:
            return "cross_device";
        case Why::denied:
            return "denied";
        case Why::not_permitted:
            return "not_permitted";
        case Why::read_only:
            return "read_only";
        case Why::no_space:
            return "no_space";
        case Why::too_many_links:
            return "too_many_links";
        case Why::too_many_open_files:
            return "too_many_open_files";
        case Why::name_too_long:
            return "name_too_long";
        case Why::not_supported:
            return "not_supported";
        case Why::invalid:
            return "invalid";
        case Why::no_device:
            return "no_device";
        case Why::not_seekable:
            return "not_seekable";
        case Why::busy:
            return "busy";
        case Why::sharing:
            return "sharing";
        case Why::would_block:
            return "would_block";
        case Why::interrupted:
            return "interrupted";
        case Why::no_memory:
            return "no_memory";
        case Why::io:
            return "io";
        case Why::other:
            return "other";
    }
    return "other";
}

std::string Error::message() const {
    std::string text = step;
    const auto add = [&text](std::string_view separator, std::string_view more) {
        if (!text.empty()) text.append(separator);
        text.append(more);
    };
    if (!path.empty()) add(" ", path.native());
    if (!detail.empty()) add(": ", detail);
    if (sys_errno != 0) {
        const std::string reason = std::system_category().message(sys_errno);
        if (detail.empty()) {
            add(": ", reason);
        } else {
            text.append(" (").append(reason).append(")");
        }
    }
    return text.empty() ? std::string(name_of(code)) : text;
}

tl::unexpected<Error> fail(Errc code, const char* step, std::filesystem::path path,
                           std::string detail) {
    return tl::make_unexpected(Error{code, 0, step, std::move(path), std::move(detail)});
}

}  // namespace larder
