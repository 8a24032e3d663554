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

std::string Error::message() const {
    std::string text = step;
    const auto add = [&text](std::string_view separator, std::string_view more) {
        if (!text.empty()) text.append(separator);
        text.append(more);
    };
    if (!path.empty()) add(" ", path.native());
    if (!detail.empty()) add(": ", detail);
    if (sys_errno != 0) {
        const std::string reason = std::generic_category().message(sys_errno);
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
